"""How a simulated cloud behaves: its speed, its page size, and what goes wrong."""

from __future__ import annotations

import enum
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Behaviour", "Fault", "FaultKind"]


class FaultKind(enum.StrEnum):
    """What a request meets instead of its answer."""

    HANG = "hang"
    """No answer, until the client gives up."""
    RESET = "reset"
    """The connection is cut without a reply, and nothing is done."""
    LOST = "lost"
    """What is asked for is done, and the connection is cut instead of the reply."""
    UNAUTHORIZED = "unauthorized"
    """401, although the credentials are right."""
    FORBIDDEN = "forbidden"
    """403, although the user may."""
    NOT_FOUND = "not_found"
    """404, although it is there."""
    CONFLICT = "conflict"
    """409, although nothing is in the way."""
    RATE_LIMITED = "rate_limited"
    """429 with a `Retry-After`."""
    BROKEN = "broken"
    """500."""
    UNAVAILABLE = "unavailable"
    """503."""
    GARBAGE = "garbage"
    """200 with a body that is not the protocol."""


_SPELLINGS = {
    **{kind.value: kind for kind in FaultKind},
    "401": FaultKind.UNAUTHORIZED,
    "403": FaultKind.FORBIDDEN,
    "404": FaultKind.NOT_FOUND,
    "409": FaultKind.CONFLICT,
    "429": FaultKind.RATE_LIMITED,
    "500": FaultKind.BROKEN,
    "503": FaultKind.UNAVAILABLE,
}
_TEXT = re.compile(
    r"""(?P<kind>[a-z_]+?|\d+)
        (?:x(?P<times>\d+))?
        (?::\s*(?:(?P<method>[A-Z]+)\s+)?(?P<path>\S+))?""",
    re.VERBOSE,
)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that goes wrong.

    Args:
        kind: What happens.
        path: Which requests: a part of the path, or a pattern of the whole path when it holds
            `*`, `?` or `[`. Empty for every path.
        method: Which requests, by HTTP method. Empty for every method.
        times: How often it happens before it is over; `None` for ever.
        retry_after: The value of `Retry-After`, seconds or an HTTP date. When it is `None`, a
            429 says one second and a 503 says nothing.
        by_proxy: Whether a status is that of a proxy in front of the cloud, with a page of HTML,
            and not said in the platform's own words.
    """

    kind: FaultKind
    path: str = ""
    method: str = ""
    times: int | None = None
    retry_after: int | str | None = None
    by_proxy: bool = False

    def __post_init__(self) -> None:
        """Refuse a count that could never be used."""
        if self.times is not None and self.times < 1:
            raise ValueError(f"a fault happens at least once, not {self.times} times")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read the textual form: `KIND[xTIMES][:[METHOD ]PATH]`.

        Examples: `hang`, `503:/servers`, `429x3`, `resetx1:POST /servers`.

        Raises:
            ValueError: The text is no fault; the message says what would be one.
        """
        spellings = ", ".join(sorted(_SPELLINGS))
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"cannot read the fault {text!r}: write KIND[xTIMES][:[METHOD ]PATH], for example"
                f" 429x3 or 503:/servers; KIND is one of {spellings}"
            )
        word = match["kind"]
        if word == "refuse":
            raise ValueError(
                "'refuse' is no fault of a request: name the cloud in serve(…, refuse=[name])"
            )
        if word not in _SPELLINGS:
            raise ValueError(f"unknown fault {word!r} in {text!r}: use one of {spellings}")
        return cls(
            kind=_SPELLINGS[word],
            path=match["path"] or "",
            method=match["method"] or "",
            times=int(match["times"]) if match["times"] else None,
        )

    def applies(self, method: str, path: str) -> bool:
        """Whether a request meets this fault."""
        if self.method and self.method != method:
            return False
        if any(sign in self.path for sign in "*?["):
            return fnmatchcase(path, self.path)
        return self.path in path


class Behaviour(msgspec.Struct, kw_only=True):
    """How a simulated cloud behaves; may be changed while it is served.

    Args:
        latency: Seconds that every request takes before anything else happens.
        page_size: The most items a page of a list holds; `None` for the platform's own limit.
        state_delay: Seconds that a change of state lasts (building, powering off, …). Zero means
            that the next request already sees the end of it.
        faults: What goes wrong, first match first. A fault with `times` counts down here and is
            gone when it is used up.
        unknown_fields: Whether replies have members and elements that nobody knows yet, as a
            later version of the platform may add them.
    """

    latency: float = 0.0
    page_size: int | None = None
    state_delay: float = 0.0
    faults: list[Fault] = []
    unknown_fields: bool = False

    def __post_init__(self) -> None:
        """Refuse figures without a meaning."""
        if self.latency < 0 or self.state_delay < 0:
            raise ValueError("latency and state_delay are seconds, zero or more")
        if self.page_size is not None and self.page_size < 1:
            raise ValueError("a page holds at least one item")

    def break_with(self, faults: Iterable[Fault | str]) -> None:
        """Put these faults, as objects or in their textual form, in the place of the old ones.

        Raises:
            ValueError: A text is no fault.
        """
        self.faults = [f if isinstance(f, Fault) else Fault.parse(f) for f in faults]

    def take_fault(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, counted down if its number of times is limited."""
        for index, fault in enumerate(self.faults):
            if not fault.applies(method, path):
                continue
            if fault.times == 1:
                del self.faults[index]
            elif fault.times is not None:
                self.faults[index] = msgspec.structs.replace(fault, times=fault.times - 1)
            return fault
        return None
