"""A third party's driver, as the type checkers see it. Checked by `make lint`, never run.

What must be an error is marked as ignored for that reason; both checkers report an ignore that
ignores nothing, so a contract that no longer notices the mistake fails the check.
"""

from collections.abc import Mapping
from typing import assert_type

from anabranch.cloud import Cloud, Response
from anabranch.features import Feature, offers
from anabranch.hooks import DriverSpec, hookimpl
from anabranch.models import Instance, InstanceSpec, Realm
from anabranch.paging import Page
from anabranch.settings import CloudSettings
from anabranch.states import InstanceState


class Settings(CloudSettings, frozen=True, kw_only=True):
    """Settings of an account."""

    zone: str = "north"


class Driver(DriverSpec[Settings]):
    """Offers two operations, one of them with a feature."""

    title = "Typed"
    settings_type = Settings

    @hookimpl
    async def list_instances(
        self, cloud: Cloud[Settings], cursor: str | None, where: Mapping[str, str]
    ) -> Page[Instance]:
        assert_type(cloud.settings, Settings)
        assert_type(cloud.settings.zone, str)
        reply = await cloud.http.request("GET", "/instances")
        assert_type(reply, Response)
        return Page(
            [Instance(cloud=cloud.name, id="1", state=InstanceState.RUNNING)], cursor=cursor
        )

    @hookimpl
    @offers(Feature.USER_NAME)
    async def create_instance(self, cloud: Cloud[Settings], spec: InstanceSpec) -> Instance:
        return Instance(cloud=cloud.name, id=cloud.settings.zone, state=InstanceState.RUNNING)


class WrongResult(DriverSpec[Settings]):
    """Its list is one of other things."""

    @hookimpl
    async def list_instances(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, cloud: Cloud[Settings], cursor: str | None, where: Mapping[str, str]
    ) -> Page[Realm]:
        return Page([])


class WrongParameter(DriverSpec[Settings]):
    """Its parameter has another name than the broker calls it by; only pyright sees that."""

    @hookimpl
    async def get_instance(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, cloud: Cloud[Settings], server_id: str
    ) -> Instance:
        return Instance(cloud=cloud.name, id=server_id, state=InstanceState.RUNNING)


async def what_hooks_return(driver: Driver, cloud: Cloud[Settings]) -> None:
    """The marker leaves the signatures as they are."""
    page = await driver.list_instances(cloud, None, {})
    assert_type(page, Page[Instance])
    assert_type(page.items[0].name, str)
    assert_type(await driver.create_instance(cloud, InstanceSpec(image_id="1")), Instance)
    assert_type(driver.configure("lisbon", {"driver": "typed"}, {}), Settings)
