"""What a document says: fields, where XML and JSON have each, and what the model says of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree

from anabranch_server.deltacloud.links import View

from .documents_hostile import settled

Element = ElementTree.Element


class Field(NamedTuple):
    """One thing that a document says, and where each form has it; model None: not compared."""

    name: str
    xml: Callable[[Element], Any]
    json: Callable[[dict[str, Any]], Any]
    model: Callable[[Any, View], Any] | None


def segment(value: str) -> str:
    return quote(value, safe=":@", errors="replace")


def url(view: View, collection: str, item: Any, ident: str) -> str:
    path = segment(ident)
    if view.qualified:
        path = f"{segment(item.cloud)}/{path}"
    return f"{view.root}/{collection}/{path}"


def named(view: View, item: Any, ident: str) -> str:
    return settled(f"{item.cloud}/{ident}" if view.qualified else ident)


def word(tag: str, key: str | None = None, attr: str | None = None) -> Field:
    return Field(
        tag,
        lambda e: e.findtext(tag) or "",
        lambda d: settled(d[key or tag]),
        lambda m, _: settled(getattr(m, attr or tag)),
    )


def choice(tag: str, attr: str | None = None) -> Field:
    return Field(
        tag,
        lambda e: e.findtext(tag),
        lambda d: d[tag],
        lambda m, _: value.value if (value := getattr(m, attr or tag)) else None,
    )


def number(tag: str, key: str, attr: str) -> Field:
    return Field(
        tag,
        lambda e: None if (told := e.findtext(tag)) is None else float(told),
        lambda d: None if d[key] is None else float(d[key]),
        lambda m, _: None if (value := getattr(m, attr)) is None else float(value),
    )


def time(tag: str, attr: str) -> Field:
    return Field(
        tag,
        lambda e: (told := e.findtext(tag)) and datetime.fromisoformat(told),
        lambda d: d[tag] and datetime.fromisoformat(d[tag]),
        lambda m, _: getattr(m, attr),
    )


def link(element: Element | None) -> tuple[str, str] | None:
    return None if element is None else (element.attrib["id"], element.attrib["href"])


def linked(plain: dict[str, Any]) -> tuple[str, str] | None:
    return (settled(plain["id"]), plain["href"]) if plain else None


def ref(tag: str, collection: str, attr: str, path: str | None = None) -> Field:
    return Field(
        tag,
        lambda e: link(e.find(path or tag)),
        lambda d: linked(d[tag]),
        lambda m, v: referred(m, v, collection, getattr(m, attr)),
    )


def referred(item: Any, view: View, collection: str, ident: str | None) -> tuple[str, str] | None:
    return (named(view, item, ident), url(view, collection, item, ident)) if ident else None


def refs(tag: str, singular: str, collection: str, attr: str) -> Field:
    return Field(
        tag,
        lambda e: [link(one) for one in e.findall(f"{tag}/{singular}")],
        lambda d: [linked(one) for one in d[tag]],
        lambda m, v: [referred(m, v, collection, ident) for ident in getattr(m, attr)],
    )


def rels(element: Element) -> list[tuple[str, ...]]:
    found = [*element.findall("actions/link"), *element.findall("link")]
    return [(one.attrib["rel"], one.attrib["method"], one.attrib["href"]) for one in found]


def plain_rels(plain: dict[str, Any]) -> list[tuple[str, ...]]:
    return [(one["rel"], one["method"], one["href"]) for one in plain["actions"]]


ACTIONS = Field("actions", rels, plain_rels, None)


def same(collection: str) -> list[Field]:
    """What every member says."""
    return [
        Field(
            "id", lambda e: e.attrib["id"], lambda d: settled(d["id"]),
            lambda m, v: named(v, m, m.id),
        ),
        Field(
            "href", lambda e: e.attrib["href"], lambda d: d["href"],
            lambda m, v: url(v, collection, m, m.id),
        ),
    ]  # fmt: skip
