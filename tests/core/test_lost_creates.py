"""A create whose answer was lost is looked for, told about, and never sent again."""

import pytest

from anabranch import (
    Broker,
    Configuration,
    Feature,
    InstanceState,
    OutcomeUnknown,
    PluginRegistry,
)
from anabranch.cloud import Cloud
from anabranch.features import offers
from anabranch.hooks import DriverSpec, hookimpl
from anabranch.models import Instance, InstanceSpec, Key, KeySpec, Network, NetworkSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings


class Losing(DriverSpec[CloudSettings]):
    """Makes what it is asked for, and says nothing of it."""

    title = "Losing"
    settings_type = CloudSettings

    def __init__(self):
        self.keys, self.instances, self.creates = [], [], 0
        self.makes = True

    @hookimpl
    async def list_keys(self, cloud: Cloud[CloudSettings], cursor: str | None) -> Page[Key]:
        return Page(self.keys)

    @hookimpl
    async def create_key(self, cloud: Cloud[CloudSettings], spec: KeySpec) -> Key:
        self.creates += 1
        if self.makes:
            self.keys.append(Key(cloud=cloud.name, id=str(len(self.keys)), name=spec.name))
        raise OutcomeUnknown("lost")

    @hookimpl
    async def create_network(self, cloud: Cloud[CloudSettings], spec: NetworkSpec) -> Network:
        self.creates += 1
        raise OutcomeUnknown("lost")

    @hookimpl
    async def list_instances(self, cloud, cursor, where) -> Page[Instance]:
        return Page(self.instances)

    @hookimpl
    @offers(Feature.CLIENT_TOKEN)
    async def create_instances(
        self, cloud: Cloud[CloudSettings], spec: InstanceSpec, count: int
    ) -> list[Instance]:
        self.creates += 1
        for n in range(count if self.makes else count - 1):
            self.instances.append(
                Instance(
                    cloud=cloud.name,
                    id=str(n),
                    state=InstanceState.PENDING,
                    client_token=spec.client_token,
                )
            )
        raise OutcomeUnknown("lost")


@pytest.fixture
def losing():
    return Losing()


@pytest.fixture
async def broker(losing, monkeypatch):
    monkeypatch.setattr("anabranch.facade._base._LOOKS", (0.0, 0.01))
    registry = PluginRegistry(drivers={"losing": losing}, points=())
    clouds = {"lisbon": {"driver": "losing"}}
    async with Broker(Configuration(clouds=clouds), registry=registry) as made:
        yield made


async def test_what_has_the_name_is_told_but_not_taken_for_it(broker, losing):
    with pytest.raises(OutcomeUnknown) as caught:
        await broker.keys.create("lisbon", KeySpec(name="mine"))
    assert str(caught.value) == (
        "lisbon: create_key: lost; there is one of that name, maybe this: lisbon/0. "
        "Look for it before you try again: anabranch keys list --cloud lisbon"
    )
    assert losing.creates == 1


async def test_of_many_namesakes_some_are_told(broker, losing):
    losing.keys = [Key(cloud="lisbon", id=str(n), name="mine") for n in range(7)]
    losing.makes = False
    with pytest.raises(OutcomeUnknown, match=r"lisbon/0, .*lisbon/4 and 2 more"):
        await broker.keys.create("lisbon", KeySpec(name="mine"))


async def test_nothing_of_that_name_is_told_too(broker, losing):
    losing.makes = False
    with pytest.raises(OutcomeUnknown, match="lost; looked for it by its name, and found nothing"):
        await broker.keys.create("lisbon", KeySpec(name="mine"))


async def test_what_cannot_be_listed_cannot_be_looked_for(broker, losing):
    with pytest.raises(OutcomeUnknown, match="lost; it could not be looked for either"):
        await broker.networks.create("lisbon", NetworkSpec(name="net"))
    with pytest.raises(OutcomeUnknown, match=r"lost\. Look for it before you try again"):
        await broker.networks.create("lisbon", NetworkSpec())
    assert losing.creates == 2


async def test_several_instances_are_found_by_the_token_that_they_share(broker, losing):
    made = await broker.instances.create_many("lisbon", InstanceSpec(image_id="1"), 3)
    assert [instance.id for instance in made] == ["0", "1", "2"]
    assert losing.creates == 1


async def test_and_if_some_are_missing_those_that_are_there_are_told(broker, losing):
    losing.makes = False
    with pytest.raises(OutcomeUnknown, match="found 2 of 3 by their token: lisbon/0, lisbon/1"):
        await broker.instances.create_many("lisbon", InstanceSpec(image_id="1"), 3)
    assert losing.creates == 1
