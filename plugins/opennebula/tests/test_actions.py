"""Switching instances on and off, destroying them, their consoles."""

import anyio
import pytest

from anabranch.errors import (
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    InvalidState,
    NotFound,
    OutcomeUnknown,
)
from anabranch.models import ConsoleKind, InstanceSpec
from anabranch.states import InstanceState
from anabranch.testing.simulation import Behaviour
from anabranch_opennebula import driver
from anabranch_opennebula.client import session
from anabranch_opennebula.vms import act

S = InstanceState


async def until(cloud, platform_state, instance_id="0"):
    with anyio.fail_after(10):
        while True:
            found = await driver.get_instance(cloud, instance_id)
            if found.platform_state == platform_state:
                return found
            await anyio.sleep(0.01)


async def test_off_and_on(served):
    async with served(instances=1) as there:
        with there.costs("vm.action", "vm.info", at_once=True):
            off = await driver.stop_instance(there.cloud, "0")
        assert off.state in (S.STOPPING, S.STOPPED)
        off = await driver.stop_instance(there.cloud, "0")
        assert (off.state, off.platform_state) == (S.STOPPED, "POWEROFF")
        with there.costs("vm.action", "vm.info", at_once=True):
            on = await driver.start_instance(there.cloud, "0")
        assert on.state in (S.PENDING, S.RUNNING)
        assert (await driver.start_instance(there.cloud, "0")).state is S.RUNNING
        for hard in (False, True):
            with there.costs("vm.action", "vm.info", at_once=True):
                rebooted = await driver.reboot_instance(there.cloud, "0", hard)
            assert rebooted.state is S.RUNNING


@pytest.mark.parametrize("more", [("start",), ("stop",), ("reboot", False)])
async def test_the_instance_is_looked_at_while_oned_is_told_to_act(served, more):
    action, *arguments = more
    async with served(instances=1) as there:
        there.simulated.behaviour.break_with(["hang:vm.action"])
        async with anyio.create_task_group() as group:
            group.start_soon(getattr(driver, f"{action}_instance"), there.cloud, "0", *arguments)
            await there.until_asked("vm.info")
            group.cancel_scope.cancel()


async def test_what_is_accepted_shows_as_under_way(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.5)) as there:
        cloud = there.cloud
        off = await driver.stop_instance(cloud, "0")
        assert (off.state, off.busy) == (S.STOPPING, True)
        again = await driver.stop_instance(cloud, "0")
        assert (again.state, again.busy) == (S.STOPPING, True)
        await until(cloud, "POWEROFF")
        on = await driver.start_instance(cloud, "0")
        assert (on.state, on.busy) == (S.PENDING, True)
        assert (await driver.start_instance(cloud, "0")).busy
        await until(cloud, "RUNNING")


@pytest.mark.parametrize(
    ("verb", "platform_state"),
    [("suspend", "SUSPENDED"), ("stop", "STOPPED"), ("undeploy", "UNDEPLOYED")],
)
async def test_whatever_is_not_running_is_started(served, verb, platform_state):
    async with served(instances=1) as there:
        await act(session(there.cloud), verb, 0, idempotent=False)
        await until(there.cloud, platform_state)
        assert (await driver.stop_instance(there.cloud, "0")).state is S.STOPPED
        await driver.start_instance(there.cloud, "0")
        await until(there.cloud, "RUNNING")


async def test_what_is_held_is_released(served):
    async with served(instances=0) as there:
        one = session(there.cloud)
        await one.change("template.instantiate", 0, "held", True, "", False)
        assert (await driver.get_instance(there.cloud, "0")).platform_state == "HOLD"
        await driver.start_instance(there.cloud, "0")
        assert there.asked("vm.action") == 2
        await until(there.cloud, "RUNNING")


async def test_states_that_forbid(served):
    async with served(instances=1) as there:
        await driver.stop_instance(there.cloud, "0")
        with pytest.raises(InvalidState):
            await driver.reboot_instance(there.cloud, "0", False)
        there.simulated.hypervisor.deploy_error = "no"
        made = await driver.create_instance(
            there.cloud, InstanceSpec(image_id="0", hardware_profile_id="0")
        )
        failed = await until(there.cloud, "BOOT_FAILURE", made.id)
        assert failed.state is S.ERROR
        for action in (driver.start_instance, driver.stop_instance):
            with pytest.raises(InvalidState):
                await action(there.cloud, made.id)
        for action in (driver.start_instance, driver.stop_instance, driver.destroy_instance):
            with pytest.raises(NotFound):
                await action(there.cloud, "7")
        await driver.destroy_instance(there.cloud, made.id)


async def test_destroying(served):
    async with served(instances=2) as there:
        with there.costs("vm.info", "vm.action", "vm.info"):
            await driver.destroy_instance(there.cloud, "0")
        assert (await driver.get_instance(there.cloud, "0")).state is S.FINISH
        with there.costs("vm.info"), pytest.raises(NotFound, match="gone"):
            await driver.destroy_instance(there.cloud, "0")
        await driver.stop_instance(there.cloud, "1")
        await driver.destroy_instance(there.cloud, "1")
        assert not (await driver.list_instances(there.cloud, None, {})).items


async def test_destroying_what_boots(served):
    async with served(instances=0, behaviour=Behaviour(state_delay=0.4)) as there:
        made = await driver.create_instance(
            there.cloud, InstanceSpec(image_id="0", hardware_profile_id="0")
        )
        await until(there.cloud, "PROLOG", made.id)
        with pytest.raises(InvalidState, match=r"PROLOG|BOOT"):
            await act(session(there.cloud), "terminate", int(made.id), idempotent=True)
        before = there.asked("vm.action")
        await driver.destroy_instance(there.cloud, made.id)
        assert there.asked("vm.action") > before + 1
        await until(there.cloud, "DONE", made.id)


