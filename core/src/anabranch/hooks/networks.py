"""Hooks of the networks."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import Network, NetworkSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["NetworksSpec"]

S = TypeVar("S", bound=CloudSettings)


class NetworksSpec(Generic[S]):
    """What can be done with networks."""

    @operation
    async def list_networks(self, cloud: Cloud[S], cursor: str | None) -> Page[Network]:
        """Return one page of networks.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.


        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_network(self, cloud: Cloud[S], network_id: str) -> Network:
        """Return one network.

        Raises:
            NotFound: no such network.
        """
        raise NotImplementedError

    @operation
    async def create_network(self, cloud: Cloud[S], spec: NetworkSpec) -> Network:
        """Make a network and return it as the cloud now reports it. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def destroy_network(self, cloud: Cloud[S], network_id: str) -> None:
        """Destroy a network. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such network.
            Conflict: it is in use.
        """
        raise NotImplementedError
