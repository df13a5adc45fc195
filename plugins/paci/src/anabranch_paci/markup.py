"""XML, read and written: the only module that knows lxml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import anyio.to_thread
from lxml import etree

from anabranch.errors import InvalidRequest, ProtocolError

__all__ = ["Node", "as_mapping", "document", "parse", "read"]

_MOST_ON_THE_LOOP: Final = 256 * 1024
"""Bytes that are parsed in well under 50 ms; what is longer goes to a thread."""

# What XML 1.0 cannot hold; JAXB writes it all the same when a name has it.
_ILLEGAL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:0*(?:[0-8]|1[124-9]|2\\d|3[01])"
    "|x0*(?:[0-8bcef]|1[0-9a-f]));",
    re.IGNORECASE,
)


class Node:
    """An element: what is in it, without namespaces, comments and where it stands."""

    __slots__ = ("attributes", "children", "tag", "text")

    def __init__(
        self,
        tag: str,
        attributes: Mapping[str, str] | None = None,
        text: str = "",
        children: tuple[Node, ...] = (),
    ) -> None:
        self.tag, self.attributes, self.text, self.children = tag, attributes or {}, text, children

    def all(self, tag: str) -> Iterator[Node]:
        """Its children of one name."""
        return (child for child in self.children if child.tag == tag)

    def first(self, tag: str) -> Node | None:
        """The first child of one name."""
        return next(self.all(tag), None)

    def value(self, tag: str) -> str | None:
        """The text of the first child of one name; None where there is none, or it is empty."""
        child = self.first(tag)
        return child.text or None if child else None

    def get(self, attribute: str, of: str | None = None) -> str | None:
        """An attribute of its own, or of the first child called `of`; None: none, or empty."""
        node = self.first(of) if of else self
        return node.attributes.get(attribute) or None if node else None


def parse(content: bytes) -> Node:
    """Read a document. No entity is resolved and nothing is fetched.

    Raises:
        ProtocolError: it is no XML, or declares a document type.
    """
    try:
        root = etree.fromstring(content, _parser())
    except (etree.XMLSyntaxError, ValueError):
        root = _mended(content)
    if root.getroottree().docinfo.doctype:
        raise ProtocolError("the reply is XML with a document type, which PACI never sends")
    return _node(root)


async def read(content: bytes) -> Node:
    """Read a document like `parse`, a long one in a thread."""
    if len(content) <= _MOST_ON_THE_LOOP:
        return parse(content)
    return await anyio.to_thread.run_sync(parse, content)


def document(root: Node) -> bytes:
    """Write a document.

    Raises:
        InvalidRequest: it holds a character that XML cannot.
    """
    try:
        element = _element(root)
    except ValueError:
        msg = "a name or value holds a character that XML cannot carry"
        raise InvalidRequest(msg, remedy="Leave control characters out") from None
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8", standalone=True)


def as_mapping(node: Node) -> dict[str, Any]:
    """Return an element as nested dicts: attributes, and children by name.

    A child without attributes and children is its text, several of one name are a list, and the
    text beside attributes is under the empty name.
    """
    found: dict[str, Any] = dict(node.attributes)
    if node.text.strip():
        found[""] = node.text
    for child in node.children:
        plain = not child.attributes and not child.children
        value: Any = child.text if plain else as_mapping(child)
        if child.tag not in found:
            found[child.tag] = value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    return found


def _parser(encoding: str | None = None) -> etree.XMLParser:
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
    )


def _mended(content: bytes) -> Any:
    """Parse once more, without what XML 1.0 forbids: one odd name must not break a list."""
    text = _ILLEGAL.sub("\ufffd", content.decode("utf-8", "replace"))
    try:
        return etree.fromstring(text.encode(), _parser("utf-8"))
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise ProtocolError(f"the reply is no XML: {str(exc)[:120]}") from None


def _node(element: Any) -> Node:
    return Node(
        _local(element.tag),
        {_local(name): value for name, value in element.attrib.items()},
        element.text or "",
        tuple([_node(child) for child in element if isinstance(child.tag, str)]),
    )


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _element(node: Node) -> Any:
    element: Any = etree.Element(node.tag, dict(node.attributes))
    element.text = node.text or None
    element.extend([_element(child) for child in node.children])
    return element
