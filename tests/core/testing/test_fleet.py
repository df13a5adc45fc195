from __future__ import annotations

import socket

import anyio.to_thread
import httpx
import pytest

from anabranch import Broker
from anabranch.testing import Behaviour, Fleet, serve
from anabranch.testing.fleet import simulated_kinds, simulator


async def test_a_fleet_is_served_for_the_length_of_a_test(simulated_fleet):
    fleet = simulated_fleet(openstack=2, instances=3)
    configuration = fleet.configuration(timeout=5)
    async with await anyio.to_thread.run_sync(Broker, configuration) as broker:
        answer = await broker.instances.list()
    assert answer.complete
    assert {report.name: report.count for report in answer.clouds} == {
        "openstack-1": 3,
        "openstack-2": 3,
    }


def test_each_cloud_behaves_by_itself():
    fleet = Fleet.of({"openstack": 3}, behaviour=Behaviour(latency=0.5))
    fleet.break_with(["429"], where="openstack-2")
    fleet["openstack-3"].behaviour.latency = 1.0
    fleet.break_with(["503x1:/servers"], where="openstack")
    assert [len(cloud.behaviour.faults) for cloud in fleet.clouds.values()] == [1, 2, 1]
    assert [cloud.behaviour.latency for cloud in fleet.clouds.values()] == [0.5, 0.5, 1.0]


def test_what_there_is_not_is_told():
    with pytest.raises(LookupError, match=r"no simulator for 'acme'; there are: .*openstack"):
        Fleet.of({"acme": 1})
    fleet = Fleet.of({"openstack": 1})
    with pytest.raises(LookupError, match="'lisbon'"):
        fleet.break_with(["503"], where="lisbon")
    with pytest.raises(ValueError, match="unknown fault"):
        fleet.break_with(["flood"])


def test_a_simulator_whose_needs_are_not_installed_is_told(monkeypatch):
    class Point:
        name, value, dist = "acme", "acme:simulator", None

        def load(self):
            raise ModuleNotFoundError("No module named 'starlette'", name="starlette")

    monkeypatch.setattr("anabranch.testing.fleet.entry_points", lambda **_: [Point()])
    assert simulated_kinds() == ("acme",)
    with pytest.raises(LookupError, match="acme cannot be used: starlette is not installed"):
        simulator("acme")


def test_ports_can_be_chosen(parrot):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        first = probe.getsockname()[1]
    with serve([parrot("one")], port=first) as urls:
        assert urls == {"one": f"http://127.0.0.1:{first}"}
        assert httpx.get(urls["one"]).text == "one"
        with pytest.raises(OSError, match=f"port {first} of"), serve([parrot("two")], port=first):
            pass
    with serve([parrot("one")], port=first) as urls:  # free again at once
        assert httpx.get(urls["one"]).text == "one"
    with pytest.raises(OSError, match="no port 65536"), serve([parrot("x")], port=65536):
        pass
