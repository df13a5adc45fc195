"""Hooks of the addresses."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import Address, AddressSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["AddressesSpec"]

S = TypeVar("S", bound=CloudSettings)


class AddressesSpec(Generic[S]):
    """What can be done with addresses."""

    @operation
    async def list_addresses(self, cloud: Cloud[S], cursor: str | None) -> Page[Address]:
        """Return one page of addresses.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.


        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_address(self, cloud: Cloud[S], address_id: str) -> Address:
        """Return one address.

        Raises:
            NotFound: no such address.
        """
        raise NotImplementedError

    @operation
    async def create_address(self, cloud: Cloud[S], spec: AddressSpec) -> Address:
        """Make an address and return it as the cloud now reports it. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def destroy_address(self, cloud: Cloud[S], address_id: str) -> None:
        """Destroy an address. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such address.
            Conflict: it is in use.
        """
        raise NotImplementedError

    @operation
    async def associate_address(
        self, cloud: Cloud[S], address_id: str, instance_id: str
    ) -> Address:
        """Let an address lead to an instance, and return it. Idempotent.

        Raises:
            NotFound: no such address or instance.
            Conflict: it leads to another instance.
        """
        raise NotImplementedError

    @operation
    async def disassociate_address(self, cloud: Cloud[S], address_id: str) -> Address:
        """Let an address lead nowhere, and return it; it stays the account's. Idempotent.

        Raises:
            NotFound: no such address.
        """
        raise NotImplementedError
