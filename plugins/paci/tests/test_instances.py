"""Instances: what is done with those that are there, over the wire."""

import logging

import anyio
import pytest

from anabranch.errors import (
    CloudUnavailable,
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    InvalidState,
    NotFound,
)
from anabranch.models import ConsoleKind, Hardware, LoadBalancerSpec
from anabranch.testing.simulation import Behaviour
from anabranch_paci import driver
from anabranch_paci.convert import LISTENERS

RUNNING, STOPPED, MADE = "lisbon-0001", "lisbon-0008", "lisbon-0010"
"""Of ten servers: one that runs, one that was stopped, one that was never started."""


async def test_one(served):
    async with served(instances=10) as here:
        with here.costs(f"GET /ve/{RUNNING}"):
            found = await driver.get_instance(here.cloud, RUNNING)
        assert (found.id, found.state) == (RUNNING, "RUNNING")
        assert (await driver.get_instance(here.cloud, MADE)).platform_state == "CREATED"


async def test_none(served):
    names = ["none", "", ".", "..", "a/../b", "%2e%2e", "\ud800", "n" * 5000]
    async with served(instances=1) as (simulated, cloud, _):
        for name in names:
            for do in (driver.get_instance, driver.start_instance, driver.destroy_instance):
                with pytest.raises(NotFound):
                    await do(cloud, name)
        assert not simulated.requests.count("/start", "GET")
        assert len(simulated.state.ves) == 1


# ------------------------------------------------------------------------------- start and stop


async def test_start_and_stop(served):
    async with served(instances=10) as here:
        with here.costs(f"GET /{STOPPED}", f"PUT /{STOPPED}/start", at_once=True):
            await driver.start_instance(here.cloud, STOPPED)
        assert (await driver.get_instance(here.cloud, STOPPED)).state == "RUNNING"
        with here.costs(f"GET /{STOPPED}", f"PUT /{STOPPED}/stop", at_once=True):
            await driver.stop_instance(here.cloud, STOPPED)
        assert (await driver.get_instance(here.cloud, STOPPED)).state == "STOPPED"
        await driver.start_instance(here.cloud, MADE)
        assert (await driver.get_instance(here.cloud, MADE)).state == "RUNNING"


@pytest.mark.parametrize("verb", ["start", "stop"])
async def test_the_server_is_looked_at_while_it_is_switched(served, verb):
    async with served(instances=10) as (simulated, cloud, _):
        simulated.behaviour.break_with([f"hang:/{verb}"])
        async with anyio.create_task_group() as group:
            group.start_soon(getattr(driver, f"{verb}_instance"), cloud, STOPPED)
            with anyio.fail_after(5):
                while True:
                    if simulated.requests.count(f"/ve/{STOPPED}", "GET"):
                        break
                    await anyio.sleep(0.01)
            group.cancel_scope.cancel()


async def test_what_was_looked_at_before_it_was_told_is_under_way(served, monkeypatch):
    async def accepted(*args):
        await anyio.sleep(0.3)

    monkeypatch.setattr("anabranch_paci.servers.switch", accepted)
    async with served(instances=10) as (_, cloud, _counting):
        started = await driver.start_instance(cloud, STOPPED)
        assert (started.state, started.busy, started.actions) == ("PENDING", True, ("destroy",))
        stopped = await driver.stop_instance(cloud, RUNNING)
        assert (stopped.state, stopped.busy) == ("STOPPING", True)
        assert (await driver.start_instance(cloud, RUNNING)).state == "RUNNING"


async def test_on_the_way(served):
    async with served(instances=10, behaviour=Behaviour(state_delay=1000)) as (_, cloud, _counting):
        started = await driver.start_instance(cloud, STOPPED)
        assert (started.state, started.platform_state) == ("PENDING", "START_IN_PROGRESS")
        assert (await driver.start_instance(cloud, STOPPED)).state == "PENDING"
        stopped = await driver.stop_instance(cloud, RUNNING)
        assert (stopped.state, stopped.busy) == ("STOPPING", True)
        assert (await driver.stop_instance(cloud, RUNNING)).state == "STOPPING"


