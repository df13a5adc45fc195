"""Metrics: what oned monitors of VMs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from anabranch.hooks import hookimpl
from anabranch.hooks.metrics import MetricsSpec
from anabranch.models import Metric, MetricSample, MetricSeries
from anabranch.paging import Page
from anabranch_opennebula import pools
from anabranch_opennebula.client import OpenNebulaCloud, session
from anabranch_opennebula.reading import Thing, number, when
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.vms import vm_number

__all__ = ["Metrics"]

_SHORT_VMS: Final = pools.Pool("vmpool.info", "VM", scoped=True, more=(-1,))
_UNITS: Final = {
    "CPU": "Percent",
    "MEMORY": "KiB",
    "NETRX": "Bytes",
    "NETTX": "Bytes",
    "DISKRDBYTES": "Bytes",
    "DISKWRBYTES": "Bytes",
    "DISKRDIOPS": "Count",
    "DISKWRIOPS": "Count",
}
"""What the hypervisors report. Of CPU, 100 is one processor; all but it and MEMORY are totals."""


class _Sample(NamedTuple):
    at: datetime
    values: dict[str, float | None]


class Metrics(MetricsSpec[OpenNebulaSettings]):
    """Monitoring of VMs. The id is that of the instance."""

    @hookimpl
    async def list_metrics(self, cloud: OpenNebulaCloud, cursor: str | None) -> Page[Metric]:
        names = tuple([MetricSeries(name=name, unit=unit) for name, unit in _UNITS.items()])

        def convert(vm: Thing) -> tuple[Metric]:
            name = vm.element.findtext("NAME") or ""
            return (Metric(cloud=cloud.name, id=vm.id, name=name, series=names),)

        return await pools.page(session(cloud), _SHORT_VMS, cursor, convert)

    @hookimpl
    async def get_metric(self, cloud: OpenNebulaCloud, metric_id: str) -> Metric:
        samples = await session(cloud).read(_samples, "vm.monitoring", vm_number(metric_id))
        return Metric(
            cloud=cloud.name,
            id=metric_id,
            series=tuple([_series(name, unit, samples) for name, unit in _UNITS.items()]),
        )


def _samples(document: Thing) -> list[_Sample]:
    """Read MONITORING_DATA: a MONITORING for each sample, until 5.10 within a VM."""
    found: list[_Sample] = []
    for element in document.element:
        inner = element.find("MONITORING")
        values = element if inner is None else inner
        at = when(element.findtext("TIMESTAMP") or element.findtext("LAST_POLL"))
        if at is not None:
            found.append(_Sample(at, {name: number(values.findtext(name)) for name in _UNITS}))
    return sorted(found, key=lambda sample: sample.at)


def _series(name: str, unit: str, samples: Sequence[_Sample]) -> MetricSeries:
    measured = [(sample.at, sample.values[name]) for sample in samples]
    return MetricSeries(
        name=name,
        unit=unit,
        samples=tuple(
            [MetricSample(timestamp=at, average=v) for at, v in measured if v is not None]
        ),
    )
