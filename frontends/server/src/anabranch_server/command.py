"""`anabranch serve`: clouds over HTTP, until Ctrl-C.

Nothing heavy is imported before the command is invoked: the program imports this module for each
of its help texts and completions.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from anabranch import Configuration
    from anabranch_server.access import Access

__all__ = ["serve"]

_PASSWORD: Final = "ANABRANCH_SERVE_PASSWORD"
_URL: Final = re.compile(r"https?://[A-Za-z0-9._~\[\]:-]+(/[A-Za-z0-9._~/-]*)?")
_ANYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104  looked for, not listened at
_EXAMPLES: Final = {"mock": "mockuser:mockpassword"}
"""Accounts for the line to copy, of drivers whose accounts are no secret."""


def _complete_clouds(ctx: typer.Context, incomplete: str) -> list[str]:
    try:
        from anabranch import load_configuration

        clouds = load_configuration(ctx.find_root().params.get("config")).clouds
    except Exception:  # a completion is never an error
        return []
    return [name for name in clouds if name.startswith(incomplete)]


def _complete_drivers(incomplete: str) -> list[str]:
    from importlib.metadata import entry_points

    names = {point.name for point in entry_points(group="anabranch.drivers")}
    return sorted(name for name in names if name.startswith(incomplete))


def serve(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to listen at.")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", min=0, max=65535, metavar="N", help="Port to listen at; 0: any that is free."
        ),
    ] = 3000,
    clouds: Annotated[
        list[str] | None,
        typer.Option(
            "--cloud",
            metavar="NAME",
            autocompletion=_complete_clouds,
            help="Serve only this cloud of the configuration. May be repeated.",
        ),
    ] = None,
    driver: Annotated[
        str | None,
        typer.Option(
            "--driver",
            metavar="KIND",
            autocompletion=_complete_drivers,
            help="Serve no configured clouds, but this kind to accounts that come with each "
            "request. The account of mock is mockuser, mockpassword.",
        ),
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(
            "--provider",
            metavar="URL",
            help="With --driver: the cloud that the accounts are of, unless a request chooses "
            "another that is allowed.",
        ),
    ] = None,
    allowed: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-provider",
            metavar="URL",
            help="With --driver: another that a request may choose. May be repeated.",
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="NAME",
            help=f"Let in only who knows this user's password, the value of {_PASSWORD}.",
        ),
    ] = None,
    anybody: Annotated[
        bool,
        typer.Option(
            "--open", help="Let everybody in who reaches the address, without a password."
        ),
    ] = False,
    public_url: Annotated[
        str | None,
        typer.Option(
            "--public-url",
            metavar="URL",
            help="The address that clients know the server by, behind a proxy; links begin so.",
        ),
    ] = None,
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Another name that clients know this machine by. May be repeated.",
        ),
    ] = None,
    allow_run: Annotated[
        bool,
        typer.Option(
            "--allow-run",
            help="Let clients run commands on instances, by SSH from here; needs "
            "anabranch-server[ssh].",
        ),
    ] = False,
    certificate: Annotated[
        str | None,
        typer.Option(
            "--tls-cert", metavar="FILE", help="Serve by TLS, with this certificate and its chain."
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--tls-key", metavar="FILE", help="The certificate's key; else in its file."),
    ] = None,
) -> int:
    """Serve clouds over HTTP by the API of Apache Deltacloud, until Ctrl-C.

    All clouds of the configuration are served at once, with the credentials that stand there. At
    an address that other machines reach, that needs --user, or --open.

    With --driver nothing of the configuration is served: each request brings the user and the
    password of an account of its own, by HTTP Basic, and connections are made to --provider and
    --allow-provider alone.

    With -v, each request is logged. Exit codes: 2 wrong usage or configuration; 1 the port is not
    to be had; 130 and 143 ended by Ctrl-C and SIGTERM, after requests under way had 10 seconds.
    """
    _check(ctx)
    from anabranch import Broker, load_configuration
    from anabranch_server import daemon
    from anabranch_server.access import is_loopback
    from anabranch_server.application import Application, logged

    _log_warnings()
    root = ctx.find_root().params
    configuration = load_configuration(root.get("config"))
    configuration = _without_clouds(configuration) if driver else _chosen(configuration, clouds)
    access = _access(ctx)
    app = Application(
        Broker(configuration),
        driver=driver or "",
        provider=provider or "",
        allowed_providers=allowed or (),
        public_url=public_url or "",
        access=access,
        allow_run=allow_run,
    )
    listener = daemon.listen(host, port)
    scheme = "https" if certificate else "http"
    url = public_url or f"{scheme}://{_reachable(host)}:{listener.getsockname()[1]}"

    def ready() -> None:
        count = len(configuration.clouds)
        what = driver or ("1 cloud" if count == 1 else f"{count} clouds")
        _tell(f"serving {what} at {url.rstrip('/')}/api until Ctrl-C")
        who = user or (driver and _EXAMPLES.get(driver, "USER:PASSWORD"))
        options = f" --user {who}" if who else ""
        _tell(f"try: curl{options} '{url.rstrip('/')}/api/instances?format=xml'")
        if who and not is_loopback(host) and not url.startswith("https:"):
            _tell("passwords travel readable. Serve by TLS: --tls-cert FILE, or behind a proxy")

    served = logged(app) if root.get("verbose") else app
    daemon.serve(served, listener, ready, certificate=certificate, key=key)
    return 0


def _check(ctx: typer.Context) -> None:
    """Refuse options that contradict each other, before anything is imported.

    One that is empty, as of a variable that is not set, is a mistake: without it, more might be let
    in, or served, than was meant.
    """
    given = {name for name, value in ctx.params.items() if value}
    for name, value in ctx.params.items():
        if value == "" or (isinstance(value, (list, tuple)) and "" in value):
            raise typer.BadParameter("it is empty", ctx=ctx, param_hint=_option(ctx, name))
    wrong: list[tuple[str, str]] = []
    if "driver" in given:
        why = "the credentials come with each request, and nothing is configured with --driver"
        wrong += [(name, why) for name in ("clouds", "user", "anybody")]
    else:
        wrong += [(name, "it goes with --driver") for name in ("provider", "allowed")]
    if "user" in given:
        wrong.append(("anybody", "it is one or the other: --user asks for a password"))
    if "certificate" not in given:
        wrong.append(("key", "it goes with --tls-cert"))
    for name, why in wrong:
        if name in given:
            raise typer.BadParameter(why, ctx=ctx, param_hint=_option(ctx, name))
    if ":" in (ctx.params["user"] or ""):
        raise typer.BadParameter("no name has a colon", ctx=ctx, param_hint="--user")
    if not _URL.fullmatch(ctx.params["public_url"] or "http://host"):
        raise typer.BadParameter(
            "http://HOST or https://HOST is wanted, with a port and a path at most",
            ctx=ctx,
            param_hint="--public-url",
        )
    if "allow_run" in given:
        from importlib.util import find_spec

        if find_spec("asyncssh") is None:
            why = "it needs asyncssh: pip install 'anabranch-server[ssh]'"
            raise typer.BadParameter(why, ctx=ctx, param_hint="--allow-run")


def _option(ctx: typer.Context, name: str) -> str:
    return next(p.opts[0] for p in ctx.command.params if p.name == name)


def _without_clouds(configuration: Configuration) -> Configuration:
    """Return what holds for drivers alone."""
    return type(configuration)(timeout=configuration.timeout, plugins=configuration.plugins)


def _chosen(configuration: Configuration, names: list[str] | None) -> Configuration:
    if not configuration.clouds:
        from anabranch import ConfigurationError

        raise ConfigurationError(
            f"{configuration.source or 'there is no configuration, so it'} names no clouds",
            remedy="Begin with: anabranch clouds discover --write anabranch.yaml; "
            "or serve a cloud of memory to look around in: anabranch serve --driver mock",
        )
    return configuration.select(names)


def _access(ctx: typer.Context) -> Access:
    from anabranch import ConfigurationError, SecretStr
    from anabranch_server.access import Access, Credentials

    params = ctx.params
    user = None
    if name := params["user"]:
        password = os.environ.get(_PASSWORD)
        if not password:
            raise ConfigurationError(
                f"the environment variable {_PASSWORD} is not set",
                field="--user",
                remedy="Set it to the user's password",
            )
        user = Credentials(name, SecretStr(password))
    return Access.of(
        params["host"],
        user=user,
        anybody=params["anybody"],
        hosts=params["hosts"] or (),
        public_url=params["public_url"] or "",
        own_credentials=not params["driver"],
    )


def _log_warnings() -> None:
    """Log what an operator should look at, even without -v: a daemon runs for long."""
    import logging

    logger = logging.getLogger("anabranch")
    logger.setLevel(min(logger.level, logging.WARNING))


def _reachable(host: str) -> str:
    """Return a host for the line to copy."""
    if host in _ANYWHERE:
        import platform

        return platform.node()
    return f"[{host}]" if ":" in host else host


def _tell(line: str) -> None:
    sys.stderr.write(f"anabranch: {line}\n")
    sys.stderr.flush()
