"""Addresses that servers are given, in CIDR notation as everywhere in the protocol."""

from __future__ import annotations

import ipaddress
import itertools

from anabranch_paci.simulator.records import Address

__all__ = ["Pool"]

# RFC 2544 and RFC 3849: addresses that are nobody's
_PUBLIC = ipaddress.ip_network("198.18.0.0/15")
_PUBLIC_V6 = ipaddress.ip_network("2001:db8::/32")
_PRIVATE = ipaddress.ip_network("10.0.0.0/8")
_HOSTS = 250
_FIRST_HOST = 2


class Pool:
    """Hands out addresses, each only once. The networks are cut into /24, and /64 for IPv6."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._public = itertools.count()
        self._public_v6 = itertools.count()
        self._private = itertools.count()

    def private(self) -> str:
        """A private address."""
        return f"{_nth(int(_PRIVATE.network_address), next(self._private))}/24"

    def ipv4(self, count: int) -> list[Address]:
        """So many public addresses."""
        return [self._ipv4() for _ in range(count)]

    def ipv6(self, count: int) -> list[Address]:
        """So many public IPv6 addresses."""
        base = _PUBLIC_V6.network_address
        return [
            Address(
                id=next(self._ids),
                address=f"{base + _FIRST_HOST + next(self._public_v6)}/64",
                gateway=f"{base + 1}",
            )
            for _ in range(count)
        ]

    def _ipv4(self) -> Address:
        address = _nth(int(_PUBLIC.network_address), next(self._public))
        gateway = ipaddress.IPv4Address(int(address) & ~0xFF | 1)
        return Address(id=next(self._ids), address=f"{address}/24", gateway=str(gateway))


def _nth(base: int, index: int) -> ipaddress.IPv4Address:
    network, host = divmod(index, _HOSTS)
    return ipaddress.IPv4Address(base + (network << 8) + _FIRST_HOST + host)
