"""Plugins that are broken, each in its own way: a row with the reason, and the rest goes on."""

import json
import os
import sys
import textwrap
from importlib.metadata import EntryPoint

import anyio
import pytest

from anabranch import (
    Broker,
    Configuration,
    ConfigurationError,
    DiscoveredCloud,
    DriverFault,
    FeatureNotSupported,
    InstanceState,
    Ops,
    PluginError,
    PluginRegistry,
    PluginRules,
    load_configuration,
)
from anabranch.cloud import Cloud
from anabranch.features import Feature, offers
from anabranch.hooks import CloudIdentity, DriverSpec, hookimpl
from anabranch.models import Console, Instance, InstanceSpec, Realm, StorageVolume
from anabranch.paging import Page
from anabranch.plugins import DRIVER_GROUP
from anabranch.settings import CloudSettings

HEAD = """
import sys
from anabranch.features import Feature, offers
from anabranch.hooks import DriverSpec, hookimpl
from anabranch.paging import Page
from anabranch.settings import CloudSettings

class Driver(DriverSpec[CloudSettings]):
    title = "Odd"
    settings_type = CloudSettings
"""
GROUPS = """
from anabranch.redaction import SecretStr

class Login(CloudSettings, frozen=True, kw_only=True):
    password: SecretStr = SecretStr("hunter2")

class Settings(CloudSettings, frozen=True, kw_only=True):
    login: Login | None = None
"""
END = "\ndriver = Driver()\n"


class Strange(BaseException):
    """What nobody expects."""


class Plain(DriverSpec[CloudSettings]):
    title = "Plain"
    settings_type = CloudSettings


class Distribution:
    """As much of a distribution as the registry looks at."""

    def __init__(self, name: str, version: str = "1.0") -> None:
        self.name, self.version = name, version


@pytest.fixture
def point(tmp_path, monkeypatch):
    """Makes the entry point of a module with a source; the modules go with the test."""
    made: list[str] = []
    monkeypatch.syspath_prepend(tmp_path)

    def make(source: str, kind: str = "odd", name: str = "odd_plugin") -> EntryPoint:
        (tmp_path / f"{name}.py").write_text(source)
        made.append(name)
        entry = EntryPoint(kind, f"{name}:driver", DRIVER_GROUP)
        vars(entry).update(dist=Distribution(f"anabranch-{kind}"))
        return entry

    yield make
    for name in made:
        sys.modules.pop(name, None)


def _method(text: str) -> str:
    return HEAD + textwrap.indent(textwrap.dedent(text), "    ") + END


