"""`anabranch simulate`, as people run it beside their own programs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time

import pytest
import yaml

from .conftest import PROGRAM


@pytest.fixture
def simulate(folder):
    """Starts the program; returns it and its configuration, once that is there."""
    running = []

    def start(*arguments):
        process = subprocess.Popen(
            [PROGRAM, "simulate", *arguments, "--write", "fleet.yaml"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )
        running.append(process)
        file = folder / "fleet.yaml"
        while process.poll() is None:
            if file.exists() and (text := file.read_text()).endswith("\n"):
                return process, yaml.safe_load(text)
            time.sleep(0.05)
        raise AssertionError(process.communicate()[1])

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_a_fleet_is_served_until_it_is_told_to_end(simulate, program):
    process, document = simulate(
        "--openstack", "2", "--instances", "3", "--fault", "openstack-2=503:/servers"
    )
    assert list(document["clouds"]) == ["openstack-1", "openstack-2"]
    listed = program("--config", "fleet.yaml", "instances", "list", "--format", "csv")
    assert listed.code == 3
    assert listed.out.count("openstack-1,") == 3
    assert "openstack-2: " in listed.err
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert out.splitlines()[0].split() == ["name", "driver", "url"]
    assert "anabranch: openstack-1: 2 requests (POST 1, GET 1)" in err
    assert "export ANABRANCH_CONFIG=fleet.yaml" in err
    assert "Traceback" not in err


def test_ports_that_are_chosen_are_the_same_every_time(simulate):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process, document = simulate("--openstack", "1", "--port", str(port))
    assert f":{port}/" in document["clouds"]["openstack-1"]["auth"]["auth_url"]
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0


def test_a_temporary_configuration_goes_with_the_fleet(program):
    done = program("simulate", "--openstack", "1", "--for", "0.1", "--format", "json")
    assert done.code == 0
    (line,) = [line for line in done.err.splitlines() if "ANABRANCH_CONFIG=" in line]
    assert not os.path.exists(line.partition("=")[2])
    assert yaml.safe_load(done.out)[0]["name"] == "openstack-1"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("--openstack 1 --fault flood", "unknown fault 'flood'"),
        ("--openstack 1 --fault lisbon=503", "no simulated cloud is called 'lisbon'"),
        ("--openstack 1 --fault 503:/a=b --write anabranch.yaml", "exists already"),
        ("--acme 1", "No such option: --acme"),
    ],
)
def test_mistakes_are_told_before_anything_is_served(cli, arguments, text):
    done = cli(f"simulate {arguments}")
    assert done.code == 2
    assert text in done.error
    assert done.out == ""


def test_a_port_that_is_taken_is_told(cli):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = cli(f"simulate --openstack 1 --port {port}")
    assert (done.code, done.out) == (2, "")
    assert f"port {port} of 127.0.0.1: Address already in use" in done.error


def test_without_simulators_it_says_what_to_install(cli, monkeypatch):
    monkeypatch.setattr("anabranch.testing.fleet.entry_points", lambda **_: [])
    done = cli("simulate")
    assert done.code == 1
    assert "pip install 'anabranch-cli[demo]'" in done.error
