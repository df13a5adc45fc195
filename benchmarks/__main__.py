"""Runs the benchmarks and prints their tables."""

from __future__ import annotations

import argparse

from benchmarks import fanout, platforms, startup, throughput
from benchmarks.paper import overhead

NAMES = ("fanout", "platforms", "startup", "paper", "throughput")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(NAMES), help="which; all by default")
    parser.add_argument("--clouds", type=int, action="append", help="clouds (default 200, 1000)")
    parser.add_argument("--instances", type=int, default=100, help="servers in each")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds per request")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each; the best counts")
    parser.add_argument("--machines", type=int, default=1000, help="machines of each platform")
    parser.add_argument("--write", action="store_true", help="paper, throughput: keep it in docs/")
    options = parser.parse_args()
    names = options.names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    if "fanout" in names:
        for clouds in options.clouds or [200, 1000]:
            fanout.run(clouds, options.instances, options.latency, options.rounds)
    if "platforms" in names:
        platforms.run(options.machines)
    if "startup" in names:
        startup.run()
    if "paper" in names:
        overhead.run(write=options.write)
    if "throughput" in names:
        throughput.run(write=options.write)


if __name__ == "__main__":
    main()
