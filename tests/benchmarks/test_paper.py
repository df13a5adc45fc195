"""The comparison with the paper: what it times is what it says, and what it keeps agrees."""

import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import msgspec
import pytest
from benchmarks import pages
from benchmarks.paper import measure, overhead, report
from benchmarks.paper.clouds import Clouds, clouds
from benchmarks.paper.direct import Direct
from benchmarks.paper.figures import PLATFORMS, figures_of
from benchmarks.paper.things import Things
from benchmarks.paper.wire import Request

SCALE = 0.1
"""The clouds are so many times as slow as the paper's."""


@pytest.fixture(scope="module")
def served() -> Iterator[Clouds]:
    with clouds(SCALE) as running:
        yield running


def test_the_papers_ratios_are_those_that_its_readers_know():
    ratios = sorted(row.ratio for kind in PLATFORMS for row in figures_of(kind).values())
    assert len(ratios) == 35
    assert round(ratios[0], 2) == 1.04
    assert round(ratios[-1]) == 71
    assert round(ratios[17], 1) == 3.6


@pytest.mark.parametrize("kind", PLATFORMS)
def test_each_operation_is_one_call_and_can_be_repeated(
    kind: str, served: Clouds, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(measure, "_ROUNDS", (2, 2))
    with served.fast():
        direct = Direct(kind, served.entries[kind])
    with closing(direct):
        found = list(measure.rows(kind, served, direct, log=pytest.fail))
    assert [row.operation for row in found] == list(figures_of(kind))
    for row in found:
        assert (row.calls, row.trips) == (1, 1), row.operation
        assert SCALE * row.paper_direct_s <= row.direct_s < 10 * row.paper_direct_s, row.operation


def test_calls_that_overlap_are_one_round_trip(served: Clouds):
    with contextlib.ExitStack() as stack:
        ways = [
            stack.enter_context(closing(Direct("paci", served.entries["paci"]))) for _ in range(3)
        ]
        requests = ways[0].requests(Things())
        served.traffic()
        with ThreadPoolExecutor() as threads:
            for way in ways:
                threads.submit(way.perform, requests["List Images"])
        ways[0].perform(requests["List Instances"])
        assert served.traffic() == (4, 2)
        with served.fast():
            ways[0].perform(requests["List Images"])
        assert served.traffic() == (0, 0)


def test_page_and_picture_are_those_of_the_results():
    results = overhead.Results.read()
    assert [(row.platform, row.operation) for row in results.rows] == [
        (kind, operation) for kind in PLATFORMS for operation in figures_of(kind)
    ]
    _, part, _ = pages.part_of(pages.PAGE.read_text(), overhead.PART)
    assert part == overhead.page_part(results)
    assert overhead.PICTURE.read_text() == report.picture(results.rows)
    assert f"assets/{overhead.PICTURE.name}" in pages.PAGE.read_text()


def test_the_results_hold_the_papers_figures():
    for row in overhead.Results.read().rows:
        figures = figures_of(row.platform)[row.operation]
        assert row.paper_direct_s == figures.direct_s
        assert row.paper_ratio == pytest.approx(figures.ratio)


def test_the_kept_results_are_plain_json():
    document = json.loads(overhead.RESULTS.read_text())
    assert msgspec.convert(document, overhead.Results) == overhead.Results.read()


def test_a_call_that_the_paper_did_not_time_is_told(served: Clouds):
    with closing(Direct("paci", served.entries["paci"])) as way:
        way.perform(Request("GET", "/schedule"))
    with pytest.raises(RuntimeError, match=r"GET /paci/v1\.0/schedule"):
        served.traffic()
