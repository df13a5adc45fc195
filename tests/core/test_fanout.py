"""Fan-out: one list operation over many clouds, whatever becomes of each."""

import anyio
import pytest

from anabranch import (
    Broker,
    CloudStatus,
    Configuration,
    ConfigurationError,
    DeadlineExceeded,
    DriverFault,
    InstanceState,
    PluginRegistry,
    ProtocolError,
    RequirementNotMet,
)
from anabranch.fanout import FanOut, Target
from anabranch.hooks import Ops
from anabranch.models import Instance
from anabranch.paging import Page

GOOD = ["athens", "berlin", "cork", "delft", "essen", "faro"]
BAD = {
    "ghent": ("hang", "DeadlineExceeded"),
    "hanoi": ("CloudUnavailable", "CloudUnavailable"),
    "izmir": ("PermissionDenied", "PermissionDenied"),
    "jaffa": ("AuthenticationError", "AuthenticationError"),
}


async def test_ten_clouds_of_which_four_fail_each_in_its_own_way(make_broker):
    clouds = {name: {"pages": [3, 3, 1]} for name in GOOD}
    for position, (name, (end, _)) in enumerate(BAD.items()):
        entries = list(clouds.items())
        entries.insert(position * 2, (name, {"pages": [], "end": end}))
        clouds = dict(entries)
    async with make_broker(clouds) as broker:
        started = anyio.current_time()
        answer = await broker.instances.list(timeout=0.3)
        assert anyio.current_time() - started < 1.3

    assert [report.name for report in answer.clouds] == list(clouds)
    assert {r.name for r in answer.unfinished} == set(BAD)
    assert not answer.complete
    for name, (_, error) in BAD.items():
        report = answer.cloud(name)
        assert report.status is CloudStatus.FAILED
        assert report.error is not None
        assert report.error.type == error
        assert report.error.operation == "list_instances"
        assert type(answer.errors[name]).__name__ == error
        assert str(answer.errors[name]).startswith(f"{name}: list_instances: ")
    # 2.5 pages each, in full, cloud after cloud and page after page
    assert [item.cloud for item in answer] == [n for n in clouds if n in GOOD for _ in range(7)]
    assert [i.id for i in answer][:7] == ["0-0", "0-1", "0-2", "1-0", "1-1", "1-2", "2-0"]
    assert all(answer.cloud(name).status is CloudStatus.OK for name in GOOD)
    assert all(answer.cloud(name).count == 7 for name in GOOD)


async def test_a_cloud_that_gave_pages_and_then_hung_is_partial(make_broker):
    async with make_broker({"lisbon": {"pages": [2, 2], "end": "hang"}}) as broker:
        answer = await broker.instances.list(timeout=0.2)
        report = answer.cloud("lisbon")
        assert (report.status, report.count, len(answer.items)) == (CloudStatus.PARTIAL, 4, 4)
        assert isinstance(answer.errors["lisbon"], DeadlineExceeded)
        assert report.error is not None
        assert report.error.message == "not finished within 0.2 s"
        assert report.elapsed_ms >= 190


async def test_and_so_it_is_when_none_of_its_items_is_kept(make_broker):
    async with make_broker({"lisbon": {"end": "hang"}}) as broker:
        answer = await broker.instances.list(timeout=0.2, keep=lambda _: False)
        assert answer.cloud("lisbon").status is CloudStatus.PARTIAL


async def test_skipped_failed_and_empty_are_three_things(make_broker):
    clouds = {
        "empty": {"pages": [0]},
        "failed": {"end": "RateLimited", "pages": []},
        "skipped": {"driver": "realms"},
    }
    async with make_broker(clouds) as broker:
        answer = await broker.instances.list()
        assert {r.name: r.status.value for r in answer.clouds} == {
            "empty": "ok",
            "failed": "failed",
            "skipped": "skipped",
        }
        skipped = answer.cloud("skipped").error
        assert skipped is not None
        assert skipped.type == "OperationNotSupported"
        assert "'realms' does not offer 'list_instances'" in skipped.message
        realms = await broker.realms.list()
        assert [r.status.value for r in realms.clouds] == ["skipped", "skipped", "ok"]
        assert realms.complete
        with pytest.raises(KeyError):
            realms.cloud("nowhere")


