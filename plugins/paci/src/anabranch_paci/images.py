"""Images: the provider's OS templates, and the images that the customer made of servers.

The two are told apart by the ids, because both kinds have names and nothing else, and one name
may occur in both: `template:centos-6-x86_64`, `image:web1-copy`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from anabranch.errors import CloudError, NotFound, PermissionDenied, ProtocolError
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.images import ImagesSpec
from anabranch.models import Extra, Image, ImageSpec, ImageState, RootType
from anabranch.paging import ItemProblem, Page
from anabranch_paci import description
from anabranch_paci.client import PaciCloud, Session, session
from anabranch_paci.convert import extra_of, integer, template_id, time
from anabranch_paci.markup import Node, as_mapping
from anabranch_paci.settings import PaciSettings

__all__ = ["Images", "Kind", "kind_and_name", "template"]


class Kind(StrEnum):
    """The two kinds of images; an id begins with its kind."""

    TEMPLATE = "template"
    IMAGE = "image"


_IMAGES: Final = "images"
"""The cursor of the second page."""
_BYTES_PER_GB: Final = 2**30
_TEMPLATE_KEYS: Final = frozenset({"name", "active", "min-hdd-size"})
_IMAGE_KEYS: Final = frozenset({"name", "created", "description"})


class Images(ImagesSpec[PaciSettings]):
    """OS templates on the first page, images on the second: one request each."""

    @hookimpl
    async def list_images(
        self, cloud: PaciCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Image]:
        paci = session(cloud)
        if cursor == _IMAGES:
            try:
                root, _ = await paci.get("image", roots=("image-list",))
            except NotFound:  # a provider without customers' images; the endpoint is right
                return Page([])
            ours = cloud.settings.subscription
            found = [
                info
                for info in root.all("image-info")
                if ours is None or info.get("subscription-id") in (None, ours)
            ]
            return _page(cloud, found, _listed_image, None)
        root, _ = await paci.get("template", roots=("template-list",))
        return _page(cloud, list(root.all("template")), _template, _IMAGES)

    @hookimpl
    async def get_image(self, cloud: PaciCloud, image_id: str) -> Image:
        return await _show(session(cloud), *kind_and_name(image_id))

    @hookimpl
    @offers(Feature.IMAGE_NAME)
    async def create_image(self, cloud: PaciCloud, spec: ImageSpec) -> Image:
        paci = session(cloud)
        name = spec.name or f"image-of-{spec.instance_id}"
        owner = (cloud.settings.subscription,) if cloud.settings.subscription else ()
        await paci.act("POST", "image", spec.instance_id, *owner, "create", name, idempotent=False)
        try:
            return await _show(paci, Kind.IMAGE, name)
        except CloudError as exc:
            # It is being made all the same, and may not show before that is over.
            cloud.log.info("paci.image.unseen", image=name, error=str(exc))
            return Image(
                cloud=cloud.name,
                id=f"image:{name}",
                name=name,
                state=ImageState.PENDING,
                public=False,
            )

    @hookimpl
    async def destroy_image(self, cloud: PaciCloud, image_id: str) -> None:
        kind, name = kind_and_name(image_id)
        if kind is Kind.TEMPLATE:
            raise PermissionDenied("an OS template is the provider's and cannot be destroyed")
        await session(cloud).act("DELETE", "image", name)


def kind_and_name(image_id: str) -> tuple[Kind, str]:
    """Take the id of an image apart.

    Raises:
        NotFound: it is no such id.
    """
    kind, colon, name = image_id.partition(":")
    if colon and kind in set(Kind):
        return Kind(kind), name
    raise NotFound(
        f"there is no image {image_id!r}",
        remedy="An image's id is template:NAME or image:NAME, as they are listed",
    )


async def template(paci: Session, name: str) -> tuple[Node, bytes]:
    """Get an OS template: of a document that is one, or that is a list of one."""
    root, content = await paci.get("template", name, roots=("template", "template-list"))
    found = root if root.tag == "template" else root.first("template")
    if found is None:
        raise NotFound(f"there is no OS template {name!r}")
    return found, content


async def _show(paci: Session, kind: Kind, name: str) -> Image:
    if kind is Kind.TEMPLATE:
        found, _ = await template(paci, name)
        return _template(paci.cloud, found)
    root, content = await paci.get("image", name, roots=("ve-image",))
    size = integer(root.get("image-size"))
    told = description.parse(root.value("description"))
    return Image(
        cloud=paci.cloud.name,
        id=f"image:{_name(root)}",
        name=_name(root),
        description=told.text,
        owner_id=root.get("customer-id"),
        created_at=time(root.get("created")),
        size_bytes=None if size is None else size * _BYTES_PER_GB,
        root_type=RootType.PERSISTENT,
        public=False,
        tags=told.tags,
        extra=extra_of(content, _IMAGE_KEYS),
    )


def _listed_image(cloud: PaciCloud, info: Node) -> Image:
    size = integer(info.get("size"))
    told = description.parse(info.get("description"))
    return Image(
        cloud=cloud.name,
        id=f"image:{_name(info)}",
        name=_name(info),
        description=told.text,
        created_at=time(info.get("created")),
        size_bytes=None if size is None else size * _BYTES_PER_GB,
        root_type=RootType.PERSISTENT,
        public=False,
        tags=told.tags,
        extra=Extra(lambda: as_mapping(info), _IMAGE_KEYS),
    )


def _template(cloud: PaciCloud, found: Node) -> Image:
    # By place, as Deltacloud's driver reads them: the architecture first, then the system.
    options = [option.get("value") for option in found.all("option")]
    active = (found.get("active") or "true").lower() == "true"
    return Image(
        cloud=cloud.name,
        id=template_id(_name(found)) or "",
        name=_name(found),
        description=(options[1] or "") if len(options) > 1 else "",
        architecture=options[0] if options else None,
        state=ImageState.AVAILABLE if active else ImageState.UNAVAILABLE,
        min_storage_gb=integer(found.get("min-hdd-size")) or 0,
        root_type=RootType.PERSISTENT,
        public=True,
        extra=Extra(lambda: as_mapping(found), _TEMPLATE_KEYS),
    )


def _page(
    cloud: PaciCloud,
    found: Sequence[Node],
    convert: Callable[[PaciCloud, Node], Image],
    cursor: str | None,
) -> Page[Image]:
    items: list[Image] = []
    problems: list[ItemProblem] = []
    for node in found:
        try:
            items.append(convert(cloud, node))
        except ProtocolError as exc:
            problems.append(ItemProblem(id=node.get("id") or "", message=exc.message))
    return Page(items, cursor, problems)


def _name(node: Node) -> str:
    name = node.get("name")
    if name is None:
        raise ProtocolError(f"a <{node.tag}> without a name")
    return name