BROKEN = {
    "exit": ("import sys; sys.exit(3)", "cannot be imported: SystemExit(3)"),
    "strange": ("class S(BaseException): ...\nraise S('x')", "cannot be imported: S('x')"),
    "syntax": ("def", "cannot be imported: SyntaxError"),
    "none": ("driver = None", "is no object of a class derived from DriverSpec"),
    "module": ("import sys as driver", "is no object of a class derived from DriverSpec"),
    "class": (HEAD + "driver = Driver", "is a class. Publish an object of it"),
    "untitled": (HEAD.replace('title = "Odd"', "pass") + END, "its title is None"),
    "title": (HEAD.replace('"Odd"', "7") + END, "its title is 7, not the name of a platform"),
    "unset": (HEAD.replace("settings_type = ", "pass; x = ") + END, "its settings_type is None"),
    "settings": (_method("settings_type = dict"), "not a class derived from CloudSettings"),
    "secret": (
        HEAD.replace("class Driver", f"{GROUPS}\nclass Driver").replace("= CloudS", "= S") + END,
        "its settings field 'password' has a secret for a default",
    ),
    "states": (_method("instance_states = {}"), "its instance_states are {}, not a StateMachine"),
    "version": (_method("api_version = 'one'"), "written for version one of the contract"),
    "property": (
        _method("@property\ndef title(self): raise ValueError('no')"),
        "cannot be examined: ValueError('no')",
    ),
    "exiting property": (
        _method("@property\ndef api_version(self): sys.exit()"),
        "cannot be examined: SystemExit()",
    ),
    "generator": (
        _method("@hookimpl\nasync def list_realms(self, cloud, cursor): yield 1"),
        "'list_realms' is not async def",
    ),
    "wrapper": (
        _method("@hookimpl(wrapper=True)\ndef list_realms(self, cloud, cursor): yield"),
        "A wrapper is given to Broker.register",
    ),
    "keyword": (
        _method("@hookimpl\nasync def list_realms(self, cloud, *, cursor): ..."),
        "parameter 'cursor' of 'list_realms' is keyword-only, and never given",
    ),
    "others": (
        _method("@hookimpl\nasync def list_realms(self, cloud, **others): ..."),
        "'list_realms' has a parameter 'others' that the hook has not",
    ),
    "id": (
        _method("@hookimpl\nasync def stop_instance(self, cloud): ..."),
        "'stop_instance' leaves out its parameter 'instance_id', which cannot be left out",
    ),
    "filter": (
        _method(
            """
            @hookimpl
            @offers(Feature.REALM_FILTER)
            async def list_instances(self, cloud, cursor): ...
            """
        ),
        "'list_instances' offers 'realm_filter' and leaves out its parameter 'where'",
    ),
    "argument": (
        _method(
            """
            @hookimpl
            @offers(Feature.HARD_REBOOT)
            async def reboot_instance(self, cloud, instance_id): ...
            """
        ),
        "'reboot_instance' offers 'hard_reboot' and leaves out its parameter 'hard'",
    ),
}


@pytest.mark.parametrize(("source", "said"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_plugin_is_a_row_and_the_rest_goes_on(point, stub, source, said):
    registry = PluginRegistry(drivers={"stub": stub}, points=[point(source)])
    odd, good = registry.report()
    assert said in odd.error
    assert (odd.kind, odd.distribution, odd.version) == ("odd", "anabranch-odd", "1.0")
    assert odd.load_ms is not None
    assert (good.error, good.title) == ("", "Stub")
    configuration = Configuration(clouds={"a": {"driver": "odd"}, "b": {"driver": "stub"}})
    async with Broker(configuration, registry=registry) as broker:
        answer = await broker.instances.list()
    assert [report.status.value for report in answer.clouds] == ["failed", "ok"]
    assert said in str(answer.errors["a"])


def test_an_interruption_is_a_persons_and_not_remembered(point):
    registry = PluginRegistry(points=[point("raise KeyboardInterrupt")])
    with pytest.raises(KeyboardInterrupt):
        registry.driver("odd")
    with pytest.raises(KeyboardInterrupt):
        registry.report()


def test_a_hook_of_a_later_core_may_be_there_as_optional(point):
    later = point(_method("@hookimpl(optionalhook=True)\nasync def fly_instance(self, cloud): ..."))
    assert PluginRegistry(points=[later]).report()[0].error == ""


def test_a_driver_that_is_false_is_a_driver(stub):
    class Empty(Plain):
        def __len__(self) -> int:
            return 0

    driver = Empty()
    assert PluginRegistry(drivers={"x": driver}, points=()).driver("x") is driver


def test_an_object_that_is_given_takes_the_place_of_what_is_installed(point, stub):
    registry = PluginRegistry(
        PluginRules(deny=("odd",)), drivers={"odd": stub}, points=[point("1 / 0")]
    )
    assert registry.driver("odd") is stub
    (row,) = registry.report()
    assert (row.distribution, row.allowed, row.error) == ("(given as an object)", True, "")


def test_a_distribution_that_was_removed_by_halves_is_unknown(point):
    class Half:
        @property
        def name(self) -> str:
            raise KeyError("Name")

    entry = point(HEAD + END)
    vars(entry).update(dist=Half())
    (row,) = PluginRegistry(points=[entry]).report()
    assert (row.distribution, row.version, row.error) == ("(unknown)", "", "")


async def test_one_object_cannot_be_two_drivers(stub):
    registry = PluginRegistry(drivers={"a": stub, "b": stub}, points=())
    configuration = Configuration(clouds={"x": {"driver": "a"}, "y": {"driver": "b"}})
    async with Broker(configuration, registry=registry) as broker:
        answer = await broker.instances.list()
    assert "driver 'b' is the same object as driver 'a'" in str(answer.errors["y"])
    assert len(answer.items) == 2


# -------------------------------------------------------------------------------------- configure


class Configuring(Plain):
    """Does what `result` says when it is to make settings."""

    def __init__(self, result: object) -> None:
        self.result = result

    def configure(self, cloud, entry, environment):
        environment["PATH"] = "changed"
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (ValueError("the password is hunter2"), "ValueError in driver 'odd', "),
        (SystemExit(1), "SystemExit in driver 'odd', "),
        (None, "driver 'odd' made NoneType of the settings of 'a'"),
        ({"password": "hunter2"}, "driver 'odd' made dict of the settings of 'a'"),
        (PluginError("cannot"), "cannot"),
    ],
)
async def test_a_configure_that_fails_fails_its_clouds(stub, monkeypatch, result, said):
    monkeypatch.setenv("PATH", "as it was")
    registry = PluginRegistry(drivers={"odd": Configuring(result), "stub": stub}, points=())
    configuration = Configuration(clouds={"a": {"driver": "odd"}, "b": {"driver": "stub"}})
    async with Broker(configuration, registry=registry) as broker:
        answer = await broker.instances.list()
        assert [report.status.value for report in answer.clouds] == ["failed", "ok"]
        assert said in str(answer.errors["a"])
        assert "hunter2" not in str(answer.errors["a"])
        with pytest.raises(PluginError):
            await broker.call("a", Ops.list_realms, None)
    assert os.environ["PATH"] == "as it was"


