"""Keystone v3: what a login asks, and what it gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from anabranch.cloud import Cloud, Response, Token
from anabranch.errors import (
    AuthenticationError,
    CloudError,
    InvalidRequest,
    ProtocolError,
)
from anabranch.redaction import SecretStr
from anabranch_openstack.catalog import CatalogService
from anabranch_openstack.replies import decoded, failure, request_id
from anabranch_openstack.settings import AuthSettings, OpenStackSettings

__all__ = ["Access", "Named", "keystone_url", "log_in", "login_body"]


class Named(msgspec.Struct, frozen=True):
    """A user or a project."""

    id: str = ""
    name: str = ""


class Access(msgspec.Struct, frozen=True):
    """What a token gives access to: the body of keystone's answer."""

    user: Named = Named()
    project: Named | None = None
    catalog: Sequence[CatalogService] | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def lifetime(self) -> float | None:
        """Seconds that it is good for, by keystone's clock."""
        if self.issued_at is None or self.expires_at is None:
            return None
        return max(0.0, (self.expires_at - self.issued_at).total_seconds())


class _Answer(msgspec.Struct, frozen=True):
    token: Access


class _Projects(msgspec.Struct, frozen=True):
    projects: Sequence[Named] = ()


_ANSWER: Final = msgspec.json.Decoder(_Answer)
_PROJECTS: Final = msgspec.json.Decoder(_Projects)
_VERSION: Final = re.compile(r"/v(?:3|2\.0)$")
_REMEDY: Final = {
    "password": "Check user, password, project and their domains: it does not tell which is wrong",
    "application_credential": "Check its id and secret, and whether it has expired",
    "token": "Get a new token",
}


def keystone_url(auth_url: str) -> str:
    """Return the base URL of keystone's API v3, whichever form of it is configured."""
    return _VERSION.sub("", auth_url.rstrip("/")) + "/v3"


def login_body(settings: OpenStackSettings) -> dict[str, Any]:
    """Return the body of the login. It holds the secret in the clear."""
    auth = settings.auth
    if settings.auth_type == "application_credential":
        # It carries its project: keystone refuses a scope beside it.
        return {"auth": {"identity": _application_credential(auth)}}
    if settings.auth_type == "token":
        identity: dict[str, Any] = {"methods": ["token"], "token": {"id": _plain(auth.token)}}
    else:
        user = {**_user(auth), "password": _plain(auth.password)}
        identity = {"methods": ["password"], "password": {"user": user}}
    scope = _scope(auth)
    return {"auth": {"identity": identity, **({"scope": scope} if scope else {})}}


async def log_in(cloud: Cloud[OpenStackSettings]) -> Token:
    """Get a token and, with it, the catalog.

    Raises:
        AuthenticationError: keystone refuses the credentials.
        InvalidRequest: the token is for no project, and so of no use.
        ProtocolError: whatever answers there, it is not keystone.
    """
    settings = cloud.settings
    url = keystone_url(settings.auth.auth_url)
    reply = await cloud.http.request(
        "POST",
        f"{url}/auth/tokens",
        headers={"content-type": "application/json", "accept": "application/json"},
        content=msgspec.json.encode(login_body(settings)),
        idempotent=True,
    )
    if reply.status != 201:
        raise _refusal(reply, settings)
    access = decoded(reply, _ANSWER).token
    subject = reply.headers.get("x-subject-token")
    if not subject:
        raise ProtocolError(f"keystone at {url} sent no token", request_id=request_id(reply))
    token = Token(value=SecretStr(subject), lifetime=access.lifetime, data=access)
    if not access.catalog and not settings.auth.system_scope:
        raise await _no_project(cloud, url, token)
    cloud.log.debug("openstack.login", lifetime=access.lifetime)
    return token


def _refusal(reply: Response, settings: OpenStackSettings) -> CloudError:
    auth = settings.auth
    sent = (auth.password, auth.token, auth.application_credential_secret)
    error = failure(reply, hide=[s.get_secret_value() for s in sent if s])
    if reply.status == 401:
        if reply.headers.get("openstack-auth-receipt"):
            error.message = "keystone asks for a second factor, which this driver cannot give"
            error.remedy = "Use an application credential"
        else:
            error.remedy = _REMEDY[settings.auth_type or "password"]
        return error
    if reply.status in (404, 405) or reply.status < 400:
        return ProtocolError(
            f"no keystone v3 answers at {keystone_url(auth.auth_url)} (status {reply.status})",
            remedy="Correct auth.auth_url",
        )
    return error


async def _no_project(cloud: Cloud[OpenStackSettings], url: str, token: Token) -> CloudError:
    headers = {"x-auth-token": token.value.get_secret_value()}
    reply = await cloud.http.request("GET", f"{url}/auth/projects", headers=headers)
    if reply.status != 200:
        return AuthenticationError("the login gives access to nothing", remedy="Set a project")
    names = sorted(p.name or p.id for p in decoded(reply, _PROJECTS).projects)
    if not names:
        return AuthenticationError("the user may work in no project")
    return InvalidRequest(
        "no project is configured",
        remedy=f"Set auth.project_name, to one of: {', '.join(names)}",
    )


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _domain(name: str | None, ident: str | None, auth: AuthSettings) -> dict[str, str]:
    """Choose as openstackclient does: the own one, the default one, the id `default`."""
    if ident:
        return {"id": ident}
    if name:
        return {"name": name}
    if auth.default_domain_id or not auth.default_domain_name:
        return {"id": auth.default_domain_id or "default"}
    return {"name": auth.default_domain_name}


def _user(auth: AuthSettings) -> dict[str, Any]:
    if auth.user_id:
        return {"id": auth.user_id}
    domain = _domain(auth.user_domain_name, auth.user_domain_id, auth)
    return {"name": auth.username, "domain": domain}


def _application_credential(auth: AuthSettings) -> dict[str, Any]:
    method = "application_credential"
    secret = _plain(auth.application_credential_secret)
    if auth.application_credential_id:
        return {
            "methods": [method],
            method: {"id": auth.application_credential_id, "secret": secret},
        }
    named = {"name": auth.application_credential_name, "secret": secret, "user": _user(auth)}
    return {"methods": [method], method: named}


def _scope(auth: AuthSettings) -> dict[str, Any] | None:
    """None: that of the user's default project."""
    if auth.project_id:
        return {"project": {"id": auth.project_id}}
    if auth.project_name:
        domain = _domain(auth.project_domain_name, auth.project_domain_id, auth)
        return {"project": {"name": auth.project_name, "domain": domain}}
    if auth.system_scope:
        return {"system": {"all": True}}
    if auth.domain_id or auth.domain_name:
        return {"domain": {"id": auth.domain_id} if auth.domain_id else {"name": auth.domain_name}}
    return None
