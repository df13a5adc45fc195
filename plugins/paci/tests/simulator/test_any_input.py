"""Whatever is sent, something well-formed comes back, and the cloud goes on."""

import http.client
import xml.etree.ElementTree as ET
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

WORDS = (
    *("ve", "image", "template", "load-balancer", "schedule", "application-template", "firewall"),
    *("start", "stop", "create", "from", "clone-to", "for", "recreate", "reset-password"),
    *("console", "history", "usage", "backup", "backups", "restore", "nobackup", "autoscale"),
    *("install", "application", "restart", "lisbon-0001", "lisbon-0008", "lisbon-golden"),
    *("centos-6-x86_64", "1000077", "weekly", "php", "2027-01-15 08:00 +04"),
)
TAGS = (
    *("ve", "name", "cpu", "ram-size", "bandwidth", "ve-disk", "platform", "template-info"),
    *("os-info", "no-of-public-ip", "admin", "reconfigure-ve", "change-cpu", "add-ip", "drop-ip"),
    *("reconfigure-ipv4", "firewall", "rule", "remote-net", "autoscale-data", "autoscale-rule"),
    *("limits", "thresholds", "up", "down", "custom-ns", "description"),
)
NAMES = ("name", "number", "power", "size", "ip", "technology", "type", "metric", "min", "max")
VALUES = st.one_of(
    st.sampled_from(["1", "512", "-1", "9" * 5000, "٣", "true", "CT", "linux-free", "cpu"]),
    st.sampled_from(WORDS),
    st.text(max_size=10),
)
SEGMENTS = st.one_of(st.sampled_from(WORDS), VALUES)


@st.composite
def documents(draw, depth=3):
    element = ET.Element(draw(st.sampled_from(TAGS)))
    for name in draw(st.sets(st.sampled_from(NAMES), max_size=3)):
        element.set(name, draw(VALUES))
    element.text = draw(VALUES)
    if depth:
        element.extend(draw(st.lists(documents(depth=depth - 1), max_size=2)))
    return element


BODIES = st.one_of(
    st.none(),
    st.binary(max_size=50),
    documents().map(lambda document: ET.tostring(document, "utf-8")),
)


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.lists(SEGMENTS, min_size=1, max_size=5),
    query=st.sampled_from(["", "?subscription=x", "?name=%00", "?template=a&drop-apps=true"]),
    body=BODIES,
)
@example("GET", ["ve", "\0"], "", None)
@example("GET", ["ve", "lisbon-0001", "history", "9" * 5000], "", None)
@example("GET", ["ve"], "?subscription=" + "9" * 5000, None)
@example("POST", ["ve", "9" * 5000, "web1", "from", "lisbon-golden"], "", None)
@example("PUT", ["ve", "lisbon-0001", "firewall"], "", b"<firewall><rule name='' /></firewall>")
def test_there_is_always_an_answer(api, clock, method, path, query, body):
    clock.now += 1
    url = "/" + "/".join(quote(segment, safe="") for segment in path) + query
    reply = api.call(method, url, body)
    assert reply.status < 500
    if reply.headers["Content-Type"] == "application/xml":
        assert reply.xml.tag
    else:
        assert reply.status in (200, 202, 304)


def test_headers_without_sense_are_refused(api):
    for value in ("Basic \xff", "Basic ====", "B" * 5000):
        headers = {"Authorization": value.encode("latin-1")}
        assert api.call("GET", "/ve", auth=False, headers=headers).status == 401


@pytest.mark.parametrize("length", ["5", "0"])
def test_a_body_with_a_get_changes_nothing(api, length):
    connection = http.client.HTTPConnection(api.endpoint.netloc, timeout=10)
    connection.putrequest("GET", api.endpoint.path + "/ve")
    connection.putheader("Authorization", api.authorization)
    connection.putheader("Content-Length", length)
    connection.endheaders()
    connection.send(b"x" * int(length))
    assert connection.getresponse().read() == api.call("GET", "/ve").body
    connection.close()
