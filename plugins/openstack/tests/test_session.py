import logging

import anyio
import pytest

from anabranch.cloud import Cloud
from anabranch.errors import (
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    OperationNotSupported,
    ProtocolError,
)
from anabranch.features import Feature
from anabranch.hooks import PROJECT
from anabranch.testing.simulation import Behaviour, serve
from anabranch_openstack import driver
from anabranch_openstack.client import segment, session
from anabranch_openstack.simulator import simulator


async def instances(cloud):
    found, cursor = [], None
    while True:
        page = await driver.list_instances(cloud, cursor, {})
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


async def test_a_listing_is_one_login_and_one_request(served):
    async with served(instances=25) as (simulated, cloud, _):
        assert len(await instances(cloud)) == 25
        assert simulated.requests.total == 2
        assert len(await instances(cloud)) == 25
        assert simulated.requests.total == 3


async def test_pages_follow_one_another(served):
    async with served(instances=25, entry={"page_size": 10}) as (simulated, cloud, _):
        found = await instances(cloud)
        assert len({i.id for i in found}) == 25
        assert simulated.requests.count("/servers/detail") == 3


async def test_the_page_size_of_the_service_counts(served):
    async with served(instances=25, behaviour=Behaviour(page_size=7)) as (simulated, cloud, _):
        assert len(await instances(cloud)) == 25
        assert simulated.requests.count("/servers/detail") == 4


async def test_a_listing_goes_on_although_its_marker_is_gone(served):
    async with served(instances=10, entry={"page_size": 4}) as (_, cloud, _url):
        first = await driver.list_instances(cloud, None, {})
        everything = {i.id for i in await instances(cloud)}
        await driver.destroy_instance(cloud, first.items[-1].id)
        rest, cursor = [], first.cursor
        while cursor:
            page = await driver.list_instances(cloud, cursor, {})
            rest += page.items
            cursor = page.cursor
        assert {i.id for i in [*first.items, *rest]} == everything
        assert len(rest) == 6


async def test_odd_servers_spoil_no_listing(served):
    async with served(instances=3, odd=True) as (_, cloud, _url):
        page = await driver.list_instances(cloud, None, {})
        assert len(page.items) > 10
        assert all(i.id for i in page.items)


async def test_twenty_refused_tokens_cause_one_login(served):
    async with served(instances=3) as (simulated, cloud, _):
        await instances(cloud)
        assert simulated.logins == 1
        simulated.state.identity.revoke_all()
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(instances, cloud)
        assert simulated.logins == 2


async def test_twenty_tasks_share_the_first_login(served):
    async with served(instances=3) as (simulated, cloud, _):
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(instances, cloud)
        assert simulated.logins == 1


async def test_a_second_refusal_is_final(served):
    async with served(instances=3) as (simulated, cloud, _):
        simulated.behaviour.break_with(["401:/servers"])
        with pytest.raises(AuthenticationError):
            await instances(cloud)
        assert simulated.logins == 2


async def test_a_token_is_renewed_before_it_expires(served):
    async with served(instances=1, token_ttl=0.4) as (simulated, cloud, _):
        await instances(cloud)
        await anyio.sleep(0.35)
        await instances(cloud)
        assert simulated.logins == 2


@pytest.mark.parametrize(
    ("change", "kind"),
    [({"password": "n0t-this"}, AuthenticationError), ({"project_name": "x"}, AuthenticationError)],
)
async def test_wrong_credentials(served, change, kind, caplog):
    caplog.set_level(logging.DEBUG, "anabranch")
    async with served(instances=1) as lisbon:
        auth = {**lisbon.simulated.settings(lisbon.url)["auth"], **change}
        cloud = lisbon.again(auth=auth)
        with pytest.raises(kind, match="Check user, password, project") as caught:
            await driver.check(cloud)
        assert lisbon.simulated.logins == 0
        shown = str(caught.value) + repr(caught.value) + caplog.text + repr(cloud)
        assert auth["password"] not in shown
        await cloud.aclose()


