"""The driver against a real OpenStack on loopback; skipped where none is up.

Others work on the same project at the same time: what a test makes has its own name, and is taken
away again whatever becomes of the test.
"""

from __future__ import annotations

import os
import urllib.request
import uuid
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
import yaml

from anabranch.cloud import Cloud
from anabranch.errors import Conflict, NotFound
from anabranch.models import InstanceSpec
from anabranch_openstack import driver

from .pages import everything

CLOUDS_FILE = Path(os.environ.get("OSLAB_STATE", "/var/tmp/oslab")) / "clouds.yaml"


def reason_to_skip() -> str:
    if not CLOUDS_FILE.is_file():
        return f"no OpenStack is up: there is no {CLOUDS_FILE}"
    url = yaml.safe_load(CLOUDS_FILE.read_text())["clouds"]["oslab"]["auth"]["auth_url"]
    try:
        with urllib.request.urlopen(url, timeout=5):
            return ""
    except OSError as exc:
        return f"keystone at {url} does not answer: {exc}"


REASON = reason_to_skip()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.realcloud)
            item.add_marker(pytest.mark.timeout(180))
            if REASON:
                item.add_marker(pytest.mark.skip(reason=REASON))


class Lab:
    """The real cloud as the driver sees it, and what is to be taken away in the end.

    Attributes:
        cloud: The cloud.
        name: A name that nothing there has yet.
    """

    def __init__(self, cloud: Cloud[Any]) -> None:
        self.cloud = cloud
        self.name = f"anabranch-{uuid.uuid4().hex[:8]}"
        self._cleaning: list[tuple[Callable[..., Awaitable[None]], str]] = []

    def later(self, destroy: Callable[..., Awaitable[None]], ident: str) -> None:
        """Have a thing destroyed in the end, before those that were named earlier.

        A conflict is waited out: what is in use goes a little later than its user.
        """
        self._cleaning.append((destroy, ident))

    async def instance(self, **fields: Any) -> str:
        """Make an instance that runs, and return its id."""
        images = (await driver.list_images(self.cloud, None, {})).items
        profiles = (await driver.list_hardware_profiles(self.cloud, None)).items
        spec = InstanceSpec(
            image_id=next(i.id for i in images if i.name == "tiny-linux"),
            hardware_profile_id=next(p.id for p in profiles if p.name == "m1.nano"),
            name=self.name,
            **fields,
        )
        made = await driver.create_instance(self.cloud, spec)
        self.later(self._instance_gone, made.id)
        await eventually(lambda: self._is_running(made.id))
        return made.id

    async def sweep(self) -> None:
        """Have all destroyed that has the name, or one that begins so, though nobody said so."""
        kinds: list[tuple[str, tuple[Any, ...]]] = [
            *((kind, ()) for kind in ("network", "firewall", "network_interface")),
            *((kind, ()) for kind in ("storage_volume", "storage_snapshot")),
            *(("instance", ({},)), ("load_balancer", ()), ("bucket", ())),
        ]
        for kind, arguments in kinds:
            listing = getattr(driver, f"list_{kind}s")
            destroy = (
                self._instance_gone if kind == "instance" else getattr(driver, f"destroy_{kind}")
            )
            for found in await everything(listing, self.cloud, *arguments):
                if found.name.startswith(self.name):
                    self.later(destroy, found.id)

    async def clean(self) -> None:
        """Destroy all that is to be, also when cancelled, and tell then what stayed."""
        stayed: list[str] = []
        for destroy, ident in reversed(self._cleaning):
            with anyio.CancelScope(shield=True):
                try:
                    await self._gone(destroy, ident)
                except Exception as exc:
                    stayed.append(f"{ident}: {exc!r}")
        assert not stayed

    async def _gone(self, destroy: Callable[..., Awaitable[None]], ident: str) -> None:
        with anyio.fail_after(60):
            while True:
                try:
                    return await destroy(self.cloud, ident)
                except NotFound:
                    return None
                except Conflict:
                    await anyio.sleep(0.2)

    async def _is_running(self, ident: str) -> bool:
        return (await driver.get_instance(self.cloud, ident)).state == "RUNNING"

    async def _instance_gone(self, cloud: Cloud[Any], ident: str) -> None:
        async def gone() -> bool:
            return ident not in {i.id for i in (await driver.list_instances(cloud, None, {})).items}

        await driver.destroy_instance(cloud, ident)
        await eventually(gone)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    with anyio.fail_after(60):
        while True:
            if await holds():
                return
            await anyio.sleep(0.2)


@pytest.fixture
def lab():
    @asynccontextmanager
    async def opened(name: str = "oslab", **settings: Any):
        entry = {"driver": "openstack", "clouds_file": str(CLOUDS_FILE), "cloud": name, **settings}
        configured = await anyio.to_thread.run_sync(driver.configure, name, entry, {})
        found = Lab(Cloud(name, configured))
        try:
            yield found
        except BaseException:
            with anyio.move_on_after(60, shield=True):
                await found.sweep()
            raise
        finally:
            await found.clean()
            await found.cloud.aclose()

    return opened


@pytest.fixture
def sdk():
    """Calls a function with a connection of openstacksdk, in a thread."""

    def call(function: Callable[[Any], Any]) -> Any:
        import openstack.config

        config = openstack.config.OpenStackConfig(
            config_files=[str(CLOUDS_FILE)], load_envvars=False
        )
        with openstack.connection.Connection(config=config.get_one("oslab")) as connection:
            return function(connection)

    async def asked(function: Callable[[Any], Any]) -> Any:
        return await anyio.to_thread.run_sync(call, function)

    return asked
