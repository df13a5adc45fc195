"""XML as PACI speaks it, without namespaces: read safely, written escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lxml import etree

__all__ = ["DECLARATION", "Element", "MarkupError", "is_text", "parse"]

DECLARATION = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
"""How every document of the platform begins."""

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE_ESCAPES = {**_ESCAPES, ord('"'): "&quot;", ord("\n"): "&#10;", ord("\t"): "&#9;"}


class MarkupError(ValueError):
    """A text is not XML, or is XML that is not accepted."""


class Element:
    """One element of a document.

    Args:
        tag: Its name.
        text: Its text; what PACI writes has either text or children.
        children: Its children, in order; `None` among them stands for a child that is left out.
        attributes: Its attributes, in order. An attribute of `None` is left out; `True` and
            `False` are written as `true` and `false`.

    What no document can hold becomes U+FFFD, in texts and in attributes.
    """

    __slots__ = ("attributes", "children", "tag", "text")

    def __init__(
        self,
        tag: str,
        text: object = None,
        *children: Element | None,
        attributes: Mapping[str, object] | None = None,
    ) -> None:
        self.tag = tag
        self.text = "" if text is None else _written(text)
        self.children = [child for child in children if child is not None]
        self.attributes = {
            name: _written(value) for name, value in (attributes or {}).items() if value is not None
        }

    def get(self, name: str) -> str | None:
        """An attribute, or `None`."""
        return self.attributes.get(name)

    def find(self, tag: str) -> Element | None:
        """The first child of this name, or `None`."""
        return next(self.all(tag), None)

    def all(self, tag: str) -> Iterator[Element]:
        """The children of this name."""
        return (child for child in self.children if child.tag == tag)

    def document(self) -> bytes:
        """The element as the root of a document, compact."""
        parts: list[str] = []
        self._write(parts)
        return DECLARATION + "".join(parts).encode()

    def _write(self, parts: list[str]) -> None:
        parts.append(f"<{self.tag}")
        for name, value in self.attributes.items():
            parts.append(f' {name}="{value.translate(_ATTRIBUTE_ESCAPES)}"')
        if not (self.text or self.children):
            parts.append("/>")
            return
        parts.append(f">{self.text.translate(_ESCAPES)}")
        for child in self.children:
            child._write(parts)
        parts.append(f"</{self.tag}>")


def is_text(text: str) -> bool:
    """Whether a text can stand in an XML document at all."""
    return _ILLEGAL.search(text) is None


def parse(body: bytes) -> Element:
    """Read a document, with or without declaration and indentation.

    Raises:
        MarkupError: It is not well-formed, or it has a document type: no entity is ever expanded
            and nothing is ever fetched.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MarkupError(f"The request body is not XML: {error}") from None
    if root.getroottree().docinfo.doctype:
        raise MarkupError("A document type declaration is not accepted.")
    return _taken(root)


def _taken(element: etree._Element) -> Element:  # pyright: ignore[reportPrivateUsage] - lxml's only name for it
    return Element(
        str(element.tag),
        element.text,
        *(_taken(child) for child in element),
        attributes={str(name): value for name, value in element.attrib.items()},
    )


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _ILLEGAL.sub("\ufffd", str(value))
