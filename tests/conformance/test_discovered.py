"""What people already have is found, written without a secret, and works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PROGRAM = str(Path(sys.executable).with_name("anabranch"))


@pytest.fixture
def program(tmp_path):
    """Runs the program with a home and a working directory of its own, and these variables."""

    def run(*arguments: str, **variables: str):
        environment = {**os.environ, "HOME": str(tmp_path), **variables}
        return subprocess.run(
            [PROGRAM, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


def openstack(settings, folder):
    auth = {f"OS_{name.upper()}": value for name, value in settings["auth"].items()}
    return {**auth, "OS_REGION_NAME": settings["region_name"]}, settings["auth"]["password"]


def opennebula(settings, folder):
    file = folder / "my_one_auth"
    file.write_text(f"{settings['username']}:{settings['password']}\n")
    return {"ONE_AUTH": str(file), "ONE_XMLRPC": settings["endpoint"]}, settings["password"]


def cloudstack(settings, folder):
    names = ("endpoint", "key", "secret")
    return {f"CLOUDSTACK_{name.upper()}": settings[name] for name in names}, settings["secret"]


def cloudstack_ini(settings, folder):
    lines = "\n".join(f"{name} = {settings[name]}" for name in ("endpoint", "key", "secret"))
    (folder / ".cloudstack.ini").write_text(f"[cloudstack]\n{lines}\n")
    return {}, settings["secret"]


@pytest.mark.parametrize(
    ("kind", "have"),
    [
        ("openstack", openstack),
        ("opennebula", opennebula),
        ("cloudstack", cloudstack),
        ("cloudstack", cloudstack_ini),
    ],
)
def test_it_is_found_and_works(simulated_fleet, program, tmp_path, kind, have):
    fleet = simulated_fleet(**{kind: 1}, instances=3)
    settings = fleet.document()["clouds"][f"{kind}-1"]
    variables, secret = have(settings, tmp_path)
    found = program("clouds", "discover", "--write", "anabranch.yaml", **variables)
    assert found.returncode == 0, found.stderr
    text = (tmp_path / "anabranch.yaml").read_text()
    assert secret not in text + found.stdout + found.stderr
    (entry,) = yaml.safe_load(text)["clouds"].values()
    assert entry["driver"] == kind
    checked = program("clouds", "check", "-f", "json", **variables)
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)[0]["status"] == "ok"
    listed = program("instances", "list", "-f", "json", **variables)
    assert len(json.loads(listed.stdout)["items"]) == 3
    assert secret not in listed.stdout + listed.stderr + checked.stdout
