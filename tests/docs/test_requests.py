"""What an operation costs upstream is what the documentation says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import anyio
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def table():
    spec = importlib.util.spec_from_file_location("table", ROOT / "scripts/request_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_requests_of_every_operation_are_those_of_the_page(table, blockbuster):
    blockbuster.deactivate()
    told = (ROOT / "docs/reference/requests.md").read_text().splitlines()
    found = anyio.run(table.page).splitlines()
    assert found == told, "run .venv/bin/python scripts/request_table.py, and say why it changed"
