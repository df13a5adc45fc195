"""Documents that a real oned answered, to models."""

from datetime import UTC, datetime

import pytest

from anabranch.errors import InvalidRequest
from anabranch.models import (
    Direction,
    Hardware,
    ImageState,
    NetworkAddress,
    NetworkAddressKind,
    NetworkState,
    RuleSource,
    SourceKind,
    StorageVolumeState,
    to_builtins,
)
from anabranch.states import InstanceState
from anabranch_opennebula.firewall_rules import rules_of
from anabranch_opennebula.image_documents import image_of, is_image, is_volume, volume_of
from anabranch_opennebula.machines import instance_of, interfaces_of, machine_of
from anabranch_opennebula.network_documents import (
    address_of,
    network_of,
    subnet_of,
    vnet_of,
)
from anabranch_opennebula.ranges import parse_block, part_of
from anabranch_opennebula.reading import Thing, Unreadable, convert_all, things
from anabranch_opennebula.sizes import from_template, sized
from anabranch_opennebula.templates import attributes, template
from anabranch_opennebula.vm_templates import template_of
from anabranch_opennebula.xml import parsed


def instance(thing, public=()):
    return instance_of("lisbon", frozenset(public), thing)


def document(text: str) -> Thing:
    return Thing(parsed(text.encode()), text.encode())


def test_a_running_machine(captured):
    found = instance(captured("vm_running"))
    assert (found.id, found.name, found.state, found.platform_state, found.busy) == (
        *("1", "alpha", InstanceState.RUNNING, "RUNNING", False),
    )
    assert (found.owner_id, found.image_id, found.realm_id) == ("2", "0", "0")
    assert found.hardware_profile_id == "0"
    assert (found.hardware.cpu, found.hardware.memory_mib, found.hardware.storage_gb) == (1, 128, 1)
    assert found.created_at == datetime.fromtimestamp(1795356816, UTC)
    assert found.launched_at == datetime.fromtimestamp(1795356819, UTC)
    assert found.private_addresses == (NetworkAddress("10.0.0.11", NetworkAddressKind.IPV4),)
    assert not found.public_addresses
    assert (found.firewall_ids, found.network_interface_ids) == (("0",), ("1.0",))
    assert not found.storage_volumes
    assert not found.fault


def test_what_is_not_in_the_model_is_kept(captured):
    extra = instance(captured("vm_running")).extra
    assert extra["TEMPLATE"]["NIC"]["TARGET"] == "one-1-0"
    assert [r["RULE_TYPE"] for r in extra["TEMPLATE"]["SECURITY_GROUP_RULE"]] == [
        *("OUTBOUND", "INBOUND")
    ]
    assert extra["USER_TEMPLATE"] == {"DESCRIPTION": "seed template", "HYPERVISOR": "dummy"}
    assert extra["MONITORING"] == ""
    assert not {"ID", "NAME", "STATE"} & set(extra)


def test_public_networks(captured):
    thing = captured("vm_running")
    for public in (["1"], ["private"]):
        assert [a.address for a in instance(thing, public).public_addresses] == ["10.0.0.11"]


def test_two_interfaces_and_an_alias(captured):
    found = instance(captured("vm_two_nics"))
    assert [a.address for a in found.private_addresses] == ["10.0.0.11", "172.16.0.10"]
    assert [a.address for a in found.public_addresses] == ["172.16.0.11"]
    assert found.firewall_ids == ("0", "100")
    interfaces = interfaces_of("lisbon", captured("vm_two_nics"))
    assert {i.id for i in interfaces} == set(found.network_interface_ids)
    first = interfaces[0]
    assert (first.id, first.network_id, first.subnet_id) == ("1.0", "1", "1.0")
    assert (first.state, first.mac_address) == (NetworkState.UP, "02:00:0a:00:00:0b")
    # The root disk was taken away from this machine, and a volatile one is no volume.
    assert found.image_id is None
    assert not found.storage_volumes


def test_a_volume(captured):
    found = instance(captured("vm_with_volume"))
    assert [(v.storage_volume_id, v.device) for v in found.storage_volumes] == [("2", "/dev/sda")]
    assert machine_of(captured("vm_with_volume")).disk_of("2").id == 2


