"""`/servers`: lists, one server, renaming and deleting."""

from __future__ import annotations

import msgspec

from anabranch_openstack.simulator.compute.creation import create
from anabranch_openstack.simulator.compute.documents import (
    server_bytes,
    server_detail,
    server_summary,
)
from anabranch_openstack.simulator.compute.filters import select
from anabranch_openstack.simulator.compute.lifecycle import begin, check_lock
from anabranch_openstack.simulator.compute.records import Server
from anabranch_openstack.simulator.compute.validation import (
    check_known,
    check_name,
    check_string,
)
from anabranch_openstack.simulator.paging import Page, cut, integer_limit
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import Refusal, Reply, Request, json_reply

__all__ = ["own_server", "routes"]

routes = Routes()
routes.on("POST", "/v2.1/servers", policy="os_compute_api:servers:create")(create)

_encode = msgspec.json.Encoder().encode


def own_server(request: Request) -> Server:
    """The server whose id is in the path.

    Raises:
        Refusal: The project has none of that id.
    """
    server = request.region.compute.servers.get(request.args[0])
    if server is None or server.project_id != request.token.project_id:
        raise Refusal(404, f"Instance {request.args[0]} could not be found.")
    return server


@routes.on("GET", "/v2.1/servers", policy="os_compute_api:servers:index")
def list_servers(request: Request) -> Reply:
    """Ids and names."""
    page = _page(request)
    return _reply(request, page, [_encode(server_summary(request, s)) for s in page.items])


@routes.on("GET", "/v2.1/servers/detail", policy="os_compute_api:servers:detail")
def list_server_details(request: Request) -> Reply:
    """Everything."""
    page = _page(request)
    return _reply(request, page, [server_bytes(request, s, one=False) for s in page.items])


@routes.on("GET", "/v2.1/servers/{server_id}", policy="os_compute_api:servers:show")
def show_server(request: Request) -> Reply:
    """One server."""
    return Reply(body=b'{"server":%b}' % server_bytes(request, own_server(request), one=True))


@routes.on("PUT", "/v2.1/servers/{server_id}", policy="os_compute_api:servers:update")
def update_server(request: Request) -> Reply:
    """A new name, description, host name or access address."""
    server = own_server(request)
    wanted = request.wants("server")
    known = {"name", "accessIPv4", "accessIPv6", "OS-DCF:diskConfig"}
    if request.version >= 19:
        known.add("description")
    if request.version >= 90:
        known.add("hostname")
    check_known("server", wanted, known)
    if "name" in wanted:
        server.name = check_name("name", wanted["name"])
    if "description" in wanted:
        value = wanted["description"]
        server.description = None if value is None else check_string("description", value)
    if "hostname" in wanted:
        server.hostname = check_name("hostname", wanted["hostname"])
    server.access_ipv4 = str(wanted.get("accessIPv4", server.access_ipv4) or "")
    server.access_ipv6 = str(wanted.get("accessIPv6", server.access_ipv6) or "")
    if "OS-DCF:diskConfig" in wanted:
        server.disk_config = str(wanted["OS-DCF:diskConfig"])
    request.region.compute.touch(server, request.now)
    return json_reply({"server": server_detail(request, server, one=True, after_change=True)})


@routes.on("DELETE", "/v2.1/servers/{server_id}", policy="os_compute_api:servers:delete")
def delete_server(request: Request) -> Reply:
    """Delete, in whatever state the server is."""
    server = own_server(request)
    check_lock(request, server)
    region = request.region
    ends = request.now + request.cloud.behaviour.state_delay

    def gone(server: Server) -> None:
        region.volumes.release(server.id)
        region.networks.release(server.id)
        region.compute.remove(server, ends)

    if server.task_state != "deleting":
        begin(request, server, [(server.vm_state, "deleting")], "deleted", gone)
    return Reply(status=204)


def _page(request: Request) -> Page[Server]:
    behaviour = request.cloud.behaviour
    limit = integer_limit(request, behaviour.page_size or 1000)
    return cut(
        select(request),
        limit,
        request.param("marker"),
        lambda server: server.id,
        lambda marker: Refusal(400, f"marker [{marker}] not found"),
    )


def _reply(request: Request, page: Page[Server], encoded: list[bytes]) -> Reply:
    body = b'{"servers":[' + b",".join(encoded) + b"]"
    if page.full:
        query = request.query_with("marker", page.items[-1].id)
        link = {"rel": "next", "href": f"{request.root}{request.path}?{query}"}
        body += b',"servers_links":' + _encode([link])
    return Reply(body=body + b"}")
