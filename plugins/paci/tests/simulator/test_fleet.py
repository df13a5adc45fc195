"""Clouds that are many, odd and broken."""

import http.client
import socket
import time
from urllib.parse import quote, unquote

import pytest

from anabranch.testing.simulation import (
    Behaviour,
    Fault,
    FaultKind,
    SimulatedCloud,
    Simulator,
    serve,
)
from anabranch_paci.simulator import ODDITIES, simulator
from anabranch_paci.simulator.routing import Routes


def test_it_is_a_simulator():
    assert isinstance(simulator, Simulator)
    assert simulator.kind == "paci"
    cloud = simulator.cloud("lisbon")
    assert isinstance(cloud, SimulatedCloud)
    assert (cloud.name, cloud.kind) == ("lisbon", "paci")
    assert cloud.settings("http://localhost:4465") == {
        "driver": "paci",
        "endpoint": "http://localhost:4465/paci/v1.0",
        "username": "demo@example.com",
        "password": "demo-secret",
    }


def test_clouds_of_one_name_are_the_same(clock, api_of):
    bodies = []
    for _ in range(2):
        cloud = simulator.cloud("lisbon", odd=True, clock=clock)
        with serve([cloud]) as urls:
            api = api_of(cloud.settings(urls["lisbon"]))
            paths = ("/ve", "/ve/lisbon-0001", "/image", "/ve/lisbon-0001/history/9")
            bodies.append([api.call("GET", path).body for path in paths])
    assert bodies[0] == bodies[1]


def test_a_large_cloud_has_addresses_for_all(clock, api_of):
    cloud = simulator.cloud("lisbon", instances=600, clock=clock)
    with serve([cloud]) as urls:
        api = api_of(cloud.settings(urls["lisbon"]))
        assert len(api.get("/ve")) == 600
        networks = [api.ve(name).find("network") for name in ("lisbon-0001", "lisbon-0600")]
    assert [n.get("private-ip") for n in networks] == ["10.0.0.2/24", "10.0.2.101/24"]
    assert networks[1].find("public-ip").attrib == {
        "id": "899",
        "address": "198.18.2.101/24",
        "gateway": "198.18.2.1",
    }
    addresses = [a.address for ve in cloud.state.ves.values() for a in ve.ipv4 + ve.ipv6]
    assert len(set(addresses)) == len(addresses) == 900


def test_delay_is_none_unless_told(api_of, ve_body):
    cloud = simulator.cloud("lisbon")
    with serve([cloud]) as urls:
        api = api_of(cloud.settings(urls["lisbon"]))
        api.do("POST", "/ve", ve_body())
        assert api.state("web1") == "CREATED"
        api.do("PUT", "/ve/web1/start")
        api.do("PUT", "/ve/web1/stop")
        api.do("DELETE", "/ve/web1")
        api.do("GET", "/ve/web1", status=404)
        cloud.behaviour = Behaviour(state_delay=60)
        api.do("POST", "/ve", ve_body())
        assert api.state("web1") == "CREATION_IN_PROGRESS"


@pytest.mark.parametrize("literal_first", [True, False])
def test_a_literal_goes_before_a_name(literal_first):
    routes = Routes()
    paths = ["/lb/create/{lb}", "/lb/{lb}/{ve}"]
    for path in paths if literal_first else reversed(paths):
        routes.on("POST", path)(lambda path=path: path)
    for segments, path, args in (
        (["lb", "create", "x"], paths[0], ["x"]),
        (["lb", "x", "create"], paths[1], ["x", "create"]),
    ):
        handler, found = routes.find("POST", segments)
        assert (handler(), found) == (path, args)


# ------------------------------------------------------------------------------------------- odd


class TestOdd:
    @pytest.fixture
    def options(self):
        return {"odd": True}

    def test_all_are_listed(self, api):
        listed = list(api.get("/ve"))
        assert len(listed) == 10 + len(ODDITIES)
        names = {info.get("name") for info in listed}
        for oddity, changes in ODDITIES.items():
            assert changes.get("name", f"odd-{oddity}") in names or oddity == "nameless"
        assert None in names

    def test_names_go_through_the_url(self, api):
        names = [info.get("name") for info in api.get("/ve") if info.get("name")]
        assert {"prod/web/1", "100% %2F %zz", "<script>alert(1)</script>", " "} <= set(names)
        for name in names:
            if name != "odd-vanishing":
                assert api.ve(name).findtext("name") == name

    def test_verbs_reach_odd_names_too(self, api, clock):
        names = [changes["name"] for changes in ODDITIES.values() if "name" in changes]
        assert len(names) > 8
        for name in names:
            assert unquote(quote(name, safe="")) == name
            api.do("PUT", f"/ve/{quote(name, safe='')}/stop")
            clock.now += 4
            assert api.state(name) == "STOPPED"
            api.do("DELETE", f"/ve/{quote(name, safe='')}")
            clock.now += 4
            api.do("GET", f"/ve/{quote(name, safe='')}", status=404)

    def test_a_slash_that_is_not_escaped_is_no_part_of_a_name(self, api):
        api.do("GET", "/ve/prod/web/1", status=404)
        api.do("GET", "/ve/prod%2Fweb/1", status=404)

    def test_what_is_odd_about_them(self, api):
        assert api.state("odd-unknown-state") == "TRANSMOGRIFYING"
        states = {info.get("name"): info.get("state") for info in api.get("/ve")}
        assert states["odd-unknown-state"] == "TRANSMOGRIFYING"
        assert states["odd-no-state"] is None
        assert states["odd-empty-state"] == ""
        assert api.ve("odd-no-state").find("state") is None
        assert list(api.ve("odd-no-address").find("network")) == []
        assert api.ve("odd-no-network").find("network") is None
        assert api.ve("odd-missing-elements").find("platform") is None
        assert api.ve("odd-not-numbers").findtext("ram-size") == "much"
        assert api.ve("odd-ipv6-only").find("network/public-ip") is None
        assert api.ve("odd-ipv6-only").find("network/public-ipv6") is not None
        assert "odd-vanishing" in states
        api.do("GET", "/ve/odd-vanishing", status=404)

    @pytest.mark.parametrize(
        ("name", "state"), [("odd-stuck", "CREATION_IN_PROGRESS"), ("odd-not-begun", "CREATE")]
    )
    def test_what_is_stuck_stays_so(self, api, clock, name, state):
        clock.now += 10_000
        assert api.state(name) == state
        api.do("DELETE", f"/ve/{name}", status=409)
        api.do("PUT", f"/ve/{name}/start", status=409)


