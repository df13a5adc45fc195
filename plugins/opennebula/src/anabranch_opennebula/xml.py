"""Parsing of XML: the reply, and the document that oned puts into it as a text."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree
from lxml.etree import _Element as Element  # pyright: ignore[reportPrivateUsage]

from anabranch.errors import ProtocolError

__all__ = ["Element", "parsed"]

_CONTROL: Final = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0D})
_CONTROL_REFERENCE: Final = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]));", re.IGNORECASE
)


def parsed(content: bytes) -> Element:
    """Parse a document; characters that XML does not know are left out.

    oned writes whatever a user put into a name or a template, so one such machine would spoil
    the list of all.

    Raises:
        ProtocolError: it is no XML.
    """
    try:
        return etree.fromstring(content, _parser())
    except etree.XMLSyntaxError:
        readable = content.translate(None, _CONTROL).decode("utf-8", "replace").encode()
    try:
        return etree.fromstring(_CONTROL_REFERENCE.sub(b"", readable), _parser())
    except etree.XMLSyntaxError as exc:
        raise ProtocolError(f"the reply is no XML: {exc.msg}") from None


def _parser() -> etree.XMLParser:
    """A parser of its own for each document: parsers are not shared among threads.

    Texts of over 10 MB occur (`huge_tree`); entities and the network are never needed.
    """
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        collect_ids=False,
        remove_comments=True,
        remove_pis=True,
    )
