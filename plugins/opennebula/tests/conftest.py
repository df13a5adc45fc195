from collections.abc import Callable
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest

from anabranch.cloud import Cloud
from anabranch.testing.simulation import serve
from anabranch_opennebula import driver
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.simulator import simulator
from anabranch_opennebula.xml import parsed

_CAPTURED = Path(__file__).parent / "data" / "captured"


@pytest.fixture(scope="session")
def captured() -> Callable[[str], Thing]:
    """A document that a real oned 7.4 answered."""

    def find(name: str) -> Thing:
        content = (_CAPTURED / f"{name}.xml").read_bytes()
        return Thing(parsed(content), content)

    return find


class Served(NamedTuple):
    """A simulated cloud, and the cloud that the driver sees of it."""

    simulated: Any
    cloud: Cloud[Any]
    url: str

    def again(self, user: str = "tenant", **changes: Any) -> Cloud[Any]:
        """The same cloud configured in another way; not closed by anybody."""
        entry = {**self.simulated.settings(self.url, user=user), **changes}
        return Cloud(self.simulated.name, driver.configure(self.simulated.name, entry, {}))

    @contextmanager
    def costs(self, *methods: str, at_once: bool = False):
        """The requests of the block, by method, without the `one.` before all of them.

        Those that are sent at once come in any order.
        """
        before = len(self.simulated.requests)
        yield
        asked = [r.path.rpartition("/one.")[2] for r in list(self.simulated.requests)[before:]]
        assert (sorted(asked) if at_once else asked) == list(methods)

    async def until_asked(self, *methods: str):
        """Wait until each of these was asked for."""
        with anyio.fail_after(5):
            while True:
                if all(self.asked(method) for method in methods):
                    return
                await anyio.sleep(0.01)

    def asked(self, method: str) -> int:
        """How often a method was asked for."""
        return sum(r.path.endswith(f"/one.{method}") for r in self.simulated.requests)


@pytest.fixture
def served():
    @asynccontextmanager
    async def serving(entry: dict[str, Any] | None = None, **options: Any):
        simulated = simulator.cloud("lisbon", **options)
        with serve([simulated]) as urls:
            url = urls["lisbon"]
            known = {"public_networks": ["public"], **simulated.settings(url), **(entry or {})}
            cloud: Cloud[Any] = Cloud("lisbon", driver.configure("lisbon", known, {}))
            try:
                yield Served(simulated, cloud, url)
            finally:
                await cloud.aclose()

    return serving
