"""Options that several commands have."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "CloudArgument",
    "Clouds",
    "Columns",
    "Drivers",
    "Extra",
    "Filter",
    "Format",
    "FormatOption",
    "NoHeader",
    "Require",
    "Sort",
    "Timeout",
    "View",
    "check_require",
    "complete_clouds",
    "complete_drivers",
    "complete_targets",
    "configured_clouds",
]


class Format(StrEnum):
    """How data is written."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    YAML = "yaml"
    CSV = "csv"


class View:
    """How a command was asked to show its data."""

    __slots__ = ("columns", "extra", "format", "header", "sort")

    def __init__(
        self,
        format: Format,
        columns: str | None = None,
        sort: str | None = None,
        *,
        extra: bool = False,
        no_header: bool = False,
    ) -> None:
        self.format, self.sort = format, sort
        self.columns = [name.strip() for name in columns.split(",")] if columns else None
        self.extra, self.header = extra, not no_header


def configured_clouds(config: str | None) -> dict[str, str]:
    """Return the clouds of the configuration file with their drivers, for completion.

    Fast, and never an error.

    Core is not asked, because importing it takes longer than a person wants to wait for a TAB.
    """
    try:
        import yaml

        file = Path(config or os.environ.get("ANABRANCH_CONFIG") or "anabranch.yaml")
        if not file.is_file():
            import platformdirs

            file = platformdirs.user_config_path("anabranch", appauthor=False) / "anabranch.yaml"
        document: Any = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
        clouds: dict[str, dict[str, str]] = document["clouds"]
        return {str(name): str(entry.get("driver", "")) for name, entry in clouds.items()}
    except Exception:
        return {}


def _config_of(ctx: typer.Context) -> str | None:
    found: str | None = ctx.find_root().params.get("config")
    return found


def complete_clouds(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Propose names of clouds, each with its driver."""
    found = configured_clouds(_config_of(ctx))
    return [(name, kind) for name, kind in found.items() if name.startswith(incomplete)]


def complete_targets(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Propose the clouds' part of CLOUD/ID."""
    return [(f"{name}/", driver) for name, driver in complete_clouds(ctx, incomplete)]


def complete_drivers(ctx: typer.Context, incomplete: str) -> list[str]:
    """Propose the drivers that the configured clouds have."""
    kinds = set(configured_clouds(_config_of(ctx)).values())
    return sorted(kind for kind in kinds if kind.startswith(incomplete))


def check_require(text: str | None) -> str | None:
    """Return a `--require` that can be understood.

    Raises:
        ConfigurationError: it is none of any, all, a number.
    """
    if text is not None and text not in ("any", "all") and not text.isdecimal():
        from anabranch import ConfigurationError

        raise ConfigurationError(
            f"{text!r} is none of: any, all, a number",
            field="--require",
            remedy="Say how many clouds must answer in full",
        )
    return text


CloudArgument = Annotated[
    str,
    typer.Argument(metavar="CLOUD", help="Name of the cloud.", autocompletion=complete_clouds),
]
Clouds = Annotated[
    list[str] | None,
    typer.Option(
        "--cloud",
        "-c",
        metavar="NAME",
        help="Only this cloud; may be repeated.",
        autocompletion=complete_clouds,
    ),
]
Drivers = Annotated[
    list[str] | None,
    typer.Option(
        "--driver",
        "-d",
        metavar="KIND",
        help="Only clouds of this kind; may be repeated.",
        autocompletion=complete_drivers,
    ),
]
Filter = Annotated[
    str | None,
    typer.Option(
        "--filter",
        metavar="EXPR",
        help="Only what satisfies this: state=RUNNING,name~^web,hardware.cpu>=2 "
        "(operators = != ~ !~ < <= > >=, comma: and, dots lead inside).",
    ),
]
Require = Annotated[
    str | None,
    typer.Option(
        "--require",
        metavar="any|all|N",
        help="Clouds that must answer in full, or the exit code is 4; otherwise the "
        "configuration's (any).",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0.001,
        help="Seconds that each cloud may take; otherwise its own, or the configuration's.",
    ),
]
FormatOption = Annotated[
    Format,
    typer.Option("--format", "-f", help="How to write the data.", case_sensitive=False),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="A,B,…",
        help="Fields to show in a table or as CSV; dots lead inside.",
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="FIELD",
        help="Order by a field, with - before it downwards; otherwise by cloud, in the order "
        "of the configuration.",
    ),
]
Extra = Annotated[
    bool,
    typer.Option("--extra", help="Include the platform's own fields."),
]
NoHeader = Annotated[
    bool,
    typer.Option("--no-header", help="No titles over the columns of a table or of CSV."),
]
