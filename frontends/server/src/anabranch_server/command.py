"""`anabranch serve`: the clouds of a configuration over HTTP, until Ctrl-C."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["serve"]


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port.")] = 3000,
) -> int:
    """Serve all clouds of the configuration over HTTP."""
    import uvicorn

    from anabranch import Broker, load_configuration
    from anabranch_server.application import application

    config: str | None = ctx.find_root().params.get("config")
    app = application(Broker(load_configuration(config)))
    uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning")
    return 0
