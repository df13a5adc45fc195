"""Realms: the parts of a cloud that a resource can be put in (zones, regions, data centres)."""

from __future__ import annotations

from enum import StrEnum

from anabranch.models._base import Resource

__all__ = ["Realm", "RealmState"]


class RealmState(StrEnum):
    """Whether a realm takes new resources."""

    AVAILABLE = "AVAILABLE"
    UNAVAILABLE = "UNAVAILABLE"


class Realm(Resource, frozen=True, kw_only=True):
    """A part of a cloud.

    Attributes:
        state: Whether it can be used now.
        limit: How many more instances it takes; None: not limited, or not told.
        region: The region that it lies in, where the platform has such.
    """

    state: RealmState = RealmState.AVAILABLE
    limit: int | None = None
    region: str | None = None
