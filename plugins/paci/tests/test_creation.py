"""Instances: made, started, and found again when the answer was lost."""

import anyio
import pytest

from anabranch import Broker, Configuration, PluginRegistry
from anabranch.errors import (
    Conflict,
    InvalidRequest,
    OutcomeUnknown,
    QuotaExceeded,
)
from anabranch.models import Hardware, InstanceSpec
from anabranch.redaction import SecretStr
from anabranch.testing.simulation import Behaviour
from anabranch_paci import driver
from anabranch_paci.markup import parse

TEMPLATE = "template:centos-6-x86_64"
IMAGE = "image:lisbon-golden"


def spec(**fields):
    return InstanceSpec(**{"image_id": TEMPLATE, "name": "web", **fields})


async def test_what_is_made_is_started(served):
    async with served(instances=1) as here:
        with here.costs(
            "GET /template/centos-6-x86_64", "POST /ve", "GET /ve/web", "PUT /start", "GET /ve/web"
        ):
            made = await driver.create_instance(
                here.cloud, spec(tags={"team": "a b"}, client_token="token-1")
            )
        assert (made.id, made.name, made.state) == ("web", "web", "RUNNING")
        assert (made.image_id, made.hardware_profile_id) == (TEMPLATE, "cpu1-mem512-disk10")
        assert (made.tags, made.client_token) == ({"team": "a b"}, "token-1")
        assert len(made.public_addresses) == 1
        ve = here.simulated.state.ves["web"]
        assert made.authentication.username == "root"
        assert made.authentication.password.get_secret_value() == ve.password
        assert ve.password not in repr(made)
        found = next(
            i for i in (await driver.list_instances(here.cloud, None, {})).items if i.id == "web"
        )
        assert (found.client_token, found.tags) == ("token-1", {"team": "a b"})
        assert found.authentication is None


async def test_what_is_asked_for_is_sent(served):
    entry = {
        "cpu_power": 2000,
        "bandwidth": 5000,
        "public_ipv4": 2,
        "public_ipv6": 1,
        "backup_schedule": "weekly",
    }
    async with served(instances=1, entry=entry) as (simulated, cloud, _):
        made = await driver.create_instance(
            cloud,
            spec(
                name="R&D/<1> 🚀",
                hardware_profile_id="cpu2-mem2048-disk100",
                hardware=Hardware(memory_mib=3000),
                password=SecretStr("<chosen&"),
                realm_id="1000077",
            ),
        )
        ve = simulated.state.ves["R&D/<1> 🚀"]
        assert (ve.cpu_number, ve.cpu_power, ve.ram, ve.disk.size) == (2, 2000, 3000, 100)
        assert (ve.bandwidth, len(ve.ipv4), len(ve.ipv6)) == (5000, 2, 1)
        assert (ve.schedule, ve.password, ve.login) == ("weekly", "<chosen&", "root")
        assert made.authentication.password.get_secret_value() == "<chosen&"
        assert made.hardware == Hardware(cpu=2, memory_mib=3000, storage_gb=100)
        assert made.hardware_profile_id is None


async def test_the_request_is_as_others_send_it(scripted, ve_document):
    answers = {
        "GET /template/t": '<template name="t" technology="CT" osType="linux-free"/>',
        "POST /ve": (202, "<pwd-response><message/><password>pw</password></pwd-response>"),
        "GET /ve/web": ve_document,
    }
    async with scripted(answers, subscription="7") as (server, cloud):
        await driver.create_instance(cloud, spec(image_id="template:t", client_token="tok"))
        (body,) = [parse(body) for method, _, body in server.sent if method == "POST"]
        assert [node.tag for node in body.children] == [
            "name",
            "description",
            "subscription-id",
            "cpu",
            "ram-size",
            "bandwidth",
            "no-of-public-ip",
            "no-of-public-ipv6",
            "ve-disk",
            "platform",
        ]
        assert body.value("subscription-id") == "7"
        assert body.value("description") == "[anabranch tok;]"


@pytest.mark.parametrize("shape", ["template", "template-list"])
async def test_both_shapes_of_a_template(served, shape):
    async with served(instances=1, template_shape=shape) as (simulated, cloud, _):
        await driver.create_instance(cloud, spec())
        assert simulated.state.ves["web"].template.name == "centos-6-x86_64"


async def test_a_server_without_a_name_gets_one(served):
    async with served(instances=1) as (simulated, cloud, _):
        one = await driver.create_instance(cloud, spec(name=None))
        two = await driver.create_instance(cloud, spec(name=None, client_token="0123456789abcdef"))
        assert all(made.id.startswith("anabranch-") for made in (one, two))
        assert {one.id, two.id} <= simulated.state.ves.keys()


