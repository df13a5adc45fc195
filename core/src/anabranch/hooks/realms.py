"""Hooks of the realms."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import Realm
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["RealmsSpec"]

S = TypeVar("S", bound=CloudSettings)


class RealmsSpec(Generic[S]):
    """What can be done with realms."""

    @operation
    async def list_realms(self, cloud: Cloud[S], cursor: str | None) -> Page[Realm]:
        """Return one page of realms.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.


        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_realm(self, cloud: Cloud[S], realm_id: str) -> Realm:
        """Return one realm.

        Raises:
            NotFound: no such realm.
        """
        raise NotImplementedError
