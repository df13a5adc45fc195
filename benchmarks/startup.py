"""What the command line costs beyond Python itself: CPU milliseconds, user and system.

Each line is the minimum of several runs, taken in turn so that a busy moment of the machine hits
all of them alike.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("anabranch"))
BUDGET = {"anabranch --help": 150.0, "list 10 clouds": 450.0}


def run(rounds: int = 15) -> dict[str, float]:
    """Print the table, and return CPU milliseconds by line."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "anabranch.yaml"
        entry = "{driver: mock, dataset: generated, instances: 10}"
        file.write_text("clouds:\n" + "".join(f"  c{i}: {entry}\n" for i in range(10)))
        with_file = {**os.environ, "ANABRANCH_CONFIG": str(file)}
        tab = {
            **with_file,
            "_ANABRANCH_COMPLETE": "complete_bash",
            "COMP_WORDS": "anabranch instances list --cloud ",
            "COMP_CWORD": "4",
        }
        lines: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
            "python": ([sys.executable, "-c", "pass"], os.environ),
            "import typer": ([sys.executable, "-c", "import typer"], os.environ),
            "import anabranch": ([sys.executable, "-c", "import anabranch"], os.environ),
            "anabranch --help": ([PROGRAM, "--help"], os.environ),
            "instances --help": ([PROGRAM, "instances", "--help"], os.environ),
            "complete --cloud": ([PROGRAM], tab),
            "list 10 clouds": ([PROGRAM, "instances", "list"], with_file),
            "… as JSON": ([PROGRAM, "instances", "list", "-f", "json"], with_file),
        }
        best = dict.fromkeys(lines, float("inf"))
        for _ in range(rounds):
            for name, (command, environment) in lines.items():
                best[name] = min(best[name], _cpu(command, environment))
    bare = best["python"]
    print(f"{'CPU milliseconds':<20}{'total':>8}{'beyond python':>16}{'budget':>10}")
    for name, total in best.items():
        budget = f"{BUDGET[name]:.0f}" if name in BUDGET else ""
        print(f"{name:<20}{total:>8.0f}{total - bare:>16.0f}{budget:>10}")
    return best


def _cpu(command: Sequence[str], environment: Mapping[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    return (user + system) * 1000


if __name__ == "__main__":
    run()
