"""Metrics: what gnocchi knows of instances, where a cloud has it."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial
from typing import Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from anabranch.cloud import Response
from anabranch.errors import NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.metrics import MetricsSpec
from anabranch.models import Metric, MetricSeries
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack import convert_metrics, wire_metrics
from anabranch_openstack.catalog import METRIC
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.replies import decoded, request_id
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["Metrics"]

_RESOURCE: Final = Reader(wire_metrics.Resource)
_SERIES: Final = Reader(wire_metrics.Series)
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_AGGREGATES: Final = msgspec.json.Decoder(wire_metrics.Aggregates)
_NEXT: Final = re.compile(r"<([^>]*)>\s*;\s*rel=\"?next\"?")
_SPAN: Final = 3600.0
"""Seconds back from now that samples are given for; more where that were too few of them."""
_FEWEST: Final = 12


class Metrics(MetricsSpec[OpenStackSettings]):
    """Instances, as gnocchi measures them."""

    @hookimpl
    async def list_metrics(self, cloud: OpenStackCloud, cursor: str | None) -> Page[Metric]:
        params: list[tuple[str, str | int]] = [
            ("limit", cloud.settings.page_size),
            ("sort", "id:asc"),
        ]
        if cursor:
            params.append(("marker", cursor))
        try:
            reply = await session(cloud).request(
                METRIC,
                "POST",
                "/search/resource/instance",
                params=params,
                body={"=": {"ended_at": None}},
                idempotent=True,
            )
        except NotFound:  # there is no such type of resource: instances are not measured
            return Page([])
        raws = decoded(reply, _ITEMS)
        items, problems = _RESOURCE.read_all(raws, partial(convert_metrics.metric, cloud.name))
        return Page(items, _following(reply), problems)

    @hookimpl
    async def get_metric(self, cloud: OpenStackCloud, metric_id: str) -> Metric:
        gnocchi = session(cloud)
        path = f"/resource/instance/{segment(metric_id)}"
        described = await gnocchi.request(METRIC, "GET", path)
        resource = _RESOURCE.read(described.content, request_id(described))
        reply = await gnocchi.request(METRIC, "GET", f"{path}/metric")
        raws = decoded(reply, _ITEMS)
        found, _ = _SERIES.read_all(raws, lambda series, raw: series)
        by_policy: defaultdict[str, list[wire_metrics.Series]] = defaultdict(list)
        for series in found:
            by_policy[series.archive_policy.name].append(series)
        known: list[MetricSeries] = []
        for alike in by_policy.values():
            known += await _measured(gnocchi, alike)
        known.sort(key=lambda series: series.name)
        raw = msgspec.Raw(described.content)
        return convert_metrics.metric(cloud.name, resource, raw, known)


async def _measured(gnocchi: Session, alike: list[wire_metrics.Series]) -> list[MetricSeries]:
    """Get the samples of series that are kept alike: only such gnocchi gives at once."""
    policy = alike[0].archive_policy
    kinds = {
        prefix: wanted
        for prefix in ("", convert_metrics.RATE)
        if (wanted := convert_metrics.reckoned(policy, prefix))
    }
    granularity = convert_metrics.finest(policy)
    if not kinds or granularity is None:
        return [MetricSeries(name=s.name or s.id, unit=s.unit or "") for s in alike]
    words = [word for wanted in kinds.values() for word in wanted if word]
    operations = ["metric", *([series.id, word] for series in alike for word in words)]
    span = max(_SPAN, granularity * _FEWEST)
    reply = await gnocchi.request(
        METRIC,
        "POST",
        "/aggregates",
        params={"start": f"-{span:.0f}s", "granularity": str(granularity)},
        body={"operations": operations},
        idempotent=True,
    )
    measures = decoded(reply, _AGGREGATES).measures
    return [
        convert_metrics.series(
            f"{prefix}{series.name or series.id}", series.unit, wanted, measures.get(series.id, {})
        )
        for series in alike
        for prefix, wanted in kinds.items()
    ]


def _following(reply: Response) -> str | None:
    """Return the marker of the next page, which a header tells."""
    match = _NEXT.search(reply.headers.get("link", ""))
    if match is None:
        return None
    return next(iter(parse_qs(urlsplit(match[1]).query).get("marker", ())), None)
