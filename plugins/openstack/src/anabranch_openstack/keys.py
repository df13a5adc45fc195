"""Keys: nova's key pairs, which belong to the user and not to the project."""

from __future__ import annotations

from functools import partial
from typing import Final

from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.keys import KeysSpec
from anabranch.models import Key, KeySpec
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack import convert, wire
from anabranch_openstack.catalog import COMPUTE
from anabranch_openstack.client import OpenStackCloud, segment, session
from anabranch_openstack.reading import wrapped
from anabranch_openstack.replies import decoded, request_id
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["Keys"]

_KEYPAIR: Final = Reader(wire.Keypair)
_KEYPAIR_ITEM: Final = Reader(wire.KeypairItem)
_WITHOUT_TYPE: Final = (2, 1)
_GENERATING: Final = (2, 91)
"""From 2.92 on nova only imports."""


class Keys(KeysSpec[OpenStackSettings]):
    """Key pairs."""

    @hookimpl
    async def list_keys(self, cloud: OpenStackCloud, cursor: str | None) -> Page[Key]:
        return await session(cloud).page(
            COMPUTE,
            "/os-keypairs",
            "keypairs",
            reader=_KEYPAIR_ITEM,
            convert=partial(convert.listed_key, cloud.name),
            paged=False,
        )

    @hookimpl
    async def get_key(self, cloud: OpenStackCloud, key_id: str) -> Key:
        return await session(cloud).one(
            COMPUTE,
            f"/os-keypairs/{segment(key_id)}",
            "keypair",
            reader=_KEYPAIR,
            convert=partial(convert.key, cloud.name),
        )

    @hookimpl
    @offers(Feature.IMPORT_KEY)
    async def create_key(self, cloud: OpenStackCloud, spec: KeySpec) -> Key:
        nova = session(cloud)
        pair = {"name": spec.name}
        microversion = None
        if spec.public_key:
            pair["public_key"] = spec.public_key
        else:
            microversion = await nova.microversion(_GENERATING, _WITHOUT_TYPE)
        reply = await nova.request(
            COMPUTE, "POST", "/os-keypairs", body={"keypair": pair}, microversion=microversion
        )
        raw = decoded(reply, wrapped("keypair")).item
        return convert.key(cloud.name, _KEYPAIR.read(raw, request_id(reply)), raw)

    @hookimpl
    async def destroy_key(self, cloud: OpenStackCloud, key_id: str) -> None:
        await session(cloud).request(COMPUTE, "DELETE", f"/os-keypairs/{segment(key_id)}")
