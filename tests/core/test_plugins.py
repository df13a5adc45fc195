"""Finding drivers, loading them one by one, and telling what became of each."""

import sys
import textwrap
from importlib.metadata import EntryPoint

import pytest

from anabranch import Broker, Configuration, PluginError, PluginRegistry, PluginRules
from anabranch.hooks import API_VERSION, DiscoveredCloud, DriverSpec, hookimpl
from anabranch.plugins import DRIVER_GROUP
from anabranch.settings import CloudSettings

MODULE = f"""
    from anabranch.hooks import DriverSpec, hookimpl
    from anabranch.paging import Page
    from anabranch.settings import CloudSettings

    class Driver(DriverSpec[CloudSettings]):
        title = "Good"
        settings_type = CloudSettings

        @hookimpl
        async def list_realms(self, cloud, cursor):
            return Page([])

    driver = Driver()
    old = Driver()
    old.api_version = {API_VERSION + 1}
    nothing = object()
"""


class Distribution:
    """As much of a distribution as the registry looks at."""

    def __init__(self, name: str, version: str = "1.0") -> None:
        self.name, self.version = name, version


def _point(name: str, value: str, distribution: str | None = None) -> EntryPoint:
    point = EntryPoint(name, value, DRIVER_GROUP)
    if distribution:
        vars(point).update(dist=Distribution(distribution))
    return point


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Modules that come and go with the test."""
    (tmp_path / "good_driver.py").write_text(textwrap.dedent(MODULE))
    (tmp_path / "bad_driver.py").write_text("import sys\n1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("good_driver", "bad_driver"):
        sys.modules.pop(name, None)


def test_nothing_is_imported_before_it_is_needed(modules):
    registry = PluginRegistry(points=[_point("good", "good_driver:driver", "anabranch-good")])
    assert registry.kinds == ("good",)
    assert "good_driver" not in sys.modules
    driver = registry.driver("good")
    assert "good_driver" in sys.modules
    assert registry.driver("good") is driver


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("bad_driver:driver", "of anabranch-x cannot be imported: ZeroDivisionError"),
        ("no_such_module:driver", "cannot be imported: ModuleNotFoundError"),
        ("good_driver:nowhere", "cannot be imported: AttributeError"),
        ("good_driver:nothing", "is no object of a class derived from DriverSpec"),
        ("good_driver:Driver", "is a class. Publish an object of it: driver = Driver()"),
        ("good_driver:old", f"is written for version {API_VERSION + 1} of the contract, this is"),
    ],
)
def test_what_cannot_be_loaded_says_why_and_breaks_nothing_else(modules, value: str, said: str):
    points = [_point("x", value, "anabranch-x"), _point("good", "good_driver:driver", "g")]
    registry = PluginRegistry(points=points)
    raised: list[PluginError] = []
    for _ in range(2):
        with pytest.raises(PluginError) as caught:
            registry.driver("x")
        assert said in str(caught.value)
        assert "driver 'x'" in str(caught.value)
        raised.append(caught.value)
    assert raised[0] is not raised[1]  # an exception keeps the traceback of every raise
    good, bad = registry.report()
    assert (good.kind, good.title, good.error, good.distribution) == ("good", "Good", "", "g")
    assert good.load_ms is not None
    assert (good.version, good.api_version) == ("1.0", API_VERSION)
    assert said in bad.error
    assert bad.title == ""


def test_two_distributions_of_one_name(modules):
    points = [
        _point("x", "good_driver:driver", "Anabranch_One"),
        _point("x", "good_driver:old", "anabranch-two"),
    ]
    with pytest.raises(PluginError) as caught:
        PluginRegistry(points=points).driver("x")
    assert str(caught.value) == (
        "driver 'x' is offered by Anabranch_One and anabranch-two. "
        "Say which with plugins: pin: {x: DISTRIBUTION}"
    )
    row = PluginRegistry(points=points).report()[0]
    assert row.distribution == "Anabranch_One, anabranch-two"
    pinned = PluginRegistry(PluginRules(pin={"x": "anabranch-one"}), points=points)
    assert pinned.driver("x").title == "Good"
    wrong = PluginRegistry(PluginRules(pin={"x": "three"}), points=points)
    with pytest.raises(PluginError, match="pinned to three, which does not offer it"):
        wrong.driver("x")
    # the same distribution found twice on the path is one
    twice = [points[0], _point("x", "good_driver:driver", "Anabranch_One")]
    assert PluginRegistry(points=twice).driver("x").title == "Good"


def test_allow_and_deny(modules):
    points = [_point(kind, "good_driver:driver") for kind in ("a", "b")]
    for rules, allowed in [
        (PluginRules(allow=("a",)), {"a"}),
        (PluginRules(deny=("a",)), {"b"}),
        (PluginRules(allow=("a", "b"), deny=("b",)), {"a"}),
        (PluginRules(allow=()), set()),
    ]:
        registry = PluginRegistry(rules, points=points)
        rows = {row.kind: row.error for row in registry.report()}
        assert {kind for kind, error in rows.items() if not error} == allowed
        for kind in {"a", "b"} - allowed:
            assert rows[kind] == f"driver {kind!r} is not allowed by the plugin rules"


def test_what_is_not_installed():
    registry = PluginRegistry(points=[_point("openstack", "x:y")])
    with pytest.raises(PluginError, match=r"no driver 'opnstack'. Did you mean 'openstack'?"):
        registry.driver("opnstack")
    assert registry.kinds == ("openstack",)
    assert PluginRegistry(points=[]).report() == ()


def test_the_installed_ones_are_found():
    assert "mock" in PluginRegistry().kinds


class Good(DriverSpec[CloudSettings]):
    title = "Good"
    settings_type = CloudSettings


class Misspelt(Good):
    @hookimpl
    async def list_instnces(self, cloud, cursor, where): ...


class Unmarked(Good):
    async def list_realms(self, cloud, cursor): ...


class NotAsync(Good):
    @hookimpl
    def list_realms(self, cloud, cursor): ...


class WrongParameter(Good):
    @hookimpl
    async def get_instance(self, cloud, server_id): ...


class NotOffered(Unmarked):
    list_realms = DriverSpec.list_realms


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        (Misspelt(), "there is no hook 'list_instnces'. Did you mean 'list_instances'?"),
        (Unmarked(), "'list_realms' is not marked @hookimpl"),
        (NotAsync(), "'list_realms' is not async def"),
        (WrongParameter(), "'get_instance' has a parameter 'server_id' that the hook has not."),
    ],
)
async def test_a_driver_that_breaks_the_contract(stub, driver, said: str):
    registry = PluginRegistry(drivers={"x": driver, "stub": stub}, points=())
    assert said in registry.report()[1].error
    configuration = Configuration(clouds={"a": {"driver": "x"}, "b": {"driver": "stub"}})
    async with Broker(configuration, registry=registry) as broker:
        answer = await broker.instances.list()
        assert [r.status.value for r in answer.clouds] == ["failed", "ok"]
        assert said in str(answer.errors["a"])


def test_an_operation_can_be_taken_back():
    registry = PluginRegistry(drivers={"x": NotOffered()}, points=())
    assert registry.driver("x").title == "Good"
    row = registry.report()[0]
    assert (row.distribution, row.load_ms) == ("(given as an object)", None)


class Discovering(Good):
    def __init__(self, *answers: object) -> None:
        self.answers = answers

    @hookimpl
    async def discover(self, environment):
        for answer in self.answers:
            if isinstance(answer, Exception):
                raise answer
        return list(self.answers)


async def test_discover_asks_everybody_and_fails_alone():
    found = DiscoveredCloud(name="a", entry={"driver": "one"}, source="clouds.yaml")
    registry = PluginRegistry(
        drivers={
            "bug": Discovering(ZeroDivisionError("1 / 0")),
            "none": Good(),
            "one": Discovering(found),
            "wrong": Discovering(PluginError("cannot")),
            "broken": Misspelt(),
        },
        points=(),
    )
    clouds, failed = await registry.discover({})
    assert clouds == [found]
    assert sorted(failed) == ["broken", "bug", "wrong"]
    assert "ZeroDivisionError in driver 'bug'" in str(failed["bug"])
