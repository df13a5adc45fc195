"""Images: OpenNebula's images of type OS."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

from anabranch.errors import InvalidRequest, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.images import ImagesSpec
from anabranch.models import Image, ImageSpec
from anabranch.paging import Page
from anabranch_opennebula import own, pools
from anabranch_opennebula.after import after
from anabranch_opennebula.client import OpenNebulaCloud, Session, number_of, session
from anabranch_opennebula.image_documents import image_of, is_image
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.templates import Attribute, template
from anabranch_opennebula.vms import change_vm, look, vm_number

__all__ = ["Images"]

_AS_IT_IS: Final = -1
"""The disk as it is now, and not one of its snapshots."""


class Images(ImagesSpec[OpenNebulaSettings]):
    """Images of type OS."""

    @hookimpl
    @offers(Feature.OWNER_FILTER)
    async def list_images(
        self, cloud: OpenNebulaCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Image]:
        owner = where.get("owner_id")

        def convert(thing: Thing) -> tuple[Image, ...]:
            if not is_image(thing):
                return ()
            found = image_of(cloud.name, thing)
            return (found,) if owner is None or found.owner_id == owner else ()

        return await pools.page(session(cloud), pools.IMAGES, cursor, convert)

    @hookimpl
    async def get_image(self, cloud: OpenNebulaCloud, image_id: str) -> Image:
        return await _show(session(cloud), number_of(image_id, "image"))

    @hookimpl
    @offers(Feature.IMAGE_DESCRIPTION, Feature.IMAGE_NAME, Feature.IMAGE_TAGS)
    async def create_image(self, cloud: OpenNebulaCloud, spec: ImageSpec) -> Image:
        one = session(cloud)
        number = vm_number(spec.instance_id)
        machine = await look(one, number)
        if machine.root is None:
            raise InvalidRequest(
                f"instance {spec.instance_id} has no root disk to make an image of"
            )
        name = spec.name or f"anabranch-{uuid.uuid4().hex[:12]}"
        # An empty type: that of the image that the disk came from.
        made = await change_vm(one, "vm.disksaveas", number, machine.root.id, name, "", _AS_IT_IS)
        described: list[Attribute] = []
        if spec.description:
            described.append(("DESCRIPTION", spec.description))
        if spec.tags:
            described.append((own.TAGS, own.written(spec.tags)))
        with after(f"image {made} was made"):
            if described:
                await one.change("image.update", made, template(described), 1, idempotent=True)
            return await _show(one, made)

    @hookimpl
    async def destroy_image(self, cloud: OpenNebulaCloud, image_id: str) -> None:
        one = session(cloud)
        number = number_of(image_id, "image")
        await _show(one, number)
        await one.change("image.delete", number, idempotent=True)


async def _show(one: Session, number: int) -> Image:
    """Get one image.

    Raises:
        NotFound: no such image, or it is none to boot from.
    """

    def convert(thing: Thing) -> Image | None:
        return image_of(one.cloud.name, thing) if is_image(thing) else None

    found = await one.read(convert, "image.info", number)
    if found is None:
        raise NotFound(f"{number} is a disk of another kind, and no image to boot from")
    return found
