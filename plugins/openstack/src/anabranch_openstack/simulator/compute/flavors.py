"""`/flavors`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anabranch_openstack.simulator.compute.documents import flavor_detail, flavor_summary
from anabranch_openstack.simulator.compute.records import Flavor
from anabranch_openstack.simulator.paging import Page, cut, integer_limit
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import Document, Refusal, Reply, Request, json_reply

__all__ = ["routes"]

routes = Routes()

_SORT_KEYS: dict[str, Callable[[Flavor], Any]] = {
    "flavorid": lambda f: f.id,
    "name": lambda f: f.name,
    "memory_mb": lambda f: f.ram,
    "vcpus": lambda f: f.vcpus,
    "root_gb": lambda f: f.disk,
    "ephemeral_gb": lambda f: f.ephemeral,
    "swap": lambda f: f.swap,
}


@routes.on("GET", "/v2.1/flavors", policy="os_compute_api:flavors:index")
def list_flavors(request: Request) -> Reply:
    """Ids and names."""
    page = _page(request)
    return _reply(request, page, [flavor_summary(request, f) for f in page.items])


@routes.on("GET", "/v2.1/flavors/detail", policy="os_compute_api:flavors:detail")
def list_flavor_details(request: Request) -> Reply:
    """All figures."""
    page = _page(request)
    return _reply(request, page, [flavor_detail(request, f) for f in page.items])


@routes.on("GET", "/v2.1/flavors/{flavor_id}", policy="os_compute_api:flavors:show")
def show_flavor(request: Request) -> Reply:
    """One flavor."""
    return json_reply({"flavor": flavor_detail(request, _find(request))})


@routes.on(
    "GET",
    "/v2.1/flavors/{flavor_id}/os-extra_specs",
    policy="os_compute_api:os-flavor-extra-specs:index",
)
def list_extra_specs(request: Request) -> Reply:
    """What the flavor asks of the host."""
    return json_reply({"extra_specs": _find(request).extra_specs})


@routes.on(
    "GET",
    "/v2.1/flavors/{flavor_id}/os-extra_specs/{key}",
    policy="os_compute_api:os-flavor-extra-specs:show",
)
def show_extra_spec(request: Request) -> Reply:
    """One thing that the flavor asks of the host."""
    flavor, key = _find(request), request.args[1]
    if key not in flavor.extra_specs:
        raise Refusal(404, f"Flavor {flavor.id} has no extra specs with key {key}.")
    return json_reply({key: flavor.extra_specs[key]})


def _find(request: Request) -> Flavor:
    flavor = request.region.compute.flavors.get(request.args[0])
    if flavor is None:
        raise Refusal(404, f"Flavor {request.args[0]} could not be found.")
    return flavor


def _page(request: Request) -> Page[Flavor]:
    flavors = [f for f in request.region.compute.flavors.values() if f.is_public]
    for name, figure in (("minRam", "ram"), ("minDisk", "disk")):
        text = request.param(name)
        if text is None:
            continue
        if not text.isdecimal():
            raise Refusal(400, f"Invalid {name} filter [{text}]")
        flavors = [f for f in flavors if getattr(f, figure) >= int(text)]
    key = request.param("sort_key") or "flavorid"
    direction = request.param("sort_dir") or "asc"
    if key not in _SORT_KEYS:
        raise Refusal(400, f"Sort key supplied was not valid: {key}")
    if direction not in ("asc", "desc"):
        raise Refusal(
            400,
            f"Invalid input for query parameters sort_dir. Value: {direction}."
            f" '{direction}' is not one of ['asc', 'desc']",
        )
    flavors.sort(key=_SORT_KEYS[key], reverse=direction == "desc")
    return cut(
        flavors,
        integer_limit(request, request.cloud.behaviour.page_size or 1000),
        request.param("marker"),
        lambda flavor: flavor.id,
        lambda marker: Refusal(400, f"marker [{marker}] not found"),
    )


def _reply(request: Request, page: Page[Flavor], documents: list[Document]) -> Reply:
    body: Document = {"flavors": documents}
    if page.full:
        query = request.query_with("marker", page.items[-1].id)
        body["flavors_links"] = [{"rel": "next", "href": f"{request.root}{request.path}?{query}"}]
    return json_reply(body)
