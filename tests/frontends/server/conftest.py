"""The application in this process, and accounts on simulated clouds."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import httpx
import pytest

from anabranch import Broker, Configuration, SecretStr
from anabranch.testing import Fleet
from anabranch_server import Application
from anabranch_server.access import Credentials

XML = {"Accept": "application/xml"}


class Account(NamedTuple):
    """An account as HTTP Basic carries it, and the provider that it is of."""

    provider: str
    user: str
    password: str

    @property
    def basic(self) -> tuple[str, str]:
        return self.user, self.password

    @property
    def wrong(self) -> tuple[str, str]:
        return self.user, "not-the-password"

    def credentials(self, password: str = "") -> Credentials:
        return Credentials(self.user, SecretStr(password or self.password))

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Account":
        """Make it of the entry for `anabranch.yaml`."""
        match entry["driver"]:
            case "openstack":
                auth = entry["auth"]
                user = f"{auth['username']}+{auth['project_name']}"
                return cls(f"{auth['auth_url']};{entry['region_name']}", user, auth["password"])
            case "cloudstack":
                return cls(entry["endpoint"], entry["key"], entry["secret"])
        return cls(entry["endpoint"], entry["username"], entry["password"])


class Served(NamedTuple):
    """One simulated cloud, and an account there."""

    fleet: Fleet
    account: Account

    @property
    def kind(self) -> str:
        return next(iter(self.fleet.clouds.values())).kind

    @property
    def requests(self) -> Any:
        return next(iter(self.fleet.clouds.values())).requests


@pytest.fixture
def simulated() -> Iterator[Callable[..., Served]]:
    """Serves one simulated cloud of a kind."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def serve(kind: str, **options: Any) -> Served:
            fleet = stack.enter_context(Fleet.of({kind: 1}, **options).serving())
            (entry,) = fleet.document()["clouds"].values()
            return Served(fleet, Account.of(entry))

        yield serve


@pytest.fixture
def broker() -> Broker:
    """A broker without clouds, with all drivers loaded: what would block the loop is done."""
    made = Broker(Configuration())
    for kind in made.registry.kinds:
        made.registry.driver(kind)
    return made


@pytest.fixture
async def client(broker):
    """Makes clients of applications, by default over no clouds; they ask for XML."""
    async with AsyncExitStack() as stack:

        def make(served: Broker = broker, *, headers: Mapping[str, str] = XML, **options: Any):
            app = Application(served, **options)
            made = httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url="http://localhost:3000",
                headers=headers,
            )
            stack.push_async_callback(app.aclose)
            stack.push_async_callback(made.aclose)
            return made

        yield make
