"""Networks, reservations, interfaces and security groups."""

from __future__ import annotations

import pytest

from anabranch.testing.simulation import Behaviour

RULE = 'RULE=[PROTOCOL="TCP",RANGE="22,80,1000:2000",RULE_TYPE="inbound"]'


@pytest.fixture
def leases(rpc):
    def look(network_id: int) -> list[tuple[str, str, str]]:
        network = rpc.document("vn.info", network_id)
        return [
            (lease.findtext("IP"), lease[-1].tag, lease[-1].text) for lease in network.iter("LEASE")
        ]

    return look


@pytest.fixture
def nics(rpc):
    def look(machine_id: int, kind: str = "NIC") -> list[tuple[str, str, str]]:
        machine = rpc.document("vm.info", machine_id)
        wanted = "NIC_ID", "NETWORK", "IP"
        return [tuple(map(nic.findtext, wanted)) for nic in machine.iterfind(f"TEMPLATE/{kind}")]

    return look


def test_an_address_of_ones_own(rpc, leases, nics, refused):
    number = rpc("vn.reserve", 0, 'NAME="ip"\nSIZE="1"')
    assert rpc.document("vn.info", number).findtext("PARENT_NETWORK_ID") == "0"
    assert leases(0) == [("172.16.0.10", "VNET", str(number))]
    rpc("vm.attachnic", 0, f'NIC=[NETWORK_ID="{number}",IP="172.16.0.10"]')
    assert nics(0)[1] == ("1", "ip", "172.16.0.10")
    assert leases(number) == [("172.16.0.10", "VM", "0")]
    with refused(2048, "leases"):
        rpc("vn.delete", number)
    with refused(2048, "lease"):
        rpc("vm.attachnic", 1, f'NIC=[NETWORK_ID="{number}"]')
    rpc("vm.detachnic", 0, 1)
    rpc("system.version")
    rpc("vn.delete", number)
    assert leases(0) == []


def test_reservations(rpc, leases, refused):
    block = rpc("vn.reserve", 0, 'NAME="block"\nSIZE="4"')
    assert [ip for ip, _, _ in leases(0)] == [f"172.16.0.{n}" for n in (10, 11, 12, 13)]
    chosen = rpc("vn.reserve", 0, 'NAME="chosen"\nSIZE="1"\nAR_ID="0"\nIP="172.16.1.1"')
    assert rpc.document("vn.info", chosen).findtext("AR_POOL/AR/IP") == "172.16.1.1"
    assert rpc("vn.reserve", 0, f'SIZE="2"\nNETWORK_ID="{block}"') == block
    ranges = rpc.document("vn.info", block).findall("AR_POOL/AR")
    assert [r.findtext("SIZE") for r in ranges] == ["4", "2"]
    with refused(512, "ADMIN NET"):
        rpc("vn.rm_ar", block, 1)
    rpc("vn.free_ar", block, 1)
    assert rpc.document("vn.info", block).find("AR_POOL/AR[2]") is None
    for text, code in (
        ('NAME="block"\nSIZE="1"', 16384),
        ('NAME="x"\nSIZE="0"', 2048),
        ('NAME="x"\nSIZE="4001"', 2048),
        ('NAME="x"\nSIZE="1"\nAR_ID="0"\nIP="172.16.1.1"', 2048),
    ):
        with refused(code):
            rpc("vn.reserve", 0, text)
    for first in ('IP="172.16.1.9"', 'IP6="2001:db8::1"', 'MAC="02:00:ac:10:01:09"'):
        with refused(2048, "AR_ID must be specified"):
            rpc("vn.reserve", 0, f'NAME="x"\nSIZE="1"\n{first}')
    with refused(2048, "no reservation"):
        rpc("vn.reserve", 1, f'SIZE="1"\nNETWORK_ID="{block}"')
    with refused(2048, "reserved"):
        rpc("vn.reserve", block, 'NAME="x"\nSIZE="1"')


def test_a_reservation_finds_room_wherever_it_is(rpc):
    rpc("vn.reserve", 0, 'NAME="last"\nSIZE="1"\nAR_ID="0"\nIP="172.16.15.169"')
    first = rpc("vn.reserve", 0, 'NAME="first"\nSIZE="2"')
    assert rpc.document("vn.info", first).findtext("AR_POOL/AR/IP") == "172.16.0.10"
    both = rpc("vn.reserve", 1, 'NAME="both"\nSIZE="3"\nAR_ID="1"')
    reserved = rpc.document("vn.info", both).find("AR_POOL/AR")
    assert (reserved.findtext("TYPE"), reserved.findtext("IP")) == ("IP4_6", "10.1.0.10")
    assert reserved.findtext("GLOBAL_PREFIX") == "2001:db8:1::"


