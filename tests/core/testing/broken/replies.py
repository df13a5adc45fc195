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


def mistaking(right: type[CloudError], wrong: type[Exception]) -> type[Client]:
    """Make a client that raises `wrong` where `right` would be right."""

    class Mistaken(Client):
        def failure(self, reply):
            error = super().failure(reply)
            return wrong(error.message) if type(error) is right else error

    return Mistaken


class RefusedIsDown(AcmeDriver):
    client_type = mistaking(AuthenticationError, CloudUnavailable)


class ForbiddenIsRefused(AcmeDriver):
    client_type = mistaking(PermissionDenied, AuthenticationError)


class GoneIsInvalid(AcmeDriver):
    client_type = mistaking(NotFound, InvalidRequest)


class ConflictIsInvalid(AcmeDriver):
    client_type = mistaking(Conflict, InvalidRequest)


class TooManyIsInvalid(AcmeDriver):
    client_type = mistaking(RateLimited, InvalidRequest)


class DownIsOdd(AcmeDriver):
    client_type = mistaking(CloudUnavailable, ProtocolError)


class DownIsRuntimeError(AcmeDriver):
    client_type = mistaking(CloudUnavailable, RuntimeError)


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
