"""The ways to a cloud: TLS, proxies; and what is imported for it."""

import logging
import ssl
import subprocess
import sys

import anyio
import pytest

from anabranch import http
from anabranch.errors import CloudUnavailable, InvalidRequest

from .raw_server import Connection, client, raw_server, replies

# --------------------------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody trusts, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*command.split(), *names, "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context, str(cert), str(key)


async def test_tls(certificate):
    context, cert, key = certificate
    async with raw_server(replies(), tls=context) as server:
        async with client(retries=0) as c:
            with pytest.raises(
                CloudUnavailable, match=r"its TLS certificate is not trusted \(self"
            ):
                await c.request("GET", server.url)
        async with client(verify=False) as c:
            assert (await c.request("GET", server.url)).status == 200
        async with client(cacert=cert) as c:
            assert (await c.request("GET", server.url)).status == 200
            with pytest.raises(CloudUnavailable, match="is not trusted"):
                await c.request("GET", server.url.replace("127.0.0.1", "localhost"))
        for wrong, text in [("/nowhere.pem", "no such file or directory"), (key, "PEM|NO_CERT")]:
            async with client(cacert=wrong) as c:
                with pytest.raises(InvalidRequest, match=f"CA file .* cannot be used: .*{text}"):
                    await c.request("GET", server.url)


async def test_tls_to_one_who_speaks_none():
    async def banner(connection: Connection) -> None:
        await connection.send(b"220 mail.example ESMTP\r\n")
        await anyio.sleep(0.2)

    async with raw_server(banner) as server, client(retries=0) as c:
        with pytest.raises(CloudUnavailable, match=r"no connection to .*SSL: WRONG_VERSION"):
            await c.request("GET", server.url.replace("http:", "https:"))


async def test_contexts_are_shared():
    assert http._tls(True, None) is http._tls(True, None)


# ----------------------------------------------------------------------------------------- proxies


async def test_proxies_of_the_environment_and_of_the_settings(monkeypatch):
    async with raw_server(replies()) as proxy, raw_server(replies()) as server:
        address = proxy.url.removeprefix("http://")
        for name, value in [
            ("http_proxy", proxy.url),
            ("HTTP_PROXY", address),
            ("all_proxy", address),
        ]:
            with monkeypatch.context() as environment:
                environment.setenv(name, value)
                async with client() as c:
                    await c.request("GET", "http://cloud.invalid/a")
            assert proxy.requests.pop().startswith(b"GET http://cloud.invalid/a HTTP/1.1")
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", f"x.invalid,127.0.0.1:{server.port}")
        async with client() as c:
            await c.request("GET", server.url)
        assert (len(server.requests), proxy.requests) == (1, [])
        async with client(proxy=proxy.url) as c:  # what is set for a cloud goes first
            await c.request("GET", server.url)
        assert len(proxy.requests) == 1


# ----------------------------------------------------------------------------------------- imports


def test_the_command_line_of_httpx_is_not_imported():
    script = (
        "import sys, anabranch, anabranch.http; "
        "heavy = {'httpx._main', 'click', 'rich', 'pygments', 'structlog', 'pydantic', 'typer'}; "
        "print(sorted(heavy & sys.modules.keys())); import httpx; print(httpx.main)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    found, main = done.stdout.splitlines()
    assert found == "[]"
    assert main.startswith("<function main")


# ----------------------------------------------------------------------------------------- headers


async def test_a_header_is_sent_once_whatever_its_case():
    async with raw_server(replies()) as server, client() as c:
        await c.request("GET", server.url, headers={"Accept": "text/xml", "USER-AGENT": "mine"})
    sent = server.requests[0].lower()
    assert sent.count(b"\r\naccept:") == sent.count(b"\r\nuser-agent:") == 1
    assert b"accept: text/xml" in sent
    assert b"user-agent: mine" in sent


async def test_nothing_logs_a_header_that_carries_a_token(caplog):
    async def keystone(connection: Connection) -> None:
        while await connection.request():
            await connection.reply(201, b"{}", "X-Subject-Token: hunter2")

    caplog.set_level(logging.DEBUG)
    async with raw_server(keystone) as proxy:
        for settings in ({}, {"proxy": proxy.url}):
            async with client(**settings) as c:
                reply = await c.request("GET", proxy.url, headers={"x-auth-token": "hunter2"})
            assert reply.headers["x-subject-token"] == "hunter2"
    assert len(proxy.requests) == 2
    assert "hunter2" not in caplog.text
