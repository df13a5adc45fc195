"""Commands on instances, by SSH with a server on loopback."""

import json
import logging
import sys
from urllib.parse import quote

import anyio
import asyncssh
import pytest
from anyio import to_thread
from lxml import etree

from anabranch import Broker, Configuration, InstanceState, NotFound, PluginRegistry
from anabranch.hooks import DriverSpec, hookimpl
from anabranch.models import Instance, NetworkAddress
from anabranch.settings import CloudSettings
from anabranch_server.deltacloud import running
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import Configured

from .exchange import ask

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
PASSWORD = "correct-horse"


class Machines(DriverSpec[CloudSettings]):
    """A cloud whose instances are called what their address is."""

    title = "Machines"
    settings_type = CloudSettings

    @hookimpl
    async def get_instance(self, cloud, instance_id):
        if instance_id == "none":
            raise NotFound("there is none")
        state = InstanceState.STOPPED if instance_id == "stopped" else InstanceState.RUNNING
        public = ["127.0.0.1"] if instance_id in ("one", "stopped") else instance_id.split(",")
        return Instance(
            cloud=cloud.name,
            id=instance_id,
            state=state,
            public_addresses=tuple(NetworkAddress(one) for one in public),
            private_addresses=(NetworkAddress("192.0.2.77"),),
        )


@pytest.fixture
def app():
    return make(allow_run=True)


def make(**options):
    broker = Broker(
        Configuration(clouds={"m": {"driver": "machines"}}),
        registry=PluginRegistry(drivers={"machines": Machines()}, points=[]),
    )
    return Deltacloud(Configured(broker), **options)


class Shell(asyncssh.SSHServer):
    """Lets root in by a password, and keys that it is told."""

    keys = None

    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return (username, password) == ("root", PASSWORD)

    def public_key_auth_supported(self):
        return True

    def validate_public_key(self, username, key):
        return username == "deploy" and key.export_public_key() == Shell.keys


async def _obey(process):
    match process.command.split():
        case ["echo", *words]:
            process.stdout.write(" ".join(words).encode())
            process.stderr.write(b"!")
            process.exit(0)
        case ["fail"]:
            process.exit(3)
        case ["shout"]:
            process.stdout.write(b"\xff" * 2_000_000)
            await process.stdout.drain()
            process.exit(0)
        case _:
            await process.wait_closed()


@pytest.fixture
async def port(anyio_backend, monkeypatch):
    """The port of an SSH server at 127.0.0.1, which counts as the address of an instance here."""
    if anyio_backend != "asyncio":
        pytest.skip("asyncssh runs on asyncio")
    usable = running._is_usable
    monkeypatch.setattr(running, "_is_usable", lambda text: text == "127.0.0.1" or usable(text))
    host_key = await to_thread.run_sync(asyncssh.generate_private_key, "ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Shell,
        server_host_keys=[host_key],
        process_factory=_obey,
        encoding=None,
    )
    async with server:
        yield server.get_port()


async def run(app, ident, **parameters):
    body = "&".join(f"{name}={_quoted(value)}" for name, value in parameters.items())
    return await ask(app, "POST", f"/api/instances/{ident}/run", FORM, body.encode())


def _quoted(value):
    return quote(str(value), safe="")


async def test_a_command_by_password(app, port):
    answer = await run(app, "one", cmd="echo hello & you", password=PASSWORD, port=port)
    assert answer.status == 200
    told = json.loads(answer.body)["instance"]
    assert told["command"] == "echo hello & you"
    assert (told["output"], told["exit_status"]) == ("hello & you!", 0)
    assert (told["public_address"], told["truncated"]) == ("127.0.0.1", False)


async def test_a_command_by_key_as_another_user(app, port):
    key = await to_thread.run_sync(asyncssh.generate_private_key, "ssh-ed25519")
    Shell.keys = key.export_public_key()
    text = key.export_private_key().decode()
    answer = await run(app, "one", cmd="fail", private_key=text, user="deploy", port=port)
    assert json.loads(answer.body)["instance"]["exit_status"] == 3
    for user in ("root", "nobody"):
        refused = await run(app, "one", cmd="fail", private_key=text, user=user, port=port)
        assert refused.status == 403