async def test_the_clouds_of_a_broken_plugin_are_failed_and_not_missing(stub):
    configuration = Configuration(
        clouds={"a": {"driver": "stub"}, "b": {"driver": "broken"}, "c": {"driver": "stub"}}
    )
    registry = PluginRegistry(drivers={"stub": stub, "broken": object()}, points=())  # type: ignore[dict-item]
    async with Broker(configuration, registry=registry) as broker:
        answer = await broker.instances.list()
        assert [(r.name, r.status.value, r.count) for r in answer.clouds] == [
            ("a", "ok", 2),
            ("b", "failed", 0),
            ("c", "ok", 2),
        ]
        report = answer.cloud("b").error
        assert report is not None
        assert report.type == "PluginError"


@pytest.mark.parametrize(
    ("end", "error", "text"),
    [
        ("loop", "ProtocolError", "the same page again and again"),
        ("bug", "DriverFault", "ZeroDivisionError in driver 'stub'"),
        ("nonsense", "DriverFault", "returned None, not a Page"),
        ("group", "NotFound", "gone while it was listed"),
    ],
)
async def test_what_a_driver_may_do_wrong_is_its_own_clouds_failure(
    make_broker, end: str, error: str, text: str
):
    async with make_broker({"bad": {"end": end}, "good": {}}) as broker:
        answer = await broker.instances.list(timeout=5)
        assert answer.cloud("good").status is CloudStatus.OK
        bad = answer.cloud("bad")
        assert (bad.status, bad.count) == (CloudStatus.PARTIAL, 2)
        assert type(answer.errors["bad"]).__name__ == error
        assert text in str(answer.errors["bad"])
        assert str(answer.errors["bad"]).startswith("bad: list_instances: ")


async def test_what_an_earlier_page_had_is_not_listed_again(make_broker, stub, monkeypatch):
    pages = {None: ("1 2 3", "a"), "a": ("3 4", "b"), "b": ("4 1 5", None)}
    plain = type(stub).list_instances

    async def list_instances(self, cloud, cursor, where):
        ids, more = pages[cursor]
        return Page(
            [Instance(cloud=cloud.name, id=i, state=InstanceState.RUNNING) for i in ids.split()],
            more,
        )

    vars(list_instances).update(vars(plain))
    monkeypatch.setattr(type(stub), "list_instances", list_instances)
    async with make_broker() as broker:
        answer = await broker.instances.list()
    assert [item.id for item in answer] == ["1", "2", "3", "4", "5"]
    assert answer.clouds[0].count == 5


async def test_pages_without_end_end_at_the_deadline(make_broker):
    async with make_broker({"lisbon": {"end": "spin"}}) as broker:
        answer = await broker.instances.list(timeout=0.2)
        assert isinstance(answer.errors["lisbon"], DeadlineExceeded)


async def test_items_that_cannot_be_read_make_a_cloud_partial(make_broker):
    async with make_broker({"lisbon": {"pages": [2, 2], "problems": 1}}) as broker:
        answer = await broker.instances.list()
        report = answer.cloud("lisbon")
        assert (report.status, report.error) == (CloudStatus.PARTIAL, None)
        assert len(report.problems) == 2
        assert not answer.complete


async def test_three_hundred_clouds(make_broker, stub):
    names = [f"c{n}" for n in range(300)]
    async with make_broker({n: {"pause": 0.05, "pages": [1]} for n in names}) as broker:
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, stub.under_way)
                await anyio.sleep(0.005)

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            answer = await broker.instances.list()
            group.cancel_scope.cancel()
        assert [i.cloud for i in answer] == names
        assert answer.complete
        assert 50 < most <= 256


