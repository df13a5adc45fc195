"""New machines: how templates merge, what is refused, and how texts are read."""

from __future__ import annotations

import base64

import pytest

from anabranch.testing.simulation import Behaviour
from anabranch_opennebula.simulator.refusals import Refusal
from anabranch_opennebula.simulator.templates import Template


def test_a_machine_has_what_its_template_says(rpc):
    number = rpc.create()
    machine = rpc.document("vm.info", number)
    assert machine.findtext("NAME") == f"small-{number}"
    assert machine.findtext("TEMPLATE/TEMPLATE_ID") == "0"
    assert machine.findtext("TEMPLATE/CONTEXT/SSH_PUBLIC_KEY").startswith("ssh-ed25519 ")
    assert machine.findtext("TEMPLATE/CONTEXT/ETH0_IP") == machine.findtext("TEMPLATE/NIC/IP")
    assert machine.findtext("USER_TEMPLATE/DESCRIPTION") == "seed template"


def test_scalars_replace(rpc):
    number = rpc.create('CPU="0.7"\nMEMORY="300"\nOWNER_NOTE="mine"')
    template = rpc.document("vm.info", number)
    assert template.findtext("TEMPLATE/CPU") == "0.7"
    assert template.findtext("TEMPLATE/MEMORY") == "300"
    assert template.findtext("TEMPLATE/VCPU") == "1"
    assert template.findtext("USER_TEMPLATE/OWNER_NOTE") == "mine"


def test_any_disk_or_nic_replaces_all_of_that_kind(rpc):
    number = rpc.create('NIC=[NETWORK_ID="0"]\nNIC=[NETWORK_ID="0"]\nDISK=[TYPE="fs",SIZE="64"]')
    machine = rpc.document("vm.info", number)
    assert [n.findtext("NETWORK") for n in machine.iterfind("TEMPLATE/NIC")] == ["public"] * 2
    assert [d.findtext("SIZE") for d in machine.iterfind("TEMPLATE/DISK")] == ["64"]
    assert machine.find("TEMPLATE/DISK/IMAGE_ID") is None


def test_a_context_replaces_the_whole_context(rpc):
    number = rpc.create('CONTEXT=[HOSTNAME="web"]')
    context = rpc.document("vm.info", number).find("TEMPLATE/CONTEXT")
    assert {e.tag: e.text for e in context} == {"DISK_ID": "1", "HOSTNAME": "web", "TARGET": "hda"}


def test_a_nic_of_nothing_is_possible_only_without_a_template(rpc):
    number = rpc("vm.allocate", 'NAME="bare"\nCPU="1"\nMEMORY="64"', False)
    machine = rpc.document("vm.info", number)
    assert (machine.findtext("NAME"), machine.findtext("STATE")) == ("bare", "3")
    assert machine.find("TEMPLATE/NIC") is None
    unnamed = rpc("vm.allocate", 'CPU="1"\nMEMORY="64"', True)
    assert rpc.document("vm.info", unnamed).findtext("NAME") == f"one-{unnamed}"


TRICKY = 'a"b]\nsecond line é & <tag> \\ ]]> , ="x"'


def test_values_survive_in_xml(rpc):
    text = TRICKY.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    number = rpc.create(f"<TEMPLATE><NOTE>  {text}  </NOTE></TEMPLATE>")
    assert rpc.document("vm.info", number).findtext("USER_TEMPLATE/NOTE") == TRICKY


def test_values_survive_with_quotes_escaped(rpc):
    text = TRICKY.replace('"', '\\"')
    number = rpc.create(f'NOTE="{text}"\nCONTEXT=[A="{text}",B="2"]')
    machine = rpc.document("vm.info", number)
    assert machine.findtext("USER_TEMPLATE/NOTE") == TRICKY
    assert machine.findtext("TEMPLATE/CONTEXT/A") == TRICKY
    assert machine.findtext("TEMPLATE/CONTEXT/B") == "2"


def test_user_data(rpc):
    data = base64.b64encode(b"#cloud-config\n").decode()
    number = rpc.create(f'CONTEXT=[USER_DATA="{data}",USER_DATA_ENCODING="base64"]')
    assert rpc.document("vm.info", number).findtext("TEMPLATE/CONTEXT/USER_DATA") == data


def test_quotes_that_are_not_escaped_inject(rpc, refused):
    number = rpc.create('NOTE="x" CPU="3"')
    assert rpc.document("vm.info", number).findtext("TEMPLATE/CPU") == "3"
    with refused(8192, "Parse error"):
        rpc.create('CONTEXT=[NOTE="a"b]"]')


