"""Lists: the names in one request, the details at once, and what goes wrong with some of them."""

import anyio
import pytest

from anabranch import Broker, Configuration, Ops, PluginRegistry
from anabranch.errors import AuthenticationError, CloudUnavailable, NotFound, ProtocolError
from anabranch.models import LoadBalancerSpec
from anabranch.testing.simulation import Behaviour
from anabranch_paci import driver
from anabranch_paci.convert import LISTENERS


async def pages(cloud, operation="list_instances", **arguments):
    if operation == "list_instances":
        arguments.setdefault("where", {})
    found, cursor = [], None
    while True:
        page = await getattr(driver, operation)(cloud, cursor, **arguments)
        found.append(page)
        cursor = page.cursor
        if cursor is None:
            return found


def every(found):
    return [item for page in found for item in page.items]


async def test_a_list_costs_one_request_and_one_for_each_name(served):
    async with served(instances=20) as (simulated, cloud, _):
        (page,) = await pages(cloud)
        assert simulated.requests.total == 21
        assert simulated.requests.count() - simulated.requests.count("/ve/") == 1
        assert [i.id for i in page.items] == sorted(simulated.state.ves)
        assert not page.problems


@pytest.mark.parametrize("count", [10, 16])
async def test_a_list_takes_two_round_trips(served, count):
    async with served(instances=count) as (simulated, cloud, counting):
        counting.hold("/ve/", count)
        with anyio.fail_after(5):
            (page,) = await pages(cloud)
        assert len(page.items) == count
        assert simulated.requests.total == 1 + count


async def test_so_does_one_of_load_balancers(served):
    async with served(instances=1) as (simulated, cloud, counting):
        for number in range(10):
            spec = LoadBalancerSpec(name=f"lb{number}", listeners=LISTENERS)
            await driver.create_load_balancer(cloud, spec)
        before = simulated.requests.total
        counting.hold("/load-balancer/", 10)
        with anyio.fail_after(5):
            (page,) = await pages(cloud, "list_load_balancers")
        assert [lb.id for lb in page.items] == [f"lb{number}" for number in range(10)]
        assert simulated.requests.total - before == 1 + 10


async def test_sixteen_details_are_asked_for_at_once_and_never_more(served):
    slow = Behaviour(latency=0.1)
    async with served(instances=40, behaviour=slow, entry={"max_connections": 64}) as (
        _,
        cloud,
        counting,
    ):
        await pages(cloud)
        assert counting.peak == 16


async def test_not_even_by_several_lists_at_once(served):
    slow = Behaviour(latency=0.1)
    async with served(instances=24, behaviour=slow, entry={"max_connections": 64}) as (
        _,
        cloud,
        counting,
    ):
        await driver.get_realm(cloud, "1000077")
        async with anyio.create_task_group() as group:
            for operation in ("list_firewalls", "list_storage_snapshots", "list_instances"):
                group.start_soon(pages, cloud, operation)
        # Three lists of names, or sixteen details, or some of both.
        assert 16 <= counting.peak <= 16 + 3


async def test_fewer_at_once_if_so_set(served):
    entry = {"detail_concurrency": 2}
    async with served(instances=10, entry=entry, behaviour=Behaviour(latency=0.02)) as (
        _,
        cloud,
        counting,
    ):
        await pages(cloud)
        assert counting.peak == 2


async def test_pages_do_not_ask_for_the_list_again(served):
    async with served(instances=25, entry={"page_size": 10}) as (simulated, cloud, _):
        found = await pages(cloud)
        assert [len(page.items) for page in found] == [10, 10, 5]
        assert len({i.id for i in every(found)}) == 25
        assert simulated.requests.total == 26


async def test_lists_at_the_same_time_do_not_mix(served):
    async with served(instances=15, entry={"page_size": 4}) as (simulated, cloud, _):
        async with anyio.create_task_group() as group:
            found: list[list[str]] = []

            async def walk():
                found.append([i.id for i in every(await pages(cloud))])

            for _ in range(5):
                group.start_soon(walk)
        assert found == [sorted(simulated.state.ves)] * 5
        assert simulated.requests.total == 5 * 16


async def test_a_cursor_that_is_remembered_no_more_goes_on_behind_its_name(served):
    async with served(instances=12, entry={"page_size": 5}) as (simulated, cloud, _):
        first = await driver.list_instances(cloud, None, {})
        for _ in range(16):
            await driver.list_instances(cloud, None, {})
        simulated.requests.reset()
        second = await driver.list_instances(cloud, first.cursor, {})
        assert [i.id for i in (*first.items, *second.items)] == sorted(simulated.state.ves)[:10]
        assert simulated.requests.total == 6
        again = await driver.list_instances(cloud, first.cursor, {})
        assert [i.id for i in again.items] == [i.id for i in second.items]


async def test_what_vanishes_after_the_list_is_left_out(served):
    async with served(instances=3, odd=["vanishing"]) as (_, cloud, _counting):
        (page,) = await pages(cloud)
        assert len(page.items) == 3
        assert not page.problems


