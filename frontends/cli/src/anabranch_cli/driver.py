"""`anabranch driver`: for those who write a driver of their own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from anabranch_cli.groups import MODULES, sub_application
from anabranch_cli.serving import show
from anabranch_cli.session import ExitCode, tell, write

__all__ = ["app", "new"]

app = sub_application(MODULES["driver"])


@app.callback()
def driver() -> None:
    """Begin a driver of your own, for a platform that has none yet."""


@app.command()
def new(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Kind of the driver: a small letter, then letters and digits."
        ),
    ],
    title: Annotated[
        str | None,
        typer.Option(
            "--title", metavar="TEXT", help="Name of the platform as people write it: 'Acme Cloud'."
        ),
    ] = None,
    into: Annotated[
        Path, typer.Option("--into", metavar="DIR", help="Where to make its directory.")
    ] = Path(),
    license: Annotated[
        str,
        typer.Option(
            "--license",
            metavar="SPDX",
            help="Its licence, as an SPDX expression; the text of Apache-2.0 comes with it.",
        ),
    ] = "Apache-2.0",
) -> int:
    """Write a driver that works: package, simulator, tests, README, CI file. Asks no network.

    It is a distribution called anabranch-NAME, in a directory of that name. Its platform is made
    up: it lists and runs what its simulator serves, and its tests pass before the first edit. Then
    make it yours, file by file; its README tells where things are.
    """
    from anabranch_cli.scaffold import Blank, render, write_distribution

    blank = Blank.of(name, title, license)
    files = render(blank)
    where = write_distribution(files, into / blank.distribution)
    tell(f"{len(files)} files are in {where}. Next:")
    show(
        (
            "",
            f"  cd {shlex.quote(str(where))}",
            "  pip install -e '.[simulator]'",
            "  pytest",
            "",
        )
    )
    write(f"{where}\n")
    return ExitCode.COMPLETE