# ------------------------------------------------------------------------------------------ hooks


class Answering(Plain):
    """Answers every hook with the same."""

    def __init__(self, result: object) -> None:
        self.result = result

    async def _answer(self):
        await anyio.lowlevel.checkpoint()
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    @hookimpl
    async def list_instances(self, cloud, cursor, where):
        return await self._answer()

    @hookimpl
    async def get_instance(self, cloud, instance_id):
        return await self._answer()

    @hookimpl
    async def create_instance(self, cloud, spec):
        return await self._answer()

    @hookimpl
    async def create_instances(self, cloud, spec, count):
        return await self._answer()

    @hookimpl
    async def destroy_instance(self, cloud, instance_id):
        return await self._answer()

    @hookimpl
    async def check(self, cloud):
        return await self._answer()


def _broker(result: object, stub) -> Broker:
    registry = PluginRegistry(drivers={"odd": Answering(result), "stub": stub}, points=())
    clouds = {"a": {"driver": "odd"}, "b": {"driver": "stub"}}
    return Broker(Configuration(clouds=clouds), registry=registry)


@pytest.mark.parametrize(
    "raised",
    [
        SystemExit(2),
        Strange("x"),
        RecursionError("x"),
        MemoryError(),
        StopAsyncIteration(),
        BaseExceptionGroup("x", [Strange("x"), ValueError()]),
    ],
    ids=repr,
)
async def test_whatever_a_hook_raises_is_a_fault_of_its_driver(stub, raised):
    async with _broker(raised, stub) as broker:
        answer = await broker.instances.list()
        assert [report.status.value for report in answer.clouds] == ["failed", "ok"]
        assert isinstance(answer.errors["a"], DriverFault)
        assert type(raised).__name__ in str(answer.errors["a"])
        with pytest.raises(DriverFault):
            await broker.instances.get("a/1")


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), GeneratorExit()], ids=repr)
async def test_what_ends_a_call_from_outside_is_nobodys_fault(stub, raised):
    async with _broker(raised, stub) as broker:
        with pytest.raises(type(raised)):
            await broker.instances.get("a/1")


