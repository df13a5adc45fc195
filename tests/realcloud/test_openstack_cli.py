"""A machine's life on a real OpenStack, by the command line and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def anabranch(tmp_path, private_network):
    """Runs the program, and returns what it prints as JSON."""
    clouds_file = Path(os.environ.get("OSLAB_STATE", "/var/tmp/oslab")) / "clouds.yaml"
    (tmp_path / "anabranch.yaml").write_text(
        f"clouds:\n  lab: {{driver: openstack, cloud: oslab, clouds_file: {clouds_file}, "
        f"default_network: {private_network}}}\ntimeout: 60\n"
    )
    program = Path(sys.executable).with_name("anabranch")

    def run(*arguments: str, code: int = 0):
        done = subprocess.run(
            [program, *arguments, "--format", "json"],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=170,
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        assert "demo-secret" not in done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout else None

    return run


@pytest.fixture
def named(anabranch, unique):
    """A name; what has it is destroyed in the end."""
    yield unique
    for kind, options in (("images", ()), ("instances", ("--wait",))):
        for found in anabranch(kind, "list")["items"]:
            if found["name"].startswith(unique):
                anabranch(kind, "destroy", f"lab/{found['id']}", "--yes", *options)


def test_the_life_of_a_machine(anabranch, named):
    lists = {
        name: anabranch(name, "list")
        for name in ("realms", "hardware-profiles", "images", "instances", "keys")
    }
    for name, answer in lists.items():
        assert answer["complete"] is True, name
        assert answer["clouds"][0]["status"] == "ok"
        assert all(item["cloud"] == "lab" and item["id"] for item in answer["items"])
    image = next(i for i in lists["images"]["items"] if i["name"] == "tiny-linux")
    profile = next(p for p in lists["hardware-profiles"]["items"] if p["name"] == "m1.nano")

    def state(of: str) -> str:
        return anabranch("instances", "show", of)["platform_state"]

    made = anabranch(
        *("instances", "create", "lab", "--name", named, "--image", image["id"], "--wait"),
        *("--hardware-profile", profile["id"], "--tag", "role=test"),
    )
    machine = f"lab/{made['id']}"
    assert (made["state"], made["tags"]) == ("RUNNING", {"role": "test"})
    assert state(machine) == "ACTIVE"
    anabranch("instances", "stop", machine, "--wait")
    assert state(machine) == "SHUTOFF"
    anabranch("instances", "start", machine, "--wait")
    assert state(machine) == "ACTIVE"
    anabranch("instances", "reboot", machine, "--wait")
    assert state(machine) == "ACTIVE"
    renamed = anabranch("instances", "rename", machine, f"{named}-b")
    assert renamed["name"] == f"{named}-b"
    found = anabranch("instances", "list", "--filter", f"name={named}-b,state=running")
    assert [i["id"] for i in found["items"]] == [made["id"]]
    copy = anabranch("images", "create", "lab", "--instance", made["id"], "--name", named)
    anabranch("images", "destroy", f"lab/{copy['id']}", "--yes")
    anabranch("instances", "destroy", machine, "--yes", "--wait")
    anabranch("instances", "show", machine, code=1)
    anabranch("instances", "destroy", machine, "--yes")
