"""What all of octavia's lists have in common."""

from __future__ import annotations

from collections.abc import Sequence

from anabranch_openstack.simulator.paging import cut
from anabranch_openstack.simulator.wire import Document, Refusal, Reply, Request, json_reply

__all__ = ["list_reply"]

_APART = ("limit", "marker", "sort", "fields", "load_balancer_id", "loadbalancer_id")


def list_reply(request: Request, name: str, documents: Sequence[Document]) -> Reply:
    """A list, filtered by attributes and cut to a page; the links are always there.

    Raises:
        Refusal: A parameter is bad.
    """
    for field, value in request.query:
        if field in _APART:
            continue
        if documents and field not in documents[0]:
            raise Refusal(400, "One or more arguments are either duplicate or invalid")
        documents = [d for d in documents if str(d[field]) == value]
    overlays = request.region.balancers.overlays
    page = cut(
        documents,
        _limit(request),
        request.param("marker"),
        lambda document: str(document["id"]),
        lambda marker: Refusal(400, f"Supplied pagination marker '{marker}' is not valid."),
    )
    links: list[Document] = []
    if page.full:
        query = request.query_with("marker", page.items[-1]["id"])
        links.append({"href": f"{request.root}{request.path}?{query}", "rel": "next"})
    fields = request.params("fields")
    shown = [{**d, **overlays.get(d["id"], {})} for d in page.items]
    items = [{k: v for k, v in d.items() if k in fields} if fields else d for d in shown]
    return json_reply({name: items, f"{name}_links": links})


def _limit(request: Request) -> int | None:
    most = request.cloud.behaviour.page_size
    text = request.param("limit")
    if text is None:
        return most
    if not text.isdecimal():
        message = f"Supplied pagination limit '{text}' is not valid."
        raise Refusal(400, message, kind="description")
    limit = int(text) or None
    return most if limit is None else limit if most is None else min(limit, most)
