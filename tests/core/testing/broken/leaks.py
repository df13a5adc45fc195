"""Drivers that show the password."""

from __future__ import annotations

import logging
from typing import Annotated

import msgspec
from msgspec import Meta

from anabranch.errors import AuthenticationError, CloudError
from anabranch.features import Feature, offers
from anabranch.hooks import CloudIdentity, hookimpl
from anabranch.paging import ItemProblem, Page
from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings

from .acme import AcmeDriver, convert, wire
from .acme.client import Client


def password(client: Client) -> str:
    return client.cloud.settings.password.get_secret_value()


class InAnError(AcmeDriver):
    """Says which password was refused."""

    class client_type(Client):
        def failure(self, reply):
            error = super().failure(reply)
            if isinstance(error, AuthenticationError):
                return AuthenticationError(f"the cloud refused {password(self)!r}")
            return error


class InACause(AcmeDriver):
    """Says it in the exception that its error was raised from."""

    class client_type(Client):
        def failure(self, reply):
            error = super().failure(reply)
            error.__cause__ = ValueError(f"password {password(self)!r} of no use")
            return error


class InARemedy(AcmeDriver):
    """Says it in the advice."""

    class client_type(Client):
        def failure(self, reply):
            error = super().failure(reply)
            error.remedy = f"See whether {password(self)} is right"
            return error


class InALogEvent(AcmeDriver):
    """Logs its login, at the lowest level."""

    class client_type(Client):
        async def log_in(self):
            self.cloud.log.debug("acme.login", user="wile", why=f"with {password(self)}")
            return await super().log_in()


class InALogLine(AcmeDriver):
    """Logs its login by the standard library."""

    class client_type(Client):
        async def log_in(self):
            logging.getLogger("acme").info("login with %s", password(self))
            return await super().log_in()


class TokenInALogEvent(AcmeDriver):
    """Logs the token that it got for the password."""

    class client_type(Client):
        async def log_in(self):
            token = await super().log_in()
            self.cloud.log.debug("acme.login", got=f"it was {token.value.get_secret_value()}")
            return token


class InAUrl(AcmeDriver):
    """Puts it into the query of every request."""

    class client_type(Client):
        async def send(self, method, path, token, body, idempotent):
            sign = "&" if "?" in path else "?"
            path = f"{path}{sign}pw={password(self)}"
            return await super().send(method, path, token, body, idempotent)


class OpenSettings(CloudSettings, frozen=True, kw_only=True):
    url: Annotated[str, Meta(description="URL of the API")]
    user: Annotated[str, Meta(description="Name of the account")]
    password: Annotated[str, Meta(description="Password of the account")]


class InARepr(AcmeDriver):
    """Has settings that show themselves."""

    settings_type = OpenSettings

    class client_type(Client):
        async def log_in(self):
            closed = self.cloud.settings
            try:
                self.cloud.settings = Closed(closed.url, closed.user, SecretStr(closed.password))
                return await super().log_in()
            finally:
                self.cloud.settings = closed


class Closed(msgspec.Struct):
    url: str
    user: str
    password: SecretStr


class InAnIdentity(AcmeDriver):
    """Shows it to who asks whether the login works."""

    @hookimpl
    async def check(self, cloud):
        client = self.client(cloud)
        await client.token()
        return CloudIdentity(account=f"wile:{password(client)}", endpoint=cloud.settings.url)


class InAProblem(AcmeDriver):
    """Shows it in what is told of an item that cannot be read."""

    class client_type(Client):
        async def page(self, path, cursor, kind, convert):
            page = await super().page(path, cursor, kind, convert)
            problems = [ItemProblem(message=f"{p.message} {password(self)}") for p in page.problems]
            return Page(page.items, page.cursor, problems)


class OfTheMachine(AcmeDriver):
    """Quotes a create that failed, with the password that the machine was to have."""

    @hookimpl
    @offers(Feature.AUTHENTICATION_PASSWORD, Feature.CLIENT_TOKEN)
    async def create_instance(self, cloud, spec):
        secret = spec.password.get_secret_value() if spec.password else ""
        body = {"image": spec.image_id, "password": secret, "token": spec.client_token}
        client = self.client(cloud)
        try:
            return await client.one(
                "POST", "/v1/machines", wire.Machine, convert.instance, body=body
            )
        except CloudError as exc:
            exc.message += f" (sent: {body})"
            raise