async def test_what_is_so_already(served):
    async with served(instances=10) as (_, cloud, _counting):
        assert (await driver.start_instance(cloud, RUNNING)).state == "RUNNING"
        assert (await driver.stop_instance(cloud, STOPPED)).state == "STOPPED"
        assert (await driver.stop_instance(cloud, MADE)).state == "STOPPED"


async def test_a_state_that_forbids_it(served):
    async with served(instances=10, behaviour=Behaviour(state_delay=1000)) as (_, cloud, _counting):
        await driver.stop_instance(cloud, RUNNING)
        with pytest.raises(InvalidState):
            await driver.start_instance(cloud, RUNNING)
        await driver.start_instance(cloud, STOPPED)
        with pytest.raises(InvalidState):
            await driver.stop_instance(cloud, STOPPED)


# --------------------------------------------------------------------------------------- reboot


async def test_reboot_is_stop_then_start(served):
    async with served(instances=10) as here:
        with here.costs(
            f"GET /{RUNNING}", "PUT /stop", f"GET /{RUNNING}", "PUT /start", f"GET /{RUNNING}"
        ):
            assert (await driver.reboot_instance(here.cloud, RUNNING, False)).state == "RUNNING"


async def test_reboot_waits_for_the_stop(served):
    async with served(instances=10, behaviour=Behaviour(state_delay=0.15)) as (_, cloud, _counting):
        rebooted = await driver.reboot_instance(cloud, RUNNING, False)
        assert rebooted.platform_state == "START_IN_PROGRESS"


@pytest.mark.parametrize("name", [STOPPED, MADE])
async def test_what_does_not_run_is_not_rebooted(served, name):
    async with served(instances=10) as (simulated, cloud, _):
        with pytest.raises(InvalidState):
            await driver.reboot_instance(cloud, name, False)
        assert not simulated.requests.count("/start")


async def test_what_is_not_there_is_not_rebooted(served):
    async with served(instances=1) as (_, cloud, _counting):
        with pytest.raises(NotFound):
            await driver.reboot_instance(cloud, "none", False)


async def test_what_is_on_its_way_is_not_rebooted(served):
    async with served(instances=10, behaviour=Behaviour(state_delay=1000)) as (_, cloud, _counting):
        await driver.start_instance(cloud, STOPPED)
        with pytest.raises(InvalidState, match="START_IN_PROGRESS"):
            await driver.reboot_instance(cloud, STOPPED, False)


async def test_a_stop_that_takes_too_long_is_told(served):
    slow = Behaviour(state_delay=1000)
    async with served(instances=10, behaviour=slow, entry={"stop_wait": 0.1}) as (_, cloud, _c):
        with pytest.raises(
            DeadlineExceeded, match="was told to stop and was not started again"
        ) as raised:
            await driver.reboot_instance(cloud, RUNNING, False)
        assert "STOP_IN_PROGRESS" in raised.value.message
        assert "Start it" in raised.value.remedy


async def test_a_start_that_fails_in_the_middle_is_told(served):
    async with served(instances=10, entry={"retries": 0}) as (simulated, cloud, _):
        simulated.behaviour.break_with(["503:/start"])
        with pytest.raises(CloudUnavailable, match="was told to stop and was not started again"):
            await driver.reboot_instance(cloud, RUNNING, False)
        assert (await driver.get_instance(cloud, RUNNING)).state == "STOPPED"


async def test_a_stop_whose_answer_is_lost_is_told(served):
    async with served(instances=10, entry={"retries": 0}) as (simulated, cloud, _):
        simulated.behaviour.break_with(["reset:/stop"])
        with pytest.raises(CloudUnavailable, match="may have been told to stop"):
            await driver.reboot_instance(cloud, RUNNING, False)


