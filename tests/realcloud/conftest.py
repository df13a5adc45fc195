"""A real OpenStack on loopback, where one is up: `OSLAB_STATE` names its folder."""

import os
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml

from anabranch import Broker, CloudError, Configuration

CLOUDS_FILE = Path(os.environ.get("OSLAB_STATE", "/var/tmp/oslab")) / "clouds.yaml"


def _reason_to_skip() -> str:
    if not CLOUDS_FILE.is_file():
        return f"no OpenStack is up: there is no {CLOUDS_FILE}"
    clouds = yaml.safe_load(CLOUDS_FILE.read_text())["clouds"]
    url = clouds["oslab"]["auth"]["auth_url"]
    try:
        with urllib.request.urlopen(url, timeout=5):
            return ""
    except OSError as exc:
        return f"keystone at {url} does not answer: {exc}"


REASON = _reason_to_skip()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.realcloud)
            item.add_marker(pytest.mark.timeout(180))
            item.add_marker(pytest.mark.filterwarnings("ignore::Warning:openstack"))
            if REASON:
                item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture(scope="session")
def auth_url() -> str:
    """Where the lab's keystone is."""
    url: str = yaml.safe_load(CLOUDS_FILE.read_text())["clouds"]["oslab"]["auth"]["auth_url"]
    return url


@pytest.fixture(scope="session")
def sdk():
    """Makes a connection of openstacksdk to one of the lab's clouds."""
    import openstack.config

    config = openstack.config.OpenStackConfig(config_files=[str(CLOUDS_FILE)], load_envvars=False)

    def connect(name: str) -> Any:
        region = config.get_one(name, compute_default_microversion="2.46")
        return openstack.connection.Connection(config=region)

    return connect


@pytest.fixture(scope="session")
def private_network(sdk: Callable[[str], Any]) -> str:
    """The id of the network that the lab's project `demo` has from the start.

    Machines name it, because other tests may have networks of their own there at the same time.
    """
    with sdk("oslab") as connection:
        return connection.network.find_network("private", ignore_missing=False).id


@pytest.fixture
def openstack(private_network):
    """Makes a broker of some of the lab's clouds; machines of `oslab` get the network `private`.

    To be called where no event loop runs, or in a thread: configuring reads clouds.yaml.
    """

    def make(*names: str, **settings: object) -> Broker:
        entry = {"driver": "openstack", "clouds_file": str(CLOUDS_FILE), **settings}
        clouds = {name: {**entry, "cloud": name} for name in names}
        if "oslab" in clouds:
            clouds["oslab"]["default_network"] = private_network
        return Broker(Configuration(clouds=clouds, timeout=60))

    return make


@pytest.fixture
def clean():
    """Destroys the instances, images and keys whose names begin with a prefix, even if cancelled.

    What cannot be destroyed is told when all the rest is gone.
    """

    async def cleaned(broker: Broker, prefix: str) -> None:
        failures: list[CloudError] = []

        async def destroy(collection: Any, **options: float) -> None:
            for found in await collection.list(require="all"):
                if found.name.startswith(prefix):
                    try:
                        await collection.destroy(found.qualified_id, **options)
                    except CloudError as exc:
                        failures.append(exc)

        with anyio.CancelScope(shield=True), anyio.fail_after(90):
            await destroy(broker.instances, wait=60)
            await destroy(broker.images)
            await destroy(broker.keys)
        if failures:
            raise ExceptionGroup("the lab was not cleaned", failures)

    return cleaned


@pytest.fixture
def unique() -> str:
    """A name that nothing in the lab has yet."""
    return f"anabranch-test-{uuid.uuid4().hex[:8]}"
