"""Keys: what may log in to instances."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from anabranch.models._base import Resource
from anabranch.redaction import SecretStr

__all__ = ["Key", "KeyKind", "KeySpec"]


class KeyKind(StrEnum):
    """What a key is."""

    KEY = "key"
    PASSWORD = "password"


class Key(Resource, frozen=True, kw_only=True):
    """A credential for logging in to instances.

    Attributes:
        kind: A key pair, or a name and password.
        fingerprint: Of the public key, as the platform writes it.
        public_key: In OpenSSH format; None: not told.
        private_key: PEM or OpenSSH; only in the answer to create, and only if the cloud made it.
        username: Of kind password.
        password: Of kind password.
        state: The platform's word, where it has one.
    """

    kind: KeyKind = KeyKind.KEY
    fingerprint: str | None = None
    public_key: str | None = None
    private_key: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None
    state: str | None = None


class KeySpec(msgspec.Struct, frozen=True, kw_only=True):
    """The key to make.

    Attributes:
        name: Its name; on many platforms also its id.
        public_key: In OpenSSH format, to be imported (feature `import_key`); None: make a pair.
    """

    name: str
    public_key: str | None = None
