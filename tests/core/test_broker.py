"""Calls to one cloud: routing, refusals, errors, deadlines, the breaker, wrappers."""

import logging
import textwrap
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from anabranch import (
    AuthenticationError,
    Broker,
    CircuitOpen,
    CloudUnavailable,
    Configuration,
    ConfigurationError,
    DeadlineExceeded,
    DriverFault,
    Feature,
    FeatureNotSupported,
    InstanceState,
    NotFound,
    OperationNotSupported,
    Ops,
    OutcomeUnknown,
    PluginError,
    PluginRegistry,
    QualifiedId,
    hooks,
)
from anabranch.breaker import Breaker
from anabranch.cloud import Cloud
from anabranch.hooks import CloudIdentity, DriverSpec, Lacks, hookimpl
from anabranch.models import Instance, InstanceSpec
from anabranch.settings import CloudSettings

from .conftest import StubDriver

RUNNING = InstanceState.RUNNING


async def test_a_call_goes_to_the_driver_of_its_cloud(make_broker, stub):
    async with make_broker({"lisbon": {}, "porto": {"driver": "realms"}}) as broker:
        instance = await broker.call("lisbon", Ops.start_instance, instance_id="7")
        assert (instance.cloud, instance.id) == ("lisbon", "7")
        assert (await broker.call("lisbon", Ops.start_instance, "8")).id == "8"
        assert (await broker.call("lisbon", Ops.list_instances, None, {})).cursor is None
        page = await broker.call("porto", Ops.list_realms, None)
        assert page.items[0].name == "one"
        assert broker.clouds == {"lisbon": "stub", "porto": "realms"}


async def test_and_to_no_other_that_offers_the_same():
    one, two = StubDriver(), StubDriver()
    configuration = Configuration(clouds={"a": {"driver": "one"}, "b": {"driver": "two"}})
    registry = PluginRegistry(drivers={"one": one, "two": two}, points=())
    async with Broker(configuration, registry=registry) as broker:
        await broker.instances.get("a/1")
        await broker.instances.get("b/2")
        await broker.instances.list()
    assert one.calls == [("a", "get_instance"), ("a", "list_instances")]
    assert two.calls == [("b", "get_instance"), ("b", "list_instances")]


async def test_wrong_arguments_are_the_callers_fault_and_not_the_drivers(make_broker, stub):
    async with make_broker() as broker:
        with pytest.raises(TypeError, match=r"start_instance takes \(instance_id\); .*: id"):
            await broker.invoke("lisbon", "start_instance", {"instance_id": "7", "id": "7"})
        with pytest.raises(TypeError, match="missing or unknown: instance_id"):
            await broker.invoke("lisbon", "start_instance", {})
        with pytest.raises(TypeError, match="more arguments than it takes"):
            await broker.call("lisbon", Ops.start_instance, "7", "8")  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="more arguments than it takes"):
            await broker.call("lisbon", Ops.start_instance, "7", instance_id="8")  # type: ignore[misc]
        assert stub.calls == []


async def test_what_is_not_offered_is_refused_before_the_driver_is_called(make_broker, stub):
    async with make_broker({"lisbon": {}, "porto": {"driver": "realms"}}) as broker:
        with pytest.raises(OperationNotSupported) as caught:
            await broker.call("lisbon", Ops.stop_instance, instance_id="7")
        assert str(caught.value) == (
            "lisbon: stop_instance: driver 'stub' does not offer 'stop_instance'"
        )
        with pytest.raises(FeatureNotSupported) as refused:  # noqa: PT012
            spec = InstanceSpec(image_id="1", name="web", key_id="mine")
            await broker.call("lisbon", Ops.create_instance, spec)
        assert str(refused.value) == (
            "lisbon: create_instance: parameter 'key_id': driver 'stub' does not offer feature "
            "'authentication_key'. Leave 'key_id' out"
        )
        with pytest.raises(FeatureNotSupported, match="'hard'"):
            await broker.call("lisbon", Ops.reboot_instance, instance_id="7", hard=True)
        await broker.call("lisbon", Ops.reboot_instance, instance_id="7", hard=False)
        with pytest.raises(OperationNotSupported, match="no operation 'boot'"):
            await broker.invoke("lisbon", "boot", {})
        with pytest.raises(OperationNotSupported, match="does not offer 'check'"):
            await broker.check("lisbon")
        with pytest.raises(ConfigurationError, match=r"no cloud 'lisbn'. Did you mean 'lisbon'"):
            await broker.call("lisbn", Ops.start_instance, instance_id="7")
        assert stub.calls == [("lisbon", "reboot_instance")]


