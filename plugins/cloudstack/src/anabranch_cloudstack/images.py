"""Images: templates, and ISOs after them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

import anyio
import msgspec

from anabranch.errors import CloudError, InvalidRequest, InvalidState, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.images import ImagesSpec
from anabranch.models import Image, ImageSpec, ImageState
from anabranch.paging import ItemProblem, Page
from anabranch.states import InstanceState
from anabranch_cloudstack import convert, wire
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.machines import show
from anabranch_cloudstack.reading import Reader
from anabranch_cloudstack.settings import CloudStackSettings
from anabranch_cloudstack.stages import staged
from anabranch_cloudstack.storage_volumes import root_volume
from anabranch_cloudstack.tagging import add_tags, made_untagged

__all__ = ["Images"]

_TEMPLATE: Final = Reader(wire.Template, "template", "iso")

_FILTERS: Final = ("executable", "sharedexecutable", "self")
"""What to show: own and public ones that are ready, those shared with the account, and own ones
that are not ready yet."""

_KINDS: Final = (("listTemplates", "templatefilter"), ("listIsos", "isofilter"))
_OTHER_KIND: Final = re.compile(r"incorrect format|is not an iso", re.IGNORECASE)
"""How an ISO is refused where templates are listed, and a template where ISOs are."""


class Images(ImagesSpec[CloudStackSettings]):
    """Templates and ISOs. Each zone has a row of its own for them, with the same id."""

    @hookimpl
    @offers(Feature.ARCHITECTURE_FILTER, Feature.OWNER_FILTER)
    async def list_images(
        self, cloud: CloudStackCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Image]:
        async def templates(_: str | None) -> Page[Image]:
            return await _all(cloud, *_KINDS[0], where)

        async def isos(_: str | None) -> Page[Image]:
            return await _all(cloud, *_KINDS[1], where)

        return await staged(cursor, (templates, isos))

    @hookimpl
    async def get_image(self, cloud: CloudStackCloud, image_id: str) -> Image:
        for command, parameter in _KINDS:
            for word in _FILTERS:
                try:
                    return await session(cloud).one(
                        command,
                        {"id": image_id, parameter: word, **session(cloud).project},
                        reader=_TEMPLATE,
                        convert=partial(convert.image, cloud.name),
                        what="such image",
                    )
                except NotFound as exc:
                    if exc.provider_code:  # nothing at all has this id
                        raise
                except InvalidRequest as exc:
                    if not _OTHER_KIND.search(exc.message):
                        raise
                    break
        raise NotFound(f"there is no image {image_id!r}")

    @hookimpl
    @offers(
        Feature.IMAGE_DESCRIPTION,
        Feature.IMAGE_NAME,
        Feature.IMAGE_TAGS,
        constraints={Feature.IMAGE_NAME: {"max_length": "32"}},
    )
    async def create_image(self, cloud: CloudStackCloud, spec: ImageSpec) -> Image:
        cloudstack = session(cloud)
        try:
            instance = await show(cloud, spec.instance_id)
        except NotFound as exc:
            raise InvalidRequest(exc.message) from exc
        if instance.state is not InstanceState.STOPPED:
            raise InvalidState(
                f"the instance is {instance.platform_state}, and its disk in use",
                remedy="Stop it first",
            )
        volume = await root_volume(cloud, spec.instance_id)
        name = spec.name or f"{instance.name or instance.id}"[:32]
        accepted = await cloudstack.change(
            "createTemplate",
            {
                "volumeid": volume.id,
                "name": name,
                "displaytext": spec.description or name,
                # `ostypeid` of a machine was the server's internal number before it was this id.
                "ostypeid": instance.extra.get("guestosid"),
                **cloudstack.project,
            },
        )
        image_id = accepted.made
        try:
            await add_tags(cloudstack, "Template", image_id, spec.tags)
        except CloudError as exc:
            raise made_untagged(exc, f"the image {image_id}") from exc
        return Image(
            cloud=cloud.name,
            id=image_id,
            name=name,
            description=spec.description or name,
            owner_id=instance.owner_id,
            state=ImageState.PENDING,
            tags=dict(spec.tags),
        )

    @hookimpl
    async def destroy_image(self, cloud: CloudStackCloud, image_id: str) -> None:
        cloudstack = session(cloud)
        try:
            await cloudstack.carry_out("deleteTemplate", {"id": image_id}, idempotent=True)
        except (InvalidRequest, NotFound) as exc:
            try:
                await cloudstack.carry_out("deleteIso", {"id": image_id}, idempotent=True)
            except (InvalidRequest, NotFound):
                raise exc from None


async def _all(
    cloud: CloudStackCloud, command: str, parameter: str, where: Mapping[str, str]
) -> Page[Image]:
    """Return all of one kind: only who sees the whole list can tell which rows are one image."""
    images: dict[str, Image] = {}
    problems: list[ItemProblem] = []
    architecture, owner = where.get("architecture"), where.get("owner_id")

    def wanted(template: wire.Template, raw: msgspec.Raw) -> Image | None:
        found = convert.image(cloud.name, template, raw)
        if architecture is not None and found.architecture != architecture:
            return None
        return None if owner is not None and found.owner_id != owner else found

    pages: dict[str, Page[Image]] = {}

    async def ask(word: str) -> None:
        pages[word] = await session(cloud).everything(
            command,
            reader=_TEMPLATE,
            convert=wanted,
            parameters={parameter: word, **session(cloud).project},
        )

    async with anyio.create_task_group() as group:
        for word in _FILTERS:
            group.start_soon(ask, word)
    for word in _FILTERS:
        problems += pages[word].problems
        for image in pages[word].items:
            before = images.get(image.id)
            if before is None or image.state is ImageState.AVAILABLE is not before.state:
                images[image.id] = image
    return Page(list(images.values()), None, problems)
