"""HTTP and XML-RPC as oned's library speaks them, looked at without a client in between."""

from __future__ import annotations

import http.client
import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from anabranch.testing.simulation import Fault, FaultKind

INT = "<param><value><int>{}</int></value></param>"
BOOL = "<param><value><boolean>0</boolean></value></param>"


def call(session: str, method: str, *parameters: str) -> bytes:
    first = f"<param><value><string>{session}</string></value></param>"
    return (
        f"<?xml version='1.0'?><methodCall><methodName>one.{method}</methodName><params>{first}"
        f"{''.join(parameters)}</params></methodCall>"
    ).encode()


@pytest.fixture
def post(rpc):
    def send(method: str, *parameters: str, session: str | None = None) -> str:
        reply = httpx.post(rpc.endpoint, content=call(session or rpc.session, method, *parameters))
        assert reply.status_code == 200
        return reply.text

    return send


def raw(url: str, request: bytes) -> bytes:
    """What comes until the server closes the connection."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(request)
        chunks = []
        while chunk := connection.recv(65536):
            chunks.append(chunk)
    return b"".join(chunks)


def test_every_reply_ends_its_connection(rpc, url):
    body = call(rpc.session, "system.version")
    request = b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: %d\r\n"
    reply = raw(url, request % len(body) + b"\r\n" + body)  # returns: the server has closed
    head, _, text = reply.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert reply.count(b"HTTP/1.1 200") == 1
    assert b"<string>7.4.0</string>" in text


def test_a_body_without_a_length_is_refused(rpc, url):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    body = [call(rpc.session, "system.version")]
    connection.request("POST", "/RPC2", body=iter(body), encode_chunked=True)
    assert connection.getresponse().status == 411
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/RPC2", 405), ("PUT", "/RPC2", 405), ("POST", "/", 404), ("GET", "/x", 404)],
)
def test_there_is_one_path_and_one_method(url, method, path, status):
    reply = httpx.request(method, url + path)
    assert reply.status_code == status
    assert reply.headers["connection"] == "close"


def test_success_has_three_elements(post):
    text = post("system.version")
    values = re.findall(r"<value><(\w+)>([^<]*)</\1></value>", text)
    assert values == [("boolean", "1"), ("string", "7.4.0"), ("i4", "0")]


def test_failure_has_five_elements_and_the_last_is_no_standard_one(post):
    values = re.findall(r"<value><(\w+)>([^<]*)</\1></value>", post("vm.info", INT.format(999999)))
    assert values == [
        ("boolean", "0"),
        ("string", "[one.vm.info] Error getting virtual machine [999999]."),
        ("i4", "1024"),
        ("i4", "999999"),
        ("i8", "-1"),
    ]


def test_documents_are_strings_with_values_in_cdata_and_no_white_space(post):
    text = post("template.info", INT.format(0))
    assert "&lt;CPU&gt;&lt;![CDATA[0.1]]&gt;&lt;/CPU&gt;" in text
    document = re.search("<string>(.*)</string>", text, re.DOTALL)[1]
    assert document.startswith("&lt;VMTEMPLATE&gt;&lt;ID&gt;0&lt;/ID&gt;")
    assert "\n" not in document


FAULTS = {
    "a number in a string": ("vm.info", ["<param><value><string>1</string></value></param>"], -501),
    "no parameter": ("vm.info", [], -501),
    "three of four": ("vmpool.info", [INT.format(-2)] * 3, -501),
    "a boolean as number": (
        "template.instantiate",
        [INT.format(0), "<param><value>x</value></param>", INT.format(0), INT.format(0)],
        -501,
    ),
    "a struct": ("vm.info", ["<param><value><struct/></value></param>"], -501),
    "an empty number": ("vm.info", ["<param><value><int/></value></param>"], -503),
    "more than 32 bits": ("vm.info", [INT.format(2**31)], -503),
    "a boolean of 2": ("vm.info", ["<param><value><boolean>2</boolean></value></param>"], -503),
    "no such method": ("vm.dance", [INT.format(1)], -506),
}


@pytest.mark.parametrize("name", FAULTS)
def test_improper_calls_are_faults(post, name):
    method, parameters, code = FAULTS[name]
    text = post(method, *parameters)
    assert "<fault>" in text
    assert f"<i4>{code}</i4>" in text


@pytest.mark.parametrize("body", [b"", b"<methodCall>", b"{}", b"<other/>", b"<methodCall/>"])
def test_what_is_no_call_is_a_fault(rpc, body):
    text = httpx.post(rpc.endpoint, content=body).text
    assert "<i4>-503</i4>" in text


def test_surplus_parameters_are_ignored(post):
    assert "<boolean>1</boolean>" in post("vm.info", INT.format(0), BOOL, INT.format(7))
    assert "<boolean>1</boolean>" in post("system.version", INT.format(1), INT.format(2))


def test_a_string_may_come_without_its_type(post):
    untyped = "<param><value>0</value></param>"
    assert "&lt;ID&gt;0&lt;" in post("vmpool.infoset", untyped, BOOL)


@pytest.mark.parametrize(
    "session", ["tenant:wrong", "nobody:sim:secret", "tenant", "", "tenant:", ":sim:secret"]
)
def test_who_cannot_log_in_learns_nothing(post, session):
    text = post("system.version", session=session or " ")
    assert "User couldn't be authenticated, aborting call." in text
    assert "<i4>256</i4>" in text


def test_entities_are_not_resolved(rpc):
    bomb = (
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><methodCall><methodName>'
        b"one.system.version</methodName><params><param><value><string>&e;</string></value>"
        b"</param></params></methodCall>"
    )
    assert "<i4>256</i4>" in httpx.post(rpc.endpoint, content=bomb).text


def test_calls_count_under_the_name_of_their_method(cloud, rpc):
    cloud.requests.reset()
    rpc("vm.info", 0)
    rpc("vm.info", 1)
    rpc("system.version")
    assert cloud.requests.count("/RPC2/one.vm.info", "POST") == 2
    assert cloud.requests.count("/RPC2/one.system.version") == 1
    assert cloud.requests.total == 3


def test_faults_meet_one_method_and_are_counted(cloud, rpc):
    cloud.behaviour.break_with(["503x2:/RPC2/one.vm.info", "429x1:one.system.version"])
    body = call(rpc.session, "vm.info", INT.format(0))
    statuses = [httpx.post(rpc.endpoint, content=body).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]
    refused = httpx.post(rpc.endpoint, content=call(rpc.session, "system.version"))
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert rpc("system.version") == "7.4.0"


@pytest.mark.parametrize(
    ("fault", "code"), [("401", 0x100), ("403", 0x200), ("404", 0x400), ("409", 0x800)]
)
def test_a_refusal_is_told_with_status_200_and_a_code(cloud, rpc, fault, code):
    cloud.behaviour.break_with([fault])
    reply = httpx.post(rpc.endpoint, content=call(rpc.session, "system.version"))
    assert reply.status_code == 200
    assert f"<i4>{code}</i4>" in reply.text


def test_documents_get_elements_that_nobody_knows_and_templates_do_not(cloud, rpc):
    cloud.behaviour.unknown_fields = True
    document = rpc("vm.info", 0)
    assert "<X_LATER>later</X_LATER></VM>" in document
    template = document.partition("<USER_TEMPLATE>")[2].partition("</USER_TEMPLATE>")[0]
    assert template
    assert "X_LATER" not in template


def test_a_proxy_in_front_may_ask_for_a_password(cloud, rpc):
    cloud.behaviour.break_with([Fault(kind=FaultKind.UNAUTHORIZED, by_proxy=True)])
    reply = httpx.post(rpc.endpoint, content=call(rpc.session, "system.version"))
    assert reply.status_code == 401


def test_a_portal_may_answer_in_its_place(cloud, rpc):
    cloud.behaviour.break_with(["garbage"])
    reply = httpx.post(rpc.endpoint, content=call(rpc.session, "system.version"))
    assert reply.status_code == 200
    assert "methodResponse" not in reply.text


def test_connections_may_be_cut_or_hang(cloud, rpc):
    cloud.behaviour.break_with([Fault.parse("resetx1"), Fault.parse("hangx1")])
    body = call(rpc.session, "system.version")
    with pytest.raises(httpx.TransportError):
        httpx.post(rpc.endpoint, content=body)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(rpc.endpoint, content=body, timeout=0.2)
    assert rpc("system.version") == "7.4.0"
