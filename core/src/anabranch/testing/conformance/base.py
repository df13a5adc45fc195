"""What a suite says about its driver, and the bench that each check works on."""

from __future__ import annotations

import functools
import socket
from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Final, Literal, NoReturn

import pytest

from anabranch.errors import AnabranchError, CloudError, PluginError
from anabranch.facade import Broker
from anabranch.hooks import Ops
from anabranch.http import HttpClient
from anabranch.models import ImageState, Instance, InstanceSpec
from anabranch.plugins import PluginRegistry
from anabranch.testing.behaviour import Behaviour
from anabranch.testing.conformance.bench import NAME, Bench, opened, told
from anabranch.testing.conformance.levels import CHECKS, Level
from anabranch.testing.simulation import SimulatedCloud, Simulator
from anabranch.testing.walk import Choices, machine_spec

__all__ = ["BACKENDS", "ConformanceBase"]

BACKENDS: Final = frozenset({"asyncio", "trio"})
"""Where each check runs."""


class ConformanceBase:
    """What all checks share.

    Attributes:
        kind: Kind of the driver, as its entry point is called.
        simulator: The simulator of its platform.
        wireless: Whether the driver talks to nobody, so that there is nothing to simulate.
        driver: The driver itself, where it is not installed; None: the installed one.
        settings: Settings to put over those that the simulator gives.
        choices: What to take to make a machine, where the first of a list will not do.
        budget: Requests that a list costs where it is not one for each page: a number, or `n`
            for one more for each item. `0`: it is answered from the configuration.
        unpaged: Why the lists of the platform have no pages, where they have none.
        exempt: Checks that the driver does not keep, each with the reason; no gold with any, and
            none of those for bronze.
    """

    kind: ClassVar[str] = ""
    simulator: ClassVar[Simulator | None] = None
    wireless: ClassVar[bool] = False
    driver: ClassVar[Ops | None] = None
    settings: ClassVar[Mapping[str, Any]] = {}
    choices: ClassVar[Choices] = Choices()
    budget: ClassVar[Mapping[str, int | Literal["n"]]] = {}
    unpaged: ClassVar[str] = ""
    exempt: ClassVar[Mapping[str, str]] = {}

    pytestmark = pytest.mark.anyio

    @pytest.fixture(params=sorted(BACKENDS))
    def anyio_backend(self, request: pytest.FixtureRequest) -> str:
        """Each check runs on both, whatever the project around the suite says."""
        return str(request.param)

    @pytest.fixture(autouse=True)
    def _as_declared(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        """Refuse a suite that says what cannot be, and skip what is exempt."""
        if not self.kind:
            pytest.fail("name the driver: kind = '…', the name of its entry point", pytrace=False)
        if self.simulator is None and not self.wireless:
            pytest.fail(
                "name the simulator of the platform: simulator = …; a driver that talks to"
                " nobody says wireless = True",
                pytrace=False,
            )
        for check, reason in self.exempt.items():
            if CHECKS.get(check, Level.BRONZE) is Level.BRONZE or not reason.strip():
                able = [name for name, level in CHECKS.items() if level is not Level.BRONZE]
                pytest.fail(
                    f"exempt: {check!r} is no check, or one that none is exempt from, or has no"
                    f" reason; one can be from {', '.join(able)}",
                    pytrace=False,
                )
        if self.wireless:
            monkeypatch.setattr(HttpClient, "request", _not_wireless)
            monkeypatch.setattr(HttpClient, "stream", _not_wireless)
            monkeypatch.setattr(socket.socket, "connect", _not_wireless)
        try:
            self.registry().driver(self.kind)
        except PluginError as exc:
            pytest.fail(f"the driver cannot be loaded: {exc}", pytrace=False)
        check = request.function.__name__.removeprefix("test_")
        if check in self.exempt:
            pytest.skip(self.exempt[check])

    # ------------------------------------------------------------------------------- the bench

    def make_cloud(
        self, name: str, *, instances: int, behaviour: Behaviour, odd: bool
    ) -> SimulatedCloud | None:
        """Make a simulated cloud; override it where the simulator needs more to be told."""
        if self.simulator is None:
            return None
        return self.simulator.cloud(name, instances=instances, behaviour=behaviour, odd=odd)

    def make_entry(self, *, instances: int, odd: bool) -> Mapping[str, Any]:
        """Return settings to put over those that the simulator gives.

        Override it for a driver that talks to nobody: its settings say what is in a cloud.
        """
        del instances, odd
        return self.settings

    def make_account(self, entry: Mapping[str, Any]) -> tuple[str, str, str]:
        """Return provider, user and password of the account that the simulator's entry is of.

        Override it where those are other settings than `endpoint` or `url`, `username` or `user`,
        and `password`.
        """
        provider = entry.get("endpoint", entry.get("url", ""))
        user = entry.get("username", entry.get("user", ""))
        return str(provider), str(user), str(entry.get("password", ""))

    def bench(
        self,
        *,
        instances: int = 3,
        behaviour: Behaviour | None = None,
        odd: bool = False,
        **settings: Any,
    ) -> AbstractAsyncContextManager[Bench]:
        """Open a bench: one cloud with so many instances, served while it is open."""
        cloud = self.make_cloud(
            NAME, instances=instances, behaviour=behaviour or Behaviour(), odd=odd
        )
        entry = self.make_entry(instances=instances, odd=odd)
        return opened(self.kind, self.registry(), cloud, {**entry, **settings})

    @classmethod
    @functools.cache
    def registry(cls) -> PluginRegistry:
        """The registry that has the driver; the same each time."""
        return PluginRegistry(drivers={cls.kind: cls.driver} if cls.driver else None)

    @classmethod
    def packages(cls) -> set[str]:
        """The packages that the driver is made of."""
        classes = type(cls.registry().driver(cls.kind)).__mro__
        found = {base.__module__.partition(".")[0] for base in classes}
        return found - {"anabranch", "builtins", "typing"}

    def has_setting(self, name: str) -> bool:
        """Whether the driver's settings have a field of that name."""
        return name in self.registry().driver(self.kind).settings_type.__struct_fields__

    def needs_wire(self) -> None:
        """Skip the check for a driver that talks to nobody."""
        if self.simulator is None:
            pytest.skip("the driver talks to nobody: there is no wire to break or to count")

    # ------------------------------------------------------------------------------ machines

    async def spec(self, bench: Bench, broker: Broker, name: str) -> InstanceSpec:
        """Make the spec of a small machine; skips the check where none can be made."""
        offered = broker.capabilities(NAME)
        if "create_instance" not in offered:
            pytest.skip("create_instance is not offered")
        found: dict[str, list[Any]] = {}
        for operation in ("list_images", "list_hardware_profiles"):
            found[operation] = await bench.items(broker, operation) if operation in offered else []
        images, profiles = found.values()
        if not self.choices.image_id and all(i.state is not ImageState.AVAILABLE for i in images):
            pytest.fail(
                "to make a machine an image is needed, and list_images has none that is"
                " AVAILABLE: name one, choices = Choices(image_id=…)",
                pytrace=False,
            )
        return machine_spec(offered, self.choices, images, profiles, name=name)

    async def machines(self, bench: Bench, broker: Broker) -> dict[str, Instance]:
        """The instances that there are, by their ids."""
        return {i.id: i for i in await bench.items(broker, "list_instances")}

    # -------------------------------------------------------------------------------- errors

    async def must_fail(
        self,
        broker: Broker,
        operation: str,
        arguments: Mapping[str, Any],
        expected: type[CloudError] | tuple[type[CloudError], ...],
        when: str,
        *,
        timeout: float = 20.0,
    ) -> CloudError:
        """Use an operation that must fail by a certain class, and return the error."""
        kinds = expected if isinstance(expected, tuple) else (expected,)
        names = " or ".join(kind.__name__ for kind in kinds)
        try:
            result = await broker.invoke(NAME, operation, arguments, timeout=timeout)
        except kinds as exc:
            return exc
        except AnabranchError as exc:
            came = f"raised {told(exc)}"
        else:
            came = f"returned {_shown(result)}, as if nothing were wrong"
        pytest.fail(f"{when}: {operation} must raise {names}, and {came}", pytrace=False)


def _shown(value: Any) -> str:
    """A value for a message, not too long."""
    items = getattr(value, "items", None)
    if isinstance(items, Collection) and not items:
        return "an empty page"
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _not_wireless(*args: Any, **kwargs: Any) -> NoReturn:
    del args, kwargs
    pytest.fail(
        "wireless = True says that the driver talks to nobody, and it opens a connection: write a"
        " simulator of its platform, and name it",
        pytrace=False,
    )