async def test_what_boots_for_ever_is_not_destroyed(served):
    entry = {"destroy_timeout": 0.4}
    async with served(entry, instances=0, behaviour=Behaviour(state_delay=60)) as there:
        made = await driver.create_instance(
            there.cloud, InstanceSpec(image_id="0", hardware_profile_id="0")
        )
        (machine,) = there.simulated.machines
        machine.state, machine.lcm = 3, 2
        machine.changed()
        with pytest.raises(InvalidState, match=r"BOOT.*asked again for 0\.4 s"):
            await driver.destroy_instance(there.cloud, made.id)


async def test_a_guest_that_does_not_listen(served):
    entry = {"destroy_patience": 20}
    async with served(entry, instances=1, behaviour=Behaviour(state_delay=0.3)) as there:
        there.simulated.hypervisor.ignores_acpi = True
        off = await driver.stop_instance(there.cloud, "0")
        assert off.state is S.STOPPING
        # It was accepted, and nothing comes of it.
        await until(there.cloud, "SHUTDOWN_POWEROFF")
        await until(there.cloud, "RUNNING")
        with anyio.fail_after(8):
            await driver.destroy_instance(there.cloud, "0")
        await until(there.cloud, "DONE")


async def test_a_guest_that_is_back_before_anybody_looks(served):
    async with served({"destroy_patience": 0.3}, instances=1) as there:
        there.simulated.hypervisor.ignores_acpi = True
        await driver.destroy_instance(there.cloud, "0")
        await until(there.cloud, "DONE")


async def test_a_guest_that_takes_its_time(served):
    entry = {"destroy_patience": 0.2}
    async with served(entry, instances=1, behaviour=Behaviour(state_delay=0.5)) as there:
        await act(session(there.cloud), "terminate", 0, idempotent=False)
        (machine,) = there.simulated.machines
        machine.state, machine.lcm = 3, 12
        machine.changed()
        with anyio.fail_after(8):
            await driver.destroy_instance(there.cloud, "0")
        # The soft form is under way and would be refused, the hard one is not.
        assert (await driver.get_instance(there.cloud, "0")).platform_state in ("EPILOG", "DONE")


async def test_cutting_the_power_at_once(served):
    async with served({"destroy_patience": 0}, instances=1) as there:
        there.simulated.hypervisor.ignores_acpi = True
        with there.costs("vm.info", "vm.action", "vm.info"):
            await driver.destroy_instance(there.cloud, "0")
        await until(there.cloud, "DONE")


async def test_what_is_accepted_and_does_not_go(served):
    entry = {"destroy_patience": 0, "destroy_timeout": 0.3}
    async with served(entry, instances=1, behaviour=Behaviour(state_delay=60)) as there:
        with pytest.raises(DeadlineExceeded, match=r"there after 0\.3 s"):
            await driver.destroy_instance(there.cloud, "0")


async def test_actions_whose_answer_is_lost(served):
    async with served({"retries": 2}, instances=1) as there:
        there.simulated.behaviour.break_with(["resetx1:vm.action"])
        await driver.stop_instance(there.cloud, "0")
        await until(there.cloud, "POWEROFF")
        there.simulated.behaviour.break_with(["lostx1:vm.action"])
        on = await driver.start_instance(there.cloud, "0")
        assert on.state is S.RUNNING  # for the second try was refused, and it was looked at
        there.simulated.behaviour.break_with(["lostx1:vm.action"])
        before = there.asked("vm.action")
        with pytest.raises(OutcomeUnknown):
            await driver.reboot_instance(there.cloud, "0", False)
        assert there.asked("vm.action") == before + 1
        there.simulated.behaviour.break_with(["lostx1:vm.action"])
        await driver.destroy_instance(there.cloud, "0")
        await until(there.cloud, "DONE")


async def test_a_cancelled_destroy_leaves_nothing_behind(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.2)) as there:
        there.simulated.hypervisor.ignores_acpi = True
        with anyio.move_on_after(0.1):
            await driver.destroy_instance(there.cloud, "0")
        there.simulated.hypervisor.ignores_acpi = False
        await driver.destroy_instance(there.cloud, "0")
        await until(there.cloud, "DONE")


async def test_consoles(served):
    async with served(instances=1) as there:
        (machine,) = there.simulated.machines

        def graphics(**values):
            machine.template.put("GRAPHICS", values)
            machine.changed()

        graphics(LISTEN="127.0.0.1", PORT="5900", TYPE="VNC")
        with pytest.raises(InvalidRequest, match="on its host alone") as caught:
            await driver.get_instance_console(there.cloud, "0", None)
        assert "Sunstone" in caught.value.remedy
        graphics(LISTEN="0.0.0.0", TYPE="SDL")
        with pytest.raises(InvalidRequest, match="no VNC or SPICE"):
            await driver.get_instance_console(there.cloud, "0", None)
        graphics(LISTEN="0.0.0.0", PORT="5900", TYPE="VNC", PASSWD="hunter2")
        with there.costs("vm.info"):
            console = await driver.get_instance_console(there.cloud, "0", None)
        assert console.kind is ConsoleKind.VNC
        assert console.url.get_secret_value().startswith("vnc://dummy")
        assert console.url.get_secret_value().endswith(":5900")
        assert console.password.get_secret_value() == "hunter2"
        assert "hunter2" not in repr(console)
        with pytest.raises(InvalidRequest, match="no console of kind serial"):
            await driver.get_instance_console(there.cloud, "0", ConsoleKind.SERIAL)
        await driver.stop_instance(there.cloud, "0")
        with pytest.raises(Conflict, match="POWEROFF"):
            await driver.get_instance_console(there.cloud, "0", None)
