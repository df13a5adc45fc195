"""Brokers that are siblings: they share their drivers, and nothing that is of a cloud."""

from collections.abc import Generator
from importlib.metadata import EntryPoint
from typing import Any

import pluggy
import pytest

from anabranch import (
    Broker,
    CircuitOpen,
    CloudStatus,
    CloudUnavailable,
    Configuration,
    ConfigurationError,
    PluginError,
    PluginRegistry,
    PluginRules,
)
from anabranch.cloud import Cloud
from anabranch.hooks import DriverSpec, Lacks, hookimpl
from anabranch.plugins import DRIVER_GROUP
from anabranch.settings import CloudSettings

from .conftest import StubDriver

STUB = {"driver": "stub"}


class Watch:
    """Writes down the clouds whose start it wraps."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @hookimpl(wrapper=True)
    def start_instance(self, cloud: Cloud[Any]) -> Generator[None, Any, Any]:
        self.seen.append(cloud.name)
        return (yield)


class Told(DriverSpec[CloudSettings]):
    """Notes the environment that its settings are made in."""

    title = "Told"
    settings_type = CloudSettings

    def __init__(self) -> None:
        self.environments: list[dict[str, str]] = []

    def configure(self, cloud, entry, environment):
        self.environments.append(dict(environment))
        return super().configure(cloud, entry, environment)


def _mark(cloud: Cloud[Any]) -> object:
    return object()


def _broker(**drivers: Any) -> Broker:
    return Broker(Configuration(), registry=PluginRegistry(drivers=drivers, points=()))


async def test_a_sibling_has_clouds_of_its_own(make_broker):
    async with make_broker(["lisbon"], timeout=3) as broker:
        async with broker.sibling({"porto": STUB, "faro": STUB}) as sibling:
            assert type(sibling) is Broker
            assert (list(broker.clouds), list(sibling.clouds)) == (["lisbon"], ["porto", "faro"])
            assert sibling.configuration.timeout == 3
            assert {i.cloud for i in await sibling.instances.list()} == {"porto", "faro"}
            assert {i.cloud for i in await broker.instances.list()} == {"lisbon"}
            with pytest.raises(ConfigurationError, match="no cloud 'lisbon'"):
                await sibling.instances.get("lisbon/1")
        assert (await broker.instances.get("lisbon/1")).id == "1"


async def test_a_driver_is_registered_once_whoever_uses_it_first(stub, realms, monkeypatch):
    registered = []
    register = pluggy.PluginManager.register

    def noted(self, plugin, name=None):
        registered.append(name)
        return register(self, plugin, name)

    monkeypatch.setattr(pluggy.PluginManager, "register", noted)
    broker = _broker(stub=stub, realms=realms)
    first = broker.sibling({"a": STUB})
    second = first.sibling({"a": STUB, "b": {"driver": "realms"}})
    broker.sibling({"c": {"driver": "realms"}, "d": STUB})
    assert registered == ["stub", "realms"]
    assert first.capabilities("a") is second.capabilities("a")


async def test_a_driver_that_came_later_answers_for_none_of_the_earlier_clouds():
    one, two = StubDriver(), StubDriver()
    broker = _broker(one=one, two=two)
    first = broker.sibling({"a": {"driver": "one"}})
    await first.instances.get("a/1")
    second = broker.sibling({"a": {"driver": "two"}})
    await first.instances.get("a/2")
    assert (len(one.calls), len(two.calls)) == (2, 0)
    await second.instances.get("a/3")
    assert (len(one.calls), len(two.calls)) == (2, 1)


async def test_what_wraps_hooks_wraps_those_of_all(make_broker):
    early, late = Watch(), Watch()
    broker = make_broker(["lisbon"])
    broker.register(early)
    sibling = broker.sibling({"porto": STUB})
    await sibling.instances.start("porto/1")
    sibling.register(late)
    await broker.instances.start("lisbon/1")
    await broker.sibling({"faro": STUB}).instances.start("faro/1")
    assert early.seen == ["porto", "lisbon", "faro"]
    assert late.seen == ["lisbon", "faro"]
    with pytest.raises(PluginError, match="registered already"):
        sibling.register(early)


async def test_the_same_name_stands_for_another_account_in_each(make_broker, stub, realms):
    clouds: list[Cloud[Any]] = []

    async def note(cloud: Cloud[Any]) -> Any:
        clouds.append(cloud)
        raise CloudUnavailable("down")

    broker = make_broker({"lisbon": {}, "realms": {"driver": "realms"}})
    sibling = broker.sibling({"lisbon": STUB, "realms": {"driver": "realms"}})
    stub.answers = [note] * 3
    for _ in range(3):
        with pytest.raises(CloudUnavailable):
            await sibling.instances.start("lisbon/1")
    with pytest.raises(CircuitOpen):
        await sibling.instances.start("lisbon/1")
    stub.answers = [note]
    with pytest.raises(CloudUnavailable):  # asked all the same
        await broker.instances.start("lisbon/1")
    theirs, own = clouds[0], clouds[-1]
    assert theirs is not own
    assert theirs.http is not own.http
    assert theirs.tokens is not own.tokens

    realms.lacks = Lacks(operations={"list_realms": "not here"})
    assert "list_realms" not in await sibling.probe("realms")
    realms.lacks = Lacks()
    assert "list_realms" in await broker.probe("realms")
    assert "list_realms" not in await sibling.probe("realms")  # as it was told, for a while

    kept, lost = own.local(_mark), theirs.local(_mark)
    await sibling.aclose()
    assert own.local(_mark) is kept
    assert theirs.local(_mark) is not lost


async def test_none_of_the_processs_variables_are_for_a_sibling(monkeypatch):
    monkeypatch.setenv("ANABRANCH_TEST_SECRET", "hunter2")
    told = Told()
    registry = PluginRegistry(drivers={"told": told}, points=())
    entry = {"driver": "told"}
    broker = Broker(Configuration(clouds={"a": entry}), registry=registry)
    assert told.environments[-1]["ANABRANCH_TEST_SECRET"] == "hunter2"
    sibling = broker.sibling({"a": entry})
    assert told.environments[-1] == {}
    broker.sibling({"a": entry}, environment={"X": "1"}).sibling({"a": entry})
    assert told.environments[-2:] == [{"X": "1"}, {}]
    Broker(sibling.configuration, registry=registry, environment={"Y": "2"})
    assert told.environments[-1] == {"Y": "2"}


@pytest.mark.parametrize(
    ("clouds", "said"),
    [
        ({"a/b": STUB}, "cloud 'a/b': 'a/b' cannot be the name of a cloud"),
        ({"a": "stub"}, "cloud 'a': is no mapping of settings"),
        ({"a": {}}, "cloud 'a', field 'driver': is required. Add driver: KIND"),
        ({"a": {"driver": "stob"}}, "there is no driver 'stob'. Did you mean 'stub'?"),
        ({"a": {**STUB, "paegs": [1]}}, "cloud 'a', field 'paegs': there is no such setting"),
        (
            {"a": {**STUB, "pages": "x"}, "b": {**STUB, "retries": 99}, "c": STUB},
            "cloud 'a', field 'pages': .*; cloud 'b', field 'retries': ",
        ),
    ],
)
async def test_entries_are_checked_as_those_of_a_file(make_broker, clouds: Any, said: str):
    broker = make_broker()
    with pytest.raises(ConfigurationError, match=said):
        broker.sibling(clouds)
    with pytest.raises(ConfigurationError, match=said):  # and so are those given in code
        make_broker().__class__(Configuration(clouds=clouds), registry=broker.registry)


async def test_a_driver_that_may_not_be_used_fails_its_clouds_there_too(stub):
    points = [EntryPoint("mock", "anabranch_mock:driver", DRIVER_GROUP)]
    rules = PluginRules(deny=("mock",))
    registry = PluginRegistry(rules, drivers={"stub": stub}, points=points)
    broker = Broker(Configuration(), registry=registry)
    sibling = broker.sibling({"a": {"driver": "mock"}, "b": STUB})
    answer = await sibling.instances.list()
    assert [r.status for r in answer.clouds] == [CloudStatus.FAILED, CloudStatus.OK]
    assert "not allowed by the plugin rules" in str(answer.errors["a"])


async def test_it_blocks_nothing_and_costs_little_once_the_driver_is_there(make_broker, stub):
    """On the loop, where what blocks fails the test: see conftest.py."""
    broker = make_broker()
    siblings = [broker.sibling({"guest": {**STUB, "retries": n % 10}}) for n in range(200)]
    for sibling in siblings:
        await sibling.instances.get("guest/1")
        await sibling.aclose()
    assert stub.calls == [("guest", "get_instance")] * 200
