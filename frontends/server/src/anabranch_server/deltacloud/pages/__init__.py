"""The API for people: every document as a page, every action as a button or a form.

Pages are made from the same plain documents as JSON, and forms from the vocabulary. Everything
that comes from a cloud is escaped; pages need no script, and their policy allows none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

import jinja2
import msgspec

from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Action, Collection, Parameter

__all__ = [
    "GUARDS",
    "STYLE",
    "Frame",
    "entry_page",
    "error_page",
    "form_page",
    "index_page",
    "plain_page",
    "show_page",
]

GUARDS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    # Not `no-referrer`: with it a browser hides the `Origin` of our own forms.
    "Referrer-Policy": "same-origin",
}
"""The headers of every page."""
STYLE: Final = files(__name__).joinpath("style.css").read_bytes()
"""What pages look like; they expect it at `ROOT/style.css`."""

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "realms": ("state", "limit"),
    "hardware_profiles": ("properties",),
    "images": ("state", "architecture", "owner_id", "description"),
    "instances": ("state", "realm", "image", "public_addresses", "private_addresses"),
    "keys": ("credential_type", "fingerprint"),
    "addresses": ("associated", "instance"),
    "storage_volumes": ("state", "capacity", "realm", "instance", "device"),
    "storage_snapshots": ("state", "storage_volume", "created"),
    "buckets": ("size",),
    "firewalls": ("description", "owner_id"),
    "load_balancers": ("realm", "public_addresses", "instances"),
    "metrics": ("entity",),
    "networks": ("state", "address_blocks", "subnets"),
    "subnets": ("state", "address_block", "network"),
    "network_interfaces": ("ip_address", "network", "instance"),
}
"""What a list shows of its members."""


class Frame(msgspec.Struct, frozen=True):
    """What stands around a page.

    Attributes:
        root: URL of the API.
        page: URL of the page, to which the links to the other formats lead; empty: it has none.
        driver: The driver that is asked, or `all`.
        provider: The provider that was chosen, or None.
    """

    root: str
    page: str
    driver: str
    provider: str | None = None


class _Field(msgspec.Struct, frozen=True):
    """A field of a form; `choices` are pairs of a value and its text."""

    name: str
    kind: str
    required: bool
    help: str
    given: str
    choices: Sequence[tuple[str, str]]


def index_page(
    frame: Frame,
    collection: Collection,
    document: Mapping[str, Any],
    next_page: str | None = None,
    *,
    creates: bool,
) -> bytes:
    """Return a list as a page.

    Args:
        frame: What stands around it.
        collection: The collection.
        document: Its plain document.
        next_page: URL of the next page of the list, or None.
        creates: Whether a member of it can be made.
    """
    return _page(
        "index.html",
        frame,
        collection.title,
        singular=collection.singular,
        rows=document[collection.name],
        columns=_COLUMNS[collection.name],
        clouds=document.get("clouds"),
        form=f"{frame.root}/{collection.name}/new" if creates else None,
        own=f"{frame.root}/{collection.name}?owner_id=self" if _owned(collection) else None,
        next=next_page,
    )


def _owned(collection: Collection) -> bool:
    return any(one.name == "owner_id" for one in collection.filters)


def show_page(
    frame: Frame, collection: Collection, item: Mapping[str, Any], next_page: str | None = None
) -> bytes:
    """Return a member of a collection as a page, with a button for each of its actions.

    Args:
        frame: What stands around it.
        collection: The collection.
        item: Its plain document, not wrapped.
        next_page: URL of the page that goes on, if it is a part of what the member holds.
    """
    name = item.get("name") or item.get("id") or collection.singular
    return _page(
        "show.html",
        frame,
        str(name),
        item=item,
        title_of_all=collection.title,
        back=f"{frame.root}/{collection.name}",
        next=next_page,
    )


def form_page(
    frame: Frame,
    action: Action,
    target: str,
    parameters: Iterable[Parameter],
    choices: Mapping[str, Sequence[tuple[str, str]]],
    given: Mapping[str, str],
    member: str = "",
) -> bytes:
    """Return the form of an action.

    Args:
        frame: What stands around it.
        action: The action.
        target: URL that it is sent to.
        parameters: What is asked for: those that the cloud honours.
        choices: Members of collections to choose from, by the collection's name: pairs of an id
            and a text.
        given: Values that are known already.
        member: The id of what it is done to, or nothing.
    """
    fields = [
        _Field(
            name,
            parameter.kind,
            parameter.required,
            parameter.help,
            "" if parameter.kind == "password" else given.get(name, ""),
            choices.get(parameter.kind) or [(choice, choice) for choice in parameter.choices],
        )
        for parameter in parameters
        for name in _names(parameter)
    ]
    return _page(
        "form.html",
        msgspec.structs.replace(frame, page=""),
        f"{_words(action.operation).capitalize()} {member}".rstrip(),
        action=target,
        method=action.method,
        fields=fields,
        files=any(field.kind == "file" for field in fields),
        button=action.operation.partition("_")[0],
    )


def entry_page(
    frame: Frame,
    document: Mapping[str, Any],
    drivers: Mapping[str, Sequence[str]],
    *,
    together: bool,
) -> bytes:
    """Return the entry point as a page, where a provider, and so its driver, can be chosen.

    Args:
        frame: What stands around it.
        document: Its plain document.
        drivers: The drivers that can be chosen, each with its providers.
        together: Whether all of them can be asked at once.
    """
    return _page(
        "entry.html",
        frame,
        "Collections",
        links=document["api"]["links"],
        choices=drivers if sum(map(len, drivers.values())) > 1 else (),
        together=together,
    )


def plain_page(frame: Frame, title: str, document: Any, picture: str | None = None) -> bytes:
    """Return any plain document as a page, with a picture above it if there is one."""
    return _page("plain.html", frame, title, document=document, picture=picture)


def error_page(frame: Frame, document: Mapping[str, Any]) -> bytes:
    """Return an error as a page."""
    return _page("error.html", frame, "This did not work", document=document)


def _names(parameter: Parameter) -> tuple[str, ...]:
    """Return the fields of a parameter: of one that may have any number of values, the first."""
    if parameter.numbered and not parameter.count:
        return (parameter.numbered.format(1),)
    return parameter.names


def _page(template: str, frame: Frame, title: str, **values: Any) -> bytes:
    text = _TEMPLATES.get_template(template).render(frame=frame, title=title, **values)
    return text.encode("utf-8", "replace")


def _words(name: str) -> str:
    return str(name).replace("_", " ")


def _without(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def _once(document: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is shown otherwise: actions, and the id of what there is a link to."""
    return {
        name: value
        for name, value in document.items()
        if name != "actions" and document.get(name.removesuffix("_id"), value) is value
    }


