"""The documents of swift, as far as they are translated."""

from __future__ import annotations

from datetime import datetime

import msgspec

__all__ = ["Container", "Deleted", "Object", "Segment"]


class Container(msgspec.Struct, gc=False):
    """A container of an account's list. Its times are those of its last PUT."""

    name: str
    count: int | None = None
    bytes: int | None = None
    last_modified: datetime | None = None
    storage_policy: str | None = None


class Object(msgspec.Struct, gc=False):
    """An object of a container's list; `slo_etag` is that of the segments' content."""

    name: str
    bytes: int | None = None
    hash: str | None = None
    content_type: str | None = None
    last_modified: datetime | None = None
    slo_etag: str | None = None


class Segment(msgspec.Struct, gc=False):
    """A segment in a manifest; its name is `/container/object`."""

    name: str = ""


class Deleted(msgspec.Struct, gc=False):
    """What became of a deletion of several objects: it is told with the status 200 always."""

    status: str = msgspec.field(default="", name="Response Status")
    errors: list[tuple[str, str]] = msgspec.field(
        default_factory=list[tuple[str, str]], name="Errors"
    )
