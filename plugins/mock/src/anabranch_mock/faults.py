"""What goes wrong, when it is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import anyio

from anabranch.errors import (
    AuthenticationError,
    CloudUnavailable,
    PermissionDenied,
    ProtocolError,
    RateLimited,
)
from anabranch_mock.settings import Fault, FaultKind

__all__ = ["Faults", "befall"]


class Faults:
    """The faults of one cloud, counted down as they happen."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._left = [(fault, fault.times) for fault in faults]

    def due(self, operation: str) -> Fault | None:
        """Return the first fault that `operation` meets, and count it."""
        for index, (fault, left) in enumerate(self._left):
            if not _meets(operation, fault):
                continue
            if left == 1:
                del self._left[index]
            elif left is not None:
                self._left[index] = (fault, left - 1)
            return fault
        return None


async def befall(fault: Fault) -> None:
    """Let a fault happen that comes before the operation does anything.

    Raises:
        Exception: what the driver would raise, if the fault is one that ends the operation.
    """
    if fault.kind is FaultKind.HANG:
        await anyio.sleep_forever()
    elif fault.kind is FaultKind.SLOW:
        await anyio.sleep(fault.seconds)
    elif fault.kind in _ERRORS:
        raise _ERRORS[fault.kind](fault)


def _meets(operation: str, fault: Fault) -> bool:
    if fault.kind is FaultKind.ODD_ITEM and not operation.startswith("list_"):
        return False
    return not fault.operations or operation in fault.operations


_ERRORS: Final[Mapping[FaultKind, Callable[[Fault], Exception]]] = {
    FaultKind.REFUSE: lambda _: CloudUnavailable("connection refused"),
    FaultKind.UNAVAILABLE: lambda _: CloudUnavailable("down for maintenance", provider_code=503),
    FaultKind.UNAUTHORIZED: lambda _: AuthenticationError(
        "the session has ended", provider_code=401
    ),
    FaultKind.FORBIDDEN: lambda _: PermissionDenied("your role forbids it", provider_code=403),
    FaultKind.RATE_LIMITED: lambda fault: RateLimited(
        "too many requests", provider_code=429, retry_after=fault.seconds
    ),
    FaultKind.GARBAGE: lambda _: ProtocolError("the answer is not the mock's protocol"),
    FaultKind.CRASH: lambda _: RuntimeError("this driver was told to crash"),
}
