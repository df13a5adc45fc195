"""The programs of the how-tos do what the pages say."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

CLOUDS = """
clouds:
  lisbon: {driver: mock}
  porto: {driver: mock}
  faro: {driver: mock, faults: [{kind: unavailable}]}
timeout: 5
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A directory with a configuration; it is the one where the program runs."""
    (tmp_path / "anabranch.yaml").write_text(CLOUDS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(here, blocks):
    """Run a program of a page beside the page's other files, and return what it prints."""

    def start(page: str, title: str) -> str:
        for block in blocks(page):
            if block.title:
                (here / block.title).write_text(block.text)
        command = [sys.executable, title]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return start


@pytest.fixture
def load(here, program, monkeypatch):
    """Import a program of a page as a module."""

    def start(page: str, title: str):
        file = here / title
        file.write_text(program(page, title))
        spec = importlib.util.spec_from_file_location(f"docs_{file.stem}", file)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return start


EMBED = "docs/how-to/embed.md"


def test_an_async_program(run):
    lines = run(EMBED, "inventory.py").splitlines()
    assert "lisbon/inst0 RUNNING" in lines
    assert "faro failed: down for maintenance" in lines
    assert len(lines) == 9


def test_a_requirement(run):
    assert "2 of 3 clouds answered in full, 3 are required" in run(EMBED, "strict.py")


def test_arrivals(run):
    lines = run(EMBED, "arrivals.py").splitlines()
    assert sorted(lines[:2]) == ["lisbon 4", "porto 4"]
    assert lines[2:] == ["lisbon ok True", "porto ok True", "faro failed True"]


def test_part_by_part(run):
    assert run(EMBED, "parts.py").splitlines() == [
        "20 lisbon porto",
        "15 lisbon",
        "10 lisbon",
        "5",
    ]


def test_an_action(run):
    assert run(EMBED, "restart.py").splitlines() == [
        "RUNNING",
        "there is no such machine",
        "faro: stop_instance: down for maintenance (try again later)",
    ]


def test_a_configuration_in_code(run):
    assert int(run(EMBED, "in_code.py")) > 0


def test_clouds_that_come_and_go(run):
    alice, bob = run(EMBED, "guests.py").split()
    assert alice == bob != "0"


SCRIPT = "docs/how-to/script.md"


def test_a_script(run, here):
    stopped = "{driver: mock, dataset: generated, instances: 30}"
    (here / "anabranch.yaml").write_text(f"clouds: {{lisbon: {stopped}}}")
    lines = run(SCRIPT, "stopped.py").splitlines()
    assert lines
    assert all(line.startswith("lisbon/") for line in lines)


def test_a_portal(run):
    assert run(SCRIPT, "portal.py").splitlines() == [
        "8 machines, 1 clouds not in full",
        "MockUserInstance STOPPED",
    ]


def test_the_shell(reader):
    (reader.folder / "anabranch.yaml").write_text(CLOUDS)
    reader.read(SCRIPT)


def test_plugins(reader):
    reader.read("docs/how-to/plugins.md")


def routes(client):
    """What the page says of both applications."""
    answer = client.get("/instances").json()
    assert answer["complete"] is False
    assert len(answer["items"]) == 8
    assert [c["status"] for c in answer["clouds"]] == ["ok", "ok", "failed"]
    assert len(client.get("/instances", params={"cloud": ["porto"]}).json()["items"]) == 4
    assert client.get("/instances", params={"cloud": ["faro"]}).status_code == 502
    assert client.get("/instances", params={"cloud": ["nowhere"]}).status_code == 404
    stopped = client.post("/instances/lisbon/inst1/stop")
    assert (stopped.status_code, stopped.json()["state"]) == (200, "STOPPED")
    assert client.post("/instances/lisbon/inst99/stop").status_code == 404
    failed = client.post("/instances/faro/inst1/stop")
    assert failed.status_code == 502
    assert failed.json()["error"]["type"] == "CloudUnavailable"


@pytest.mark.filterwarnings("ignore:Using `httpx`")  # the other one is not needed by us
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_fastapi(load, backend):
    from starlette.testclient import TestClient

    app = load("docs/how-to/web.md", "api.py").app
    with TestClient(app, backend=backend) as client:
        routes(client)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_litestar(load, backend):
    from litestar.testing import TestClient

    app = load("docs/how-to/web.md", "app.py").app
    with TestClient(app, backend=backend) as client:
        routes(client)


WRAP = "docs/how-to/wrap-hooks.md"


def test_wrappers(run):
    assert run(WRAP, "wrapped.py").splitlines() == [
        "lisbon: stop_instance: there is no instance 'inst99'. Did you mean 'inst3'?",
        "lisbon stop_instance ok",
        "lisbon stop_instance NotFound",
    ]
