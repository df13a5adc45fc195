"""A listing part by part: limits, and the cursors to go on from."""

import anyio
import pytest

from anabranch import (
    Broker,
    CloudStatus,
    Configuration,
    ConfigurationError,
    DeadlineExceeded,
    FeatureNotSupported,
    PluginRegistry,
    ProtocolError,
    RateLimited,
)
from anabranch.cloud import Cloud
from anabranch.fanout import FanOut, Target
from anabranch.hooks import DriverSpec, Ops, hookimpl
from anabranch.models import Blob, Instance
from anabranch.paging import Page
from anabranch.settings import CloudSettings

CLOUDS = {
    "athens": {"pages": [2, 2, 2, 1]},
    "berlin": {"pages": [1]},
    "cork": {"pages": [5, 5]},
}


def _ids(answer, cloud: str) -> list[str]:
    return [item.id for item in answer if item.cloud == cloud]


async def test_each_cloud_stops_after_the_page_that_fills_its_limit(make_broker, stub):
    async with make_broker(CLOUDS) as broker:
        answer = await broker.instances.list(limit=3)
        assert answer.cursors == {"athens": "2", "cork": "1"}
        assert [(r.name, r.count) for r in answer.clouds] == [
            ("athens", 4),
            ("berlin", 1),
            ("cork", 5),
        ]
        assert {r.status for r in answer.clouds} == {CloudStatus.OK}
        assert not answer.unfinished
        answer.require("all")
        assert not answer.complete  # there is more
        assert answer.to_dict()["complete"] is False
        assert "cursors" not in answer.to_dict()
        assert repr(answer) == (
            "<Answer: 10 items; athens: ok 4 and more, berlin: ok 1, cork: ok 5 and more>"
        )
    assert len(stub.calls) == 4


async def test_cursors_lead_through_everything_and_each_page_is_fetched_once(make_broker, stub):
    async with make_broker(CLOUDS) as broker:
        whole = await broker.instances.list()
        assert (whole.cursors, whole.complete) == ({}, True)
        fetched = len(stub.calls)
        stub.calls.clear()
        parts = [await broker.instances.list(limit=1)]
        while parts[-1].cursors:
            parts.append(await broker.instances.list(limit=1, cursors=parts[-1].cursors))
    assert [[r.name for r in part.clouds] for part in parts] == [
        ["athens", "berlin", "cork"],
        ["athens", "cork"],
        ["athens"],
        ["athens"],
    ]
    assert parts[-1].complete
    assert sorted(i.qualified_id for p in parts for i in p) == sorted(i.qualified_id for i in whole)
    assert len(stub.calls) == fetched == 7


async def test_without_a_limit_a_cursor_leads_to_the_end(make_broker):
    async with make_broker(CLOUDS) as broker:
        answer = await broker.instances.list(cursors={"cork": "1", "athens": "2"})
        assert [r.name for r in answer.clouds] == ["athens", "cork"]  # as they are configured
        assert _ids(answer, "athens") == ["2-0", "2-1", "3-0"]
        assert answer.complete


async def test_only_clouds_with_a_cursor_are_asked(make_broker, stub):
    async with make_broker(CLOUDS) as broker:
        nobody = await broker.instances.list(cursors={})
        assert (list(nobody), nobody.clouds, nobody.complete) == ([], [], True)
        assert not stub.calls
        cursors = {"athens": "1", "cork": "1"}
        answer = await broker.instances.list(clouds=["berlin", "cork"], cursors=cursors)
        assert [r.name for r in answer.clouds] == ["cork"]
        with pytest.raises(ConfigurationError, match=r"no cloud 'corc'. Did you mean 'cork'\?"):
            await broker.instances.list(cursors={"corc": "1"})
        for limit in (0, -1):
            with pytest.raises(ConfigurationError, match=f"'limit': {limit} is below 1"):
                broker.instances.stream(limit=limit)


async def test_the_limit_counts_what_is_kept(make_broker):
    async with make_broker(CLOUDS) as broker:
        answer = await broker.instances.list(limit=2, keep=lambda i: i.id.endswith("-0"))
        assert _ids(answer, "athens") == ["0-0", "1-0"]
        assert _ids(answer, "cork") == ["0-0", "1-0"]
        assert answer.cursors == {"athens": "2"}
        answer = await broker.instances.list(limit=1, where={"id": "2-1"})
        assert answer.cursors == {"athens": "3"}


