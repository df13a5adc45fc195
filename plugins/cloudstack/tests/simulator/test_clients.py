"""The platform's own clients use the simulator unmodified: `cs` and apache-libcloud."""

from __future__ import annotations

import warnings
from urllib.parse import urlsplit

import pytest

from anabranch.testing.simulation import Behaviour, serve
from anabranch_cloudstack.simulator import simulator

cs = pytest.importorskip("cs")
libcloud = pytest.importorskip("libcloud")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from libcloud.common.types import InvalidCredsError, ProviderError
    from libcloud.compute.providers import get_driver
    from libcloud.compute.types import NodeState, Provider
    from libcloud.loadbalancer.base import Algorithm, Member
    from libcloud.loadbalancer.providers import get_driver as get_balancer_driver
    from libcloud.loadbalancer.types import Provider as BalancerProvider

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # requests leaves its pools to the gc
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICGuyAXl8c+sHJH3ubhRiY1wSpQT7nR3LL4kSVPvcV+B root@vm"


@pytest.fixture
def cloud():
    cloud = simulator.cloud("lisbon", instances=25, behaviour=Behaviour(state_delay=0.02))
    offerings = cloud.state.service_offerings
    for offering in [o for o in offerings.values() if o.customized]:
        del offerings[offering.id]  # libcloud lists no sizes where one has no figures
    return cloud


@pytest.fixture
def settings(cloud):
    with serve([cloud]) as urls:
        yield cloud.settings(urls["lisbon"])


@pytest.fixture(params=["get", "post"])
def exoscale(request, settings):
    return cs.CloudStack(
        endpoint=settings["endpoint"],
        key=settings["key"],
        secret=settings["secret"],
        method=request.param,
        poll_interval=0.02,
        fetch_result=True,
    )


def place(settings):
    url = urlsplit(settings["endpoint"])
    return {
        "key": settings["key"],
        "secret": settings["secret"],
        "secure": False,
        "host": url.hostname,
        "port": url.port,
        "path": url.path,
    }


@pytest.fixture
def compute(settings):
    driver = get_driver(Provider.CLOUDSTACK)(**place(settings))
    driver.connection.poll_interval = 0.02
    return driver


@pytest.fixture
def balancing(settings):
    driver = get_balancer_driver(BalancerProvider.CLOUDSTACK)(**place(settings))
    driver.connection.poll_interval = 0.02
    return driver


# ------------------------------------------------------------------------------------------- cs


def test_cs_lists_everything_page_by_page(cloud, exoscale):
    machines = exoscale.listVirtualMachines(fetch_list=True)
    assert len({machine["id"] for machine in machines}) == 25
    assert exoscale.listZones()["count"] == 3
    templates = exoscale.listTemplates(templatefilter="executable", fetch_list=True)
    assert {t["name"] for t in templates} == {"ubuntu-24.04", "debian-12", "golden"}
    assert exoscale.listSnapshots(fetch_list=True) == []


def test_cs_makes_changes_and_removes_a_machine(cloud, exoscale):
    zone = exoscale.listZones(name="adv-1")["zone"][0]["id"]
    offering = exoscale.listServiceOfferings(name="Small Instance")["serviceoffering"][0]["id"]
    template = exoscale.listTemplates(templatefilter="featured", zoneid=zone)["template"][0]["id"]
    key = exoscale.createSSHKeyPair(name="k1")["keypair"]
    machine = exoscale.deployVirtualMachine(
        name="vm1",
        displayname="R&D <1> é*",
        zoneid=zone,
        serviceofferingid=offering,
        templateid=template,
        keypair=key["name"],
        rootdisksize=10,
    )["virtualmachine"]
    assert (machine["state"], machine["keypairs"]) == ("Running", "k1")
    assert machine["displayname"] == "R&D <1> é*"
    tags = [{"key": "a b", "value": "c=d"}]
    exoscale.createTags(resourceids=[machine["id"]], resourcetype="UserVm", tags=tags)
    found = exoscale.listVirtualMachines(tags=tags)
    assert [row["id"] for row in found["virtualmachine"]] == [machine["id"]]
    assert exoscale.stopVirtualMachine(id=machine["id"])["virtualmachine"]["state"] == "Stopped"
    assert exoscale.startVirtualMachine(id=machine["id"])["virtualmachine"]["state"] == "Running"
    exoscale.destroyVirtualMachine(id=machine["id"], expunge=True)
    assert exoscale.listVirtualMachines(id=machine["id"]) == {}
    assert exoscale.deleteSSHKeyPair(name="k1") == {"success": True}


