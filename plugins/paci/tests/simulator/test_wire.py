"""The checklist of the protocol page, point by point, in the bytes that go over the wire."""

import base64
import re
import socket
from urllib.parse import urlsplit

import pytest

from anabranch_paci.simulator import API_KEY, simulator

DECLARATION = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


@pytest.fixture
def raw(url, api):
    """Sends a request as bytes and gives the reply as bytes, head and body."""
    address = urlsplit(url)

    def exchange(method, path, body=b"", *lines, auth=True):
        head = [f"{method} /paci/v1.0{path} HTTP/1.1", f"Host: {address.netloc}", *lines]
        head.append("Connection: close")
        if auth:
            head.append(f"Authorization: {api.authorization}")
        if body:
            head.append(f"Content-Length: {len(body)}")
        with socket.create_connection((address.hostname, address.port), timeout=10) as peer:
            peer.sendall("\r\n".join([*head, "", ""]).encode() + body)
            received = b""
            while chunk := peer.recv(65536):
                received += chunk
        head_, _, body_ = received.partition(b"\r\n\r\n")
        return head_.decode().lower().split("\r\n"), body_

    return exchange


def test_1_who_does_not_say_who_he_is_gets_the_realm_and_xml(raw):
    head, body = raw("GET", "/ve", auth=False)
    assert head[0] == "http/1.1 401 unauthorized"
    assert 'www-authenticate: basic realm="parallels instance manager"' in head
    assert body.startswith(DECLARATION)
    assert b"<error><message>" in body


def test_1_the_realm_is_spelled_exactly(api):
    reply = api.call("GET", "/ve", auth=False)
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="Parallels Instance Manager"'


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic " + base64.b64encode(b"demo@example.com:wrong").decode(),
        "Basic " + base64.b64encode(b"other:demo-secret").decode(),
        "Basic " + base64.b64encode(b"demo@example.com").decode(),
        "Basic !!!",
        "Basic",
        "Bearer " + base64.b64encode(b"demo@example.com:demo-secret").decode(),
        "",
    ],
)
def test_1_wrong_credentials_are_refused_before_anything_is_looked_up(api, authorization):
    headers = {"Authorization": authorization}
    assert api.call("GET", "/ve/nothing", auth=False, headers=headers).status == 401
    assert api.call("PUT", "/ve/lisbon-0001/stop", auth=False, headers=headers).status == 401
    assert api.state("lisbon-0001") == "STARTED"


def test_1_the_key_of_the_panel_is_as_good_as_the_password(cloud, url, api_of):
    api = api_of(cloud.settings(url, password=API_KEY))
    assert api.call("GET", "/ve").status == 200


@pytest.mark.parametrize(
    ("method", "path", "line"),
    [
        ("PUT", "/ve/lisbon-0001/stop", b"VE stop initiated"),
        ("PUT", "/ve/lisbon-0008/start", b"VE start initiated"),
        ("DELETE", "/ve/lisbon-0008", b"VE delete initiated"),
    ],
)
def test_2_text_comes_in_chunks_and_without_a_length(raw, method, path, line):
    head, body = raw(method, path)
    assert head[0] == "http/1.1 202 accepted"
    assert "transfer-encoding: chunked" in head
    assert not [header for header in head if header.startswith("content-length")]
    assert body == b"%x\r\n%s\r\n0\r\n\r\n" % (len(line), line)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ve", 200),
        ("GET", "/ve/lisbon-0001", 200),
        ("GET", "/template", 200),
        ("GET", "/ve/nothing", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/ve/lisbon-0001", 409),
        ("PATCH", "/ve/lisbon-0001", 405),
        ("POST", "/ve", 400),
    ],
)
def test_2_xml_comes_with_its_length(raw, method, path, status):
    head, body = raw(method, path)
    assert head[0].startswith(f"http/1.1 {status} ")
    assert f"content-length: {len(body)}" in head
    assert "content-type: application/xml" in head
    assert not [header for header in head if header.startswith("transfer-encoding")]
    assert body.startswith(DECLARATION + b"<")


@pytest.mark.parametrize("path", ["/ve/lisbon-0001/start", "/ve/lisbon-0008/stop"])
def test_2_what_is_so_already_is_304_without_a_body(raw, path):
    head, body = raw("PUT", path)
    assert head[0] == "http/1.1 304 not modified"
    assert body == b""
    assert not [h for h in head if h.startswith(("transfer-encoding", "content-type"))]


