"""What every collection can do: index, show, create, destroy and the actions on a member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anabranch import QualifiedId
from anabranch.models import Instance, Key
from anabranch_server.deltacloud import documents
from anabranch_server.deltacloud.compatible import with_profiles
from anabranch_server.deltacloud.filtering import filtered
from anabranch_server.deltacloud.listing import listed
from anabranch_server.deltacloud.making import make
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.rendering import rendered
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.specs import arguments, cloud_for, in_terms_of
from anabranch_server.deltacloud.vocabulary import Action, Collection
from anabranch_server.problems import nothing_to_destroy

__all__ = ["act", "create", "destroy", "index", "show"]

_SEE_OTHER = 303


async def index(request: Request, collection: Collection) -> Reply:
    """List a collection, over all clouds that the request is about."""
    filters = await filtered(request, collection)
    items: Sequence[Any]
    if collection.name == "images":
        found, items = await with_profiles(
            request,
            filters.clouds,
            lambda listed: listed.answer.items,
            lambda: listed(request, collection, filters),
        )
    else:
        found = await listed(request, collection, filters)
        items = found.answer.items
    name, view, clouds = collection.name, request.view, found.clouds
    return rendered(
        request,
        f"{name}.index",
        xml=lambda: documents.index_xml(name, items, view, clouds),
        plain=lambda: documents.index_plain(name, items, view, clouds),
        json=lambda: documents.index_json(name, items, view, clouds),
        headers=found.headers,
        next_page=found.next_page,
    )


async def show(request: Request, collection: Collection, ident: str) -> Reply:
    """Show one member of a collection."""
    facade: Any = getattr(request.selection.broker, collection.name)
    target = request.target(ident)

    async def get() -> tuple[Any, Mapping[str, str]]:
        return await request.timed(lambda: facade.get(target))

    if collection.name == "images":
        (_, headers), (item,) = await with_profiles(
            request, (target.cloud,), lambda got: (got[0],), get
        )
    else:
        item, headers = await get()
    return _shown(request, collection, item, 200, headers)


async def create(request: Request, collection: Collection, action: Action) -> Reply:
    """Make a member of a collection, or several at once.

    People are led to it, unless the answer has a secret in it that is told this once.
    """
    cloud = cloud_for(request, action)
    fields = arguments(request, cloud, action)
    with in_terms_of(action):
        made, headers = await request.timed(
            lambda: make(request, collection, action, cloud, fields)
        )
    if len(made) > 1:
        return _several(request, collection, made, headers)
    (item,) = made
    where = request.view.member(collection.name, item.cloud, item.id)
    if request.format is Format.HTML and not _tells_a_secret(item):
        return _see(where)
    return _shown(request, collection, item, 201, {**headers, "Location": where})


async def destroy(request: Request, collection: Collection, ident: str) -> Reply:
    """Destroy a member of a collection.

    Raises:
        NotFound: there is none.
    """
    facade: Any = getattr(request.selection.broker, collection.name)
    target = request.target(ident)
    there, headers = await request.timed(lambda: facade.destroy(target))
    if not there:
        raise nothing_to_destroy(collection.singular, target)
    if request.format is Format.HTML:
        return _see(request.view.collection(collection.name))
    return Reply(204, headers=headers)


async def act(
    request: Request,
    collection: Collection,
    action: Action,
    ident: str,
    more: Mapping[str, str] | None = None,
) -> Reply:
    """Do something to a member.

    Args:
        request: The request.
        collection: The collection.
        action: What to do.
        ident: The member.
        more: Parameters that the path has.
    """
    target = request.target(ident)
    given = arguments(request, target.cloud, action, more)
    if "instance" in given:
        given["instance"] = QualifiedId(target.cloud, given["instance"])
    facade: Any = getattr(request.selection.broker, collection.name)
    does = getattr(facade, action.verb or action.name)
    with in_terms_of(action):
        item, headers = await request.timed(lambda: does(target, **given))
    if request.format is Format.HTML:
        return _see(request.view.member(collection.name, target.cloud, target.id))
    if action.empty:
        return Reply(action.status, headers=headers)
    return _shown(request, collection, item, action.status, headers, action)


def _shown(
    request: Request,
    collection: Collection,
    item: Any,
    status: int,
    headers: Mapping[str, str],
    action: Action | None = None,
) -> Reply:
    # Deltacloud does not wrap the instance that an action answers with.
    wrapped = action is None or collection.name != "instances"
    name, view = collection.name, request.view
    return rendered(
        request,
        f"{name}.show",
        xml=lambda: documents.show_xml(name, item, view),
        plain=lambda: documents.show_plain(name, item, view, wrapped=wrapped),
        status=status,
        headers=headers,
    )


def _several(
    request: Request, collection: Collection, items: Sequence[Any], headers: Mapping[str, str]
) -> Reply:
    name, view = collection.name, request.view
    return rendered(
        request,
        f"{name}.index",
        xml=lambda: documents.index_xml(name, items, view, secrets=True),
        plain=lambda: documents.index_plain(name, items, view, secrets=True),
        status=201,
        headers=headers,
    )


def _see(where: str) -> Reply:
    return Reply(_SEE_OTHER, headers={"Location": where})


def _tells_a_secret(made: Any) -> bool:
    """Whether what was made has a secret that is told in this answer alone."""
    if isinstance(made, Key):
        return bool(made.private_key or made.password)
    if isinstance(made, Instance):
        return bool(made.authentication and made.authentication.password)
    return False