def test_cs_hears_what_is_refused_and_what_fails(cloud, exoscale):
    with pytest.raises(cs.CloudStackApiException) as refused:
        exoscale.startVirtualMachine(id="nobody")
    assert refused.value.error["errorcode"] == 431
    with pytest.raises(cs.CloudStackException):
        exoscale.startVirtualMachine(id=cloud.machines[0].id)
    with pytest.raises(cs.CloudStackException):
        exoscale.listHosts()


def test_cs_signs_tildes_otherwise_than_the_server(exoscale):
    """A known fault of `cs`: the real server refuses it as well."""
    with pytest.raises(cs.CloudStackApiException) as refused:
        exoscale.listVirtualMachines(keyword="~")
    assert refused.value.error["errorcode"] == 401


# -------------------------------------------------------------------------------------- libcloud


def test_libcloud_lists_what_there_is(compute):
    assert [location.name for location in compute.list_locations()] == ["adv-1", "basic-1", "off-1"]
    assert {size.name for size in compute.list_sizes()} >= {"Small Instance", "Large Instance"}
    assert {image.name for image in compute.list_images()} == {
        "ubuntu-24.04",
        "debian-12",
        "golden",
    }
    nodes = compute.list_nodes()
    assert len(nodes) == 25
    assert {node.state for node in nodes} == {NodeState.RUNNING, NodeState.STOPPED}
    assert nodes[0].private_ips == ["10.1.0.2"]
    assert compute.ex_get_node(nodes[0].id).name == nodes[0].name
    assert compute.ex_limits()["max_public_ips"] == 20
    with pytest.raises(ProviderError, match="listRouters"):
        compute.ex_list_routers()


def test_libcloud_runs_a_machine_and_all_that_belongs_to_it(compute, balancing):
    location, size = compute.list_locations()[0], compute.list_sizes()[0]
    image, network = compute.list_images()[0], compute.ex_list_networks()[1]
    compute.create_key_pair("k1")
    assert compute.import_key_pair_from_string("k2", KEY).fingerprint.startswith("cc:7c:75")
    assert {pair.name for pair in compute.list_key_pairs()} == {"demo-key", "k1", "k2"}
    node = compute.create_node(
        name="vm1",
        size=size,
        image=image,
        location=location,
        networks=[network],
        ex_keyname="k1",
        ex_userdata="hello * world",
        ex_start_vm=True,
    )
    assert node.state == NodeState.RUNNING
    compute.ex_stop(node)
    compute.ex_start(node)
    assert compute.reboot_node(node)
    volumes(compute, node, location)
    addresses(compute, node, location, network)
    balancers(balancing, node, location, network)
    networks(compute, node, location)
    assert compute.ex_create_tags([node.id], "UserVm", {"Region": "Canada"})
    assert compute.ex_delete_tags([node.id], "UserVm", ["Region"])
    assert compute.destroy_node(node, ex_expunge=True)
    assert node.id not in {other.id for other in compute.list_nodes()}
    compute.delete_key_pair(compute.get_key_pair("k1"))  # wants the text "true", as of old
    assert {pair.name for pair in compute.list_key_pairs()} == {"demo-key", "k2"}


def volumes(compute, node, location):
    volume = compute.create_volume(5, "v1", location=location, ex_volume_type="Small")
    assert compute.attach_volume(node, volume)
    attached = next(v for v in compute.list_volumes(node) if v.id == volume.id)
    assert (attached.size, attached.extra["instance_id"]) == (5 << 30, node.id)
    snapshot = compute.create_volume_snapshot(volume, "s1")
    assert [s.id for s in compute.list_snapshots()] == [snapshot.id]
    assert compute.destroy_volume_snapshot(snapshot)
    assert compute.detach_volume(volume)
    assert compute.destroy_volume(volume)


