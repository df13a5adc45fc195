"""The page about Deltacloud's API says what the server does."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import sys
from pathlib import Path

import anyio
import pytest

ROOT = Path(__file__).parents[2]
PAGE = "docs/reference/deltacloud.md"
SOURCES = ROOT / "frontends/server/src"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    spec = importlib.util.spec_from_file_location("page", ROOT / "scripts/deltacloud_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in [name for name in sys.modules if name.startswith("reference_pages")]:
        del sys.modules[name]


def test_the_page_is_what_the_server_does(script, blockbuster):
    blockbuster.deactivate()
    told = (ROOT / PAGE).read_text().splitlines()
    found = anyio.run(script.page).splitlines()
    assert found == told, "run .venv/bin/python scripts/deltacloud_reference.py"


def kinds_in_code() -> set[str]:
    """What is written as the kind of a problem."""
    found = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "kind":
                found.add(getattr(node.value, "value", None))
    return {kind for kind in found if isinstance(kind, str) and kind[0].isupper()}


def test_every_kind_of_problem_is_documented():
    section = (ROOT / PAGE).read_text().partition("\n## Errors\n")[2]
    cells = re.findall(r"^\| (.*?) \|", section, re.M)
    documented = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert kinds_in_code() - documented == set()


def headers_in_code() -> set[str]:
    """Names of headers of Deltacloud's and our own, as the code writes them."""
    found = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                text = node.value.decode() if isinstance(node.value, bytes) else node.value
                if re.fullmatch(r"x-(deltacloud|anabranch|backend)-[\w-]*\w", text, re.I):
                    found.add(text.lower())
    return found


def test_every_header_is_documented():
    page = (ROOT / PAGE).read_text().lower()
    assert len(headers_in_code()) > 4
    assert {name for name in headers_in_code() if f"`{name}" not in page} == set()


@pytest.mark.timeout(180)
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_segments_are_sent_with_curl(reader):
    reader.read(PAGE)