REALM = Realm(cloud="a", id="1")
OURS = Instance(cloud="a", id="1", state=InstanceState.RUNNING)
THEIRS = Instance(cloud="b", id="1", state=InstanceState.RUNNING)
NUMBERED = Instance(cloud="a", id=7, state=InstanceState.RUNNING)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (None, "returned None, not a Page"),
        ([], "returned a list, not a Page"),
        (Page(None), "returned None for items"),  # type: ignore[arg-type]
        (Page({OURS.id: OURS}), "returned a dict for items"),  # type: ignore[arg-type]
        (Page("text"), "returned a str, not an Instance"),
        (Page([OURS, None]), "returned None, not an Instance"),
        (Page([REALM]), "returned a Realm, not an Instance"),
        (Page([OURS, THEIRS]), "returned an Instance of another cloud"),
        (Page([NUMBERED]), "returned an Instance whose id is an int"),
        (Page([OURS], 2), "returned a Page whose cursor is an int"),  # type: ignore[arg-type]
        (Page([OURS], []), "returned a Page whose cursor is a list"),  # type: ignore[arg-type]
        (Page([OURS], None, None), "problems are no ItemProblems"),  # type: ignore[arg-type]
        (Page([OURS], None, ["x"]), "problems are no ItemProblems"),  # type: ignore[list-item]
    ],
)
async def test_a_page_of_nonsense_spoils_no_answer(stub, page, said):
    async with _broker(page, stub) as broker:
        answer = await broker.instances.list()
        assert [report.status.value for report in answer.clouds] == ["failed", "ok"]
        assert isinstance(answer.errors["a"], DriverFault)
        assert said in str(answer.errors["a"])
        assert {item.cloud for item in answer.items} == {"b"}


async def test_any_other_nonsense_is_the_drivers_fault_too(stub):
    spec = InstanceSpec(image_id="i")
    for nonsense in (None, REALM, THEIRS, [OURS, THEIRS], "text", {}):
        async with _broker(nonsense, stub) as broker:
            with pytest.raises(DriverFault, match="driver 'odd' returned "):
                await broker.call("a", Ops.get_instance, "1")
            with pytest.raises(DriverFault, match="It may have happened: look before you try"):
                await broker.call("a", Ops.create_instance, spec)
            with pytest.raises(DriverFault):
                await broker.call("a", Ops.create_instances, spec, 2)
            with pytest.raises(DriverFault, match=", not a CloudIdentity"):
                await broker.check("a")
            await broker.call("a", Ops.destroy_instance, "1")  # promises no result
    async with _broker(OURS, stub) as broker:
        assert await broker.call("a", Ops.get_instance, "1") is OURS
    async with _broker((OURS,), stub) as broker:
        assert await broker.call("a", Ops.create_instances, spec, 1) == (OURS,)
    async with _broker(CloudIdentity(account="me", endpoint=""), stub) as broker:
        assert (await broker.check("a")).account == "me"


# --------------------------------------------------------------------------------------- discover


class Discovering(Plain):
    def __init__(self, result: object) -> None:
        self.result = result

    @hookimpl
    async def discover(self):
        if isinstance(self.result, BaseException):
            raise self.result
        if self.result == "hang":
            await anyio.sleep_forever()
        return self.result


async def test_a_driver_that_cannot_look_keeps_nobody_from_looking(monkeypatch):
    monkeypatch.setattr("anabranch.plugins._LOOKING", 0.05)
    found = DiscoveredCloud(name="a", entry={"driver": "good"}, source="clouds.yaml")
    results = {"bye": SystemExit(), "hang": "hang", "none": None, "text": "ab", "good": [found]}
    drivers = {kind: Discovering(result) for kind, result in results.items()}
    clouds, failed = await PluginRegistry(drivers=drivers, points=()).discover({})
    assert clouds == [found]
    assert {kind: str(error) for kind, error in failed.items()} == {
        "bye": "SystemExit in driver 'bye': ",
        "hang": "driver 'hang' did not end within 0.05 s",
        "none": "driver 'none' returned no list of DiscoveredCloud",
        "text": "driver 'text' returned no list of DiscoveredCloud",
    }


