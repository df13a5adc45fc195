"""The entry point: the collections that there are, and the features of their operations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

import anyio

from anabranch import AnabranchError, AuthenticationError, Capabilities, PluginError
from anabranch_server.deltacloud import documents, pages
from anabranch_server.deltacloud.documents import CollectionLink, EntryPoint, FeatureEntry
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.rendering import frame_of, page, rendered
from anabranch_server.deltacloud.reply import VERSION, Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Collection, features_of
from anabranch_server.problems import Problem, nothing_here, problem_of

__all__ = ["entry_point"]

_PATIENCE: Final = 3.0
"""Seconds that a cloud may take to tell what it lacks; without, what its driver offers is told."""
_ABOUT_DRIVERS: Final = ("drivers", "instance_states")


async def entry_point(
    request: Request, drivers: Callable[[], Mapping[str, Sequence[str]]]
) -> Reply:
    """Tell what there is: of several clouds, what any of them has.

    With `force_auth` the credentials are tried first. A POST with `driver` or `provider` leads to
    the address where these are chosen.

    Args:
        request: The request.
        drivers: Tells the drivers that can be chosen, each with its providers.
    """
    if request.call.method == "POST":
        return _chosen(request)
    if request.call.method not in ("GET", "HEAD"):
        raise nothing_here(request.call.url)
    if request.parameters.flag("force_auth"):
        await _check(request)
    selection = request.selection
    entry = EntryPoint(
        version=VERSION,
        driver=selection.driver,
        provider=selection.provider,
        links=tuple(_links(request, await _offered(request))),
    )
    if request.format is Format.HTML:
        document = documents.entry_point_plain(entry)
        several = len(selection.broker.clouds) > 1
        return page(pages.entry_page(frame_of(request), document, drivers(), together=several))
    return rendered(
        request,
        "entry point",
        xml=lambda: documents.entry_point_xml(entry),
        plain=lambda: documents.entry_point_plain(entry),
    )


def _chosen(request: Request) -> Reply:
    """Lead to the address of what a form chooses; 301, as its clients expect."""
    names = [name for name in ("driver", "provider") if name in request.parameters]
    if not names:
        raise nothing_here(request.call.url)
    api = request.view.root.partition(";")[0]
    matrix = "".join(f";{name}={quote(request.parameters[name], safe='')}" for name in names)
    return Reply(301, headers={"Location": f"{api}{matrix}"})


async def _offered(request: Request) -> list[Capabilities]:
    """Return what each cloud offers, asked now where it answers in time; all at once."""
    selection = request.selection
    broker = selection.broker
    if not selection.clouds:
        driver = broker.registry.driver(selection.driver)
        return [Capabilities.of(selection.driver, driver)]
    found: dict[str, Capabilities] = {}

    async def ask(cloud: str) -> None:
        try:
            found[cloud] = await broker.probe(cloud, timeout=_PATIENCE)
        except PluginError:
            return
        except AnabranchError:
            found[cloud] = broker.capabilities(cloud)

    async with anyio.create_task_group() as group:
        for cloud in selection.clouds:
            group.start_soon(ask, cloud)
    return [found[cloud] for cloud in selection.clouds if cloud in found]


def _links(request: Request, offered: Sequence[Capabilities]) -> Iterable[CollectionLink]:
    href = request.view.collection
    for name in sorted((*COLLECTIONS, *_ABOUT_DRIVERS)):
        collection = COLLECTIONS.get(name)
        if collection is None:
            yield CollectionLink(name=name, href=href(name))
        elif any(collection.index_operation in one for one in offered):
            yield CollectionLink(
                name=name, href=href(name), features=_features(collection, offered)
            )


def _features(collection: Collection, offered: Sequence[Capabilities]) -> tuple[FeatureEntry, ...]:
    """Return the features that any cloud has, with the limits that all of those have."""
    found: dict[tuple[str, str], FeatureEntry] = {}
    for feature in (f for one in offered for f in features_of(collection, one)):
        key = (feature.name, feature.action)
        limits = set(feature.constraints.items())
        if key in found:
            limits &= set(found[key].constraints.items())
        found[key] = FeatureEntry(
            name=feature.name,
            operation=feature.action,
            params=tuple(n for parameter in feature.parameters for n in parameter.names),
            constraints=dict(sorted(limits)),
        )
    return tuple(found.values())


async def _check(request: Request) -> None:
    """See that the credentials are good; of several clouds, that no one refuses them.

    Raises:
        Problem: they are refused (401), or no cloud can tell.
        AnabranchError: the same of credentials that came with the request.
    """
    selection = request.selection
    errors: dict[str, AnabranchError] = {}
    failed: list[AnabranchError]

    async def check(cloud: str) -> None:
        try:
            await selection.broker.check(cloud)
        except AnabranchError as exc:
            errors[cloud] = exc

    async with anyio.create_task_group() as group:
        for cloud in selection.clouds:
            group.start_soon(check, cloud)
    failed = [e for e in errors.values() if isinstance(e, AuthenticationError)]
    if not failed and len(errors) == len(selection.clouds):
        failed = [*errors.values()]
    if failed and selection.account:
        raise failed[0]  # as it is, so that the account is forgotten
    if failed:
        told = [problem_of(error) for error in failed]
        message = "; ".join(problem.message for problem in told)
        raise Problem(told[0].status, message, kind=told[0].kind, remedy=told[0].remedy)
