"""Metrics as documents."""

from __future__ import annotations

import re
from typing import Any, Final

from anabranch.models import Metric, MetricSample, MetricSeries
from anabranch_server.deltacloud.documents.markup import attribute, figure, text
from anabranch_server.deltacloud.documents.sheet import Sheet

__all__ = ["metric_plain", "metric_xml"]

_NOT_IN_NAMES: Final = re.compile("[^A-Za-z0-9_.-]")


def metric_xml(item: Metric, sheet: Sheet) -> str:
    """Return the metrics of an entity as a member of a list."""
    return (
        f"  <metric {sheet.target('metrics', item.cloud, item.id)}>\n"
        f"    <entity>{text(item.entity)}</entity>\n"
        f"    <properties>\n{''.join(_series(one) for one in item.series)}    </properties>\n"
        "  </metric>\n"
    )


def _series(series: MetricSeries) -> str:
    """Return a quantity as the element of its name.

    Of a name that XML does not allow the element is as near as can be, and an attribute tells it.
    """
    name = series.name
    tag = _NOT_IN_NAMES.sub("_", name)
    if not tag or tag[0] in "0123456789.-":
        tag = f"_{tag}"
    named = "" if tag == name else f" name='{attribute(name)}'"
    samples = "".join(_sample_xml(one, series) for one in series.samples)
    return f"      <{tag}{named}>\n{samples}      </{tag}>\n"


def _sample_xml(sample: MetricSample, series: MetricSeries) -> str:
    told = {k: v for k, v in _sample(sample, series).items() if v is not None}
    lines = "".join(
        f"          <property name='{name}' value='{attribute(figure(value))}' />\n"
        for name, value in told.items()
    )
    return f"        <sample>\n{lines}        </sample>\n"


def metric_plain(item: Metric, sheet: Sheet) -> dict[str, Any]:
    """Return the metrics of an entity for JSON."""
    view = sheet.view
    return {
        "id": view.id(item.cloud, item.id),
        "href": view.member("metrics", item.cloud, item.id),
        "entity": item.entity,
        "properties": [
            {"name": one.name, "values": [_sample(sample, one) for sample in one.samples]}
            for one in item.series
        ],
    }


def _sample(sample: MetricSample, series: MetricSeries) -> dict[str, Any]:
    """Return what was measured, by Deltacloud's names; its times are seconds since 1970."""
    seconds = sample.timestamp.timestamp()
    return {
        "minimum": sample.minimum,
        "maximum": sample.maximum,
        "average": sample.average,
        "timestamp": int(seconds) if seconds.is_integer() else seconds,
        "unit": series.unit,
    }
