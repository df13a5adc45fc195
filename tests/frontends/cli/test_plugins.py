"""`anabranch plugins`, and the rest of the program, beside plugins that are broken."""

import json
import os

import pytest

KINDS = {"cloudstack", "mock", "opennebula", "openstack", "paci"}
GOOD = """
from anabranch.hooks import DriverSpec
from anabranch.settings import CloudSettings

class Driver(DriverSpec[CloudSettings]):
    title = "Acme \\x1b[31m"
    settings_type = CloudSettings

driver = Driver()
"""


@pytest.fixture
def install(tmp_path):
    """Puts distributions where the program finds them; returns the environment for it."""
    site = tmp_path / "site"

    def put(name: str, source: str, *, kind: str = "", group: str = "drivers", **files: str):
        package = site / name.replace("-", "_")
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(source)
        for file, text in files.items():
            (package / f"{file}.json").write_text(text)
        about = site / f"{package.name}-1.2.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        point = f"[anabranch.{group}]\n{kind or name} = {package.name}:driver\n"
        (about / "entry_points.txt").write_text(point)
        return {"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}

    return put


def test_what_is_broken_is_a_row_and_the_rest_is_listed(install, program):
    install("exits", "import sys; sys.exit(7)")
    install("prints", "print('data'); 1 / 0")
    report = json.dumps({"kind": "acme", "level": "gold", "version": "1.2"})
    install("acme", GOOD, conformance=report)
    install("one-mock", "1 / 0", kind="mock")
    environment = install("future", GOOD.replace("title", "api_version = 9\n    title"))
    done = program("plugins", "--format", "json", **environment)
    assert done.code == 3
    rows = {row["kind"]: row for row in json.loads(done.out.removeprefix("data\n"))}
    assert rows.keys() == KINDS | {"exits", "prints", "acme", "future"}
    good = {kind for kind, row in rows.items() if not row["error"]}
    assert good == (KINDS | {"acme"}) - {"mock"}
    assert rows["acme"]["level"] == "gold"
    assert (rows["acme"]["distribution"], rows["acme"]["version"]) == ("acme", "1.2")
    assert "cannot be imported: SystemExit(7)" in rows["exits"]["error"]
    assert "version 9 of the contract, this is version 1" in rows["future"]["error"]
    assert "offered by anabranch-mock and one-mock. Say which with" in rows["mock"]["error"]
    assert done.err.count("\n") == 4
    listed = program("instances", "list", **environment)
    assert listed.code == 4
    assert "driver 'mock' is offered by anabranch-mock and one-mock" in listed.err
    pinned = program(
        "instances", "list", ANABRANCH_PLUGINS__PIN__MOCK="anabranch_mock", **environment
    )
    assert (pinned.code, pinned.err) == (0, "")


def test_the_table_has_the_error_and_nothing_that_a_terminal_obeys(install, program):
    environment = install("acme", GOOD)
    install("broken", "raise ValueError('\\x1b[2J')")
    done = program("plugins", **environment)
    lines = {line.split()[0]: line for line in done.out.splitlines()}
    assert lines["kind"].split()[-3:] == ["level", "load_ms", "error"]
    assert "ValueError" in lines["broken"]
    assert "\x1b" not in done.out + done.err


def test_a_distribution_with_unreadable_entry_points_hides_no_other(install, program, tmp_path):
    environment = install("acme", GOOD)
    for name, group in (("garbage", "anabranch.drivers"), ("of-others", "console_scripts")):
        about = tmp_path / "site" / f"{name}-1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Name: {name}\nVersion: 1\n")
        (about / "entry_points.txt").write_text(f"[{group}]\nno equals sign\n")
    done = program("plugins", "--format", "json", **environment)
    assert done.code == 3
    rows = {row["kind"]: row for row in json.loads(done.out)}
    assert rows.keys() == KINDS | {"acme", "?"}
    assert rows["?"]["distribution"] == "garbage"
    assert "the entry points of garbage cannot be read" in done.err
    assert program("instances", "list", **environment).code == 0
    assert "--openstack" in program("simulate", "--help", **environment).out
    assert program("simulate", "--for", "0", "--paci", "1", **environment).code == 0


def test_what_is_denied_is_no_failure(install, program):
    environment = install("broken", "1 / 0")
    denied = {**environment, "ANABRANCH_PLUGINS__DENY": '["broken"]'}
    done = program("plugins", "--format", "json", **denied)
    assert (done.code, done.err) == (0, "")
    row = next(row for row in json.loads(done.out) if row["kind"] == "broken")
    assert (row["allowed"], row["load_ms"]) == (False, None)
    allowed = {**environment, "ANABRANCH_PLUGINS__ALLOW": '["paci"]'}
    done = program("instances", "list", **allowed)
    assert done.code == 4
    assert "driver 'mock' is not allowed by the plugin rules" in done.err


def test_calls_are_traced_on_stderr(program):
    done = program("instances", "list", "--format", "json", ANABRANCH_TRACE_PLUGINS="1")
    assert json.loads(done.out)["complete"]
    assert "cloud=porto plugin=mock hook=list_instances(cursor, where) ok " in done.err
    assert all(line.startswith("anabranch trace: ") for line in done.err.splitlines())


def test_a_broken_simulator_keeps_no_other_from_being_served(install, program):
    install("broken", "import sys; sys.exit(7)", group="simulators")
    install("nonsense", "driver = None", group="simulators")
    install("odd", "driver = None", kind="Odd kind!", group="simulators")
    install("instances", "driver = None", group="simulators")
    environment = install("two", "1 / 0", kind="paci", group="simulators")
    served = program("simulate", "--for", "0", "--format", "json", **environment)
    assert served.code == 0, served.err
    names = {cloud["name"] for cloud in json.loads(served.out)}
    assert names == {"cloudstack-1", "opennebula-1", "openstack-1"}
    assert "the simulator of broken, of broken, cannot be imported: SystemExit(7)" in served.err
    assert "the simulator of nonsense is none: nonsense:driver is None" in served.err
    assert "the simulator of paci is offered by anabranch-paci and two" in served.err
    asked = program("simulate", "--broken", "1", **environment)
    assert asked.code == 1
    assert "cannot be imported: SystemExit(7)" in asked.error
    shown = program("demo", "--once", "--clouds", "3", "--format", "json", **environment)
    assert shown.code == 0, shown.err
    assert "the simulator of broken" in shown.err
