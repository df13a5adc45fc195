"""Ten OpenStack clouds, four of them broken, each in its own way, by Python and by command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from anabranch import Broker, Configuration
from anabranch.testing.simulation import Behaviour, Fault, serve
from anabranch_openstack.simulator import simulator

BROKEN = {
    "hangs": "DeadlineExceeded",
    "unavailable": "CloudUnavailable",
    "refuses": "CloudUnavailable",
    "locked-out": "AuthenticationError",
}
NAMES = ["one", "two", "hangs", "three", "unavailable", "four", "refuses", "locked-out"]
NAMES += ["five", "six"]
INSTANCES = 10
PAGE = 4


@pytest.fixture(scope="module")
def entries():
    """The entries of the ten for `anabranch.yaml`; a list of theirs takes two and a half pages."""
    faults = {"hangs": ["hang"], "unavailable": ["503"]}
    clouds = [
        simulator.cloud(
            name,
            instances=INSTANCES,
            behaviour=Behaviour(
                page_size=PAGE, faults=[Fault.parse(text) for text in faults.get(name, ())]
            ),
        )
        for name in NAMES
    ]
    with serve(clouds, refuse=["refuses"]) as urls:
        found = {cloud.name: cloud.settings(urls[cloud.name]) for cloud in clouds}
        found["locked-out"]["auth"]["password"] = "hunter2"
        yield found


def check(envelope):
    assert envelope["complete"] is False
    assert [report["name"] for report in envelope["clouds"]] == NAMES
    for report in envelope["clouds"]:
        if report["name"] in BROKEN:
            assert (report["status"], report["count"]) == ("failed", 0)
            assert report["error"]["type"] == BROKEN[report["name"]]
        else:
            assert (report["status"], report["count"]) == ("ok", INSTANCES)
    ids = {(item["cloud"], item["id"]) for item in envelope["items"]}
    assert len(ids) == len(envelope["items"]) == INSTANCES * 6


@pytest.fixture
def broker(entries):
    return Broker(Configuration(clouds=entries))


async def test_six_are_listed_in_full_and_four_are_named(broker):
    async with broker:
        answer = await broker.instances.list(timeout=1.5, require=6)
        check(answer.to_dict())
        assert answer.cloud("hangs").elapsed_ms >= 1500
        assert "hunter2" not in repr(answer.to_dict())


async def test_every_collection_comes_in_pages(broker):
    async with broker:
        for collection in (broker.images, broker.hardware_profiles):
            answer = await collection.list(clouds=["one"])
            assert answer.complete
            assert len(answer) > PAGE


@pytest.mark.parametrize(("require", "code"), [("any", 3), ("6", 3), ("7", 4), ("all", 4)])
def test_the_command_line_says_the_same(entries, tmp_path, require, code):
    (tmp_path / "anabranch.yaml").write_text(yaml.safe_dump({"clouds": entries}, sort_keys=False))
    program = Path(sys.executable).with_name("anabranch")
    done = subprocess.run(
        [
            *(program, "instances", "list", "--timeout", "1.5"),
            *("--require", require, "--format", "json"),
        ],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == code
    check(json.loads(done.stdout))
    for name in BROKEN:
        assert name in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
