"""What the tests of core share: a small driver whose clouds do what their settings tell."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
import anyio.lowlevel
import msgspec
import pytest

from anabranch import Broker, Configuration, Feature, InstanceState, PluginRegistry, errors
from anabranch.cloud import Cloud
from anabranch.features import offers
from anabranch.hooks import DriverSpec, Lacks, hookimpl
from anabranch.models import Instance, InstanceSpec, Realm
from anabranch.paging import ItemProblem, Page
from anabranch.settings import CloudSettings


class StubSettings(CloudSettings, frozen=True, kw_only=True):
    """How a stub cloud behaves: `pages` of instances, then what `end` says.

    `end` is empty (it ends), `hang`, `loop` (the last page again and again), `spin` (other pages
    for ever), `bug`, `group` (a CloudError out of a task group), or the name of an error class.
    """

    pages: tuple[int, ...] = (2,)
    end: str = ""
    pause: float = 0.0
    problems: int = 0


class StubDriver(DriverSpec[StubSettings]):
    """Counts its calls, and is otherwise stateless."""

    title = "Stub"
    settings_type = StubSettings

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.specs: list[InstanceSpec] = []
        self.wheres: list[Mapping[str, str]] = []
        self.answers: list[Any] = []
        self.under_way = 0

    @hookimpl
    @offers(Feature.REALM_FILTER)
    async def list_instances(
        self, cloud: Cloud[StubSettings], cursor: str | None, where: Mapping[str, str]
    ) -> Page[Instance]:
        self.calls.append((cloud.name, "list_instances"))
        self.wheres.append(where)
        page = int(cursor or 0)
        self.under_way += 1
        try:
            await anyio.sleep(cloud.settings.pause)
            if page >= len(cloud.settings.pages):
                return await self._end(cloud.settings.end, page)
        finally:
            self.under_way -= 1
        items = [
            Instance(cloud=cloud.name, id=f"{page}-{n}", state=InstanceState.RUNNING)
            for n in range(cloud.settings.pages[page])
        ]
        more = page + 1 < len(cloud.settings.pages) or cloud.settings.end
        problems = [ItemProblem(message="unreadable")] * cloud.settings.problems
        return Page(items, str(page + 1) if more else None, problems)

    async def _end(self, end: str, page: int) -> Page[Instance]:
        if end == "hang":
            await anyio.sleep_forever()
        elif end == "loop":
            return Page([], str(page))
        elif end == "spin":
            return Page([], str(page + 1))
        elif end == "bug":
            raise ZeroDivisionError("1 / 0")
        elif end == "nonsense":
            return None  # type: ignore[return-value]
        elif end == "group":
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep_forever)
                raise errors.NotFound("gone while it was listed")
        raise getattr(errors, end)("as told")

    @hookimpl
    async def get_instance(self, cloud: Cloud[StubSettings], instance_id: str) -> Instance:
        return await self._answer(cloud, "get_instance", instance_id)

    @hookimpl
    @offers(Feature.USER_NAME, Feature.CLIENT_TOKEN)
    async def create_instance(self, cloud: Cloud[StubSettings], spec: InstanceSpec) -> Instance:
        self.specs.append(spec)
        return await self._answer(cloud, "create_instance", "new")

    @hookimpl
    async def start_instance(self, cloud: Cloud[StubSettings], instance_id: str) -> Instance:
        return await self._answer(cloud, "start_instance", instance_id)

    @hookimpl
    async def reboot_instance(
        self, cloud: Cloud[StubSettings], instance_id: str, hard: bool
    ) -> Instance:
        return await self._answer(cloud, "reboot_instance", instance_id)

    @hookimpl
    async def destroy_instance(self, cloud: Cloud[StubSettings], instance_id: str) -> None:
        await self._answer(cloud, "destroy_instance", instance_id)

    async def _answer(self, cloud: Cloud[StubSettings], operation: str, id: str) -> Instance:
        """Give what `answers` has next: a state, an instance, an exception, or a pause."""
        self.calls.append((cloud.name, operation))
        await anyio.lowlevel.checkpoint()
        answer: Any = self.answers.pop(0) if self.answers else InstanceState.RUNNING
        if callable(answer):
            answer = await answer(cloud)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, float):
            await anyio.sleep(answer)
            answer = InstanceState.RUNNING
        if isinstance(answer, InstanceState):
            return Instance(cloud=cloud.name, id=id, state=answer, platform_state="told")
        return msgspec.structs.replace(answer, cloud=cloud.name)


class RealmsDriver(DriverSpec[CloudSettings]):
    """Offers realms and nothing else; probes, and lacks what it is told."""

    title = "Realms"
    settings_type = CloudSettings

    def __init__(self) -> None:
        self.lacks = Lacks()
        self.probes = 0

    @hookimpl
    async def list_realms(self, cloud: Cloud[CloudSettings], cursor: str | None) -> Page[Realm]:
        return Page([Realm(cloud=cloud.name, id="1", name="one")])

    @hookimpl
    async def probe(self, cloud: Cloud[CloudSettings]) -> Lacks:
        self.probes += 1
        await anyio.sleep(0.01)
        return self.lacks


@pytest.fixture
def stub() -> StubDriver:
    return StubDriver()


@pytest.fixture
def realms() -> RealmsDriver:
    return RealmsDriver()


Clouds = Mapping[str, Mapping[str, Any]]


@pytest.fixture
def make_broker(stub: StubDriver, realms: RealmsDriver) -> Callable[..., Broker]:
    """Make a broker over clouds of the stub driver, or of the kind that an entry names."""

    def make(clouds: Clouds | Sequence[str] = ("lisbon",), *, timeout: float = 10.0) -> Broker:
        entries = clouds if isinstance(clouds, Mapping) else {name: {} for name in clouds}
        configuration = Configuration(
            clouds={name: {"driver": "stub", **entry} for name, entry in entries.items()},
            timeout=timeout,
        )
        registry = PluginRegistry(drivers={"stub": stub, "realms": realms}, points=())
        return Broker(configuration, registry=registry)

    return make
