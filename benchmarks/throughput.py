"""`GET /api/instances` by wrk: the mock cloud with 100 instances, 32 connections.

The floor is a bare ASGI application on the same uvicorn that answers the same bytes. wrk has a core
to itself where there are two. Requests per second of one core are those per second of the server's
own CPU time.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.daemon import Daemon, cpu_seconds, daemon, free_port, until_it_listens

CONNECTIONS, INSTANCES, SECONDS, ROUNDS = 32, 100, 5, 3
DELTACLOUD = "Deltacloud: 122 requests/s, 1 answer in 400 wrong"
_PATH = "/api/instances"
_TYPES = {"XML": "application/xml", "JSON": "application/json"}


class Load(NamedTuple):
    """What wrk saw: requests per second, milliseconds, and how many answers were not right."""

    per_second: float
    per_cpu_second: float
    p50: float
    p99: float
    errors: int
    non_2xx: int


def run() -> None:
    """Print the table; without wrk, say how to get it."""
    if shutil.which("wrk") is None:
        print("\nthroughput: skipped, there is no wrk (Debian, Ubuntu: apt-get install wrk)")
        return
    print(f"\nGET {_PATH}: {INSTANCES} instances, {CONNECTIONS} connections")
    print(
        f"{'':12}{'requests/s':>12}{'per CPU s':>12}{'p50 ms':>9}{'p99 ms':>9}"
        f"{'errors':>8}{'non-2xx':>9}{'to floor':>10}"
    )
    entry = {"driver": "mock", "dataset": "generated", "instances": INSTANCES}
    for name, media_type in _TYPES.items():
        with daemon({"mock": entry}) as server:
            body = _body(server, media_type)
            ours = _best(server, media_type)
        with _floor(body, media_type) as server:
            floor = _best(server, media_type)
        for title, load in ((name, ours), (f"{name} floor", floor)):
            print(
                f"{title:12}{load.per_second:12.0f}{load.per_cpu_second:12.0f}{load.p50:9.1f}"
                f"{load.p99:9.1f}{load.errors:8}{load.non_2xx:9}"
                f"{load.per_cpu_second / floor.per_cpu_second:10.2f}"
            )
    print(DELTACLOUD)


def _body(server: Daemon, media_type: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", _PATH, headers={"Accept": media_type})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    if reply.status != 200 or body.count(b"RUNNING") < INSTANCES // 4:
        raise SystemExit(f"{_PATH} is answered by {reply.status}: {body[:500]!r}")
    return body


def _best(server: Daemon, media_type: str) -> Load:
    _load(server, media_type, 1)
    loads = [_load(server, media_type, SECONDS) for _ in range(ROUNDS)]
    best = max(loads, key=lambda load: load.per_second)
    return best._replace(
        errors=sum(load.errors for load in loads), non_2xx=sum(load.non_2xx for load in loads)
    )


def _load(server: Daemon, media_type: str, seconds: int) -> Load:
    before = cpu_seconds(server.pid)
    done = subprocess.run(
        [
            *("wrk", "--latency", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"),
            *("-H", f"Accept: {media_type}", f"{server.url}{_PATH}"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    used = cpu_seconds(server.pid) - before
    requests = int(_found(r"(\d+) requests in", done))
    errors = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", done
    )
    return Load(
        per_second=float(_found(r"Requests/sec:\s+([\d.]+)", done)),
        per_cpu_second=requests / used,
        p50=_milliseconds(_found(r"50%\s+(\S+)", done)),
        p99=_milliseconds(_found(r"99%\s+(\S+)", done)),
        errors=sum(map(int, errors.groups())) if errors else 0,
        non_2xx=int(_found(r"Non-2xx or 3xx responses: (\d+)", done, "0")),
    )


def _found(pattern: str, text: str, default: str = "") -> str:
    match = re.search(pattern, text)
    if match is None and not default:
        raise SystemExit(f"wrk does not say {pattern}:\n{text}")
    return match[1] if match else default


def _milliseconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(us|ms|s)", text)
    if match is None:
        raise SystemExit(f"wrk says {text!r} for a time")
    return float(match[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[match[2]]


# -------------------------------------------------------------------------------------- the floor


@contextlib.contextmanager
def _floor(body: bytes, media_type: str) -> Iterator[Daemon]:
    port = free_port()
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(body)
        command = [sys.executable, "-m", "benchmarks.throughput", file.name, media_type, str(port)]
        with subprocess.Popen(command) as process:
            try:
                until_it_listens(process, port)
                yield Daemon(f"http://127.0.0.1:{port}", port, process.pid)
            finally:
                process.terminate()


def _serve(file: str, media_type: str, port: int) -> None:
    import uvicorn
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

    body = Path(file).read_bytes()
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
    ]

    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": headers, "trailers": False}
        )
        await send({"type": "http.response.body", "body": body, "more_body": False})

    uvicorn.run(app, port=port, access_log=False, log_level="error", lifespan="off")


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
