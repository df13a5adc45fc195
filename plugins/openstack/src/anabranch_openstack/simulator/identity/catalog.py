"""The catalog of services, and tokens as documents."""

from __future__ import annotations

import uuid

from anabranch_openstack.simulator.identity.records import Domain, Token
from anabranch_openstack.simulator.wire import Document, Request, precise_time

__all__ = ["catalog", "token_document"]

_SERVICES = (
    # type, name, path; {project} stands for the project of the token
    ("identity", "keystone", "/identity/v3"),
    ("compute", "nova", "/compute/v2.1"),
    ("image", "glance", "/image"),
    ("network", "neutron", "/network"),
    ("block-storage", "cinder", "/volume/v3"),
    ("volumev3", "cinderv3", "/volume/v3/{project}"),
    ("load-balancer", "octavia", "/load-balancer"),
    ("object-store", "swift", "/object/v1/AUTH_{project}"),
    ("metric", "gnocchi", "/metric"),
)


def token_document(request: Request, token: Token, *, with_catalog: bool) -> Document:
    """A token as keystone shows it, without its id."""
    user = token.user
    document: Document = {
        "methods": token.methods,
        "user": {
            "domain": _domain(user.domain),
            "id": user.id,
            "name": user.name,
            "password_expires_at": None,
        },
        "audit_ids": token.audit_ids,
        "expires_at": f"{precise_time(token.expires_at)}Z",
        "issued_at": f"{precise_time(token.issued_at)}Z",
    }
    if token.domain is not None:
        document["domain"] = _domain(token.domain)
    if token.project is not None:
        document["project"] = {
            "domain": _domain(token.project.domain),
            "id": token.project.id,
            "name": token.project.name,
        }
        document["is_domain"] = False
    if token.roles:
        ids = request.cloud.identity.role_ids
        document["roles"] = [{"id": ids[name], "name": name} for name in token.roles]
        if with_catalog:
            document["catalog"] = catalog(request, token)
    if token.credential is not None:
        document["application_credential"] = {
            "id": token.credential.id,
            "name": token.credential.name,
            "restricted": not token.credential.unrestricted,
        }
    return document


def catalog(request: Request, token: Token) -> list[Document]:
    """The services of all regions, at the host name under which they were asked for."""
    regions = request.cloud.regions
    services: list[Document] = []
    for kind, name, path in _SERVICES:
        if kind in request.cloud.without:
            continue
        below = path.replace("{project}", token.project_id)
        endpoints: list[Document] = []
        for region in regions.values():
            # Identity is one for all regions; the other services have a path of their own in each.
            url = request.host + ("" if kind == "identity" else region.prefix) + below
            endpoints += [
                {
                    "id": _id(region.name, kind, interface),
                    "interface": interface,
                    "region_id": region.name,
                    "url": url,
                    "region": region.name,
                }
                for interface in region.interfaces
            ]
        services.append({"endpoints": endpoints, "id": _id(kind), "type": kind, "name": name})
    return services


def _domain(domain: Domain) -> Document:
    return {"id": domain.id, "name": domain.name}


def _id(*parts: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts)).hex
