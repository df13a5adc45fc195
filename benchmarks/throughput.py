"""`GET /api/instances` by wrk: the mock cloud with 100 instances, 32 connections.

The floor is a bare ASGI application on the same uvicorn that answers the same bytes. wrk has a core
to itself where there are two. Requests per second of one core are those per second of the server's
own CPU time.
"""

from __future__ import annotations

import contextlib
import http.client
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.daemon import Daemon, cpu_seconds, daemon, free_port, until_it_listens
from benchmarks.pages import ROOT, write_part

CONNECTIONS, INSTANCES, SECONDS, ROUNDS = 32, 100, 5, 3
DELTACLOUD = "Deltacloud itself did 122 requests/s, and 1 answer in 400 was wrong"
RESULTS = Path(__file__).with_name("throughput.json")
PART = "throughput"
_HEADS = ("", "requests/s", "per CPU s", "p50 ms", "p99 ms", "errors", "non-2xx", "to floor")
_PATH = "/api/instances"
_TYPES = {"XML": "application/xml", "JSON": "application/json"}


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What wrk saw; times in milliseconds.

    `per_cpu_second` is requests to a second of the server's CPU time, all its threads.
    """

    title: str
    per_second: float
    per_cpu_second: float
    p50: float
    p99: float
    errors: int
    non_2xx: int
    to_floor: float = 1.0


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    taken: str
    python: str
    loads: list[Load]

    @classmethod
    def read(cls) -> Results:
        """Those that the documentation shows."""
        return msgspec.json.decode(RESULTS.read_bytes(), type=cls)


def run(*, write: bool) -> None:
    """Print the table, and keep it if asked to; without wrk, say how to get it."""
    if shutil.which("wrk") is None:
        print("\nthroughput: skipped, there is no wrk (Debian, Ubuntu: apt-get install wrk)")
        return
    print(f"\nGET {_PATH}: {INSTANCES} instances, {CONNECTIONS} connections")
    loads: list[Load] = []
    entry = {"driver": "mock", "dataset": "generated", "instances": INSTANCES}
    for name, media_type in _TYPES.items():
        with daemon({"mock": entry}) as server:
            body = _body(server, media_type)
            ours = _best(name, server, media_type)
        with _floor(body, media_type) as server:
            floor = _best(f"{name}, floor", server, media_type)
        ratio = ours.per_cpu_second / floor.per_cpu_second
        loads += [msgspec.structs.replace(ours, to_floor=ratio), floor]
    print("".join(f"{head:>14}" for head in _HEADS))
    for load in loads:
        print("".join(f"{cell:>14}" for cell in _cells(load)))
    print(DELTACLOUD)
    if write:
        results = Results(
            taken=f"{datetime.now(UTC):%Y-%m-%d}", python=platform.python_version(), loads=loads
        )
        encoded = msgspec.json.format(msgspec.json.encode(results), indent=1)
        RESULTS.write_bytes(encoded + b"\n")
        write_part(PART, page_part(results))


def page_part(results: Results) -> str:
    """What the page says of a run."""
    lines = [f"| {' | '.join(_HEADS)} |", "| --- " * len(_HEADS) + "|"]
    lines += [f"| {' | '.join(_cells(load))} |" for load in results.loads]
    taken = f"Taken on {results.taken}, CPython {results.python}. {DELTACLOUD}."
    return "\n".join([taken, "", *lines, ""])


def _cells(load: Load) -> tuple[str, ...]:
    return (
        load.title,
        f"{load.per_second:.0f}",
        f"{load.per_cpu_second:.0f}",
        f"{load.p50:.1f}",
        f"{load.p99:.1f}",
        str(load.errors),
        str(load.non_2xx),
        f"{load.to_floor:.2f}",
    )


def _body(server: Daemon, media_type: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", _PATH, headers={"Accept": media_type})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    if reply.status != 200 or body.count(b"RUNNING") < INSTANCES // 4:
        raise SystemExit(f"{_PATH} is answered by {reply.status}: {body[:500]!r}")
    return body


def _best(title: str, server: Daemon, media_type: str) -> Load:
    _load(title, server, media_type, 1)
    loads = [_load(title, server, media_type, SECONDS) for _ in range(ROUNDS)]
    best = max(loads, key=lambda load: load.per_cpu_second)
    return msgspec.structs.replace(
        best,
        errors=sum(load.errors for load in loads),
        non_2xx=sum(load.non_2xx for load in loads),
    )


def _load(title: str, server: Daemon, media_type: str, seconds: int) -> Load:
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
    return read(title, done, used)


def read(title: str, told: str, cpu_seconds: float) -> Load:
    """Read what wrk tells at its end."""
    errors = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", told
    )
    return Load(
        title=title,
        per_second=float(_found(r"Requests/sec:\s+([\d.]+)", told)),
        per_cpu_second=int(_found(r"(\d+) requests in", told)) / cpu_seconds,
        p50=_milliseconds(_found(r"(?m)^ +50% +(\S+) *$", told)),
        p99=_milliseconds(_found(r"(?m)^ +99% +(\S+) *$", told)),
        errors=sum(map(int, errors.groups())) if errors else 0,
        non_2xx=int(_found(r"Non-2xx or 3xx responses: (\d+)", told, "0")),
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
        with subprocess.Popen(command, cwd=ROOT) as process:
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
