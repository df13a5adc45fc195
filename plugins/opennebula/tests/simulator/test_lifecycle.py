"""The states of machines: what each verb does, when, and from where it is refused."""

from __future__ import annotations

import pytest

from anabranch.testing.simulation import Behaviour

RUNNING, POWEROFF, SUSPENDED, STOPPED = (3, 3), (8, 0), (5, 0), (4, 0)
UNDEPLOYED, DONE, PENDING, HOLD, SHUTDOWN = (9, 0), (6, 0), (1, 0), (2, 0), (3, 12)


@pytest.fixture
def slow(cloud):
    """A change of state lasts ten seconds of the test's clock."""
    cloud.behaviour = Behaviour(state_delay=10.0)
    return cloud


@pytest.fixture
def watch(rpc, clock):
    """The states that are seen, each once, until nothing changes any more."""

    def look(machine_id: int, seconds: int = 12) -> list[tuple[int, int]]:
        seen = [rpc.state(machine_id)]
        for _ in range(seconds * 4):
            clock.now += 0.25
            state = rpc.state(machine_id)
            if state != seen[-1]:
                seen.append(state)
        return seen

    return look


def test_without_delay_the_next_request_sees_the_end(rpc):
    number = rpc.create()
    assert rpc.state(number) == RUNNING
    for verb, end in (("suspend", SUSPENDED), ("stop", STOPPED), ("resume", RUNNING)):
        assert rpc("vm.action", verb, number) == number
        assert rpc.state(number) == end


PATHS = [
    # before, verb, what is seen
    ([], "terminate", [RUNNING, SHUTDOWN, (3, 11), DONE]),
    ([], "terminate-hard", [RUNNING, SHUTDOWN, (3, 11), DONE]),
    ([], "poweroff", [RUNNING, (3, 18), POWEROFF]),
    ([], "poweroff-hard", [RUNNING, (3, 18), POWEROFF]),
    ([], "suspend", [RUNNING, (3, 6), SUSPENDED]),
    ([], "stop", [RUNNING, (3, 5), (3, 10), STOPPED]),
    ([], "undeploy", [RUNNING, (3, 29), (3, 30), UNDEPLOYED]),
    ([], "undeploy-hard", [RUNNING, (3, 29), (3, 30), UNDEPLOYED]),
    ([], "reboot", [RUNNING]),
    ([], "reboot-hard", [RUNNING]),
    (["poweroff"], "resume", [POWEROFF, (3, 20), RUNNING]),
    (["suspend"], "resume", [SUSPENDED, (3, 21), RUNNING]),
    (["stop"], "resume", [PENDING, (3, 9), (3, 22), RUNNING]),
    (["undeploy"], "resume", [PENDING, (3, 31), (3, 32), RUNNING]),
    (["suspend"], "stop", [SUSPENDED, (3, 10), STOPPED]),
    (["poweroff"], "undeploy", [POWEROFF, (3, 30), UNDEPLOYED]),
    (["poweroff"], "terminate", [POWEROFF, (3, 11), DONE]),
    (["stop"], "terminate", [STOPPED, (3, 11), DONE]),
]


@pytest.mark.parametrize(("before", "verb", "seen"), PATHS)
def test_what_is_seen_of_a_verb(rpc, cloud, watch, before, verb, seen):
    for earlier in before:
        rpc("vm.action", earlier, 0)
        rpc("system.version")
    cloud.behaviour = Behaviour(state_delay=10.0)
    rpc("vm.action", verb, 0)
    assert watch(0) == seen


def test_a_new_machine_goes_through_its_states(slow, rpc, watch):
    assert watch(rpc.create()) == [PENDING, (3, 1), (3, 2), RUNNING]


def test_states_advance_by_time_and_not_by_requests(slow, rpc, clock):
    rpc("vm.action", "poweroff", 0)
    assert {rpc.state(0) for _ in range(20)} == {RUNNING}
    clock.now += 60
    assert rpc.state(0) == POWEROFF


REFUSED = [
    ([], "resume", "RUNNING"),
    ([], "release", "RUNNING"),
    (["poweroff"], "poweroff", "POWEROFF"),
    (["poweroff"], "suspend", "POWEROFF"),
    (["poweroff"], "reboot", "POWEROFF"),
    (["suspend"], "poweroff", "SUSPENDED"),
    (["stop"], "undeploy", "STOPPED"),
    (["terminate"], "resume", "DONE"),
    (["terminate"], "poweroff", "DONE"),
]


@pytest.mark.parametrize(("before", "verb", "state"), REFUSED)
def test_verbs_that_the_state_does_not_allow(rpc, refused, before, verb, state):
    for earlier in before:
        rpc("vm.action", earlier, 0)
        rpc("system.version")
    with refused(2048, f"wrong state {state}"):
        rpc("vm.action", verb, 0)


@pytest.mark.parametrize(("seconds", "state"), [(2, "PROLOG"), (8, "BOOT")])
def test_a_machine_that_comes_up_cannot_be_terminated(slow, rpc, refused, clock, seconds, state):
    number = rpc.create()
    clock.now += seconds
    for verb in ("terminate", "terminate-hard"):
        with refused(2048, f"wrong state {state}"):
            rpc("vm.action", verb, number)
    clock.now += 10
    rpc("vm.action", "terminate-hard", number)
    clock.now += 10
    assert rpc.state(number) == DONE


