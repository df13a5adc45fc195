"""Hooks of the metrics and quotas: how much is used."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import Metric, Quota
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["MetricsSpec", "QuotasSpec"]

S = TypeVar("S", bound=CloudSettings)


class MetricsSpec(Generic[S]):
    """What can be asked of metrics."""

    @operation
    async def list_metrics(self, cloud: Cloud[S], cursor: str | None) -> Page[Metric]:
        """Return one page of what is measured: names of the series, without samples.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.

        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_metric(self, cloud: Cloud[S], metric_id: str) -> Metric:
        """Return what was measured of one entity, with samples.

        Raises:
            NotFound: nothing is measured of such an entity.
        """
        raise NotImplementedError


class QuotasSpec(Generic[S]):
    """What can be asked of quotas."""

    @operation
    async def list_quotas(self, cloud: Cloud[S], cursor: str | None) -> Page[Quota]:
        """Return one page of how much the account may use, and uses.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.

        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError
