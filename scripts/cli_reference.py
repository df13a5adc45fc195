"""Write docs/reference/cli.md from the commands themselves; a test fails when it is out of date.

Run it with `.venv/bin/python scripts/cli_reference.py`.
"""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
INTRODUCTION = """# Command line

Made by `scripts/cli_reference.py` from the commands' own help.

Global options may stand anywhere on the line. Data goes to stdout and nothing else does; what went
wrong goes to stderr, one line each.

As JSON and YAML a listing is one object, and empty is never the same as failed:

```json
{"complete": false,
 "items": [{"cloud": "lisbon", "id": "4d3c", "state": "RUNNING"}],
 "clouds": [{"name": "lisbon", "driver": "openstack", "status": "ok", "count": 1,
             "elapsed_ms": 210, "error": null, "problems": []}]}
```

A `status` is `ok`, `partial`, `failed` or `skipped`. As NDJSON each item is a line, written while
it arrives, and the last line has `complete` and `clouds`. What acts on one thing writes that thing,
and on several an array of them.

| exit code | meaning |
| --- | --- |
| 0 | complete |
| 1 | an operation failed, or no selected cloud offers what was asked |
| 2 | wrong usage or configuration |
| 3 | some cloud failed, but as many answered in full as `--require` wants |
| 4 | fewer did |
| 130 | interrupted with Ctrl-C |
| 143 | terminated with SIGTERM |
"""


def commands(path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group, depth first, the program itself first."""
    import typer

    from anabranch_cli.main import app

    yield path
    command = typer.main.get_command(app)
    context = command.make_context("anabranch", ["--no-color"], resilient_parsing=True)
    for name in path:
        command = command.get_command(context, name)
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from commands((*path, name))


def help_of(path: tuple[str, ...]) -> str:
    """What `--help` prints."""
    from anabranch_cli.main import invoke

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = invoke([*path, "--help"])
    if code != 0:
        raise SystemExit(f"{path}: --help ended with {code}")
    return out.getvalue()


def page() -> str:
    """The whole page."""
    os.environ["COLUMNS"] = "100"
    os.environ.pop("TERMINAL_WIDTH", None)
    parts = [INTRODUCTION]
    for path in commands():
        level = "##" if len(path) < 2 else "###"
        title = " ".join(("anabranch", *path))
        text = "\n".join(line.rstrip() for line in help_of(path).splitlines()).strip()
        parts.append(f"{level} `{title}`\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
