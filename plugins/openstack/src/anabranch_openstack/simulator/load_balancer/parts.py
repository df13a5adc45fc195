"""Listeners, pools and members, made alone or within a load balancer."""

from __future__ import annotations

import uuid

from anabranch_openstack.simulator.load_balancer.checks import (
    check_address,
    check_known,
    check_port,
    check_protocol,
)
from anabranch_openstack.simulator.load_balancer.records import Balancer, Listener, Member, Pool
from anabranch_openstack.simulator.wire import Document, Refusal

__all__ = ["add_listener", "add_member", "add_pool"]

_COMMON = {"name", "description", "tags", "admin_state_up", "project_id"}
_LISTENER = _COMMON | {
    *("protocol", "protocol_port", "default_pool", "default_pool_id", "loadbalancer_id"),
    *("connection_limit", "insert_headers", "allowed_cidrs", "timeout_client_data"),
}
_POOL = _COMMON | {
    *("protocol", "lb_algorithm", "listener_id", "loadbalancer_id", "members"),
    *("session_persistence", "healthmonitor"),
}
_MEMBER = _COMMON | {"address", "protocol_port", "subnet_id", "weight", "backup"}
_ALGORITHMS = ("SOURCE_IP", "ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP_PORT")


def add_listener(balancer: Balancer, wish: Document, now: float) -> Listener:
    """Add a listener.

    Raises:
        Refusal: Octavia would not make it.
    """
    check_known("listener.listener", wish, _LISTENER)
    protocol, port = check_protocol(wish.get("protocol")), check_port(wish.get("protocol_port"))
    if any((item.protocol, item.port) == (protocol, port) for item in balancer.listeners.values()):
        raise Refusal(
            409,
            f"Another Listener on this Load Balancer is already using protocol {protocol} and"
            f" protocol_port {port}",
        )
    listener = Listener(
        id=str(uuid.uuid4()),
        name=str(wish.get("name", "")),
        protocol=protocol,
        port=port,
        created=now,
        tags=list(wish.get("tags", [])),
    )
    balancer.listeners[listener.id] = listener
    return listener


def add_pool(balancer: Balancer, wish: Document, now: float, listener: Listener | None) -> Pool:
    """Add a pool, the default one of a listener if there is one.

    Raises:
        Refusal: Octavia would not make it.
    """
    check_known("pool.pool", wish, _POOL)
    algorithm = wish.get("lb_algorithm")
    if algorithm not in _ALGORITHMS:
        raise Refusal(
            400,
            f"Invalid input for field/attribute lb_algorithm. Value: '{algorithm}'. Value should be"
            f" one of: {', '.join(_ALGORITHMS)}",
        )
    pool = Pool(
        id=str(uuid.uuid4()),
        name=str(wish.get("name", "")),
        protocol=check_protocol(wish.get("protocol")),
        algorithm=str(algorithm),
        created=now,
        listener_id=listener.id if listener else "",
        tags=list(wish.get("tags", [])),
    )
    if listener is not None:
        listener.pool_id = pool.id
    balancer.pools[pool.id] = pool
    return pool


def add_member(pool: Pool, wish: Document, now: float) -> Member:
    """Add a member.

    Raises:
        Refusal: Octavia would not make it.
    """
    check_known("member.member", wish, _MEMBER)
    address, port = check_address(wish.get("address")), check_port(wish.get("protocol_port"))
    if any((m.address, m.port) == (address, port) for m in pool.members.values()):
        raise Refusal(
            409,
            f"Another member on this pool is already using ip {address} on protocol_port {port}",
        )
    member = Member(
        id=str(uuid.uuid4()),
        name=str(wish.get("name", "")),
        address=address,
        port=port,
        created=now,
        subnet_id=wish.get("subnet_id"),
        tags=list(wish.get("tags", [])),
    )
    pool.members[member.id] = member
    return member
