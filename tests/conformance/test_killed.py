"""The program is ended in the middle: it goes at once, and leaves nothing half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest
import yaml

from anabranch import Broker
from anabranch.testing.fleet import simulated_kinds

PROGRAM = str(Path(sys.executable).with_name("anabranch"))
KINDS = simulated_kinds()


@pytest.fixture
def ended(tmp_path):
    """Runs the program, ends it once a cloud has heard of it, and returns its exit code."""

    def run(fleet, number: int, *arguments: str) -> int:
        file = tmp_path / "anabranch.yaml"
        file.write_text(yaml.safe_dump(fleet.document()))
        for cloud in fleet.clouds.values():
            cloud.requests.reset()
        process = subprocess.Popen(
            [PROGRAM, "--config", str(file), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
        )
        deadline = time.monotonic() + 20
        while not hanging(fleet) and time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        assert connections(process.pid) > 0
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert b"Traceback" not in out + err
        assert sorted(os.listdir(tmp_path)) == ["anabranch.yaml"]
        return process.returncode

    return run


def hanging(fleet) -> bool:
    """Whether every cloud has been asked what it never answers."""
    return all(
        any(cloud.behaviour.faults[0].applies(*request) for request in cloud.requests)
        for cloud in fleet.clouds.values()
    )


def connections(pid: int) -> int:
    """The sockets of a process."""
    folder = Path(f"/proc/{pid}/fd")
    return sum(os.readlink(link).startswith("socket:") for link in folder.iterdir())


CASES = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]


@pytest.mark.parametrize(("number", "code"), CASES)
def test_in_the_middle_of_a_fan_out(simulated_fleet, ended, number, code):
    fleet = simulated_fleet(**dict.fromkeys(KINDS, 1))
    fleet.break_with(["hang"])
    assert ended(fleet, number, "instances", "list", "--timeout", "60") == code


@pytest.mark.parametrize(("number", "code"), CASES)
@pytest.mark.parametrize("kind", KINDS)
def test_in_the_middle_of_a_create(simulated_fleet, ended, creates, spec_of, kind, number, code):
    fleet = simulated_fleet(**{kind: 1}, instances=2)

    async def look(broker: Broker):
        async with broker:
            spec = await spec_of(broker, kind)
            return spec, {instance.id for instance in await broker.instances.list()}

    configuration = fleet.configuration(timeout=20)
    spec, before = anyio.run(look, Broker(configuration))
    fleet.break_with([f"hang:{creates[kind]}"])
    arguments = ["--image", spec.image_id, "--hardware-profile", spec.hardware_profile_id]
    if spec.name:
        arguments += ["--name", spec.name]
    assert ended(fleet, number, "instances", "create", f"{kind}-1", *arguments) == code
    assert anyio.run(look, Broker(configuration)) == (spec, before)