async def stopped(cloud):
    """Wait until the stop is under way."""
    with anyio.fail_after(5):
        while True:
            if (await driver.get_instance(cloud, RUNNING)).state == "STOPPING":
                return
            await anyio.sleep(0.01)


@pytest.mark.parametrize("again", [(304, ""), (409, "it is STOP_IN_PROGRESS")])
async def test_a_stop_that_is_tried_again_is_still_our_own(scripted, ve_document, again):
    def document(state):
        return ve_document.replace(b"STARTED", state)

    stopping = [document(b"STOP_IN_PROGRESS")] if again[0] == 409 else []
    answers = {
        "GET /ve/web1": [ve_document, *stopping, document(b"STOPPED"), ve_document],
        "PUT /ve/web1/stop": [(503, ""), again],
        "PUT /ve/web1/start": [(503, ""), (304, "")],
    }
    async with scripted(answers, retries=1) as (server, cloud):
        assert (await driver.reboot_instance(cloud, "web1", False)).state == "RUNNING"
        assert [m for m, _, _ in server.sent if m == "PUT"] == ["PUT"] * 4


async def test_a_reboot_that_is_cancelled_is_logged(served, caplog):
    slow = Behaviour(state_delay=1000)
    with caplog.at_level(logging.WARNING):
        async with served(instances=10, behaviour=slow) as (_, cloud, _counting):
            async with anyio.create_task_group() as group:
                group.start_soon(driver.reboot_instance, cloud, RUNNING, False)
                await stopped(cloud)
                group.cancel_scope.cancel()
            assert (await driver.get_instance(cloud, RUNNING)).state == "STOPPING"
    assert "paci.reboot.interrupted" in caplog.text


# -------------------------------------------------------------------------------------- destroy


@pytest.mark.parametrize("name", [STOPPED, MADE])
async def test_destroy(served, name):
    async with served(instances=10) as here:
        with here.costs(f"DELETE /ve/{name}"):
            await driver.destroy_instance(here.cloud, name)
        with pytest.raises(NotFound):
            await driver.destroy_instance(here.cloud, name)


async def test_what_runs_is_stopped_and_destroyed(served):
    async with served(instances=10) as here:
        with here.costs(
            f"DELETE /{RUNNING}", f"GET /{RUNNING}", "PUT /stop", f"GET /{RUNNING}",
            f"DELETE /{RUNNING}",
        ):  # fmt: skip
            await driver.destroy_instance(here.cloud, RUNNING)
        with pytest.raises(NotFound):
            await driver.get_instance(here.cloud, RUNNING)


async def test_what_is_on_its_way_is_waited_for_and_destroyed(served):
    async with served(instances=10, behaviour=Behaviour(state_delay=0.15)) as (_, cloud, _counting):
        await driver.start_instance(cloud, STOPPED)
        await driver.destroy_instance(cloud, STOPPED)
        assert (await driver.get_instance(cloud, STOPPED)).platform_state == "DELETE_IN_PROGRESS"
        await driver.destroy_instance(cloud, STOPPED)


async def test_a_destroy_that_is_cut_short_says_how_far_it_is(served):
    slow = Behaviour(state_delay=1000)
    async with served(instances=10, behaviour=slow, entry={"stop_wait": 0.1}) as (_, cloud, _c):
        with pytest.raises(DeadlineExceeded, match="STOP_IN_PROGRESS") as raised:
            await driver.destroy_instance(cloud, RUNNING)
        assert "Destroy it again" in raised.value.remedy


async def test_a_refusal_for_another_reason_stays(scripted, ve_document):
    document = ve_document.replace(b"STARTED", b"STOPPED")
    answers = {"DELETE /ve/web1": (409, "it has backups"), "GET /ve/web1": document}
    async with scripted(answers) as (server, cloud):
        with pytest.raises(Exception, match="it has backups"):
            await driver.destroy_instance(cloud, "web1")
        assert [method for method, _, _ in server.sent] == ["DELETE", "GET"]


