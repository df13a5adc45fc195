"""All servers of many OpenStack clouds: ours, the floor, and Libcloud in threads.

Each client runs in a process of its own and measures itself, imports not counted; the simulated
clouds run in another, and every request costs the same latency. Everybody logs in to every cloud
and lists its servers once, so two requests for each cloud. The floor is bare asyncio: one
connection and two requests written by hand for each cloud, and the replies decoded by msgspec to
as many fields as we keep, without TLS, retries, deadlines or errors.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import anyio
import msgspec

from benchmarks.serving import serving

Clouds = Mapping[str, dict[str, Any]]
CLIENTS = ("floor", "anabranch", "libcloud")


def run(clouds: int, instances: int, latency: float, rounds: int) -> None:
    """Measure and print one table."""
    print(f"\n{clouds} clouds x {instances} servers, {latency * 1000:g} ms per request")
    results = measure(clouds, instances, latency, rounds)
    floor, libcloud = results["floor"], results.get("libcloud")
    print(f"{'':24}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}{'CPU/Libcloud':>14}{'wall/floor':>12}")
    for name, best in results.items():
        to_libcloud = f"{best['cpu'] / libcloud['cpu']:.2f}" if libcloud else "-"
        print(
            f"{name:24}{best['cpu']:8.2f}{best['wall']:8.2f}{best['peak_mb']:9.0f}"
            f"{to_libcloud:>14}{best['wall'] / floor['wall']:12.2f}"
        )


def measure(
    clouds: int, instances: int, latency: float, rounds: int
) -> dict[str, dict[str, float]]:
    """Return the best CPU and wall time of each client, in seconds."""
    fleet = {f"cloud-{n}": ("openstack", instances) for n in range(clouds)}
    with serving(fleet, latency) as line:
        return {
            name: _best(name, line, clouds * instances, rounds if clouds <= 300 else 2)
            for name in CLIENTS
            if name != "libcloud" or clouds <= 300
        }


def _best(name: str, fleet: bytes, expected: int, rounds: int) -> dict[str, float]:
    runs: list[dict[str, float]] = []
    for _ in range(rounds):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.fanout", name],
            input=fleet,
            stdout=subprocess.PIPE,
            check=True,
        )
        runs.append(json.loads(done.stdout))
        if runs[-1]["found"] != expected:
            raise SystemExit(f"{name} found {runs[-1]['found']:g} servers of {expected}")
    return {key: min(run[key] for run in runs) for key in ("cpu", "wall", "peak_mb")}


# ------------------------------------------------------------------------------------ the clients


class _Address(msgspec.Struct):
    addr: str
    type: str = msgspec.field(name="OS-EXT-IPS:type", default="fixed")


class _Flavor(msgspec.Struct):
    id: str = ""


class _Server(msgspec.Struct):
    id: str
    name: str
    status: str
    created: str
    tenant_id: str
    addresses: dict[str, list[_Address]]
    metadata: dict[str, str]
    flavor: _Flavor


class _Servers(msgspec.Struct):
    servers: list[_Server]


def floor(clouds: Clouds) -> int:
    """Bare asyncio."""

    async def exchange(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
    ) -> tuple[bytes, bytes]:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        return head, await reader.readexactly(length)

    async def one(cloud: dict[str, Any]) -> int:
        auth = cloud["auth"]
        url = urlsplit(auth["auth_url"])
        reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=2**20)
        user = {
            "name": auth["username"],
            "domain": {"name": auth["user_domain_name"]},
            "password": auth["password"],
        }
        project = {"name": auth["project_name"], "domain": {"name": auth["project_domain_name"]}}
        body = json.dumps(
            {
                "auth": {
                    "identity": {"methods": ["password"], "password": {"user": user}},
                    "scope": {"project": project},
                }
            }
        ).encode()
        head, _ = await exchange(
            reader,
            writer,
            f"POST {url.path}/auth/tokens HTTP/1.1\r\nHost: {url.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body,
        )
        token = head.lower().partition(b"x-subject-token: ")
        start = len(token[0]) + len(token[1])
        token_text = head[start:].partition(b"\r\n")[0].decode()
        _, reply = await exchange(
            reader,
            writer,
            f"GET /compute/v2.1/servers/detail?limit=1000 HTTP/1.1\r\nHost: {url.netloc}\r\n"
            f"X-Auth-Token: {token_text}\r\n\r\n".encode(),
        )
        writer.close()
        return len(msgspec.json.decode(reply, type=_Servers).servers)

    async def main() -> int:
        return sum(await asyncio.gather(*(one(cloud) for cloud in clouds.values())))

    return asyncio.run(main())


def anabranch(clouds: Clouds) -> int:
    """Ours."""
    from anabranch import Broker, Configuration

    async def main() -> int:
        async with Broker(Configuration(clouds=clouds, timeout=60)) as broker:
            answer = await broker.instances.list(require="all")
            return len(answer.items)

    return anyio.run(main)


def libcloud(clouds: Clouds) -> int:
    """Apache Libcloud, 32 threads."""
    from libcloud.compute.providers import get_driver

    cls = get_driver("openstack")

    def one(cloud: dict[str, Any]) -> int:
        auth = cloud["auth"]
        url = urlsplit(auth["auth_url"])
        driver = cls(
            auth["username"],
            auth["password"],
            ex_force_auth_url=f"{url.scheme}://{url.netloc}{url.path.removesuffix('/v3')}",
            ex_force_auth_version="3.x_password",
            ex_tenant_name=auth["project_name"],
            ex_domain_name=auth["user_domain_name"],
            ex_force_service_region=cloud.get("region_name"),
            api_version="2.2",
        )
        return len(driver.list_nodes())

    with ThreadPoolExecutor(32) as pool:
        return sum(pool.map(one, clouds.values()))


def _client(name: str) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    work: Callable[[Clouds], int] = globals()[name]
    clouds: Clouds = json.loads(sys.stdin.buffer.readline())
    work(dict(islice(clouds.items(), 1)))  # imports and warms what is not to be measured
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    found = work(clouds)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result = {"found": found, "cpu": cpu, "wall": wall, "peak_mb": after.ru_maxrss / 1024}
    os.write(1, json.dumps(result).encode())


if __name__ == "__main__":
    _client(sys.argv[1])
