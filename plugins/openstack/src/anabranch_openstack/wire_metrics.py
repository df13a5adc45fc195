"""The documents of gnocchi, as far as they are translated."""

from __future__ import annotations

from datetime import datetime

import msgspec

__all__ = ["Aggregates", "ArchivePolicy", "Definition", "Measure", "Resource", "Series"]

Measure = tuple[datetime, float, float]
"""When, over how many seconds, and how much."""


class Resource(msgspec.Struct, gc=False):
    """What is measured; `metrics` are the ids of the series by name."""

    id: str
    original_resource_id: str | None = None
    display_name: str | None = None
    metrics: dict[str, str] | None = None


class Definition(msgspec.Struct, gc=False):
    """How fine measures are kept: `0:05:00`, `1 day, 0:00:00`, or seconds."""

    granularity: str | float = ""


class ArchivePolicy(msgspec.Struct, gc=False):
    """How fine measures are kept, and what is reckoned of them."""

    name: str = ""
    definition: list[Definition] = msgspec.field(default_factory=list[Definition])
    aggregation_methods: list[str] = msgspec.field(default_factory=list[str])


class Series(msgspec.Struct, gc=False):
    """A series of measures."""

    id: str
    name: str | None = None
    unit: str | None = None
    archive_policy: ArchivePolicy = msgspec.field(default_factory=ArchivePolicy)


class Aggregates(msgspec.Struct, gc=False):
    """Measures by series and what was reckoned of them."""

    measures: dict[str, dict[str, list[Measure]]]