async def test_a_destroy_that_is_tried_again_is_still_our_own(scripted, ve_document):
    going = ve_document.replace(b"STARTED", b"DELETE_IN_PROGRESS")
    answers = {"DELETE /ve/web1": [(503, ""), (409, "busy")], "GET /ve/web1": going}
    async with scripted(answers, retries=1) as (server, cloud):
        await driver.destroy_instance(cloud, "web1")
        assert [m for m, _, _ in server.sent] == ["DELETE", "DELETE", "GET"]


async def test_what_is_started_again_while_it_is_destroyed(scripted, ve_document):
    stopped = ve_document.replace(b"STARTED", b"STOPPED")
    answers = {
        "DELETE /ve/web1": (409, "it is running"),
        "GET /ve/web1": [ve_document, stopped, ve_document],
        "PUT /ve/web1/stop": (202, "VE stop initiated"),
    }
    async with scripted(answers) as (_, cloud):
        with pytest.raises(InvalidState, match="was not destroyed") as raised:
            await driver.destroy_instance(cloud, "web1")
        assert "Destroy it again" in raised.value.remedy


async def test_a_stop_that_shows_late_is_waited_for(scripted, ve_document):
    stopped = ve_document.replace(b"STARTED", b"STOPPED")
    answers = {
        "DELETE /ve/web1": [(409, "it is running"), (202, "VE delete initiated")],
        "GET /ve/web1": [ve_document, ve_document, stopped],
        "PUT /ve/web1/stop": (202, "VE stop initiated"),
    }
    async with scripted(answers) as (server, cloud):
        await driver.destroy_instance(cloud, "web1")
        assert [m for m, _, _ in server.sent] == ["DELETE", "GET", "PUT", "GET", "GET", "DELETE"]


async def test_a_refusal_after_the_stop_says_that_it_was_stopped(served):
    async with served(instances=10) as (simulated, cloud, _):
        balancer = LoadBalancerSpec(name="front", listeners=LISTENERS)
        await driver.create_load_balancer(cloud, balancer)
        await driver.register_instance(cloud, "front", RUNNING)
        with pytest.raises(Conflict, match=r"may be stopped.*detach it") as raised:
            await driver.destroy_instance(cloud, RUNNING)
        assert simulated.state.ves[RUNNING].state == "STOPPED"
        assert "start it" in raised.value.remedy


@pytest.mark.parametrize("status", [400, 409, 500])
async def test_whatever_status_refuses_a_running_one(scripted, ve_document, status):
    stopped = ve_document.replace(b"STARTED", b"STOPPED")
    answers = {
        "DELETE /ve/web1": [(status, "no"), (202, "VE delete initiated")],
        "GET /ve/web1": [ve_document, stopped],
        "PUT /ve/web1/stop": (202, "VE stop initiated"),
    }
    async with scripted(answers) as (server, cloud):
        await driver.destroy_instance(cloud, "web1")
        assert [m for m, _, _ in server.sent] == ["DELETE", "GET", "PUT", "GET", "DELETE"]


# ------------------------------------------------------------------------- resize, tags, console


async def test_resize(served):
    async with served(instances=10) as here:
        before = await driver.get_instance(here.cloud, STOPPED)
        assert before.hardware_profile_id == "cpu2-mem4096-disk250"
        with here.costs(f"GET /{STOPPED}", f"PUT /{STOPPED}", f"GET /{STOPPED}"):
            resized = await driver.resize_instance(here.cloud, STOPPED, "cpu4-mem16384-disk1000")
        assert resized.hardware_profile_id == "cpu4-mem16384-disk1000"
        with here.costs(f"GET /{STOPPED}"):
            await driver.resize_instance(here.cloud, STOPPED, "cpu4-mem16384-disk1000")
        assert resized.hardware == Hardware(cpu=4, memory_mib=16384, storage_gb=1000)
        with pytest.raises(InvalidRequest, match="cannot shrink"):
            await driver.resize_instance(here.cloud, STOPPED, "cpu1-mem512-disk10")
        with here.costs(), pytest.raises(NotFound):
            await driver.resize_instance(here.cloud, STOPPED, "none")