def test_holding_needs_the_right_to_manage(rpc, admin, leases, refused):
    with refused(512, "MANAGE NET"):
        rpc("vn.hold", 0, 'LEASES=[IP="172.16.0.50"]')
    admin("vn.hold", 0, 'LEASES=[IP="172.16.0.50"]')
    assert leases(0) == [("172.16.0.50", "VM", "-1")]
    admin("vn.release", 0, 'LEASES=[IP="172.16.0.50"]')
    with refused(2048, "not on hold"):
        admin("vn.release", 0, 'LEASES=[IP="172.16.0.50"]')
    with refused(8192):
        admin("vn.hold", 0, 'IP="172.16.0.50"')
    assert leases(0) == []


def test_networks_of_administrators(rpc, admin, refused):
    text = 'NAME="n"\nBRIDGE="br9"\nVN_MAD="dummy"\nAR=[TYPE="IP4",IP="192.168.9.1",SIZE="2"]'
    with refused(512, "CREATE NET"):
        rpc("vn.allocate", text, -1)
    number = admin("vn.allocate", text, -1)
    admin("vn.add_ar", number, 'AR=[TYPE="ETHER",SIZE="5"]')
    admin("vn.rename", number, "renamed")
    admin("vn.update", number, 'DNS="1.1.1.1"', 1)
    admin("vn.add_ar", number, 'AR=[TYPE="IP4",IP="192.168.8.1",SIZE="2"]')
    admin("vn.rm_ar", number, 2)
    network = admin.document("vn.info", number)
    assert [r.findtext("TYPE") for r in network.iter("AR")] == ["IP4", "ETHER"]
    assert network.find("AR_POOL/AR[2]/IP") is None
    assert network.find("AR_POOL/AR[2]/IP_END") is None
    for code, call in ((8192, ("vn.rm_ar", number, 9)), (2048, ("vn.free_ar", number, 0))):
        with refused(code):
            admin(*call)
    assert network.findtext("TEMPLATE/DNS") == "1.1.1.1"
    for wrong in ('AR=[TYPE="IP4",SIZE="1"]', 'AR=[TYPE="X",SIZE="1"]', 'X="1"'):
        with refused(8192):
            admin("vn.add_ar", number, wrong)
    with refused(512):
        rpc("vn.info", number)


def test_a_plain_user_gets_a_network_by_a_template(rpc, nics, refused):
    (offered,) = rpc.document("vntemplatepool.info", -2, -1, -1)
    assert offered.findtext("NAME") == "of-users"
    template = int(offered.findtext("ID"))
    assert rpc.document("vntemplate.info", template).findtext("TEMPLATE/BRIDGE") == "br2"
    number = rpc(
        "vntemplate.instantiate",
        template,
        "mine",
        'NETWORK_ADDRESS="10.9.0.0"\nAR=[TYPE="IP4",IP="10.9.0.2",SIZE="2"]',
    )
    network = rpc.document("vn.info", number)
    assert (network.findtext("UNAME"), network.findtext("TEMPLATE_ID")) == ("tenant", "0")
    rpc("vm.attachnic", 0, f'NIC=[NETWORK_ID="{number}"]')
    assert nics(0)[1] == ("1", "mine", "10.9.0.2")
    with refused(512, "restricted attribute VN_MAD"):
        rpc("vntemplate.instantiate", template, "other", 'VN_MAD="802.1Q"')
    with refused(512, "ADMIN NET"):  # the owner has no such right
        rpc("vn.add_ar", number, 'AR=[TYPE="IP4",IP="10.9.1.2",SIZE="2"]')


def test_the_machine_is_busy_while_an_interface_comes(cloud, clock, rpc, nics, refused):
    cloud.behaviour = Behaviour(state_delay=5.0)
    rpc("vm.attachnic", 0, 'NIC=[NETWORK_ID="0"]')
    assert rpc.state(0) == (3, 25)
    with refused(2048, "wrong state HOTPLUG_NIC"):
        rpc("vm.attachnic", 0, 'NIC=[NETWORK_ID="0"]')
    machine = rpc.document("vm.info", 0)
    assert [n.findtext("ATTACH") for n in machine.iterfind("TEMPLATE/NIC")] == [None, "YES"]
    clock.now += 6
    assert nics(0)[1] == ("1", "public", "172.16.0.10")
    machine = rpc.document("vm.info", 0)
    assert machine.find("TEMPLATE/NIC/ATTACH") is None


def test_an_interface_may_fail_in_silence(cloud, rpc, nics, leases):
    cloud.hypervisor.attach_fails = True
    rpc("vm.attachnic", 0, 'NIC=[NETWORK_ID="0"]')
    assert len(nics(0)) == 1
    assert leases(0) == []


def test_aliases_go_with_their_interface(rpc, nics, leases, refused):
    rpc("vm.attachnic", 0, 'NIC=[NETWORK_ID="0"]')
    rpc("system.version")
    rpc("vm.attachnic", 0, 'NIC_ALIAS=[NETWORK_ID="0",PARENT="NIC1"]')
    rpc("system.version")
    rpc("vm.attachnic", 0, 'NIC_ALIAS=[NETWORK_ID="0",PARENT="NIC1"]')
    assert [number for number, _, _ in nics(0, "NIC_ALIAS")] == ["2", "3"]
    with refused(2048, "PARENT"):
        rpc("vm.attachnic", 0, 'NIC_ALIAS=[NETWORK_ID="0",PARENT="NIC9"]')
    rpc("vm.detachnic", 0, 3)
    machine = rpc.document("vm.info", 0)
    assert machine.findtext("TEMPLATE/NIC[2]/ALIAS_IDS") == "2"
    rpc("vm.detachnic", 0, 1)
    assert nics(0, "NIC_ALIAS") == []
    assert leases(0) == []
    context = rpc.document("vm.info", 0).find("TEMPLATE/CONTEXT")
    assert not [e.tag for e in context if e.tag.startswith("ETH1")]