def test_only_some_oddities():
    cloud = simulator.cloud("lisbon", odd=["emoji", "slash"])
    assert len(cloud.state.ves) == 12
    with pytest.raises(ValueError, match="unknown oddity 'none-such'"):
        simulator.cloud("lisbon", odd=["none-such"])
    with pytest.raises(ValueError, match="ask for instances"):
        simulator.cloud("lisbon", instances=0, odd=True)


@pytest.mark.parametrize(
    "name", ["a&b", "<b>", '"it\'s"', "a/b c%20d", "🚀", "é", "a;b,c", "?x=1", "#1", "line\ntwo"]
)
def test_servers_of_any_name_can_be_made(api, clock, ve_body, name):
    escaped = name.replace("&", "&amp;").replace("<", "&lt;")
    description = f"<description>{escaped}</description>"
    api.do("POST", "/ve", ve_body(escaped, more=description).encode())
    quoted = quote(name, safe="")
    api.do("POST", f"/ve/{quoted}2/from/lisbon-golden")
    clock.now += 4
    listed = {info.get("name"): info.get("description") for info in api.get("/ve")}
    assert listed[name] == name
    assert f"{name}2" in listed
    assert api.ve(name).findtext("description") == name
    api.do("POST", f"/image/{quoted}/create/{quoted}")
    clock.now += 4
    assert api.get(f"/image/{quoted}").get("image-of") == name


@pytest.mark.parametrize("name", ["%00", "%1B", "w" * 256, "%EF%BF%BF"])
def test_names_that_no_document_can_hold_are_refused(api, name):
    api.do("POST", f"/ve/{name}/from/lisbon-golden", status=400)
    api.do("POST", f"/load-balancer/create/{name}", status=400)
    assert len(api.get("/ve")) == 10


# ---------------------------------------------------------------------------------------- broken


def test_faults_have_the_platforms_words(cloud, api):
    cloud.behaviour.break_with(["401x1", "429x1", "503x1", "garbagex1"])
    refused = api.call("GET", "/ve")
    assert (refused.status, refused.xml.tag) == (401, "error")
    assert refused.headers["WWW-Authenticate"] == 'Basic realm="Parallels Instance Manager"'
    limited = api.call("GET", "/ve")
    assert (limited.status, limited.headers["Retry-After"]) == (429, "1")
    assert api.call("GET", "/ve").status == 503
    garbage = api.call("GET", "/ve")
    assert garbage.status == 200
    assert b"<ve-list" not in garbage.body
    assert api.get("/ve").tag == "ve-list"


@pytest.mark.parametrize("fault", ["403", "404", "409", "500"])
def test_a_refusal_is_a_document(cloud, api, fault):
    cloud.behaviour.break_with([fault])
    refused = api.call("GET", "/ve")
    assert (refused.status, refused.xml.tag) == (int(fault), "error")


def test_faults_are_chosen_by_path(cloud, api):
    fault = Fault(kind=FaultKind.UNAVAILABLE, method="PUT", path="/start", retry_after=7)
    cloud.behaviour.faults.append(fault)
    assert api.call("PUT", "/ve/lisbon-0008/stop").status == 304
    reply = api.call("PUT", "/ve/lisbon-0008/start")
    assert (reply.status, reply.headers["Retry-After"]) == (503, "7")
    assert api.state("lisbon-0008") == "STOPPED"


def test_a_connection_is_cut(cloud, api):
    cloud.behaviour.break_with(["resetx1"])
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        api.call("PUT", "/ve/lisbon-0001/stop")
    assert api.state("lisbon-0001") == "STARTED"


def test_a_reply_is_lost_after_the_deed(cloud, api, ve_body):
    cloud.behaviour.break_with(["lostx1:POST /ve"])
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        api.call("POST", "/ve", ve_body(more="<description>mine</description>"))
    listed = {info.get("name"): info.get("description") for info in api.get("/ve")}
    assert listed["web1"] == "mine"


def test_a_request_hangs(cloud, url, api):
    cloud.behaviour.break_with(["hang:/ve"])
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=0.2) as peer:
        peer.sendall(b"GET /paci/v1.0/ve HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(TimeoutError):
            peer.recv(1)
    assert api.call("GET", "/template").status == 200


def test_latency(cloud, api):
    cloud.behaviour = Behaviour(latency=0.05)
    start = time.monotonic()
    api.get("/ve")
    assert time.monotonic() - start >= 0.05


def test_requests_are_counted(cloud, api):
    api.get("/ve")
    api.ve("lisbon-0001")
    api.call("GET", "/ve", auth=False)
    api.do("PUT", "/ve/lisbon-0001/stop")
    assert cloud.requests.total == 4
    assert cloud.requests.totals == {"GET": 3, "PUT": 1}
    assert cloud.requests.count("/ve/lisbon-0001") == 2
    assert cloud.requests.count("/stop", "PUT") == 1
    cloud.requests.reset()
    assert cloud.requests.total == 0
