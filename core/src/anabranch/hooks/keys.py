"""Hooks of the keys."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import Key, KeySpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["KeysSpec"]

S = TypeVar("S", bound=CloudSettings)


class KeysSpec(Generic[S]):
    """What can be done with keys."""

    @operation
    async def list_keys(self, cloud: Cloud[S], cursor: str | None) -> Page[Key]:
        """Return one page of keys.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.


        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_key(self, cloud: Cloud[S], key_id: str) -> Key:
        """Return one key.

        Raises:
            NotFound: no such key.
        """
        raise NotImplementedError

    @operation
    async def create_key(self, cloud: Cloud[S], spec: KeySpec) -> Key:
        """Make a key and return it as the cloud now reports it. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def destroy_key(self, cloud: Cloud[S], key_id: str) -> None:
        """Destroy a key. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such key.
            Conflict: it is in use.
        """
        raise NotImplementedError
