"""Which image the first disk of a VM template is."""

from __future__ import annotations

from typing import NamedTuple

from anabranch_opennebula.client import Session, number_of
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.vm_templates import VmTemplate

__all__ = ["RootImage"]


class _Name(NamedTuple):
    name: str
    uid: str
    uname: str


class RootImage:
    """An image that templates may have as their first disk.

    Templates name it by its id, or by its name and its owner, as Sunstone does; without an owner
    it is one of the user's own. What that comes to is asked for when the first such template is
    met.
    """

    def __init__(self, session: Session, image_id: str) -> None:
        self._session, self._image_id = session, image_id
        self._number = number_of(image_id, "image")
        self._name: _Name | None = None

    async def is_root_of(self, base: VmTemplate) -> bool:
        """Whether the first disk of a template is this image.

        Raises:
            NotFound: there is no such image.
        """
        root = base.vector("DISK")
        if "IMAGE_ID" in root or "IMAGE" not in root:
            return root.get("IMAGE_ID") == self._image_id
        if self._name is None:
            self._name = await self._session.read(_name, "image.info", self._number)
        name, uid, uname = self._name
        if "IMAGE_UID" in root:
            return (root["IMAGE"], root["IMAGE_UID"]) == (name, uid)
        owner = root.get("IMAGE_UNAME") or self._session.cloud.settings.username
        return (root["IMAGE"], owner) == (name, uname)


def _name(image: Thing) -> _Name:
    element = image.element
    return _Name(*(element.findtext(tag) or "" for tag in ("NAME", "UID", "UNAME")))
