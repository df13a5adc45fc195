"""Which machines a pool gives, in which order, and how much of it."""

from __future__ import annotations

import pytest

from anabranch.testing.simulation import Behaviour
from anabranch_opennebula.simulator import simulator


def numbers(pool) -> list[int]:
    return [int(item.findtext("ID")) for item in pool]


@pytest.fixture
def pool(rpc):
    def ask(*parameters: object, method: str = "infoextended"):
        return numbers(rpc.document(f"vmpool.{method}", *parameters))

    return ask


def test_the_newest_comes_first(pool):
    assert pool(-2, -1, -1, -1) == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (-1, -1, [4, 3, 2, 1, 0]),
        (-1, 2, [4, 3, 2, 1, 0]),
        (2, -1, [4, 3, 2]),
        (1, 3, [3, 2, 1]),
        (2, 2, [2]),
        (3, 1, []),
        (0, -2, [4, 3]),
        (2, -2, [2, 1]),
        (4, -2, [0]),
        (5, -2, []),
        (0, -100, [4, 3, 2, 1, 0]),
    ],
)
@pytest.mark.parametrize("method", ["info", "infoextended"])
def test_ranges_and_pages(pool, method, start, end, expected):
    assert pool(-2, start, end, -1, method=method) == expected


def test_a_page_size_of_the_behaviour_changes_nothing(cloud, pool):
    cloud.behaviour = Behaviour(page_size=2)
    assert pool(-2, 0, -100, -1) == [4, 3, 2, 1, 0]


def test_states(rpc, pool):
    rpc("vm.action", "terminate-hard", 4)
    assert pool(-2, -1, -1, -1) == [3, 2, 1, 0]
    assert pool(-2, -1, -1, -2) == [4, 3, 2, 1, 0]  # they stay in the database for ever
    assert pool(-2, -1, -1, 6) == [4]
    assert pool(-2, -1, -1, 8) == [3]
    assert rpc.document("vm.info", 4).findtext("STATE") == "6"


def test_filters(rpc, neighbour, admin, pool, refused):
    number = neighbour.create()
    assert number not in pool(-2, -1, -1, -1)
    everything = "vmpool.infoextended", -2, -1, -1, -1
    assert numbers(neighbour.document(*everything)) == [number]
    assert numbers(admin.document(*everything)) == [number, 4, 3, 2, 1, 0]
    assert numbers(admin.document("vmpool.info", 3, -1, -1, -1)) == [number]
    assert numbers(admin.document("vmpool.info", -3, -1, -1, -1)) == []
    assert pool(2, -1, -1, -1) == [4, 3, 2, 1, 0]
    assert pool(3, -1, -1, -1) == []
    neighbour("vm.chmod", number, 1, 1, 0, 1, 0, 0, -1, -1, -1)
    assert pool(-2, -1, -1, -1) == [number, 4, 3, 2, 1, 0]
    assert pool(-1, -1, -1, -1) == [number, 4, 3, 2, 1, 0]
    assert pool(-4, -1, -1, -1) == [number, 4, 3, 2, 1, 0]
    assert pool(-3, -1, -1, -1) == [4, 3, 2, 1, 0]
    for flag in (-5, -10):
        with refused(4096):
            pool(flag, -1, -1, -1)


@pytest.mark.parametrize("state", [-3, 12, 99])
def test_a_state_that_is_none(pool, refused, state):
    with refused(4096):
        pool(-2, -1, -1, state)


def test_search_needs_another_database(pool, refused):
    with refused(8192):
        pool(-2, -1, -1, -1, "VM.NAME=x")


def test_a_set_of_machines(rpc, refused):
    assert numbers(rpc.document("vmpool.infoset", "1,3,77", True)) == [3, 1]
    assert numbers(rpc.document("vmpool.infoset", "1,3,77", False)) == [3, 1]
    for wrong in ("", "1-3", "a"):
        with refused(4096):
            rpc("vmpool.infoset", wrong, True)


def test_other_pools_have_ranges_too(rpc):
    assert numbers(rpc.document("imagepool.info", -2, 0, -2)) == [2, 1]
    assert numbers(rpc.document("templatepool.info", -2, 1, 1)) == [1]
    assert numbers(rpc.document("vnpool.info", -2, -1, -1)) == [1, 0]
    assert numbers(rpc.document("secgrouppool.info", -3, -1, -1)) == []


def test_machines_are_measured(rpc, clock):
    clock.now += 30
    rpc("vm.action", "poweroff-hard", 0)
    rpc("system.version")
    pool = rpc.document("vmpool.monitoring", -2, 0)
    assert sorted(int(m.findtext("ID")) for m in pool) == [1, 2, 4]
    sample = rpc.document("vm.monitoring", 1)[0]
    assert float(sample.findtext("MEMORY")) == 512 * 1024 / 2
    assert sample.findtext("TIMESTAMP") == "1800000030"
    assert list(rpc.document("vm.monitoring", 0)) == []


def test_older_releases_write_less():
    old = simulator.cloud("old", instances=1, version="5.12.0.4")
    new = simulator.cloud("new", instances=1)
    assert (old.state.release, new.state.release) == ((5, 12), (7, 4))
    for version in ("5.8.0", "4.14", "x"):
        with pytest.raises(ValueError, match=r"5\.10|invalid literal"):
            simulator.cloud("ancient", version=version)