def test_addresses_come_back_when_the_machine_is_done(rpc, leases):
    assert len(leases(1)) == 5
    rpc("vm.action", "terminate-hard", 0)
    assert len(leases(1)) == 4


def test_an_interface_is_updated(rpc):
    rpc("vm.updatenic", 0, 0, 'NIC=[MODEL="virtio",IP="1.2.3.4"]', 1)
    nic = rpc.document("vm.info", 0).find("TEMPLATE/NIC")
    assert (nic.findtext("MODEL"), nic.findtext("IP")) == ("virtio", "10.0.0.10")


def test_a_security_group_lives(rpc, refused):
    number = rpc("secgroup.allocate", f'NAME="sg"\n{RULE}')
    assert number >= 100
    rpc("vm.attachsg", 0, 0, number)
    rpc("system.version")
    with refused(2048, "already"):
        rpc("vm.attachsg", 0, 0, number)
    with refused(2048, "VMs using it"):
        rpc("secgroup.delete", number)
    rpc("secgroup.update", number, 'RULE=[PROTOCOL="ALL",RULE_TYPE="outbound"]', 0)
    machine = rpc.document("vm.info", 0)
    assert machine.findtext("TEMPLATE/NIC/SECURITY_GROUPS") == f"0,{number}"
    rules = machine.findall("TEMPLATE/SECURITY_GROUP_RULE")
    own = [r for r in rules if r.findtext("SECURITY_GROUP_ID") == str(number)]
    assert [r.findtext("PROTOCOL") for r in own] == ["ALL"]
    rpc("secgroup.commit", number, False)
    copy = rpc("secgroup.clone", number, "copy")
    rpc("secgroup.rename", copy, "renamed")
    assert rpc.document("secgroup.info", copy).findtext("NAME") == "renamed"
    rpc("vm.detachsg", 0, 0, number)
    rpc("system.version")
    with refused(2048, "does not have"):
        rpc("vm.detachsg", 0, 0, number)
    rpc("secgroup.delete", number)
    with refused(1024):
        rpc("secgroup.info", number)


def test_rules_are_added_by_a_merge_only_as_a_whole(rpc):
    number = rpc("secgroup.allocate", f'NAME="sg"\n{RULE}\n{RULE}')
    rpc("secgroup.update", number, f'{RULE}\nDESCRIPTION="d"', 1)
    assert len(rpc.document("secgroup.info", number).findall("TEMPLATE/RULE")) == 1


def test_addresses_run_out(rpc, refused):
    number = rpc("vn.reserve", 0, 'NAME="two"\nSIZE="2"')
    extra = f'NIC=[NETWORK_ID="{number}"]'
    first, second = rpc.create(extra), rpc.create(extra)
    with refused(2048, f"lease from virtual network {number}"):
        rpc.create(extra)
    rpc("vm.action", "terminate-hard", first)
    rpc("system.version")
    third = rpc.create(extra)
    addresses = [rpc.document("vm.info", n).findtext("TEMPLATE/NIC/IP") for n in (second, third)]
    assert addresses == ["172.16.0.11", "172.16.0.10"]


@pytest.mark.parametrize(
    "rule",
    [
        'PROTOCOL="SCTP",RULE_TYPE="inbound"',
        'PROTOCOL="TCP",RULE_TYPE="sideways"',
        'PROTOCOL="TCP",RULE_TYPE="inbound",RANGE="a-b"',
        'PROTOCOL="ICMP",RULE_TYPE="inbound",RANGE="22"',
        'PROTOCOL="TCP",RULE_TYPE="inbound",ICMP_TYPE="8"',
        'PROTOCOL="TCP",RULE_TYPE="inbound",IP="10.0.0.0"',
        'RULE_TYPE="inbound"',
    ],
)
def test_rules_that_are_none(rpc, refused, rule):
    with refused(8192):
        rpc("secgroup.allocate", f'NAME="sg"\nRULE=[{rule}]')


def test_the_default_group_stays(admin, refused):
    with refused(2048, "default"):
        admin("secgroup.delete", 0)


def test_groups_are_asked_for_with_the_interface(rpc):
    number = rpc.create('NIC=[NETWORK_ID="0",SECURITY_GROUPS="100"]')
    machine = rpc.document("vm.info", number)
    assert machine.findtext("TEMPLATE/NIC/SECURITY_GROUPS") == "0,100"
    group = rpc.document("secgroup.info", 100)
    assert [e.text for e in group.find("UPDATED_VMS")] == [str(number)]
