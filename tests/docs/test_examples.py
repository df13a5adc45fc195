"""The programs in the documentation run, as they stand there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import types
from pathlib import Path

import anyio
import pytest
import yaml

from anabranch import Broker, Configuration, FeatureNotSupported, NotFound, PluginRegistry
from anabranch.models import InstanceSpec
from anabranch.redaction import SecretStr
from anabranch.testing import Fault, FaultKind

ROOT = Path(__file__).parents[2]


DOCS = [p for p in sorted(ROOT.glob("docs/**/*.md")) if p.parent.name != "decisions"]
READMES = [ROOT / "README.md", *sorted(ROOT.glob("plugins/*/README.md"))]


def test_every_page_that_shows_programs_or_commands_is_run(blocks):
    """By a test in this directory, which names the page; what has no title is a fragment."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for page in (str(path.relative_to(ROOT)) for path in DOCS):
        for block in blocks(page):
            if block.language == "console" or (block.language == "python" and block.title):
                assert f'"{page}"' in tests, f"{page} is run by no test"
            elif block.language == "python":
                compile(block.text, page, "exec")


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_what_a_readme_writes_into_the_configuration_can_be_written_there(blocks, readme):
    registry = PluginRegistry()
    entries = []
    for block in blocks(str(readme.relative_to(ROOT))):
        if block.language == "yaml":
            document = yaml.safe_load(block.text)
            entries += document.get("clouds", {}).values()
            assert set(document) <= {"clouds", "timeout", "require", "plugins", "faults"}
    assert entries
    for entry in entries:
        known = registry.driver(entry["driver"]).settings_type
        assert set(entry) <= set(known.__struct_encode_fields__), entry


def programs(page: str) -> list[str]:
    found = re.findall(r"^```python[^\n]*\n(.*?)^```$", (ROOT / page).read_text(), re.M | re.S)
    assert found, f"{page} shows no program"
    return found


def test_the_program_of_the_readme_runs(tmp_path):
    (program,) = programs("README.md")
    (tmp_path / "anabranch.yaml").write_text(
        "clouds:\n"
        "  sandbox: {driver: mock}\n"
        "  broken: {driver: mock, faults: [{kind: unavailable}]}\n"
        "timeout: 5\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert "broken failed" in done.stdout
    assert "sandbox 4" in done.stdout


def test_the_test_of_the_how_to_passes(tmp_path):
    (program,) = programs("docs/how-to/simulate.md")
    (tmp_path / "test_inventory.py").write_text(program)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_the_faults_of_the_how_to_are_faults(simulated_fleet):
    page = (ROOT / "docs/how-to/simulate.md").read_text()
    table = page.partition("| kind | what happens |")[2].partition("\n\n")[0]
    words = re.findall(r"`([^`]+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.M)))
    assert {Fault.parse(word).kind for word in words} == set(FaultKind)
    fleet = simulated_fleet(openstack=2, opennebula=1, paci=1)
    (line,) = re.findall(r"^`(--fault \S+=.*?)`", page, re.M)
    faults = [word for word in shlex.split(line) if word != "--fault"]
    assert len(faults) == 3
    for fault in faults:
        where, _, what = fault.partition("=")
        fleet.break_with([what], where=where)


@pytest.fixture
def acme() -> types.ModuleType:
    (program,) = programs("docs/how-to/write-a-driver.md")
    module = types.ModuleType("acme")
    sys.modules["acme"] = module
    exec(compile(program, "acme.py", "exec"), vars(module))
    yield module
    del sys.modules["acme"]


PAGES = {
    "/vms": b'{"vms": [{"id": "1", "label": "one", "up": true}], "next": "1"}',
    "/vms?after=1": b'{"vms": [{"id": "2", "label": "two", "up": false}]}',
}


async def serve(stream: anyio.abc.SocketStream) -> None:
    async with stream:
        request = await stream.receive()
        path = request.split()[1].decode()
        body = PAGES.get(path, b"no such thing")
        if b"x-api-key: hunter2" not in request.lower():
            status = b"401 Unauthorized"
        elif path in PAGES:
            status = b"200 OK"
        else:
            status = b"404 Not Found"
        length = str(len(body)).encode()
        await stream.send(
            b"HTTP/1.1 "
            + status
            + b"\r\nconnection: close\r\ncontent-length: "
            + length
            + b"\r\n\r\n"
            + body
        )


async def test_the_driver_of_the_how_to_drives(acme):
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    account = acme.driver.account(f"http://127.0.0.1:{port}", "someone", SecretStr("hunter2"))
    entry = {**account, "driver": "acme"}
    clouds = {"one": entry, "two": {**entry, "api_key": "wrong"}}
    registry = PluginRegistry(drivers={"acme": acme.driver}, points=[])
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        async with Broker(Configuration(clouds=clouds), registry=registry) as broker:
            answer = await broker.instances.list()
            assert [(i.cloud, i.id, i.state.value) for i in answer] == [
                ("one", "1", "RUNNING"),
                ("one", "2", "STOPPED"),
            ]
            assert answer.cloud("two").error.type == "AuthenticationError"
            with pytest.raises(NotFound, match="one: stop_instance"):
                await broker.instances.stop("one/7")
            with pytest.raises(FeatureNotSupported, match="user_data"):
                await broker.instances.create("one", InstanceSpec(image_id="i", user_data=b"x"))
        group.cancel_scope.cancel()
