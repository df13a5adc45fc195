"""What glance remembers."""

from __future__ import annotations

import hashlib
import uuid

import msgspec

from anabranch_openstack.simulator.wire import Request

__all__ = ["Image", "Images"]


class Image(msgspec.Struct, kw_only=True):
    """An image; `min_ram` in MiB, `min_disk` in GiB, `size` in bytes.

    An image that fills itself later has `ready_at` and the `content` that it then has.
    """

    id: str
    name: str | None
    owner: str
    created: float
    updated: float
    status: str = "queued"
    visibility: str = "shared"
    disk_format: str | None = None
    container_format: str | None = None
    size: int | None = None
    checksum: str | None = None
    hash_value: str | None = None
    min_ram: int = 0
    min_disk: int = 0
    protected: bool = False
    hidden: bool = False
    tags: list[str] = []
    properties: dict[str, str] = {}
    content: bytes = b""
    ready_at: float | None = None


class Images:
    """The images of one region, by id."""

    def __init__(self) -> None:
        self.images: dict[str, Image] = {}

    def visible(self, image_id: str, project_id: str) -> Image | None:
        """An image, if the project may see it."""
        image = self.images.get(image_id)
        if image is None or not self.sees(image, project_id):
            return None
        return image

    def sees(self, image: Image, project_id: str) -> bool:
        """Whether a project may see an image."""
        return image.owner == project_id or image.visibility in ("public", "community")

    def make(
        self, request: Request, name: str, properties: dict[str, str], min_disk: int = 0
    ) -> Image:
        """A new private image without content."""
        image = Image(
            id=str(uuid.uuid4()),
            name=name,
            owner=request.token.project_id,
            created=request.now,
            updated=request.now,
            visibility="private",
            min_disk=min_disk,
            properties=properties,
        )
        self.images[image.id] = image
        return image

    def fill(self, image: Image, content: bytes, now: float) -> None:
        """Give an image its content."""
        image.content = content
        image.size = len(content)
        image.checksum = hashlib.md5(content, usedforsecurity=False).hexdigest()
        image.hash_value = hashlib.sha512(content).hexdigest()
        image.status, image.ready_at, image.updated = "active", None, now

    def fill_later(self, image: Image, now: float, delay: float, content: bytes) -> None:
        """Let an image be queued, saving, and at last active."""
        image.content, image.ready_at = content, now + delay

    def advance(self, now: float, delay: float) -> None:
        """Bring the images that fill themselves to the status that is due."""
        for image in self.images.values():
            if image.ready_at is None:
                continue
            if image.ready_at <= now:
                self.fill(image, image.content, image.ready_at)
            elif image.ready_at - now < delay / 2:
                image.status = "saving"
