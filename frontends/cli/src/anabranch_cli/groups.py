"""The tree of commands, imported branch by branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperGroup

from anabranch_cli.coercion import lightened

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "COLLECTIONS",
    "EXTENSIONS",
    "MODULES",
    "CollectionGroup",
    "Lazy",
    "Root",
    "sub_application",
]

COLLECTIONS: Final[Mapping[str, str]] = {
    "instances": "Machines: list, create, start, stop, destroy …",
    "images": "What instances are booted from.",
    "hardware-profiles": "The sizes in which instances come (flavors).",
    "realms": "The parts of clouds: zones, regions.",
    "keys": "What may log in to instances.",
    "firewalls": "Rules about the traffic of instances (security groups).",
    "addresses": "Public addresses that can be moved (floating IPs).",
    "networks": "Networks.",
    "subnets": "Ranges of addresses on networks.",
    "network-interfaces": "The interfaces of instances.",
    "load-balancers": "Load balancers.",
    "storage-volumes": "Disks that live apart from instances.",
    "storage-snapshots": "Volumes as they were at one time.",
    "buckets": "Object storage.",
    "blobs": "What is in buckets: get, put, list …",
    "metrics": "What is measured.",
    "quotas": "How much may be used, and is.",
}
"""The collections by the names of their groups. Static: core is not imported for a help text."""

MODULES: Final[Mapping[str, str]] = {
    "clouds": "The clouds of the configuration: list, check, discover.",
    "capabilities": "What each cloud offers.",
    "plugins": "The drivers that are installed.",
    "config": "The configuration: check, path, schema.",
    "demo": "Start simulated clouds and list them all.",
    "simulate": "Serve simulated clouds, to test your own automation on.",
    "driver": "Begin a driver of your own.",
}
"""The other commands, by their modules in `anabranch_cli`."""

EXTENSIONS: Final[Mapping[str, str]] = {
    "serve": "Serve the clouds over HTTP: Apache Deltacloud's API.",
}
"""The commands of anabranch-server, which are found as those of others are; known by name, so that
they are in the help, and that it can be told when they are missing."""
_GROUP: Final = "anabranch.commands"
"""The entry points by which distributions add commands: a function for Typer, or a `typer.Typer`.
None takes the place of a command of this program."""


def sub_application(help_text: str, cls: type[TyperGroup] | None = None) -> typer.Typer:
    """Return a Typer application for one branch of the tree."""
    return typer.Typer(
        cls=cls,
        help=help_text,
        rich_markup_mode=None,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


class Lazy(TyperGroup):
    """A group whose commands are made when they are asked for."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, or None."""
        if cmd_name not in self.commands and (made := self.make(cmd_name)) is not None:
            self.commands[cmd_name] = lightened(made, ctx)
        return self.commands.get(cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return self.names()

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command of the command line; for an unknown one, make all, to propose one."""
        if args and self.get_command(ctx, args[0]) is None:
            for name in self.list_commands(ctx):
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)

    def names(self) -> list[str]:
        """Return the names of all commands."""
        raise NotImplementedError

    def make(self, name: str) -> Any:
        """Return the command of that name, or None."""
        raise NotImplementedError


class Root(Lazy):
    """The program's own group."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the global options."""
        lightened(self, ctx)
        return super().parse_args(ctx, args)

    def names(self) -> list[str]:
        """Return the names of the commands that are in the help."""
        return [*COLLECTIONS, *MODULES, *EXTENSIONS]

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, those that others added at the end."""
        others = {point.name for point in _entry_points()}
        return [*self.names(), *sorted(others.difference(self.names()))]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write what there is into the help; no branch is imported for its short text."""
        with formatter.section("Commands"):
            formatter.write_dl([*COLLECTIONS.items(), *MODULES.items(), *EXTENSIONS.items()])

    def make(self, name: str) -> Any:
        """Return the group of a collection, or the command of a module."""
        if name in COLLECTIONS:
            group = typer.main.get_group(sub_application(COLLECTIONS[name], CollectionGroup))
            group.name = name
            return group
        if name in MODULES:
            module = import_module(f"anabranch_cli.{name}")
            command = typer.main.get_command(module.app)
            command.name, command.short_help = name, MODULES[name]
            return command
        return _extension(name)


def _entry_points() -> list[EntryPoint]:
    from importlib.metadata import distributions, entry_points

    try:
        return list(entry_points(group=_GROUP))
    except Exception:  # those of some distribution, of anybody's, cannot be read
        found: list[EntryPoint] = []
        for distribution in distributions():
            with suppress(Exception):
                found += distribution.entry_points.select(group=_GROUP)
        return found


def _extension(name: str) -> Any:
    """Return the command that another distribution brings, or None."""
    point = next((point for point in _entry_points() if point.name == name), None)
    if point is None:
        missing = f"{name!r} is not installed: pip install anabranch-server"
        return _unusable(name, missing) if name in EXTENSIONS else None
    try:
        loaded: Any = point.load()
    except (Exception, SystemExit) as exc:  # a bug of theirs, told to who uses it and to no other
        whose = point.dist.name if point.dist else point.value
        return _unusable(name, f"{name!r}, of {whose}, cannot be imported: {exc!r}")
    app = loaded
    if not isinstance(loaded, typer.Typer):
        app = sub_application("")
        app.command(name)(loaded)
    command = typer.main.get_command(app)
    command.name = name
    return command


def _unusable(name: str, message: str) -> Any:
    """Return a command that says why it cannot be used, whatever is asked of it."""

    def say_so() -> int:
        from anabranch_cli.session import ExitCode, tell

        tell(f"error: {message}")
        return ExitCode.MISUSED

    app = sub_application("")
    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    app.command(name, help=message, context_settings=anything)(say_so)
    return typer.main.get_command(app)


class CollectionGroup(Lazy):
    """The group of one collection: its commands are made from the table of operations."""

    @property
    def collection(self) -> str:
        """The collection, as core calls it."""
        return (self.name or "").replace("-", "_")

    def names(self) -> list[str]:
        """Return the names of all commands."""
        from anabranch_cli.actions import names_of

        return names_of(self.collection)

    def make(self, name: str) -> Any:
        """Return the command of an operation; that of list needs nothing of core."""
        function: Callable[..., int] | None
        if name == "list":
            from anabranch_cli.listing import list_command

            function = list_command(self.collection)
        else:
            from anabranch_cli.actions import action_command

            function = action_command(self.collection, name)
        if function is None:
            return None
        app = sub_application("")
        app.command(name)(function)
        return typer.main.get_command(app)
