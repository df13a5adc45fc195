"""One simulated cloud of each platform, in a process of its own, as slow as the paper's were.

`python -m benchmarks.paper.clouds 1` writes the entries for `anabranch.yaml` as one line of JSON.
Then it obeys the lines on its stdin, and answers each with a line of JSON: `slow` and `fast` say
whether the calls take their time, `traffic` tells how many calls came since it was asked last, in
how many round trips (calls that overlap are one), and which of them have no time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from benchmarks.pages import ROOT
from benchmarks.paper.figures import PLATFORMS, figures_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Clouds", "clouds"]

INSTANCES = {"opennebula": 10, "openstack": 10, "paci": 9}
PACI_TEMPLATES = 102
"""As many as the paper's replies had, by their sizes; load balancers and images: `direct`."""

_RPC = "/RPC2"
_CALLS: Mapping[str, Mapping[str, str]] = {
    "opennebula": {
        r"one\.system\.version": "List Collections",
        r"one\.vmpool\.infoextended .*": "List Instances",
        r"one\.vm\.info .*": "Show Instance Information",
        r"one\.template\.instantiate .*": "Create Instance",
        r"one\.vm\.action poweroff": "Stop Instance",
        r"one\.vm\.action resume": "Start Instance",
        r"one\.vm\.action reboot": "Reboot Instance",
        r"one\.vm\.action terminate(-hard)?": "Delete Instance",
        r"one\.imagepool\.info .*": "List Images",
        r"one\.image\.info .*": "Show Image Information",
        r"one\.image\.delete .*": "Delete Image",
        r"one\.template(pool)?\.info .*": "List Hardware Profiles",
    },
    "openstack": {
        r"GET .*/servers/detail": "List Instances",
        r"GET .*/servers/[^/]+": "Show Instance Information",
        r"POST .*/servers": "Create Instance",
        r"POST .*/servers/[^/]+/action": "Reboot Instance",
        r"DELETE .*/servers/[^/]+": "Delete Instance",
        r"GET .*/images": "List Images",
        r"GET .*/images/[^/]+": "Show Image Information",
        r"DELETE .*/images/[^/]+": "Delete Image",
        r"GET .*/flavors(/.*)?": "List Hardware Profiles",
    },
    "paci": {
        r"GET .*/(ve|image)": "List Instances",
        r"GET .*/ve/[^/]+": "Show Instance Information",
        r"POST .*/ve": "Create Instance",
        r"PUT .*/stop": "Stop Instance",
        r"PUT .*/start": "Start Instance",
        r"DELETE .*/ve/[^/]+": "Delete Instance",
        r"GET .*/template": "List Images",
        r"GET .*/template/[^/]+": "Show Image Information",
        r"GET .*/load-balancer": "List Load Balancers",
        r"GET .*/load-balancer/[^/]+": "Show Load Balancer Information",
        r"POST .*/load-balancer/([^/]+/)?create/[^/]+": "Create Load Balancer",
        r"DELETE .*/load-balancer/[^/]+": "Delete Load Balancer",
        r"POST .*/load-balancer/[^/]+/[^/]+": "Associate Instance with LB",
        r"DELETE .*/load-balancer/[^/]+/[^/]+": "Dissociate Instance from LB",
    },
}
"""Which call takes the time of which operation; the first that fits counts."""


class Clouds:
    """The clouds of the other process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.entries: dict[str, Any] = self._answer()
        """The entries for `anabranch.yaml`, by name, which is the kind."""

    @contextlib.contextmanager
    def fast(self) -> Iterator[None]:
        """Take no time while the block runs, and count nothing."""
        self._ask("fast")
        try:
            yield
        finally:
            self._ask("slow")

    def traffic(self) -> tuple[int, int]:
        """How many calls came since the last time, and in how many round trips.

        Raises:
            RuntimeError: a call is of no kind that the paper timed, so that it took no time.
        """
        calls, trips, unknown = self._ask("traffic")
        if unknown:
            raise RuntimeError(f"how long do these take? {', '.join(unknown)}")
        return calls, trips

    def _ask(self, line: str) -> Any:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@contextlib.contextmanager
def clouds(scale: float = 1.0) -> Iterator[Clouds]:
    """Serve the clouds while the block runs; a call takes so many times the paper's seconds."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.paper.clouds", str(scale)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        yield Clouds(process)  # the end of its stdin ends it


# ------------------------------------------------------------------------------ the other process


@dataclasses.dataclass
class _Traffic:
    """What came since it was asked last, and how many calls are under way."""

    calls: int = 0
    trips: int = 0
    unknown: list[str] = dataclasses.field(default_factory=list)
    busy: int = 0
    slow: bool = True

    def taken(self) -> tuple[int, int, list[str]]:
        found = self.calls, self.trips, self.unknown
        self.calls, self.trips, self.unknown = 0, 0, []
        return found


class _Paced:
    """A simulated cloud whose calls take their time, and are counted."""

    def __init__(self, cloud: Any, pace: Mapping[str, float], traffic: _Traffic) -> None:
        self.name: str = cloud.name
        self._app: ASGIApp = cloud.app
        self._pace = pace
        self._traffic = traffic

    @property
    def app(self) -> ASGIApp:
        return self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        traffic = self._traffic
        if not traffic.slow:
            await self._app(scope, receive, send)
            return
        target = f"{scope['method']} {scope['path']}"
        if scope["path"] == _RPC:
            body = await _whole(receive)
            target, receive = _call(body), _again(body)
        traffic.calls += 1
        traffic.trips += not traffic.busy
        traffic.busy += 1

        async def done(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                traffic.busy -= 1
            await send(message)

        await anyio.sleep(self._seconds(target))
        await self._app(scope, receive, done)

    def _seconds(self, target: str) -> float:
        for pattern, seconds in self._pace.items():
            if re.fullmatch(pattern, target):
                return seconds
        self._traffic.unknown.append(target)
        return 0.0


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def _again(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _call(body: bytes) -> str:
    """The method of an XML-RPC call, and what it is told first behind the session."""
    (_, *arguments), method = xmlrpc.client.loads(body)
    return " ".join([str(method), *map(str, arguments[:1])])


def _furnished(kind: str) -> Any:
    from anabranch.testing.fleet import simulator

    cloud: Any = simulator(kind).cloud(kind, instances=INSTANCES[kind])
    if kind == "paci":
        templates = cloud.state.templates
        first = next(iter(templates.values()))
        for number in range(len(templates), PACI_TEMPLATES):
            name = f"{first.name}-{number:03}"
            templates[name] = msgspec.structs.replace(
                first, id=first.id + number, name=name, default=False
            )
    return cloud


def _main(scale: float) -> None:
    from anabranch.testing import serve

    traffic = _Traffic()
    made = {kind: _furnished(kind) for kind in PLATFORMS}
    paced = [
        _Paced(
            cloud,
            {call: figures_of(kind)[name].direct_s * scale for call, name in _CALLS[kind].items()},
            traffic,
        )
        for kind, cloud in made.items()
    ]
    with serve(paced) as urls:
        _say({kind: cloud.settings(urls[kind]) for kind, cloud in made.items()})
        for line in sys.stdin:
            if (word := line.strip()) == "traffic":
                _say(traffic.taken())
            else:
                traffic.slow = word == "slow"
                _say(word)


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _main(float(sys.argv[1]))
