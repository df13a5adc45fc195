"""What the cloud accepts as names, tags and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from anabranch.errors import InvalidRequest

__all__ = ["NAME_LENGTH", "TAG_COUNT", "check_name", "check_tags", "parse_block"]

NAME_LENGTH: Final = 255
TAG_COUNT: Final = 50

_TAG_NAME_LENGTH = 128
_TAG_VALUE_LENGTH = 256


def check_name(name: str, *, required: bool = False) -> None:
    """See that a thing may be called that.

    Raises:
        InvalidRequest: the name is too long, or required and empty.
    """
    if required and not name:
        raise InvalidRequest("name: it is required")
    if len(name) > NAME_LENGTH:
        raise InvalidRequest(f"name: {len(name)} characters, at most {NAME_LENGTH} are possible")


def check_tags(tags: Mapping[str, str]) -> None:
    """See that a thing may have those tags.

    Raises:
        InvalidRequest: they are too many, or one is too long, or has no name.
    """
    if len(tags) > TAG_COUNT:
        raise InvalidRequest(f"tags: {len(tags)} of them, at most {TAG_COUNT} are possible")
    for name, value in tags.items():
        if not 0 < len(name) <= _TAG_NAME_LENGTH:
            raise InvalidRequest(f"tags: a name has 1 to {_TAG_NAME_LENGTH} characters")
        if len(value) > _TAG_VALUE_LENGTH:
            raise InvalidRequest(f"tags: a value has at most {_TAG_VALUE_LENGTH} characters")


def parse_block(block: str, field: str) -> IPv4Network | IPv6Network:
    """Read a CIDR block.

    Raises:
        InvalidRequest: it is none; `field` is named.
    """
    try:
        return ip_network(block)
    except ValueError as error:
        raise InvalidRequest(f"{field}: {error}", remedy="Write it as 192.0.2.0/24") from None
