"""Templates: the attributes that oned takes and gives, as XML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias
from xml.sax.saxutils import escape

from anabranch_opennebula.xml import Element

__all__ = ["Attribute", "attributes", "leaves", "template"]

Attribute: TypeAlias = tuple[str, str | Mapping[str, str]]
"""A name, and its value or (of a vector attribute) its values by name. Names may repeat."""


def template(entries: Iterable[Attribute]) -> str:
    """Write attributes as oned reads them.

    The XML form is used throughout: in the `NAME="value"` form a quote in a value begins another
    attribute. White space at the ends of a value does not survive; oned trims it.
    """
    return f"<TEMPLATE>{''.join([_written(n, v) for n, v in entries])}</TEMPLATE>"


def attributes(element: Element) -> list[Attribute]:
    """Read the attributes of a template as it is in a document."""
    return [
        (str(child.tag), leaves(child) if len(child) else child.text or "") for child in element
    ]


def leaves(element: Element, *names: str) -> dict[str, str]:
    """Read the values of a vector attribute, or the plain fields of a thing, by name.

    Args:
        element: The attribute, or the thing.
        *names: Which ones, for all that is listed in great numbers; none: every one.
    """
    return {str(c.tag): c.text or "" for c in element.iterchildren(*names) if not len(c)}


def _written(name: str, value: str | Mapping[str, str]) -> str:
    if isinstance(value, str):
        return f"<{name}>{escape(value)}</{name}>"
    inner = "".join([f"<{n}>{escape(v)}</{n}>" for n, v in value.items()])
    return f"<{name}>{inner}</{name}>"