async def test_no_project_is_the_users_default_one(served):
    async with served(instances=1) as lisbon:
        auth = {**lisbon.simulated.settings(lisbon.url)["auth"], "project_name": None}
        cloud = lisbon.again(auth=auth)
        assert (await driver.check(cloud)).account == "demo (project demo)"
        await cloud.aclose()


async def test_no_project_at_all_is_told_with_those_there_are(served):
    async with served(instances=1) as lisbon:
        for user in lisbon.simulated.state.identity.users.values():
            user.default_project = None
        auth = {**lisbon.simulated.settings(lisbon.url)["auth"], "project_name": None}
        cloud = lisbon.again(auth=auth)
        with pytest.raises(InvalidRequest, match=r"Set auth.project_name, to one of: demo, tiny"):
            await driver.check(cloud)
        await cloud.aclose()


async def test_an_application_credential(served):
    async with served(instances=2) as lisbon:
        entry = lisbon.simulated.settings(lisbon.url, auth="application_credential")
        cloud = Cloud("lisbon", driver.configure("lisbon", entry, {}))
        assert len(await instances(cloud)) == 2
        assert (await driver.check(cloud)).account == "demo (project demo)"
        await cloud.aclose()


async def test_a_token_is_rescoped(served):
    async with served(instances=2) as lisbon:
        token = await session(lisbon.cloud).token()
        auth = {
            "auth_url": lisbon.simulated.settings(lisbon.url)["auth"]["auth_url"],
            "token": token.value.get_secret_value(),
            "project_name": "demo",
        }
        cloud = lisbon.again(auth=auth, auth_type="token")
        assert len(await instances(cloud)) == 2
        assert token.value.get_secret_value() not in repr(token)
        await cloud.aclose()


async def test_several_regions_demand_a_choice(served):
    async with served(instances=1) as lisbon:
        cloud = lisbon.again(region_name=None)
        with pytest.raises(InvalidRequest, match="several regions: RegionOne, RegionTwo"):
            await driver.list_instances(cloud, None, {})
        await cloud.aclose()
        two = lisbon.again(region_name="RegionTwo")
        assert await instances(two) == []
        (realm, *_) = (await driver.list_realms(two, None)).items
        assert realm.region == "RegionTwo"
        await two.aclose()


# httpx leaves the generator of a body that it could not send to the garbage collector of trio.
@pytest.mark.filterwarnings("ignore:.*ByteStream:pytest.PytestUnraisableExceptionWarning")
async def test_a_service_that_lets_nobody_in_while_keystone_is_down(served):
    """Glance answers 401 then: that is no matter of the credentials."""
    async with served(instances=1) as (simulated, cloud, _):
        await driver.list_images(cloud, None, {})
        simulated.behaviour.break_with(["401:/images", "reset:/auth/tokens"])
        with pytest.raises(CloudUnavailable):
            await driver.list_images(cloud, None, {})


async def test_nobody_listens():
    simulated = simulator.cloud("lisbon", instances=1)
    with serve([simulated], refuse=["lisbon"]) as urls:
        settings = driver.configure("lisbon", simulated.settings(urls["lisbon"]), {})
        cloud = Cloud("lisbon", settings)
        with pytest.raises(CloudUnavailable, match="no connection to"):
            await driver.check(cloud)
        await cloud.aclose()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("503:/servers", CloudUnavailable),
        ("reset:/servers", CloudUnavailable),
        ("hang:/servers", DeadlineExceeded),
        ("garbage:/servers", ProtocolError),
        ("garbage:/auth/tokens", ProtocolError),
        ("503:/auth/tokens", CloudUnavailable),
    ],
)
async def test_faults(served, fault, kind):
    entry = {"retries": 0, "request_timeout": 0.5}
    async with served(instances=1, entry=entry) as (simulated, cloud, _):
        simulated.behaviour.break_with([fault])
        with pytest.raises(kind) as caught:
            await instances(cloud)
        assert isinstance(caught.value, CloudError)


