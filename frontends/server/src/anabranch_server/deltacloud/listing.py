"""A list over the clouds of a request: part by part if that is asked for, and never silently short.

A cloud that did not answer in full is told in the document and in the header `X-Anabranch-Clouds`.
Where one cloud is chosen, old clients read nothing but the members, so its failure is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from anabranch import Answer, CloudReport, CloudStatus, ErrorReport, OperationNotSupported
from anabranch_server.deltacloud.filtering import Filters
from anabranch_server.deltacloud.paging import leading_on, part_of
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.vocabulary import Collection
from anabranch_server.problems import Problem, not_offered, problem_of

__all__ = ["Listed", "insist", "listed", "unfinished"]

_MOST: Final = 50
"""Clouds that the header names; the document names all."""


class Listed(NamedTuple):
    """What was listed.

    Attributes:
        answer: The members, and what became of each cloud.
        headers: Headers of the reply.
        clouds: What the document tells of the clouds; None: nothing, one answered in full.
        next_page: URL of the next page, if there is one.
    """

    answer: Answer[Any]
    headers: Mapping[str, str]
    clouds: list[CloudReport] | None
    next_page: str | None


async def listed(request: Request, collection: Collection, filters: Filters) -> Listed:
    """List a collection.

    With the parameter `limit`, from 1, no cloud is asked for a further page of its own once so
    many members of it are there; `Link` leads to those that follow. A cloud that failed is not
    asked for them again. Without it everything is listed, as in Deltacloud.

    Args:
        request: The request.
        collection: What to list.
        filters: Which of its members.

    Raises:
        Problem: `limit` or `page` is wrong, or no cloud answered.
        AnabranchError: the one cloud that is chosen did not answer in full.
    """
    about = _about(request, collection, filters)
    limit, cursors = part_of(request, about)
    facade: Any = getattr(request.selection.broker, collection.name)
    asked = [cloud for cloud in filters.clouds if cloud not in filters.failures]
    answer: Answer[Any] = Answer((), (), {})
    headers: Mapping[str, str] = {}
    if asked:
        answer, headers = await request.timed(
            lambda: facade.list(
                clouds=asked,
                where=filters.where,
                keep=filters.keep,
                limit=limit,
                cursors=cursors,
            )
        )
    if filters.failures:
        answer = _with_failures(request, answer, filters, cursors)
    insist(request, answer)
    told = {**headers, **unfinished(answer.unfinished)}
    next_page = None
    if limit is not None:
        link, next_page = leading_on(request, answer.cursors, about)
        told |= link
    whole = not request.selection.qualified and not answer.unfinished
    return Listed(answer, told, None if whole else list(answer.clouds), next_page)


def _with_failures(
    request: Request, answer: Answer[Any], filters: Filters, cursors: Mapping[str, str] | None
) -> Answer[Any]:
    """Add the clouds that could not be asked, as far as this page would have had some of them."""
    kinds = request.selection.broker.clouds
    errors = {
        cloud: error
        for cloud, error in filters.failures.items()
        if cursors is None or cloud in cursors
    }
    reports = [
        CloudReport(
            name=cloud,
            driver=kinds[cloud],
            status=CloudStatus.FAILED,
            error=ErrorReport.of(error),
        )
        for cloud, error in errors.items()
    ]
    order = [*kinds]
    clouds = sorted((*answer.clouds, *reports), key=lambda report: order.index(report.name))
    return Answer(answer.items, clouds, {**answer.errors, **errors}, answer.cursors)


def _about(request: Request, collection: Collection, filters: Filters) -> list[Any]:
    """Return what list it is: the same account, clouds, collection and filters."""
    asked = [request.parameters.get(parameter.name) for parameter in collection.filters]
    return [collection.name, *request.asker, filters.clouds, asked]


def insist(request: Request, answer: Answer[Any]) -> None:
    """See that somebody answered: of one cloud everything, of several anything.

    Raises:
        Problem: none of several answered.
        AnabranchError: the one cloud did not answer in full.
    """
    errors = answer.errors
    if not errors:
        return
    if not request.selection.qualified:
        raise next(iter(errors.values()))
    bad = (CloudStatus.FAILED, CloudStatus.SKIPPED)
    if not all(report.status in bad for report in answer.clouds):
        return
    failed = {n: e for n, e in errors.items() if not isinstance(e, OperationNotSupported)}
    account = request.selection.account
    problems = [problem_of(error, account=account) for error in (failed or errors).values()]
    message = "; ".join(problem.message for problem in problems)
    if not failed:
        first = next(iter(errors.values()))
        operation = first.operation if isinstance(first, OperationNotSupported) else None
        raise not_offered(operation or "", message)
    statuses = {problem.status for problem in problems}
    status = statuses.pop() if len(statuses) == 1 else 502
    raise Problem(status, message, kind="NoCloudAnswered")


def unfinished(reports: Iterable[CloudReport]) -> Mapping[str, str]:
    """Return the header that tells of clouds that did not answer in full, if there are any.

    It is a list of RFC 9651: `"lisbon";status=failed;error=CloudUnavailable, "porto";…`; after 50
    clouds it ends in `"*";more=N`.
    """
    told = [
        f'"{report.name}";status={report.status.value}'
        + (f";error={report.error.type}" if report.error else "")
        for report in reports
    ]
    if len(told) > _MOST:
        told[_MOST:] = [f'"*";more={len(told) - _MOST}']
    return {"X-Anabranch-Clouds": ", ".join(told)} if told else {}