async def test_xml_and_the_bound_of_the_output(app, port):
    headers = {**FORM, "Accept": "application/xml"}
    body = f"cmd=shout&password={PASSWORD}&port={port}".encode()
    answer = await ask(app, "POST", "/api/instances/one/run", headers, body)
    output = etree.fromstring(answer.body).find("output")
    assert output.get("truncated") == "true"
    assert output.text == "\ufffd" * (1024 * 1024)


async def test_what_goes_wrong_names_no_secret(app, port, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(running, "_COMMAND", 0.2)
    closed = await anyio.create_tcp_listener(local_host="127.0.0.1")
    nobody = closed.extra(anyio.abc.SocketAttribute.local_port)
    await closed.aclose()
    for status, parameters in (
        (400, {"password": "hunter2-wrong"}),
        (400, {"cmd": "echo hunter2"}),
        (400, {"cmd": "echo hunter2", "private_key": "-----BEGIN hunter2-----"}),
        (400, {"cmd": "echo hunter2", "private_key": "hunter2" * 10_000}),
        (400, {"cmd": "echo hunter2", "password": PASSWORD, "port": 0}),
        (400, {"cmd": "echo hunter2", "password": PASSWORD, "ip": "192.0.2.1"}),
        (403, {"cmd": "echo hunter2", "password": "hunter2-wrong"}),
        (502, {"cmd": "echo hunter2", "password": "hunter2-wrong", "port": nobody}),
        (504, {"cmd": "hunter2 for ever", "password": PASSWORD}),
    ):
        answer = await run(app, "one", **{"port": port, **parameters})
        assert answer.status == status, parameters
        assert b"hunter2" not in answer.body
        assert PASSWORD.encode() not in answer.body
    assert "hunter2" not in caplog.text
    assert PASSWORD not in caplog.text


async def test_no_login_comes_within_its_time(app, port, monkeypatch):
    monkeypatch.setattr(running, "_CONNECT", 0.2)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as silent:
        number = silent.extra(anyio.abc.SocketAttribute.local_port)
        answer = await run(app, "one", cmd="fail", password=PASSWORD, port=number)
    assert answer.status == 504


async def test_only_addresses_of_the_instance_are_called_and_none_that_may_be_the_daemons(app):
    for ident, ip, status in (
        ("one", None, 403),
        ("127.0.0.1,169.254.169.254,0.0.0.0,::1,fe80::1,224.0.0.1,::ffff:127.0.0.1", None, 403),
        ("img1.inst1.public.com", None, 403),
        ("192.0.2.1,192.0.2.2", "192.0.2.3", 400),
        ("192.0.2.1,192.0.2.2", "192.0.2.77", 400),
        ("192.0.2.1,127.0.0.1", "127.0.0.1", 400),
    ):
        parameters = {"cmd": "fail", "password": PASSWORD, **({"ip": ip} if ip else {})}
        answer = await run(app, ident, **parameters)
        assert answer.status == status, (ident, ip)


async def test_instances_that_are_not_there_or_do_not_run(app, port):
    assert (await run(app, "none", cmd="fail", password=PASSWORD, port=port)).status == 404
    assert (await run(app, "stopped", cmd="fail", password=PASSWORD, port=port)).status == 405


async def test_it_is_off_unless_it_is_switched_on(port):
    answer = await run(make(), "one", cmd="fail", password=PASSWORD, port=port)
    assert answer.status == 412
    for options, offered in (({}, False), ({"allow_run": True}, True)):
        shown = await ask(make(**options), "GET", "/api/instances/one", {"Accept": "text/xml"})
        rels = [link.get("rel") for link in etree.fromstring(shown.body).iter("link")]
        assert ("run" in rels) is offered


async def test_on_trio_or_without_the_library_it_says_so(app, anyio_backend, monkeypatch):
    if anyio_backend == "asyncio":
        monkeypatch.setitem(sys.modules, "asyncssh", None)
    answer = await run(app, "192.0.2.1", cmd="fail", password=PASSWORD)
    assert answer.status == 501
    assert (b"anabranch-server[ssh]" in answer.body) is (anyio_backend == "asyncio")
