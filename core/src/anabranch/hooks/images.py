"""Hooks of the images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import Image, ImageSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["ImagesSpec"]

S = TypeVar("S", bound=CloudSettings)


class ImagesSpec(Generic[S]):
    """What can be done with images."""

    @operation
    async def list_images(
        self, cloud: Cloud[S], cursor: str | None, where: Mapping[str, str]
    ) -> Page[Image]:
        """Return one page of images.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.
            where: Filters that the hookimpl offers (see `Feature`), by field; often empty.

        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_image(self, cloud: Cloud[S], image_id: str) -> Image:
        """Return one image.

        Raises:
            NotFound: no such image.
        """
        raise NotImplementedError

    @operation
    async def create_image(self, cloud: Cloud[S], spec: ImageSpec) -> Image:
        """Make an image and return it as the cloud now reports it. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def destroy_image(self, cloud: Cloud[S], image_id: str) -> None:
        """Destroy an image. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such image.
            Conflict: it is in use.
        """
        raise NotImplementedError
