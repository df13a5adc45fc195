"""`ANABRANCH_TRACE_PLUGINS=1`: a line for each call of a plugin, and nothing in the way without."""

import re
from importlib.metadata import EntryPoint

import anyio
import pytest

from anabranch import Broker, Configuration, NotFound, PluginRegistry
from anabranch.hooks import DriverSpec, hookimpl
from anabranch.models import InstanceSpec
from anabranch.plugins import DRIVER_GROUP
from anabranch.settings import CloudSettings


@pytest.fixture
def trace(monkeypatch, capsys):
    """Switches it on; returns what was written since the last time, without the milliseconds."""
    monkeypatch.setenv("ANABRANCH_TRACE_PLUGINS", "1")

    def lines() -> list[str]:
        written = capsys.readouterr()
        assert written.out == ""
        found = [line for line in written.err.splitlines() if line.startswith("anabranch trace: ")]
        return [re.sub(r" \d+\.\d ms$", " N ms", line[17:]) for line in found]

    return lines


class Audit:
    """Wraps one hook with all it is given, and one with nothing of it."""

    @hookimpl(wrapper=True)
    def start_instance(self, cloud, instance_id):
        return (yield)

    @hookimpl(wrapper=True)
    def list_instances(self):
        call = yield

        async def later():
            return await call

        return later()


async def test_each_call_is_a_line_with_its_outcome(trace, make_broker, stub):
    async with make_broker({"lisbon": {}, "porto": {"pages": [1, 1]}}) as broker:
        broker.register(Audit())
        assert trace() == []
        await broker.instances.list(clouds=["porto"])
        assert (
            trace()
            == [
                "cloud=porto plugin=stub hook=list_instances(cursor, where) ok N ms",
                "cloud=- plugin=Audit hook=list_instances() ok N ms",
            ]
            * 2
        )
        stub.answers = [NotFound("gone"), ZeroDivisionError()]
        for _ in stub.answers[:]:
            with pytest.raises(Exception, match="lisbon"):
                await broker.instances.start("lisbon/1")
        assert trace() == [
            "cloud=lisbon plugin=stub hook=start_instance(instance_id) NotFound N ms",
            "cloud=lisbon plugin=Audit hook=start_instance(instance_id) NotFound N ms",
            "cloud=lisbon plugin=stub hook=start_instance(instance_id) ZeroDivisionError N ms",
            "cloud=lisbon plugin=Audit hook=start_instance(instance_id) ZeroDivisionError N ms",
        ]


async def test_wrappers_of_one_class_are_told_apart_by_their_names(trace, make_broker):
    async with make_broker() as broker:
        for name in (None, None, "second"):
            broker.register(Audit(), name)
        await broker.instances.start("lisbon/1")
    assert [line.split()[1] for line in trace()] == [
        "plugin=stub",
        "plugin=Audit",
        "plugin=Audit",
        "plugin=second",
    ]


async def test_what_is_cut_off_is_told_as_well(trace, make_broker, stub):
    async with make_broker({"lisbon": {"pages": [], "end": "hang"}}) as broker:
        await broker.instances.list(timeout=0.05)
    (line,) = trace()
    name = anyio.get_cancelled_exc_class().__name__
    assert line == f"cloud=lisbon plugin=stub hook=list_instances(cursor, where) {name} N ms"


async def test_no_value_is_told(trace, make_broker, capsys):
    class Refusing(DriverSpec[CloudSettings]):
        title = "Refusing"
        settings_type = CloudSettings

        @hookimpl
        async def create_instance(self, spec, cloud):
            raise ValueError("hunter2")

    registry = PluginRegistry(drivers={"x": Refusing()}, points=())
    async with Broker(Configuration(clouds={"a": {"driver": "x"}}), registry=registry) as broker:
        spec = InstanceSpec(image_id="hunter2", realm_id="hunter2")
        with pytest.raises(Exception, match="ValueError"):
            await broker.instances.create("a", spec)
    assert trace() == ["cloud=a plugin=x hook=create_instance(spec) ValueError N ms"]


def test_imports_are_told_before_they_begin(trace):
    points = [EntryPoint("x\n", "no_such_module:driver", DRIVER_GROUP)]
    PluginRegistry(points=points).report()
    assert trace() == [
        r"plugin=x\n import no_such_module:driver …",
        r"cloud=- plugin=x\n hook=import() ModuleNotFoundError N ms",
    ]


async def test_looking_for_clouds_is_told(trace, stub):
    class Looking(type(stub)):
        @hookimpl
        async def discover(self, environment):
            return []

    await PluginRegistry(drivers={"x": Looking()}, points=()).discover({"A": "hunter2"})
    assert trace() == ["cloud=- plugin=x hook=discover(environment) ok N ms"]


@pytest.mark.parametrize("value", [None, "", "0", "false", "No", "off"])
async def test_nothing_stands_in_the_way_when_it_is_off(monkeypatch, capsys, make_broker, value):
    if value is not None:
        monkeypatch.setenv("ANABRANCH_TRACE_PLUGINS", value)
    async with make_broker() as broker:
        broker.register(Audit())
        hooks = broker._dispatch._manager.hook
        for caller in (hooks.start_instance, hooks.list_instances):
            for hookimpl_ in caller.get_hookimpls():
                assert hookimpl_.function == getattr(hookimpl_.plugin, caller.name)
        await broker.instances.list()
    assert "trace" not in capsys.readouterr().err
