"""Lists of machines: pages, what they cost, odd ones."""

import pytest

from anabranch.errors import (
    NotFound,
)
from anabranch.testing.simulation import Behaviour
from anabranch_cloudstack import driver

NOBODY = "00000000-0000-0000-0000-000000000000"


async def test_a_list_costs_one_request_and_nothing_per_machine(served):
    async with served(instances=40) as world:
        with world.costs("listVirtualMachines"):
            page = await driver.list_instances(world.cloud, None, {})
        assert len(page.items) == 40
        assert page.cursor is None
        assert not page.problems
        running = [i for i in page.items if i.state == "RUNNING"]
        assert all(i.private_addresses and i.hardware_profile_id for i in running)
        assert all(i.image_id and i.realm_id and i.created_at for i in page.items)


async def test_pages(served):
    async with served({"page_size": 7}, instances=20) as world:
        ids, cursor = [], None
        with world.costs(*["listVirtualMachines"] * 3):
            for _ in range(3):
                page = await driver.list_instances(world.cloud, cursor, {})
                ids += [item.id for item in page.items]
                cursor = page.cursor
        assert cursor is None
        assert len(ids) == len(set(ids)) == 20


async def test_a_smaller_limit_of_the_cloud_is_learnt_once(served):
    async with served(instances=20, behaviour=Behaviour(page_size=8)) as world:
        ids, cursor = [], None
        with world.costs(*["listVirtualMachines"] * 4):  # the first is refused
            for _ in range(3):
                page = await driver.list_instances(world.cloud, cursor, {})
                ids += [item.id for item in page.items]
                cursor = page.cursor
        assert cursor is None
        assert len(ids) == len(set(ids)) == 20
        with world.costs("listVirtualMachines"):
            await driver.list_instances(world.cloud, None, {})


@pytest.mark.parametrize("gone", [1, 3, 5, 12, 18])
async def test_what_is_destroyed_between_two_pages_hides_nothing_else(served, gone):
    async with served({"page_size": 4}, instances=20) as world:

        async def listed(cursor, pages):
            ids = []
            for _ in range(pages):
                page = await driver.list_instances(world.cloud, cursor, {})
                ids += [item.id for item in page.items]
                cursor = page.cursor
                if cursor is None:
                    break
            return ids, cursor

        all_of_them, _ = await listed(None, 5)
        first, cursor = await listed(None, 2)
        for one in all_of_them[:gone]:
            await driver.destroy_instance(world.cloud, one)
        then, cursor = await listed(cursor, 10)
        assert cursor is None
        assert set(all_of_them[gone:]) <= {*first, *then}


async def test_a_limit_that_falls_in_the_middle_of_a_list_loses_nothing(served):
    async with served({"page_size": 10}, instances=20) as world:
        first_page = await driver.list_instances(world.cloud, None, {})
        world.simulated.behaviour = Behaviour(page_size=4)
        ids, cursor = [item.id for item in first_page.items], first_page.cursor
        while cursor is not None:
            page = await driver.list_instances(world.cloud, cursor, {})
            ids += [item.id for item in page.items]
            cursor = page.cursor
        assert len(set(ids)) == 20


async def test_machines_of_one_realm_are_picked_by_the_cloud(served):
    async with served(instances=20) as world:
        realms = (await driver.list_realms(world.cloud, None)).items
        zone = next(realm for realm in realms if realm.name == "basic-1")
        everything = (await driver.list_instances(world.cloud, None, {})).items
        with world.costs("listVirtualMachines"):
            page = await driver.list_instances(world.cloud, None, {"realm_id": zone.id})
        assert {i.id for i in page.items} == {i.id for i in everything if i.realm_id == zone.id}
        assert page.items


async def test_odd_machines_list_and_the_unreadable_one_is_told(served):
    async with served(instances=2, odd=True) as world:
        page = await driver.list_instances(world.cloud, None, {})
        by_state = {i.platform_state: i for i in page.items}
        assert by_state["Transmogrifying"].state == "UNKNOWN"
        assert by_state["Migrating"].busy
        names = {i.name for i in page.items}
        for name in ("<script>alert(1)</script>", "machine 🚀 ☃ é中文", "n" * 255):
            assert name in names
        assert len(page.items) == len(world.simulated.machines) - 1
        assert any("machine" in p.message for p in page.problems)


async def test_a_machine_without_an_id_has_no_metrics(served):
    async with served(instances=1, odd=["no-id"]) as world:
        page = await driver.list_metrics(world.cloud, None)

    assert len(page.items) == 1
    assert [problem.id for problem in page.problems] == ["odd-no-id"]


async def test_one_that_is_not_there(served):
    async with served(instances=1) as world:
        for absent in (NOBODY, "no such id", "x' or 1=1"):
            with pytest.raises(NotFound):
                await driver.get_instance(world.cloud, absent)
