"""The states, as the table of the README has them."""

import pytest

from anabranch.states import InstanceAction, InstanceState
from anabranch_opennebula.states import ACTIVE, INSTANCE_STATES, view

S = InstanceState


@pytest.mark.parametrize(
    ("states", "ours", "busy"),
    [
        ([0, 1, 10], S.PENDING, True),
        ([2, 4, 5, 8, 9], S.STOPPED, False),
        ([6], S.FINISH, False),
        ([7, 11], S.ERROR, False),
    ],
)
def test_states(states, ours, busy):
    assert {(view(s, 0).state, view(s, 0).busy) for s in states} == {(ours, busy)}


@pytest.mark.parametrize(
    ("lcm_states", "ours", "busy"),
    [
        ([3], S.RUNNING, False),
        ([4, 7, 8, 17, 24, 25, 26, 57, 59, 60, 62, 66, 69], S.RUNNING, True),
        ([0, 1, 2, 9, 15, 19, 20, 21, 22, 31, 32, 35], S.PENDING, True),
        ([5, 6, 10, 11, 12, 18, 23, 29, 30], S.STOPPING, True),
        (
            [27, 28, 33, 34, 43, 45, 51, 52, 53, 54, 56, 63, 64, 65, 67, 68, 70, 71],
            *(S.STOPPED, True),
        ),
        ([*range(36, 43), 44, *range(46, 51), 61], S.ERROR, False),
        ([16], S.UNKNOWN, False),
    ],
)
def test_lcm_states(lcm_states, ours, busy):
    found = {(view(ACTIVE, s).state, view(ACTIVE, s).busy) for s in lcm_states}
    assert found == {(ours, busy)}


def test_names():
    assert view(ACTIVE, 3).platform_state == "RUNNING"
    assert view(8, 3).platform_state == "POWEROFF"
    assert view(ACTIVE, 36).platform_state == "BOOT_FAILURE"
    assert view(ACTIVE, 50).platform_state == "PROLOG_UNDEPLOY_FAILURE"
    assert view(ACTIVE, 71).platform_state == "RESTORE"


def test_what_is_not_known_is_shown():
    assert view(ACTIVE, 99)[:2] == (S.UNKNOWN, "ACTIVE 99")
    assert view(77, 3)[:2] == (S.UNKNOWN, "STATE 77")
    assert InstanceAction.DESTROY in view(77, 3).actions


def test_actions_are_those_of_the_machine():
    for state in range(12):
        for lcm_state in range(72):
            found = view(state, lcm_state)
            assert set(found.actions) <= set(INSTANCE_STATES.actions(found.state))
    assert not view(6, 0).actions
