"""What swift remembers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

__all__ = ["POLICIES", "Container", "Objects", "Piece", "Stored"]

POLICIES = ("Policy-0", "nearline")
"""The storage policies; the first is the usual one."""


class Piece(msgspec.Struct, kw_only=True):
    """A segment in the manifest of a static large object."""

    path: str
    etag: str
    size: int
    content_type: str
    modified: float


class Stored(msgspec.Struct, kw_only=True):
    """An object.

    Attributes:
        name: Its name in the container.
        content: Its bytes; those of a manifest are the manifest.
        content_type: MIME type.
        modified: When it was stored or described, seconds since the epoch.
        metadata: `x-object-meta-*`, without that.
        described: Other headers that a POST replaces: `content-disposition`, `x-delete-at`, …
        manifest: Its segments, if it is a static large object.
    """

    name: str
    content: bytes
    content_type: str
    modified: float
    metadata: dict[str, str]
    described: dict[str, str]
    manifest: list[Piece] | None = None

    @property
    def hash(self) -> str:
        """The MD5 of what is stored."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()

    @property
    def etag(self) -> str:
        """The MD5 of the content; in quotes, and of the segments' ones, if there are segments."""
        if self.manifest is None:
            return self.hash
        joined = "".join(piece.etag for piece in self.manifest).encode()
        return f'"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}"'

    @property
    def size(self) -> int:
        """The bytes of the content."""
        if self.manifest is None:
            return len(self.content)
        return sum(piece.size for piece in self.manifest)


class Container(msgspec.Struct, kw_only=True):
    """A container."""

    name: str
    created: float
    policy: str
    metadata: dict[str, str]
    objects: dict[str, Stored] = {}

    @property
    def used(self) -> int:
        """The bytes that its objects take, segments aside."""
        return sum(len(stored.content) for stored in self.objects.values())


class Objects:
    """The containers of one region, by project and name."""

    def __init__(self) -> None:
        self._accounts: dict[str, dict[str, Container]] = {}

    def account(self, project_id: str) -> dict[str, Container]:
        """The containers of a project; accounts are made when they are first asked for."""
        return self._accounts.setdefault(project_id, {})

    def content(self, project_id: str, stored: Stored) -> bytes:
        """The content of an object, put together if it lies in segments."""
        account = self.account(project_id)
        if stored.manifest is not None:
            found = [self.find(project_id, piece.path) for piece in stored.manifest]
            return b"".join(piece.content for piece in found if piece is not None)
        if "x-object-manifest" not in stored.described:
            return stored.content
        name, _, prefix = stored.described["x-object-manifest"].partition("/")
        container = account.get(name)
        pieces: Sequence[Stored] = list(container.objects.values()) if container else []
        wanted = sorted((p for p in pieces if p.name.startswith(prefix)), key=lambda p: p.name)
        return b"".join(piece.content for piece in wanted)

    def find(self, project_id: str, path: str) -> Stored | None:
        """The object at `/container/object`."""
        _, name, rest = path.split("/", 2)
        container = self.account(project_id).get(name)
        return container.objects.get(rest) if container else None
