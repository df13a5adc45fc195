"""The states of instances as a picture."""

from __future__ import annotations

import importlib
from io import BytesIO

import pytest
from PIL import Image

from anabranch import StateMachine
from anabranch_server.deltacloud import documents

KINDS = ("cloudstack", "mock", "opennebula", "openstack", "paci")


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png), formats=["PNG"])


def dark(png: bytes) -> int:
    """How many pixels are drawn in ink."""
    return sum(count for count, color in opened(png).getcolors(10_000) if max(color) < 100)


@pytest.mark.parametrize("kind", KINDS)
def test_each_driver_has_a_picture_and_it_is_the_same_each_time(kind: str):
    machine = importlib.import_module(f"anabranch_{kind}.states").INSTANCE_STATES
    png = documents.states_png(machine)

    assert documents.states_png(machine) == png
    picture = opened(png)
    assert picture.width > picture.height > 100
    assert picture.width < 2000
    border = {
        picture.getpixel((x, y)) for x in range(picture.width) for y in (0, picture.height - 1)
    }
    assert border == {(255, 255, 255)}


def test_every_transition_is_drawn():
    steps = [("START", "create", "PENDING"), ("PENDING", None, "RUNNING")]
    before = dark(documents.states_png(StateMachine(*steps)))
    for step in [
        ("RUNNING", "reboot", "RUNNING"),  # a loop
        ("RUNNING", "stop", "PENDING"),  # back
        ("START", None, "RUNNING"),  # over one
        ("PENDING", "start", "RUNNING"),  # a second action where there is an arrow
        ("RUNNING", "stop", "STOPPED"),  # another state
    ]:
        steps.append(step)
        after = dark(documents.states_png(StateMachine(*steps)))
        assert after > before, step
        before = after


def test_arrows_that_run_side_by_side_have_lanes_of_their_own():
    short = StateMachine(("RUNNING", "stop", "STOPPED"), ("STOPPED", "start", "RUNNING"))
    both = StateMachine(
        ("PENDING", None, "RUNNING"),
        ("RUNNING", "stop", "STOPPED"),
        ("STOPPED", "start", "RUNNING"),
        ("STOPPED", "start", "PENDING"),
    )

    assert opened(documents.states_png(both)).height > opened(documents.states_png(short)).height


def test_a_machine_without_states_is_an_empty_picture():
    assert dark(documents.states_png(StateMachine())) == 0
