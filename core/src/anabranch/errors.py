"""The exceptions of Anabranch.

    AnabranchError
    ├── ConfigurationError          anabranch.yaml, an environment variable or an argument is wrong
    ├── PluginError                 a plugin cannot be loaded or breaks the contract
    ├── RequirementNotMet           a fan-out answered, but not as completely as was required
    └── CloudError                  one cloud could not do one operation
        ├── AuthenticationError     the credentials were refused
        ├── PermissionDenied        the credentials are good, the act is not allowed to them
        ├── NotFound                no such thing there
        ├── Conflict                the thing is busy, in use, or exists already
        │   └── InvalidState        the state of the thing forbids the action
        ├── InvalidRequest          the cloud refused an argument
        ├── QuotaExceeded           the account's quota is used up
        ├── InsufficientCapacity    the cloud itself has no room for it now
        ├── RateLimited             too many requests; `retry_after` seconds
        ├── CloudUnavailable        no usable reply: refused, reset, 5xx, name not found, TLS
        │   └── CircuitOpen         failed so often lately that it was not even asked
        ├── DeadlineExceeded        no reply in time
        ├── ProtocolError           the reply is not the platform's protocol
        ├── OutcomeUnknown          a change was sent and its answer lost: it may have happened
        ├── OperationNotSupported   the driver, or this cloud today, does not offer the operation
        │   └── FeatureNotSupported … or the optional parameter
        └── DriverFault             a bug in a driver: an exception that is none of these

Each carries what is known as attributes, and says it in one line. No message holds a secret.
"""

from __future__ import annotations

from typing import ClassVar

from anabranch.redaction import redact_url

__all__ = [
    "AnabranchError",
    "AuthenticationError",
    "CircuitOpen",
    "CloudError",
    "CloudUnavailable",
    "ConfigurationError",
    "Conflict",
    "DeadlineExceeded",
    "DriverFault",
    "FeatureNotSupported",
    "InsufficientCapacity",
    "InvalidRequest",
    "InvalidState",
    "NotFound",
    "OperationNotSupported",
    "OutcomeUnknown",
    "PermissionDenied",
    "PluginError",
    "ProtocolError",
    "QuotaExceeded",
    "RateLimited",
    "RequirementNotMet",
    "error_class",
]


class AnabranchError(Exception):
    """The root: whatever Anabranch raises on purpose."""


class ConfigurationError(AnabranchError):
    """Something that the user configured is wrong.

    Attributes:
        cloud: Name of the cloud concerned, or None.
        field: Dotted path of the setting (`auth.auth_url`), or None.
        remedy: What to do about it; part of the text.
    """

    def __init__(
        self, message: str, *, cloud: str | None = None, field: str | None = None, remedy: str = ""
    ) -> None:
        self.message, self.remedy = redact_url(message), redact_url(remedy)
        self.cloud, self.field = cloud, field
        super().__init__(self.message)

    def __str__(self) -> str:
        where = [f"cloud {self.cloud!r}"] if self.cloud else []
        if self.field:
            where.append(f"field {self.field!r}")
        text = f"{', '.join(where)}: {self.message}" if where else self.message
        return f"{text}. {self.remedy}" if self.remedy else text


class PluginError(AnabranchError):
    """A plugin cannot be loaded, or breaks the contract of `anabranch.hooks`."""


class RequirementNotMet(AnabranchError):
    """A fan-out ended with fewer good clouds than its `require` policy asks for."""


class CloudError(AnabranchError):
    """One operation failed on one cloud.

    A driver raises it, or a narrower one, with the message alone; the broker adds cloud and
    operation.

    Attributes:
        message: One line for a person.
        cloud: Name of the cloud; filled in by the broker.
        operation: Name of the operation (`start_instance`); filled in by the broker.
        provider_code: The platform's own code (`409`, `OverQuota`), or None.
        request_id: The platform's id of the request, to quote to its operators, or None.
        retry_after: Seconds that the cloud asks to wait, or None.
        remedy: What to do about it; may be empty.
    """

    retryable: ClassVar[bool] = False
    """Whether the same call may go well a little later, nothing else having changed."""

    def __init__(
        self,
        message: str = "",
        *,
        provider_code: str | int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        remedy: str = "",
    ) -> None:
        self.message = redact_url(" ".join(message.split()))
        self.provider_code = None if provider_code is None else str(provider_code)
        self.request_id, self.retry_after, self.remedy = request_id, retry_after, remedy
        self.cloud: str | None = None
        self.operation: str | None = None
        super().__init__(self.message)

    def locate(self, cloud: str, operation: str) -> None:
        """Say where it happened, unless that is known already."""
        self.cloud = self.cloud or cloud
        self.operation = self.operation or operation

    def __str__(self) -> str:
        text = self.message or type(self).__doc__ or type(self).__name__
        if self.cloud:
            place = f"{self.cloud}: {self.operation}" if self.operation else self.cloud
            text = f"{place}: {text}"
        if self.remedy:
            text = f"{text.rstrip('.')}. {self.remedy}"
        return f"{text} (request id {self.request_id})" if self.request_id else text


class AuthenticationError(CloudError):
    """The credentials were refused."""


class PermissionDenied(CloudError):
    """The credentials are good, but this is not allowed to them."""


class NotFound(CloudError):
    """There is no such thing."""


class Conflict(CloudError):
    """The thing is busy, in use, or exists already."""


class InvalidState(Conflict):
    """The state of the thing forbids the action."""


class InvalidRequest(CloudError):
    """The cloud refused an argument."""


class QuotaExceeded(CloudError):
    """The quota of the account is used up."""


class InsufficientCapacity(CloudError):
    """The cloud has no room for it now, whatever the account may have."""


class RateLimited(CloudError):
    """The cloud asks for fewer requests."""

    retryable = True


class CloudUnavailable(CloudError):
    """The cloud gave no usable reply."""

    retryable = True


class CircuitOpen(CloudUnavailable):
    """The cloud failed so often lately that it was not asked."""


class DeadlineExceeded(CloudError, TimeoutError):
    """The cloud did not answer in time."""

    retryable = True


class ProtocolError(CloudError):
    """The reply is not the protocol of the platform."""


class OutcomeUnknown(CloudError):
    """A change was sent and its answer lost: it may or may not have happened."""


class OperationNotSupported(CloudError):
    """The operation is not offered."""


class FeatureNotSupported(OperationNotSupported):
    """The operation is offered, but not with this parameter."""


class DriverFault(CloudError):
    """The driver has a bug."""


_BY_STATUS: dict[int, type[CloudError]] = {
    401: AuthenticationError,
    403: PermissionDenied,
    404: NotFound,
    408: CloudUnavailable,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    429: RateLimited,
    501: InvalidRequest,
}


def error_class(status: int) -> type[CloudError]:
    """Return the narrowest class for an HTTP status of 400 or more.

    401, 403, 404, 409 and 429 have classes of their own; other 4xx are `InvalidRequest`, other
    5xx `CloudUnavailable`, and what is no error status at all is a `ProtocolError`. A driver
    that reads more out of the reply (a quota, a state) chooses a narrower class itself.
    """
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 400 <= status < 500:
        return InvalidRequest
    return CloudUnavailable if status >= 500 else ProtocolError