def addresses(compute, node, location, network):
    group = compute.ex_create_security_group("sg1", description="d")
    compute.ex_authorize_security_group_ingress("sg1", "TCP", "0.0.0.0/0", 22, 22)
    listed = next(g for g in compute.ex_list_security_groups() if g["id"] == group["id"])
    assert compute.ex_revoke_security_group_ingress(listed["ingressrule"][0]["ruleid"])
    assert compute.ex_delete_security_group("sg1")
    address = compute.ex_allocate_public_ip(location=location)
    assert address.id in {a.id for a in compute.ex_list_public_ips()}
    rule = compute.ex_create_firewall_rule(address, "10.0.0.0/8", "tcp", start_port=22, end_port=23)
    assert [r.id for r in compute.ex_list_firewall_rules()] == [rule.id]
    assert compute.ex_delete_firewall_rule(rule)
    egress = compute.ex_create_egress_firewall_rule(network.id, "10.1.0.0/16", "tcp", 1, 100)
    assert [r.id for r in compute.ex_list_egress_firewall_rules()] == [egress.id]
    assert compute.ex_delete_egress_firewall_rule(egress)
    compute.ex_create_port_forwarding_rule(node, address, 22, 2222, "tcp", openfirewall=False)
    (forwarding,) = compute.ex_list_port_forwarding_rules()
    assert (forwarding.public_port, forwarding.private_port) == ("2222", "22")
    assert compute.ex_delete_port_forwarding_rule(node, forwarding)
    assert compute.ex_release_public_ip(address)


def balancers(balancing, node, location, network):
    balancer = balancing.create_balancer(
        name="web",
        members=[Member(node.id, node.private_ips[0], 80)],
        protocol="tcp",
        port=80,
        algorithm=Algorithm.ROUND_ROBIN,
        location=location,
        network_id=network.id,
    )
    assert [b.id for b in balancing.list_balancers()] == [balancer.id]
    (member,) = balancer.list_members()
    assert member.ip == node.private_ips[0]
    assert balancer.detach_member(member)
    assert balancer.attach_member(member)
    balancing.destroy_balancer(balancer)
    assert balancing.list_balancers() == []


def networks(compute, node, location):
    offerings = {offering.name: offering for offering in compute.ex_list_network_offerings()}
    isolated = offerings["DefaultIsolatedNetworkOfferingWithSourceNatService"]
    network = compute.ex_create_network("net2", "net two", isolated, location)
    assert compute.ex_delete_network(network)
    vpc = compute.ex_create_vpc(
        cidr="10.9.0.0/16",
        display_text="x",
        name="vpc1",
        vpc_offering=compute.ex_list_vpc_offerings()[0],
        zone_id=location.id,
    )
    assert [v.id for v in compute.ex_list_vpcs()] == [vpc.id]
    acl = compute.ex_create_network_acllist("acl1", vpc.id, "described")
    assert {a.name for a in compute.ex_list_network_acllists()} > {"acl1"}
    item = compute.ex_create_network_acl("tcp", acl.id, "0.0.0.0/0", 80, 80, "Allow", "Ingress")
    assert [i.id for i in compute.ex_list_network_acl()] == [item.id]
    tier = compute.ex_create_network(
        "tier1",
        "t",
        offerings["DefaultIsolatedNetworkOfferingForVpcNetworks"],
        location,
        gateway="10.9.1.1",
        netmask="255.255.255.0",
        vpc_id=vpc.id,
    )
    assert compute.ex_replace_network_acllist(acl.id, tier.id)
    assert compute.ex_attach_nic_to_node(node, tier)
    first, second = compute.ex_list_nics(node)
    assert (first.network_id == tier.id, second.network_id == tier.id) == (False, True)
    assert compute.ex_detach_nic_from_node(second, node)
    assert compute.ex_delete_network(tier)
    assert compute.ex_delete_vpc(vpc)


def test_libcloud_with_a_wrong_secret(settings):
    driver = get_driver(Provider.CLOUDSTACK)(**{**place(settings), "secret": "wrong"})
    with pytest.raises(InvalidCredsError):
        driver.list_nodes()
