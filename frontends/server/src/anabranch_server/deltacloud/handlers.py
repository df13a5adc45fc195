"""What every collection can do: index, show, create, destroy and the actions on a member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anabranch import QualifiedId
from anabranch.models import Instance, Key
from anabranch_server.deltacloud.compatible import with_profiles
from anabranch_server.deltacloud.filtering import filtered
from anabranch_server.deltacloud.listing import listed
from anabranch_server.deltacloud.making import make
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.rendering import member, members, see
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.specs import arguments, cloud_for, in_terms_of
from anabranch_server.deltacloud.vocabulary import Action, Collection
from anabranch_server.problems import nothing_to_destroy

__all__ = ["act", "create", "destroy", "index", "show"]


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
    return members(
        request,
        collection,
        items,
        clouds=found.clouds,
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
    return member(request, collection.name, item, headers=headers)


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
        return members(request, collection, made, secrets=True, status=201, headers=headers)
    (item,) = made
    where = request.view.member(collection.name, item.cloud, item.id)
    if request.format is Format.HTML and not _tells_a_secret(item):
        return see(where)
    headers = {**headers, "Location": where}
    return member(request, collection.name, item, status=201, headers=headers)


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
        return see(request.view.collection(collection.name))
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
        return see(request.view.member(collection.name, target.cloud, target.id))
    if action.empty:
        return Reply(action.status, headers=headers)
    # Deltacloud does not wrap the instance that an action answers with.
    wrapped = collection.name != "instances"
    return member(
        request, collection.name, item, wrapped=wrapped, status=action.status, headers=headers
    )


def _tells_a_secret(made: Any) -> bool:
    """Whether what was made has a secret that is told in this answer alone."""
    if isinstance(made, Key):
        return bool(made.private_key or made.password)
    if isinstance(made, Instance):
        return bool(made.authentication and made.authentication.password)
    return False