async def test_it_is_waited_for_until_it_is_there(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.15)) as (simulated, cloud, _):
        made = await driver.create_instance(cloud, spec())
        assert (made.state, made.platform_state) == ("PENDING", "START_IN_PROGRESS")
        assert simulated.requests.count("/start") == 1


@pytest.mark.parametrize("wait", [0, 0.1])
async def test_what_is_not_there_in_time_is_told_and_not_started(served, wait):
    slow = Behaviour(state_delay=1000)
    async with served(instances=1, behaviour=slow, entry={"create_wait": wait}) as (
        simulated,
        cloud,
        _,
    ):
        made = await driver.create_instance(cloud, spec(tags={"a": "b"}))
        assert (made.id, made.state, made.busy) == ("web", "PENDING", True)
        assert made.platform_state == "CREATION_IN_PROGRESS"
        assert (made.image_id, made.tags) == (TEMPLATE, {"a": "b"})
        assert made.authentication.password
        assert simulated.requests.count("/start") == 0


async def test_the_password_is_told_before_the_caller_runs_out_of_time(served):
    slow = Behaviour(state_delay=1000)
    async with served(instances=1, behaviour=slow) as (_, cloud, _counting):
        with anyio.fail_after(1):
            made = await driver.create_instance(cloud, spec())
        assert made.authentication.password
        assert made.state == "PENDING"


async def test_the_password_is_told_when_the_start_hangs(served):
    async with served(instances=1) as (simulated, cloud, _):
        simulated.behaviour.break_with(["hang:PUT /ve/web/start"])
        with anyio.fail_after(1):
            made = await driver.create_instance(cloud, spec())
        assert made.authentication.password
        assert made.platform_state == "CREATED"


async def test_a_start_that_is_refused_leaves_it_stopped_and_says_so(served):
    async with served(instances=1, entry={"retries": 0}) as (simulated, cloud, _):
        simulated.behaviour.break_with(["503:PUT /ve/web/start"])
        made = await driver.create_instance(cloud, spec())
        assert (made.state, made.platform_state) == ("STOPPED", "CREATED")
        assert made.authentication.password


async def test_it_may_show_a_little_later(scripted, ve_document):
    answers = {
        "GET /template/t": '<template name="t" technology="CT" osType="linux-free"/>',
        "POST /ve": (202, "VE creation initiated"),
        "GET /ve/web": [(404, ""), (503, ""), ve_document],
    }
    async with scripted(answers) as (_, cloud):
        made = await driver.create_instance(cloud, spec(image_id="template:t"))
        assert made.state == "RUNNING"
        assert made.authentication.password is None


# ----------------------------------------------------------------------------------- of images


async def test_of_an_image(served):
    async with served(instances=1) as here:
        with here.costs(
            "POST /ve/web/from/lisbon-golden", "GET /ve/web", "PUT /start", "GET /ve/web"
        ):
            made = await driver.create_instance(here.cloud, spec(image_id=IMAGE))
        assert made.state == "RUNNING"
        assert made.authentication.password is None


@pytest.mark.parametrize("entry", [{}, {"subscription": "1000078"}])
async def test_of_an_image_for_a_subscription(served, entry):
    async with served(instances=1, subscriptions=2, entry=entry) as (simulated, cloud, _):
        realm = None if entry else "1000078"
        made = await driver.create_instance(cloud, spec(image_id=IMAGE, realm_id=realm))
        assert made.realm_id == "1000078"
        assert simulated.state.ves["web"].subscription_id == 1000078


_OF_TEMPLATES_ONLY = (
    {"hardware_profile_id": "cpu2-mem2048-disk100"},
    {"hardware": Hardware(cpu=2)},
    {"password": SecretStr("chosen")},
    {"tags": {"a": "b"}},
)


async def test_an_image_brings_everything_with_it(served):
    async with served(instances=1) as here:
        for fields in _OF_TEMPLATES_ONLY:
            with here.costs(), pytest.raises(InvalidRequest, match=next(iter(fields))):
                await driver.create_instance(here.cloud, spec(image_id=IMAGE, **fields))


# ------------------------------------------------------------------------------ what is refused


_REFUSED = (
    {"image_id": "template:none"},
    {"image_id": "image:none"},
    {"image_id": "centos-6-x86_64"},
    {"image_id": "other:centos-6-x86_64"},
    {"image_id": ""},
    {"hardware_profile_id": "none"},
    {"hardware": Hardware(cpu=64)},
    {"realm_id": "12"},
    {"name": ".."},
    {"name": "\x00"},
    {"tags": {"note": "x" * 300}},
    {"password": SecretStr("\x01")},
)


