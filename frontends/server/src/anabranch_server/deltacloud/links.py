"""Addresses of what the API serves, and the ids that it tells."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import quote

__all__ = ["Link", "View", "is_plain", "percent_encode"]

_NOTHING: Final[Mapping[str, Container[str]]] = MappingProxyType({})

is_plain: Final = re.compile(r"[A-Za-z0-9_.~:@-]*").fullmatch
"""Whether a string stands for itself in a path, and so in XML; as a rule ids do."""


def percent_encode(part: str) -> str:
    """Return one part of a path, percent-encoded; the argument itself if nothing needs it.

    Nothing that RFC 3986 reserves stands as it is but `:` and `@`, which mean nothing there.
    """
    return part if is_plain(part) else quote(part, safe=":@", errors="replace")


class Link(NamedTuple):
    """Something that can be done: what, by which HTTP method, and where."""

    rel: str
    method: str
    href: str


class View:
    """How one answer names things: the address of the API, and the form of ids.

    What the methods return as URLs is ASCII and has none of `& < > ' "`, given that `root` is so.

    Attributes:
        root: Absolute URL of the API, with the matrix parameters that links are to keep
            (`http://h:3001/api`, `http://h/api;driver=x`); safe in XML and HTML as it is.
        qualified: Whether ids name their cloud (`lisbon/4d3c`) and paths have it as a segment.
    """

    __slots__ = ("_offered", "qualified", "root")

    def __init__(
        self,
        root: str,
        *,
        qualified: bool = False,
        offered: Mapping[str, Container[str]] = _NOTHING,
    ) -> None:
        """Take what is the same for all links of an answer.

        Args:
            root: See above.
            qualified: See above.
            offered: The operations of each cloud, by its name; a cloud that is missing offers none.
        """
        self.root, self.qualified, self._offered = root, qualified, offered

    def id(self, cloud: str, ident: str) -> str:
        """Return the id as the answer tells it, not escaped."""
        return f"{cloud}/{ident}" if self.qualified else ident

    def path(self, cloud: str, ident: str) -> str:
        """Return the id as a part of a path, percent-encoded."""
        return (
            f"{percent_encode(cloud)}/{percent_encode(ident)}"
            if self.qualified
            else percent_encode(ident)
        )

    def parameter(self, cloud: str, ident: str) -> str:
        """Return the id as the value of a matrix or query parameter, percent-encoded."""
        return (
            f"{percent_encode(cloud)}%2F{percent_encode(ident)}"
            if self.qualified
            else percent_encode(ident)
        )

    def collection(self, name: str) -> str:
        """Return the URL of a collection."""
        return f"{self.root}/{name}"

    def member(self, collection: str, cloud: str, ident: str) -> str:
        """Return the URL of a member of a collection."""
        return f"{self.root}/{collection}/{self.path(cloud, ident)}"

    def blob(self, cloud: str, bucket: str, blob: str) -> str:
        """Return the URL of a blob."""
        return f"{self.member('buckets', cloud, bucket)}/{percent_encode(blob)}"

    def rule(self, cloud: str, firewall: str, rule: str) -> str:
        """Return the URL of a rule of a firewall."""
        return f"{self.member('firewalls', cloud, firewall)}/{percent_encode(rule)}"

    def offers(self, cloud: str, operation: str) -> bool:
        """Tell whether a cloud offers an operation, by the name of its hook."""
        return operation in self._offered.get(cloud, ())