def test_snapshots(captured):
    machine = machine_of(captured("vm_with_snapshots"))
    assert [s["NAME"] for s in machine.own_snapshots] == ["vmsnap"]
    assert [s["NAME"] for s in machine.snapshots[0]] == ["snapA"]


def test_failures_are_told(captured):
    failed = instance(captured("vm_boot_failure"))
    assert (failed.state, failed.platform_state) == (InstanceState.ERROR, "BOOT_FAILURE")
    assert failed.fault.endswith("DEPLOY: dummy1:failing:dummy")
    waiting = instance(captured("vm_pending_nocap"))
    assert (waiting.state, waiting.realm_id) == (InstanceState.PENDING, None)
    assert "Not enough CPU" in waiting.fault
    held = instance(captured("vm_hold_extra"))
    assert (held.state, held.platform_state) == (InstanceState.STOPPED, "HOLD")


@pytest.mark.parametrize("name", ["vmpool_ext", "vmpool_short"])
def test_pools(captured, name):
    pool = captured(name)
    found = things(pool.element, pool.source, "VM")
    (converted,) = convert_all(found, lambda vm: [instance(vm)]).items
    assert (converted.id, converted.name) == ("1", "alpha")
    assert converted.hardware.memory_mib == 128
    assert converted.extra["GNAME"] == "users"


def test_elements_are_cut_out_where_that_is_safe():
    plain = document("<P><VM><ID>1</ID><N>a</N></VM><VM><ID>2</ID><N>b</N></VM></P>")
    assert [t.source for t in things(plain.element, plain.source, "VM")] == [
        b"<VM><ID>1</ID><N>a</N></VM>",
        b"<VM><ID>2</ID><N>b</N></VM>",
    ]
    tricky = document("<P><VM><ID>1</ID><N><![CDATA[<VM><ID>]]></N></VM><VM><ID>2</ID></VM></P>")
    found = things(tricky.element, tricky.source, "VM")
    assert [t.source for t in found] == [None, None]
    assert instance(found[0]).extra["N"] == "<VM><ID>"
    empty = document("<P/>")
    assert things(empty.element, empty.source, "VM") == []


@pytest.mark.parametrize(
    "text",
    [
        "<VM><ID>7</ID></VM>",
        "<VM><ID> 7 </ID><NAME/><TEMPLATE/><USER_TEMPLATE/><HISTORY_RECORDS/></VM>",
        "<VM><ID>7</ID><STATE>x</STATE><LCM_STATE>-4</LCM_STATE><STIME>99999999999999</STIME></VM>",
        (
            "<VM><ID>7</ID><TEMPLATE><DISK/><NIC><IP/></NIC><NIC><IP>x</IP></NIC><VCPU/>"
            "<MEMORY>a</MEMORY><DISK><DISK_ID>0</DISK_ID><SIZE>1_0</SIZE></DISK></TEMPLATE></VM>"
        ),
        "<VM><ID>7</ID><USER_TEMPLATE><ANABRANCH_TAGS>[1]</ANABRANCH_TAGS></USER_TEMPLATE></VM>",
    ],
)
def test_odd_machines(text):
    found = instance(document(text))
    assert found.id == "7"
    assert found.tags == {}
    assert to_builtins(found, extra=True)["id"] == "7"


def test_a_machine_without_an_id():
    for text in ("<VM/>", "<VM><ID/></VM>", "<VM><ID>x</ID></VM>"):
        with pytest.raises(Unreadable, match="a VM without an id"):
            instance(document(text))


def test_images_and_volumes(captured):
    image = captured("image_os")
    assert (is_image(image), is_volume(image)) == (True, False)
    found = image_of("lisbon", image)
    assert (found.id, found.name, found.state, found.platform_state) == (
        *("0", "debian-12", ImageState.AVAILABLE, "USED"),
    )
    assert (found.size_bytes, found.min_storage_gb, found.root_type) == (2**30, 1, "transient")
    assert (found.description, found.public, found.owner_id) == ("seed image debian-12", False, "0")
    volume = captured("image_volume")
    assert (is_image(volume), is_volume(volume)) == (False, True)
    made = volume_of("lisbon", volume)
    assert (made.id, made.name, made.state, made.capacity_gb) == (
        *("2", "vol1", StorageVolumeState.AVAILABLE, 1),
    )
    assert (made.kind, made.instance_id) == ("default", None)
    odd = document("<IMAGE><ID>1</ID><STATE>99</STATE></IMAGE>")
    assert image_of("lisbon", odd).platform_state == "STATE 99"
    assert volume_of("lisbon", odd).state is StorageVolumeState.UNKNOWN


