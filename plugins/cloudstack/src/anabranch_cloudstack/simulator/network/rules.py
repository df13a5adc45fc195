"""What all rules about traffic have: a protocol, and ports or an ICMP type."""

from __future__ import annotations

import ipaddress

import msgspec

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid

__all__ = ["Traffic", "checked_cidrs", "ports_conflict", "traffic_document", "traffic_of"]

_PORTS = ("tcp", "udp")


class Traffic(msgspec.Struct, kw_only=True):
    """Which traffic a rule is about."""

    protocol: str
    start: int | None = None
    end: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None


def traffic_of(call: Call, *, numbers: bool = False, start_name: str = "startport") -> Traffic:
    """The traffic that a call's `protocol`, ports and ICMP parameters name.

    Args:
        call: The call.
        numbers: Whether a protocol may be a number.
        start_name: The parameter with the first port; `endport` has the last one.

    Raises:
        Refusal: 431, the protocol is unknown, or a port is none.
    """
    protocol = call.text("protocol").lower()
    known = (*_PORTS, "icmp", "all")
    if protocol not in known and not (numbers and protocol.isdecimal() and int(protocol) < 256):
        raise invalid(f"Protocol {call.text('protocol')} is unsupported")
    if protocol == "icmp":
        return Traffic(
            protocol=protocol,
            icmp_type=_or(call.number("icmptype"), -1),
            icmp_code=_or(call.number("icmpcode"), -1),
        )
    start, end = call.number(start_name), call.number("endport")
    if protocol not in _PORTS:
        return Traffic(protocol=protocol)
    start = start if start is not None else end
    end = end if end is not None else start
    if start is None or end is None:
        return Traffic(protocol=protocol)
    if not (0 <= start <= 65535 and 0 <= end <= 65535) or start > end:
        raise invalid(f"Invalid port range: {start}-{end}")
    return Traffic(protocol=protocol, start=start, end=end)


def traffic_document(rule: object, *, as_text: bool = False) -> Document:
    """The keys of a rule's traffic.

    Args:
        rule: What has the attributes of `Traffic`.
        as_text: Whether ports are strings, as those of network ACLs are.
    """
    document: Document = {"protocol": getattr(rule, "protocol", "")}
    for key, name in (("startport", "start"), ("endport", "end")):
        value = getattr(rule, name, None)
        if value is not None:
            document[key] = str(value) if as_text else value
    for key, name in (("icmptype", "icmp_type"), ("icmpcode", "icmp_code")):
        value = getattr(rule, name, None)
        if value is not None:
            document[key] = value
    return document


def checked_cidrs(call: Call, name: str, default: str) -> str:
    """The CIDRs of a parameter, as a comma-separated list.

    Raises:
        Refusal: 431, one is none.
    """
    cidrs = call.items(name)
    for cidr in cidrs:
        try:
            ipaddress.ip_network(cidr)
        except ValueError:
            raise invalid(f"Source cidrs formatting error {cidr}") from None
    return ",".join(cidrs) or default


def ports_conflict(start: int, end: int, other: str, other_id: str) -> Refusal:
    """The refusal of a range of ports that another rule has."""
    return Refusal(
        537,
        f"The range specified, {start}-{end}, conflicts with rule {other_id} which has {other}",
        4360,
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