async def test_require(make_broker):
    clouds = {"a": {}, "b": {"end": "RateLimited", "pages": []}, "c": {"driver": "realms"}}
    async with make_broker(clouds) as broker:
        for good in ("any", 1, "1", 0):
            await broker.instances.list(require=good)
        for bad in ("all", 2, "2"):
            with pytest.raises(RequirementNotMet, match=r"1 of 2 clouds .* not in full: b"):
                await broker.instances.list(require=bad)
        for wrong in ("most", -1, "²", True):
            with pytest.raises(ConfigurationError, match="none of: any, all, a number"):
                await broker.instances.list(require=wrong)
        with pytest.raises(RequirementNotMet, match=r"1 of 1 clouds .* 2 are required$"):
            await broker.instances.list(clouds=["a"], require=2)
        await broker.instances.list(clouds=["c"], require="any")  # nobody was asked


async def test_which_clouds(make_broker):
    async with make_broker({"a": {}, "b": {}, "c": {"driver": "realms"}}) as broker:
        for clouds, drivers, found in [
            (None, None, ["a", "b", "c"]),
            ([], [], ["a", "b", "c"]),
            (["b", "a"], None, ["a", "b"]),
            ("b", None, ["b"]),
            (None, ["realms"], ["c"]),
            (["a", "c"], ["stub"], ["a"]),
        ]:
            answer = await broker.instances.list(clouds=clouds, drivers=drivers)
            assert [r.name for r in answer.clouds] == found
        with pytest.raises(ConfigurationError, match=r"there is no cloud 'd'. Known: a, b, c"):
            await broker.instances.list(clouds=["d"])
        with pytest.raises(ConfigurationError, match=r"no cloud has the driver 'stup'. Did you"):
            await broker.instances.list(drivers=["stup"])


async def test_where_goes_to_clouds_that_filter_and_is_done_here_for_the_rest(make_broker, stub):
    async with make_broker() as broker:
        answer = await broker.instances.list(where={"realm_id": "r", "id": "0-1"})
        assert stub.wheres == [{"realm_id": "r"}]
        assert answer.items == []  # the stub ignores what it is told, the broker does not
        answer = await broker.instances.list(where={"id": "0-1", "state": "RUNNING"})
        assert [i.id for i in answer] == ["0-1"]
        assert (await broker.instances.list(where={"image_id": "None"})).items == []
        with pytest.raises(ConfigurationError, match=r"no field 'nmae' in instances. .*'name'"):
            await broker.instances.list(where={"nmae": "x"})


async def test_a_missing_or_unknown_argument_is_the_callers_fault(make_broker):
    async with make_broker() as broker:
        with pytest.raises(TypeError, match="missing or unknown: bucket_id"):
            broker.fan_out(Ops.list_blobs)
        with pytest.raises(TypeError, match="missing or unknown: colour"):
            broker.fan_out(Ops.list_instances, colour="red")


# -------------------------------------------------------------------------------------- streaming


async def test_pages_arrive_before_the_slow_cloud_ends(make_broker):
    async with (
        make_broker({"slow": {"end": "hang", "pages": []}, "fast": {"pages": [1, 1]}}) as broker,
        broker.instances.stream(timeout=0.5) as arrivals,
    ):
        first = await anext(arrivals)
        assert (first.cloud, len(first.items)) == ("fast", 1)
        await anext(arrivals)
        assert arrivals.awaited in (["slow"], ["slow", "fast"])
        with pytest.raises(StopAsyncIteration):
            await anext(arrivals)
        assert [r.status.value for r in arrivals.clouds] == ["failed", "ok"]
        assert arrivals.awaited == []


async def test_leaving_early_cancels_what_is_under_way(make_broker, stub):
    async with make_broker({"slow": {"end": "hang"}, "slower": {"pause": 60}}) as broker:
        async with broker.instances.stream() as arrivals:
            async for _ in arrivals:
                break
            await anyio.wait_all_tasks_blocked()
            assert stub.under_way == 2
        assert stub.under_way == 0
        # what was given up is not told to have answered
        assert [r.status.value for r in arrivals.clouds] == ["partial", "failed"]
        assert arrivals.awaited == ["slow", "slower"]


