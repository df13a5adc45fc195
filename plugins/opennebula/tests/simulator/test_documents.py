"""What the simulator writes, beside what a real oned 7.4 wrote."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

CAPTURED = Path(__file__).parents[1] / "data" / "captured"

VOLATILE = {
    *("NAME", "STIME", "ETIME", "PSTIME", "PETIME", "RSTIME", "RETIME", "ESTIME", "EETIME"),
    *("DEPLOY_ID", "UUID", "REQUEST_ID", "REGTIME", "MODTIME", "TIME", "DATE", "PORT", "VMID"),
    *(
        "OID",
        "ID",
        "SAVED_VM_ID",
        "SSH_PUBLIC_KEY",
        "TARGET",
        "ERROR",
        "SCHED_MESSAGE",
        "IP",
        "MAC",
        "SEQ",
    ),
    *("NEXT_INDEX", "IP_END", "MAC_END", "USED_LEASES", "ALLOCATED", "RUNNING_VMS", "TOKEN"),
    *("EXPIRATION_TIME", "TOKEN_PASSWORD", "PASSWORD", "ETH0_IP", "ETH0_MAC", "ETH1_IP"),
    *("ETH1_MAC", "ETH0_ALIAS0_IP", "ETH0_ALIAS0_MAC", "VM", "ALLOW_EMPTY", "IMAGES_USED"),
    *("SIZE_USED", "LEASES_USED", "RVMS_USED", "IMAGE_ID", "ACTION", "TEMPLATE_ID", "LISTEN"),
    *("CPU_USED", "MEMORY_USED", "RUNNING_CPU_USED", "RUNNING_MEMORY_USED", "RUNNING_VMS_USED"),
    *("SYSTEM_DISK_SIZE_USED", "VMS_USED", "LABELS"),
}


def captured(name: str) -> ElementTree.Element:
    return ElementTree.parse(CAPTURED / f"{name}.xml").getroot()


def outline(
    element: ElementTree.Element, *, without: frozenset[str] = frozenset(), path: str = ""
) -> list[str]:
    """Every element in its order, with its text where that is not of one machine or moment."""
    path = f"{path}/{element.tag}"
    text = "" if element.tag in VOLATILE or len(element) else (element.text or "").strip()
    inner = [child for child in element if child.tag not in without]
    nested = [outline(child, without=without, path=path) for child in inner]
    return [f"{path} {text}", *(line for lines in nested for line in lines)]


def same(written: ElementTree.Element, name: str, **options) -> None:
    assert outline(written, **options) == outline(captured(name), **options)


@pytest.fixture
def alpha(rpc):
    return rpc.create(name="alpha")


def test_a_running_machine(rpc, alpha):
    same(rpc.document("vm.info", alpha), "vm_running")


@pytest.mark.parametrize(("method", "name"), [("info", "short"), ("infoextended", "ext")])
def test_machines_in_a_pool(rpc, alpha, method, name):
    same(rpc.document(f"vmpool.{method}", -2, alpha, alpha, -1), f"vmpool_{name}")


def test_the_pool_tells_of_the_last_stay_only(rpc, alpha):
    rpc("vm.action", "poweroff", alpha)
    rpc("vm.action", "resume", alpha)
    rpc("system.version")
    whole = rpc.document("vm.info", alpha)
    pooled = rpc.document("vmpool.infoextended", -2, alpha, alpha, -1)
    assert [h.findtext("SEQ") for h in whole.iter("HISTORY")] == ["0", "1"]
    assert [h.findtext("ACTION") for h in whole.iter("HISTORY")] == ["19", "0"]
    assert [h.findtext("SEQ") for h in pooled.iter("HISTORY")] == ["1"]


def test_a_machine_on_hold(rpc):
    number = rpc.create('LABELS="a,b"\nMEMORY="64"', name="x", hold=True)
    same(rpc.document("vm.info", number), "vm_hold_extra")


def test_a_machine_that_did_not_boot(rpc, cloud):
    cloud.hypervisor.deploy_error = "dummy1:failing:dummy"
    number = rpc.create(name="failing")
    machine = rpc.document("vm.info", number)
    same(machine, "vm_boot_failure")
    assert machine.findtext("USER_TEMPLATE/ERROR").endswith("2027: DEPLOY: dummy1:failing:dummy")


def test_a_machine_without_room(rpc):
    number = rpc.create('CPU="99999"', name="big")
    machine = rpc.document("vm.info", number)
    same(machine, "vm_pending_nocap")
    assert machine.findtext("USER_TEMPLATE/SCHED_MESSAGE").endswith(
        "[HOST] Not enough CPU on hosts: 0,1"
    )


@pytest.fixture
def volume(rpc):
    text = 'NAME="vol1"\nTYPE="DATABLOCK"\nPERSISTENT="YES"\nSIZE="1024"\nDEV_PREFIX="sd"'
    return rpc("image.allocate", text, 1, False)


def test_a_machine_with_a_volume(rpc, alpha, volume):
    rpc("vm.attach", alpha, f'DISK=[IMAGE_ID="{volume}"]')
    machine = rpc.document("vm.info", alpha)
    same(machine, "vm_with_volume", without=frozenset({"HISTORY_RECORDS"}))
    assert [d.findtext("TARGET") for d in machine.iterfind("TEMPLATE/DISK")] == ["vda", "sda"]


def test_a_machine_with_snapshots(rpc, alpha, volume):
    rpc("vm.attach", alpha, f'DISK=[IMAGE_ID="{volume}"]')
    rpc("vm.attach", alpha, 'DISK=[TYPE="fs",SIZE="256"]')
    rpc("vm.disksnapshotcreate", alpha, 0, "snapA")
    rpc("vm.snapshotcreate", alpha, "vmsnap")
    machine = rpc.document("vm.info", alpha)
    same(machine, "vm_with_snapshots", without=frozenset({"HISTORY_RECORDS"}))


def test_a_machine_with_two_interfaces_and_an_alias(rpc, alpha):
    rpc("vm.attach", alpha, 'DISK=[TYPE="fs",SIZE="256"]')
    rpc("vm.detach", alpha, 0)
    rpc("vm.attachnic", alpha, 'NIC=[NETWORK_ID="0"]')
    rpc("vm.attachnic", alpha, 'NIC_ALIAS=[NETWORK_ID="0",PARENT="NIC0"]')
    rpc("vm.attachsg", alpha, 0, 100)
    machine = rpc.document("vm.info", alpha)
    varying = frozenset({"HISTORY_RECORDS", "DISK"})  # the captured disk had another past
    same(machine, "vm_two_nics", without=varying)


def test_images(rpc, alpha, volume):
    same(rpc.document("image.info", volume), "image_volume")
    rpc("vm.attach", alpha, f'DISK=[IMAGE_ID="{volume}"]')
    same(rpc.document("image.info", volume), "image_used")
    used = rpc.document("image.info", 0)
    for number in list(used.find("VMS"))[1:]:
        used.find("VMS").remove(number)
    same(used, "image_os")


def test_an_image_saved_from_a_disk(rpc, alpha):
    saved = rpc("vm.disksaveas", alpha, 0, "saved", "", -1)
    rpc("system.version")
    written = rpc.document("image.info", saved)
    expected = captured("imagepool")[0]
    expected.find("SIZE").text = "1024"  # the captured disk had grown
    assert outline(written) == outline(expected)
    assert written.findtext("TEMPLATE/SAVED_VM_ID") == str(alpha)


@pytest.mark.parametrize(
    ("extended", "name"), [(False, "template_small"), (True, "template_small_ext")]
)
def test_templates(rpc, extended, name):
    same(rpc.document("template.info", 0, extended), name)


def test_a_pool_of_templates(rpc):
    written = rpc.document("templatepool.info", -2, -1, -1)
    expected = captured("templatepool")
    assert written.tag == expected.tag
    assert [t.findtext("ID") for t in written] == ["2", "1", "0"]
    assert outline(written[2]) == outline(expected[-1])


def test_networks(rpc, alpha):
    rpc("vm.attachnic", alpha, 'NIC=[NETWORK_ID="0"]')
    reserved = rpc("vn.reserve", 0, 'NAME="rsv"\nSIZE="4"')
    network = rpc.document("vn.info", 0)
    network.find("UPDATED_VMS").clear()  # the captured network was asked after a detach
    same(network, "vnet_public")
    pool = rpc.document("vnpool.info", -2, -1, -1)
    numbers = captured("vnpool").find("VNET[2]/UPDATED_VMS")
    written = pool.find("VNET[2]/UPDATED_VMS")
    for number in list(written)[len(numbers) :]:
        written.remove(number)
    pool.find("VNET[3]/UPDATED_VMS").clear()
    same(pool, "vnpool")
    one = rpc("vn.reserve", 0, 'NAME="fip"\nSIZE="1"')
    same(rpc.document("vn.info", one), "vnet_reservation")
    assert reserved != one


def test_security_groups(rpc, alpha):
    group = rpc("secgroup.allocate", 'NAME="sg"\nRULE=[PROTOCOL="ICMP",RULE_TYPE="inbound"]')
    rpc("vm.attachsg", alpha, 0, group)
    rpc("system.version")
    same(rpc.document("secgroup.info", group), "secgroup")
    rpc("vm.detachsg", alpha, 0, group)
    rpc("system.version")
    rpc("secgroup.delete", group)
    rpc("secgroup.allocate", 'NAME="m"\nRULE=[PROTOCOL="TCP",RANGE="22",RULE_TYPE="inbound"]')
    pool = rpc.document("secgrouppool.info", -2, -1, -1)
    machines = pool.find("SECURITY_GROUP[3]/UPDATED_VMS")
    for number in list(machines)[2:]:
        machines.remove(number)
    same(pool, "secgrouppool")


def test_a_user(rpc, alpha, volume):
    rpc("user.login", "tenant", "", 3600, -1)
    rpc("vm.attachnic", alpha, 'NIC=[NETWORK_ID="0"]')
    same(rpc.document("user.info", -1), "user_tenant")


def test_what_everybody_sees_of_the_infrastructure(rpc, volume):
    same(rpc.document("zonepool.info"), "zonepool")
    same(rpc.document("datastorepool.info"), "datastorepool")


def test_what_administrators_see_of_the_infrastructure(rpc, admin):
    rpc("vn.reserve", 0, 'NAME="rsv"\nSIZE="4"')
    same(admin.document("clusterpool.info"), "clusterpool")
