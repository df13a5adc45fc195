"""Keys."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import textwrap

import msgspec

from anabranch.errors import InvalidRequest
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.keys import KeysSpec
from anabranch.models import Key, KeySpec
from anabranch.paging import Page
from anabranch.redaction import SecretStr
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore
from anabranch_mock.text import check_name

__all__ = ["Keys"]


class Keys(KeysSpec[MockSettings]):
    """The hooks of the keys. A key's name is its id."""

    @hookimpl
    async def list_keys(self, cloud: MockCloud, cursor: str | None) -> Page[Key]:
        return await listing(cloud, "list_keys", lambda store: store.page(store.keys, cursor))

    @hookimpl
    async def get_key(self, cloud: MockCloud, key_id: str) -> Key:
        return await call(cloud, "get_key", lambda store: store.keys.get(key_id))

    @hookimpl
    @offers(Feature.IMPORT_KEY)
    async def create_key(self, cloud: MockCloud, spec: KeySpec) -> Key:
        return await call(cloud, "create_key", lambda store: _create(store, spec))

    @hookimpl
    async def destroy_key(self, cloud: MockCloud, key_id: str) -> None:
        await call(cloud, "destroy_key", lambda store: _destroy(store, key_id))


def _create(store: MockStore, spec: KeySpec) -> Key:
    check_name(spec.name, required=True)
    if spec.public_key is not None:
        public, private = spec.public_key.strip(), None
    else:
        public, private = _make_pair(spec.name)
    key = Key(
        cloud=store.cloud,
        id=spec.name,
        name=spec.name,
        fingerprint=_fingerprint(public),
        public_key=public,
    )
    store.keys.add(key)
    # The private key is told this once, and not kept.
    return msgspec.structs.replace(key, private_key=private)


def _destroy(store: MockStore, key_id: str) -> None:
    # Instances were given a copy when they were made: a key in use may go.
    store.keys.get(key_id)
    store.keys.remove(key_id)


def _fingerprint(public_key: str) -> str:
    kind, blob = "", b""
    try:
        kind, encoded = public_key.split()[:2]
        blob = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        pass
    length = int.from_bytes(blob[:4], "big")
    if not kind or blob[4 : 4 + length] != kind.encode():
        raise InvalidRequest(
            "public_key: it is no key in OpenSSH format", remedy="Give a line as of id_ed25519.pub"
        )
    return (
        hashlib.md5(blob, usedforsecurity=False).digest().hex(":")
    )  # as Deltacloud and EC2 write it


def _make_pair(name: str) -> tuple[str, SecretStr]:
    """Make what looks like a key pair. It opens nothing, and says so."""
    kind = b"ssh-ed25519"
    blob = len(kind).to_bytes(4, "big") + kind + (32).to_bytes(4, "big") + secrets.token_bytes(32)
    text = base64.b64encode(
        b"This is no key: the mock driver made it up. " + secrets.token_bytes(24)
    )
    lines = "\n".join(textwrap.wrap(text.decode(), 64))
    private = f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----\n"
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} {name}", SecretStr(private)