def _links(item: Mapping[str, Any], *, confirmed: bool = False) -> list[dict[str, str]]:
    """Return the actions of an item, each once; one that wants parameters leads to its form.

    Args:
        item: Its plain document.
        confirmed: Whether destroying leads to a form, too, that asks once more.
    """
    found: list[dict[str, str]] = []
    for link in item.get("actions") or ():
        href = str(link["href"])
        if any(href == one["href"] and link["method"] == one["method"] for one in found):
            continue  # what Deltacloud called by two names
        place, semicolon, known = href.rpartition(";")
        if not semicolon or "/" in known:  # these are of the root
            place, known = href, ""
        if link["method"] == "post" and place.rpartition("/")[2] in COLLECTIONS:
            found.append({**link, "form": f"{place}/new?{known}"})  # images;instance_id=…
        elif link["method"] == "delete" and confirmed and "form" not in link:
            found.append({**link, "form": f"{href}/destroy"})
        elif _wants_parameters(place, link["method"]):
            found.append({**link, "form": place})
        else:
            found.append(dict(link))
    return found


_ASKING: Final = tuple(
    (action.method.lower(), f"/{collection.name}/", f"/{path}")
    for collection in COLLECTIONS.values()
    for action in collection.actions
    for path in action.paths
    if any(parameter.required for parameter in action.parameters)
)
"""The actions that cannot be done without parameters: their methods, and what is in their paths."""


def _wants_parameters(href: str, method: str) -> bool:
    place = href.partition("?")[0]
    return any(m == method and place.endswith(end) and name in place for m, name, end in _ASKING)


_TEMPLATES: Final = jinja2.Environment(
    # All read now: a template that is read when it is first needed holds everybody up.
    loader=jinja2.DictLoader(
        {
            file.name: file.read_text("utf-8")
            for file in files(__name__).joinpath("templates").iterdir()
        }
    ),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.ChainableUndefined,
)
_FILTERS: dict[str, Any] = {"words": _words, "without": _without, "links": _links, "once": _once}
_TEMPLATES.filters.update(_FILTERS)
