"""Hooks of the subnets."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import Subnet, SubnetSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["SubnetsSpec"]

S = TypeVar("S", bound=CloudSettings)


class SubnetsSpec(Generic[S]):
    """What can be done with subnets."""

    @operation
    async def list_subnets(self, cloud: Cloud[S], cursor: str | None) -> Page[Subnet]:
        """Return one page of subnets.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.


        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_subnet(self, cloud: Cloud[S], subnet_id: str) -> Subnet:
        """Return one subnet.

        Raises:
            NotFound: no such subnet.
        """
        raise NotImplementedError

    @operation
    async def create_subnet(self, cloud: Cloud[S], spec: SubnetSpec) -> Subnet:
        """Make a subnet and return it as the cloud now reports it. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def destroy_subnet(self, cloud: Cloud[S], subnet_id: str) -> None:
        """Destroy a subnet. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such subnet.
            Conflict: it is in use.
        """
        raise NotImplementedError
