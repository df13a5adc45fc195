"""How every operation reaches the cloud: its latency, its faults, its login, then its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import anyio
import msgspec

from anabranch.errors import (
    AuthenticationError,
    CloudUnavailable,
    OperationNotSupported,
    OutcomeUnknown,
)
from anabranch.models import Resource
from anabranch.paging import ItemProblem, Page
from anabranch_mock.dataset import open_store
from anabranch_mock.faults import befall
from anabranch_mock.settings import PASSWORD, USERNAME, Fault, FaultKind, MockSettings
from anabranch_mock.store import MockCloud, MockStore

__all__ = ["call", "listing"]

T = TypeVar("T")
R = TypeVar("R", bound=Resource)

_OPEN_TO_ALL: Final = {"list_hardware_profiles", "get_hardware_profile"}
_READING: Final = ("list_", "get_", "open_", "check", "probe")


async def call(cloud: MockCloud, operation: str, act: Callable[[MockStore], T]) -> T:
    """Let `act` look at, or change, the state of a cloud.

    All waiting is done before. `act` is no coroutine, so that nothing comes between what it
    checks and what it changes; and an operation that is cancelled has changed nothing.

    Args:
        cloud: Where.
        operation: Name of the operation.
        act: What it does.

    Raises:
        CloudError: whatever `act` raises; or the credentials are wrong, or a fault was due.
    """
    store, fault = await _reach(cloud, operation)
    answer = act(store)
    if fault is not None and fault.kind is FaultKind.RESET:
        raise OutcomeUnknown("the connection was cut before the answer came")
    return answer


async def listing(
    cloud: MockCloud, operation: str, read: Callable[[MockStore], Page[R]]
) -> Page[R]:
    """Read one page of a list, as `call` does."""
    store, fault = await _reach(cloud, operation)
    page = read(store)
    if fault is not None and fault.kind is FaultKind.ODD_ITEM and page.items:
        problem = ItemProblem(id=page.items[0].id, message="its state is the number 42")
        return msgspec.structs.replace(page, items=page.items[1:], problems=(problem,))
    return page


async def _reach(cloud: MockCloud, operation: str) -> tuple[MockStore, Fault | None]:
    store = cloud.local(open_store)
    fault = store.faults.due(operation)
    await anyio.sleep(cloud.settings.latency)
    if fault is not None:
        await befall(fault)
        if fault.kind is FaultKind.RESET and operation.startswith(_READING):
            raise CloudUnavailable("the connection was cut")
    if operation in cloud.settings.lacks:
        raise OperationNotSupported("this cloud is set to lack it")
    if operation not in _OPEN_TO_ALL:
        _log_in(cloud.settings)
    store.settle()
    return store, fault


def _log_in(settings: MockSettings) -> None:
    if (settings.username, settings.password) != (USERNAME, PASSWORD):
        raise AuthenticationError(
            f"user name or password of {settings.username!r} is wrong",
            provider_code=401,
            remedy="The right ones are mockuser and mockpassword, which are the defaults",
        )
