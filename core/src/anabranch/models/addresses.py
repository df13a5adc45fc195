"""Addresses: public ones that can be moved between instances (floating, elastic IPs)."""

from __future__ import annotations

import msgspec

from anabranch.models._base import Resource

__all__ = ["Address", "AddressSpec"]


class Address(Resource, frozen=True, kw_only=True):
    """An address that the account holds.

    Attributes:
        ip: The address itself.
        instance_id: Instance that it leads to; None: none, or not told by the list.
        network_interface_id: Interface that it leads to.
        private_ip: Address of that interface.
        network_id: Network (pool) that it comes from.
        realm_id: Realm that it can be used in.
        platform_state: The platform's own word for its state.
    """

    ip: str
    instance_id: str | None = None
    network_interface_id: str | None = None
    private_ip: str | None = None
    network_id: str | None = None
    realm_id: str | None = None
    platform_state: str = ""

    @property
    def associated(self) -> bool:
        """Whether it leads anywhere."""
        return bool(self.instance_id or self.network_interface_id)


class AddressSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The address to get.

    Attributes:
        network_id: Network (pool) to take it from (feature `address_network`); None: the only or
            the configured one.
        realm_id: Realm to take it in (feature `address_realm`).
    """

    network_id: str | None = None
    realm_id: str | None = None
