"""Requests per second: what wrk tells is read, and what is kept agrees."""

import shutil

import pytest
from benchmarks import pages, throughput

TOLD = """\
Running 5s test @ http://127.0.0.1:40447/api/instances
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    42.18ms   12.55ms 210.40ms   91.50%
    Req/Sec   760.12     99.99     0.91k    50.00%
  Latency Distribution
     50%  850.00us
     75%   43.11ms
     90%   50.02ms
     99%    1.10s
  3790 requests in 5.01s, 612.33MB read
"""


def test_what_wrk_tells_is_read():
    told = TOLD + "Requests/sec:    756.49\nTransfer/sec:    122.22MB\n"
    assert throughput.read("XML", told, 2.0) == throughput.Load(
        title="XML",
        per_second=756.49,
        per_cpu_second=1895.0,
        p50=0.85,
        p99=1100.0,
        errors=0,
        non_2xx=0,
    )


def test_what_went_wrong_is_counted():
    told = (
        f"{TOLD}  Socket errors: connect 1, read 2, write 3, timeout 4\n"
        "  Non-2xx or 3xx responses: 16\nRequests/sec:    756.49\n"
    )
    load = throughput.read("XML", told, 2.0)
    assert (load.errors, load.non_2xx) == (10, 16)


def test_without_wrk_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    throughput.run(write=True)
    assert "apt-get install wrk" in capsys.readouterr().out


def test_the_page_is_that_of_the_results():
    _, part, _ = pages.part_of(pages.PAGE.read_text(), throughput.PART)
    assert part == throughput.page_part(throughput.Results.read())
