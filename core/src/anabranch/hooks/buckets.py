"""Hooks of the buckets."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import Bucket, BucketSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["BucketsSpec"]

S = TypeVar("S", bound=CloudSettings)


class BucketsSpec(Generic[S]):
    """What can be done with buckets."""

    @operation
    async def list_buckets(self, cloud: Cloud[S], cursor: str | None) -> Page[Bucket]:
        """Return one page of buckets.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.

        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_bucket(self, cloud: Cloud[S], bucket_id: str) -> Bucket:
        """Return one bucket.

        Raises:
            NotFound: no such bucket.
        """
        raise NotImplementedError

    @operation
    async def create_bucket(self, cloud: Cloud[S], spec: BucketSpec) -> Bucket:
        """Make a bucket and return it as the cloud now reports it. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def destroy_bucket(self, cloud: Cloud[S], bucket_id: str) -> None:
        """Destroy a bucket. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such bucket.
            Conflict: it is in use.
        """
        raise NotImplementedError
