"""What goes wrong, as HTTP tells it (deltacloud.md, 4 and 11).

The statuses are those of Deltacloud where it had one. Its Ruby clients raise an error for some
alone: that of 2013 for 400 to 409, 500, 501 and 502, the one before for 400, 401, 403 to 406, 408,
410 and 5xx. Any other status they take for a success, and an error document for an empty list. So
what Deltacloud had no status for gets one that both know, and the `kind` in the document says what
it is:

| error | status | because |
| --- | --- | --- |
| RateLimited | 502, with `Retry-After` | 429 and 503 would look like an empty list |
| InsufficientCapacity | 502 | the cloud cannot, and the request is not to blame |
| OutcomeUnknown | 502 | it is not known, and above all it is no success |
| QuotaExceeded | 403 | the account may not have more |
| NotFound | 404 | in actions too, where Deltacloud told 403 |
| Conflict | 403 | as its mock driver told of a name that is taken; 409 is a success to a client |
| TooLarge | 400 | and so is 413 |

412 (not offered) and 504 (no answer in time) are Deltacloud's own, and kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from anabranch import (
    AnabranchError,
    AuthenticationError,
    CloudError,
    ConfigurationError,
    Conflict,
    DeadlineExceeded,
    DriverFault,
    FeatureNotSupported,
    InvalidRequest,
    InvalidState,
    NotFound,
    OperationNotSupported,
    PermissionDenied,
    PluginError,
    QualifiedId,
    QuotaExceeded,
)

__all__ = [
    "Problem",
    "not_offered",
    "nothing_here",
    "nothing_to_destroy",
    "problem_of",
]


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


def nothing_to_destroy(noun: str, where: QualifiedId) -> NotFound:
    """Return the error of a destroy that found nothing.

    Args:
        noun: What it was to be, in the singular: `storage_volume`.
        where: Its id.
    """
    error = NotFound(f"there is no {noun.replace('_', ' ')} {where.id!r}")
    error.locate(where.cloud, f"destroy_{noun}")
    return error


def not_offered(operation: str, message: str, remedy: str = "") -> Problem:
    """Return the answer where a cloud does not offer an operation.

    `Expect` names it as Deltacloud did: `firewalls`, `firewall`, `create_firewall`.
    """
    capability = operation.removeprefix("list_").removeprefix("get_")
    return Problem(
        412,
        message,
        kind="OperationNotSupported",
        remedy=remedy,
        headers={"Expect": capability} if capability else {},
    )


_STATUSES: Final[tuple[tuple[type[AnabranchError], int], ...]] = (
    # The first that fits: narrower classes stand before wider ones.
    (AuthenticationError, 401),
    (PermissionDenied, 403),
    (QuotaExceeded, 403),
    (NotFound, 404),
    (InvalidState, 405),
    (Conflict, 403),
    (InvalidRequest, 400),
    (FeatureNotSupported, 400),
    (DeadlineExceeded, 504),
    (DriverFault, 500),
    (CloudError, 502),
    (ConfigurationError, 400),
    (PluginError, 500),
)


def problem_of(error: AnabranchError, *, account: bool = True) -> Problem:
    """Describe an exception of the broker as HTTP does; the message names cloud and operation.

    Args:
        error: The exception.
        account: Whether the cloud was called by credentials that came with the request. Others it
            cannot be blamed for: that they are refused is 502.
    """
    kind = type(error)
    status = next((code for wide, code in _STATUSES if issubclass(kind, wide)), 500)
    if status == 401 and not account:
        status = 502
    if isinstance(error, ConfigurationError):
        message = f"{error.field}: {error.message}" if error.field else error.message
        return Problem(status, message, kind=kind.__name__, remedy=error.remedy)
    if not isinstance(error, CloudError):
        return Problem(status, str(error), kind=kind.__name__)
    place = ": ".join(part for part in (error.cloud, error.operation) if part)
    message = error.message or kind.__doc__ or kind.__name__
    if place:
        message = f"{place}: {message}"
    if error.request_id:
        message = f"{message} (request id {error.request_id})"
    if kind is OperationNotSupported:
        return not_offered(error.operation or "", message, error.remedy)
    wait = error.retry_after
    headers = {} if wait is None else {"Retry-After": str(max(0, math.ceil(wait)))}
    return Problem(status, message, kind=kind.__name__, remedy=error.remedy, headers=headers)