def test_networks(captured):
    vnet = vnet_of(captured("vnet_public"))
    found = network_of("lisbon", frozenset(["public"]), vnet)
    assert (found.id, found.name, found.state, found.external) == (
        *("0", "public", NetworkState.UP, True),
    )
    assert found.address_blocks == ("172.16.0.0/12",)
    assert (found.subnet_ids, found.realm_id, found.shared) == (("0.0",), "0", True)
    assert not network_of("lisbon", frozenset(), vnet).external
    subnet = subnet_of("lisbon", vnet, vnet.ranges[0])
    assert (subnet.id, subnet.network_id, subnet.kind) == ("0.0", "0", "IP4")
    assert (subnet.address_block, subnet.gateway) == ("172.16.0.0/20", "172.16.0.1")
    assert vnet.ranges[0].vms == ["1"]
    assert not vnet.is_address


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ("10.0.4.0/30", {"SIZE": "2", "AR_ID": "3", "IP": "10.0.4.1"}),
        ("10.0.5.0/24", None),
        ("2001:db8::10/124", {"SIZE": "16", "AR_ID": "5", "IP6": "2001:db8::10"}),
        ("2001:db8::/64", None),
    ],
)
def test_the_part_of_a_network_that_a_block_is(block, part):
    vnet = vnet_of(
        document(
            "<VNET><ID>1</ID><AR_POOL><AR><AR_ID>1</AR_ID><SIZE>9</SIZE></AR>"
            "<AR><AR_ID>3</AR_ID><TYPE>IP4</TYPE><IP>10.0.4.0</IP><SIZE>256</SIZE></AR>"
            "<AR><AR_ID>5</AR_ID><TYPE>IP6_STATIC</TYPE><IP6>2001:db8::</IP6><SIZE>256</SIZE></AR>"
            "</AR_POOL></VNET>"
        )
    )
    assert part_of(vnet, parse_block(block)) == part


def test_a_reserved_address(captured):
    vnet = vnet_of(captured("vnet_reservation"))
    assert vnet.is_address
    found = address_of("lisbon", vnet)
    assert (found.id, found.ip, found.network_id) == ("3", "172.16.0.21", "0")
    assert (found.instance_id, found.platform_state) == (None, "READY")


def test_who_holds_addresses_is_told_by_pools_too(captured):
    pool = captured("vnpool")
    found = {v.id: v for v in map(vnet_of, things(pool.element, pool.source, "VNET"))}
    assert found["1"].ranges[0].vms == ["1", "5"]
    # The other leases are of reservations.
    assert found["0"].ranges[0].vms == ["1"]
    assert not found["2"].is_address


def test_profiles(captured):
    thing = captured("template_small")
    found = from_template("lisbon", template_of(thing))
    assert (found.vcpu, found.cpu, found.memory_mib) == (1, 0.1, 128)
    offered = found.offered
    assert (offered.id, offered.name, offered.cpu.value) == ("0", "small", 1)
    assert (offered.memory_mib.value, offered.memory_mib.kind) == (128, "fixed")
    assert offered.extra["TEMPLATE"]["HYPERVISOR"] == "dummy"


def test_user_inputs():
    text = (
        "<VMTEMPLATE><ID>4</ID><NAME>t</NAME><TEMPLATE><MEMORY>{}</MEMORY><VCPU>2</VCPU>"
        "<USER_INPUTS><MEMORY>M|range||512..4096|1024</MEMORY><VCPU>O|list||1,2,4|1</VCPU>"
        "<CPU>nonsense</CPU></USER_INPUTS></TEMPLATE></VMTEMPLATE>"
    )
    offered = from_template("lisbon", template_of(document(text.format("768")))).offered
    memory, cpu = offered.memory_mib, offered.cpu
    assert (memory.value, memory.first, memory.last, memory.kind) == (768, 512, 4096, "range")
    assert (cpu.value, cpu.choices) == (2, (1, 2, 4))
    assert from_template("lisbon", template_of(document(text.format("")))).memory_mib == 1024
    bare = "<VMTEMPLATE><ID>4</ID><TEMPLATE><CPU>1</CPU></TEMPLATE></VMTEMPLATE>"
    assert from_template("lisbon", template_of(document(bare))) is None


