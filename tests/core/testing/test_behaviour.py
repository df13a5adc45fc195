from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anabranch.testing.simulation import Behaviour, Fault, FaultKind, RequestLog


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("hang", Fault(kind=FaultKind.HANG)),
        (" reset ", Fault(kind=FaultKind.RESET)),
        ("401", Fault(kind=FaultKind.UNAUTHORIZED)),
        ("503:/servers", Fault(kind=FaultKind.UNAVAILABLE, path="/servers")),
        ("429x3", Fault(kind=FaultKind.RATE_LIMITED, times=3)),
        ("garbage: GET /a/*", Fault(kind=FaultKind.GARBAGE, method="GET", path="/a/*")),
        (
            "resetx12:POST /x86",
            Fault(kind=FaultKind.RESET, times=12, method="POST", path="/x86"),
        ),
    ],
)
def test_a_fault_is_read_from_text(text, fault):
    assert Fault.parse(text) == fault


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "write KIND"),
        ("hang x", "write KIND"),
        ("418", "use one of 401, 403, 404, 409, 429, 500, 503, broken"),
        ("explode", "unknown fault 'explode'"),
        ("429x0", "at least once"),
        ("refuse", "serve"),
    ],
)
def test_a_bad_fault_says_what_would_be_good(text, hint):
    with pytest.raises(ValueError, match=hint):
        Fault.parse(text)


@given(st.text())
def test_any_text_is_a_fault_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        assert isinstance(Fault.parse(text), Fault)


def test_a_fault_applies_to_a_part_of_the_path_or_to_a_pattern_of_the_whole():
    assert Fault.parse("hang:/servers").applies("GET", "/compute/v2.1/servers/detail")
    assert not Fault.parse("hang:/servers*").applies("GET", "/compute/v2.1/servers/detail")
    assert Fault.parse("hang:*/servers*").applies("GET", "/compute/v2.1/servers/detail")
    assert not Fault.parse("hang:POST /servers").applies("GET", "/servers")


def test_faults_are_taken_in_order_and_count_down():
    behaviour = Behaviour()
    behaviour.break_with(["503x2:/a", Fault(kind=FaultKind.RESET, times=1)])
    taken = [behaviour.take_fault("GET", path) for path in ("/a", "/b", "/a", "/a", "/b")]
    assert [fault and fault.kind.value for fault in taken] == [
        *("unavailable", "reset", "unavailable"),
        *(None, None),
    ]
    assert behaviour.faults == []


@pytest.mark.parametrize("field", [{"latency": -1}, {"state_delay": -0.1}, {"page_size": 0}])
def test_a_behaviour_without_a_meaning_is_refused(field):
    with pytest.raises(ValueError, match=r"zero or more|at least one"):
        Behaviour(**field)


def test_the_request_log_is_bounded_and_its_totals_are_not():
    log = RequestLog(size=2)
    for path in ("/a", "/b", "/c"):
        log.record("GET", path, f"of={path}")
    log.record("POST", "/c")
    assert [tuple(request) for request in log] == [("GET", "/c"), ("POST", "/c")]
    assert (len(log), log.total, log.totals) == (2, 4, {"GET": 3, "POST": 1})
    assert log.queries == ("of=/b", "of=/c")
    assert (log.count("/c"), log.count("/c", "POST"), log.count("/a")) == (2, 1, 0)
    log.reset()
    assert (len(log), log.total, log.queries) == (0, 0, ())
