"""What is said about the conformance kit is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from anabranch.testing.conformance import CHECKS, DriverConformance

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/how-to/conformance.md").read_text()


def test_the_suite_of_the_page_runs(tmp_path):
    for path, program in re.findall(r'^```python title="(.*?)"\n(.*?)^```$', TEXT, re.M | re.S):
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(program.replace("acme", "openstack"))
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", "garbage"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert "garbage_is_typed                 passed" in done.stdout
    assert f"1 of {len(CHECKS)} checks" in done.stdout


def test_what_a_suite_can_say_is_an_attribute_of_it():
    cells = re.findall(r"^\| (`.*?) \|", TEXT, re.M)
    names = {name.strip("` ") for cell in cells for name in cell.split(",")}
    said = {name for name in vars(DriverConformance.__mro__[-2]) if not name.startswith("_")}
    assert names >= set(DriverConformance.__mro__[-2].__annotations__) - {"kind", "simulator"}
    assert names <= said
