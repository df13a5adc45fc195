"""Write the conformance.json of our drivers, as their suites find them now.

Each goes into the driver's package, where `anabranch plugins` reads it; a run of the suites fails
when it is out of date. Run it with `.venv/bin/python scripts/conformance.py`.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PUBLISHED = "plugins/{kind}/src/anabranch_{kind}/conformance.json"

if __name__ == "__main__":
    suites = sorted(ROOT.glob("plugins/*/tests/test_conformance.py"))
    report = f"--conformance-report={ROOT / PUBLISHED}"
    sys.exit(pytest.main(["-q", report, *map(str, suites)]))
