"""`anabranch COLLECTION list`: one mechanism for all collections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anabranch_cli.columns import columns_of
from anabranch_cli.options import (
    Clouds,
    Columns,
    Drivers,
    Extra,
    Filter,
    Format,
    FormatOption,
    NoHeader,
    Require,
    Sort,
    Timeout,
    View,
    check_require,
    complete_targets,
)
from anabranch_cli.session import ExitCode, Session, sentence, session, tell, write

if TYPE_CHECKING:
    from anabranch import Answer, CloudReport, Configuration, FanOut

__all__ = ["Listing", "check_fields", "list_blobs", "list_command", "verdict"]


def list_command(collection: str) -> Callable[..., int]:
    """Return the command that lists a collection over all clouds."""
    return list_blobs if collection == "blobs" else _list_command(collection)


def _list_command(collection: str) -> Callable[..., int]:
    def list_all(
        ctx: typer.Context,
        cloud: Clouds = None,
        driver: Drivers = None,
        filter: Filter = None,
        require: Require = None,
        timeout: Timeout = None,
        format: FormatOption = Format.TABLE,
        columns: Columns = None,
        sort: Sort = None,
        extra: Extra = False,
        no_header: NoHeader = False,
    ) -> int:
        view = View(format, columns, sort, extra=extra, no_header=no_header)
        check_require(require)
        here = session(ctx)
        configuration = here.clouds(cloud, driver)
        listing = Listing(here, collection, configuration, view, require)
        return listing.run(filter, timeout)

    words = collection.replace("_", " ")
    list_all.__doc__ = f"""List {words} over all clouds at once.

    What arrived is written whatever became of the other clouds; each that failed is told on
    stderr, with the remedy. As JSON and YAML the answer is one object: complete, items, clouds;
    as NDJSON items come while they arrive, and the last line tells complete and clouds.
    """
    return list_all


def list_blobs(
    ctx: typer.Context,
    bucket: Annotated[
        str,
        typer.Argument(metavar="CLOUD/BUCKET", help="The bucket.", autocompletion=complete_targets),
    ],
    filter: Filter = None,
    timeout: Timeout = None,
    format: FormatOption = Format.TABLE,
    columns: Columns = None,
    sort: Sort = None,
    extra: Extra = False,
    no_header: NoHeader = False,
) -> int:
    """List the blobs of a bucket."""
    from anabranch import QualifiedId

    where = QualifiedId.parse(bucket)
    view = View(format, columns, sort, extra=extra, no_header=no_header)
    here = session(ctx)
    configuration = here.clouds([where.cloud])
    listing = Listing(here, "blobs", configuration, view, None)
    return listing.run(filter, timeout, bucket_id=where.id)


class Listing:
    """One listing: what is asked, and how it is shown."""

    def __init__(
        self,
        here: Session,
        collection: str,
        configuration: Configuration,
        view: View,
        require: str | None,
    ) -> None:
        self._session, self._collection, self._view = here, collection, view
        self._configuration = configuration
        self._require = require or configuration.require

    def run(self, filter: str | None, timeout: float | None, **arguments: Any) -> int:
        """Ask all clouds, write what came, and return the exit code.

        Raises:
            ConfigurationError: a field in the filter or among the columns is none.
        """
        from anabranch import OPERATIONS, Broker, Ops, parse_filter

        operation = OPERATIONS[f"list_{self._collection}"]
        check_fields(operation.model(), self._view)
        wanted = parse_filter(filter, operation.model()) if filter else None

        async def main() -> int:
            async with Broker(self._configuration) as broker:
                hook: Any = getattr(Ops, operation.name)
                fan_out: FanOut[Any] = broker.fan_out(
                    hook,
                    timeout=timeout,
                    where=wanted.where if wanted else None,
                    keep=wanted.keep if wanted else None,
                    **arguments,
                )
                return await self._show(fan_out, filtered=wanted is not None)

        return self._session.run(main)

    async def _show(self, fan_out: FanOut[Any], *, filtered: bool) -> int:
        from anabranch import Answer
        from anabranch_cli.progress import watched

        def awaited() -> list[str]:
            return fan_out.awaited

        if self._view.format is Format.NDJSON:
            await watched(self._session, awaited, lambda: self._stream(fan_out))
            answer: Answer[Any] = Answer([], fan_out.clouds, {})
        else:
            answer = await watched(self._session, awaited, fan_out.answer)
            self._write(answer, filtered=filtered)
        return verdict(answer, f"list_{self._collection}", self._require)

    async def _stream(self, fan_out: FanOut[Any]) -> None:
        import sys

        from anabranch import to_builtins
        from anabranch_cli.render import json_line

        async with fan_out as arrivals:
            async for arrival in arrivals:
                for item in arrival.items:
                    write(json_line(to_builtins(item, extra=self._view.extra)))
                sys.stdout.flush()
        clouds = fan_out.clouds
        unfinished = any(str(report.status) in ("failed", "partial") for report in clouds)
        write(json_line({"complete": not unfinished, "clouds": to_builtins(clouds)}))

    def _write(self, answer: Answer[Any], *, filtered: bool) -> None:
        from anabranch_cli.render import ordered, render_document, render_items

        view = self._view
        document = answer.to_dict(extra=view.extra)
        if view.format in (Format.JSON, Format.YAML):
            document["items"] = ordered(document["items"], view.sort)
            render_document(document, view)
            return
        columns = columns_of(self._collection, view.columns)
        render_items(self._session, document["items"], view, columns)
        if view.format is Format.TABLE and not document["items"]:
            self._hint(answer, filtered=filtered)

    def _hint(self, answer: Answer[Any], *, filtered: bool) -> None:
        asked = [report.name for report in answer.clouds if str(report.status) == "ok"]
        if asked:
            what = "that pass the filter " if filtered else ""
            some = ", ".join(asked[:5]) + (f" and {len(asked) - 5} more" if asked[5:] else "")
            tell(f"no {self._collection.replace('_', ' ')} {what}on {some}")


def check_fields(model: type[Any], view: View) -> None:
    """See that the fields to show and to sort by are there.

    Raises:
        ConfigurationError: one is not.
    """
    import msgspec

    from anabranch import ConfigurationError

    known = [field.name for field in msgspec.structs.fields(model)]
    for option, paths in (
        ("--columns", view.columns or ()),
        ("--sort", [view.sort.removeprefix("-")] if view.sort else ()),
    ):
        for path in paths:
            if path.partition(".")[0] not in known:
                raise ConfigurationError(
                    f"there is no field {path!r}",
                    field=option,
                    remedy=f"There are: {', '.join(known)}",
                )
    if view.columns and any(path.startswith("extra") for path in view.columns):
        view.extra = True


def verdict(answer: Answer[Any], operation: str, require: str | int) -> int:
    """Tell on stderr what became of each cloud that did not answer, and return the exit code.

    Raises:
        RequirementNotMet: fewer clouds than required answered in full.
    """
    skipped = [report for report in answer.clouds if str(report.status) == "skipped"]
    for report in answer.unfinished:
        _tell_of(report)
    if skipped and len(skipped) == len(answer.clouds):
        for report in skipped:
            tell(f"{report.name}: {_reason(report)}")
        return ExitCode.FAILED
    if skipped:
        names = ", ".join(report.name for report in skipped)
        tell(f"{operation} is not offered by: {names}")
    answer.require(require)
    if answer.complete:
        return ExitCode.COMPLETE
    asked = len(answer.clouds) - len(skipped)
    tell(f"{asked - len(answer.unfinished)} of {asked} clouds answered in full")
    return ExitCode.INCOMPLETE


def _tell_of(report: CloudReport) -> None:
    if report.error:
        cut = f"cut short after {report.count}: " if report.count else ""
        tell(f"{report.name}: {cut}{_reason(report)}")
    _tell_problems(report.name, [f"{p.id}: {p.message}" for p in report.problems])


def _reason(report: CloudReport) -> str:
    error = report.error
    if error is None:
        return str(report.status)
    return sentence(error.message, error.remedy, error.request_id)


def _tell_problems(cloud: str, problems: Sequence[str]) -> None:
    for problem in problems[:5]:
        tell(f"{cloud}: cannot read all of {problem.removeprefix(': ')}")
    if problems[5:]:
        tell(f"{cloud}: {len(problems) - 5} more of this sort; see --format json")