# ------------------------------------------------------------------------------- allowed and level


def test_the_environment_says_what_may_be_loaded(tmp_path, monkeypatch, point):
    file = tmp_path / "anabranch.yaml"
    file.write_text("plugins: {allow: [odd, other], deny: [third]}")
    monkeypatch.setenv("ANABRANCH_PLUGINS__ALLOW", '["odd"]')
    monkeypatch.setenv("ANABRANCH_PLUGINS__PIN__ODD", "anabranch-odd")
    rules = load_configuration(file).plugins
    assert (rules.allow, rules.deny, rules.pin) == (("odd",), ("third",), {"odd": "anabranch-odd"})
    monkeypatch.setenv("ANABRANCH_PLUGINS__DENY", '["odd"]')
    rules = load_configuration().plugins
    (row,) = PluginRegistry(rules, points=[point("raise SystemExit")]).report()
    assert (row.allowed, row.error) == (False, "driver 'odd' is not allowed by the plugin rules")
    assert "odd_plugin" not in sys.modules
    monkeypatch.setenv("ANABRANCH_PLUGINS__DENY", "odd")
    with pytest.raises(ConfigurationError, match=r"field 'plugins.deny': Expected 'array'"):
        load_configuration()


REPORT = {"kind": "odd", "version": "1.0", "level": "silver", "checks": {}}


@pytest.mark.parametrize(
    ("module", "file", "report", "level"),
    [
        ("odd_package", "odd_package/conformance.json", REPORT, "silver"),
        ("odd_package.inner.driver", "odd_package/inner/conformance.json", REPORT, "silver"),
        ("odd_package.inner.driver", "odd_package/conformance.json", REPORT, "silver"),
        ("odd_package", "odd_package/conformance.json", {**REPORT, "level": "none"}, ""),
        ("odd_package", "odd_package/conformance.json", {**REPORT, "level": 7}, ""),
        ("odd_package", "odd_package/conformance.json", {**REPORT, "version": "0.9"}, ""),
        ("odd_package", "odd_package/conformance.json", {**REPORT, "kind": "even"}, ""),
        ("odd_package", "odd_package/conformance.json", [], ""),
        ("odd_package", "conformance.json", REPORT, ""),
        ("nowhere", "odd_package/conformance.json", REPORT, ""),
        ("", "odd_package/conformance.json", REPORT, ""),
    ],
)
def test_the_level_is_read_without_importing(tmp_path, monkeypatch, module, file, report, level):
    (tmp_path / "odd_package" / "inner").mkdir(parents=True)
    (tmp_path / "odd_package" / "__init__.py").write_text("1 / 0")
    (tmp_path / file).write_text(json.dumps(report))
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("odd", f"{module}:driver", DRIVER_GROUP)
    vars(entry).update(dist=Distribution("anabranch-odd"))
    (row,) = PluginRegistry(PluginRules(deny=("odd",)), points=[entry]).report()
    assert row.level == level
    assert "odd_package" not in sys.modules


# -------------------------------------------------------------------- what a hookimpl may leave out


class Spartan(Plain):
    """Names no parameter that it does not need."""

    def __init__(self) -> None:
        self.cursor: str | None = None

    @hookimpl
    async def list_realms(self):
        return Page([], self.cursor)

    @hookimpl
    async def list_instances(self, cloud):
        names = ("web", "db")
        states = InstanceState.RUNNING
        return Page([Instance(cloud=cloud.name, id=n, name=n, state=states) for n in names])

    @hookimpl
    async def reboot_instance(self, cloud, instance_id):
        return Instance(cloud=cloud.name, id=instance_id, state=InstanceState.RUNNING)

    @hookimpl
    async def attach_storage_volume(self, cloud, storage_volume_id, instance_id):
        return StorageVolume(cloud=cloud.name, id=storage_volume_id)

    @hookimpl
    async def get_instance_console(self, instance_id):
        return Console(kind="vnc")

    @hookimpl
    async def rename_instance(self, cloud, instance_id, name=""):
        return Instance(cloud=cloud.name, id=instance_id, name=name, state=InstanceState.RUNNING)


