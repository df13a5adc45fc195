"""Documents beside the samples that deltacloud.md has of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from anabranch_server.deltacloud.links import View

NOTHING = View("http://broker.test/api")
MADE = datetime(2009, 7, 30, 14, 35, 11, tzinfo=UTC)


def offering(*operations: str, qualified: bool = False) -> View:
    return View("http://broker.test/api", qualified=qualified, offered={"mock": operations})


def same(document: bytes, sample: str) -> None:
    """Elements, attributes, their order and the text are the same; blanks between them are not."""
    assert shape(ElementTree.fromstring(document)) == shape(ElementTree.fromstring(sample))


def shape(element: ElementTree.Element) -> Any:
    inner = [shape(child) for child in element]
    return element.tag, list(element.attrib.items()), (element.text or "").strip(), inner
