"""Gnocchi's documents to models: pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from anabranch.models import Extra, Metric, MetricSample, MetricSeries
from anabranch_openstack import wire_metrics
from anabranch_openstack.times import utc

__all__ = ["RATE", "Reckoned", "finest", "metric", "reckoned", "series"]

RATE: Final = "rate:"
"""What gnocchi calls the changes of a series that counts up (`rate:mean`)."""

_KEYS: Final = frozenset(f.encode_name for f in msgspec.structs.fields(wire_metrics.Resource))
_GRANULARITY: Final = re.compile(r"(?:(\d+) days?, )?(\d+):(\d\d):(\d\d(?:\.\d+)?)")


class Reckoned(NamedTuple):
    """What of a series is asked for: gnocchi's words, empty where it keeps none."""

    average: str
    minimum: str
    maximum: str


def metric(
    cloud: str,
    found: wire_metrics.Resource,
    raw: msgspec.Raw,
    known: Sequence[MetricSeries] | None = None,
) -> Metric:
    """Convert a resource, with the series that are `known`, or with their names alone."""
    names = sorted(found.metrics or ())
    return Metric(
        cloud=cloud,
        id=found.original_resource_id or found.id,
        name=found.display_name or "",
        series=tuple(MetricSeries(name=name) for name in names if known is None)
        + tuple(known or ()),
        extra=Extra(raw, _KEYS),
    )


def reckoned(policy: wire_metrics.ArchivePolicy, prefix: str) -> Reckoned | None:
    """Return what there is to ask of a series; None: nothing.

    Args:
        policy: How the series is kept.
        prefix: Empty, or `RATE`.
    """
    there = {m for m in policy.aggregation_methods if m.startswith(RATE) == bool(prefix)}

    def first(*words: str) -> str:
        return next((prefix + word for word in words if prefix + word in there), "")

    wanted = Reckoned(first("mean", "last"), first("min"), first("max"))
    return wanted if any(wanted) else None


def finest(policy: wire_metrics.ArchivePolicy) -> float | None:
    """Return the seconds that the finest measures stand for; None: it is not told."""
    known = [_seconds(d.granularity) for d in policy.definition]
    return min((seconds for seconds in known if seconds), default=None)


def series(
    name: str, unit: str | None, wanted: Reckoned, found: Mapping[str, list[wire_metrics.Measure]]
) -> MetricSeries:
    """Put together what was asked of one series."""
    values = [{utc(moment): value for moment, _, value in found.get(word, ())} for word in wanted]
    times: set[datetime] = {moment for part in values for moment in part if moment}
    samples = [
        MetricSample(
            timestamp=moment,
            average=values[0].get(moment),
            minimum=values[1].get(moment),
            maximum=values[2].get(moment),
        )
        for moment in sorted(times)
    ]
    return MetricSeries(name=name, unit=unit or "", samples=tuple(samples))


def _seconds(granularity: str | float) -> float | None:
    if not isinstance(granularity, str):
        return float(granularity)
    match = _GRANULARITY.fullmatch(granularity)
    if match is None:
        return None
    days, hours, minutes, seconds = match.groups(default="0")
    return int(days) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)
