"""Images: glance's, and nova's making of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from anabranch.cloud import Response
from anabranch.errors import CloudError, InvalidRequest, ProtocolError
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.images import ImagesSpec
from anabranch.models import Image, ImageSpec, ImageState
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack import convert, wire
from anabranch_openstack.catalog import COMPUTE, IMAGE
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.replies import decoded, request_id
from anabranch_openstack.servers import server_path
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["Images"]

_IMAGE: Final = Reader(wire.Image)
_WITH_ID_IN_BODY: Final = (2, 45)
_RESERVED: Final = frozenset(f.encode_name for f in msgspec.structs.fields(wire.Image)) | {
    "checksum",
    "container_format",
    "deleted",
    "deleted_at",
    "disk_format",
    "file",
    "is_public",
    "kernel_id",
    "location",
    "locations",
    "os_hash_algo",
    "os_hash_value",
    "os_hidden",
    "protected",
    "ramdisk_id",
    "schema",
    "self",
    "stores",
    "updated_at",
    "virtual_size",
}
"""Properties that mean something to glance, nova or this driver."""
_LONGEST_VALUE: Final = 255


class _Made(msgspec.Struct, frozen=True):
    image_id: str


_MADE: Final = msgspec.json.Decoder(_Made)


class Images(ImagesSpec[OpenStackSettings]):
    """Images."""

    @hookimpl
    @offers(Feature.OWNER_FILTER, Feature.ARCHITECTURE_FILTER)
    async def list_images(
        self, cloud: OpenStackCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Image]:
        names = {"owner_id": "owner", "architecture": "architecture"}
        return await session(cloud).page(
            IMAGE,
            "/images",
            "images",
            reader=_IMAGE,
            convert=partial(convert.image, cloud.name),
            cursor=cursor,
            params={names[field]: value for field, value in where.items()},
        )

    @hookimpl
    async def get_image(self, cloud: OpenStackCloud, image_id: str) -> Image:
        return await _show(session(cloud), image_id)

    @hookimpl
    @offers(
        Feature.IMAGE_NAME,
        Feature.IMAGE_DESCRIPTION,
        Feature.IMAGE_TAGS,
        constraints={Feature.IMAGE_DESCRIPTION: {"max_length": str(_LONGEST_VALUE)}},
    )
    async def create_image(self, cloud: OpenStackCloud, spec: ImageSpec) -> Image:
        nova = session(cloud)
        name = spec.name or f"image of {spec.instance_id}"
        reply = await nova.request(
            COMPUTE,
            "POST",
            server_path(spec.instance_id, "action"),
            body={"createImage": {"name": name, "metadata": _properties(spec)}},
            microversion=await nova.microversion(_WITH_ID_IN_BODY, (2, 1)),
        )
        image_id = _image_id(reply)
        try:
            return await _show(nova, image_id)
        except CloudError as exc:
            # It is being made all the same, and its id must not get lost.
            cloud.log.warning("openstack.image.unseen", image_id=image_id, error=str(exc))
            return Image(cloud=cloud.name, id=image_id, name=name, state=ImageState.PENDING)

    @hookimpl
    async def destroy_image(self, cloud: OpenStackCloud, image_id: str) -> None:
        await session(cloud).request(IMAGE, "DELETE", f"/images/{segment(image_id)}")


async def _show(glance: Session, image_id: str) -> Image:
    return await glance.one(
        IMAGE,
        f"/images/{segment(image_id)}",
        "",
        reader=_IMAGE,
        convert=partial(convert.image, glance.cloud.name),
    )


def _properties(spec: ImageSpec) -> dict[str, str]:
    """Tags become properties of the image, and one more property tells which those are."""
    if wrong := sorted(_RESERVED & spec.tags.keys()):
        raise InvalidRequest(f"images cannot have a tag {wrong[0]!r}: it is a property of theirs")
    properties = dict(spec.tags)
    if spec.description:
        properties["description"] = spec.description
    if spec.tags:
        properties[convert.IMAGE_TAGS] = msgspec.json.encode(sorted(spec.tags)).decode()
    for name, value in properties.items():
        if len(value) > _LONGEST_VALUE:
            raise InvalidRequest(f"{name!r} of an image takes {_LONGEST_VALUE} characters at most")
    return properties


def _image_id(reply: Response) -> str:
    if reply.content:
        return decoded(reply, _MADE).image_id
    found = reply.headers.get("location", "").rstrip("/").rpartition("/")[2]
    if not found:
        raise ProtocolError("nova did not tell the image's id", request_id=request_id(reply))
    return found
