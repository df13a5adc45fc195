"""The program as a process: signals, pipes, terminals, completion, what it imports."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

from .conftest import PROGRAM


def test_version_and_help(program):
    assert program("--version").out.startswith("anabranch 0.")
    assert program("--help").out.startswith("Usage: anabranch [OPTIONS] COMMAND")
    bare = program()
    assert (bare.code, bare.out) == (2, "")
    assert "Usage: anabranch" in bare.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ended_in_the_middle_it_says_nothing(folder, number, code):
    (folder / "anabranch.yaml").write_text("clouds: {x: {driver: mock, faults: [{kind: hang}]}}")
    process = subprocess.Popen(
        [PROGRAM, "instances", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(1.0)
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (code, b"", b"")


def test_sigterm_ends_it_where_ctrl_c_is_ignored_as_in_the_background_of_a_script(folder):
    (folder / "anabranch.yaml").write_text("clouds: {x: {driver: mock, faults: [{kind: hang}]}}")
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"trap '' INT; exec '{PROGRAM}' instances list --timeout 8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (143, b"", b"")


@pytest.mark.parametrize("format", ["table", "ndjson"])
def test_a_closed_pipe_is_quiet(folder, format):
    (folder / "anabranch.yaml").write_text(
        "clouds: {x: {driver: mock, dataset: generated, instances: 3000}}"
    )
    read, write = os.pipe()
    process = subprocess.Popen(
        [PROGRAM, "instances", "list", "-f", format], stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    os.read(read, 10)
    os.close(read)
    _, err = process.communicate(timeout=20)
    assert err == b""
    assert process.returncode in (0, 141)


def on_a_terminal(arguments, answer=b"", **environment):
    """Run the program with a terminal on all three, and return its code and what it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "xterm-256color", "COLUMNS": "160", **environment})
        os.execv(PROGRAM, [PROGRAM, *arguments])
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
        if answer and b"?" in shown:
            os.write(terminal, answer)
            answer = b""
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode()


# pty.fork in a process with threads (of a server, of xdist) is a warning on newer Pythons
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def test_colours_on_a_terminal_only(folder, program):
    code, shown = on_a_terminal(["instances", "list"])
    assert code == 0
    assert "\x1b[" in shown
    assert "\x1b[3" not in on_a_terminal(["--no-color", "instances", "list"])[1]
    assert "\x1b[3" not in on_a_terminal(["instances", "list"], NO_COLOR="1")[1]
    assert "\x1b" not in program("instances", "list", FORCE_COLOR="1").out


def test_a_narrow_terminal_leaves_out_what_has_no_room(folder):
    code, shown = on_a_terminal(["--no-color", "instances", "list"], COLUMNS="45")
    assert code == 0
    lines = re.sub(r"\x1b\[\d*m", "", shown).splitlines()
    assert lines[0].split()[:3] == ["cloud", "id", "name"]
    assert "no room for: " in lines[-1]
    assert "--columns" in lines[-1]
    assert all(len(line) <= 45 for line in lines[:-1])
    assert any(line.startswith("porto   inst5") for line in lines)
    chosen = on_a_terminal(["instances", "list", "--columns", "image_id,name"], COLUMNS="20")[1]
    assert "Mock Instance With Profile Change" in chosen.replace("\r\n", "")


def test_who_is_awaited_is_shown_on_a_terminal(folder):
    (folder / "anabranch.yaml").write_text(
        "clouds: {quick: {driver: mock}, slow: {driver: mock, latency: 1.0}}"
    )
    code, shown = on_a_terminal(["instances", "list"])
    assert code == 0
    assert "waiting for slow" in shown
    assert "waiting for quick" not in shown


def test_destroy_asks_on_a_terminal(folder):
    target = ["instances", "destroy", "porto/inst2"]
    code, shown = on_a_terminal(target, b"n\n")
    assert code != 0
    assert "Destroy porto/inst2?" in shown
    assert "destroyed" not in shown
    code, shown = on_a_terminal(target, b"y\n")
    assert (code, "destroyed" in shown) == (0, True)


def complete(program, words, **environment):
    line = "anabranch " + words
    done = program(
        _ANABRANCH_COMPLETE="complete_bash",
        COMP_WORDS=line,
        COMP_CWORD=str(len(line.split(" ")) - 1),
        **environment,
    )
    assert done.err == ""
    return done.out.split()


def test_completion(program, folder):
    assert complete(program, "inst") == ["instances"]
    assert complete(program, "instances li") == ["list"]
    assert complete(program, "instances list --cloud ") == ["lisbon", "porto", "evora"]
    assert complete(program, "instances list --cloud p") == ["porto"]
    assert complete(program, "instances stop li") == ["lisbon/"]
    assert complete(program, "instances list --driver m") == ["mock"]
    assert "json" in complete(program, "instances list --format ")
    (folder / "anabranch.yaml").write_text("no: [yaml")
    assert complete(program, "instances list --cloud ") == []


def modules(*arguments, **environment):
    """The modules that a run of the program imports."""
    code = (
        "import json, sys\n"
        "from anabranch_cli.main import invoke\n"
        f"invoke({list(arguments)!r})\n"
        "print('\\n' + json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_what_is_not_needed_is_not_imported(folder):
    heavy = {"rich", "pydantic", "structlog", "anyio", "httpx", "msgspec", "yaml", "anabranch"}
    assert not modules("--help") & heavy
    listing = modules("instances", "list")
    assert not listing & {"rich", "pydantic", "pydantic_settings", "structlog", "platformdirs"}
    assert "anabranch_openstack" not in listing


def test_only_the_drivers_of_the_selected_clouds_are_imported(folder):
    (folder / "anabranch.yaml").write_text(
        "clouds: {a: {driver: mock}, b: {driver: openstack, auth: {auth_url: 'http://x'}}}"
    )
    assert "anabranch_openstack" not in modules("instances", "list", "--cloud", "a")
    assert "anabranch_openstack" not in modules("instances", "show", "a/inst0")
    assert "anabranch_openstack" not in modules("instances", "list", "--driver", "mock")


class TestDemo:
    def test_once(self, program):
        done = program("demo", "--once", "--clouds", "3", "--instances", "2", "-f", "json")
        assert done.code == 0, done.err
        answer = json.loads(done.out)
        status = {cloud["name"]: cloud["status"] for cloud in answer["clouds"]}
        assert sorted(status.values()) == ["failed"] * 3 + ["ok"] * 3
        assert status["memory"] == "ok"
        assert len(answer["items"]) == 6
        for name in ("broken", "refusing", "locked-out"):
            assert f"anabranch: {name}: " in done.err
        assert "3 of 6 clouds answered in full" in done.err

    def test_without_simulators_it_names_the_extra(self, cli, monkeypatch):
        monkeypatch.setattr("anabranch.testing.fleet.entry_points", lambda **_: [])
        done = cli("demo --once")
        assert done.code == 1
        assert "pip install 'anabranch-cli[demo]'" in done.error

    def test_serving_on_until_ctrl_c(self, folder):
        process = subprocess.Popen(
            [PROGRAM, "demo", "--clouds", "2", "--instances", "1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        file = ""
        for line in process.stderr:
            if "ANABRANCH_CONFIG=" in line:
                file = line.strip().partition("=")[2]
            if "capabilities" in line:
                break
        done = subprocess.run(
            [PROGRAM, "--config", file, "instances", "list", "--cloud", "lisbon", "-f", "json"],
            capture_output=True,
            check=True,
        )
        assert len(json.loads(done.stdout)["items"]) == 1
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
        assert process.returncode == 0, err
        assert not os.path.exists(file)