async def test_what_a_hookimpl_leaves_out_works_and_cannot_be_asked_for():
    driver = Spartan()
    registry = PluginRegistry(drivers={"s": driver}, points=())
    async with Broker(Configuration(clouds={"a": {"driver": "s"}}), registry=registry) as broker:
        answer = await broker.instances.list(where={"name": "db"})  # filtered here
        assert [item.id for item in answer] == ["db"]
        assert (await broker.instances.reboot("a/1")).id == "1"
        assert (await broker.call("a", Ops.attach_storage_volume, "v", "1", None)).id == "v"
        assert (await broker.call("a", Ops.get_instance_console, "1", None)).kind == "vnc"
        assert (await broker.call("a", Ops.rename_instance, "1", "new")).name == "new"
        for operation, arguments, parameter in [
            (Ops.list_instances, ("page 2", {}), "cursor"),
            (Ops.list_instances, (None, {"realm_id": "r"}), "realm_id"),
            (Ops.list_instances, (None, {"name": "db"}), "where"),
            (Ops.reboot_instance, ("1", True), "hard"),
            (Ops.attach_storage_volume, ("v", "1", "/dev/vdb"), "device"),
            (Ops.get_instance_console, ("1", "novnc"), "kind"),
        ]:
            with pytest.raises(FeatureNotSupported, match=repr(parameter)):
                await broker.call("a", operation, *arguments)
        assert (await broker.list_all(Ops.list_realms)).complete
        driver.cursor = "2"
        answer = await broker.list_all(Ops.list_realms)
        assert "gives a cursor that it does not take" in str(answer.errors["a"])


class Filtering(Plain):
    @hookimpl
    @offers(Feature.REALM_FILTER)
    async def list_instances(self, cloud: Cloud[CloudSettings], where):
        return Page(
            [Instance(cloud=cloud.name, id="1", state=InstanceState.RUNNING, **where)],
        )


async def test_a_filter_that_is_offered_is_given_and_no_other():
    registry = PluginRegistry(drivers={"f": Filtering()}, points=())
    async with Broker(Configuration(clouds={"a": {"driver": "f"}}), registry=registry) as broker:
        page = await broker.call("a", Ops.list_instances, None, {"realm_id": "r"})
        assert page.items[0].realm_id == "r"
        with pytest.raises(FeatureNotSupported, match="does not filter 'list_instances' by 'id'"):
            await broker.call("a", Ops.list_instances, None, {"realm_id": "r", "id": "1"})


# ---------------------------------------------------------------------------------------- wrappers


async def test_a_wrapper_that_is_wrong_is_refused_and_leaves_nothing(make_broker):
    class Unknown:
        @hookimpl(wrapper=True)
        def start_instance(self, server_id):
            return (yield)

    class NoGenerator:
        @hookimpl(wrapper=True)
        def start_instance(self, cloud): ...

    async with make_broker() as broker:
        for wrong in (Unknown(), NoGenerator()):
            for _ in range(2):
                with pytest.raises(PluginError):
                    broker.register(wrong)
        assert (await broker.instances.start("lisbon/1")).id == "1"


async def test_a_wrapper_that_returns_nonsense_is_told(make_broker):
    class Cache:
        @hookimpl(wrapper=True)
        def start_instance(self):
            call = yield
            call.close()

            async def answer():
                return "cached"

            return answer()

    async with make_broker() as broker:
        broker.register(Cache())
        with pytest.raises(DriverFault, match="returned a str, not an Instance"):
            await broker.instances.start("lisbon/1")
