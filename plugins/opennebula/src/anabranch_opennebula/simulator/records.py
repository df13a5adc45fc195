"""What the pools hold, apart from machines and networks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

import msgspec

from anabranch_opennebula.simulator.chains import SnapshotChain
from anabranch_opennebula.simulator.templates import Template

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Image",
    "LoginToken",
    "Pool",
    "RegisteredTemplate",
    "Resource",
    "SecurityGroup",
    "User",
    "digest",
]

_FIRST_OF_USERS = 0o600


class Resource(msgspec.Struct, kw_only=True, eq=False):
    """An object with an owner.

    Args:
        id: Its number in its pool.
        uid: The owner.
        gid: The owner's group.
        uname: The owner's name.
        gname: The group's name.
        name: Its name.
        permissions: Rights of owner, group and others as in Unix; use 4, manage 2, admin 1.
        lock: The level at which it is locked: 0 not, 1 use, 2 manage, 3 admin, 4 all.
        lock_owner: Who locked it.
        lock_time: When, seconds since the epoch.
    """

    id: int
    uid: int
    gid: int
    uname: str
    gname: str
    name: str
    permissions: int = _FIRST_OF_USERS
    lock: int = 0
    lock_owner: int = -1
    lock_time: int = 0


_R = TypeVar("_R", bound=Resource)


class Pool(dict[int, _R]):
    """Objects of one kind by id.

    Args:
        kind: The kind, as oned's messages spell it when an object is not found.
        tag: The kind, as its messages about rights spell it.
        first: The first id.
    """

    def __init__(self, kind: str, tag: str, first: int = 0) -> None:
        super().__init__()
        self.kind = kind
        self.tag = tag
        self._next = first

    def new_id(self) -> int:
        """The next number; none is given twice."""
        self._next += 1
        return self._next - 1

    def newest_first(self) -> Iterator[_R]:
        """The objects by descending id; numbers are given in order, so this is no sorting."""
        return reversed(self.values())

    def named(self, name: str, uid: int) -> _R | None:
        """The object of that name of that owner."""
        return next((r for r in self.values() if r.name == name and r.uid == uid), None)


class LoginToken(msgspec.Struct, kw_only=True, frozen=True):
    """A token that takes the place of a password; `expires` is -1 for never."""

    token: str
    expires: int
    egid: int = -1


class User(msgspec.Struct, kw_only=True, eq=False):
    """Who may log in.

    Args:
        id: The number.
        name: The name.
        gid: The primary group.
        gname: Its name.
        password: SHA-256 of the password, in hex.
        template: What the user keeps here, SSH_PUBLIC_KEY among it.
        tokens: Login tokens.
        limits: Quotas of machines: VMS, CPU, MEMORY, SYSTEM_DISK_SIZE and RUNNING_…; -2 for none.
    """

    id: int
    name: str
    gid: int
    gname: str
    password: str
    template: Template
    tokens: list[LoginToken] = []
    limits: dict[str, float] = {}

    @property
    def privileged(self) -> bool:
        """Whether the group of oneadmin lets the user do everything."""
        return self.gid == 0


class Image(Resource, kw_only=True):
    """A disk image, or a volume when its type is DATABLOCK.

    Args:
        type: 0 OS, 1 CDROM, 2 DATABLOCK, 5 CONTEXT.
        persistent: Whether machines write to it rather than to a clone.
        size: MB.
        state: 1 READY, 2 USED, 4 LOCKED, 5 ERROR, 8 USED_PERS.
        registered: When it was made, seconds since the epoch.
        modified: When its state changed.
        format: The format of the file.
        path: Where it came from.
        datastore: The datastore's id.
        vms: The machines that use it.
        template: What its owner wrote.
        chain: Its snapshots.
    """

    type: int = 0
    persistent: bool = False
    size: int
    state: int
    registered: int
    modified: int
    format: str = "raw"
    path: str = ""
    datastore: int = 1
    vms: set[int] = msgspec.field(default_factory=set[int])
    template: Template
    chain: SnapshotChain = msgspec.field(default_factory=SnapshotChain)

    def take(self, machine_id: int, now: int) -> None:
        """Have a machine use it."""
        self.vms.add(machine_id)
        self.state, self.modified = (8 if self.persistent else 2), now

    def release(self, machine_id: int, now: int) -> None:
        """Have a machine use it no longer."""
        self.vms.discard(machine_id)
        if not self.vms and self.state in (2, 8):
            self.state, self.modified = 1, now


class RegisteredTemplate(Resource, kw_only=True):
    """A template of machines or of networks; `registered` is when it was made."""

    registered: int
    template: Template


class SecurityGroup(Resource, kw_only=True):
    """A group of firewall rules; `vms` are the machines that have it."""

    template: Template
    vms: set[int] = msgspec.field(default_factory=set[int])


def digest(password: str) -> str:
    """How oned keeps a password."""
    return hashlib.sha256(password.encode()).hexdigest()
