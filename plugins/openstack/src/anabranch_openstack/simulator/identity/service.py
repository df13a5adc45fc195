"""Keystone's HTTP interface."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from typing import Any, cast

from anabranch_openstack.simulator.identity.catalog import catalog, token_document
from anabranch_openstack.simulator.identity.login import log_in
from anabranch_openstack.simulator.identity.records import (
    ApplicationCredential,
    Project,
    Token,
)
from anabranch_openstack.simulator.routing import Route, Routes
from anabranch_openstack.simulator.service import Service, keystone_error
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    json_reply,
    precise_time,
)

__all__ = ["Identity"]

routes = Routes()


class Identity(Service):
    """Keystone v3."""

    def __init__(self) -> None:
        super().__init__("/identity", routes)

    def open(self, request: Request, segments: list[str]) -> Reply | None:
        """Versions, and logging in."""
        if segments == [""] and request.method == "GET":
            versions = {"versions": {"values": [_version(request)]}}
            return json_reply(versions, 300, location=f"{request.root}/v3/")
        if segments == ["v3"] and request.method == "GET":
            return json_reply({"version": _version(request)})
        if segments == ["v3", "auth", "tokens"] and request.method == "POST":
            token = log_in(request)
            with_catalog = request.param("nocatalog") is None
            document = token_document(request, token, with_catalog=with_catalog)
            return json_reply({"token": document}, 201, x_subject_token=token.id)
        if self._routes.find(request.method, segments) is None:
            return self.missing(request, segments)
        return None

    def authorize(self, request: Request, route: Route) -> None:
        """Everybody may do to himself what keystone does here."""

    def refuse(self, request: Request, refusal: Refusal) -> Reply:
        """Write a refusal."""
        return keystone_error(request, refusal)

    def missing(self, request: Request, segments: list[str]) -> Reply:
        """Flask's replies to unknown paths and methods."""
        if self._routes.knows(segments):
            message = {"message": "The method is not allowed for the requested URL."}
            return json_reply(message, 405)
        page = (
            "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
            "<p>The requested URL was not found on the server. If you entered the URL manually"
            " please check your spelling and try again.</p>\n"
        )
        return Reply(status=404, body=page.encode(), content_type="text/html; charset=utf-8")

    def stamp(self, request: Request, reply: Reply) -> None:
        """Add the headers that are on everything."""
        super().stamp(request, reply)
        reply.headers.append(("vary", "X-Auth-Token"))


def _version(request: Request) -> Document:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{request.root}/v3/"}],
        "media-types": [
            {
                "base": "application/json",
                "type": "application/vnd.openstack.identity-v3+json",
            }
        ],
    }


def _listing(request: Request, name: str, items: list[Document]) -> Reply:
    links = {"next": None, "self": request.root + request.path, "previous": None}
    return json_reply({name: items, "links": links})


def _subject(request: Request, policy: str) -> Token:
    token_id = request.header(b"x-subject-token")
    if not token_id:
        raise _forbidden(policy)
    token = request.cloud.identity.valid_token(token_id, request.now)
    if token is None:
        raise Refusal(404, "Could not recognize Fernet token")
    if token.user is not request.token.user and "admin" not in request.token.roles:
        raise _forbidden(policy)
    return token


def _forbidden(policy: str) -> Refusal:
    return Refusal(
        403, f"You are not authorized to perform the requested action: identity:{policy}."
    )


@routes.on("GET", "/v3/auth/tokens")
def show_token(request: Request) -> Reply:
    """What a token stands for."""
    token = _subject(request, "validate_token")
    with_catalog = request.param("nocatalog") is None
    document = token_document(request, token, with_catalog=with_catalog)
    return json_reply({"token": document}, x_subject_token=token.id)


@routes.on("HEAD", "/v3/auth/tokens")
def check_token(request: Request) -> Reply:
    """Whether a token is good."""
    return Reply(headers=[("x-subject-token", _subject(request, "check_token").id)])


@routes.on("DELETE", "/v3/auth/tokens")
def revoke_token(request: Request) -> Reply:
    """Make a token worthless."""
    request.cloud.identity.revoke(_subject(request, "revoke_token").id)
    return Reply(status=204)


@routes.on("GET", "/v3/auth/catalog")
def show_catalog(request: Request) -> Reply:
    """The catalog alone."""
    links = {"self": f"{request.root}/v3/auth/catalog"}
    return json_reply({"catalog": catalog(request, request.token), "links": links})


@routes.on("GET", "/v3/auth/projects")
def list_own_projects(request: Request) -> Reply:
    """The projects in which the user has a role."""
    roles = request.token.user.roles
    mine = [p for p in request.cloud.identity.projects.values() if p.id in roles]
    return _listing(request, "projects", [_project(request, p) for p in mine])


@routes.on("GET", "/v3/auth/domains")
def list_own_domains(request: Request) -> Reply:
    """The domains in which the user has a role."""
    roles = request.token.user.roles
    mine = [d for d in request.cloud.identity.domains.values() if d.id in roles]
    documents: list[Document] = [
        {"id": d.id, "name": d.name, "enabled": True, "description": "", "options": {}, "tags": []}
        for d in mine
    ]
    return _listing(request, "domains", documents)


