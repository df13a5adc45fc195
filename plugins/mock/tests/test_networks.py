"""Networks, subnets and interfaces; metrics and quotas."""

import itertools

import pytest

from anabranch.errors import Conflict, InvalidRequest, NotFound, QuotaExceeded
from anabranch.models import (
    InstanceSpec,
    NetworkInterfaceSpec,
    NetworkSpec,
    SubnetSpec,
)


async def test_a_network_with_all_that_is_on_it(driver, cloud):
    network = await driver.create_network(
        cloud, NetworkSpec(name="mine", address_block="172.16.0.0/12", realm_id="eu")
    )
    assert (network.id, network.state, network.external) == ("net3", "UP", False)
    subnet = await driver.create_subnet(
        cloud, SubnetSpec(network_id="net3", address_block="172.16.1.0/24", name="first")
    )
    assert (subnet.id, subnet.gateway, subnet.kind) == ("subnet5", "172.16.1.1", "PRIVATE")
    assert (await driver.get_network(cloud, "net3")).subnet_ids == ("subnet5",)
    nic = await driver.create_network_interface(
        cloud, NetworkInterfaceSpec(instance_id="inst0", network_id="net3", name="eth1")
    )
    assert (nic.ip_addresses, nic.subnet_id, nic.name) == (("172.16.1.2",), "subnet5", "eth1")
    assert nic.mac_address == "52:54:00:00:00:03"
    instance = await driver.get_instance(cloud, "inst0")
    assert instance.network_interface_ids == (nic.id,)
    assert instance.private_addresses[-1].address == "172.16.1.2"

    with pytest.raises(Conflict, match="has subnets: subnet5"):
        await driver.destroy_network(cloud, "net3")
    with pytest.raises(Conflict, match="in use by network interface 'nic3'"):
        await driver.destroy_subnet(cloud, "subnet5")
    await driver.destroy_network_interface(cloud, nic.id)
    instance = await driver.get_instance(cloud, "inst0")
    assert instance.network_interface_ids == ()
    assert "172.16.1.2" not in [a.address for a in instance.private_addresses]
    await driver.destroy_subnet(cloud, "subnet5")
    await driver.destroy_network(cloud, "net3")
    for operation, gone in [
        (driver.get_network, "net3"),
        (driver.destroy_network, "net3"),
        (driver.get_subnet, "subnet5"),
        (driver.destroy_subnet, "subnet5"),
        (driver.get_network_interface, "nic3"),
        (driver.destroy_network_interface, "nic3"),
    ]:
        with pytest.raises(NotFound, match=gone):
            await operation(cloud, gone)


async def test_a_network_whose_addresses_are_in_use_stays(driver, cloud):
    for subnet_id, nic_id in (("subnet1", "nic1"), ("subnet2", "nic2")):
        await driver.destroy_network_interface(cloud, nic_id)
        await driver.destroy_subnet(cloud, subnet_id)
    with pytest.raises(Conflict, match="addresses of network 'net1'"):
        await driver.destroy_network(cloud, "net1")


