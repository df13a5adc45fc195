"""Data on stdout, in the format that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from anabranch_cli.cells import at, cell, datum, field
from anabranch_cli.columns import Column
from anabranch_cli.options import Format, View
from anabranch_cli.session import Session, tell, write

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["json_line", "ordered", "render_document", "render_items", "render_record"]

_RECORD: Final = ["field", "value"]
_WHOLE: Final = ("cloud", "id", "state", "ip", "operation")
_LEAST: Final = 8
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], (), {})
_COLOURS: Final = {
    "green": {"RUNNING", "AVAILABLE", "IN-USE", "UP", "ok", "yes"},
    "yellow": {"PENDING", "STOPPING", "CREATING", "ATTACHING", "BUSY", "DELETING", "partial"},
    "red": {"ERROR", "failed", "DOWN", "UNAVAILABLE"},
    "dim": {"STOPPED", "FINISH", "UNKNOWN", "skipped", "no"},
}
_STYLES: Final = {word: style for style, words in _COLOURS.items() for word in words}


def json_line(value: Any) -> str:
    """Return a value as JSON in one line, with its end."""
    import msgspec

    return msgspec.json.encode(value).decode() + "\n"


def render_document(value: Any, view: View) -> None:
    """Write a whole document as JSON or YAML."""
    if view.format is Format.YAML:
        import yaml

        write(yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True))
        return
    import msgspec

    write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def render_items(
    session: Session,
    items: Sequence[Mapping[str, Any]],
    view: View,
    columns: Sequence[Column],
) -> None:
    """Write items as a table, as CSV, or as a document of their own: an array.

    Args:
        session: Where.
        items: What to write, in its JSON form.
        view: How.
        columns: The columns of a table. CSV has all fields, unless the user chose.
    """
    items = ordered(items, view.sort)
    if view.format is Format.CSV:
        _csv(items, view, columns)
    elif view.format is Format.TABLE:
        titles = [column.title for column in columns] if view.header else []
        rows = [[cell(at(item, column.path)) for column in columns] for item in items]
        _table(session, titles, rows, chosen=bool(view.columns))
    elif view.format is Format.NDJSON:
        for item in items:
            write(json_line(item))
    else:
        render_document(list(items), view)


def render_record(session: Session, item: Mapping[str, Any], view: View) -> None:
    """Write one item: as a document, or field by field."""
    if view.format in (Format.JSON, Format.YAML):
        render_document(item, view)
    elif view.format is Format.TABLE:
        wanted = view.columns or [key for key, value in item.items() if value not in _NOTHING]
        rows = [[path, field(at(item, path))] for path in wanted]
        _table(session, _RECORD if view.header else [], rows)
    else:
        columns = [Column(path, path) for path in view.columns or ()]
        render_items(session, [item], view, columns)


def ordered(items: Sequence[Mapping[str, Any]], sort: str | None) -> Sequence[Mapping[str, Any]]:
    """Return items in the order of a field; what has none comes last."""
    if not sort:
        return items
    path, down = sort.removeprefix("-"), sort.startswith("-")
    told = [item for item in items if at(item, path) not in _NOTHING]
    rest = [item for item in items if at(item, path) in _NOTHING]

    def key(item: Mapping[str, Any]) -> tuple[bool, Any]:
        value = at(item, path)
        number = isinstance(value, (int, float))
        return not number, value if number else cell(value)

    return [*sorted(told, key=key, reverse=down), *rest]


def _csv(items: Sequence[Mapping[str, Any]], view: View, columns: Sequence[Column]) -> None:
    import csv
    import io

    paths = [column.path for column in columns]
    if not view.columns:
        paths = list(dict.fromkeys(key for item in items for key in item)) or paths
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if view.header:
        writer.writerow(paths)
    writer.writerows([datum(at(item, path)) for path in paths] for item in items)
    write(buffer.getvalue())


def _table(
    session: Session,
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    chosen: bool = False,
) -> None:
    if not rows:
        return
    if sys.stdout.isatty():
        _rich_table(session, titles, rows, chosen=chosen)
        return
    lines = [titles, *rows] if titles else rows
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        write("  ".join(padded).rstrip() + "\n")


def _rich_table(
    session: Session, titles: Sequence[str], rows: Sequence[Sequence[str]], *, chosen: bool
) -> None:
    # Only on a terminal: rich costs as much CPU as a whole listing besides.
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table

    console = Console(no_color=not session.colour, highlight=False)
    table = Table(box=None, pad_edge=False, show_header=bool(titles), header_style="bold")
    record = list(titles) == _RECORD
    lines = [titles, *rows] if titles else rows
    widths = [max(cell_len(line[index]) for line in lines) for index in range(len(rows[0]))]
    ranks = [2 if t in _WHOLE else int(t == "name") for t in titles] or [0] * len(widths)
    as_they_are = record or chosen
    fitted = dict(enumerate(widths)) if as_they_are else _fitted(widths, ranks, console.width)
    for index, width in fitted.items():
        table.add_column(
            titles[index] if titles else "",
            width=None if record else width,
            no_wrap=not record,
            overflow="fold" if record else "ellipsis",
        )
    for row in rows:
        table.add_row(*(_coloured(row[index]) for index in fitted))
    if not record:  # what does not fit even so runs over, so that ids can be copied
        console.width = max(console.width, _room(fitted))
    console.print(table, soft_wrap=not record)
    if len(fitted) < len(widths):
        left_out = (titles[i] if titles else str(i + 1) for i in range(len(widths)))
        names = ", ".join(name for i, name in enumerate(left_out) if i not in fitted)
        tell(f"no room for: {names}; widen the terminal, or choose --columns")


def _fitted(widths: Sequence[int], ranks: Sequence[int], room: int) -> dict[int, int]:
    """Return widths that fit in a line: the widest columns are cut, to eight characters at least.

    If that is not enough, the widest are left out, names last; those of rank 2, ids and states,
    are neither cut nor left out.
    """
    fitted = dict(enumerate(widths))
    least = {i: width if ranks[i] > 1 else min(width, _LEAST) for i, width in fitted.items()}
    while _room(least) > room:
        others = [i for i in least if ranks[i] < 2]
        widest = max(others, key=lambda i: (-ranks[i], widths[i]), default=None)
        if widest is None:
            break
        del fitted[widest], least[widest]
    while _room(fitted) > room:
        widest = max(
            (i for i in fitted if fitted[i] > least[i]), key=fitted.__getitem__, default=None
        )
        if widest is None:
            break
        fitted[widest] -= 1
    return fitted


def _room(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + 2 * (len(widths) - 1)


def _coloured(text: str) -> Text:
    from rich.text import Text

    return Text(text, style=_STYLES.get(text, ""))
