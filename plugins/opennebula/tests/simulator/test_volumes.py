"""Images, volumes and snapshots."""

from __future__ import annotations

import pytest

from anabranch.testing.simulation import Behaviour
from anabranch_opennebula.simulator.chains import SnapshotChain

READY, USED, LOCKED, USED_PERS = "1", "2", "4", "8"
WHYS = ("attached", "persistent", "detached")


@pytest.fixture
def volume(rpc):
    text = 'NAME="vol"\nTYPE="DATABLOCK"\nPERSISTENT="YES"\nSIZE="100"'
    number = rpc("image.allocate", text, 1, False)
    rpc("system.version")
    return number


@pytest.fixture
def image(rpc):
    def look(number: int, element: str = "STATE") -> str:
        return rpc.document("image.info", number).findtext(element)

    return look


@pytest.fixture
def disks(rpc):
    def look(machine_id: int) -> dict[str, str]:
        machine = rpc.document("vm.info", machine_id)
        return {
            disk.findtext("DISK_ID"): disk.findtext("IMAGE", "")
            for disk in machine.iterfind("TEMPLATE/DISK")
        }

    return look


def test_a_volume_is_locked_until_it_is_there(cloud, clock, rpc, image, refused):
    cloud.behaviour = Behaviour(state_delay=5.0)
    number = rpc("image.allocate", 'NAME="v"\nTYPE="DATABLOCK"\nSIZE="10"', 1, False)
    assert image(number) == LOCKED
    with refused(2048, "Cannot clone"):
        rpc("image.clone", number, "copy", -1)
    with refused(2048):
        rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{number}"]')
    clock.now += 6
    assert (image(number), image(number, "TYPE"), image(number, "SIZE")) == (READY, "2", "10")


def test_a_volume_comes_and_goes(rpc, volume, image, disks, refused):
    rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]')
    assert disks(0) == {"0": "debian-12", "2": "vol"}  # number 1 is the context's
    assert (image(volume), image(volume, "VMS/ID")) == (USED_PERS, "0")
    with refused(2048, "persistent"):
        rpc("vm.attach", 1, f'DISK=[IMAGE_ID="{volume}"]')
    with refused(2048, "VMs using it"):
        rpc("image.delete", volume)
    with refused(2048, "disk with id 1"):
        rpc("vm.detach", 0, 1)
    rpc("vm.detach", 0, 2)
    assert disks(0) == {"0": "debian-12"}
    assert image(volume) == READY
    rpc("image.delete", volume)
    with refused(1024):
        rpc("image.info", volume)


def test_the_machine_is_busy_meanwhile(cloud, clock, rpc, volume, disks, refused):
    cloud.behaviour = Behaviour(state_delay=5.0)
    rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]')
    assert rpc.state(0) == (3, 17)
    assert attaching(rpc) == ["2"]  # it is there, and not yet attached
    for verb in ("terminate", "poweroff"):
        with refused(2048, "wrong state HOTPLUG"):
            rpc("vm.action", verb, 0)
    with refused(2048, "wrong state HOTPLUG"):
        rpc("vm.detach", 0, 0)
    clock.now += 6
    assert rpc.state(0) == (3, 3)
    assert "2" in disks(0)
    assert attaching(rpc) == []
    rpc("vm.detach", 0, 2)
    assert attaching(rpc) == ["2"]


def attaching(rpc) -> list[str]:
    machine = rpc.document("vm.info", 0)
    disks = machine.iterfind("TEMPLATE/DISK")
    return [d.findtext("DISK_ID") for d in disks if d.findtext("ATTACH") == "YES"]


def test_a_volume_comes_back_when_its_machine_is_cut_while_it_attaches(
    cloud, clock, rpc, admin, volume, image
):
    cloud.behaviour = Behaviour(state_delay=5.0)
    rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]')
    rpc("vm.attachnic", 1, 'NIC=[NETWORK_ID="0"]')
    for number in (0, 1):
        admin("vm.recover", number, 3)
    clock.now += 6
    assert rpc.state(0) == rpc.state(1) == (6, 0)
    assert image(volume) == READY
    assert rpc.document("vn.info", 0).findtext("USED_LEASES") == "0"


