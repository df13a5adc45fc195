"""The entry point, many machines, and odd ones."""

from __future__ import annotations

import time
from importlib.metadata import entry_points
from xml.etree import ElementTree

import anyio
import pytest

from anabranch.testing.simulation import (
    ENTRY_POINT_GROUP,
    Behaviour,
    SimulatedCloud,
    Simulator,
    serve,
)
from anabranch_opennebula.simulator import ODDITIES, simulator
from anabranch_opennebula.simulator.seeds import PASSWORD
from anabranch_opennebula.simulator.xmlrpc import read_call


def test_the_entry_point_is_a_simulator():
    (point,) = entry_points(group=ENTRY_POINT_GROUP, name="opennebula")
    assert point.load() is simulator
    assert isinstance(simulator, Simulator)
    assert isinstance(simulator.cloud("lisbon", instances=0), SimulatedCloud)


def test_settings_say_where_and_who():
    settings = simulator.cloud("lisbon", instances=0).settings("http://127.0.0.1:1", user="limited")
    assert settings == {
        "driver": "opennebula",
        "endpoint": "http://127.0.0.1:1/RPC2",
        "username": "limited",
        "password": PASSWORD,
        "public_networks": ["public"],
    }


def test_the_same_name_has_the_same_machines(clock):
    first, second = (simulator.cloud("lisbon", instances=20, clock=clock) for _ in range(2))
    seen = [[(m.id, m.name, m.where, m.started) for m in c.machines] for c in (first, second)]
    assert seen[0] == seen[1]
    assert {m.where for m in first.machines} == {(3, 3), (8, 0), (5, 0)}
    assert {m.started for m in first.machines} == {m.started for m in second.machines}


def test_a_slow_cloud_has_its_machines_at_once(clock):
    behaviour = Behaviour(state_delay=60.0)
    cloud = simulator.cloud("slow", instances=10, behaviour=behaviour, clock=clock)
    assert {m.busy for m in cloud.machines} == {False}
    assert cloud.behaviour is behaviour


def test_clouds_share_nothing():
    one, other = (simulator.cloud(n, instances=2) for n in ("one", "other"))
    assert [m.name for m in one.machines] == ["one-001", "one-000"]
    assert not {id(m) for m in one.machines} & {id(m) for m in other.machines}
    assert one.hypervisor is not other.hypervisor


ODD = {
    "no-address": lambda vm: vm.find("TEMPLATE/NIC") is None,
    "no-disk": lambda vm: vm.find("TEMPLATE/DISK") is None,
    "unknown-state": lambda vm: vm.findtext("STATE") == "77",
    "unknown-lcm": lambda vm: vm.findtext("LCM_STATE") == "99",
    "failure": lambda vm: "EPILOG" in vm.findtext("USER_TEMPLATE/ERROR"),
    "huge-name": lambda vm: len(vm.findtext("NAME")) == 128,
    "quotes": lambda vm: vm.findtext("NAME") == "say \"hello\" or 'bye' \\ `now`",
    "script": lambda vm: vm.findtext("NAME") == "<script>alert(1)</script>",
    "emoji": lambda vm: vm.findtext("NAME") == "machine 🚀 ☃ é中文",
    "ampersand": lambda vm: vm.findtext("USER_TEMPLATE/NOTE") == "a]]>b & c",
    "blank-name": lambda vm: vm.findtext("NAME") == "",
    "newline": lambda vm: vm.findtext("USER_TEMPLATE/NOTE") == "first\nsecond\ttabbed",
    "missing-elements": lambda vm: vm.find("TEMPLATE") is None,
    "no-state": lambda vm: vm.find("STATE") is None and vm.find("LCM_STATE") is None,
    "no-id": lambda vm: vm.find("ID") is None,
    "not-a-number": lambda vm: vm.findtext("STIME") == "yesterday",
    "odd-capacity": lambda vm: vm.findtext("TEMPLATE/CPU") == "half",
    "odd-address": lambda vm: vm.findtext("TEMPLATE/NIC/IP") == "not.an.address",
    "locked": lambda vm: vm.findtext("LOCK/LOCKED") == "4",
}


def test_every_oddity_is_looked_at():
    assert ODD.keys() == ODDITIES.keys()


@pytest.mark.parametrize("name", ODD)
def test_odd_machines_are_well_formed(clock, name):
    cloud = simulator.cloud("odd", instances=0, odd=[name], clock=clock)
    (machine,) = anyio.run(listed, cloud)
    assert ODD[name](machine)


def test_all_oddities_at_once():
    cloud = simulator.cloud("odd", instances=1, odd=True)
    assert len(anyio.run(listed, cloud)) == 1 + len(ODDITIES)
    with pytest.raises(ValueError, match="unknown oddity 'strange'"):
        simulator.cloud("odd", odd=["strange"])


async def ask(cloud, method, *parameters: int) -> bytes:
    """One call without a network in between."""
    given = "".join(f"<param><value><int>{p}</int></value></param>" for p in parameters)
    session = f"<param><value><string>tenant:{PASSWORD}</string></value></param>"
    name = f"<methodName>one.{method}</methodName>"
    body = f"<methodCall>{name}<params>{session}{given}</params></methodCall>".encode()
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/RPC2", "headers": []}
    await cloud.app(scope, receive, send)
    return sent[1]["body"]


async def listed(cloud) -> list[ElementTree.Element]:
    reply = ElementTree.fromstring(await ask(cloud, "vmpool.infoextended", -2, -1, -1, -1))
    return list(ElementTree.fromstring(reply.find(".//string").text))


def test_a_thousand_unchanged_machines_are_cheap():
    cloud = simulator.cloud("large", instances=1000)

    async def measure():
        body = await ask(cloud, "vmpool.infoextended", -2, -1, -1, -1)
        assert body.count(b"&lt;/VM&gt;") == 1000
        assert 7_000_000 < len(body) < 9_000_000  # 7.54 MB on a real oned
        best = 1.0
        for _ in range(5):
            before = time.process_time()
            await ask(cloud, "vmpool.infoextended", -2, -1, -1, -1)
            best = min(best, time.process_time() - before)
        return best

    assert anyio.run(measure) < 0.1


def test_a_change_is_seen_in_a_list_that_was_written_before():
    cloud = simulator.cloud("lisbon", instances=3)

    async def names():
        return [vm.findtext("NAME") for vm in await listed(cloud)]

    assert anyio.run(names)[0] == "lisbon-002"
    cloud.machines[0].name = "renamed"
    assert anyio.run(names)[0] == "lisbon-002"  # behind its back, so it is not told
    cloud.machines[0].changed()
    assert anyio.run(names)[0] == "renamed"


def test_many_clouds_answer():
    clouds = [simulator.cloud(f"cloud-{n}", instances=2) for n in range(50)]
    with serve(clouds) as urls:
        assert len(urls) == 50
    assert sum(len(anyio.run(listed, cloud)) for cloud in clouds) == 100


def test_calls_are_read_as_they_are_written():
    body = b"<methodCall><methodName> one.vm.info </methodName><params/></methodCall>"
    assert read_call(body) == ("one.vm.info", [])
