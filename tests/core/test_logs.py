"""Events: quiet unless wanted, redacted always, never on standard output."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from anabranch.logs import EventLog
from anabranch.redaction import SecretStr

SECRET = "hunter2-s3cret"


@pytest.fixture(autouse=True)
def _default_structlog():
    yield
    structlog.reset_defaults()


def test_events_carry_what_is_bound_and_no_secret(caplog):
    caplog.set_level(logging.DEBUG, "anabranch")
    log = EventLog(cloud="lisbon").bind(operation="list")
    with capture_logs() as events:
        log.debug("one", password=SECRET, url=f"https://me:{SECRET}@h/")
        log.info("two", secret=SecretStr(SECRET), nested={"token": SECRET})
        log.warning("three", cloud="porto")
    assert [(e["event"], e["log_level"]) for e in events] == [
        ("one", "debug"),
        ("two", "info"),
        ("three", "warning"),
    ]
    assert all(e["operation"] == "list" for e in events)
    assert [e["cloud"] for e in events] == ["lisbon", "lisbon", "porto"]
    assert SECRET not in str(events)


def test_what_a_client_or_cloud_says_tells_a_terminal_nothing(caplog):
    caplog.set_level(logging.INFO, "anabranch")
    EventLog().info("e", path="/a\x1b[31m\x07\x9b\u202eé", place="one\ntwo", count=3)
    (record,) = caplog.records
    assert r"/a\x1b[31m\x07\x9b\u202eé" in record.getMessage()
    with capture_logs() as events:
        EventLog().info("e", path="é b", place="one\n\ttwo", count=3)
    assert (events[0]["path"], events[0]["place"], events[0]["count"]) == ("é b", "one\n\ttwo", 3)


def test_the_level_of_the_standard_logger_decides(caplog):
    with capture_logs() as events:
        EventLog().debug("no")
        EventLog().info("no")
        EventLog().warning("yes")
    assert [e["event"] for e in events] == ["yes"]


def test_without_structlog_configured_events_go_to_the_standard_logger(caplog):
    caplog.set_level(logging.INFO, "anabranch")
    assert not structlog.is_configured()
    EventLog(cloud="lisbon").info("cloud.call.failed", token=SECRET)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("anabranch", "INFO")
    assert "cloud.call.failed" in record.getMessage()
    assert "lisbon" in record.getMessage()
    assert SECRET not in record.getMessage()


def test_with_structlog_configured_they_go_where_it_says(caplog):
    caplog.set_level(logging.INFO, "anabranch")
    seen: list[dict[str, object]] = []

    def take(logger, method, event):
        seen.append(dict(event))
        raise structlog.DropEvent

    structlog.configure(processors=[take])
    EventLog(cloud="lisbon").info("hello")
    assert seen == [{"cloud": "lisbon", "event": "hello"}]
    assert caplog.records == []


def _run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )


def test_structlog_is_not_imported_for_what_nobody_wants():
    done = _run(
        "import sys\n"
        "from anabranch.logs import EventLog\n"
        "EventLog().debug('a'); EventLog().info('b')\n"
        "print('structlog' in sys.modules)"
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_nothing_goes_to_standard_output():
    done = _run(
        "import logging\n"
        "from anabranch.logs import EventLog\n"
        "logging.getLogger('anabranch').setLevel(10)\n"
        "log = EventLog(); log.debug('a'); log.info('b'); log.warning('c')"
    )
    assert done.stdout == ""
    assert "c" in done.stderr


def test_no_module_of_core_prints():
    root = Path(__file__).parents[2] / "core/src/anabranch"
    for path in root.rglob("*.py"):
        assert "print(" not in path.read_text().replace("fingerprint(", ""), path
