"""Serves simulated clouds from a process of its own, so that their cost is not the client's.

`python -m benchmarks.serving '{"lisbon": ["openstack", 100]}' 0.05` serves these until its stdin
ends, and writes the configuration for them as one line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["serving"]


@contextlib.contextmanager
def serving(clouds: Mapping[str, tuple[str, int]], latency: float = 0.0) -> Iterator[bytes]:
    """Serve clouds while the block runs.

    Args:
        clouds: Kind and number of instances of each, by its name.
        latency: Seconds that each request takes.

    Yields:
        The entries of the clouds for `anabranch.yaml`, by name, as one line of JSON.
    """
    command = [sys.executable, "-m", "benchmarks.serving", json.dumps(clouds), str(latency)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin
    assert server.stdout
    try:
        yield server.stdout.readline()
    finally:
        server.stdin.close()
        server.wait(10)


def _serve(clouds: Mapping[str, Any], latency: float) -> None:
    from anabranch.testing import Behaviour, Fleet
    from anabranch.testing.fleet import simulator

    fleet = Fleet(
        simulator(kind).cloud(name, instances=count, behaviour=Behaviour(latency=latency))
        for name, (kind, count) in clouds.items()
    )
    with fleet.serving():
        sys.stdout.write(json.dumps(fleet.document()["clouds"]) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]), float(sys.argv[2]))