def test_terminate_again_succeeds_when_it_is_done(rpc):
    for verb in ("terminate", "terminate", "terminate-hard"):
        assert rpc("vm.action", verb, 0) == 0
    assert rpc.state(0) == DONE
    assert rpc.document("vm.info", 0).findtext("ETIME") == "1800000000"


def test_only_the_hard_form_is_taken_during_a_shutdown(slow, rpc, clock, refused):
    rpc("vm.action", "terminate", 0)
    clock.now += 3
    assert rpc.state(0) == SHUTDOWN
    with refused(2048, "wrong state SHUTDOWN"):
        rpc("vm.action", "terminate", 0)
    rpc("vm.action", "terminate-hard", 0)
    clock.now += 10
    assert rpc.state(0) == DONE


def test_what_is_accepted_before_the_state_changes_is_dropped(slow, rpc, clock):
    rpc("vm.action", "suspend", 0)
    assert rpc.state(0) == RUNNING
    assert rpc("vm.action", "terminate-hard", 0) == 0
    clock.now += 20
    assert rpc.state(0) == SUSPENDED


@pytest.mark.parametrize("verb", ["terminate", "poweroff", "undeploy"])
def test_a_guest_may_take_no_notice(cloud, slow, rpc, watch, verb):
    cloud.hypervisor.ignores_acpi = True
    rpc("vm.action", verb, 0)
    assert watch(0)[-1] == RUNNING
    assert rpc.document("vm.info", 0).find("USER_TEMPLATE/ERROR") is None
    rpc("vm.action", f"{verb}-hard", 0)
    assert watch(0)[-1] != RUNNING


def test_a_boot_that_fails(cloud, rpc, refused):
    cloud.hypervisor.deploy_error = "no KVM here"
    number = rpc.create()
    assert rpc.state(number) == (3, 36)
    for verb in ("resume", "poweroff", "reboot"):
        with refused(2048, "wrong state BOOT_FAILURE"):
            rpc("vm.action", verb, number)
    rpc("vm.action", "terminate", number)
    assert rpc.state(number) == DONE


def test_no_room(rpc, clock):
    number = rpc.create('CPU="801"')
    clock.now += 100_000
    assert rpc.state(number) == PENDING
    rpc("vm.action", "terminate", number)
    assert rpc.state(number) == DONE


def test_hold_and_release(slow, rpc, watch, refused):
    number = rpc.create(hold=True)
    assert watch(number) == [HOLD]
    with refused(2048, "wrong state HOLD"):
        rpc("vm.action", "resume", number)
    rpc("vm.action", "release", number)
    assert watch(number) == [PENDING, (3, 1), (3, 2), RUNNING]


def test_hold_before_the_scheduler_comes(slow, rpc, watch):
    number = rpc.create()
    rpc("vm.action", "hold", number)
    assert watch(number)[-1] == HOLD


@pytest.mark.parametrize("verb", ["resched", "unresched", "delete", "delete-recreate"])
def test_verbs_for_administrators(rpc, refused, verb):
    with refused(512, "Not authorized to perform ADMIN VM"):
        rpc("vm.action", verb, 0)


@pytest.mark.parametrize("verb", ["shutdown", "dance", "", "Terminate"])
def test_verbs_that_there_are_not(rpc, refused, verb):
    with refused(2048, "not supported"):
        rpc("vm.action", verb, 0)


def test_an_administrator_can_cut_what_hangs(slow, rpc, admin, clock, refused):
    number = rpc.create()
    clock.now += 2
    with refused(512):
        rpc("vm.recover", number, 3)
    with refused(2048):
        admin("vm.recover", number, 99)
    admin("vm.recover", number, 3)
    clock.now += 10
    assert rpc.state(number) == DONE
    with refused(2048, "DONE"):
        admin("vm.recover", number, 3)


def test_machines_of_others(rpc, neighbour, refused):
    with refused(512, r"User \[3\] : Not authorized to perform MANAGE VM \[0\]"):
        neighbour("vm.action", "poweroff", 0)
    with refused(512, "USE VM"):
        neighbour("vm.info", 0)
    with refused(1024, "Error getting virtual machine"):
        rpc("vm.action", "poweroff", 4711)


def test_a_locked_machine_is_seen_and_not_touched(rpc, admin, refused):
    rpc("vm.lock", 0, 4, False)
    assert rpc.document("vm.info", 0).findtext("LOCK/LOCKED") == "4"
    with refused(512, "MANAGE VM"):
        rpc("vm.action", "poweroff", 0)
    with refused(512):
        rpc("vm.lock", 0, 1, False)
    admin("vm.action", "suspend", 0)
    rpc("vm.unlock", 0)
    assert rpc.document("vm.info", 0).find("LOCK") is None
    rpc("vm.action", "resume", 0)
    assert rpc.state(0) == RUNNING


def test_a_lock_is_taken_off_by_who_put_it_on(rpc, neighbour, refused):
    rpc("vm.lock", 0, 4, False)
    with refused(512):
        neighbour("vm.unlock", 0)
    with refused(1024):
        rpc("vm.unlock", 4711)


def test_lock_levels(rpc, refused):
    rpc("vm.lock", 0, 3, False)
    rpc("vm.action", "poweroff", 0)
    with refused(4096):
        rpc("vm.lock", 0, 9, False)
    with refused(2048):
        rpc("vm.lock", 0, 3, True)
