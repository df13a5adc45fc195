"""What every collection can do: index, show, create, destroy and the actions on a member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anabranch import Answer, CloudStatus
from anabranch_server.deltacloud import documents
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.problems import Problem, problem_of
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.specs import SPECS
from anabranch_server.deltacloud.vocabulary import Action, Collection

__all__ = ["act", "create", "destroy", "index", "show"]


async def index(request: Request, collection: Collection) -> Reply:
    """List a collection."""
    facade: Any = getattr(request.selection.broker, collection.name)
    where = {
        filter_.name: request.parameters[filter_.name]
        for filter_ in collection.filters
        if filter_.name in request.parameters
    }
    answer, headers = await request.timed(
        lambda: facade.list(clouds=request.selection.clouds, where=where)
    )
    _insist(request, answer)
    clouds = answer.clouds if request.selection.qualified else None
    write = documents.index_json if request.format is Format.JSON else documents.index_xml
    body = write(collection.name, answer.items, request.view, clouds)
    return Reply(200, body, request.format, headers | _told(answer))


async def show(request: Request, collection: Collection, ident: str) -> Reply:
    """Show one member of a collection."""
    facade: Any = getattr(request.selection.broker, collection.name)
    item, headers = await request.timed(lambda: facade.get(request.target(ident)))
    return Reply(200, _shown(request, collection, item), request.format, headers)


async def create(request: Request, collection: Collection, action: Action) -> Reply:
    """Make a member of a collection."""
    for parameter in action.parameters:
        if parameter.required:
            request.parameters.required(parameter.name)
    cloud, spec = SPECS[action.operation](request)
    facade: Any = getattr(request.selection.broker, collection.name)
    item, headers = await request.timed(lambda: facade.create(cloud, spec))
    headers = {**headers, "Location": request.view.member(collection.name, item.cloud, item.id)}
    return Reply(201, _shown(request, collection, item), request.format, headers)


async def destroy(request: Request, collection: Collection, ident: str) -> Reply:
    """Destroy a member of a collection."""
    facade: Any = getattr(request.selection.broker, collection.name)
    if not await facade.destroy(request.target(ident)):
        raise Problem(404, f"there is no {collection.singular} {ident!r}", kind="NotFound")
    return Reply(204)


async def act(request: Request, collection: Collection, action: Action, ident: str) -> Reply:
    """Do something to an instance."""
    facade: Any = getattr(request.selection.broker, collection.name)
    target = request.target(ident)
    item, headers = await request.timed(lambda: getattr(facade, action.name)(target))
    return Reply(action.status, _shown(request, collection, item), request.format, headers)


def _shown(request: Request, collection: Collection, item: Any) -> bytes:
    write = documents.show_json if request.format is Format.JSON else documents.show_xml
    return write(collection.name, item, request.view)


def _insist(request: Request, answer: Answer[Any]) -> None:
    """See that somebody answered: of one cloud everything, of several anything."""
    failed = answer.errors
    if not request.selection.qualified:
        for error in failed.values():
            raise error
    bad = (CloudStatus.FAILED, CloudStatus.SKIPPED)
    if all(report.status in bad for report in answer.clouds) and failed:
        problems = {name: problem_of(error) for name, error in failed.items()}
        statuses = {problem.status for problem in problems.values()}
        raise Problem(
            statuses.pop() if len(statuses) == 1 else 502,
            "; ".join(f"{name}: {problem.message}" for name, problem in problems.items()),
            kind="NoCloudAnswered",
        )


def _told(answer: Answer[Any]) -> Mapping[str, str]:
    """Tell in a header of the clouds that did not answer in full."""
    unfinished = answer.unfinished
    if not unfinished:
        return {}
    text = ", ".join(
        f"{r.name};status={r.status.value}" + (f";error={r.error.type}" if r.error else "")
        for r in unfinished
    )
    return {"X-Anabranch-Incomplete": text}
