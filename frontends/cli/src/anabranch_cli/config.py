"""`anabranch config`: what is configured, and whether it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from anabranch_cli.groups import MODULES, sub_application
from anabranch_cli.options import Format, FormatOption, NoHeader, View
from anabranch_cli.session import ExitCode, session, tell, write

if TYPE_CHECKING:
    from anabranch import Configuration

__all__ = ["app", "check", "path", "schema"]

app = sub_application(MODULES["config"])


@app.command()
def check(
    ctx: typer.Context, format: FormatOption = Format.TABLE, no_header: NoHeader = False
) -> int:
    """Check the settings of every cloud, and tell all that is wrong. Connects nowhere."""
    from anabranch_cli.columns import Column
    from anabranch_cli.render import render_items

    here = session(ctx)
    configuration = here.clouds()
    problems = [p for name in configuration.clouds for p in _problems(configuration, name)]
    view = View(format, no_header=no_header)
    names = ("cloud", "field", "problem", "remedy")
    render_items(here, problems, view, [Column(name, name) for name in names])
    wrong = len({problem["cloud"] for problem in problems})
    count = len(configuration.clouds)
    tell(f"{configuration.source}: {count - wrong} of {count} clouds are configured well")
    return ExitCode.MISUSED if problems else ExitCode.COMPLETE


@app.command()
def path(ctx: typer.Context) -> int:
    """Tell which file the configuration is read from."""
    from anabranch import ConfigurationError, find_configuration

    config = session(ctx).config or find_configuration()
    if config is None:
        raise ConfigurationError(
            "there is no configuration",
            remedy="Begin with: anabranch clouds discover --write anabranch.yaml",
        )
    write(f"{config}\n")
    return ExitCode.COMPLETE


@app.command()
def schema(
    ctx: typer.Context,
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND", help="A driver, for the settings of its clouds; otherwise the file's."
        ),
    ] = None,
) -> int:
    """Show what can be configured, as a JSON schema."""
    import msgspec

    from anabranch import Configuration, PluginRegistry, SecretStr
    from anabranch_cli.render import render_document

    def secret(kind: type) -> dict[str, Any]:
        if kind is SecretStr:
            return {"type": "string", "format": "password"}
        raise NotImplementedError(kind)

    rules = session(ctx).configuration().plugins
    model = PluginRegistry(rules).driver(kind).settings_type if kind else Configuration
    render_document(msgspec.json.schema(model, schema_hook=secret), View(Format.JSON))
    return ExitCode.COMPLETE


def _problems(configuration: Configuration, name: str) -> list[dict[str, str]]:
    """Return what is wrong with the entry of one cloud."""
    from anabranch import Broker, ConfigurationError, PluginError

    try:
        Broker(configuration.select([name])).capabilities(name)
    except ConfigurationError as exc:
        return [
            {
                "cloud": name,
                "field": exc.field or "",
                "problem": exc.message,
                "remedy": exc.remedy,
            }
        ]
    except PluginError as exc:
        return [{"cloud": name, "field": "driver", "problem": str(exc), "remedy": ""}]
    return []
