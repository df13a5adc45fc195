"""Metrics and quotas: how much is used."""

from __future__ import annotations

from datetime import datetime

import msgspec

from anabranch.models._base import Resource

__all__ = ["Metric", "MetricSample", "MetricSeries", "Quota"]


class MetricSample(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured around one time; a value that is None was not measured.

    Attributes:
        timestamp: When, UTC.
        average: The mean, in the unit of the series.
        minimum: The least.
        maximum: The most.
    """

    timestamp: datetime
    average: float | None = None
    minimum: float | None = None
    maximum: float | None = None


class MetricSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity over time.

    Attributes:
        name: The platform's name of it (`cpuUtilization`).
        unit: What the values count (`Percent`, `Bytes`).
        samples: Oldest first; empty where a list tells the names only.
    """

    name: str
    unit: str = ""
    samples: tuple[MetricSample, ...] = ()


class Metric(Resource, frozen=True, kw_only=True):
    """What is measured of one entity; the id is the id of that entity.

    Attributes:
        entity: What kind of thing the entity is (`instance`).
        series: The quantities.
    """

    entity: str = "instance"
    series: tuple[MetricSeries, ...] = ()


class Quota(Resource, frozen=True, kw_only=True):
    """How much of one resource the account may use; the id names the resource (`instances`).

    Attributes:
        limit: How much; None: not limited.
        used: How much is in use; None: not told.
        unit: What is counted (`count`, `MiB`, `GB`).
    """

    limit: int | None = None
    used: int | None = None
    unit: str = "count"
