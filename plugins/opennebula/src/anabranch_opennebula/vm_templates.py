"""VM templates, as the profiles and the making of instances look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from anabranch_opennebula.client import Session
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.templates import Attribute, attributes

__all__ = ["VmTemplate", "get_template", "template_of"]


class VmTemplate(NamedTuple):
    """A VM template.

    Attributes:
        id: Its id.
        name: Its name.
        attributes: What it says of a VM.
        thing: The document; None: it was made up here.
    """

    id: str
    name: str
    attributes: Sequence[Attribute]
    thing: Thing | None

    def scalar(self, name: str) -> str:
        """The value of a plain attribute; empty: it has none."""
        found = [v for n, v in self.attributes if n == name and isinstance(v, str)]
        return found[-1] if found else ""

    def vectors(self, name: str) -> list[Mapping[str, str]]:
        """The vector attributes of a name."""
        return [v for n, v in self.attributes if n == name and not isinstance(v, str)]

    def vector(self, name: str) -> Mapping[str, str]:
        """The first vector attribute of a name; empty: it has none."""
        found = self.vectors(name)
        return found[0] if found else {}


def template_of(thing: Thing) -> VmTemplate:
    """Read a template document.

    Raises:
        Unreadable: it has no id.
    """
    body = thing.element.find("TEMPLATE")
    return VmTemplate(
        id=thing.id,
        name=thing.element.findtext("NAME") or "",
        attributes=attributes(body) if body is not None else [],
        thing=thing,
    )


async def get_template(session: Session, number: int) -> VmTemplate:
    """Get a template.

    Raises:
        NotFound: no such template.
    """
    return await session.read(template_of, "template.info", number, False)
