"""Drivers that take one failure for another."""

from __future__ import annotations

from anabranch.errors import (
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ProtocolError,
    RateLimited,
)

from .acme import AcmeDriver
from .acme.client import Client


def mistaking(right: type[CloudError], wrong: type[Exception]) -> type[AcmeDriver]:
    """Make a driver that raises `wrong` where `right` would be right."""

    class Mistaken(Client):
        def failure(self, reply):
            error = super().failure(reply)
            return wrong(error.message) if type(error) is right else error

    class Driver(AcmeDriver):
        client_type = Mistaken

    Driver.__name__ = f"Takes{right.__name__}For{wrong.__name__}"
    return Driver


RefusedIsDown = mistaking(AuthenticationError, CloudUnavailable)
ForbiddenIsRefused = mistaking(PermissionDenied, AuthenticationError)
GoneIsInvalid = mistaking(NotFound, InvalidRequest)
ConflictIsInvalid = mistaking(Conflict, InvalidRequest)
TooManyIsInvalid = mistaking(RateLimited, InvalidRequest)
DownIsOdd = mistaking(CloudUnavailable, ProtocolError)
DownIsRuntimeError = mistaking(CloudUnavailable, RuntimeError)


class ForgetsWhenToComeBack(AcmeDriver):
    """Tells of a 429, and not of its Retry-After."""

    class client_type(Client):
        def failure(self, reply):
            error = super().failure(reply)
            error.retry_after = None
            return error


class LateIsDown(AcmeDriver):
    """Takes a cloud that does not answer in time for one that is down."""

    class client_type(Client):
        async def send(self, method, path, token, body, idempotent):
            try:
                return await super().send(method, path, token, body, idempotent)
            except DeadlineExceeded as exc:
                raise CloudUnavailable(exc.message) from exc


class ResetIsBuiltin(AcmeDriver):
    """Raises Python's own exception when the connection breaks."""

    class client_type(Client):
        async def send(self, method, path, token, body, idempotent):
            try:
                return await super().send(method, path, token, body, idempotent)
            except CloudUnavailable as exc:
                raise ConnectionResetError(exc.message) from exc


class LoginFailsAsItLikes(AcmeDriver):
    """Has typed errors, but not those of the login."""

    class client_type(Client):
        async def log_in(self):
            try:
                return await super().log_in()
            except AuthenticationError as exc:
                raise InvalidRequest(exc.message) from exc
