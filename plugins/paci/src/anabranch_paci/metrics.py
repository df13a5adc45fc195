"""Metrics: what servers used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from anabranch.hooks import hookimpl
from anabranch.hooks.metrics import MetricsSpec
from anabranch.models import Metric, MetricSample, MetricSeries
from anabranch.paging import Page
from anabranch_paci import listing
from anabranch_paci.client import PaciCloud, session
from anabranch_paci.convert import extra_of
from anabranch_paci.markup import Node
from anabranch_paci.periods import period
from anabranch_paci.servers import part
from anabranch_paci.settings import PaciSettings

__all__ = ["Metrics"]

_KEYS = frozenset({"ve-name", "resource-usage", "ve-traffic"})


class Metrics(MetricsSpec[PaciSettings]):
    """The usage of each server; its id is the server's name.

    A series has one sample: what was used in the last `usage_hours`. Its unit is in its name, as
    the platform gives that (`cpu-hours`).
    """

    @hookimpl
    async def list_metrics(self, cloud: PaciCloud, cursor: str | None) -> Page[Metric]:
        servers, problems = await listing.names(
            session(cloud), listing.SERVERS, cloud.settings.subscription
        )
        names = (info.attributes["name"] for info in servers)
        metrics = [Metric(cloud=cloud.name, id=name, name=name) for name in names]
        return Page(metrics, None, problems)

    @hookimpl
    async def get_metric(self, cloud: PaciCloud, metric_id: str) -> Metric:
        hours = timedelta(hours=cloud.settings.usage_hours)
        now = datetime.now(UTC)
        report, content = await part(
            session(cloud), metric_id, "usage", *period(hours), root="ve-resource-usage-report"
        )
        used = [
            *(
                _series(u, "value", "resource-type", "resource-usage-type", now)
                for u in report.all("resource-usage")
            ),
            *(_series(t, "used", "traffic-type", None, now) for t in report.all("ve-traffic")),
        ]
        return Metric(
            cloud=cloud.name,
            id=metric_id,
            name=metric_id,
            series=tuple(series for series in used if series),
            extra=extra_of(content, _KEYS),
        )


def _series(
    node: Node, value: str, kind: str, detail: str | None, now: datetime
) -> MetricSeries | None:
    try:
        amount = float(node.get(value) or "")
    except ValueError:
        return None
    parts = [node.get(kind), node.get(detail) if detail else "traffic"]
    name = " ".join(part for part in parts if part)
    return MetricSeries(name=name, samples=(MetricSample(timestamp=now, average=amount),))