def test_an_attach_may_fail_in_silence(cloud, rpc, volume, image, disks):
    cloud.hypervisor.attach_fails = True
    assert rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]') == 0
    assert rpc.state(0) == (3, 3)
    assert disks(0) == {"0": "debian-12"}
    assert image(volume) == READY
    machine = rpc.document("vm.info", 0)
    assert machine.find("USER_TEMPLATE/ERROR") is None


def test_the_root_disk_is_not_saved_by_anybody(rpc, disks):
    rpc("vm.detach", 0, 0)
    assert disks(0) == {}


def test_volumes_come_back_when_the_machine_is_done(rpc, volume, image):
    rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]')
    rpc("system.version")
    rpc("vm.action", "terminate-hard", 0)
    assert image(volume) == READY
    assert image(0, "RUNNING_VMS") == "4"


def test_disks_of_machines_that_do_not_run(rpc, volume, disks, refused):
    rpc("vm.action", "poweroff", 0)
    rpc("system.version")
    rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]')
    assert "2" in disks(0)
    rpc("vm.action", "terminate-hard", 0)
    rpc("system.version")
    with refused(2048, "wrong state DONE"):
        rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]')


@pytest.mark.parametrize("text", ['IMAGE_ID="3"', 'NIC=[NETWORK_ID="0"]'])
def test_the_text_of_an_attach_is_wrapped(rpc, refused, text):
    with refused(8192):
        rpc("vm.attach", 0, text)


def test_disks_only_grow(rpc, volume, image, refused):
    rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]')
    rpc("system.version")
    for size in ("100", "5", "x"):
        with refused(2048, "greater"):
            rpc("vm.diskresize", 0, 2, size)
    rpc("vm.diskresize", 0, 2, "300")
    machine = rpc.document("vm.info", 0)
    assert machine.findtext("TEMPLATE/DISK[2]/SIZE") == "300"
    rpc("vm.detach", 0, 2)
    assert image(volume, "SIZE") == "300"


WRONG = {
    ('NAME="debian-12"\nTYPE="NONSENSE"\nSIZE="1"', 1): 16384,
    ('NAME="x"\nTYPE="DATABLOCK"', 1): 16384,
    ('NAME=""\nSIZE="1"', 1): 16384,
    ('NAME="x"\nSIZE="1"', 0): 16384,
    ('NAME="x"\nSIZE="1"', 55): 1024,
    ('NAME="x"\nSIZE="999999999"', 1): 2048,
    ('NAME="x', 1): 8192,
}


@pytest.mark.parametrize(("text", "datastore"), WRONG)
def test_images_that_cannot_be(rpc, refused, text, datastore):
    with refused(WRONG[text, datastore]):
        rpc("image.allocate", text, datastore, False)


def test_names_of_images_are_unique_for_each_owner(rpc, neighbour, volume, refused):
    text = 'NAME="vol"\nTYPE="DATABLOCK"\nSIZE="1"'
    with refused(16384, f"already taken by IMAGE {volume}"):
        rpc("image.allocate", text, 1, False)
    assert neighbour("image.allocate", text, 1, False) > volume


def test_what_the_owner_changes(rpc, volume, image, refused):
    rpc("image.rename", volume, "other")
    rpc("image.update", volume, 'NOTE="n"', 1)
    rpc("image.persistent", volume, False)
    assert [image(volume, e) for e in ("NAME", "TEMPLATE/NOTE", "PERSISTENT")] == [
        "other",
        "n",
        "0",
    ]
    rpc("image.enable", volume, False)
    assert image(volume) == "3"
    rpc("image.enable", volume, True)
    copy = rpc("image.clone", volume, "copy", -1)
    assert (image(copy), image(copy, "NAME")) == (READY, "copy")
    with refused(512, "MANAGE IMAGE"):
        rpc("image.delete", 0)
    rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]')
    assert image(volume) == USED
    for method in ("image.enable", "image.persistent"):
        with refused(2048):
            rpc(method, volume, True)