async def test_what_is_refused(served):
    async with served(instances=1) as (simulated, cloud, _):
        for fields in _REFUSED:
            with pytest.raises(InvalidRequest):
                await driver.create_instance(cloud, spec(**fields))
        assert len(simulated.state.ves) == 1


async def test_a_name_that_is_taken(served):
    async with served(instances=1) as (_, cloud, _counting):
        with pytest.raises(Conflict):
            await driver.create_instance(cloud, spec(name="lisbon-0001"))


async def test_more_than_the_subscription_allows(served):
    async with served(instances=1, ve_limit=1) as (_, cloud, _counting):
        with pytest.raises(QuotaExceeded, match="limit"):
            await driver.create_instance(cloud, spec())


# --------------------------------------------------------------------------- the lost answer


@pytest.mark.parametrize(
    "fields", [{"client_token": "token-1"}, {"name": None}, {"name": None, "image_id": IMAGE}]
)
async def test_a_create_that_was_done_is_found_and_not_repeated(served, fields):
    async with served(instances=1) as (simulated, cloud, _):
        simulated.behaviour.break_with(["lostx1:POST /ve"])
        made = await driver.create_instance(cloud, spec(**fields))
        assert made.state == "RUNNING"
        assert made.authentication.password is None
        assert len(simulated.state.ves) == 2


async def test_a_password_that_was_chosen_is_known_all_the_same(served):
    async with served(instances=1) as (simulated, cloud, _):
        simulated.behaviour.break_with(["lostx1:POST /ve"])
        made = await driver.create_instance(
            cloud, spec(client_token="token-1", password=SecretStr("chosen"))
        )
        assert made.authentication.password.get_secret_value() == "chosen"


async def test_a_name_proves_nothing(served):
    async with served(instances=1) as (simulated, cloud, _):
        simulated.behaviour.break_with(["lostx1:POST /ve"])
        with pytest.raises(OutcomeUnknown, match="would be called 'web'"):
            await driver.create_instance(cloud, spec())
        assert simulated.requests.count("/start") == 0


async def test_a_server_of_somebody_else_is_not_taken_for_ours(served):
    async with served(instances=1) as (simulated, cloud, _):
        await driver.create_instance(cloud, spec(client_token="theirs"))
        simulated.behaviour.break_with(["resetx1:POST /ve"])
        with pytest.raises(OutcomeUnknown):
            await driver.create_instance(cloud, spec(client_token="ours"))


async def test_a_name_that_is_made_up_is_of_the_whole_token(served):
    async with served(instances=1) as (simulated, cloud, _):
        theirs = await driver.create_instance(cloud, spec(name=None, client_token=f"{'x' * 16}/1"))
        simulated.behaviour.break_with(["resetx1:POST /ve"])
        with pytest.raises(OutcomeUnknown):
            await driver.create_instance(cloud, spec(name=None, client_token=f"{'x' * 16}/2"))
        again = spec(name=None, client_token=f"{'x' * 16}/1")
        with pytest.raises(Conflict, match=theirs.name):
            await driver.create_instance(cloud, again)


async def test_a_create_that_was_not_done_stays_unknown(served):
    async with served(instances=1) as (simulated, cloud, _):
        simulated.behaviour.break_with(["reset:POST /ve"])
        with pytest.raises(OutcomeUnknown, match="broke the connection"):
            await driver.create_instance(cloud, spec(client_token="token-1"))
        assert simulated.requests.count("/ve", "POST") == 1


@pytest.mark.parametrize("content", ["<html>Welcome", "<pwd-response"])
async def test_an_answer_that_is_none(scripted, content):
    answers = {
        "GET /template/t": '<template name="t" technology="CT" osType="linux-free"/>',
        "POST /ve": (200, content),
        "GET /ve/web": (404, ""),
    }
    async with scripted(answers) as (_, cloud):
        with pytest.raises(OutcomeUnknown, match="not PACI"):
            await driver.create_instance(cloud, spec(image_id="template:t"))


async def test_by_the_broker(served):
    async with served(instances=2) as (simulated, cloud, _):
        entry = simulated.settings(cloud.settings.endpoint.removesuffix("/paci/v1.0"))
        registry = PluginRegistry(drivers={"paci": driver}, points=())
        async with Broker(Configuration(clouds={"lisbon": entry}), registry=registry) as broker:
            simulated.behaviour.break_with(["lostx1:POST /ve"])
            made = await broker.instances.create("lisbon", spec(), wait=5)
            assert (str(made.qualified_id), made.state) == ("lisbon/web", "RUNNING")
            assert made.client_token
            assert (await broker.instances.stop("lisbon/web", wait=5)).state == "STOPPED"
            assert await broker.instances.destroy("lisbon/web", wait=5)
            assert not await broker.instances.destroy("lisbon/web")