TEXTS = {
    "": [],
    "  # only a comment\n": [],
    'a="1"': [("A", "1")],
    'A = "1"\n\nB=2\n': [("A", "1"), ("B", "2")],
    'A="1" # why\nB="2"': [("A", "1"), ("B", "2")],
    'N=[x="1", Y = 2 ]': [("N", {"X": "1", "Y": "2"})],
    'N=[A="1"]\nN=[A="2"]': [("N", {"A": "1"}), ("N", {"A": "2"})],
    'A="two\nlines"': [("A", "two\nlines")],
    'A=""': [("A", "")],
    "<V><A>1</A><N><X> y </X></N><E/></V>": [("A", "1"), ("N", {"X": "y"}), ("E", "")],
    "<V><A><![CDATA[<&>]]></A></V>": [("A", "<&>")],
}


@pytest.mark.parametrize("text", TEXTS)
def test_texts(text):
    assert list(Template.parse(text)) == TEXTS[text]


@pytest.mark.parametrize(
    "text", ["A", "=1", 'A="1', "N=[A=1", 'N=["1"]', "<V><A></V>", 'N=[A="1" B="2"]', "a b=1", "]"]
)
def test_texts_that_are_none(text):
    with pytest.raises(Refusal, match="Parse error"):
        Template.parse(text)


@pytest.mark.parametrize("name", ['a"b', "a<b", "a>b", "a&b", "n" * 129, "{id}", "a/b"])
def test_names_that_are_refused(rpc, refused, name):
    with refused(16384, "Invalid NAME"):
        rpc.create(name=name)
    with refused(16384, "Invalid NAME"):
        rpc("vm.rename", 0, name)


@pytest.mark.parametrize("name", ["n" * 128, "two words", "machine 🚀", "a.b-c_d%e(f)[1]"])
def test_names_that_are_taken(rpc, name):
    number = rpc.create(name=name)
    assert rpc.document("vm.info", number).findtext("NAME") == name
    assert rpc.create(name=name) != number  # machines may share one


def test_an_empty_name_is_no_new_name(rpc, refused):
    with refused(16384, "cannot be empty"):
        rpc("vm.rename", 0, "")


@pytest.mark.parametrize(
    "extra",
    [
        'NIC=[NETWORK_ID="1",MAC="02:00:00:00:00:01"]',
        'CONTEXT=[FILES="/etc/passwd"]',
        'DISK=[IMAGE_ID="0",TOTAL_IOPS_SEC="9"]',
        'CPU_COST="0"',
        'RAW=[TYPE="kvm",DATA="x"]',
    ],
)
def test_restricted_attributes(rpc, admin, refused, extra):
    with refused(512, "restricted attribute"):
        rpc.create(extra)
    assert admin.create(extra) >= 0


def test_an_address_may_be_chosen(rpc, refused):
    number = rpc.create('NIC=[NETWORK_ID="1",IP="10.0.0.99"]')
    nic = rpc.document("vm.info", number).find("TEMPLATE/NIC")
    assert (nic.findtext("IP"), nic.findtext("MAC")) == ("10.0.0.99", "02:00:0a:00:00:63")
    for taken in ("10.0.0.99", "192.168.0.1", "x"):
        with refused(2048):
            rpc.create(f'NIC=[NETWORK_ID="1",IP="{taken}"]')


def test_addresses_of_both_kinds(rpc):
    number = rpc.create('NIC=[NETWORK_ID="1",IP="10.1.0.10"]')
    nic = rpc.document("vm.info", number).find("TEMPLATE/NIC")
    assert nic.findtext("IP6_GLOBAL") == "2001:db8:1::aff:fe01:a"
    assert nic.findtext("IP6_ULA").startswith("fd00:1::")
    assert nic.findtext("IP6_LINK").startswith("fe80::")


WRONG = {
    'DISK=[IMAGE_ID="99"]': 16384,
    'DISK=[IMAGE="nothing"]': 16384,
    'DISK=[TYPE="fs"]': 16384,
    'NIC=[NETWORK_ID="99"]': 16384,
    'NIC=[NETWORK="private"]': 16384,
    'NIC=[NETWORK_ID="1",SECURITY_GROUPS="77"]': 1024,
    'CPU="0"': 16384,
    'MEMORY="much"': 16384,
}


@pytest.mark.parametrize("extra", WRONG)
def test_what_is_not_there_cannot_be_used(rpc, refused, extra):
    before = rpc.document("vn.info", 1).findtext("USED_LEASES")
    with refused(WRONG[extra]):
        rpc.create(extra)
    assert rpc.document("vn.info", 1).findtext("USED_LEASES") == before


def test_images_and_networks_by_name(rpc):
    extra = 'DISK=[IMAGE="rocky-9",IMAGE_UNAME="oneadmin"]\n'
    number = rpc.create(extra + 'NIC=[NETWORK="public",NETWORK_UNAME="oneadmin"]')
    machine = rpc.document("vm.info", number)
    assert machine.findtext("TEMPLATE/DISK/IMAGE_ID") == "2"
    assert machine.findtext("TEMPLATE/NIC/NETWORK_ID") == "0"


