"""Serves a fleet of simulated clouds in a process of its own.

When all of them listen, one line of JSON goes to standard output: `{"clouds": [{"name", "url",
"settings"}, …]}`. The process ends on SIGTERM, on SIGINT, or when its standard input closes.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence

import msgspec

from anabranch.testing.simulation import Behaviour, Fault, serve
from anabranch_openstack.simulator.cloud import simulator

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop.

    Args:
        arguments: The command line without the name of the program; that of the process by
            default.
    """
    options = _parser().parse_args(arguments)
    clouds = [
        simulator.cloud(
            f"{options.prefix}{number:0{len(str(options.clouds))}d}",
            instances=options.instances,
            behaviour=Behaviour(
                latency=options.latency,
                page_size=options.page_size,
                state_delay=options.state_delay,
                faults=list(options.fault),
            ),
            odd=options.odd,
            token_ttl=options.token_ttl,
        )
        for number in range(1, options.clouds + 1)
    ]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with serve(clouds, refuse=[c.name for c in clouds[: options.refuse]]) as urls:
        line = msgspec.json.encode(
            {
                "clouds": [
                    {"name": c.name, "url": urls[c.name], "settings": c.settings(urls[c.name])}
                    for c in clouds
                ]
            }
        )
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()
        threading.Thread(target=_watch_input, args=(stop,), daemon=True).start()
        stop.wait()
    return 0


def _watch_input(stop: threading.Event) -> None:
    # Not through sys.stdin: a thread that waits in it keeps the interpreter from ending.
    while os.read(0, 65536):
        pass
    stop.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m anabranch_openstack.simulator", description=__doc__
    )
    add = parser.add_argument
    add("--clouds", type=int, default=1, metavar="N", help="how many clouds")
    add("--instances", type=int, default=10, metavar="M", help="servers in each cloud")
    add("--prefix", default="sim-", help="what their names begin with")
    add("--latency", type=float, default=0.0, metavar="S", help="seconds per request")
    add("--page-size", type=int, metavar="P", help="the most items of a page")
    add("--state-delay", type=float, default=0.0, metavar="S", help="seconds per change of state")
    add("--token-ttl", type=float, default=3600.0, metavar="S", help="seconds that a token lives")
    add("--odd", action="store_true", help="add servers such as only reality has")
    add("--refuse", type=int, default=0, metavar="N", help="so many of them refuse connections")
    add(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="FAULT",
        help="KIND[xTIMES][:[METHOD ]PATH], such as hang, 429x3 or 503:/servers; repeatable",
    )
    return parser


def _fault(text: str) -> Fault:
    try:
        return Fault.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
