"""The whole comparison with the paper: measured, printed, kept."""

from __future__ import annotations

import platform
import statistics
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.daemon import daemon
from benchmarks.pages import ROOT, write_part
from benchmarks.paper import report
from benchmarks.paper.api import Api
from benchmarks.paper.clouds import clouds
from benchmarks.paper.figures import PLATFORMS
from benchmarks.paper.measure import Row, rows

__all__ = ["PICTURE", "RESULTS", "Results", "page_part", "run"]

RESULTS = Path(__file__).with_name("results.json")
PICTURE = ROOT / "docs" / "assets" / "overhead.svg"
PART = "overhead"


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    taken: str
    python: str
    rows: list[Row]

    @classmethod
    def read(cls) -> Results:
        """Those that the documentation shows."""
        return msgspec.json.decode(RESULTS.read_bytes(), type=cls)


def run(*, write: bool) -> None:
    """Measure and print the table; `write` keeps it, with its picture, in the documentation."""
    print("\nThe operations of the paper: on the platform, and through /api")
    found: list[Row] = []
    with clouds() as served, daemon(served.entries) as server:
        for kind in PLATFORMS:
            headers = {"X-Deltacloud-Driver": kind, "X-Deltacloud-Provider": kind}
            with closing(Api(kind, server.url, headers)) as api:
                found += rows(kind, served, api, log=lambda line: print(line, file=sys.stderr))
    print(report.text(found))
    print(_summary(found))
    if write:
        results = Results(
            taken=f"{datetime.now(UTC):%Y-%m-%d}", python=platform.python_version(), rows=found
        )
        encoded = msgspec.json.format(msgspec.json.encode(results), indent=1)
        RESULTS.write_bytes(encoded + b"\n")
        PICTURE.write_text(report.picture(found))
        write_part(PART, page_part(results))


def page_part(results: Results) -> str:
    """What the page says of a run."""
    head = f"Taken on {results.taken}, CPython {results.python}. {_summary(results.rows)}"
    return f"{head}\n\n{report.markdown(results.rows)}"


def _summary(found: Sequence[Row]) -> str:
    ours, theirs = [row.ratio for row in found], [row.paper_ratio for row in found]
    within = sum(ratio <= 1.10 for ratio in ours)
    return (
        f"{within} of {len(found)} operations take at most 1.10 times as long through the API; "
        f"the median is {statistics.median(ours):.2f} (2014: {statistics.median(theirs):.2f}), "
        f"the worst {max(ours):.2f} (2014: {max(theirs):.2f})."
    )
