"""A thousand machines of one cloud of each platform: ours, and the platform's own client.

Each client runs in a process of its own and measures its listing, a login included; imports, a
first small listing and making the client are not counted. Memory is by how much the process grew at
its peak, with all machines held. `blocked` is the longest time that the event loop was kept from a
task that wants it every millisecond, measured in a run of its own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import anyio

from benchmarks.serving import serving

PEERS = {"openstack": "openstacksdk", "opennebula": "pyone", "cloudstack": "cs"}
"""The platform's own client; PACI has none."""
ROUNDS = 3
Entry = dict[str, Any]


def run(machines: int) -> None:
    """Measure and print one table."""
    from anabranch.testing.fleet import simulated_kinds

    print(f"\n{machines} machines of one cloud")
    print(f"{'':28}{'CPU s':>8}{'wall s':>8}{'MB':>6}{'blocked ms':>12}{'CPU to peer':>13}")
    for kind in simulated_kinds():
        with serving({"small": (kind, 5), "big": (kind, machines)}) as line:
            ours = _best("anabranch", line, machines)
            ours["blocked"] = min(
                _client("anabranch", line, machines, "blocked")["blocked"] for _ in range(ROUNDS)
            )
            peer = _best(kind, line, machines) if kind in PEERS else None
        _row(f"{kind}: anabranch", ours, peer)
        if peer:
            _row(f"{kind}: {PEERS[kind]}", peer, peer)


def _row(title: str, figures: dict[str, float], peer: dict[str, float] | None) -> None:
    blocked = f"{figures['blocked']:.0f}" if "blocked" in figures else "-"
    ratio = f"{figures['cpu'] / peer['cpu']:.2f}" if peer else "-"
    print(
        f"{title:28}{figures['cpu']:8.3f}{figures['wall']:8.3f}{figures['mb']:6.0f}"
        f"{blocked:>12}{ratio:>13}"
    )


def _best(name: str, line: bytes, machines: int) -> dict[str, float]:
    runs = [_client(name, line, machines) for _ in range(ROUNDS)]
    return {key: min(run[key] for run in runs) for key in ("cpu", "wall", "mb")}


def _client(name: str, line: bytes, machines: int, *options: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.platforms", name, *options],
        input=line,
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    if found["found"] != machines:
        raise SystemExit(f"{name} found {found['found']:g} machines of {machines}")
    return found


# ------------------------------------------------------------------------------------ the clients


class Meter:
    """What a block of code costs: `with meter: …`."""

    def __enter__(self) -> Meter:
        self._before = resource.getrusage(resource.RUSAGE_SELF)
        self._started = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        wall = time.perf_counter() - self._started
        before, after = self._before, resource.getrusage(resource.RUSAGE_SELF)
        self.figures = {
            "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "wall": wall,
            "mb": (after.ru_maxrss - before.ru_maxrss) / 1024,
        }


def anabranch(entry: Entry, meter: Meter, blocked: list[float] | None = None) -> Sequence[object]:
    """Ours; `blocked` receives the longest time, in seconds, that the loop was kept."""
    from anabranch import Broker, Configuration

    broker = Broker(Configuration(clouds={"one": entry}, timeout=120))

    async def watch() -> None:
        while blocked is not None:
            before = time.perf_counter()
            await anyio.sleep(0.001)
            blocked[0] = max(blocked[0], time.perf_counter() - before - 0.001)

    async def main() -> Sequence[object]:
        async with broker, anyio.create_task_group() as group:
            if blocked is not None:
                group.start_soon(watch)
            with meter:
                answer = await broker.instances.list(require="all")
            group.cancel_scope.cancel()
            return answer.items
        raise AssertionError

    return anyio.run(main)


def openstack(entry: Entry, meter: Meter) -> Sequence[object]:
    """OpenStack's own client."""
    import openstack as sdk

    connection = sdk.connection.Connection(
        auth=entry["auth"], region_name=entry.get("region_name"), identity_api_version="3"
    )
    with meter:
        return list(connection.compute.servers())


def opennebula(entry: Entry, meter: Meter) -> Sequence[object]:
    """OpenNebula's own client."""
    import pyone

    session = f"{entry['username']}:{entry['password']}"
    server = pyone.OneServer(entry["endpoint"], session=session)
    with meter:
        return list(server.vmpool.infoextended(-3, -1, -1, -1).VM)


def cloudstack(entry: Entry, meter: Meter) -> Sequence[object]:
    """The client of CloudStack that most use; it makes no models."""
    import cs

    client = cs.CloudStack(endpoint=entry["endpoint"], key=entry["key"], secret=entry["secret"])
    with meter:
        return list(client.listVirtualMachines(fetch_list=True))


def _measure(name: str, *options: str) -> dict[str, float]:
    work: Callable[..., Sequence[object]] = globals()[name]
    entries = json.loads(sys.stdin.buffer.readline())
    meter = Meter()
    work(entries["small"], meter)
    if "blocked" in options:
        longest = [0.0]
        found = work(entries["big"], meter, longest)
        return {"found": len(found), "blocked": longest[0] * 1000}
    found = work(entries["big"], meter)
    return {"found": len(found), **meter.figures}


if __name__ == "__main__":
    os.write(1, json.dumps(_measure(*sys.argv[1:])).encode())