def test_a_disk_is_saved_as_an_image(cloud, clock, rpc, image, refused):
    cloud.behaviour = Behaviour(state_delay=5.0)
    number = rpc("vm.disksaveas", 0, 0, "golden", "", -1)
    assert (image(number), rpc.state(0)) == (LOCKED, (3, 26))
    clock.now += 6
    assert (image(number), rpc.state(0)) == (READY, (3, 3))
    with refused(16384):
        rpc("vm.disksaveas", 0, 0, "golden", "", -1)
    with refused(16384, "Unknown type"):
        rpc("vm.disksaveas", 0, 0, "other", "NONSENSE", -1)
    with refused(2048, "Snapshot"):
        rpc("vm.disksaveas", 0, 0, "other", "", 5)


def test_snapshots_of_a_machine(cloud, clock, rpc, refused):
    cloud.behaviour = Behaviour(state_delay=5.0)
    assert rpc("vm.snapshotcreate", 0, "before") == 0
    assert rpc.state(0) == (3, 24)
    clock.now += 6
    assert rpc("vm.snapshotcreate", 0, "after") == 1
    clock.now += 6
    found = rpc.document("vm.info", 0).findall("TEMPLATE/SNAPSHOT")
    assert [s.findtext("NAME") for s in found] == ["before", "after"]
    rpc("vm.snapshotrevert", 0, 0)
    clock.now += 6
    rpc("vm.snapshotdelete", 0, 0)
    clock.now += 6
    with refused(2048, "snapshot with id 0"):
        rpc("vm.snapshotrevert", 0, 0)
    rpc("vm.action", "poweroff", 0)
    clock.now += 6
    assert rpc.document("vm.info", 0).find("TEMPLATE/SNAPSHOT") is None  # lost
    with refused(2048, "POWEROFF"):
        rpc("vm.snapshotcreate", 0, "x")


def test_snapshots_of_a_disk(rpc, volume, image, refused):
    rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]')
    rpc("system.version")
    assert rpc("vm.disksnapshotcreate", 0, 2, "one") == 0
    rpc("system.version")
    assert rpc("vm.disksnapshotcreate", 0, 2, "two") == 1
    chain = rpc.document("vm.info", 0).find("SNAPSHOTS")
    assert chain.findtext("DISK_ID") == "2"
    wanted = "NAME", "PARENT", "CHILDREN"
    found = [tuple(map(s.findtext, wanted)) for s in chain.findall("SNAPSHOT")]
    assert found == [("one", "-1", "1"), ("two", "0", None)]
    assert chain.findtext("SNAPSHOT[2]/ACTIVE") == "YES"
    with refused(2048, "wrong state RUNNING"):
        rpc("vm.disksnapshotrevert", 0, 2, 0)
    with refused(2048, "snapshots"):
        rpc("vm.diskresize", 0, 2, "500")
    rpc("vm.action", "poweroff", 0)
    rpc("system.version")
    rpc("vm.disksnapshotrevert", 0, 2, 0)
    rpc("system.version")
    with refused(2048, "snapshot 0 for persistent"):
        rpc("vm.disksnapshotdelete", 0, 2, 0)
    rpc("vm.disksnapshotdelete", 0, 2, 1)
    rpc("system.version")
    rpc("vm.disksnapshotrename", 0, 2, 0, "first")
    rpc("vm.detach", 0, 2)
    assert image(volume, "SNAPSHOTS/SNAPSHOT/NAME") == "first"
    with refused(2048, "active"):
        rpc("image.snapshotdelete", volume, 0)
    rpc("image.snapshotrevert", volume, 0)
    rpc("image.snapshotflatten", volume, 0)
    assert image(volume, "SNAPSHOTS/SNAPSHOT") is None
    with refused(2048, "does not exist"):
        rpc("image.snapshotdelete", volume, 0)


def chain_of(*parents: int) -> SnapshotChain:
    """A chain whose snapshots hang on these, one after the other."""
    chain = SnapshotChain()
    for parent in parents:
        chain.activate(parent)
        chain.take("s", 1, 0)
    return chain