def test_quotas(limited, refused):
    numbers = [limited.create() for _ in range(3)]
    with refused(512, "limit of 3 reached for VMS quota"):
        limited.create()
    limited("vm.action", "terminate-hard", numbers[0])
    limited("system.version")
    limited.create()


def test_a_persistent_machine_has_copies_of_its_own(cloud, clock, rpc, refused):
    cloud.behaviour = Behaviour(state_delay=4.0)
    number = rpc("template.instantiate", 0, "db", False, "", True)
    assert rpc.state(number)[0] == 10
    clock.now += 4.2
    assert rpc.state(number) == (1, 0)
    clock.now += 5
    assert rpc.state(number) == (3, 3)
    machine = rpc.document("vm.info", number)
    image = rpc.document("image.info", int(machine.findtext("TEMPLATE/DISK/IMAGE_ID")))
    assert (image.findtext("NAME"), image.findtext("STATE")) == ("db-disk-0", "8")
    template = rpc.document("template.info", int(machine.findtext("TEMPLATE/TEMPLATE_ID")))
    assert template.findtext("NAME") == "db"
    with refused(8192, "already taken"):
        rpc("template.instantiate", 0, "db", False, "", True)


def test_attributes_are_merged_or_replaced(rpc, refused):
    rpc("vm.update", 0, 'TOKEN="one"\nLABELS="a,b"', 1)
    user = rpc.document("vm.info", 0).find("USER_TEMPLATE")
    assert user.findtext("TOKEN") == "one"
    assert user.findtext("DESCRIPTION") == "seed template"
    short = rpc.document("vmpool.info", -2, 0, 0, -1).find("VM/USER_TEMPLATE")
    assert [e.tag for e in short] == ["LABELS"]
    rpc("vm.update", 0, 'TOKEN="two"', 0)
    user = rpc.document("vm.info", 0).find("USER_TEMPLATE")
    assert [(e.tag, e.text) for e in user] == [("TOKEN", "two")]
    rpc("vm.update", 0, "", 0)
    assert len(rpc.document("vm.info", 0).find("USER_TEMPLATE")) == 0
    with refused(4096):
        rpc("vm.update", 0, "", 2)


def test_a_machine_is_resized_when_it_does_not_run(cloud, rpc, refused):
    text = 'CPU="0.2"\nMEMORY="256"'
    with refused(2048, "RUNNING"):
        rpc("vm.resize", 0, text, False)
    rpc("vm.action", "poweroff", 0)
    rpc("system.version")
    rpc("vm.resize", 0, text, False)
    template = rpc.document("vm.info", 0).find("TEMPLATE")
    assert [template.findtext(n) for n in ("CPU", "MEMORY", "VCPU")] == ["0.2", "256", "1"]
    with refused(2048, "capacity"):
        rpc("vm.resize", 0, 'CPU="5000"', True)
    cloud.hypervisor.hot_resize = True
    rpc("vm.action", "resume", 0)
    rpc("system.version")
    rpc("vm.resize", 0, 'VCPU="2"', False)
    assert rpc.document("vm.info", 0).findtext("TEMPLATE/VCPU") == "2"


def test_a_template_names_its_image(rpc):
    text = 'NAME="named"\nCPU="1"\nMEMORY="64"\nDISK=[IMAGE="rocky-9",IMAGE_UNAME="oneadmin"]'
    number = rpc("template.allocate", text)
    assert rpc.document("template.info", number, False).find("TEMPLATE/DISK/IMAGE_ID") is None
    assert rpc.document("template.info", number, True).findtext("TEMPLATE/DISK/IMAGE_ID") == "2"
    rpc("template.update", number, 'CPU="1"', 0)
    template = rpc.document("template.info", number, True).find("TEMPLATE")
    assert [e.tag for e in template] == ["CPU"]


def test_a_machine_is_renamed(rpc):
    rpc("vm.rename", 0, "other name")
    assert rpc.document("vm.info", 0).findtext("NAME") == "other name"
    assert rpc.document("vmpool.info", -2, 0, 0, -1).findtext("VM/NAME") == "other name"


def test_templates_of_users(rpc, neighbour, refused):
    number = rpc("template.allocate", 'NAME="own"\nCPU="1"\nMEMORY="64"')
    with refused(16384, f"already taken by TEMPLATE {number}"):
        rpc("template.allocate", 'NAME="own"\nCPU="1"\nMEMORY="64"')
    assert neighbour("template.clone", 0, "own", False) > number  # unique for each owner
    rpc("template.update", number, 'MEMORY="128"', 1)
    copy = rpc("template.clone", number, "copy", False)
    rpc("template.rename", copy, "renamed")
    document = rpc.document("template.info", copy, False)
    assert document.findtext("NAME") == "renamed"
    assert document.findtext("TEMPLATE/MEMORY") == "128"
    with refused(512, "MANAGE TEMPLATE"):
        rpc("template.update", 0, 'MEMORY="1"', 0)
    rpc("template.delete", number, False)
    with refused(1024):
        rpc("template.info", number, False)
