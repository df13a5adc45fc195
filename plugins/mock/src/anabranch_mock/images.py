"""Images."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from anabranch.errors import Conflict
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.images import ImagesSpec
from anabranch.models import Image, ImageSpec, ImageState
from anabranch.paging import Page
from anabranch.states import InstanceAction
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.states import require
from anabranch_mock.store import MockCloud, MockStore, now
from anabranch_mock.text import check_name, check_tags

__all__ = ["Images"]


class Images(ImagesSpec[MockSettings]):
    """The hooks of the images."""

    @hookimpl
    @offers(Feature.ARCHITECTURE_FILTER, Feature.OWNER_FILTER)
    async def list_images(
        self, cloud: MockCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Image]:
        owner = where.get("owner_id")
        wanted = {
            "architecture": where.get("architecture"),
            "owner_id": cloud.settings.username if owner == "self" else owner,
        }

        def keep(image: Image) -> bool:
            return all(value in (None, getattr(image, field)) for field, value in wanted.items())

        return await listing(
            cloud, "list_images", lambda store: store.page(store.images, cursor, keep)
        )

    @hookimpl
    async def get_image(self, cloud: MockCloud, image_id: str) -> Image:
        return await call(cloud, "get_image", lambda store: store.images.get(image_id))

    @hookimpl
    @offers(
        Feature.IMAGE_DESCRIPTION,
        Feature.IMAGE_NAME,
        Feature.IMAGE_TAGS,
        constraints={Feature.IMAGE_NAME: {"max_length": "255"}},
    )
    async def create_image(self, cloud: MockCloud, spec: ImageSpec) -> Image:
        return await call(cloud, "create_image", lambda store: _create(store, spec))

    @hookimpl
    async def destroy_image(self, cloud: MockCloud, image_id: str) -> None:
        await call(cloud, "destroy_image", lambda store: _destroy(store, image_id))


def _create(store: MockStore, spec: ImageSpec) -> Image:
    instance = store.instances.need(spec.instance_id, "instance_id")
    require(instance, InstanceAction.CREATE_IMAGE)
    check_name(spec.name)
    check_tags(spec.tags)
    source = store.images.need(instance.image_id or "", "instance_id")
    store.images.require_room()
    image_id = store.images.new_id()
    image = Image(
        cloud=store.cloud,
        id=image_id,
        name=spec.name or image_id,
        description=spec.description,
        owner_id=store.settings.username,
        architecture=source.architecture,
        state=ImageState.PENDING,
        platform_state="saving",
        created_at=now(),
        size_bytes=source.size_bytes,
        root_type=source.root_type,
        hardware_profile_ids=source.hardware_profile_ids,
        public=False,
        tags=dict(spec.tags),
    )
    store.images.add(image)

    def finish() -> None:
        if image_id in store.images:
            saved = store.images.get(image_id)
            store.images.put(
                msgspec.structs.replace(
                    saved, state=ImageState.AVAILABLE, platform_state="available"
                )
            )

    store.later(store.settings.delays.creating, finish)
    return store.images.get(image_id)


def _destroy(store: MockStore, image_id: str) -> None:
    store.images.get(image_id)
    users = [instance.id for instance in store.instances if instance.image_id == image_id]
    if users:
        raise Conflict(f"image {image_id!r} is in use by instance {users[0]!r}")
    store.images.remove(image_id)
