"""Drivers that let strangers do more than log in."""

from __future__ import annotations

from pathlib import Path

from anabranch.errors import ConfigurationError
from anabranch.redaction import SecretStr
from anabranch.settings import check_provider_url

from .acme import AcmeDriver


class TakesAnybody(AcmeDriver):
    """Looks at the provider and no further."""

    def account(self, provider, user, password):
        check_provider_url(provider, "http://HOST")
        return {"url": provider, "user": user, "password": password}


class ReadsAFile(AcmeDriver):
    """Takes a provider for the name of a file."""

    def account(self, provider, user, password):
        if provider.startswith("/"):
            provider = Path(provider).read_text(encoding="utf-8")
        return super().account(provider, user, password)


class ShowsThePassword(AcmeDriver):
    """Takes the password out of its cover too early."""

    def account(self, provider, user, password):
        entry = super().account(provider, user, password)
        return {**entry, "password": password.get_secret_value()}


class TellsThePassword(AcmeDriver):
    """Quotes what it refuses."""

    def account(self, provider, user, password):
        try:
            return super().account(provider, user, password)
        except ConfigurationError as exc:
            raise ConfigurationError(
                f"{user} with {password.get_secret_value()} is none", field=exc.field
            ) from None


class Stumbles(AcmeDriver):
    """Reads a part that may not be there."""

    def account(self, provider, user, password):
        provider.index(":")
        return super().account(provider, user, password)


class LeavesItToConfigure(AcmeDriver):
    """Makes an entry of nonsense, so that the error names a setting that the user never saw."""

    def account(self, provider, user, password):
        super().account("http://127.0.0.1:9", user, password)
        return {"url": provider, "user": user, "password": password, "colour": "red"}


class RefusesEverybody(AcmeDriver):
    """Wants what nobody sends."""

    def account(self, provider, user, password):
        raise ConfigurationError("is no acme user", field="user")


class MixesThemUp(AcmeDriver):
    """Logs in with the user for a password."""

    def account(self, provider, user, password):
        return {**super().account(provider, user, password), "password": SecretStr(user)}