async def test_a_slow_consumer_does_not_eat_the_deadline(make_broker):
    async with (
        make_broker({"lisbon": {"pages": [1] * 80}}) as broker,
        broker.instances.stream(timeout=0.3) as arrivals,
    ):
        await anyio.sleep(0.6)  # only 64 pages fit in between
        assert len([a async for a in arrivals]) == 80
        assert arrivals.clouds[0].status is CloudStatus.OK


class Mine(Exception):
    """The consumer's own."""


@pytest.mark.parametrize("kind", [Mine, SystemExit, KeyboardInterrupt])
async def test_the_consumers_own_exception_comes_out_as_it_is(
    make_broker, stub, kind: type[BaseException]
):
    async with make_broker({"slow": {"end": "hang"}}) as broker:
        with pytest.raises(kind) as caught:  # noqa: PT012
            async with broker.instances.stream() as arrivals:
                async for _ in arrivals:
                    raise kind("enough")
        assert str(caught.value) == "enough"
        assert stub.under_way == 0


async def test_and_that_of_its_filter(make_broker, stub):
    def keep(_: object) -> bool:
        raise Mine("no filter")

    async with make_broker({"slow": {"pause": 60}, "fast": {}}) as broker:
        with pytest.raises(Mine, match="no filter"):
            await broker.instances.list(keep=keep)
        with pytest.raises(Mine, match="no filter"):  # noqa: PT012
            async with broker.instances.stream(keep=keep) as arrivals:
                async for _ in arrivals:
                    pass
        assert stub.under_way == 0


async def test_cancellation_from_outside_leaves_nothing(make_broker, stub):
    async with make_broker({"slow": {"end": "hang"}, "fast": {}}) as broker:
        with anyio.move_on_after(0.05) as scope:
            await broker.instances.list()
        assert scope.cancelled_caught
        assert stub.under_way == 0
        with anyio.move_on_after(0.05) as scope:
            async with broker.instances.stream() as arrivals:
                async for _ in arrivals:
                    pass
            pytest.fail("the cancellation was swallowed")
        assert scope.cancelled_caught
        assert stub.under_way == 0
        # and the breaker has not taken it for the cloud's fault
        assert (await broker.instances.list(clouds=["fast"])).complete


async def test_a_fan_out_is_entered_first_and_used_once(make_broker):
    async with make_broker() as broker:
        with pytest.raises(RuntimeError, match="enter the fan-out first"):
            await anext(broker.instances.stream())
        fan_out = broker.instances.stream()
        await fan_out.answer()
        with pytest.raises(RuntimeError, match="for one use"):
            await fan_out.answer()
        with pytest.raises(RuntimeError, match="for one use"):
            async with fan_out:
                pass


async def test_a_fan_out_stands_on_its_own():
    async def fetch(cursor: str | None, seconds: float) -> Page[int]:
        return Page([1, 2, 3], None if cursor else "next")

    answer = await FanOut([Target("a", "k", "list_numbers", fetch=fetch)]).answer()
    assert answer.items == [1, 2, 3, 1, 2, 3]

    async def again(cursor: str | None, seconds: float) -> Page[int]:
        return Page([1], "same")

    answer = await FanOut([Target("a", "k", "list_numbers", fetch=again)]).answer()
    assert isinstance(answer.errors["a"], ProtocolError)
    assert answer.items == [1, 1]


async def test_the_answer_as_data(make_broker):
    async with make_broker({"a": {"pages": [1]}, "b": {"end": "bug", "pages": []}}) as broker:
        answer = await broker.instances.list()
        assert repr(answer) == "<Answer: 1 items; a: ok 1, b: failed 0>"
        data = answer.to_dict()
        assert data["complete"] is False
        assert data["items"][0]["id"] == "0-0"
        assert "extra" not in data["items"][0]
        assert answer.to_dict(extra=True)["items"][0]["extra"] == {}
        assert data["clouds"][1]["error"]["type"] == DriverFault.__name__
