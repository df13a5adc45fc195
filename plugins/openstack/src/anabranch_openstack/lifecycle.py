"""Hooks about a cloud as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anabranch.features import Feature
from anabranch.hooks import CloudIdentity, DiscoveredCloud, Lacks, hookimpl
from anabranch.hooks.lifecycle import LifecycleSpec
from anabranch_openstack.catalog import (
    BLOCK_STORAGE,
    COMPUTE,
    IMAGE,
    LOAD_BALANCER,
    METRIC,
    NETWORK,
    OBJECT_STORE,
    Service,
)
from anabranch_openstack.client import OpenStackCloud, session
from anabranch_openstack.discover import find_clouds
from anabranch_openstack.identity import keystone_url
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["Lifecycle"]

_OPERATIONS: Final[Mapping[Service, tuple[str, ...]]] = {
    COMPUTE: (
        "attach_storage_volume",
        "create_image",
        "create_instance",
        "create_instances",
        "create_key",
        "create_network_interface",
        "destroy_instance",
        "destroy_key",
        "detach_storage_volume",
        "get_hardware_profile",
        "get_instance",
        "get_instance_console",
        "get_key",
        "get_realm",
        "list_hardware_profiles",
        "list_instances",
        "list_keys",
        "list_realms",
        "reboot_instance",
        "rename_instance",
        "resize_instance",
        "set_instance_tags",
        "start_instance",
        "stop_instance",
    ),
    IMAGE: ("create_image", "destroy_image", "get_image", "list_images"),
    NETWORK: (
        "add_firewall_rule",
        "associate_address",
        "create_address",
        "create_firewall",
        "create_network",
        "create_network_interface",
        "create_subnet",
        "destroy_address",
        "destroy_firewall",
        "destroy_network",
        "destroy_network_interface",
        "destroy_subnet",
        "disassociate_address",
        "get_address",
        "get_firewall",
        "get_network",
        "get_network_interface",
        "get_subnet",
        "list_addresses",
        "list_firewalls",
        "list_network_interfaces",
        "list_networks",
        "list_subnets",
        "register_instance",
        "remove_firewall_rule",
    ),
    LOAD_BALANCER: (
        "create_load_balancer",
        "destroy_load_balancer",
        "get_load_balancer",
        "list_load_balancers",
        "register_instance",
        "unregister_instance",
    ),
    BLOCK_STORAGE: (
        "attach_storage_volume",
        "create_storage_snapshot",
        "create_storage_volume",
        "destroy_storage_snapshot",
        "destroy_storage_volume",
        "detach_storage_volume",
        "get_storage_snapshot",
        "get_storage_volume",
        "list_storage_snapshots",
        "list_storage_volumes",
    ),
    OBJECT_STORE: (
        "abort_blob_upload",
        "begin_blob_upload",
        "complete_blob_upload",
        "create_blob",
        "create_bucket",
        "destroy_blob",
        "destroy_bucket",
        "get_blob",
        "get_bucket",
        "list_blobs",
        "list_buckets",
        "open_blob",
        "set_blob_metadata",
        "upload_blob_segment",
    ),
    METRIC: ("get_metric", "list_metrics"),
}
"""What is done with which service."""

_FEATURES: Final[Mapping[Service, tuple[tuple[str, Feature], ...]]] = {
    NETWORK: tuple(
        (operation, feature)
        for operation in ("create_instance", "create_instances")
        for feature in (Feature.FIREWALLS, Feature.NETWORKS)
    )
}


class Lifecycle(LifecycleSpec[OpenStackSettings]):
    """Discovery, check and probe."""

    @hookimpl
    async def discover(self, environment: Mapping[str, str]) -> list[DiscoveredCloud]:
        return await find_clouds(environment)

    @hookimpl
    async def check(self, cloud: OpenStackCloud) -> CloudIdentity:
        keystone = session(cloud)
        access = await keystone.access()
        user = access.user.name or access.user.id
        project = access.project.name or access.project.id if access.project else ""
        version = await keystone.compute_version() if await keystone.offers(COMPUTE) else ""
        return CloudIdentity(
            account=f"{user} (project {project})" if project else user,
            endpoint=keystone_url(cloud.settings.auth.auth_url),
            version=f"compute {version}" if version else "",
            owner_id=access.project.id if access.project else None,
        )

    @hookimpl
    async def probe(self, cloud: OpenStackCloud) -> Lacks:
        keystone = session(cloud)
        operations: dict[str, str] = {}
        features: dict[tuple[str, Feature], str] = {}
        for service in {**_OPERATIONS, **_FEATURES}:
            if not await keystone.offers(service):
                reason = f"the catalog has no service of type {service.types[0]!r}"
                operations.update(dict.fromkeys(_OPERATIONS.get(service, ()), reason))
                features.update(dict.fromkeys(_FEATURES.get(service, ()), reason))
        return Lacks(operations=operations, features=features)