async def test_a_cloud_that_fails_has_no_cursor(make_broker):
    clouds = {
        "early": {"pages": [], "end": "RateLimited"},
        "late": {"pages": [1], "end": "RateLimited"},
        "slow": {"pages": [1], "end": "hang"},
        "full": {"pages": [4], "end": "RateLimited"},
        "unread": {"pages": [4, 4], "problems": 1},
        "skipped": {"driver": "realms"},
    }
    async with make_broker(clouds) as broker:
        answer = await broker.instances.list(limit=3, timeout=0.3)
        assert [r.status.value for r in answer.clouds] == [
            "failed",
            "partial",
            "partial",
            "ok",
            "partial",
            "skipped",
        ]
        assert answer.cursors == {"full": "1", "unread": "1"}
        assert isinstance(answer.errors["slow"], DeadlineExceeded)
        again = await broker.instances.list(limit=3, cursors={"full": "1"})
        assert again.clouds[0].status is CloudStatus.FAILED
        assert isinstance(again.errors["full"], RateLimited)
        assert not again.cursors


async def test_clouds_are_asked_at_once(make_broker):
    clouds = {f"c{n}": {"pages": [1, 1, 1], "pause": 0.2} for n in range(20)}
    async with make_broker(clouds) as broker:
        started = anyio.current_time()
        first = await broker.instances.list(limit=1)
        second = await broker.instances.list(limit=2, cursors=first.cursors)
        assert anyio.current_time() - started < 1.8
    assert (len(first), len(first.cursors), len(second), second.cursors) == (20, 20, 40, {})


async def test_pages_that_arrive_tell_at_their_end_who_has_more(make_broker):
    async with (
        make_broker(CLOUDS) as broker,
        broker.instances.stream(limit=2, cursors={"athens": "1", "cork": "1"}) as arrivals,
    ):
        assert arrivals.cursors == {}
        got = {page.cloud: len(page.items) async for page in arrivals}
        assert got == {"athens": 2, "cork": 5}
        assert arrivals.cursors == {"athens": "2"}
        assert arrivals.awaited == []


async def test_a_page_that_leads_to_itself_gives_no_cursor(make_broker):
    async with make_broker({"bad": {"pages": [2], "end": "loop"}}) as broker:
        answer = await broker.instances.list(limit=1, cursors={"bad": "1"})
        assert isinstance(answer.errors["bad"], ProtocolError)
        assert not answer.cursors


async def test_what_an_earlier_page_of_the_same_call_had_is_not_counted():
    pages = {"a": ("1 2", "b"), "b": ("2 1", "c"), "c": ("2 3", "d"), "d": ("4", None)}

    async def fetch(cursor: str | None, seconds: float) -> Page[Instance]:
        ids, more = pages[cursor or "a"]
        return Page([Instance(cloud="x", id=i, state="RUNNING") for i in ids.split()], more)  # type: ignore[arg-type]

    fan_out = FanOut([Target("x", "k", "list_things", fetch=fetch, cursor="a")], limit=3)
    answer = await fan_out.answer()
    assert [i.id for i in answer] == ["1", "2", "3"]
    assert answer.cursors == fan_out.cursors == {"x": "d"}


async def test_a_driver_that_has_one_page_takes_no_cursor(make_broker, realms, monkeypatch):
    async def list_realms(self, cloud):
        return Page([])

    vars(list_realms).update(vars(type(realms).list_realms))
    monkeypatch.setattr(type(realms), "list_realms", list_realms)
    async with make_broker({"a": {"driver": "realms"}}) as broker:
        answer = await broker.list_all(Ops.list_realms, limit=1, cursors={"a": "2"})
        assert answer.clouds[0].status is CloudStatus.FAILED
        assert isinstance(answer.errors["a"], FeatureNotSupported)


class Shelf(DriverSpec[CloudSettings]):
    """Has one blob on each of nine pages."""

    title = "Shelf"
    settings_type = CloudSettings

    @hookimpl
    async def list_blobs(
        self, cloud: Cloud[CloudSettings], bucket_id: str, cursor: str | None
    ) -> Page[Blob]:
        number = int(cursor or 1)
        blob = Blob(cloud=cloud.name, id=str(number), bucket_id=bucket_id)
        return Page([blob], str(number + 1) if number < 9 else None)


async def test_blobs_come_part_by_part_too():
    registry = PluginRegistry(drivers={"shelf": Shelf()}, points=())
    async with Broker(
        Configuration(clouds={"a": {"driver": "shelf"}}), registry=registry
    ) as broker:
        first = await broker.blobs.list("a/box", limit=7)
        assert (len(first), first.cursors) == (7, {"a": "8"})
        rest = await broker.blobs.list("a/box", limit=7, cursors=first.cursors)
        assert ([blob.id for blob in rest], rest.cursors) == (["8", "9"], {})
