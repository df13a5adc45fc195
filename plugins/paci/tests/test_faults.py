"""What goes wrong on the wire, and what must never show."""

import base64
import logging

import anyio
import pytest

from anabranch.errors import (
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    DeadlineExceeded,
    OutcomeUnknown,
    ProtocolError,
    RateLimited,
)
from anabranch.models import ImageSpec, InstanceSpec, LoadBalancerSpec, StorageSnapshotSpec
from anabranch.redaction import SecretStr
from anabranch_paci import driver
from anabranch_paci.client import session
from anabranch_paci.convert import LISTENERS

NAME = "lisbon-0001"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("401", AuthenticationError),
        ("429", RateLimited),
        ("503", CloudUnavailable),
        ("reset", CloudUnavailable),
        ("hang", DeadlineExceeded),
        ("garbage", ProtocolError),
    ],
)
async def test_each_fault_has_its_class(served, fault, kind):
    entry = {"retries": 0, "request_timeout": 0.15}
    async with served(instances=1, entry=entry) as (simulated, cloud, _):
        simulated.behaviour.break_with([fault])
        for call in (
            driver.check(cloud),
            driver.get_instance(cloud, NAME),
            driver.list_instances(cloud, None, {}),
            driver.list_images(cloud, None, {}),
            driver.start_instance(cloud, NAME),
        ):
            with pytest.raises(kind) as raised:
                await call
            assert type(raised.value) is kind


async def test_what_is_read_is_tried_again(served):
    async with served(instances=1) as (simulated, cloud, _):
        simulated.behaviour.break_with([f"resetx1:GET /ve/{NAME}", f"503x1:PUT /ve/{NAME}/stop"])
        assert (await driver.get_instance(cloud, NAME)).id == NAME
        assert simulated.requests.count(f"/ve/{NAME}") == 2
        await driver.stop_instance(cloud, NAME)
        assert simulated.requests.count("/stop") == 2
        assert (await driver.get_instance(cloud, NAME)).state == "STOPPED"


@pytest.mark.parametrize(
    ("path", "call"),
    [
        (
            "/backup",
            lambda c: driver.create_storage_snapshot(c, StorageSnapshotSpec(instance_id=NAME)),
        ),
        (
            "/create/copy",
            lambda c: driver.create_image(c, ImageSpec(instance_id=NAME, name="copy")),
        ),
        (
            "/create/front",
            lambda c: driver.create_load_balancer(
                c, LoadBalancerSpec(name="front", listeners=LISTENERS)
            ),
        ),
        (
            "/from/lisbon-golden",
            lambda c: driver.create_instance(
                c, InstanceSpec(image_id="image:lisbon-golden", name="web")
            ),
        ),
    ],
)
async def test_what_makes_a_thing_is_sent_once(served, path, call):
    async with served(instances=1) as (simulated, cloud, _):
        await driver.stop_instance(cloud, NAME)
        simulated.behaviour.break_with([f"reset:POST {path}"])
        with pytest.raises(OutcomeUnknown):
            await call(cloud)
        assert simulated.requests.count(path, "POST") == 1


@pytest.mark.parametrize(
    "content",
    [
        "<html>sign in</html>",
        "<!DOCTYPE html><p>sign in",
        '<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN"><html/>',
        "\ufeff<!-- a --> <!-- portal -->\n<html>sign in</html>",
    ],
)
async def test_a_portal_in_between_has_done_nothing(scripted, content):
    async with scripted({"DELETE /ve/w": content, "POST /ve/w/backup": content}) as (_, cloud):
        with pytest.raises(ProtocolError, match="not PACI"):
            await driver.destroy_instance(cloud, "w")
        with pytest.raises(OutcomeUnknown, match="not PACI"):
            await session(cloud).act("POST", "ve", "w", "backup", idempotent=False)


async def test_a_document_of_another_kind(scripted):
    async with scripted({"GET /ve/w": "<ve-list/>"}) as (_, cloud):
        with pytest.raises(ProtocolError, match="<ve-list>, not <ve>"):
            await driver.get_instance(cloud, "w")


async def test_answers_in_text_with_and_without_an_end(scripted, ve_document):
    answers = {
        "PUT /ve/w/start": [(202, "VE start initiated\n"), (202, ""), (200, "ok"), (204, "")],
        "GET /ve/w": ve_document,
    }
    async with scripted(answers) as (_, cloud):
        for _ in range(4):
            assert (await driver.start_instance(cloud, "w")).state == "RUNNING"


async def test_nothing_is_left_of_what_is_cancelled(served):
    async with served(instances=30) as (simulated, cloud, _):
        simulated.behaviour.break_with(["hang:/ve/"])
        with anyio.move_on_after(0.2) as scope:
            await driver.list_instances(cloud, None, {})
        assert scope.cancelled_caught
        assert session(cloud).details.borrowed_tokens == 0
        simulated.behaviour.break_with([])
        assert len((await driver.list_instances(cloud, None, {})).items) == 30


async def test_no_secret_shows(served, caplog):
    password, chosen = "pa55-of-the-account", "ch0sen-for-the-server"
    basic = base64.b64encode(f"demo@example.com:{password}".encode()).decode()
    said: list[str] = []
    with caplog.at_level(logging.DEBUG):
        async with served(instances=2, entry={"password": password, "retries": 0}) as (
            simulated,
            cloud,
            _,
        ):
            spec = InstanceSpec(
                image_id="template:centos-6-x86_64", name="web", password=SecretStr(chosen)
            )
            for fault in ("401", "503", "reset", "garbage", None):
                simulated.behaviour.break_with([fault] if fault else [])
                for call in (
                    driver.create_instance(cloud, spec),
                    driver.list_instances(cloud, None, {}),
                ):
                    with pytest.raises(CloudError) as raised:
                        await call
                    said += [str(raised.value), repr(raised.value), str(vars(raised.value))]
            said += [repr(cloud), repr(cloud.settings), repr(session(cloud)), repr(spec)]
    for secret in (password, chosen, basic):
        assert secret not in "".join(said)
        assert secret not in caplog.text


async def test_a_password_that_the_platform_repeats_is_hidden(scripted):
    chosen = "ch0sen-for-the-server"
    answers = {
        "GET /template/t": '<template name="t" technology="CT" osType="linux-free"/>',
        "POST /ve": (400, f"<error><message>{chosen} and hush-hush are weak</message></error>"),
    }
    async with scripted(answers) as (_, cloud):
        spec = InstanceSpec(image_id="template:t", name="w", password=SecretStr(chosen))
        with pytest.raises(CloudError, match="are weak") as raised:
            await driver.create_instance(cloud, spec)
        assert chosen not in str(raised.value)
        assert "hush" not in str(raised.value)