async def test_only_what_differs_is_changed(scripted, ve_document, monkeypatch):
    monkeypatch.setattr("anabranch_paci.waiting._SHOWS_WITHIN", 0.1)
    answers = {"GET /ve/web1": ve_document, "PUT /ve/web1": (202, "VE reconfigure initiated")}
    async with scripted(answers) as (server, cloud):
        told = await driver.resize_instance(cloud, "web1", "cpu1-mem1024-disk50")
        assert (
            told.hardware_profile_id == "cpu1-mem512-disk10"
        )  # it never shows, and is told as it is
        ((_, _, body),) = [sent for sent in server.sent if sent[0] == "PUT"]
        assert body.endswith(
            b"<reconfigure-ve><ram-size>1024</ram-size>"
            b"<primary-disk-size>50</primary-disk-size></reconfigure-ve>"
        )


async def test_a_resize_that_shows_late_is_waited_for(served):
    async with served(instances=10, behaviour=Behaviour(state_delay=0.1)) as (_, cloud, _counting):
        resized = await driver.resize_instance(cloud, STOPPED, "cpu4-mem16384-disk1000")
        assert resized.hardware_profile_id == "cpu4-mem16384-disk1000"


async def test_tags(served):
    async with served(instances=10) as here:
        ve = here.simulated.state.ves[RUNNING]
        ve.description = "front [anabranch tok;old=1]"
        with here.costs(f"GET /{RUNNING}", f"PUT /{RUNNING}", f"GET /{RUNNING}"):
            tagged = await driver.set_instance_tags(here.cloud, RUNNING, {"r&d": "<1> 🚀", "e": ""})
        assert tagged.tags == {"r&d": "<1> 🚀", "e": ""}
        found = await driver.get_instance(here.cloud, RUNNING)
        assert (found.tags, found.client_token) == (tagged.tags, "tok")
        await driver.set_instance_tags(here.cloud, RUNNING, {})
        assert ve.description == "front [anabranch tok;]"


@pytest.mark.parametrize("kind", [None, ConsoleKind.VNC])
async def test_console(served, kind):
    async with served(instances=10) as here:
        with here.costs(f"POST /{RUNNING}/console", f"GET /{RUNNING}"):
            console = await driver.get_instance_console(here.cloud, RUNNING, kind)
        host, port = here.simulated.state.ves[RUNNING].console
        assert console.url.get_secret_value() == f"vnc://{host}:{port}"
        assert console.password
        assert console.password.get_secret_value() not in repr(console)


async def test_a_console_that_takes_its_time(scripted, ve_document):
    address = b"<console><address>2001:db8::1/64</address><port> 5901 </port></console></ve>"
    answers = {
        "POST /ve/web1/console": "<pwd-response><id>1</id><password>pw</password></pwd-response>",
        "GET /ve/web1": [ve_document, ve_document.replace(b"</ve>", address)],
    }
    async with scripted(answers) as (_, cloud):
        console = await driver.get_instance_console(cloud, "web1", None)
        assert console.url.get_secret_value() == "vnc://[2001:db8::1]:5901"


async def test_no_console(served):
    async with served(instances=10, behaviour=Behaviour(state_delay=0)) as (_, cloud, _counting):
        with pytest.raises(InvalidState):
            await driver.get_instance_console(cloud, STOPPED, None)
        with pytest.raises(InvalidRequest, match="Ask for vnc"):
            await driver.get_instance_console(cloud, RUNNING, ConsoleKind.SERIAL)


async def test_a_console_without_an_address(scripted, ve_document):
    half = ve_document.replace(b"</ve>", b"<console><address>192.0.2.1</address></console></ve>")
    answers = {"POST /ve/web1/console": "console initiated", "GET /ve/web1": half}
    async with scripted(answers, console_wait=0.2) as (_, cloud):
        with pytest.raises(DeadlineExceeded, match="no address"):
            await driver.get_instance_console(cloud, "web1", None)
