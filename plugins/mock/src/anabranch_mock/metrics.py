"""Metrics and quotas: how much is used."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Final

from anabranch.hooks import hookimpl
from anabranch.hooks.metrics import MetricsSpec, QuotasSpec
from anabranch.models import Instance, Metric, MetricSample, MetricSeries, Quota
from anabranch.paging import Page
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore, now
from anabranch_mock.table import Table

__all__ = ["Metrics", "QuotaList"]

_SERIES: Final = (
    ("cpuUtilization", "Percent", 100.0),
    ("diskReadRequestCount", "Count", 2_000.0),
    ("diskWriteRequestCount", "Count", 1_000.0),
    ("nicInputBytes", "Bytes", 5_000_000.0),
    ("nicOutputBytes", "Bytes", 9_000_000.0),
)
"""Name, unit and greatest value of what is measured of every instance."""

_SAMPLES: Final = 12


class Metrics(MetricsSpec[MockSettings]):
    """The hooks of the metrics. Every instance is measured; its id is the metric's id."""

    @hookimpl
    async def list_metrics(self, cloud: MockCloud, cursor: str | None) -> Page[Metric]:
        def read(store: MockStore) -> Page[Metric]:
            page = store.page(store.instances, cursor)
            return Page([_names(instance) for instance in page.items], page.cursor)

        return await listing(cloud, "list_metrics", read)

    @hookimpl
    async def get_metric(self, cloud: MockCloud, metric_id: str) -> Metric:
        return await call(
            cloud, "get_metric", lambda store: _measured(store.instances.get(metric_id), now())
        )


class QuotaList(QuotasSpec[MockSettings]):
    """The hook of the quotas."""

    @hookimpl
    async def list_quotas(self, cloud: MockCloud, cursor: str | None) -> Page[Quota]:
        return await listing(cloud, "list_quotas", lambda store: store.page(_quotas(store), cursor))


def _names(instance: Instance) -> Metric:
    series = tuple(MetricSeries(name=name, unit=unit) for name, unit, _ in _SERIES)
    return Metric(cloud=instance.cloud, id=instance.id, name=instance.name, series=series)


def _measured(instance: Instance, until: datetime) -> Metric:
    """Return the last samples of an instance: every minute if in detail, else every five."""
    minutes = 1 if instance.extra.get("metrics") else 5
    last = until.replace(minute=until.minute - until.minute % minutes, second=0)
    times = [last - timedelta(minutes=minutes * step) for step in reversed(range(_SAMPLES))]
    series = tuple(
        MetricSeries(
            name=name,
            unit=unit,
            samples=tuple(_sample(instance.id, name, time, greatest) for time in times),
        )
        for name, unit, greatest in _SERIES
    )
    return Metric(cloud=instance.cloud, id=instance.id, name=instance.name, series=series)


def _sample(instance_id: str, name: str, time: datetime, greatest: float) -> MetricSample:
    """Make up what was measured; the same, whenever and however often it is asked for."""
    chance = Random(f"{instance_id} {name} {time.isoformat()}")
    low, middle, high = sorted(round(chance.uniform(0, greatest), 2) for _ in range(3))
    return MetricSample(timestamp=time, minimum=low, average=middle, maximum=high)


def _quotas(store: MockStore) -> Table[Quota]:
    quotas = Table[Quota]("quota")

    def tell(quota_id: str, limit: int | None, used: float, unit: str = "count") -> None:
        name = quota_id.replace("_", " ")
        quotas.load(
            Quota(cloud=store.cloud, id=quota_id, name=name, limit=limit, used=int(used), unit=unit)
        )

    for collection, table in store.limited.items():
        tell(collection, table.limit, len(table))
    hardware = [instance.hardware for instance in store.instances if instance.hardware]
    tell("cpus", None, sum(each.cpu or 0 for each in hardware))
    tell("memory", None, sum(each.memory_mib or 0 for each in hardware), "MiB")
    tell("blob_bytes", store.settings.quotas.blob_bytes, store.blob_bytes, "bytes")
    return quotas
