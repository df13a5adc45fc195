"""Documents of networks, addresses and balancers to models: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from anabranch.models import (
    Address,
    Extra,
    Listener,
    LoadBalancer,
    Network,
    NetworkInterface,
    NetworkState,
    Subnet,
)
from anabranch_cloudstack import wire
from anabranch_cloudstack.values import number

__all__ = ["address", "interface", "load_balancer", "network", "subnet", "vpc"]


def _names(kind: type[msgspec.Struct], *kept: str) -> frozenset[str]:
    return frozenset(f.encode_name for f in msgspec.structs.fields(kind)).difference(kept)


_ADDRESS: Final = _names(wire.Address, "issourcenat", "isstaticnat", "tags", "vpcid")
_NETWORK: Final = _names(wire.Network, "gateway", "type", "vpcid", "state")
_VPC: Final = _names(wire.Vpc, "state")
_NIC: Final = _names(wire.Nic, "isdefault", "type")

_STATES: Final = {
    "Allocated": NetworkState.UP,
    "Implemented": NetworkState.UP,
    "Setup": NetworkState.UP,
    "Enabled": NetworkState.UP,
    "Implementing": NetworkState.PENDING,
    "Shutdown": NetworkState.PENDING,
    "Destroy": NetworkState.DOWN,
    "Inactive": NetworkState.DOWN,
}
"""What is Allocated has no router yet, and gets one with its first machine."""


def network(cloud: str, found: wire.Network, raw: msgspec.Raw) -> Network:
    """Convert a network that is no tier; its own block counts as its one subnet."""
    return Network(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        state=_STATES.get(found.state or "", NetworkState.UNKNOWN),
        address_blocks=(found.cidr,) if found.cidr else (),
        subnet_ids=(found.id,) if found.cidr else (),
        shared=found.type == "Shared",
        realm_id=found.zoneid,
        extra=Extra(raw, _NETWORK),
    )


def vpc(cloud: str, found: wire.Vpc, raw: msgspec.Raw) -> Network:
    """Convert a VPC; its tiers are its subnets."""
    return Network(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        state=_STATES.get(found.state or "", NetworkState.UNKNOWN),
        address_blocks=(found.cidr,) if found.cidr else (),
        subnet_ids=tuple(tier.id for tier in found.network or () if tier.id),
        realm_id=found.zoneid,
        extra=Extra(raw, _VPC),
    )


def subnet(cloud: str, found: wire.Network, raw: msgspec.Raw) -> Subnet | None:
    """Convert a tier, or the block of another network; None: it has no addresses of its own."""
    if not found.cidr:
        return None
    return Subnet(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        network_id=found.vpcid or found.id,
        address_block=found.cidr,
        state=_STATES.get(found.state or "", NetworkState.UNKNOWN),
        gateway=found.gateway,
        kind=found.type,
        extra=Extra(raw, _NETWORK),
    )


def interface(cloud: str, nic: wire.Nic, instance_id: str) -> NetworkInterface:
    """Convert a NIC."""
    secondary = [s.ipaddress for s in nic.secondaryip or ()]
    addresses = [nic.ipaddress, nic.ip6address, *secondary]
    raw = msgspec.json.encode(nic)
    return NetworkInterface(
        cloud=cloud,
        id=nic.id,
        network_id=nic.networkid,
        subnet_id=nic.networkid,
        instance_id=instance_id,
        ip_addresses=tuple(a for a in addresses if a),
        mac_address=nic.macaddress,
        state=NetworkState.UP,
        extra=Extra(raw, _NIC),
    )


def address(cloud: str, found: wire.Address, raw: msgspec.Raw) -> Address:
    """Convert a public address; it leads to an instance by static NAT alone."""
    return Address(
        cloud=cloud,
        id=found.id,
        name=found.ipaddress or "",
        ip=found.ipaddress or "",
        instance_id=found.virtualmachineid or None,
        private_ip=found.vmipaddress,
        network_id=found.associatednetworkid or found.vpcid,
        realm_id=found.zoneid,
        platform_state=found.state or "",
        extra=Extra(raw, _ADDRESS),
    )


def load_balancer(
    cloud: str, rules: Sequence[wire.LoadBalancerRule], members: Iterable[str] = ()
) -> LoadBalancer:
    """Convert the rules of one address, of which there is one at least."""
    ordered = sorted(rules, key=lambda rule: number(rule.publicport) or 0)
    first = ordered[0]
    return LoadBalancer(
        cloud=cloud,
        id=first.publicipid or "",
        name=first.name or "",
        realm_id=first.zoneid,
        platform_state=first.state or "",
        public_addresses=(first.publicip,) if first.publicip else (),
        listeners=tuple(
            Listener(
                protocol=(rule.protocol or "tcp").upper(),
                load_balancer_port=number(rule.publicport) or 0,
                instance_port=number(rule.privateport) or 0,
            )
            for rule in ordered
        ),
        instance_ids=tuple(dict.fromkeys(members)),
        extra=Extra(lambda: {"rules": msgspec.to_builtins(ordered)}),
    )
