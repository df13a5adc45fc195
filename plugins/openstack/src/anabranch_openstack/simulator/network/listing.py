"""What all of neutron's lists and bodies have in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast
from urllib.parse import urlencode

from anabranch_openstack.simulator.paging import cut
from anabranch_openstack.simulator.wire import Document, Refusal, Reply, Request, json_reply

__all__ = [
    "check_known",
    "check_room",
    "list_reply",
    "not_allowed",
    "not_found",
    "only_fields",
    "require",
    "wanted",
]

_PAGING = ("fields", "limit", "marker", "sort_key", "sort_dir", "page_reverse")
_SYNONYMS = {"tenant_id": "project_id"}


def check_room(request: Request, name: str, used: int, more: int = 1) -> None:
    """Refuse what would be more than the project may have.

    Raises:
        Refusal: It would be.
    """
    limit = request.region.networks.limits[name]
    if 0 <= limit < used + more:
        raise Refusal(409, f"Quota exceeded for resources: ['{name}'].", kind="OverQuota")


def not_allowed(action: str) -> Refusal:
    """The refusal of what only the owner, or an administrator, may do."""
    return Refusal(403, f"rule:{action} is disallowed by policy", kind="PolicyNotAuthorized")


def not_found(kind: str, item_id: str) -> Refusal:
    """The refusal of an unknown id; the kind is `Network`, `Security group` and so on."""
    name = "".join(word.capitalize() for word in kind.split())
    return Refusal(404, f"{kind} {item_id} could not be found.", kind=f"{name}NotFound")


def list_reply(
    request: Request,
    name: str,
    kind: str,
    documents: Sequence[Document],
    apart: Collection[str] = (),
) -> Reply:
    """A list: filtered by attributes, sorted, cut to a page, and each item to the wanted fields.

    Args:
        request: What is wanted.
        name: The key of the list.
        kind: What an unknown marker is called.
        documents: Everything that may be seen.
        apart: Filters that the caller has seen to.

    Raises:
        Refusal: A parameter is bad.
    """
    overlays = request.region.networks.overlays
    if overlays:
        documents = [{**d, **overlays.get(d["id"], {})} for d in documents]
    known = {field for document in documents[:1] for field in document}
    names = dict.fromkeys(n for n, _ in request.query if n not in (*_PAGING, *apart))
    unknown = [n for n in names if n not in known]
    if unknown and documents:
        raise Refusal(400, f"{unknown} is invalid attribute for filtering")
    for field in names:
        values = request.params(field)
        documents = [d for d in documents if _matches(d.get(_SYNONYMS.get(field, field)), values)]
    limit = _limit(request)
    page = cut(
        _sorted(request, documents),
        limit,
        request.param("marker"),
        lambda document: str(document["id"]),
        lambda marker: not_found(kind, marker),
    )
    body: Document = {name: [only_fields(request, d) for d in page.items]}
    links: list[Document] = []
    if page.full:
        links.append(_link(request, "next", page.items[-1]["id"]))
    if limit is not None and page.items:
        links.append(_link(request, "previous", page.items[0]["id"], page_reverse="True"))
    if links:
        body[f"{name}_links"] = links
    return json_reply(body)


def only_fields(request: Request, document: Document) -> Document:
    """The fields that the request asks for; all, if it asks for none."""
    document = {**document, **request.region.networks.overlays.get(document["id"], {})}
    fields = request.params("fields")
    return {k: v for k, v in document.items() if k in fields} if fields else document


def wanted(request: Request, name: str) -> Document:
    """The object below the one key of the body.

    Raises:
        Refusal: There is none.
    """
    try:
        body = request.json()
    except ValueError as error:
        raise Refusal(400, "Body contains invalid data") from error
    inner = cast("Document", body).get(name) if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        raise Refusal(400, f"Unable to find '{name}' in request body")
    return cast("Document", inner)


def require(document: Document, *names: str) -> None:
    """Refuse a body without an attribute that it must have.

    Raises:
        Refusal: One is missing.
    """
    for name in names:
        if name not in document:
            message = f"Failed to parse request. Required attribute '{name}' not specified"
            raise Refusal(400, message)


def check_known(document: Document, known: Collection[str]) -> None:
    """Refuse attributes that the resource does not have.

    Raises:
        Refusal: There is one.
    """
    unknown = [f"'{name}'" for name in document if name not in known]
    if unknown:
        raise Refusal(400, f"Unrecognized attribute(s) {', '.join(unknown)}")


def _matches(value: Any, wanted_values: list[str]) -> bool:
    if isinstance(value, bool):
        return any((v.lower() in ("true", "1")) == value for v in wanted_values)
    if isinstance(value, list):
        return any(v in value for v in wanted_values)
    return ("" if value is None else str(value)) in wanted_values


def _sorted(request: Request, documents: Sequence[Document]) -> list[Document]:
    keys, directions = request.params("sort_key"), request.params("sort_dir")
    if len(keys) != len(directions):
        raise Refusal(400, "The number of sort_keys and sort_dirs must be same")
    ordered = list(documents)
    for key, direction in reversed(list(zip(keys, directions, strict=True))):
        ordered.sort(key=lambda d: str(d.get(key)), reverse=direction == "desc")
    return ordered


def _limit(request: Request) -> int | None:
    most = request.cloud.behaviour.page_size
    text = request.param("limit")
    if text is None:
        return most
    if not text.isdecimal():
        raise Refusal(
            400,
            f"Bad limit request: Limit must be an integer 0 or greater and not '{text}'.",
            kind="BadRequest",
        )
    limit = int(text) or None
    return most if limit is None else limit if most is None else min(limit, most)


def _link(request: Request, rel: str, marker: str, **more: str) -> Document:
    query = request.query_with("marker", marker)
    if more:
        query += "&" + urlencode(more)
    return {"rel": rel, "href": f"{request.root}{request.path}?{query}"}
