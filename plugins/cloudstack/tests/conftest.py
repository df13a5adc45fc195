import json
from collections.abc import Callable
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from anabranch.cloud import Cloud, Response
from anabranch.testing.simulation import serve
from anabranch_cloudstack import driver
from anabranch_cloudstack.simulator import simulator

_EXCHANGES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "exchanges.json").read_text()
)
QUICK = {"job_first_pause": 0.01, "job_longest_pause": 0.02, "job_timeout": 10}


class Captured(NamedTuple):
    """What a real CloudStack 4.22 answered."""

    reply: Response
    body: Any

    def raw(self, *keys: str | int) -> msgspec.Raw:
        """The part of the answer that these keys lead to, below its envelope."""
        (found,) = self.body.values()
        for key in keys:
            found = found[key]
        return msgspec.Raw(json.dumps(found).encode())


@pytest.fixture(scope="session")
def captured() -> Callable[[str], Captured]:
    def find(name: str) -> Captured:
        found = _EXCHANGES[name]
        content = json.dumps(found["response"]).encode()
        return Captured(Response(found["status"], {}, content), found["response"])

    return find


class Served(NamedTuple):
    """A simulated cloud, and the cloud that the driver sees of it."""

    simulated: Any
    cloud: Cloud[Any]
    url: str

    def again(self, *, user: str = "demo", **changes: Any) -> Cloud[Any]:
        """The same cloud configured in another way; not closed by anybody."""
        entry = {**self.simulated.settings(self.url, user=user), **QUICK, **changes}
        return Cloud(self.simulated.name, driver.configure(self.simulated.name, entry, {}))

    @staticmethod
    async def everything(cloud: Cloud[Any], collection: str) -> list[Any]:
        """All pages of a list, of which none may have problems."""
        found: list[Any] = []
        cursor: str | None = None
        where = ({},) if collection in ("images", "instances") else ()
        while True:
            page = await getattr(driver, f"list_{collection}")(cloud, cursor, *where)
            assert not page.problems
            found += page.items
            cursor = page.cursor
            if cursor is None:
                return found

    async def named(self, cloud: Cloud[Any], collection: str, name: str) -> Any:
        """The member of a list with a name."""
        return next(i for i in await self.everything(cloud, collection) if i.name == name)

    async def machine(self, cloud: Cloud[Any], state: str = "RUNNING") -> Any:
        """A machine of the zone that has addresses."""
        zone = await self.named(cloud, "realms", "adv-1")
        found = await self.everything(cloud, "instances")
        return next(i for i in found if i.state == state and i.realm_id == zone.id)

    @contextmanager
    def costs(self, *commands: str):
        """The commands of the block, in order; looks at jobs are not counted."""
        self.simulated.requests.reset()
        yield
        asked = [request.path.rpartition("/")[2] for request in self.simulated.requests]
        assert [c for c in asked if c != "queryAsyncJobResult"] == list(commands)
        assert {request.method for request in self.simulated.requests} <= {"POST"}


@pytest.fixture
def served():
    @asynccontextmanager
    async def serving(entry: dict[str, Any] | None = None, user: str = "demo", **options: Any):
        simulated = simulator.cloud("lisbon", **options)
        with serve([simulated]) as urls:
            url = urls["lisbon"]
            fields = {**simulated.settings(url, user=user), **QUICK, **(entry or {})}
            cloud: Cloud[Any] = Cloud("lisbon", driver.configure("lisbon", fields, {}))
            try:
                yield Served(simulated, cloud, url)
            finally:
                await cloud.aclose()

    return serving
