"""Which commands each operation needs, for the key's role may lack any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anabranch.features import Feature

__all__ = ["COMMANDS", "FEATURE_COMMANDS"]

_JOB: Final = "queryAsyncJobResult"

COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "list_realms": ("listZones",),
    "get_realm": ("listZones",),
    "list_hardware_profiles": ("listServiceOfferings",),
    "get_hardware_profile": ("listServiceOfferings",),
    "list_images": ("listTemplates", "listIsos"),
    "get_image": ("listTemplates", "listIsos"),
    "create_image": ("listVirtualMachines", "listVolumes", "createTemplate", _JOB),
    "destroy_image": ("deleteTemplate", _JOB),
    "list_instances": ("listVirtualMachines",),
    "get_instance": ("listVirtualMachines",),
    "create_instance": ("deployVirtualMachine", "listZones", _JOB),
    "start_instance": ("listVirtualMachines", "startVirtualMachine", _JOB),
    "stop_instance": ("listVirtualMachines", "stopVirtualMachine", _JOB),
    "reboot_instance": ("listVirtualMachines", "rebootVirtualMachine", _JOB),
    "rename_instance": ("listVirtualMachines", "updateVirtualMachine"),
    "resize_instance": ("listVirtualMachines", "changeServiceForVirtualMachine"),
    "destroy_instance": ("destroyVirtualMachine",),
    "get_instance_console": ("createConsoleEndpoint",),
    "set_instance_tags": ("listVirtualMachines", "createTags", "deleteTags", _JOB),
    "list_keys": ("listSSHKeyPairs",),
    "get_key": ("listSSHKeyPairs",),
    "create_key": ("createSSHKeyPair",),
    "destroy_key": ("deleteSSHKeyPair",),
    "list_firewalls": (
        "listSecurityGroups",
        "listPublicIpAddresses",
        "listFirewallRules",
        "listNetworkACLLists",
        "listNetworkACLs",
    ),
    "get_firewall": ("listSecurityGroups",),
    "create_firewall": ("createSecurityGroup",),
    "destroy_firewall": ("deleteSecurityGroup",),
    "add_firewall_rule": ("listSecurityGroups", "authorizeSecurityGroupIngress", _JOB),
    "remove_firewall_rule": ("listSecurityGroups", "revokeSecurityGroupIngress", _JOB),
    "list_addresses": ("listPublicIpAddresses",),
    "get_address": ("listPublicIpAddresses",),
    "create_address": ("associateIpAddress", _JOB),
    "destroy_address": ("disassociateIpAddress", _JOB),
    "associate_address": ("listPublicIpAddresses", "enableStaticNat"),
    "disassociate_address": ("listPublicIpAddresses", "disableStaticNat", _JOB),
    "list_load_balancers": ("listLoadBalancerRules",),
    "get_load_balancer": ("listLoadBalancerRules", "listLoadBalancerRuleInstances"),
    "create_load_balancer": (
        "listNetworks",
        "associateIpAddress",
        "createTags",
        "createLoadBalancerRule",
        _JOB,
    ),
    "destroy_load_balancer": (
        "listLoadBalancerRules",
        "listPublicIpAddresses",
        "deleteLoadBalancerRule",
        _JOB,
    ),
    "register_instance": (
        "listLoadBalancerRules",
        "listLoadBalancerRuleInstances",
        "assignToLoadBalancerRule",
        _JOB,
    ),
    "unregister_instance": (
        "listLoadBalancerRules",
        "listLoadBalancerRuleInstances",
        "removeFromLoadBalancerRule",
        _JOB,
    ),
    "list_storage_volumes": ("listVolumes",),
    "get_storage_volume": ("listVolumes",),
    "create_storage_volume": ("listDiskOfferings", "createVolume"),
    "destroy_storage_volume": ("deleteVolume",),
    "attach_storage_volume": ("listVolumes", "attachVolume", _JOB),
    "detach_storage_volume": ("listVolumes", "detachVolume", _JOB),
    "list_storage_snapshots": ("listSnapshots",),
    "get_storage_snapshot": ("listSnapshots",),
    "create_storage_snapshot": ("createSnapshot",),
    "destroy_storage_snapshot": ("deleteSnapshot", _JOB),
    "list_networks": ("listNetworks", "listVPCs"),
    "get_network": ("listNetworks", "listVPCs"),
    "create_network": ("createNetwork",),
    "destroy_network": ("deleteNetwork", _JOB),
    "list_subnets": ("listNetworks",),
    "get_subnet": ("listNetworks",),
    "create_subnet": ("listVPCs", "createNetwork"),
    "destroy_subnet": ("listNetworks", "deleteNetwork", _JOB),
    "list_network_interfaces": ("listVirtualMachines",),
    "get_network_interface": ("listVirtualMachines",),
    "create_network_interface": ("addNicToVirtualMachine", _JOB),
    "destroy_network_interface": ("listVirtualMachines", "removeNicFromVirtualMachine", _JOB),
    "list_metrics": ("listVirtualMachines",),
    "get_metric": ("listVirtualMachines",),
    "list_quotas": ("listResourceLimits",),
}
"""What is always called; what a setting or a parameter would spare is not in it."""

FEATURE_COMMANDS: Final[Mapping[tuple[str, Feature], tuple[str, ...]]] = {
    ("create_instance", Feature.TAGS): ("createTags", _JOB),
    ("create_image", Feature.IMAGE_TAGS): ("createTags", _JOB),
    ("create_key", Feature.IMPORT_KEY): ("registerSSHKeyPair",),
    ("create_storage_volume", Feature.VOLUME_TAGS): ("createTags", _JOB),
}
