"""clouds, capabilities, plugins, config."""

import json

import pytest
import yaml

from anabranch.testing.simulation import serve
from anabranch_openstack.simulator import simulator


@pytest.fixture
def openstack(folder):
    """A configuration with simulated OpenStack clouds: one good, and three that are not."""
    made = [simulator.cloud(name, instances=3) for name in ("good", "refusing", "locked")]
    broken = simulator.cloud("broken", instances=3)
    broken.behaviour.break_with(["503"])
    with serve([*made, broken], refuse=["refusing"]) as urls:
        entries = {cloud.name: cloud.settings(urls[cloud.name]) for cloud in [*made, broken]}
        entries["locked"]["auth"]["password"] = "Wr0ngPassw0rd"
        (folder / "anabranch.yaml").write_text(yaml.safe_dump({"clouds": entries}))
        yield entries


def test_clouds_are_listed_without_a_word_to_them(cli):
    done = cli("clouds list -f json")
    assert json.loads(done.out) == [
        {"name": name, "driver": "mock"} for name in ("lisbon", "porto", "evora")
    ]


def test_check_tells_as_whom_or_why_not(program, openstack):
    done = program("clouds", "check", "-f", "json")
    assert done.code == 3
    found = {item["name"]: item for item in json.loads(done.out)}
    assert found["good"]["status"] == "ok"
    assert "demo" in found["good"]["account"]
    assert found["good"]["endpoint"].startswith("http://127.0.0.1:")
    kinds = {name: item["error"] and item["error"]["type"] for name, item in found.items()}
    assert kinds["locked"] == "AuthenticationError"
    assert kinds["refusing"] == kinds["broken"] == "CloudUnavailable"
    assert "locked: " in done.err
    assert "Wr0ngPassw0rd" not in done.out + done.err
    assert program("clouds", "check", "--cloud", "locked").code == 4
    assert program("clouds", "check", "--cloud", "good").code == 0


def test_a_listing_of_real_protocol(program, openstack):
    done = program("instances", "list", "-f", "json", "-vv")
    assert done.code == 3
    answer = json.loads(done.out)
    assert len(answer["items"]) == 3
    assert {c["name"]: c["status"] for c in answer["clouds"]} == {
        "good": "ok",
        "refusing": "failed",
        "locked": "failed",
        "broken": "failed",
    }
    assert "cloud.call.failed" in done.err, "-vv logs"
    for secret in ("Wr0ngPassw0rd", openstack["good"]["auth"]["password"]):
        assert f"{secret!r}" not in done.out + done.err
        assert f'"{secret}"' not in done.out + done.err


def test_discover_prints_and_writes_entries_without_secrets(program, folder):
    (folder / "clouds.yaml").write_text(
        "clouds: {home: {auth: {auth_url: 'http://127.0.0.1:5000/v3', username: me, "
        "password: Hunter2Hunter2, project_name: p}}}"
    )
    (folder / "anabranch.yaml").unlink()
    done = program("clouds", "discover", "-f", "json")
    assert done.code == 0
    (found,) = json.loads(done.out)
    assert (found["name"], found["driver"]) == ("home", "openstack")
    assert program("clouds", "discover", "--write", "anabranch.yaml").code == 0
    assert "Hunter2" not in (folder / "anabranch.yaml").read_text()
    assert program("config", "check").code == 0
    again = program("clouds", "discover", "--write", "anabranch.yaml")
    assert (again.code, "exists already" in again.error) == (2, True)
    assert yaml.safe_load(program("clouds", "discover", "--write", "-").out)["clouds"]["home"]


def test_discover_of_nothing(program):
    done = program("clouds", "discover")
    assert (done.code, done.out) == (0, "")
    assert "none found" in done.err


def test_capabilities_of_one_cloud_and_of_all(cli, folder):
    (folder / "anabranch.yaml").write_text(
        "clouds: {a: {driver: mock}, b.c: {driver: mock, lacks: [stop_instance]}}"
    )
    one = cli("capabilities b.c --probe")
    assert one.code == 0
    (line,) = [line for line in one.out.splitlines() if line.startswith("stop_instance ")]
    assert line.split()[:2] == ["stop_instance", "no"]
    assert len(line.split()) > 2, "with the reason"
    both = cli("capabilities --probe")
    (line,) = [line for line in both.out.splitlines() if line.startswith("stop_instance ")]
    assert line.split() == ["stop_instance", "yes", "no"]
    document = json.loads(cli("capabilities --probe -f json").out)
    assert document["a"]["create_instance"]["offered"] is True
    assert "user_data" in document["a"]["create_instance"]["features"]
    assert document["b.c"]["stop_instance"]["reason"]
    assert cli("capabilities a -f csv").out.startswith("operation,a,reason\n")


def test_capabilities_of_the_drivers_that_are_installed(cli, folder):
    (folder / "anabranch.yaml").unlink()
    lines = cli("capabilities").out.splitlines()
    kinds = lines[0].split()[1:]
    assert kinds == ["cloudstack", "mock", "opennebula", "openstack", "paci"]
    row = next(line.split() for line in lines if line.startswith("open_blob "))
    assert dict(zip(kinds, row[1:], strict=True))["paci"] == "no"
    assert dict(zip(kinds, row[1:], strict=True))["mock"] == "yes"
    (folder / "anabranch.yaml").write_text("clouds: {a: {driver: mock}}")
    assert cli("capabilities").out.splitlines()[0].split() == ["operation", "a", "reason"]
    assert cli("capabilities --installed").out.splitlines() == lines
    only = cli("capabilities --installed --driver paci -f csv").out
    assert only.startswith("operation,paci,reason\n")
    wrong = cli("capabilities --installed --driver acme")
    assert wrong.code == 2
    assert "there is no driver 'acme'" in wrong.error


def test_plugins(cli):
    infos = json.loads(cli("plugins -f json").out)
    assert {"mock", "openstack"} <= {info["kind"] for info in infos}
    assert not [info["error"] for info in infos if info["error"]]


def test_config_check_tells_every_problem(cli, folder):
    assert cli("config check").code == 0
    (folder / "anabranch.yaml").write_text(
        "clouds: {a: {driver: mook}, b: {driver: mock, page_sise: 1}, c: {driver: mock}}"
    )
    done = cli("config check -f json")
    assert done.code == 2
    problems = json.loads(done.out)
    assert [(p["cloud"], p["field"]) for p in problems] == [("a", "driver"), ("b", "page_sise")]
    assert all(p["remedy"] for p in problems)
    assert "1 of 3 clouds are configured well" in done.err


def test_config_path_and_schema(cli, folder):
    assert cli("config path").out == "anabranch.yaml\n"
    (folder / "anabranch.yaml").unlink()
    assert cli("config path").code == 2
    assert "clouds" in cli("config schema").out
    assert "auth_url" in cli("config schema openstack").out
    assert "odd_data" in cli("config schema mock").out  # one of its defaults is a secret
