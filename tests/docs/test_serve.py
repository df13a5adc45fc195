"""What the page about serving shows is what curl gets, in both ways to serve."""

from __future__ import annotations

import shutil

import pytest

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


def test_the_walk_with_curl(reader):
    reader.read("docs/how-to/serve.md")