@routes.on("GET", "/v3/auth/system")
def list_own_systems(request: Request) -> Reply:
    """Nobody here has a role on the system."""
    return json_reply({"system": [], "links": {"self": f"{request.root}/v3/auth/system"}})


@routes.on("GET", "/v3/projects/{project_id}")
def show_project(request: Request) -> Reply:
    """A project of the user's."""
    project = request.cloud.identity.projects.get(request.args[0])
    if project is None or project.id not in request.token.user.roles:
        raise _forbidden("get_project")
    return json_reply({"project": _project(request, project)})


@routes.on("GET", "/v3/projects")
def list_projects(request: Request) -> Reply:
    """For administrators only."""
    if "admin" not in request.token.roles:
        raise _forbidden("list_projects")
    projects = request.cloud.identity.projects.values()
    return _listing(request, "projects", [_project(request, p) for p in projects])


@routes.on("GET", "/v3/regions")
def list_regions(request: Request) -> Reply:
    """The regions."""
    documents: list[Document] = [
        {
            "id": name,
            "description": "",
            "parent_region_id": None,
            "links": {"self": f"{request.root}/v3/regions/{name}"},
        }
        for name in request.cloud.regions
    ]
    return _listing(request, "regions", documents)


@routes.on("GET", "/v3/users/{user_id}")
def show_user(request: Request) -> Reply:
    """The user himself."""
    user = request.token.user
    if request.args[0] != user.id:
        raise _forbidden("get_user")
    document: Document = {
        "id": user.id,
        "name": user.name,
        "domain_id": user.domain.id,
        "enabled": True,
        "default_project_id": user.default_project.id if user.default_project else None,
        "password_expires_at": None,
        "options": {},
        "links": {"self": f"{request.root}/v3/users/{user.id}"},
    }
    return json_reply({"user": document})


@routes.on("GET", "/v3/users/{user_id}/application_credentials")
def list_credentials(request: Request) -> Reply:
    """The user's application credentials, without their secrets."""
    mine = [c for c in request.cloud.identity.credentials.values() if c.user.id == _own(request)]
    return _listing(request, "application_credentials", [_credential(request, c) for c in mine])


@routes.on("POST", "/v3/users/{user_id}/application_credentials")
def create_credential(request: Request) -> Reply:
    """Make a secret that stands for the user in the token's project."""
    _own(request)
    token = request.token
    wanted = request.wants("application_credential")
    if token.project is None or (token.credential and not token.credential.unrestricted):
        raise _forbidden("create_application_credential")
    if not isinstance(wanted.get("name"), str):
        raise Refusal(400, "'name' is a required property\n\nFailed validating 'required'")
    credentials = request.cloud.identity.credentials
    if any(c.user is token.user and c.name == wanted["name"] for c in credentials.values()):
        raise Refusal(
            409,
            "Conflict occurred attempting to store application_credential - Duplicate entry found"
            f" with name {wanted['name']}.",
        )
    names = cast("list[dict[str, Any]] | None", wanted.get("roles"))
    credential = ApplicationCredential(
        id=uuid.uuid4().hex,
        name=wanted["name"],
        secret=str(wanted.get("secret") or secrets.token_urlsafe(64)),
        user=token.user,
        project=token.project,
        roles=tuple(r["name"] for r in names if r.get("name") in token.roles)
        if names
        else token.roles,
        expires_at=_moment(wanted.get("expires_at")),
        unrestricted=bool(wanted.get("unrestricted")),
        description=wanted.get("description"),
    )
    credentials[credential.id] = credential
    document = {**_credential(request, credential), "secret": credential.secret}
    return json_reply({"application_credential": document}, 201)


@routes.on("DELETE", "/v3/users/{user_id}/application_credentials/{credential_id}")
def delete_credential(request: Request) -> Reply:
    """Forget an application credential."""
    _own(request)
    if request.cloud.identity.credentials.pop(request.args[1], None) is None:
        raise Refusal(404, f"Could not find Application Credential: {request.args[1]}.")
    return Reply(status=204)


def _own(request: Request) -> str:
    if request.args[0] != request.token.user.id:
        raise _forbidden("list_application_credentials")
    return request.args[0]


def _project(request: Request, project: Project) -> Document:
    return {
        "id": project.id,
        "name": project.name,
        "domain_id": project.domain.id,
        "description": "",
        "enabled": True,
        "parent_id": project.domain.id,
        "is_domain": False,
        "tags": [],
        "options": {},
        "links": {"self": f"{request.root}/v3/projects/{project.id}"},
    }


def _credential(request: Request, credential: ApplicationCredential) -> Document:
    ids = request.cloud.identity.role_ids
    return {
        "id": credential.id,
        "name": credential.name,
        "description": credential.description,
        "user_id": credential.user.id,
        "project_id": credential.project.id,
        "system": None,
        "expires_at": precise_time(credential.expires_at),
        "unrestricted": credential.unrestricted or None,
        "roles": [
            {"id": ids[r], "name": r, "domain_id": None, "description": None, "options": {}}
            for r in credential.roles
        ],
        "links": {"self": f"{request.root}/v3/application_credentials/{credential.id}"},
    }


def _moment(text: object) -> float | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Refusal(400, f"Invalid input for field 'expires_at': {text!r}") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
