"""What can be set for an Acme cloud."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings

__all__ = ["AcmeSettings"]


class AcmeSettings(CloudSettings, frozen=True, kw_only=True):
    """An account at an Acme cloud."""

    url: Annotated[str, Meta(description="URL of the API", pattern="^https?://")]
    user: Annotated[str, Meta(description="Name of the account")]
    password: Annotated[SecretStr, Meta(description="Password of the account")]
