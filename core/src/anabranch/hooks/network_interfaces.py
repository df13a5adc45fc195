"""Hooks of the network interfaces."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import NetworkInterface, NetworkInterfaceSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["NetworkInterfacesSpec"]

S = TypeVar("S", bound=CloudSettings)


class NetworkInterfacesSpec(Generic[S]):
    """What can be done with network interfaces."""

    @operation
    async def list_network_interfaces(
        self, cloud: Cloud[S], cursor: str | None
    ) -> Page[NetworkInterface]:
        """Return one page of network interfaces.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.


        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_network_interface(
        self, cloud: Cloud[S], network_interface_id: str
    ) -> NetworkInterface:
        """Return one network interface.

        Raises:
            NotFound: no such network interface.
        """
        raise NotImplementedError

    @operation
    async def create_network_interface(
        self, cloud: Cloud[S], spec: NetworkInterfaceSpec
    ) -> NetworkInterface:
        """Make a network interface and return it as the cloud now reports it. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def destroy_network_interface(self, cloud: Cloud[S], network_interface_id: str) -> None:
        """Destroy a network interface. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such network interface.
            Conflict: it is in use.
        """
        raise NotImplementedError
