"""A mock cloud, and one call of every operation."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from anabranch.cloud import Cloud
from anabranch.models import (
    AddressSpec,
    BlobSpec,
    BucketSpec,
    FirewallRuleSpec,
    FirewallSpec,
    ImageSpec,
    InstanceSpec,
    KeySpec,
    Listener,
    LoadBalancerSpec,
    NetworkInterfaceSpec,
    NetworkSpec,
    RuleSource,
    StorageSnapshotSpec,
    StorageVolumeSpec,
    SubnetSpec,
)
from anabranch_mock import driver as the_driver


@pytest.fixture
def driver():
    return the_driver


@pytest.fixture
async def make_cloud() -> AsyncIterator[Callable[..., Cloud[Any]]]:
    """Make a cloud with these settings; it is closed in the end."""
    made = []

    def make(**settings: object) -> Cloud[Any]:
        name = f"mock{len(made) + 1}"
        entry = {"driver": "mock", **settings}
        made.append(Cloud(name, the_driver.configure(name, entry, {})))
        return made[-1]

    yield make
    for cloud in made:
        await cloud.aclose()


@pytest.fixture
def cloud(make_cloud) -> Cloud[Any]:
    return make_cloud()


async def _content(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.fixture
def content():
    """Bytes as they arrive."""
    return _content


@pytest.fixture
def all_of(driver):
    """Walk through the pages of a list, and return them."""

    async def walk(cloud, operation, **arguments):
        pages, cursor = [], None
        while True:
            page = await getattr(driver, operation)(cloud=cloud, cursor=cursor, **arguments)
            pages.append(page)
            if page.cursor is None:
                return pages
            cursor = page.cursor

    return walk


# Arguments of one good call of each operation, on the data set `deltacloud`; those of which
# another must come first are called with ids that do not exist.
_BLOB = BlobSpec(bucket_id="bucket1", name="new")
_EXAMPLES = {
    "list_realms": {"cursor": None},
    "get_realm": {"realm_id": "us"},
    "list_hardware_profiles": {"cursor": None},
    "get_hardware_profile": {"hardware_profile_id": "m1-large"},
    "list_images": {"cursor": None, "where": {}},
    "get_image": {"image_id": "img1"},
    "create_image": {"spec": ImageSpec(instance_id="inst0", name="copy")},
    "destroy_image": {"image_id": "img2"},
    "list_instances": {"cursor": None, "where": {}},
    "get_instance": {"instance_id": "inst0"},
    "create_instance": {"spec": InstanceSpec(image_id="img1")},
    "create_instances": {"spec": InstanceSpec(image_id="img1"), "count": 2},
    "start_instance": {"instance_id": "inst0"},
    "stop_instance": {"instance_id": "inst0"},
    "reboot_instance": {"instance_id": "inst1", "hard": False},
    "rename_instance": {"instance_id": "inst0", "name": "other"},
    "resize_instance": {"instance_id": "inst0", "hardware_profile_id": "m1-small"},
    "destroy_instance": {"instance_id": "inst0"},
    "get_instance_console": {"instance_id": "inst1", "kind": None},
    "set_instance_tags": {"instance_id": "inst0", "tags": {"a": "b"}},
    "list_keys": {"cursor": None},
    "get_key": {"key_id": "test-key"},
    "create_key": {"spec": KeySpec(name="mine")},
    "destroy_key": {"key_id": "test-key"},
    "list_firewalls": {"cursor": None},
    "get_firewall": {"firewall_id": "fw1"},
    "create_firewall": {"spec": FirewallSpec(name="mine")},
    "destroy_firewall": {"firewall_id": "fw1"},
    "add_firewall_rule": {
        "firewall_id": "fw1",
        "spec": FirewallRuleSpec(
            protocol="tcp", port_from=443, port_to=443, sources=(RuleSource(cidr="::/0"),)
        ),
    },
    "remove_firewall_rule": {"firewall_id": "fw1", "rule_id": "rule1"},
    "list_addresses": {"cursor": None},
    "get_address": {"address_id": "192.168.0.1"},
    "create_address": {"spec": AddressSpec()},
    "destroy_address": {"address_id": "192.168.0.2"},
    "associate_address": {"address_id": "192.168.0.2", "instance_id": "inst0"},
    "disassociate_address": {"address_id": "192.168.0.1"},
    "list_load_balancers": {"cursor": None},
    "get_load_balancer": {"load_balancer_id": "lb1"},
    "create_load_balancer": {
        "spec": LoadBalancerSpec(
            name="mine",
            listeners=(Listener(protocol="TCP", load_balancer_port=80, instance_port=8080),),
        )
    },
    "destroy_load_balancer": {"load_balancer_id": "lb1"},
    "register_instance": {"load_balancer_id": "lb1", "instance_id": "inst2"},
    "unregister_instance": {"load_balancer_id": "lb1", "instance_id": "inst1"},
    "list_storage_volumes": {"cursor": None},
    "get_storage_volume": {"storage_volume_id": "vol1"},
    "create_storage_volume": {"spec": StorageVolumeSpec(capacity_gb=2, name="data")},
    "destroy_storage_volume": {"storage_volume_id": "vol2"},
    "attach_storage_volume": {
        "storage_volume_id": "vol1",
        "instance_id": "inst0",
        "device": None,
    },
    "detach_storage_volume": {"storage_volume_id": "vol3"},
    "list_storage_snapshots": {"cursor": None},
    "get_storage_snapshot": {"storage_snapshot_id": "snap1"},
    "create_storage_snapshot": {"spec": StorageSnapshotSpec(storage_volume_id="vol1")},
    "destroy_storage_snapshot": {"storage_snapshot_id": "snap1"},
    "list_networks": {"cursor": None},
    "get_network": {"network_id": "net1"},
    "create_network": {"spec": NetworkSpec(name="mine", address_block="172.16.0.0/12")},
    "destroy_network": {"network_id": "net2"},
    "list_subnets": {"cursor": None},
    "get_subnet": {"subnet_id": "subnet1"},
    "create_subnet": {"spec": SubnetSpec(network_id="net1", address_block="192.168.9.0/24")},
    "destroy_subnet": {"subnet_id": "subnet4"},
    "list_network_interfaces": {"cursor": None},
    "get_network_interface": {"network_interface_id": "nic1"},
    "create_network_interface": {
        "spec": NetworkInterfaceSpec(instance_id="inst0", network_id="net1")
    },
    "destroy_network_interface": {"network_interface_id": "nic1"},
    "list_buckets": {"cursor": None},
    "get_bucket": {"bucket_id": "bucket1"},
    "create_bucket": {"spec": BucketSpec(name="mine")},
    "destroy_bucket": {"bucket_id": "bucket2"},
    "list_blobs": {"cursor": None, "bucket_id": "bucket1"},
    "get_blob": {"bucket_id": "bucket1", "blob_id": "blob1"},
    "open_blob": {"bucket_id": "bucket1", "blob_id": "blob1"},
    "create_blob": {"spec": _BLOB},
    "set_blob_metadata": {"bucket_id": "bucket1", "blob_id": "blob1", "metadata": {"a": "b"}},
    "destroy_blob": {"bucket_id": "bucket1", "blob_id": "blob2"},
    "begin_blob_upload": {"spec": _BLOB},
    "upload_blob_segment": {"spec": _BLOB, "upload_id": "upload1", "order": 1},
    "complete_blob_upload": {"spec": _BLOB, "upload_id": "upload1", "segments": ()},
    "abort_blob_upload": {"spec": _BLOB, "upload_id": "upload1"},
    "list_metrics": {"cursor": None},
    "get_metric": {"metric_id": "inst0"},
    "list_quotas": {"cursor": None},
    "check": {},
    "probe": {},
}


@pytest.fixture(params=_EXAMPLES)
def example(request, driver):
    """Each operation: its name, and a function that calls it."""
    name, arguments = request.param, dict(_EXAMPLES[request.param])

    async def perform(cloud):
        if name in ("create_blob", "upload_blob_segment"):
            arguments["content"] = _content(b"new")
        return await getattr(driver, name)(cloud=cloud, **arguments)

    return name, perform


@pytest.fixture
def example_names():
    return set(_EXAMPLES)
