"""What octavia remembers."""

from __future__ import annotations

import msgspec

from anabranch_openstack.simulator.wire import Document

__all__ = ["Balancer", "Balancers", "Listener", "Member", "Pool"]


class Member(msgspec.Struct, kw_only=True):
    """An address and a port that traffic is sent to."""

    id: str
    name: str
    address: str
    port: int
    created: float
    subnet_id: str | None = None
    weight: int = 1
    tags: list[str] = []
    status: str = "PENDING_CREATE"


class Pool(msgspec.Struct, kw_only=True):
    """Members, and how one of them is chosen."""

    id: str
    name: str
    protocol: str
    algorithm: str
    created: float
    listener_id: str = ""
    tags: list[str] = []
    members: dict[str, Member] = {}


class Listener(msgspec.Struct, kw_only=True):
    """A port at which a load balancer is reached."""

    id: str
    name: str
    protocol: str
    port: int
    created: float
    pool_id: str = ""
    tags: list[str] = []


class Balancer(msgspec.Struct, kw_only=True):
    """A load balancer with all that belongs to it; `due` says when what is pending is done."""

    id: str
    name: str
    project_id: str
    created: float
    vip_address: str
    vip_port_id: str
    vip_subnet_id: str
    vip_network_id: str
    description: str = ""
    tags: list[str] = []
    status: str = "PENDING_CREATE"
    due: float | None = None
    listeners: dict[str, Listener] = {}
    pools: dict[str, Pool] = {}

    def advance(self, now: float) -> bool:
        """Bring it to the status that is due, and tell whether it is still there."""
        if self.due is not None and self.due <= now:
            self.due = None
            if self.status == "PENDING_DELETE":
                return False
            self.status = "ACTIVE"
            for pool in self.pools.values():
                pool.members = {
                    k: m for k, m in pool.members.items() if m.status != "PENDING_DELETE"
                }
                for member in pool.members.values():
                    member.status = "ACTIVE"
        return True


class Balancers:
    """The load balancers of one region, by id.

    Attributes:
        limit: How many load balancers a project may have; -1: as many as it likes.
        overlays: By id, what a document in a list says instead: for tests with odd data.
    """

    def __init__(self) -> None:
        self.balancers: dict[str, Balancer] = {}
        self.limit = -1
        self.overlays: dict[str, Document] = {}
