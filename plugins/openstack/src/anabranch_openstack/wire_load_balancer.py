"""The documents of octavia, as far as they are translated."""

from __future__ import annotations

from datetime import datetime

import msgspec

__all__ = ["Listener", "LoadBalancer", "Member", "Pool", "StatusDocument", "Tree"]


class _Reference(msgspec.Struct, gc=False):
    id: str


class _Vip(msgspec.Struct, gc=False):
    ip_address: str | None = None


class Listener(msgspec.Struct, gc=False):
    """A listener; inside a load balancer it is its id alone, but in the answer to a create."""

    id: str
    protocol: str | None = None
    protocol_port: int | None = None
    default_pool_id: str | None = None
    loadbalancers: list[_Reference] | None = None
    tags: list[str] | None = None


class LoadBalancer(msgspec.Struct, gc=False):
    """A load balancer."""

    id: str
    name: str | None = None
    provisioning_status: str = ""
    operating_status: str = ""
    created_at: datetime | None = None
    vip_address: str | None = None
    vip_subnet_id: str | None = None
    vip_network_id: str | None = None
    additional_vips: list[_Vip] | None = None
    availability_zone: str | None = None
    listeners: list[Listener] | None = None


class Member(msgspec.Struct, gc=False):
    """A member, as the tree of statuses shows it."""

    id: str
    name: str | None = None
    address: str | None = None
    protocol_port: int | None = None


class Pool(msgspec.Struct, gc=False):
    """A pool, as the tree of statuses shows it."""

    id: str
    members: list[Member] = []


class _Branch(msgspec.Struct, gc=False):
    id: str
    pools: list[Pool] = []


class Tree(msgspec.Struct, gc=False):
    """A load balancer with all that belongs to it: listeners, their pools, their members."""

    listeners: list[_Branch] = []


class _Statuses(msgspec.Struct, gc=False):
    loadbalancer: Tree


class StatusDocument(msgspec.Struct, gc=False):
    """The reply about the status of a load balancer."""

    statuses: _Statuses