async def test_a_detail_that_fails_makes_its_item_partial_and_no_more(served):
    async with served(instances=10, entry={"retries": 0}) as (simulated, cloud, _):
        simulated.state.ves["lisbon-0003"].description = "front [anabranch tok;team=a]"
        simulated.behaviour.break_with(["503:/ve/lisbon-0003", "garbage:/ve/lisbon-0005"])
        (page,) = await pages(cloud)
        assert [i.id for i in page.items] == sorted(simulated.state.ves)
        assert [p.id for p in page.problems] == ["lisbon-0003", "lisbon-0005"]
        assert "503" in page.problems[0].message
        odd = page.items[2]
        assert (odd.state, odd.platform_state, odd.realm_id) == ("RUNNING", "STARTED", "1000077")
        assert (odd.client_token, odd.tags, odd.hardware) == ("tok", {"team": "a"}, None)
        assert page.items[0].hardware


@pytest.mark.parametrize("kind", ["503", "garbage", "reset"])
async def test_the_only_server_fails_and_the_list_does_not(served, kind):
    async with served(instances=1, entry={"retries": 0}) as (simulated, cloud, _):
        simulated.behaviour.break_with([f"{kind}:/ve/"])
        (page,) = await pages(cloud)
        assert [i.id for i in page.items] == ["lisbon-0001"]
        assert len(page.problems) == 1


async def test_a_cloud_that_dies_in_the_middle_fails_the_list_once(served):
    async with served(instances=60, entry={"retries": 0}) as (simulated, cloud, _):
        simulated.behaviour.break_with(["reset:/ve/"])
        with pytest.raises(CloudUnavailable):
            await driver.list_instances(cloud, None, {})
        # Sixteen at once, and one more for each of the seven that fail before the eighth does.
        assert simulated.requests.count("/ve/") <= 16 + 7


async def test_many_errors_that_are_no_death(served):
    async with served(instances=20, entry={"retries": 0}) as (simulated, cloud, _):
        simulated.behaviour.break_with(["garbage:/ve/"])
        (page,) = await pages(cloud)
        assert len(page.items) == len(page.problems) == 20


async def test_credentials_that_are_refused_in_the_middle_fail_the_list_once(served):
    async with served(instances=60) as (simulated, cloud, _):
        simulated.behaviour.break_with(["401:/ve/"])
        with pytest.raises(AuthenticationError):
            await driver.list_instances(cloud, None, {})
        assert simulated.requests.count("/ve/") <= 16


async def test_a_list_that_is_none(served):
    async with served(instances=1) as (simulated, cloud, _):
        simulated.behaviour.break_with(["garbage"])
        with pytest.raises(ProtocolError):
            await driver.list_instances(cloud, None, {})


async def test_an_endpoint_that_is_another_one(scripted):
    async with scripted({"GET /ve": (404, "<html>Not Found</html>")}) as (_, cloud):
        with pytest.raises(NotFound, match="no /ve") as raised:
            await driver.check(cloud)
        assert cloud.settings.endpoint in raised.value.remedy


async def test_odd_servers_spoil_no_list(served):
    async with served(instances=3, odd=True) as (simulated, cloud, _):
        (page,) = await pages(cloud)
        names = {ve.name for ve in simulated.state.ves.values()}
        gone = {"odd-vanishing", "odd-nameless"}
        assert {i.id for i in page.items} == names - gone
        assert [p.message for p in page.problems] == ["a <ve-info> without a name"]
        for item in page.items:
            assert (await driver.get_instance(cloud, item.id)).id == item.id


@pytest.mark.parametrize("name", [".", ".."])
async def test_a_name_that_no_url_can_hold(scripted, name):
    answers = {"GET /ve": f'<ve-list><ve-info name="{name}" state="STARTED"/></ve-list>'}
    async with scripted(answers) as (server, cloud):
        page = await driver.list_instances(cloud, None, {})
        assert [(i.id, i.state) for i in page.items] == [(name, "RUNNING")]
        assert "nothing can be addressed" in page.problems[0].message
        assert len(server.sent) == 1


async def test_an_empty_list(scripted):
    async with scripted({"GET /ve": "<ve-list/>"}) as (_, cloud):
        page = await driver.list_instances(cloud, None, {})
        assert (page.items, page.cursor, list(page.problems)) == ([], None, [])


async def test_one_subscription(served):
    async with served(instances=9, subscriptions=2) as (simulated, cloud, _):
        (page,) = await pages(cloud, where={"realm_id": "1000078"})
        assert {i.realm_id for i in page.items} == {"1000078"}
        assert len(page.items) == 4
        assert simulated.requests.total == 5


async def test_the_configured_subscription(served):
    entry = {"subscription": "1000077"}
    async with served(instances=9, subscriptions=2, entry=entry) as (_, cloud, _counting):
        assert len(every(await pages(cloud))) == 5
        assert len(every(await pages(cloud, "list_firewalls"))) == 5
        assert [r.id for r in (await driver.list_realms(cloud, None)).items] == ["1000077"]


async def test_the_deadline_keeps_the_pages_that_arrived(served):
    async with served(instances=30, behaviour=Behaviour(latency=0.001)) as (simulated, cloud, _):
        entry = {
            "driver": "paci",
            "endpoint": cloud.settings.endpoint,
            "username": cloud.settings.username,
            "password": cloud.settings.password.get_secret_value(),
            "page_size": 10,
            "timeout": 1.0,
        }
        simulated.behaviour.break_with(["hang:/ve/lisbon-0025"])
        registry = PluginRegistry(drivers={"paci": driver}, points=())
        async with Broker(Configuration(clouds={"lisbon": entry}), registry=registry) as broker:
            answer = await broker.list_all(Ops.list_instances)
        report = answer.cloud("lisbon")
        assert (report.status, report.count) == ("partial", 20)