async def test_something_else_than_keystone(served):
    async with served(instances=1) as lisbon:
        auth = {**lisbon.simulated.settings(lisbon.url)["auth"], "auth_url": f"{lisbon.url}/none"}
        cloud = lisbon.again(auth=auth)
        with pytest.raises(ProtocolError, match=r"no keystone v3 answers at .*/none/v3"):
            await driver.check(cloud)
        await cloud.aclose()


async def test_microversions_are_asked_for_once(served):
    async with served(instances=1) as (simulated, cloud, _):
        nova = session(cloud)
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(nova.microversion, (2, 61), (2, 1))
        assert await nova.microversion((2, 61), (2, 1)) == (2, 61)
        assert await nova.microversion((2, 9999), (2, 1)) == (2, 100)
        assert simulated.requests.total == 2
        with pytest.raises(OperationNotSupported, match=r"speaks 2\.1 to 2\.100, and this needs"):
            await nova.microversion((2, 104), (2, 101))


async def test_a_cloud_that_speaks_old_microversions_only(served):
    async with served(instances=1, max_microversion=10) as (_, cloud, _url):
        assert (await driver.list_hardware_profiles(cloud, None)).items
        with pytest.raises(OperationNotSupported, match=r"this needs 2\.37"):
            await session(cloud).microversion((2, 37), (2, 37))


async def test_check(served):
    async with served(instances=1) as lisbon:
        found = await driver.check(lisbon.cloud)
        assert found.account == "demo (project demo)"
        assert found.endpoint == f"{lisbon.url}/identity/v3"
        assert found.version == "compute 2.100"


async def test_probe_finds_nothing_lacking_where_all_is_there(served):
    async with served(instances=1) as (_, cloud, _url):
        lacks = await driver.probe(cloud)
        assert not lacks.operations
        assert not lacks.features


SERVICES = (
    *("compute", "image", "network", "block-storage", "volumev3", "load-balancer"),
    *("object-store", "metric"),
)


async def test_probe_knows_what_every_operation_needs(served):
    """Of a cloud that has keystone alone nothing is offered but to ask for its quotas."""
    async with served(instances=1, without=SERVICES) as (_, cloud, _url):
        lacks = await driver.probe(cloud)
        claimed = {
            name
            for name in dir(driver)
            if hasattr(getattr(driver, name), f"{PROJECT}_impl")
            and name not in ("discover", "check", "probe", "list_quotas")
        }
        assert set(lacks.operations) == claimed
        assert (await driver.list_quotas(cloud, None)).items == []


async def test_probe_tells_what_the_catalog_lacks(served):
    async with served(instances=1, without=["image", "network"]) as (_, cloud, _url):
        lacks = await driver.probe(cloud)
        assert "list_images" in lacks.operations
        assert "list_instances" not in lacks.operations
        assert ("create_instance", Feature.FIREWALLS) in lacks.features


async def test_secrets_are_in_no_log(served, caplog):
    caplog.set_level(logging.DEBUG, "anabranch")
    async with served(instances=1, entry={"retries": 1}) as (simulated, cloud, url):
        simulated.behaviour.break_with(["503x1:/auth/tokens"])
        await instances(cloud)
        token = await session(cloud).token()
        assert "openstack.login" in caplog.text
        assert token.value.get_secret_value() not in caplog.text
        assert simulated.settings(url)["auth"]["password"] not in caplog.text


@pytest.mark.parametrize("ident", ["", ".", "..", "\ud800"])
def test_no_id_leads_above_its_collection(ident):
    with pytest.raises(NotFound):
        segment(ident)


def test_an_id_is_one_segment_whatever_is_in_it():
    assert segment("../v3/users?a#b") == "..%2Fv3%2Fusers%3Fa%23b"
