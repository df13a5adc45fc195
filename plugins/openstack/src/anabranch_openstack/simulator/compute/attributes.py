"""Metadata and tags of a server, its addresses and its security groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from urllib.parse import quote

from anabranch_openstack.simulator.compute.creation import check_tags
from anabranch_openstack.simulator.compute.documents import addresses
from anabranch_openstack.simulator.compute.lifecycle import check_lock, check_state
from anabranch_openstack.simulator.compute.records import Server
from anabranch_openstack.simulator.compute.servers import own_server
from anabranch_openstack.simulator.compute.validation import check_strings
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import Document, Refusal, Reply, Request, json_reply

__all__ = ["routes"]

routes = Routes()

_METADATA = "/v2.1/servers/{server_id}/metadata"
_TAGS = "/v2.1/servers/{server_id}/tags"
_CHANGEABLE = ("active", "paused", "suspended", "stopped")


@routes.on("GET", _METADATA, policy="os_compute_api:server-metadata:index")
def list_metadata(request: Request) -> Reply:
    """All of it."""
    return json_reply({"metadata": own_server(request).metadata})


@routes.on("POST", _METADATA, policy="os_compute_api:server-metadata:create")
def merge_metadata(request: Request) -> Reply:
    """Add to it."""
    return _change(request, lambda server, given: {**server.metadata, **given})


@routes.on("PUT", _METADATA, policy="os_compute_api:server-metadata:update_all")
def replace_metadata(request: Request) -> Reply:
    """Replace all of it."""
    return _change(request, lambda _, given: given)


@routes.on("GET", _METADATA + "/{key}", policy="os_compute_api:server-metadata:show")
def show_metadata(request: Request) -> Reply:
    """One item."""
    server, key = own_server(request), request.args[1]
    return json_reply({"meta": {key: _item(server, key)}})


@routes.on("PUT", _METADATA + "/{key}", policy="os_compute_api:server-metadata:update")
def set_metadata(request: Request) -> Reply:
    """Set one item."""
    server, key = own_server(request), request.args[1]
    given = check_strings(request.wants("meta"))
    if list(given) != [key]:
        raise Refusal(400, "Request body and URI mismatch")
    _store(request, server, {**server.metadata, **given})
    return json_reply({"meta": given})


@routes.on("DELETE", _METADATA + "/{key}", policy="os_compute_api:server-metadata:delete")
def delete_metadata(request: Request) -> Reply:
    """Remove one item."""
    server, key = own_server(request), request.args[1]
    _item(server, key)
    _store(request, server, {k: v for k, v in server.metadata.items() if k != key})
    return Reply(status=204)


@routes.on("GET", _TAGS, policy="os_compute_api:os-server-tags:index", since=26)
def list_tags(request: Request) -> Reply:
    """All tags."""
    return json_reply({"tags": own_server(request).tags})


@routes.on("PUT", _TAGS, policy="os_compute_api:os-server-tags:update_all", since=26)
def replace_tags(request: Request) -> Reply:
    """Replace all tags."""
    server = own_server(request)
    try:
        body = request.json()
    except ValueError as error:
        raise Refusal(400, "Malformed request body") from error
    if not isinstance(body, dict) or "tags" not in body:
        raise Refusal(400, "'tags' is a required property")
    _tag(request, server, check_tags(cast("Document", body)["tags"]))
    return json_reply({"tags": server.tags})


@routes.on("DELETE", _TAGS, policy="os_compute_api:os-server-tags:delete_all", since=26)
def delete_tags(request: Request) -> Reply:
    """Remove all tags."""
    _tag(request, own_server(request), [])
    return Reply(status=204)


@routes.on("GET", _TAGS + "/{tag}", policy="os_compute_api:os-server-tags:show", since=26)
def check_tag(request: Request) -> Reply:
    """Whether a server has a tag."""
    server, tag = own_server(request), request.args[1]
    if tag not in server.tags:
        raise Refusal(404, f"Server {server.id} has no tag '{tag}'")
    return Reply(status=204)


@routes.on("PUT", _TAGS + "/{tag}", policy="os_compute_api:os-server-tags:update", since=26)
def add_tag(request: Request) -> Reply:
    """Add one tag."""
    server, tag = own_server(request), request.args[1]
    if tag in server.tags:
        return Reply(status=204, content_type="text/html; charset=UTF-8")
    _tag(request, server, [*server.tags, *check_tags([tag])])
    location = f"{request.root}/v2.1/servers/{server.id}/tags/{quote(tag)}"
    return Reply(
        status=201, content_type="text/html; charset=UTF-8", headers=[("location", location)]
    )


@routes.on("DELETE", _TAGS + "/{tag}", policy="os_compute_api:os-server-tags:delete", since=26)
def delete_tag(request: Request) -> Reply:
    """Remove one tag."""
    server, tag = own_server(request), request.args[1]
    if tag not in server.tags:
        raise Refusal(404, f"Instance {server.id} has no tag '{tag}'")
    _tag(request, server, [t for t in server.tags if t != tag])
    return Reply(status=204)


@routes.on("GET", "/v2.1/servers/{server_id}/ips", policy="os_compute_api:ips:index")
def list_addresses(request: Request) -> Reply:
    """The addresses by the name of the network."""
    return json_reply({"addresses": addresses(own_server(request).nics, plain=True)})


@routes.on("GET", "/v2.1/servers/{server_id}/ips/{network}", policy="os_compute_api:ips:show")
def show_addresses(request: Request) -> Reply:
    """The addresses in one network."""
    networks = addresses(own_server(request).nics, plain=True)
    if request.args[1] not in networks:
        raise Refusal(404, "Instance is not a member of specified network")
    return json_reply({request.args[1]: networks[request.args[1]]})


@routes.on(
    "GET",
    "/v2.1/servers/{server_id}/os-security-groups",
    policy="os_compute_api:os-security-groups:list",
)
def list_security_groups(request: Request) -> Reply:
    """The security groups of a server, in nova's old shape."""
    server = own_server(request)
    groups = [
        request.region.networks.find_group(name, server.project_id)
        for name in server.security_groups
    ]
    documents: list[Document] = [
        {
            "id": group["id"],
            "description": group["description"],
            "name": group["name"],
            "tenant_id": group["project_id"],
            "rules": [],
        }
        for group in groups
        if group is not None
    ]
    return json_reply({"security_groups": documents})


def _change(request: Request, combine: Callable[[Server, dict[str, str]], dict[str, str]]) -> Reply:
    server = own_server(request)
    given = check_strings(request.wants("metadata"))
    _store(request, server, combine(server, given))
    return json_reply({"metadata": server.metadata})


def _store(request: Request, server: Server, metadata: dict[str, str]) -> None:
    check_lock(request, server)
    check_state(server, "update metadata", _CHANGEABLE, ())
    if len(metadata) > 128:
        raise Refusal(403, "Maximum number of metadata items exceeds 128")
    server.metadata = metadata
    request.region.compute.touch(server, request.now)


def _tag(request: Request, server: Server, tags: list[str]) -> None:
    server.tags = tags
    request.region.compute.touch(server, request.now)


def _item(server: Server, key: str) -> str:
    if key not in server.metadata:
        raise Refusal(404, "Metadata item was not found")
    return server.metadata[key]
