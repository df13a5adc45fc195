"""Who calls, and what that user may do."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, TypedDict, TypeVar

import msgspec

from anabranch_opennebula.simulator.records import Pool, Resource, User, digest
from anabranch_opennebula.simulator.refusals import Code, Refusal

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.state import State

__all__ = ["ADMIN", "MANAGE", "SEE", "USE", "Call", "Owner", "Right", "authenticate"]


class Right(NamedTuple):
    """A right: what messages call it, its bit in permissions, the locks that take it away."""

    name: str
    bit: int
    locks: tuple[int, ...]


SEE = Right("USE", 4, ())
USE = Right("USE", 4, (1, 4))
MANAGE = Right("MANAGE", 2, (1, 2, 4))
ADMIN = Right("ADMIN", 1, (1, 2, 3, 4))

_LOWEST_FILTER = -4

_R = TypeVar("_R", bound=Resource)


class Owner(TypedDict):
    """The owner of a resource, as arguments of its class."""

    uid: int
    gid: int
    uname: str
    gname: str


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call by an authenticated user.

    Args:
        state: Everything.
        user: Who calls.
        gid: The group that the user acts as.
        now: When, whole seconds since the epoch.
        moment: When, to the fraction.
    """

    state: State
    user: User
    gid: int
    now: int
    moment: float

    def may(self, right: Right, resource: Resource) -> bool:
        """Whether the user has a right on an object."""
        if self.user.privileged:
            return True
        if resource.lock in right.locks:
            return False
        bits = resource.permissions
        return bool(
            (resource.uid == self.user.id and bits >> 6 & right.bit)
            or (resource.gid == self.gid and bits >> 3 & right.bit)
            or bits & right.bit
        )

    def demand(self, right: Right, pool: Pool[_R], resource: _R) -> None:
        """Refuse a user who lacks a right.

        Raises:
            Refusal: The user lacks it; a locked object is refused in the same words.
        """
        if not self.may(right, resource):
            raise Refusal(
                Code.AUTHORIZATION,
                f"User [{self.user.id}] : Not authorized to perform {right.name}"
                f" {pool.tag} [{resource.id}].",
                resource.id,
            )

    def find(self, pool: Pool[_R], object_id: int, right: Right = SEE) -> _R:
        """An object on which the user has a right.

        Raises:
            Refusal: There is none of that id, or the user lacks the right.
        """
        found = pool.get(object_id)
        if found is None:
            raise Refusal(Code.NO_EXISTS, f"Error getting {pool.kind} [{object_id}].", object_id)
        self.demand(right, pool, found)
        return found

    def visible(self, pool: Pool[_R], filter_flag: int) -> Iterator[_R]:
        """What a filter flag selects of what the user may use, newest first.

        Raises:
            Refusal: There is no such flag.
        """
        if filter_flag < _LOWEST_FILTER:
            raise Refusal(Code.RPC_API, "Incorrect filter_flag")
        me, gid = self.user.id, self.gid
        for resource in pool.newest_first():
            match filter_flag:
                case -4:
                    selected = resource.gid == gid
                case -3:
                    selected = resource.uid == me
                case -2:
                    selected = True
                case -1:
                    selected = resource.uid == me or resource.gid == gid
                case _:
                    selected = resource.uid == filter_flag
            if selected and (resource.uid == me or self.may(SEE, resource)):
                yield resource

    def owner(self) -> Owner:
        """The owner of what the user makes."""
        user = self.user
        return Owner(uid=user.id, gid=self.gid, uname=user.name, gname=self.state.groups[self.gid])


def authenticate(state: State, session: str, now: float) -> Call:
    """Who a session string `user:secret` belongs to.

    Raises:
        Refusal: Nobody; a wrong password and an unknown user look the same.
    """
    name, colon, secret = session.partition(":")
    user = next((u for u in state.users.values() if u.name == name), None)
    gid = _group(user, secret, now) if user and colon else None
    if user is None or gid is None:
        raise Refusal(Code.AUTHENTICATION, "User couldn't be authenticated, aborting call.")
    return Call(state=state, user=user, gid=gid, now=int(now), moment=now)


def _group(user: User, secret: str, now: float) -> int | None:
    """The group as which a secret lets a user act; nothing if the secret is wrong."""
    if secrets.compare_digest(digest(secret), user.password):
        return user.gid
    for token in user.tokens:
        alive = token.expires < 0 or token.expires > now
        if alive and secrets.compare_digest(token.token.encode(), secret.encode()):
            return user.gid if token.egid < 0 else token.egid
    return None
