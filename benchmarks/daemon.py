"""Runs `anabranch serve` in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Daemon", "cpu_seconds", "daemon", "free_port", "until_it_listens"]

_PATIENCE = 20.0


class Daemon(NamedTuple):
    """A daemon that serves: where, and as which process."""

    url: str
    port: int
    pid: int


@contextlib.contextmanager
def daemon(clouds: Mapping[str, Any] | None = None, *options: str) -> Iterator[Daemon]:
    """Serve while the block runs.

    Args:
        clouds: The entries of the clouds for `anabranch.yaml`, by name; None: no such file.
        *options: Options of `anabranch serve`.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "HOME": folder}
        environment.pop("ANABRANCH_CONFIG", None)
        if clouds is not None:
            file = Path(folder) / "anabranch.yaml"
            file.write_text(json.dumps({"clouds": clouds}))  # JSON is YAML
            environment["ANABRANCH_CONFIG"] = str(file)
        port = free_port()
        program = str(Path(sys.executable).with_name("anabranch"))
        log = Path(folder) / "log"
        with (
            log.open("w") as stream,
            subprocess.Popen(
                [program, "serve", "--port", str(port), *options],
                env=environment,
                cwd=folder,
                stdout=stream,
                stderr=stream,
            ) as process,
        ):
            try:
                until_it_listens(process, port, log)
                yield Daemon(f"http://127.0.0.1:{port}", port, process.pid)
            finally:
                process.terminate()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def until_it_listens(process: subprocess.Popen[Any], port: int, log: Path | None = None) -> None:
    """Wait until a process listens at its port.

    Raises:
        RuntimeError: it ended, or takes too long; the message has the log.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    told = log.read_text() if log else ""
    raise RuntimeError(f"nobody listens at port {port}: {process.args!r}\n{told}")


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, user and system, all its threads (Linux only)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
