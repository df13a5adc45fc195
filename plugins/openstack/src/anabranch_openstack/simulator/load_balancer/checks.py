"""What octavia refuses in the bodies that it gets."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from anabranch_openstack.simulator.wire import Document, Refusal

__all__ = ["check_address", "check_known", "check_port", "check_protocol", "not_found"]

_PROTOCOLS = ("HTTPS", "UDP", "SCTP", "TCP", "HTTP", "PROMETHEUS", "TERMINATED_HTTPS")


def not_found(kind: str, item_id: str) -> Refusal:
    """The refusal of an unknown id."""
    return Refusal(404, f"{kind} {item_id} not found.")


def check_known(kind: str, document: Document, known: Collection[str]) -> None:
    """Refuse attributes that a thing does not have.

    Raises:
        Refusal: There is one.
    """
    for name in document:
        if name not in known:
            raise Refusal(400, f"Unknown attribute for argument {kind}: {name}")


def check_protocol(value: object) -> str:
    """Read a protocol.

    Raises:
        Refusal: Octavia does not know it.
    """
    if value not in _PROTOCOLS:
        raise Refusal(
            400,
            f"Invalid input for field/attribute protocol. Value: '{value}'. Value should be one of:"
            f" {', '.join(_PROTOCOLS)}",
        )
    return str(value)


def check_port(value: object) -> int:
    """Read a port number.

    Raises:
        Refusal: It is none.
    """
    if not isinstance(value, int):
        raise Refusal(
            400, "Invalid input for field/attribute protocol_port. Mandatory field missing."
        )
    word = (
        "greater or equal to 1" if value < 1 else "lower or equal to 65535" if value > 65535 else ""
    )
    if word:
        raise Refusal(
            400,
            f"Invalid input for field/attribute protocol_port. Value: '{value}'. Value should be"
            f" {word}",
        )
    return value


def check_address(value: object) -> str:
    """Read an address.

    Raises:
        Refusal: It is none.
    """
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError as error:
        raise Refusal(
            400,
            f"Invalid input for field/attribute address. Value: '{value}'. Value should be IPv4 or"
            " IPv6 format",
        ) from error
