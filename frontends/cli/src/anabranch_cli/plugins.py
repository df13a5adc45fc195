"""`anabranch plugins`: the drivers that are installed, and what became of loading them."""

from __future__ import annotations

import typer

from anabranch_cli.columns import Column
from anabranch_cli.groups import MODULES, sub_application
from anabranch_cli.options import Format, FormatOption, NoHeader, View
from anabranch_cli.session import ExitCode, session, tell

__all__ = ["app", "plugins"]

app = sub_application(MODULES["plugins"])


@app.command()
def plugins(
    ctx: typer.Context,
    format: FormatOption = Format.TABLE,
    no_header: NoHeader = False,
) -> int:
    """Load every driver that is installed, and tell which can be used; exits 3 if one cannot.

    The level is what the driver's own conformance report says: bronze, silver or gold. What
    'plugins: deny' and 'plugins: allow' keep out is not loaded, and counts as no failure.

    ANABRANCH_TRACE_PLUGINS=1 writes a line to stderr for each call of a plugin, with this command
    and any other.
    """
    from anabranch import PluginRegistry, to_builtins
    from anabranch_cli.render import render_items

    here = session(ctx)
    infos = PluginRegistry(here.configuration().plugins).report()
    names = ["kind", "title", "distribution", "version", "api_version", "level", "load_ms", "error"]
    columns = [Column(name, name) for name in names]
    render_items(here, [to_builtins(i) for i in infos], View(format, no_header=no_header), columns)
    if not infos:
        tell("no driver is installed. Try: pip install anabranch-openstack")
    broken = [info for info in infos if info.error and info.allowed]
    for info in broken:
        tell(info.error)
    return ExitCode.INCOMPLETE if broken else ExitCode.COMPLETE