async def test_a_bug_in_a_driver_says_so_and_keeps_its_cause(make_broker, stub):
    stub.answers = [ZeroDivisionError("1 / 0")]
    async with make_broker() as broker:
        with pytest.raises(DriverFault) as caught:
            await broker.instances.get("lisbon/7")
        assert str(caught.value) == "lisbon: get_instance: ZeroDivisionError in driver 'stub'"
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_an_error_out_of_a_drivers_own_task_group_is_itself(make_broker, stub):
    cause = OSError("cable")
    error = NotFound("no such thing")
    error.__cause__ = cause
    nested = ExceptionGroup("outer", [ValueError("x"), ExceptionGroup("inner", [error])])
    stub.answers = [nested]
    async with make_broker() as broker:
        with pytest.raises(NotFound) as caught:
            await broker.instances.get("lisbon/7")
        assert caught.value is error
        assert caught.value.__cause__ is cause
        assert str(error) == "lisbon: get_instance: no such thing"


async def test_errors_are_located_once(make_broker, stub):
    first = NotFound("gone", request_id="req-1")
    first.locate("faro", "get_image")
    stub.answers = [first]
    async with make_broker() as broker:
        with pytest.raises(NotFound) as caught:
            await broker.instances.get("lisbon/7")
        assert str(caught.value) == "faro: get_image: gone (request id req-1)"


async def test_deadline_on_what_may_be_repeated_and_what_may_not(make_broker, stub):
    async with make_broker() as broker:
        stub.answers = [60.0]
        with pytest.raises(DeadlineExceeded, match=r"no answer within 0.05 s") as late:
            await broker.instances.get("lisbon/7", timeout=0.05)
        assert isinstance(late.value, TimeoutError)  # for callers who know no Anabranch
        stub.answers = [60.0]
        with pytest.raises(DeadlineExceeded):
            await broker.instances.destroy("lisbon/7", timeout=0.05)
        stub.answers = [60.0]
        with pytest.raises(OutcomeUnknown, match="it may have happened or not"):
            await broker.invoke(
                "lisbon", "create_instance", {"spec": InstanceSpec(image_id="1")}, timeout=0.05
            )


async def test_a_hundred_tasks_share_a_broker(make_broker, stub):
    found: dict[str, str] = {}
    async with make_broker(["a", "b"]) as broker:

        async def get(n: int) -> None:
            cloud = "ab"[n % 2]
            instance = await broker.instances.get(f"{cloud}/{n}")
            found[instance.id] = instance.cloud

        async with anyio.create_task_group() as group:
            for n in range(100):
                group.start_soon(get, n)
    assert found == {str(n): "ab"[n % 2] for n in range(100)}


async def test_ids(make_broker):
    async with make_broker() as broker:
        assert broker.parse("lisbon/a/b") == QualifiedId("lisbon", "a/b")
        assert broker.parse(QualifiedId("lisbon", "a")) == ("lisbon", "a")
        with pytest.raises(ConfigurationError, match="no cloud 'faro'"):
            broker.parse("faro/1")
        with pytest.raises(ConfigurationError, match="does not name a cloud and an id"):
            await broker.instances.get("lisbon")


async def test_leaving_closes_every_cloud_even_if_one_hangs(make_broker, monkeypatch):
    closed: list[str] = []

    async def aclose(self: Cloud[Any]) -> None:
        if self.name == "a":
            await anyio.sleep_forever()
        closed.append(self.name)

    monkeypatch.setattr(Cloud, "aclose", aclose)
    monkeypatch.setattr("anabranch.broker._CLOSING", 0.1)
    async with make_broker(["a", "b", "c"]):
        pass
    assert sorted(closed) == ["b", "c"]


# ---------------------------------------------------------------------------------------- breaker


