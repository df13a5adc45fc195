import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from anabranch.cloud import Cloud, Response
from anabranch.testing.simulation import serve
from anabranch_openstack import driver
from anabranch_openstack.simulator import simulator

_EXCHANGES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "exchanges.json").read_text()
)


class Captured(NamedTuple):
    """What a real service answered; see /docs of the protocol."""

    reply: Response
    body: Any

    def raw(self, *keys: str | int) -> msgspec.Raw:
        found = self.body
        for key in keys:
            found = found[key]
        return msgspec.Raw(json.dumps(found).encode())


@pytest.fixture(scope="session")
def captured() -> Callable[[str], Captured]:
    def find(label: str) -> Captured:
        found = _EXCHANGES[label]
        body = found["body"]
        content = body if isinstance(body, str) else json.dumps(body)
        return Captured(Response(found["status"], found["headers"], content.encode()), body)

    return find


class Served(NamedTuple):
    """A simulated cloud, and the cloud that the driver sees of it."""

    simulated: Any
    cloud: Cloud[Any]
    url: str

    def again(self, **changes: Any) -> Cloud[Any]:
        """The same cloud configured in another way; not closed by anybody."""
        entry = {**self.simulated.settings(self.url), **changes}
        return Cloud(self.simulated.name, driver.configure(self.simulated.name, entry, {}))


@pytest.fixture
def served():
    @asynccontextmanager
    async def serving(entry: dict[str, Any] | None = None, **options: Any):
        simulated = simulator.cloud("lisbon", **options)
        with serve([simulated]) as urls:
            url = urls["lisbon"]
            settings = driver.configure("lisbon", {**simulated.settings(url), **(entry or {})}, {})
            cloud: Cloud[Any] = Cloud("lisbon", settings)
            try:
                yield Served(simulated, cloud, url)
            finally:
                await cloud.aclose()

    return serving
