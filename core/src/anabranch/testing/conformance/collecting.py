"""Collects what became of the checks in a run of pytest, and reports it at the end.

What a test process finds travels with its reports, so that a run on several processes
(pytest-xdist) is put together by the one that started them.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Generator, Mapping
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from anabranch.errors import PluginError
from anabranch.plugins import DRIVER_GROUP
from anabranch.testing.conformance.base import BACKENDS, ConformanceBase
from anabranch.testing.conformance.levels import CHECKS, Level, Outcome
from anabranch.testing.conformance.report import CheckResult, ConformanceReport, merged

__all__ = ["OPTION", "ConformanceCollector"]

OPTION: Final = "--conformance-report"
_PROPERTY: Final = "anabranch.conformance"
_KIND: Final = "{kind}"
_SAID: Final = {"make_account", "make_cloud", "make_entry", "pytestmark"}
"""What a suite may have of its own, beside the attributes."""
_PUBLISHED: Final = "published"
_FILE: Final = "conformance.json"


class ConformanceCollector:
    """The part of the plugin for pytest that makes the report of each suite.

    Args:
        file: Where to write it as JSON; may hold `{kind}`. Empty: nowhere.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self._results: dict[str, dict[str, dict[str, CheckResult]]] = {}
        self._about: dict[str, dict[str, Any]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put what became of a check into its report."""
        report = yield
        suite = getattr(item, "cls", None)
        if not (isinstance(suite, type) and issubclass(suite, ConformanceBase)):
            return report
        check = getattr(item, "originalname", item.name).removeprefix("test_")
        result = _evaded(suite, item, report) or _result(check, suite, report, call)
        if check in CHECKS and result is not None:
            parts = item.nodeid.split("::")
            found = {
                "suite": "::".join(parts[:-1]),
                "about": _about(suite),
                "check": check,
                "backend": _backend(item),
                "result": msgspec.to_builtins(result),
            }
            report.user_properties.append((_PROPERTY, found))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take it out again, in the process that collects."""
        for name, value in report.user_properties:
            if name != _PROPERTY:
                continue
            found: Any = value
            result = msgspec.convert(found["result"], CheckResult)
            place: str = found["suite"]
            backend: str = found["backend"]
            runs = self._results.setdefault(place, {}).setdefault(found["check"], {})
            runs[backend] = merged([result, *filter(None, [runs.get(backend)])])
            self._about[place] = found["about"]

    def reports(self) -> dict[str, ConformanceReport]:
        """The report of each suite, by its place in the tests.

        What ran on one back end only has not been kept, and does not count as run.
        """
        return {
            suite: ConformanceReport.of(
                {
                    check: merged(runs.values())
                    for check, runs in results.items()
                    if runs.keys() >= BACKENDS or Outcome.FAILED in _outcomes(runs)
                },
                {name: told for name, told in self._about[suite].items() if name != _PUBLISHED},
            )
            for suite, results in self._results.items()
        }

    def outdated(self) -> dict[str, str]:
        """The published reports that this run contradicts, by the kind of driver."""
        found: dict[str, str] = {}
        for suite, report in self.reports().items():
            file = self._about[suite][_PUBLISHED]
            if file and report.whole and not _agrees(Path(file), report):
                found[report.kind] = file
        return found

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file that was asked for, and fail a run that contradicts what is published."""
        if hasattr(session.config, "workerinput"):
            return
        if self._file:
            self._write()
        if self.outdated() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self) -> None:
        reports = list(self.reports().values())
        if _KIND not in self._file:
            reports = reports[:1]
        for report in reports:
            file = Path(self._file.replace(_KIND, report.kind))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(report.document())

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what level each driver reached, and what the next one asks for."""
        reports = self.reports()
        if not reports:
            return
        terminalreporter.section("conformance")
        for report in reports.values():
            head, *lines = report.lines(all_checks=terminalreporter.verbosity > 0)
            reached = report.level in (Level.SILVER, Level.GOLD)
            terminalreporter.write_line(head, bold=True, green=reached, yellow=not reached)
            for line in lines:
                terminalreporter.write_line(line)
        for kind, file in self.outdated().items():
            terminalreporter.write_line(
                f"{kind}: {file} says something else: publish what is so, {OPTION}={file}", red=True
            )
        if self._file and _KIND not in self._file and len(reports) > 1:
            terminalreporter.write_line(
                f"{OPTION} holds the first of {len(reports)} suites: {_KIND} in the name of the"
                " file makes one for each",
                yellow=True,
            )


def _backend(item: pytest.Item) -> str:
    callspec: Any = getattr(item, "callspec", None)
    return str(callspec.params.get("anyio_backend", "")) if callspec else ""


def _outcomes(runs: Mapping[str, CheckResult]) -> set[Outcome]:
    return {result.outcome for result in runs.values()}


def _evaded(
    suite: type[ConformanceBase], item: pytest.Item, report: pytest.TestReport
) -> CheckResult | None:
    """What a check comes to that the suite does not let take its course; None: it does."""
    marked = [m.name for m in item.iter_markers() if m.name in ("skip", "skipif", "xfail")]
    if replaced := _replaced(suite):
        reason = f"the suite has {', '.join(replaced)} of its own in the place of the kit's"
    elif marked and (report.skipped or hasattr(report, "wasxfail")):
        reason = f"the suite has marked it {marked[0]}"
    else:
        return None
    return CheckResult(
        outcome=Outcome.FAILED, reason=f"{reason}. What is not kept is exempt, with a reason"
    )


def _replaced(suite: type[ConformanceBase]) -> list[str]:
    """What of the kit a suite has replaced that is not for it to say."""
    kit = [cls for cls in suite.__mro__ if cls.__module__.startswith(f"{__package__}.")]
    known = {name for cls in kit for name in vars(cls) if not name.startswith("__")}
    said = {name for cls in kit for name in inspect.get_annotations(cls)} | _SAID
    own = {name for cls in suite.__mro__ if cls not in kit for name in vars(cls)}
    return sorted(own & (known - said))


def _result(
    check: str,
    suite: type[ConformanceBase],
    report: pytest.TestReport,
    call: pytest.CallInfo[None],
) -> CheckResult | None:
    """What became of a check in one phase of its test; None: nothing yet."""
    if report.failed and call.excinfo is not None:
        reason = str(call.excinfo.value) or call.excinfo.exconly()
        if not isinstance(call.excinfo.value, pytest.fail.Exception):
            reason = call.excinfo.exconly()
        return CheckResult(outcome=Outcome.FAILED, reason=reason)
    if report.skipped and call.excinfo is not None:
        outcome = Outcome.EXEMPT if check in suite.exempt else Outcome.SKIPPED
        return CheckResult(outcome=outcome, reason=str(call.excinfo.value))
    if report.when == "call" and report.passed:
        return CheckResult(outcome=Outcome.PASSED)
    return None


def _about(suite: type[ConformanceBase]) -> dict[str, Any]:
    """What a report says beside the checks."""
    about: dict[str, Any] = {
        "kind": suite.kind or suite.__name__,
        "budget": dict(suite.budget),
        _PUBLISHED: "",
    }
    if suite.driver is None:
        for point in entry_points(group=DRIVER_GROUP, name=suite.kind):
            if point.dist is not None:
                about |= {"distribution": point.dist.name, "version": point.dist.version}
    with suppress(PluginError):
        driver = suite.registry().driver(suite.kind)
        about["api_version"] = driver.api_version
        package = sys.modules[type(driver).__module__.partition(".")[0]]
        if suite.driver is None and package.__file__:
            file = Path(package.__file__).with_name(_FILE)
            about[_PUBLISHED] = str(file) if file.is_file() else ""
    return about


def _agrees(file: Path, report: ConformanceReport) -> bool:
    try:
        published = msgspec.json.decode(file.read_bytes(), type=ConformanceReport)
    except (OSError, msgspec.MsgspecError):
        return False
    return report.agrees(published)
