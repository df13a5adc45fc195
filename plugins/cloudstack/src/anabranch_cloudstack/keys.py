"""Keys: the key pairs of the account."""

from __future__ import annotations

from functools import partial
from typing import Final

from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.keys import KeysSpec
from anabranch.models import Key, KeySpec
from anabranch.paging import Page
from anabranch_cloudstack import convert, wire
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.reading import Reader
from anabranch_cloudstack.settings import CloudStackSettings

__all__ = ["Keys"]

_KEYPAIR: Final = Reader(wire.KeyPair, "sshkeypair", "keypair")


class Keys(KeysSpec[CloudStackSettings]):
    """Key pairs."""

    @hookimpl
    async def list_keys(self, cloud: CloudStackCloud, cursor: str | None) -> Page[Key]:
        return await session(cloud).page(
            "listSSHKeyPairs",
            reader=_KEYPAIR,
            convert=partial(convert.key, cloud.name),
            cursor=cursor,
            parameters=session(cloud).scope,
        )

    @hookimpl
    async def get_key(self, cloud: CloudStackCloud, key_id: str) -> Key:
        return await session(cloud).one(
            "listSSHKeyPairs",
            {"name": key_id, **session(cloud).scope},
            reader=_KEYPAIR,
            convert=partial(convert.key, cloud.name),
            what=f"key pair {key_id!r}",
        )

    @hookimpl
    @offers(Feature.IMPORT_KEY)
    async def create_key(self, cloud: CloudStackCloud, spec: KeySpec) -> Key:
        cloudstack = session(cloud)
        body = await cloudstack.carry_out(
            "registerSSHKeyPair" if spec.public_key else "createSSHKeyPair",
            {"name": spec.name, "publickey": spec.public_key, **cloudstack.project},
        )
        return convert.key(cloud.name, *_KEYPAIR.made(body))

    @hookimpl
    async def destroy_key(self, cloud: CloudStackCloud, key_id: str) -> None:
        cloudstack = session(cloud)
        await cloudstack.carry_out(
            "deleteSSHKeyPair", {"name": key_id, **cloudstack.project}, idempotent=True
        )
