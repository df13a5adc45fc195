"""Logging in: `POST /v3/auth/tokens`."""

from __future__ import annotations

import hmac
import secrets
from typing import NamedTuple, cast

from anabranch_openstack.simulator.identity.records import (
    ApplicationCredential,
    Domain,
    Project,
    Token,
    User,
)
from anabranch_openstack.simulator.service import UNAUTHENTICATED
from anabranch_openstack.simulator.wire import Document, Refusal, Request, is_list

__all__ = ["log_in"]

_MALFORMED = (
    " The server could not comply with the request since it is either malformed or otherwise"
    " incorrect. The client is assumed to be in error."
)
_METHODS = ("password", "token", "application_credential")


class _Proof(NamedTuple):
    """What the identity part of a login shows."""

    user: User
    methods: list[str]
    credential: ApplicationCredential | None = None
    parent: Token | None = None


def log_in(request: Request) -> Token:
    """Issue the token that a request asks for.

    Raises:
        Refusal: The body is malformed, or the secret is wrong.
    """
    directory = request.cloud.identity
    try:
        token = _token(request)
    except Refusal:
        directory.refused += 1
        raise
    if token.methods[-1] != "token":
        directory.logins += 1
    directory.remember(token)
    return token


def _token(request: Request) -> Token:
    try:
        body = request.json()
    except ValueError as error:
        raise _expecting("valid JSON", "request body") from error
    auth = _part(body, "auth", "request body")
    if "identity" not in auth:
        raise Refusal(400, "'identity' is a required property\n\nFailed validating 'required'")
    identity = _part(auth, "identity", "auth")
    proof = _prove(request, identity)
    scope = auth.get("scope")
    if proof.credential is not None and scope is not None:
        raise Refusal(
            401,
            "Error authenticating with application credential:"
            " Application credentials cannot request a scope.",
        )
    directory = request.cloud.identity
    token = Token(
        id=directory.token_id(),
        user=proof.user,
        methods=proof.methods,
        issued_at=request.now,
        expires_at=request.now + directory.token_ttl,
        audit_ids=[secrets.token_urlsafe(16)],
        credential=proof.credential,
    )
    if proof.parent is not None:
        token.expires_at = proof.parent.expires_at  # a new scope is no new life
        token.audit_ids.append(proof.parent.audit_ids[0])
    _set_scope(request, token, scope)
    return token


def _prove(request: Request, identity: Document) -> _Proof:
    methods = identity.get("methods")
    if not is_list(methods) or not methods:
        raise Refusal(400, "'methods' is a required property\n\nFailed validating 'required'")
    names = [str(name) for name in methods]
    for name in names:
        if name not in identity:
            raise _expecting(name, "identity")
        if name not in _METHODS:
            raise Refusal(401, UNAUTHENTICATED)
    proof: _Proof | None = None
    for name in names:
        part = _part(identity, name, "identity")
        if name == "password":
            proof = _by_password(request, part, names)
        elif name == "token":
            proof = _by_token(request, part)
        else:
            proof = _by_credential(request, part, names)
    if proof is None:
        raise Refusal(401, UNAUTHENTICATED)
    return proof


def _by_password(request: Request, part: Document, methods: list[str]) -> _Proof:
    wanted = _part(part, "user", "password")
    user = _find_user(request, wanted)
    if user is None or not _same(wanted.get("password"), user.password):
        raise Refusal(401, UNAUTHENTICATED)
    return _Proof(user, methods)


def _by_token(request: Request, part: Document) -> _Proof:
    token = request.cloud.identity.valid_token(str(part.get("id")), request.now)
    if token is None:
        raise Refusal(404, "Could not recognize Fernet token")
    return _Proof(token.user, [*dict.fromkeys([*token.methods, "token"])], parent=token)


def _by_credential(request: Request, part: Document, methods: list[str]) -> _Proof:
    credentials = request.cloud.identity.credentials
    if "id" in part:
        credential = credentials.get(str(part["id"]))
        if credential is None:
            raise Refusal(404, f"Could not find Application Credential: {part['id']}.")
    else:
        user = _find_user(request, _part(part, "user", "application_credential"))
        credential = next(
            (c for c in credentials.values() if c.user is user and c.name == part.get("name")),
            None,
        )
    over = credential is not None and 0 < (credential.expires_at or 0) <= request.now
    if credential is None or over or not _same(part.get("secret"), credential.secret):
        raise Refusal(401, UNAUTHENTICATED)
    return _Proof(credential.user, methods, credential=credential)


def _find_user(request: Request, wanted: Document) -> User | None:
    directory = request.cloud.identity
    if "id" in wanted:
        return directory.users.get(str(wanted["id"]))
    if "name" not in wanted:
        raise _expecting("id or name", "user")
    domain = _find_domain(request, wanted, "user")
    return next(
        (u for u in directory.users.values() if u.name == wanted["name"] and u.domain is domain),
        None,
    )


def _find_domain(request: Request, owner: Document, where: str) -> Domain | None:
    domains = request.cloud.identity.domains
    wanted = _part(owner, "domain", where)
    if "id" in wanted:
        return domains.get(str(wanted["id"]))
    return next((d for d in domains.values() if d.name == wanted.get("name")), None)


def _find_project(request: Request, wanted: Document) -> Project | None:
    projects = request.cloud.identity.projects
    if "id" in wanted:
        return projects.get(str(wanted["id"]))
    domain = _find_domain(request, wanted, "project")
    return next(
        (p for p in projects.values() if p.name == wanted.get("name") and p.domain is domain),
        None,
    )


def _set_scope(request: Request, token: Token, scope: object) -> None:
    if token.credential is not None:
        token.project, token.roles = token.credential.project, token.credential.roles
        return
    roles = token.user.roles
    if scope is None:
        token.project = token.user.default_project
        token.roles = roles.get(token.project_id, ())
        return
    if scope == "unscoped":
        return
    if not isinstance(scope, dict):
        raise _expecting("a scope", "auth")
    wanted = cast("Document", scope)
    if "project" in wanted:
        token.project = _find_project(request, _part(wanted, "project", "scope"))
        token.roles = roles.get(token.project_id, ())
    elif "domain" in wanted:
        token.domain = _find_domain(request, wanted, "scope")
        token.roles = roles.get(token.domain.id if token.domain else "", ())
    if not token.roles:  # unknown project, no role on it, system scope: all the same answer
        raise Refusal(401, UNAUTHENTICATED)


def _same(given: object, secret: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), secret.encode())


def _part(document: object, key: str, where: str) -> Document:
    if not isinstance(document, dict) or key not in document:
        raise _expecting(key, where)
    part = cast("Document", document)[key]
    if not isinstance(part, dict):
        raise Refusal(400, f"{part!r} is not of type 'object'\n\nFailed validating 'type'")
    return cast("Document", part)


def _expecting(what: str, where: str) -> Refusal:
    return Refusal(400, f"Expecting to find {what} in {where}.{_MALFORMED}")