DELETED = [
    # parents, active, which one, why not; then with a persistent disk, and detached
    ((-1,), 0, 0, "", "snapshot 0", "active"),
    ((-1, 0), 1, 1, "", "", "active"),
    ((-1, 0), 1, 0, "", "snapshot 0", "children"),
    ((-1, 0), 0, 0, "active snapshot with children", "snapshot 0", "active"),
    ((-1, 0, 0), 2, 0, "more than one", "snapshot 0", "children"),
    ((-1, 0, 1), 2, 1, "", "", "children"),
    ((-1, 0, 1, 2), 2, 1, "child has children", "child has children", "children"),
    ((-1, 0, 0, 1), 2, 1, "parent has more", "parent has more", "children"),
    ((-1, 0, 0), 1, 2, "", "", ""),
]


@pytest.mark.parametrize(("parents", "active", "number", *WHYS), DELETED)
def test_which_snapshots_may_be_deleted(parents, active, number, attached, persistent, detached):
    chain = chain_of(*parents)
    chain.activate(active)
    snapshot = chain.find(number)
    for reason, expected in (
        (chain.kept_because(snapshot, persistent=False), attached),
        (chain.kept_because(snapshot, persistent=True), persistent),
        (chain.kept_detached_because(snapshot), detached),
    ):
        assert expected in reason
        assert bool(expected) == bool(reason)


def test_what_hung_on_a_deleted_snapshot():
    chain = chain_of(-1, 0, 1)
    chain.remove(chain.find(1))
    assert [(s.id, s.parent) for s in chain.snapshots] == [(0, -1), (2, 0)]
    chain.remove(chain.find(2))
    assert [(s.id, s.active) for s in chain.snapshots] == [(0, True)]


def test_a_volume_keeps_its_size_when_its_machine_is_done(rpc, volume, image):
    rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]')
    rpc("system.version")
    rpc("vm.diskresize", 0, 2, "640")
    rpc("system.version")
    rpc("vm.disksnapshotcreate", 0, 2, "kept")
    rpc("system.version")
    rpc("vm.action", "terminate-hard", 0)
    assert (image(volume, "SIZE"), image(volume, "SNAPSHOTS/SNAPSHOT/NAME")) == ("640", "kept")


def test_a_disk_of_a_machine_twice(rpc, image):
    rpc("vm.attach", 0, 'DISK=[IMAGE_ID="1"]')
    rpc("system.version")
    rpc("vm.attach", 0, 'DISK=[IMAGE_ID="1"]')
    rpc("system.version")
    rpc("vm.detach", 0, 2)
    assert image(1, "VMS/ID") == "0"
    rpc("vm.detach", 0, 3)
    assert image(1) == READY
    number = rpc.create('DISK=[IMAGE_ID="1"]\nDISK=[IMAGE_ID="1"]')
    assert image(1) == USED
    rpc("vm.action", "terminate-hard", number)
    assert image(1) == READY
    assert len(rpc.document("vm.info", number).findall("TEMPLATE/DISK")) == 2


def test_snapshots_of_volumes_of_others(rpc, neighbour, refused):
    text = 'NAME="theirs"\nTYPE="DATABLOCK"\nPERSISTENT="YES"\nSIZE="1"'
    number = neighbour("image.allocate", text, 1, False)
    with refused(512, "USE IMAGE"):
        rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{number}"]')


def test_snapshots_come_back_with_their_volume(rpc, volume):
    rpc("vm.attach", 0, f'DISK=[IMAGE_ID="{volume}"]')
    rpc("system.version")
    rpc("vm.disksnapshotcreate", 0, 2, "kept")
    rpc("system.version")
    rpc("vm.detach", 0, 2)
    rpc("system.version")
    rpc("vm.attach", 1, f'DISK=[IMAGE_ID="{volume}"]')
    assert rpc.document("vm.info", 1).findtext("SNAPSHOTS/SNAPSHOT/NAME") == "kept"


def test_a_volatile_disk_has_no_snapshots(rpc, refused):
    rpc("vm.attach", 0, 'DISK=[TYPE="fs",SIZE="64"]')
    rpc("system.version")
    with refused(2048, "volatile"):
        rpc("vm.disksnapshotcreate", 0, 2, "x")
