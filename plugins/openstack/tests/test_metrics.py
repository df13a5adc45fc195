"""Metrics over the wire, with the requests that they cost; and clouds that lack a service."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from anabranch.errors import NotFound, OperationNotSupported
from anabranch_openstack import convert_metrics, driver, wire_metrics
from anabranch_openstack.client import session
from anabranch_openstack.simulator.metric.records import POLICIES, Resource, Series

from .test_collections import costs, ready

NOBODY = "00000000-0000-0000-0000-000000000000"


def resource(simulated, now, **series):
    """Something that is measured: series by name, of a policy and measures at minutes ago."""
    project = next(p for p in simulated.state.identity.projects.values() if p.name == "demo")
    made = Resource(
        id="11111111-2222-4333-8444-555555555555",
        project_id=project.id,
        user_id="u",
        name="<b> & 🚀",
        started=now,
        series={
            name: Series(
                id=f"11111111-2222-4333-8444-{number:012}",
                name=name,
                unit="MB",
                policy=POLICIES[policy],
                measures=[(now - 60 * ago, value) for ago, value in measures.items()],
            )
            for number, (name, (policy, measures)) in enumerate(series.items())
        },
    )
    simulated.state.regions["RegionOne"].resources.made[made.id] = made
    return made


async def test_every_instance_is_listed_with_what_is_measured(served):
    async with served(instances=5, entry={"page_size": 2}) as (simulated, cloud, _):
        await ready(cloud)
        found, cursor = [], None
        with costs(simulated, *["POST /search/resource/instance"] * 3):
            while True:
                page = await driver.list_metrics(cloud, cursor)
                found += page.items
                cursor = page.cursor
                if cursor is None:
                    break
        instances = []
        cursor = None
        while True:
            page = await driver.list_instances(cloud, cursor, {})
            instances += page.items
            cursor = page.cursor
            if cursor is None:
                break
        assert {(m.id, m.name) for m in found} == {(i.id, i.name) for i in instances}
        assert len(found) == 5
        assert {m.entity for m in found} == {"instance"}
        assert [s.name for s in found[0].series] == ["cpu", "memory.usage"]
        assert not any(s.samples for m in found for s in m.series)


async def test_the_samples_of_an_instance(served):
    async with served(instances=1) as (simulated, cloud, _):
        [instance] = (await driver.list_instances(cloud, None, {})).items
        path = f"/resource/instance/{instance.id}"
        with costs(simulated, f"GET {path}", f"GET {path}/metric", *["POST /aggregates"] * 2):
            metric = await driver.get_metric(cloud, instance.id)
        assert (metric.id, metric.name) == (instance.id, instance.name)
        cpu, memory, rate = metric.series
        assert [s.name for s in metric.series] == ["cpu", "memory.usage", "rate:cpu"]
        assert (cpu.unit, memory.unit, rate.unit) == ("ns", "MB", "ns")
        for series in metric.series:
            times = [s.timestamp for s in series.samples]
            assert times == sorted(times)
            assert len(times) >= 12
            assert datetime.now(UTC) - times[-1] < timedelta(minutes=10)
        assert all(s.minimum <= s.average <= s.maximum for s in memory.samples)
        assert all(s.minimum is s.maximum is None for s in cpu.samples)
        assert rate.samples[-1].average == pytest.approx(60 * 1e8)


async def test_series_that_are_kept_in_different_ways(served):
    async with served(instances=0) as (simulated, cloud, _):
        now = 1_800_000_000.0
        simulated.state.clock = lambda: now
        made = resource(
            simulated,
            now,
            load=("lab", {0: 1.0, 1: 2.0, 70: 9.0}),
            empty=("lab", {}),
            up=("bool", {0: 1.0, 1: 0.0}),
        )
        path = f"/resource/instance/{made.id}"
        await driver.list_metrics(cloud, None)
        with costs(simulated, f"GET {path}", f"GET {path}/metric", *["POST /aggregates"] * 2):
            metric = await driver.get_metric(cloud, made.id)
        assert metric.name == "<b> & 🚀"
        series = {s.name: s.samples for s in metric.series}
        assert series["empty"] == ()
        at = [datetime.fromtimestamp(now - ago, UTC) for ago in (60, 0)]
        assert [(s.timestamp, s.average, s.minimum, s.maximum) for s in series["load"]] == [
            (at[0], 2.0, 2.0, 2.0),
            (at[1], 1.0, 1.0, 1.0),
        ]
        assert [(s.average, s.minimum) for s in series["up"]] == [(0.0, None), (1.0, None)]


async def test_what_has_ended_is_not_listed_but_told(served):
    async with served(instances=0) as (simulated, cloud, _):
        made = resource(simulated, 1_800_000_000.0, load=("lab", {}))
        assert len((await driver.list_metrics(cloud, None)).items) == 1
        made.ended = 1_800_000_001.0
        assert not (await driver.list_metrics(cloud, None)).items
        assert (await driver.get_metric(cloud, made.id)).id == made.id


async def test_nothing_is_measured_of_what_is_not_there(served):
    async with served(instances=1) as (_, cloud, _url):
        for ident in (NOBODY, "no/uuid"):
            with pytest.raises(NotFound):
                await driver.get_metric(cloud, ident)


async def test_a_gnocchi_that_knows_of_no_instances_has_no_metrics(served):
    async with served(instances=1) as there:
        cloud = there.again(metric_endpoint_override=f"{there.url}/metric/v1/elsewhere")
        assert not (await driver.list_metrics(cloud, None)).items
        await cloud.aclose()


@pytest.mark.parametrize(
    ("granularity", "seconds"),
    [
        ("0:05:00", 300.0),
        ("1 day, 0:00:00", 86400.0),
        ("2 days, 1:00:00.5", 176400.5),
        (60.0, 60.0),
        ("soon", None),
    ],
)
def test_granularities(granularity, seconds):
    policy = wire_metrics.ArchivePolicy(definition=[wire_metrics.Definition(granularity)])
    assert convert_metrics.finest(policy) == seconds


def test_what_is_asked_of_a_series():
    def asked(prefix, *methods):
        policy = wire_metrics.ArchivePolicy(aggregation_methods=list(methods))
        return convert_metrics.reckoned(policy, prefix)

    assert asked("", "min", "mean", "max", "last") == ("mean", "min", "max")
    assert asked("", "last") == ("last", "", "")
    assert asked("", "count", "rate:mean") is None
    assert asked("rate:", "mean", "rate:mean", "rate:max") == ("rate:mean", "", "rate:max")


# ------------------------------------------------------------------------------ what a cloud lacks


@pytest.mark.parametrize(
    ("types", "lacking", "left"),
    [
        (
            ("block-storage", "volumev3"),
            {"list_storage_volumes", "list_storage_snapshots", "attach_storage_volume"},
            {"list_buckets", "list_metrics", "list_instances"},
        ),
        (
            ("object-store",),
            {"list_buckets", "list_blobs", "create_blob", "open_blob", "begin_blob_upload"},
            {"list_storage_volumes", "list_metrics"},
        ),
        (("metric",), {"list_metrics", "get_metric"}, {"list_buckets", "list_storage_volumes"}),
        (("compute",), {"attach_storage_volume", "detach_storage_volume"}, {"list_buckets"}),
    ],
)
async def test_what_the_catalog_lacks_is_not_offered(served, types, lacking, left):
    async with served(instances=0) as (_, cloud, _url):
        assert not (await driver.probe(cloud)).operations
        access = await session(cloud).access()
        kept = [s for s in access.catalog if s.type not in types]
        msgspec.structs.force_setattr(access, "catalog", kept)
        lacks = (await driver.probe(cloud)).operations
        assert lacking <= lacks.keys()
        assert not left & lacks.keys()
        assert all(types[0] in lacks[operation] for operation in lacking)


async def test_what_is_not_there_is_refused_by_name(served):
    async with served(instances=0) as (_, cloud, _url):
        access = await session(cloud).access()
        kept = [s for s in access.catalog if s.type in ("compute", "identity")]
        msgspec.structs.force_setattr(access, "catalog", kept)
        for listing, kind in (
            (driver.list_storage_volumes, "block-storage"),
            (driver.list_buckets, "object-store"),
            (driver.list_metrics, "metric"),
        ):
            with pytest.raises(OperationNotSupported, match=kind):
                await listing(cloud, None)