def test_3_a_slash_at_the_end_changes_nothing(api):
    assert api.call("GET", "/ve/").body == api.call("GET", "/ve").body
    assert api.call("GET", "/ve/lisbon-0001/").body == api.call("GET", "/ve/lisbon-0001").body
    assert api.do("PUT", "/ve/lisbon-0001/nobackup/").text


def test_3_but_a_name_is_never_empty(api):
    for method, path in (
        ("GET", "/ve//"),
        ("PUT", "/ve//start"),
        ("DELETE", "/ve//"),
        ("GET", "//ve"),
        ("POST", "/ve//from/lisbon-golden"),
    ):
        assert 400 <= api.call(method, path).status < 500, path
    assert len(api.get("/ve")) == 10


def test_3_escaped_letters_are_the_letters(api):
    assert api.call("GET", "/%76e/lisbon%2D0001").body == api.call("GET", "/ve/lisbon-0001").body


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("pretty", [True, False])
@pytest.mark.parametrize(
    "content_type", ["application/xml", "application/x-www-form-urlencoded", "text/plain", ""]
)
def test_3_a_document_is_read_whatever_it_is_called(api, ve_body, declared, pretty, content_type):
    body = ve_body()
    if pretty:
        body = re.sub(r"(<(?!/)[^>]*>)(?=<)", "\\1\n    ", body)
    if declared:
        body = '<?xml version="1.0" encoding="UTF-8"?>\n' + body
    reply = api.call("POST", "/ve/", body, headers={"Content-Type": content_type})
    assert reply.status == 202, reply
    assert api.ve("web1").find("cpu").get("power") == "1600"


def test_4_a_new_server_is_there_at_once(api, ve_body):
    api.do("POST", "/ve", ve_body())
    shown = api.ve("web1")
    assert shown.findtext("state") == "CREATION_IN_PROGRESS"
    assert shown.find("network").get("private-ip")
    assert shown.find("network/public-ip").get("address")
    assert shown.find("admin").get("login") == "root"
    assert "web1" in [info.get("name") for info in api.get("/ve")]


def test_5_one_template_is_bare_by_default(api):
    shown = api.get("/template/centos-6-x86_64")
    assert (shown.tag, shown.get("name")) == ("template", "centos-6-x86_64")
    assert [option.get("value") for option in shown.iter("option")] == ["x86_64", "CentOS 6"]


class TestTemplateList:
    @pytest.fixture
    def options(self):
        return {"template_shape": "template-list"}

    def test_5_or_in_a_list_of_one(self, api):
        shown = api.get("/template/centos-6-x86_64")
        assert shown.tag == "template-list"
        assert [child.get("name") for child in shown] == ["centos-6-x86_64"]


class TestTextErrors:
    @pytest.fixture
    def options(self):
        return {"error_shape": "text"}

    def test_errors_can_be_text(self, api):
        reply = api.call("GET", "/ve/nothing")
        assert (reply.status, reply.text) == (404, "VE nothing does not exist")
        assert "Content-Length" not in reply.headers
        assert api.call("GET", "/ve", auth=False).text == "Authentication is required."