@pytest.mark.parametrize(
    ("operation", "spec", "error", "named"),
    [
        ("network", NetworkSpec(address_block="x"), InvalidRequest, "address_block"),
        ("network", NetworkSpec(realm_id="x"), InvalidRequest, "realm_id"),
        ("network", NetworkSpec(name="x" * 300), InvalidRequest, "name"),
        ("subnet", SubnetSpec(network_id="x", address_block="10.0.0.0/8"), InvalidRequest, "'x'"),
        ("subnet", SubnetSpec(network_id="net1", address_block="y"), InvalidRequest, "'y'"),
        (
            "subnet",
            SubnetSpec(network_id="net1", address_block="10.9.0.0/24"),
            InvalidRequest,
            "not within 192.168.0.0/16",
        ),
        (
            "subnet",
            SubnetSpec(network_id="net1", address_block="fd00::/64"),
            InvalidRequest,
            "not within",
        ),
        (
            "subnet",
            SubnetSpec(network_id="net1", address_block="192.168.1.128/25"),
            Conflict,
            "overlaps 192.168.1.0/24 of subnet 'subnet1'",
        ),
        (
            "network_interface",
            NetworkInterfaceSpec(instance_id="x", network_id="net1"),
            InvalidRequest,
            "instance_id",
        ),
        (
            "network_interface",
            NetworkInterfaceSpec(instance_id="inst0", network_id="x"),
            InvalidRequest,
            "network_id",
        ),
        (
            "network_interface",
            NetworkInterfaceSpec(instance_id="inst0", network_id="net1", subnet_id="x"),
            InvalidRequest,
            "subnet_id",
        ),
        (
            "network_interface",
            NetworkInterfaceSpec(instance_id="inst0", network_id="net1", subnet_id="subnet3"),
            InvalidRequest,
            "not of network 'net1'",
        ),
    ],
)
async def test_what_cannot_be_made(operation, spec, error, named, driver, cloud):
    with pytest.raises(error, match=named):
        await getattr(driver, f"create_{operation}")(cloud, spec)


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("192.168.1.2", Conflict),
        ("192.168.1.1", Conflict),
        ("192.168.1.0", InvalidRequest),
        ("192.168.1.255", InvalidRequest),
        ("10.0.0.1", InvalidRequest),
        ("x", InvalidRequest),
        ("192.168.1.77", None),
    ],
)
async def test_a_chosen_address(address, error, driver, cloud):
    spec = NetworkInterfaceSpec(
        instance_id="inst0", network_id="net1", subnet_id="subnet1", ip_address=address
    )
    if error is None:
        assert (await driver.create_network_interface(cloud, spec)).ip_addresses == (address,)
    else:
        with pytest.raises(error, match=address):
            await driver.create_network_interface(cloud, spec)


async def test_a_network_may_have_no_block_of_its_own(driver, cloud):
    network = await driver.create_network(cloud, NetworkSpec())
    assert (network.name, network.address_blocks) == ("net3", ())
    spec = SubnetSpec(network_id="net3", address_block="fd00::/64")
    assert (await driver.create_subnet(cloud, spec)).gateway == "fd00::1"


async def test_quotas_say_what_is_used(driver, make_cloud):
    cloud = make_cloud(quotas={"instances": 5, "networks": 2})
    await driver.create_instance(cloud, InstanceSpec(image_id="img1"))
    quotas = {quota.id: quota for quota in (await driver.list_quotas(cloud, None)).items}
    assert (quotas["instances"].used, quotas["instances"].limit) == (5, 5)
    assert (quotas["cpus"].used, quotas["cpus"].limit) == (5, None)
    assert (quotas["memory"].used, quotas["memory"].unit) == (12288 + 10240 + 3 * 1740, "MiB")
    assert (quotas["blob_bytes"].used, quotas["blob_bytes"].unit) == (5 * 17, "bytes")
    with pytest.raises(QuotaExceeded, match=r"1 more instance.*5 of 5"):
        await driver.create_instance(cloud, InstanceSpec(image_id="img1"))
    with pytest.raises(QuotaExceeded):
        await driver.create_network(cloud, NetworkSpec())


async def test_metrics(driver, cloud):
    listed = (await driver.list_metrics(cloud, None)).items
    assert [metric.id for metric in listed] == ["inst0", "inst1", "inst2", "inst3"]
    assert not any(series.samples for metric in listed for series in metric.series)
    metric = await driver.get_metric(cloud, "inst0")
    assert [series.name for series in metric.series] == [s.name for s in listed[0].series]
    cpu = metric.series[0]
    assert (cpu.name, cpu.unit, len(cpu.samples)) == ("cpuUtilization", "Percent", 12)
    times = [sample.timestamp for sample in cpu.samples]
    assert {(b - a).total_seconds() for a, b in itertools.pairwise(times)} == {300}
    for sample in cpu.samples:
        assert 0 <= sample.minimum <= sample.average <= sample.maximum <= 100
    again = await driver.get_metric(cloud, "inst0")
    known = {sample.timestamp: sample for sample in again.series[0].samples}
    assert all(known[sample.timestamp] == sample for sample in cpu.samples[1:])
    with pytest.raises(NotFound):
        await driver.get_metric(cloud, "inst9")


async def test_metrics_in_detail(driver, cloud):
    made = await driver.create_instance(cloud, InstanceSpec(image_id="img1", metrics=True))
    first, second, *_ = (await driver.get_metric(cloud, made.id)).series[0].samples
    assert (second.timestamp - first.timestamp).total_seconds() == 60
