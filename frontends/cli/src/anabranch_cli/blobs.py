"""`blobs get` and `blobs put`: content streamed between a cloud and a file or a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anabranch_cli.options import Format, FormatOption, View, complete_targets
from anabranch_cli.session import ExitCode, OutputClosed, Session, session

if TYPE_CHECKING:
    from anabranch import Broker, QualifiedId

__all__ = ["get", "put"]

_CHUNK: Final = 256 * 1024
_MIB: Final = 1024 * 1024

Target = Annotated[
    str,
    typer.Argument(metavar="CLOUD/BUCKET/BLOB", help="The blob.", autocompletion=complete_targets),
]


def get(
    ctx: typer.Context,
    target: Target,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Where to put it; - is stdout.")
    ] = "-",
) -> int:
    """Receive a blob's content into a file, or onto stdout."""
    here, where = session(ctx), _blob(target)
    configuration = here.clouds([where.cloud])
    from anabranch import Broker

    async def main() -> int:
        async with Broker(configuration) as broker:
            await _receive(here, broker, where, file)
        return ExitCode.COMPLETE

    return here.run(main)


def put(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="What to store; - is stdin.")],
    target: Target,
    content_type: Annotated[
        str | None,
        typer.Option("--content-type", metavar="TYPE", help="MIME type; otherwise by the name."),
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option("--metadata", metavar="NAME=VALUE", help="To give it; may be repeated."),
    ] = None,
    segment_size: Annotated[
        int | None,
        typer.Option(
            "--segment-size", metavar="MIB", min=1, help="Send it in segments of so many MiB."
        ),
    ] = None,
    format: FormatOption = Format.TABLE,
) -> int:
    """Store a file, or what comes on stdin, as a blob, replacing one of that name."""
    import mimetypes

    from anabranch import Broker, to_builtins
    from anabranch_cli.parameters import pairs
    from anabranch_cli.render import render_record

    here, where = session(ctx), _blob(target)
    source = _Source(file)
    configuration = here.clouds([where.cloud])
    bucket, _, name = where.id.partition("/")
    kind = content_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
    spec = _spec_type()(
        bucket_id=bucket,
        name=name,
        content_type=kind,
        content_length=source.size,
        metadata=pairs(metadata or (), "--metadata"),
    )

    async def main() -> int:
        async with Broker(configuration) as broker:
            from anabranch_cli.progress import watched

            async def send() -> Any:
                if segment_size is None:
                    return await broker.blobs.create(where.cloud, spec, source.chunks())
                size = segment_size * _MIB
                return await _in_segments(broker, where.cloud, spec, source, size)

            made = await watched(here, source.progress, send)
        render_record(here, to_builtins(made), View(format))
        return ExitCode.COMPLETE

    with source:
        return here.run(main)


def _spec_type() -> Any:
    from anabranch import OPERATIONS

    return OPERATIONS["create_blob"].types()["spec"]


def _blob(target: str) -> QualifiedId:
    from anabranch import ConfigurationError, QualifiedId

    where = QualifiedId.parse(target)
    if not all(where.id.partition("/")):
        raise ConfigurationError(f"{target!r} names no blob", remedy="Write CLOUD/BUCKET/BLOB")
    return where


async def _receive(here: Session, broker: Broker, where: QualifiedId, file: str) -> None:
    import anyio

    from anabranch_cli.progress import watched

    received = 0
    part = Path(f"{file}.part")

    async def copy() -> None:
        nonlocal received
        async with broker.blobs.open(where) as content:
            out: Any = sys.stdout.buffer if file == "-" else _open(part, "wb")
            stream = anyio.wrap_file(out)
            async for chunk in content:
                await stream.write(chunk)
                received += len(chunk)
            await stream.flush()
            if file != "-":
                await stream.aclose()

    try:
        await watched(here, lambda: [f"{where}: {received / _MIB:.1f} MiB"], copy)
        if file != "-":
            await anyio.to_thread.run_sync(os.replace, part, file)
    except BrokenPipeError:
        raise OutputClosed from None
    finally:
        if file != "-":
            await anyio.Path(part).unlink(missing_ok=True)


async def _in_segments(
    broker: Broker, cloud: str, spec: Any, source: _Source, segment_size: int
) -> Any:
    upload = await broker.blobs.begin_upload(cloud, spec)
    segments: list[Any] = []
    try:
        while await source.more():
            segments.append(
                await broker.blobs.upload_segment(
                    cloud, spec, upload, len(segments) + 1, source.chunks(segment_size)
                )
            )
        return await broker.blobs.complete_upload(cloud, spec, upload, segments)
    except BaseException:
        import anyio

        with anyio.CancelScope(shield=True), anyio.move_on_after(5):
            await broker.blobs.abort_upload(cloud, spec, upload)
        raise


def _open(path: Path, mode: str) -> Any:
    try:
        return path.open(mode)
    except OSError as exc:
        from anabranch import ConfigurationError

        raise ConfigurationError(f"{str(path)!r} cannot be opened: {exc.strerror}") from None


class _Source:
    """What is sent: a file or stdin, read bit by bit.

    Attributes:
        size: Bytes; None: not known beforehand.
    """

    def __init__(self, file: str) -> None:
        self._file: Any = sys.stdin.buffer if file == "-" else _open(Path(file), "rb")
        self.size = None if file == "-" else os.fstat(self._file.fileno()).st_size
        self._sent, self._ahead = 0, b""

    def __enter__(self) -> _Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def progress(self) -> list[str]:
        """Return how far it is."""
        whole = f" of {self.size / _MIB:.1f}" if self.size is not None else ""
        return [f"{self._sent / _MIB:.1f}{whole} MiB"]

    async def more(self) -> bool:
        """Whether there is anything left; an empty file counts as one bit."""
        first = self._sent == 0 and not self._ahead
        self._ahead = self._ahead or await self._read(_CHUNK)
        return first or bool(self._ahead)

    async def chunks(self, limit: int | None = None) -> AsyncIterator[bytes]:
        """Read on, `limit` bytes at most."""
        left = limit
        while left is None or left > 0:
            size = _CHUNK if left is None else min(_CHUNK, left)
            chunk = self._ahead[:size] or await self._read(size)
            self._ahead = self._ahead[size:]
            if not chunk:
                return
            self._sent += len(chunk)
            left = None if left is None else left - len(chunk)
            yield chunk

    async def _read(self, size: int) -> bytes:
        import anyio

        data: bytes = await anyio.to_thread.run_sync(self._file.read, size)
        return data
