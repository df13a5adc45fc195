"""What goes wrong, as HTTP tells it (deltacloud.md, 4)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from anabranch import (
    AnabranchError,
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    ConfigurationError,
    Conflict,
    DeadlineExceeded,
    DriverFault,
    FeatureNotSupported,
    InsufficientCapacity,
    InvalidRequest,
    InvalidState,
    NotFound,
    OperationNotSupported,
    OutcomeUnknown,
    PermissionDenied,
    ProtocolError,
    QuotaExceeded,
    RateLimited,
    RequirementNotMet,
)

__all__ = ["Problem", "nothing_here", "problem_of"]


class Problem(Exception):
    """A request that cannot be answered as it was meant.

    Attributes:
        status: HTTP status.
        message: What is wrong, for a person.
        kind: Name of the error's class.
        remedy: What to do about it, or nothing.
        headers: Headers of the reply.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "BadRequest",
        remedy: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.remedy = status, message, kind, remedy
        self.headers: Mapping[str, str] = headers or {}


def nothing_here(path: str) -> Problem:
    """Return the answer to a path that leads nowhere, or not by this method.

    That is 404 as in Deltacloud: to its clients, 405 means that a state forbids an action.
    """
    return Problem(
        404, f"there is nothing at {path}", kind="NotFound", remedy="GET /api tells what there is"
    )


_STATUSES: Final[tuple[tuple[type[AnabranchError], int], ...]] = (
    # The first that fits: narrower classes stand before wider ones.
    (AuthenticationError, 401),
    (PermissionDenied, 403),
    (QuotaExceeded, 403),
    (NotFound, 404),
    (InvalidState, 405),
    (Conflict, 409),
    (InvalidRequest, 400),
    (FeatureNotSupported, 400),
    (OperationNotSupported, 412),
    (RateLimited, 429),
    (InsufficientCapacity, 503),
    (DeadlineExceeded, 504),
    (CloudUnavailable, 502),
    (ProtocolError, 502),
    (OutcomeUnknown, 502),
    (RequirementNotMet, 502),
    (DriverFault, 500),
    (ConfigurationError, 400),
)


def problem_of(error: AnabranchError) -> Problem:
    """Describe an exception of the broker as HTTP does."""
    status = next((code for kind, code in _STATUSES if isinstance(error, kind)), 500)
    headers: dict[str, str] = {}
    message, remedy = str(error), ""
    if isinstance(error, CloudError):
        remedy, message = error.remedy, error.message or type(error).__doc__ or ""
        if status == 412 and error.operation:
            headers["Expect"] = error.operation
        if error.retry_after is not None:
            headers["Retry-After"] = str(math.ceil(error.retry_after))
    elif isinstance(error, ConfigurationError):
        message, remedy = error.message, error.remedy
        if error.field:
            message = f"{error.field}: {message}"
    return Problem(status, message, kind=type(error).__name__, remedy=remedy, headers=headers)
