"""Gnocchi's HTTP interface, as far as it is about instances."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from anabranch_openstack.simulator.metric.records import (
    POLICIES,
    Resource,
    Series,
    reckon,
)
from anabranch_openstack.simulator.paging import cut
from anabranch_openstack.simulator.routing import Route, Routes
from anabranch_openstack.simulator.service import NOT_FOUND, TITLES, Service
from anabranch_openstack.simulator.wire import (
    HTML,
    Document,
    Refusal,
    Reply,
    Request,
    is_uuid,
    json_reply,
)

__all__ = ["MetricService"]

_LARGEST_PAGE = 1000
_READING = ("/v1/search/resource/instance", "/v1/aggregates")
_RELATIVE = re.compile(r"-(\d+)s")
_WORDS = {
    400: "The server could not comply with the request since it is either malformed or otherwise"
    " incorrect.",
    403: "Access was denied to this resource.",
    404: NOT_FOUND,
    409: "There was a conflict when trying to complete your request.",
}
routes = Routes()


class MetricService(Service):
    """Gnocchi v1."""

    def __init__(self) -> None:
        super().__init__("/metric", routes)

    def open(self, request: Request, segments: list[str]) -> Reply | None:
        """The versions."""
        if segments != [""]:
            return None
        version = {
            "status": "CURRENT",
            "links": [{"rel": "self", "href": f"{request.root}/v1/"}],
            "id": "v1.0",
            "updated": "2015-03-19",
        }
        return json_reply({"build": "4.7.1", "versions": [version]})

    def authorize(self, request: Request, route: Route) -> None:
        """Whoever may read may search and reckon, which are POSTs."""
        if request.path not in _READING:
            super().authorize(request, route)

    def refuse(self, request: Request, refusal: Refusal) -> Reply:
        """Webob's page, with the words of the status before those of gnocchi."""
        if refusal.status == 401:
            return super().refuse(request, refusal)
        heading = f"{refusal.status} {TITLES[refusal.status]}"
        body = (
            f"<html>\n <head>\n  <title>{heading}</title>\n </head>\n <body>\n"
            f"  <h1>{heading}</h1>\n  {_WORDS[refusal.status]}<br /><br />\n"
            f"{refusal.message}\n\n\n </body>\n</html>"
        )
        return Reply(status=refusal.status, body=body.encode(), content_type=HTML)

    def missing(self, request: Request, segments: list[str]) -> Reply:
        """Nothing more is told of a path that does not exist."""
        del segments
        return self.refuse(request, Refusal(404, ""))

    def stamp(self, request: Request, reply: Reply) -> None:
        """Gnocchi gives its requests no ids."""


@routes.on("GET", "/v1/resource/instance")
def list_resources(request: Request) -> Reply:
    """The resources, the ended ones as well."""
    return _page(request, list(request.region.resources.all(request)))


@routes.on("POST", "/v1/search/resource/instance")
def search_resources(request: Request) -> Reply:
    """The resources; of all that can be searched for, only those that have not ended."""
    if request.json() != {"=": {"ended_at": None}}:
        raise Refusal(400, "The simulator searches for what has not ended only.")
    found = [r for r in request.region.resources.all(request) if r.ended is None]
    return _page(request, found)


@routes.on("GET", "/v1/resource/instance/{resource_id}")
def show_resource(request: Request) -> Reply:
    """One resource."""
    return json_reply(_document(_find(request)))


@routes.on("GET", "/v1/resource/instance/{resource_id}/metric")
def list_series(request: Request) -> Reply:
    """The series of a resource."""
    resource = _find(request)
    shown = [_series(resource, series) for series in resource.series.values()]
    return json_reply(shown)


@routes.on("POST", "/v1/resource/instance")
def create_resource(request: Request) -> Reply:
    """Make a resource with its series."""
    wanted = _object(request)
    for field in ("id", "display_name"):
        if field not in wanted:
            raise Refusal(400, f"required key not provided @ data['{field}']")
    ident = str(wanted["id"])
    if request.region.resources.find(request, ident) is not None:
        raise Refusal(409, f"Resource {ident} already exists")
    series: dict[str, Series] = {}
    for name, about in cast("dict[str, Document]", wanted.get("metrics") or {}).items():
        policy = POLICIES.get(str(about.get("archive_policy_name")))
        if policy is None:
            raise Refusal(400, f"Archive policy {about.get('archive_policy_name')} does not exist")
        series[name] = Series(
            id=str(uuid.uuid4()), name=name, unit=about.get("unit"), policy=policy
        )
    resource = Resource(
        id=ident,
        project_id=request.token.project_id,
        user_id=request.token.user.id,
        name=str(wanted["display_name"]),
        started=request.now,
        series=series,
    )
    request.region.resources.made[ident] = resource
    return json_reply(_document(resource), 201)


