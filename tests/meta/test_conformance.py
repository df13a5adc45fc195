"""Each of our drivers publishes a level, and it is the highest.

That it is so, now, is for its suite: a run that finds otherwise fails.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from anabranch.testing.conformance import CHECKS, ConformanceReport, Level, level_of

PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.mark.parametrize("kind", sorted(path.name for path in PLUGINS.iterdir() if path.is_dir()))
def test_what_is_published_is_whole(kind):
    member = PLUGINS / kind
    assert (member / "tests" / "test_conformance.py").is_file()
    file = member / "src" / f"anabranch_{kind}" / "conformance.json"
    report = msgspec.json.decode(file.read_bytes(), type=ConformanceReport)
    project = tomllib.loads((member / "pyproject.toml").read_text())["project"]
    told = report.kind, report.distribution, report.version
    assert told == (kind, project["name"], project["version"]), "run scripts/conformance.py"
    assert set(report.checks) == set(CHECKS)
    assert report.level is level_of(report.outcomes) is Level.GOLD
