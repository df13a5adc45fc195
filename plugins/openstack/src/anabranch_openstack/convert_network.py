"""Neutron's documents to models: pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from anabranch.models import (
    Address,
    Direction,
    Extra,
    Firewall,
    FirewallRule,
    Network,
    NetworkInterface,
    NetworkState,
    RuleSource,
    SourceKind,
    Subnet,
)
from anabranch_openstack import wire_network as wire

__all__ = [
    "address",
    "firewall",
    "instance_of",
    "network",
    "network_interface",
    "subnet",
]

_STATES: Final = {
    "ACTIVE": NetworkState.UP,
    "BUILD": NetworkState.PENDING,
    "DOWN": NetworkState.DOWN,
    "ERROR": NetworkState.ERROR,
}
_ANYWHERE: Final = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}


def _translated(kind: type[msgspec.Struct], *more: str) -> frozenset[str]:
    return frozenset({f.encode_name for f in msgspec.structs.fields(kind)} | set(more))


_NETWORK_KEYS: Final = _translated(wire.Network) - {"is_default"}
_SUBNET_KEYS: Final = _translated(wire.Subnet)
_PORT_KEYS: Final = _translated(wire.Port) - {"status", "device_id", "device_owner", "fixed_ips"}
_FLOATING_IP_KEYS: Final = _translated(wire.FloatingIp) - {"port_details"}
_GROUP_KEYS: Final = _translated(wire.SecurityGroup, "tenant_id")


def network(
    cloud: str, found: wire.Network, raw: msgspec.Raw, blocks: Mapping[str, list[str]]
) -> Network:
    """Convert a network; `blocks` holds the CIDR blocks by the id of their network."""
    return Network(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        state=_STATES.get(found.status, NetworkState.UNKNOWN),
        address_blocks=tuple(blocks.get(found.id, ())),
        subnet_ids=tuple(found.subnets or ()),
        external=bool(found.external),
        shared=bool(found.shared),
        extra=Extra(raw, _NETWORK_KEYS),
    )


def subnet(cloud: str, found: wire.Subnet, raw: msgspec.Raw) -> Subnet:
    """Convert a subnet. It has no state of its own: what is listed can be used."""
    kind = None if found.external is None else "PUBLIC" if found.external else "PRIVATE"
    return Subnet(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        network_id=found.network_id,
        address_block=found.cidr or "",
        state=NetworkState.UP,
        gateway=found.gateway_ip,
        kind=kind,
        extra=Extra(raw, _SUBNET_KEYS),
    )


def network_interface(cloud: str, port: wire.Port, raw: msgspec.Raw) -> NetworkInterface:
    """Convert a port."""
    fixed = port.fixed_ips or []
    return NetworkInterface(
        cloud=cloud,
        id=port.id,
        name=port.name or "",
        network_id=port.network_id,
        subnet_id=fixed[0].subnet_id if fixed else None,
        instance_id=instance_of(port),
        ip_addresses=tuple([f.ip_address for f in fixed]),
        mac_address=port.mac_address,
        state=_STATES.get(port.status, NetworkState.UNKNOWN),
        firewall_ids=tuple(port.security_groups or ()),
        extra=Extra(raw, _PORT_KEYS),
    )


def address(cloud: str, found: wire.FloatingIp, raw: msgspec.Raw) -> Address:
    """Convert a floating IP: its name is the address itself, since it has no other."""
    return Address(
        cloud=cloud,
        id=found.id,
        name=found.floating_ip_address,
        ip=found.floating_ip_address,
        instance_id=instance_of(found.port_details) if found.port_details else None,
        network_interface_id=found.port_id,
        private_ip=found.fixed_ip_address,
        network_id=found.floating_network_id,
        platform_state=found.status,
        extra=Extra(raw, _FLOATING_IP_KEYS),
    )


def firewall(cloud: str, group: wire.SecurityGroup, raw: msgspec.Raw) -> Firewall:
    """Convert a security group."""
    return Firewall(
        cloud=cloud,
        id=group.id,
        name=group.name or "",
        description=group.description or "",
        owner_id=group.project_id,
        rules=tuple([_rule(rule) for rule in group.security_group_rules or ()]),
        extra=Extra(raw, _GROUP_KEYS),
    )


def instance_of(port: wire.Port | wire.PortDetails) -> str | None:
    """Return the server that a port belongs to; None: it is a router's, a balancer's, nobody's."""
    owner = port.device_owner or ""
    return port.device_id or None if owner.startswith("compute:") else None


def _rule(rule: wire.Rule) -> FirewallRule:
    return FirewallRule(
        id=rule.id,
        protocol=rule.protocol,
        port_from=rule.port_range_min,
        port_to=rule.port_range_max,
        sources=(_source(rule),),
        direction=Direction.EGRESS if rule.direction == "egress" else Direction.INGRESS,
    )


def _source(rule: wire.Rule) -> RuleSource:
    group = rule.remote_group_id or rule.remote_address_group_id
    if group:
        return RuleSource(kind=SourceKind.GROUP, group=group)
    anywhere = _ANYWHERE.get(rule.ethertype or "")
    return RuleSource(cidr=rule.remote_ip_prefix or anywhere)