@routes.on("PATCH", "/v1/resource/instance/{resource_id}")
def end_resource(request: Request) -> Reply:
    """Say when a resource ended."""
    resource = _find(request)
    resource.ended = datetime.fromisoformat(str(_object(request)["ended_at"])).timestamp()
    return json_reply(_document(resource))


@routes.on("DELETE", "/v1/resource/instance/{resource_id}")
def delete_resource(request: Request) -> Reply:
    """Forget a resource."""
    request.region.resources.made.pop(_find(request).id, None)
    return Reply(status=204)


@routes.on("POST", "/v1/batch/resources/metrics/measures")
def add_measures(request: Request) -> Reply:
    """Take measures by resource and series; they count at once."""
    for ident, by_name in _object(request).items():
        resource = request.region.resources.find(request, ident)
        for name, measures in by_name.items():
            if resource is None or name not in resource.series:
                raise Refusal(400, f"Unknown metrics: {ident}/{name}")
            resource.series[name].measures += [
                (datetime.fromisoformat(m["timestamp"]).timestamp(), float(m["value"]))
                for m in measures
            ]
    return Reply(status=202)


@routes.on("POST", "/v1/aggregates")
def show_aggregates(request: Request) -> Reply:
    """What is reckoned of several series, which must be kept alike."""
    operations: list[Any] = _object(request)["operations"]
    start = request.now
    if match := _RELATIVE.fullmatch(request.param("start") or ""):
        start -= int(match[1])
    granularity = int(float(request.param("granularity") or 0))
    known = {s.id: s for r in request.region.resources.all(request) for s in r.series.values()}
    measures: dict[str, dict[str, list[Any]]] = {}
    for ident, method in operations[1:]:
        if not is_uuid(ident):
            raise Refusal(400, "{'cause': 'Invalid metric references'}")
        if ident not in known:
            raise Refusal(404, "{'cause': 'Unknown metrics'}")
        series = known[ident]
        if method not in series.policy.methods:
            raise Refusal(404, "{'cause': 'Metrics with unknown aggregation'}")
        if granularity not in (kept for kept, _ in series.policy.definition):
            raise Refusal(400, "{'cause': 'Metrics cannot be aggregated'}")
        measures.setdefault(ident, {})[method] = [
            (_time(moment), float(granularity), value)
            for moment, value in reckon(series, method, granularity)
            if moment >= start // granularity * granularity
        ]
    return json_reply({"measures": measures})


def _object(request: Request) -> Document:
    try:
        body = request.json()
    except ValueError as error:
        raise Refusal(400, "Unable to decode body") from error
    if not isinstance(body, dict):
        raise Refusal(400, "expected a dictionary")
    return cast("Document", body)


def _find(request: Request) -> Resource:
    resource = request.region.resources.find(request, request.args[0])
    if resource is None:
        raise Refusal(404, f"Resource {request.args[0]} does not exist")
    return resource


def _page(request: Request, resources: list[Resource]) -> Reply:
    text = request.param("limit") or ""
    page = cut(
        sorted(resources, key=lambda r: r.id),
        min(int(text) if text.isdecimal() else _LARGEST_PAGE, _LARGEST_PAGE),
        request.param("marker"),
        lambda resource: resource.id,
        lambda marker: Refusal(400, f"Invalid pagination: `Invalid marker: `{marker}''"),
    )
    reply = json_reply([_document(resource) for resource in page.items])
    if page.full:
        query = request.query_with("marker", page.items[-1].id)
        reply.headers = [("link", f'<{request.root}{request.path}?{query}>; rel="next"')]
    return reply


def _document(resource: Resource) -> Document:
    started = _time(resource.started)
    return {
        "id": resource.id,
        "creator": f"{resource.user_id}:{resource.project_id}",
        "started_at": started,
        "revision_start": started,
        "ended_at": None if resource.ended is None else _time(resource.ended),
        "user_id": resource.user_id,
        "project_id": resource.project_id,
        "original_resource_id": resource.id,
        "type": "instance",
        "display_name": resource.name,
        "host": None,
        "revision_end": None,
        "metrics": {series.name: series.id for series in resource.series.values()},
        "created_by_user_id": resource.user_id,
        "created_by_project_id": resource.project_id,
    }


def _series(resource: Resource, series: Series) -> Document:
    policy = series.policy
    return {
        "id": series.id,
        "creator": f"{resource.user_id}:{resource.project_id}",
        "name": series.name,
        "unit": series.unit,
        "resource_id": resource.id,
        "archive_policy": {
            "name": policy.name,
            "back_window": 0,
            "definition": [
                {
                    "timespan": str(timedelta(seconds=span)),
                    "granularity": str(timedelta(seconds=granularity)),
                    "points": span // granularity,
                }
                for granularity, span in policy.definition
            ],
            "aggregation_methods": policy.methods,
        },
        "created_by_user_id": resource.user_id,
        "created_by_project_id": resource.project_id,
    }


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