class TestSubscriptions:
    @pytest.fixture
    def options(self):
        return {"subscriptions": 2, "ve_limit": 6}

    def test_7_a_list_of_one_subscription_does_not_name_it(self, api):
        everything = api.get("/ve")
        some = api.get("/ve?subscription=1000078")
        assert {info.get("subscription-id") for info in everything} == {"1000077", "1000078"}
        assert [info.get("subscription-id") for info in some] == [None] * 5
        assert [info.get("name") for info in some] == [
            info.get("name") for info in everything if info.get("subscription-id") == "1000078"
        ]
        assert len(api.get("/ve?subscription=12")) == 0
        assert api.call("GET", "/ve?subscription=web").status == 400

    def test_7_a_server_is_made_for_a_subscription(self, api, ve_body):
        assert api.call("POST", "/ve", ve_body()).status == 400
        more = "<subscription-id>1000078</subscription-id>"
        api.do("POST", "/ve", ve_body(more=more))
        assert api.ve("web1").findtext("subscription-id") == "1000078"
        unknown = "<subscription-id>12</subscription-id>"
        assert api.call("POST", "/ve", ve_body("web2", more=unknown)).status == 404

    def test_7_paths_name_the_subscription_too(self, api, clock):
        api.do("POST", "/image/lisbon-0008/1000078/create/kept")
        clock.now += 4
        (kept,) = (i for i in api.get("/image") if i.get("name") == "kept")
        assert kept.get("subscription-id") == "1000078"
        api.do("POST", "/ve/1000078/copy/from/kept")
        assert api.ve("copy").findtext("subscription-id") == "1000078"
        api.do("POST", "/ve/lisbon-0001/clone-to/twin/for/1000077")
        assert api.ve("twin").findtext("subscription-id") == "1000077"
        api.do("POST", "/load-balancer/1000078/create/lb1")
        assert api.get("/load-balancer")[0].get("subscription-id") == "1000078"
        assert api.call("POST", "/load-balancer/create/lb2").status == 400

    def test_more_than_was_bought_is_406(self, api, ve_body):
        more = "<subscription-id>1000078</subscription-id>"
        api.do("POST", "/ve", ve_body("web1", more=more))
        reply = api.call("POST", "/ve", ve_body("web2", more=more))
        assert reply.status == 406
        assert reply.xml.findtext("message") == "Subscription limit for VE number exceeded"
        assert api.call("POST", "/ve/1000078/web2/from/lisbon-golden").status == 406
        assert api.call("POST", "/ve/lisbon-0001/clone-to/web2/for/1000078").status == 406
        assert api.call("GET", "/ve/web2").status == 404


def test_9_bodies_have_the_sizes_that_were_once_measured(api, ve_body):
    created = api.do("POST", "/ve", ve_body()).body
    started = api.do("PUT", "/ve/lisbon-0008/start").body
    stopped = api.do("PUT", "/ve/lisbon-0001/stop").body
    deleted = api.do("DELETE", "/ve/lisbon-0010").body
    assert [len(b) for b in (created, started, stopped, deleted)] == [165, 18, 17, 19]


def test_9_and_so_have_those_of_balancers(api, clock):
    created = api.do("POST", "/load-balancer/create/lb1").body
    clock.now += 4
    attached = api.do("POST", "/load-balancer/lb1/lisbon-0001").body
    clock.now += 4
    detached = api.do("DELETE", "/load-balancer/lb1/lisbon-0001").body
    clock.now += 4
    deleted = api.do("DELETE", "/load-balancer/lb1").body
    assert [len(b) for b in (created, attached, detached, deleted)] == [167, 131, 28, 21]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "web1",
        "<ve>",
        "<other/>",
        "<ve/>",
        "<ve><name/></ve>",
        '<!DOCTYPE ve [<!ENTITY n "web1">]><ve><name>&n;</name></ve>',
        '<!DOCTYPE ve SYSTEM "http://cloud.invalid/ve.dtd"><ve/>',
        '<!DOCTYPE ve [<!ENTITY n SYSTEM "file:///etc/passwd">]><ve><name>&n;</name></ve>',
    ],
)
def test_what_is_no_document_of_a_server_is_refused(api, body):
    reply = api.call("POST", "/ve", body)
    assert reply.status == 400
    assert "root:" not in reply.text
    assert len(api.get("/ve")) == 10


def test_a_document_type_is_refused_even_where_it_does_no_harm(api, ve_body):
    doctype = '<!DOCTYPE ve [<!ENTITY n "web1">]>'
    for more in ("", "<description>&n;</description>"):
        reply = api.do("POST", "/ve", doctype + ve_body(more=more), 400)
        assert "document type" in reply.xml.findtext("message")


def test_entities_are_not_expanded(api):
    lol = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    body = f'<!DOCTYPE ve [<!ENTITY l0 "ha">{lol}]><ve><name>&l9;</name></ve>'
    assert api.call("POST", "/ve", body).status == 400


def test_a_body_without_end_is_refused(api):
    assert api.call("POST", "/ve", b"<ve>" + b" " * 5_000_000 + b"</ve>").status == 413


def test_nothing_is_served_beside_the_service(url, api):
    api.endpoint = urlsplit(url)
    assert api.call("GET", "/").status == 404
    assert api.call("GET", "/paci/v1.0").status == 404
    assert api.call("GET", "/paci/v1.00/ve").status == 404
    assert api.call("GET", "/paci/v1.0/ve").status == 200


def test_there_is_no_cloud_without_a_subscription():
    with pytest.raises(ValueError, match="at least one"):
        simulator.cloud("lisbon", subscriptions=0)
