"""The documents: models as Deltacloud's XML and JSON (deltacloud.md, 2 to 6). No I/O.

Of every kind there are three forms: `…_xml`, the bytes; `…_plain`, dicts and lists, from which
the HTML pages are made too; `…_json`, those as bytes. The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from anabranch import CloudReport
from anabranch.models import Resource
from anabranch_server.deltacloud.documents import entry_point, instances, surroundings, trouble
from anabranch_server.deltacloud.documents.entry_point import (
    CollectionLink,
    EntryPoint,
    FeatureEntry,
    entry_point_plain,
)
from anabranch_server.deltacloud.documents.markup import DECLARATION, Sheet, clean
from anabranch_server.deltacloud.documents.trouble import ErrorDocument, error_plain
from anabranch_server.deltacloud.links import View

__all__ = [
    "CollectionLink",
    "EntryPoint",
    "ErrorDocument",
    "FeatureEntry",
    "encode",
    "entry_point_json",
    "entry_point_plain",
    "entry_point_xml",
    "error_json",
    "error_plain",
    "error_xml",
    "index_json",
    "index_plain",
    "index_xml",
    "show_json",
    "show_plain",
    "show_xml",
]


class _Shape(NamedTuple):
    """How a collection is written; `in_list` and `alone` differ where one has secrets to keep."""

    singular: str
    xml: Callable[..., str]
    plain: Callable[..., dict[str, Any]]
    secret: bool = False


_SHAPES: Final[Mapping[str, _Shape]] = {
    "realms": _Shape("realm", surroundings.realm_xml, surroundings.realm_plain),
    "hardware_profiles": _Shape(
        "hardware_profile",
        surroundings.hardware_profile_xml,
        surroundings.hardware_profile_plain,
    ),
    "images": _Shape("image", surroundings.image_xml, surroundings.image_plain),
    "instances": _Shape("instance", instances.instance_xml, instances.instance_plain, secret=True),
}


def index_xml(
    collection: str,
    items: Sequence[Resource],
    view: View,
    clouds: Sequence[CloudReport] | None = None,
) -> bytes:
    """Return a list as XML.

    Args:
        collection: Its name; KeyError if there is no such.
        items: Its members, of the model of the collection; their order is kept.
        view: How things are named.
        clouds: What became of each cloud, where several were asked.
    """
    shape, sheet = _SHAPES[collection], Sheet(view)
    write = partial(shape.xml, alone=False) if shape.secret else shape.xml
    parts = [DECLARATION, f"<{collection}>\n", *[write(item, sheet) for item in items]]
    if clouds is not None:
        parts.append(trouble.clouds_xml(clouds))
    parts.append(f"</{collection}>\n")
    return "".join(parts).encode()


def show_xml(collection: str, item: Resource, view: View) -> bytes:
    """Return one member of a collection as XML, with the secrets that its model holds."""
    shape = _SHAPES[collection]
    write = partial(shape.xml, alone=True) if shape.secret else shape.xml
    # Made as it stands in a list, and moved out by one level: see Sheet.
    body = write(item, Sheet(view)).removeprefix("  ").replace("\n  ", "\n")
    return f"{DECLARATION}{body}".encode()


def index_plain(
    collection: str,
    items: Sequence[Resource],
    view: View,
    clouds: Sequence[CloudReport] | None = None,
) -> dict[str, Any]:
    """Return a list for JSON; see `index_xml`."""
    shape = _SHAPES[collection]
    write = partial(shape.plain, alone=False) if shape.secret else shape.plain
    plain: dict[str, Any] = {collection: [write(item, view) for item in items]}
    if clouds is not None:
        plain["clouds"] = trouble.clouds_plain(clouds)
    return plain


def show_plain(
    collection: str, item: Resource, view: View, *, wrapped: bool = True
) -> dict[str, Any]:
    """Return one member of a collection for JSON.

    Args:
        collection: Its name.
        item: The member.
        view: How things are named.
        wrapped: Whether it is the value of a key, the collection's name in the singular; the
            answer to an action on an instance is not.
    """
    shape = _SHAPES[collection]
    plain = shape.plain(item, view, alone=True) if shape.secret else shape.plain(item, view)
    return {shape.singular: plain} if wrapped else plain


def encode(plain: Any) -> bytes:
    """Return a plain document as JSON; lone surrogates in it become U+FFFD."""
    try:
        return msgspec.json.encode(plain)
    except UnicodeEncodeError:
        return msgspec.json.encode(_cleaned(plain))


def _cleaned(plain: Any) -> Any:
    match plain:
        case str():
            return clean(plain)
        case list():
            return [_cleaned(one) for one in plain]
        case dict():
            return {_cleaned(key): _cleaned(value) for key, value in plain.items()}
        case _:
            return plain


def index_json(
    collection: str,
    items: Sequence[Resource],
    view: View,
    clouds: Sequence[CloudReport] | None = None,
) -> bytes:
    """Return a list as JSON; see `index_xml`."""
    return encode(index_plain(collection, items, view, clouds))


def show_json(collection: str, item: Resource, view: View, *, wrapped: bool = True) -> bytes:
    """Return one member of a collection as JSON; see `show_plain`."""
    return encode(show_plain(collection, item, view, wrapped=wrapped))


def entry_point_xml(entry: EntryPoint) -> bytes:
    """Return the entry point as XML."""
    return entry_point.entry_point_xml(entry).encode()


def entry_point_json(entry: EntryPoint) -> bytes:
    """Return the entry point as JSON."""
    return encode(entry_point_plain(entry))


def error_xml(error: ErrorDocument) -> bytes:
    """Return an error as XML."""
    return f"{DECLARATION}{trouble.error_xml(error)}".encode()


def error_json(error: ErrorDocument) -> bytes:
    """Return an error as JSON."""
    return encode(error_plain(error))