@pytest.fixture
def clock(monkeypatch):
    """Time that the breaker sees; the event loop's own goes on."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr("anabranch.breaker.anyio.current_time", lambda: Clock.now)
    return Clock


def _fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.check()
        breaker.record(CloudUnavailable("connection refused"))


def _open(breaker: Breaker) -> float | None:
    """For how long it is open; None: it lets a call pass (and counts that as a try)."""
    try:
        breaker.check()
    except CircuitOpen as exc:
        return exc.retry_after
    return None


def test_a_breaker_opens_rests_tries_once_and_closes(clock):
    breaker = Breaker()
    _fail(breaker, 2)
    breaker.record(None)
    _fail(breaker, 3)
    with pytest.raises(CircuitOpen, match=r"not asked for 15 s more, after 3 failures in a row: c"):
        breaker.check()
    clock.now += 16
    assert _open(breaker) is None
    assert _open(breaker) == 15.0  # the others wait for the one try
    breaker.record(CloudUnavailable("still dead"))
    assert _open(breaker) == 30.0
    clock.now += 31
    assert _open(breaker) is None
    breaker.record(AuthenticationError("it answers"))
    assert _open(breaker) is None
    _fail(breaker, 2)
    assert _open(breaker) is None


def test_calls_that_were_under_way_when_it_opened_do_not_prolong_its_rest(clock):
    breaker = Breaker()
    for _ in range(20):
        breaker.check()
    for _ in range(20):
        breaker.record(DeadlineExceeded("late"))
        clock.now += 0.1
    assert _open(breaker) == pytest.approx(15 - 1.8)


def test_its_rest_has_a_limit_and_a_cancelled_try_only_costs_one(clock):
    breaker = Breaker()
    _fail(breaker, 3)
    for _ in range(10):
        clock.now += 1000
        _fail(breaker)
    assert _open(breaker) == 240.0
    clock.now += 241
    assert _open(breaker) is None  # ... and is cancelled: nothing is recorded
    clock.now += 241
    assert _open(breaker) is None


async def test_the_breaker_of_a_dead_cloud_is_its_own(make_broker, stub):
    clouds = {"dead": {"end": "CloudUnavailable", "pages": []}, "alive": {}}
    async with make_broker(clouds) as broker:
        for _ in range(5):
            answer = await broker.instances.list()
        assert stub.calls.count(("dead", "list_instances")) == 3
        assert stub.calls.count(("alive", "list_instances")) == 5
        assert isinstance(answer.errors["dead"], CircuitOpen)
        with pytest.raises(CircuitOpen, match=r"^dead: get_instance: not asked for 15 s more"):
            await broker.instances.get("dead/1")


async def test_what_an_answering_cloud_says_does_not_open_it(make_broker, stub):
    async with make_broker() as broker:
        for error in (AuthenticationError, NotFound, ZeroDivisionError):
            for _ in range(5):
                stub.answers = [error("no")]
                with pytest.raises((AuthenticationError, NotFound, DriverFault)):
                    await broker.instances.get("lisbon/1")
        assert (await broker.instances.get("lisbon/1")).state is RUNNING


async def test_what_never_reached_the_cloud_does_not_close_it(make_broker, stub):
    async with make_broker() as broker:
        for _ in range(3):
            stub.answers = [CloudUnavailable("dead")]
            with pytest.raises(CloudUnavailable):
                await broker.instances.get("lisbon/1")
            with pytest.raises(OperationNotSupported):
                await broker.instances.stop("lisbon/1")
        with pytest.raises(CircuitOpen):
            await broker.instances.get("lisbon/1")


@pytest.mark.parametrize(("own", "given", "opens"), [(10, 0.02, False), (0.02, 0.02, True)])
async def test_a_cloud_that_was_given_less_than_its_own_time_is_not_dead(
    make_broker, stub, own, given, opens
):
    clouds = {"lisbon": {"end": "hang", "pages": [], "timeout": own}}
    async with make_broker(clouds) as broker:
        for _ in range(4):
            answer = await broker.instances.list(timeout=given)
        assert isinstance(answer.errors["lisbon"], CircuitOpen if opens else DeadlineExceeded)
        if not opens:
            assert (await broker.instances.get("lisbon/1")).id == "1"


async def test_a_lost_answer_counts_as_dead(make_broker, stub):
    async with make_broker() as broker:
        for _ in range(3):
            stub.answers = [OutcomeUnknown("lost")]
            with pytest.raises(OutcomeUnknown):
                await broker.invoke("lisbon", "start_instance", {"instance_id": "1"})
        with pytest.raises(CircuitOpen):
            await broker.instances.get("lisbon/1")


# -------------------------------------------------------------------------- plugins that wrap them


@pytest.fixture
def audit() -> tuple[Any, list[tuple[str, str, str]]]:
    """The example in the documentation of `anabranch.hooks`, word for word, and its log."""
    code = "class Audit" + (hooks.__doc__ or "").partition("    class Audit")[2]
    code = textwrap.dedent("    " + code.partition("    broker.register")[0])
    names: dict[str, Any] = {"hookimpl": hookimpl, "log": []}
    exec(code, names)
    return names["Audit"](), names["log"]


async def test_a_plugin_can_wrap_an_operation(make_broker, stub, audit):
    plugin, log = audit
    async with make_broker({"lisbon": {}, "porto": {"driver": "realms"}}) as broker:
        await broker.instances.start("lisbon/0")
        broker.register(plugin, "audit")
        assert (await broker.instances.start("lisbon/1")).id == "1"
        stub.answers = [NotFound("gone")]
        with pytest.raises(NotFound):
            await broker.instances.start("lisbon/2")
        await broker.instances.get("lisbon/3")
        with pytest.raises(OperationNotSupported):  # it sees nothing that no driver is asked
            await broker.instances.start("porto/4")
        assert log == [("lisbon", "1", "ok"), ("lisbon", "2", "NotFound")]


class Quiet:
    """Sees what the driver lacks, if it is asked at all."""

    @hookimpl(wrapper=True)
    def check(self, cloud):
        call = yield
        assert call is not None
        return call


async def test_a_wrapper_never_gets_none_for_a_call(make_broker):
    async with make_broker() as broker:
        broker.register(Quiet())
        with pytest.raises(OperationNotSupported):
            await broker.check("lisbon")


class Answers:
    @hookimpl
    async def start_instance(self, cloud, instance_id):
        return "instead of every driver"


class Misspelt:
    @hookimpl(wrapper=True)
    def strat_instance(self, cloud):
        return (yield)


class Mistaken:
    @hookimpl(wrapper=True)
    def start_instance(self, server):
        return (yield)


async def test_a_plugin_that_does_not_wrap_is_refused_and_leaves_nothing(make_broker, audit):
    async with make_broker() as broker:
        with pytest.raises(PluginError, match=r"'start_instance' .* wraps nothing"):
            broker.register(Answers())
        with pytest.raises(PluginError, match="strat_instance"):
            broker.register(Misspelt())
        with pytest.raises(PluginError, match="server"):
            broker.register(Mistaken())
        plugin, log = audit
        broker.register(plugin, "audit")
        with pytest.raises(PluginError, match="registered already"):
            broker.register(plugin)
        assert (await broker.instances.start("lisbon/1")).id == "1"
        assert log == [("lisbon", "1", "ok")]


class Cache:
    """Answers without the driver."""

    @hookimpl(wrapper=True)
    def get_instance(self, cloud, instance_id):
        call = yield
        call.close()

        async def cached():
            return Instance(cloud=cloud.name, id=instance_id, state=InstanceState.STOPPED)

        return cached()


async def test_a_wrapper_can_answer_itself_and_fails_as_a_driver_would(make_broker, stub):
    async with make_broker() as broker:
        broker.register(Cache())
        assert (await broker.instances.get("lisbon/1")).state is InstanceState.STOPPED
        assert stub.calls == []


# ----------------------------------------------------------------------------- capabilities, probe


async def test_probe_takes_away_and_tells_why(make_broker, realms):
    realms.lacks = Lacks(operations={"list_realms": "no zones here today", "list_keys": "x"})
    async with make_broker({"porto": {"driver": "realms"}}) as broker:
        assert set(broker.capabilities("porto")) == {"list_realms"}
        narrowed = await broker.probe("porto")
        assert set(narrowed) == set()
        assert broker.capabilities("porto") is narrowed
        with pytest.raises(OperationNotSupported, match="no zones here today"):
            await broker.call("porto", Ops.list_realms, None)
        answer = await broker.realms.list()
        assert answer.cloud("porto").status.value == "skipped"


async def test_probe_of_a_feature(make_broker, stub):
    async with make_broker() as broker:
        lacks = Lacks(features={("create_instance", Feature.USER_NAME): "names are taken"})
        narrowed = broker.capabilities("lisbon").narrowed(lacks)
        assert narrowed["create_instance"].features == {Feature.CLIENT_TOKEN}
        with pytest.raises(FeatureNotSupported, match="parameter 'name': names are taken"):
            narrowed.require("create_instance", {"spec": InstanceSpec(image_id="1", name="a")})
        assert await broker.probe("lisbon") == broker.capabilities("lisbon")  # has no probe


async def test_twenty_tasks_probe_once(make_broker, realms):
    async with make_broker({"porto": {"driver": "realms"}}) as broker:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(broker.probe, "porto")
        await broker.probe("porto")
        assert realms.probes == 1


class Checked(DriverSpec[CloudSettings]):
    title = "Checked"
    settings_type = CloudSettings

    @hookimpl
    async def check(self, cloud: Cloud[CloudSettings]) -> CloudIdentity:
        return CloudIdentity(account="me", endpoint="http://127.0.0.1")


async def test_check():
    configuration = Configuration(clouds={"a": {"driver": "checked"}})
    registry = PluginRegistry(drivers={"checked": Checked()}, points=())
    async with Broker(configuration, registry=registry) as broker:
        assert (await broker.check("a")).account == "me"


# ---------------------------------------------------------------------------- how a broker is made


def _configured(stub, **clouds: dict[str, Any]) -> Configuration:
    return Configuration(clouds={n: {"driver": "stub", **e} for n, e in clouds.items()})


def test_every_cloud_that_is_wrong_is_told(stub):
    registry = PluginRegistry(drivers={"stub": stub}, points=())
    with pytest.raises(ConfigurationError) as one:
        Broker(_configured(stub, a={"pasue": 1}, b={}), registry=registry)
    assert str(one.value) == (
        "cloud 'a', field 'pasue': there is no such setting. Did you mean 'pause'?"
    )
    with pytest.raises(ConfigurationError) as both:
        Broker(_configured(stub, a={"pasue": 1}, b={"timeout": "x"}), registry=registry)
    assert "cloud 'a', field 'pasue'" in str(both.value)
    assert "cloud 'b', field 'timeout'" in str(both.value)


def test_a_kind_that_there_is_not(stub):
    registry = PluginRegistry(drivers={"stub": stub}, points=())
    with pytest.raises(ConfigurationError) as caught:
        Broker(Configuration(clouds={"a": {"driver": "stob"}}), registry=registry)
    assert str(caught.value) == (
        "cloud 'a', field 'driver': there is no driver 'stob'. Did you mean 'stub'? "
        "Or install it: pip install anabranch-stob"
    )
    assert registry.kinds == ("stub",)


class Unconfigurable(Checked):
    def configure(self, cloud, entry, environment):
        raise ZeroDivisionError("1 / 0")


async def test_a_driver_that_breaks_while_it_reads_settings_fails_its_clouds(stub):
    drivers = {"stub": stub, "bad": Unconfigurable()}
    configuration = Configuration(clouds={"a": {"driver": "bad"}, "b": {"driver": "stub"}})
    registry = PluginRegistry(drivers=drivers, points=())
    async with Broker(configuration, registry=registry) as broker:
        for _ in range(2):
            with pytest.raises(PluginError, match="ZeroDivisionError in driver 'bad'") as caught:
                await broker.instances.get("a/1")
            depth = len(caught.traceback)
        with pytest.raises(PluginError):
            broker.capabilities("a")
        with pytest.raises(PluginError):
            await broker.probe("a")
        with pytest.raises(PluginError) as again:
            await broker.instances.get("a/1")
        assert len(again.traceback) == depth  # raised anew: a traceback does not grow
        assert (await broker.instances.get("b/1")).state is RUNNING


async def test_one_object_cannot_be_two_drivers(stub):
    registry = PluginRegistry(drivers={"one": stub, "two": stub}, points=())
    configuration = Configuration(clouds={"a": {"driver": "one"}, "b": {"driver": "two"}})
    async with Broker(configuration, registry=registry) as broker:
        answer = await broker.instances.list()
        assert [r.status.value for r in answer.clouds] == ["ok", "failed"]


# ------------------------------------------------------------------------------------------ events


async def test_a_failed_call_is_an_event(make_broker, stub, caplog):
    caplog.set_level(logging.INFO, "anabranch")
    stub.answers = [NotFound("see https://me:pw@host/?token=abc"), ZeroDivisionError("1 / 0")]
    with capture_logs() as events:
        async with make_broker() as broker:
            with pytest.raises(NotFound):
                await broker.instances.get("lisbon/7")
            with pytest.raises(DriverFault):
                await broker.instances.get("lisbon/7")
    failed, fault = events
    assert failed["event"] == "cloud.call.failed"
    assert (failed["cloud"], failed["driver"]) == ("lisbon", "stub")
    assert failed["operation"] == "get_instance"
    assert "pw" not in failed["error"]
    assert "abc" not in failed["error"]
    assert failed["elapsed_ms"] >= 0
    assert (fault["event"], fault["log_level"]) == ("driver.fault", "warning")
