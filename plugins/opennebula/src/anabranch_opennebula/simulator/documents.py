"""Pieces of the XML documents inside the answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.records import Resource

__all__ = ["cdata", "head", "ids", "lock", "plain"]

_RIGHTS = [
    (f"{who}_{right}", bit)
    for who, shift in (("OWNER", 6), ("GROUP", 3), ("OTHER", 0))
    for right, bit in (("U", 4 << shift), ("M", 2 << shift), ("A", 1 << shift))
]


def cdata(text: str) -> str:
    """Text in CDATA."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def plain(text: str) -> str:
    """Text outside of CDATA, as names are."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def ids(tag: str, numbers: Iterable[int]) -> str:
    """A list of object ids, ascending."""
    inner = "".join(f"<ID>{number}</ID>" for number in sorted(numbers))
    return f"<{tag}>{inner}</{tag}>" if inner else f"<{tag}/>"


def head(resource: Resource, *, permissions: bool = True) -> str:
    """What all documents begin with: ids, owner, name and, except in short ones, rights."""
    text = (
        f"<ID>{resource.id}</ID><UID>{resource.uid}</UID><GID>{resource.gid}</GID>"
        f"<UNAME>{plain(resource.uname)}</UNAME><GNAME>{plain(resource.gname)}</GNAME>"
        f"<NAME>{plain(resource.name)}</NAME>"
    )
    if not permissions:
        return text
    rights = "".join(
        f"<{name}>{int(bool(resource.permissions & bit))}</{name}>" for name, bit in _RIGHTS
    )
    return f"{text}<PERMISSIONS>{rights}</PERMISSIONS>"


def lock(resource: Resource) -> str:
    """The lock, where there is one."""
    if not resource.lock:
        return ""
    return (
        f"<LOCK><LOCKED>{resource.lock}</LOCKED><OWNER>{resource.lock_owner}</OWNER>"
        f"<TIME>{resource.lock_time}</TIME><REQ_ID>-1</REQ_ID></LOCK>"
    )
