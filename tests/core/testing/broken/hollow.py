"""Drivers and simulators that leave a check nothing to check."""

from __future__ import annotations

from anabranch.errors import NotFound
from anabranch.hooks import DriverSpec, hookimpl
from anabranch.models import Realm
from anabranch.paging import Page
from anabranch.settings import CloudSettings
from anabranch.states import StateMachine
from anabranch.testing.simulation import Behaviour

from .acme import AcmeDriver
from .acme.settings import AcmeSettings
from .acme.simulator import AcmeCloud


class OffersNothing(DriverSpec[AcmeSettings]):
    """Every hook that it has works."""

    title = "Nothing"
    settings_type = AcmeSettings
    instance_states = StateMachine()


class AsksNobody(DriverSpec[CloudSettings]):
    """Knows all that there is by itself."""

    title = "Nobody"
    settings_type = CloudSettings
    instance_states = StateMachine()

    @hookimpl
    async def list_realms(self, cloud, cursor):
        return Page([Realm(cloud=cloud.name, id="here")])


class OnePage(AcmeCloud):
    """Has no pages, whatever it is told."""

    @property
    def behaviour(self) -> Behaviour:
        return Behaviour(faults=self.told.faults, unknown_fields=self.told.unknown_fields)

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self.told = behaviour


class Flawless(AcmeCloud):
    """Never fails."""

    @property
    def behaviour(self) -> Behaviour:
        return Behaviour(page_size=self.told.page_size)

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self.told = behaviour


class Finished(Flawless):
    """Is never developed any further."""


class Dull(AcmeCloud):
    """Has nothing odd."""

    def __init__(self, name, instances, behaviour, odd) -> None:
        super().__init__(name, instances, behaviour, odd=False)


class TypesOnlyLists(AcmeDriver):
    """Tells of what is not there by the right class when it lists, and nowhere else."""

    class client_type(AcmeDriver.client_type):
        async def one(self, *args, **kwargs):
            try:
                return await super().one(*args, **kwargs)
            except NotFound as exc:
                raise LookupError(exc.message) from exc