def test_what_is_asked_for_beside_a_profile():
    text = (
        "<VMTEMPLATE><ID>4</ID><TEMPLATE><MEMORY>1024</MEMORY><VCPU>2</VCPU><CPU>0.5</CPU>"
        "<USER_INPUTS><MEMORY>M|range||512..4096|1024</MEMORY><VCPU>O|list||1,2,4|1</VCPU>"
        "</USER_INPUTS></TEMPLATE></VMTEMPLATE>"
    )
    profile = from_template("lisbon", template_of(document(text)))
    larger = sized(profile, Hardware(cpu=4, memory_mib=4096, storage_gb=9))
    assert (larger.vcpu, larger.cpu, larger.memory_mib, larger.storage_gb) == (4, 1, 4096, 9)
    assert sized(profile, Hardware()) == profile
    for wrong in (
        *(Hardware(cpu=3), Hardware(cpu=0), Hardware(cpu=1.5), Hardware(memory_mib=256)),
        *(Hardware(memory_mib=0), Hardware(architecture="x86_64")),
    ):
        with pytest.raises(InvalidRequest):
            sized(profile, wrong)
    plain = text.partition("<USER_INPUTS>")[0] + "</TEMPLATE></VMTEMPLATE>"
    fixed = from_template("lisbon", template_of(document(plain)))
    assert sized(fixed, Hardware(cpu=3, memory_mib=100)).memory_mib == 100


def test_rules(captured):
    pool = captured("secgrouppool")
    (web,) = [t for t in things(pool.element, pool.source, "SECURITY_GROUP") if t.id == "100"]
    told = attributes(web.element.find("TEMPLATE"))
    rules = rules_of([v for n, v in told if n == "RULE"])
    assert [(r.protocol, r.port_from, r.port_to, r.direction) for r in rules] == [
        ("tcp", 22, 22, Direction.INGRESS),
        ("tcp", 80, 80, Direction.INGRESS),
        ("tcp", 443, 443, Direction.INGRESS),
        ("icmp", 8, None, Direction.INGRESS),
        (None, None, None, Direction.EGRESS),
    ]
    assert len({r.id for r in rules}) == len(rules)
    assert rules_of([v for n, v in reversed(told) if n == "RULE"])[-1].id == rules[2].id


def test_sources_of_rules():
    base = {"PROTOCOL": "TCP", "RULE_TYPE": "inbound"}
    (block,) = rules_of([{**base, "IP": "10.0.0.0", "SIZE": "256"}])
    assert block.sources == (RuleSource(cidr="10.0.0.0/24"),)
    (uneven,) = rules_of([{**base, "IP": "10.0.0.1", "SIZE": "3"}])
    assert [s.cidr for s in uneven.sources] == ["10.0.0.1/32", "10.0.0.2/31"]
    (network,) = rules_of([{**base, "NETWORK_ID": "4"}])
    assert network.sources == (RuleSource(kind=SourceKind.GROUP, group="network:4"),)
    (odd,) = rules_of([{**base, "IP": "nowhere", "RANGE": "a:b"}])
    assert (odd.sources, odd.port_from) == ((), None)
    assert rules_of([base, {"PROTOCOL": "tcp", "RULE_TYPE": "INBOUND", "RANGE": ""}]) == (
        rules_of([base])
    )


def test_templates_hold_whatever_is_put_in():
    odd = "a\"b]… & <c> \\ 'é\n🚀"
    text = template([("NAME", odd), ("DISK", {"IMAGE_ID": "2", "NOTE": odd}), ("DISK", {"X": "y"})])
    assert attributes(parsed(text.encode())) == [
        ("NAME", odd),
        ("DISK", {"IMAGE_ID": "2", "NOTE": odd}),
        ("DISK", {"X": "y"}),
    ]
