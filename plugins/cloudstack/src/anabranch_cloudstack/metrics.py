"""Metrics: the statistics of virtual machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from anabranch.errors import CloudError
from anabranch.hooks import hookimpl
from anabranch.hooks.metrics import MetricsSpec
from anabranch.models import Metric, MetricSample, MetricSeries
from anabranch.paging import Page
from anabranch_cloudstack import wire
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.reading import Reader, itself
from anabranch_cloudstack.settings import CloudStackSettings
from anabranch_cloudstack.values import utc

__all__ = ["Metrics"]

_MEASURED: Final = Reader(wire.MeasuredMachine, "virtualmachine")
_HISTORY: Final = Reader(wire.UsageHistory, "virtualmachine")
_HISTORY_COMMAND: Final = "listVirtualMachinesUsageHistory"


class _Quantity(msgspec.Struct, frozen=True):
    name: str
    unit: str
    read: Callable[[wire.Statistics], float | None]


def _percent(found: wire.Statistics) -> float | None:
    try:
        return float((found.cpuused or "").rstrip("% ").replace(",", "."))
    except ValueError:
        return None


def _field(name: str) -> Callable[[wire.Statistics], float | None]:
    def read(found: wire.Statistics) -> float | None:
        value: Any = getattr(found, name)
        # Memory that the hypervisor does not tell is -1.
        return float(value) if value is not None and value >= 0 else None

    return read


_QUANTITIES: Final = (
    _Quantity("cpuused", "Percent", _percent),
    _Quantity("memorykbs", "KiB", _field("memorykbs")),
    _Quantity("memoryintfreekbs", "KiB", _field("memoryintfreekbs")),
    _Quantity("networkkbsread", "KiB", _field("networkkbsread")),
    _Quantity("networkkbswrite", "KiB", _field("networkkbswrite")),
    _Quantity("diskkbsread", "KiB", _field("diskkbsread")),
    _Quantity("diskkbswrite", "KiB", _field("diskkbswrite")),
    _Quantity("diskioread", "Count", _field("diskioread")),
    _Quantity("diskiowrite", "Count", _field("diskiowrite")),
)


class Metrics(MetricsSpec[CloudStackSettings]):
    """Statistics of virtual machines."""

    @hookimpl
    async def list_metrics(self, cloud: CloudStackCloud, cursor: str | None) -> Page[Metric]:
        names = tuple(MetricSeries(name=q.name, unit=q.unit) for q in _QUANTITIES)

        def make(vm: wire.MeasuredMachine, raw: msgspec.Raw) -> Metric:
            del raw
            name = vm.displayname or vm.name or ""
            return Metric(cloud=cloud.name, id=vm.id, name=name, series=names)

        return await session(cloud).page(
            "listVirtualMachines",
            reader=_MEASURED,
            convert=make,
            cursor=cursor,
            parameters={"details": "min", **session(cloud).scope},
        )

    @hookimpl
    async def get_metric(self, cloud: CloudStackCloud, metric_id: str) -> Metric:
        if await _keeps_history(cloud):
            # No start is told: the server would read it in a time zone of its own.
            history = await session(cloud).one(
                _HISTORY_COMMAND,
                {"id": metric_id},
                reader=_HISTORY,
                convert=itself,
                what=f"virtual machine {metric_id!r}",
            )
            return _metric(cloud, metric_id, history.displayname or "", history.stats)
        vm = await session(cloud).one(
            "listVirtualMachines",
            {"id": metric_id, "details": "stats", **session(cloud).scope},
            reader=_MEASURED,
            convert=itself,
            what=f"virtual machine {metric_id!r}",
        )
        measured = [] if vm.cpuused is None else [vm]
        return _metric(cloud, metric_id, vm.displayname or vm.name or "", measured)


async def _keeps_history(cloud: CloudStackCloud) -> bool:
    """Whether the cloud tells more than the last values: from 4.17 on, if the role allows it."""
    try:
        return _HISTORY_COMMAND in await session(cloud).apis()
    except CloudError as exc:
        if exc.retryable:
            raise
        return False


def _metric(
    cloud: CloudStackCloud, ident: str, name: str, measured: Sequence[wire.Statistics]
) -> Metric:
    """Put the values in order of time; those without a time are of now."""
    now = datetime.now(UTC)
    timed = sorted(((utc(m.timestamp) or now, m) for m in measured), key=lambda pair: pair[0])
    return Metric(
        cloud=cloud.name,
        id=ident,
        name=name,
        series=tuple(
            MetricSeries(
                name=quantity.name,
                unit=quantity.unit,
                samples=tuple(
                    MetricSample(timestamp=time, average=value)
                    for time, found in timed
                    if (value := quantity.read(found)) is not None
                ),
            )
            for quantity in _QUANTITIES
        ),
    )
