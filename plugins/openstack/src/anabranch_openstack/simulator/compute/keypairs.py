"""`/os-keypairs`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from anabranch_openstack.simulator.compute.records import Keypair
from anabranch_openstack.simulator.compute.rsa import generate
from anabranch_openstack.simulator.compute.validation import (
    bad_value,
    check_string,
    require,
)
from anabranch_openstack.simulator.paging import Page, cut, integer_limit
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    json_reply,
    precise_time,
)

__all__ = ["fingerprint", "routes"]

routes = Routes()

_NAME = re.compile(r"[_\- a-zA-Z0-9]+")
_ANY_NAME = re.compile(r"[@._\- a-zA-Z0-9]+")


def fingerprint(public_key: str) -> str:
    """The MD5 fingerprint of a public key.

    Raises:
        Refusal: It is none.
    """
    parts = public_key.split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
        size = int.from_bytes(blob[:4], "big")
        good = blob[4 : 4 + size] == parts[0].encode()
    except (IndexError, binascii.Error) as error:
        raise _unreadable() from error
    if not good:
        raise _unreadable()
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, 32, 2))


@routes.on("GET", "/v2.1/os-keypairs", policy="os_compute_api:os-keypairs:index")
def list_keypairs(request: Request) -> Reply:
    """The user's keypairs; paged from 2.35 on."""
    keys = sorted(_own(request).values(), key=lambda k: k.name)
    paged = request.version >= 35
    page = Page(keys, full=False)
    if paged:
        limit = integer_limit(request, request.cloud.behaviour.page_size or 1000)
        marker = request.param("marker")
        page = cut(keys, limit, marker, lambda k: k.name, _no_marker)
    shown = [{"keypair": _summary(request, key)} for key in page.items]
    body: Document = {"keypairs": shown}
    if page.full:
        query = request.query_with("marker", page.items[-1].name)
        body["keypairs_links"] = [{"rel": "next", "href": f"{request.root}{request.path}?{query}"}]
    return json_reply(body)


@routes.on("GET", "/v2.1/os-keypairs/{name}", policy="os_compute_api:os-keypairs:show")
def show_keypair(request: Request) -> Reply:
    """One keypair."""
    key = _find(request)
    document: Document = {
        **_summary(request, key),
        "user_id": request.token.user.id,
        "created_at": precise_time(key.created),
        "deleted": False,
        "deleted_at": None,
        "id": key.number,
        "updated_at": None,
    }
    return json_reply({"keypair": document})


@routes.on("POST", "/v2.1/os-keypairs", policy="os_compute_api:os-keypairs:create")
def create_keypair(request: Request) -> Reply:
    """Import a public key; below 2.92 also generate a pair."""
    wanted = request.wants("keypair")
    require("keypair", wanted, "name")
    name = check_string("name", wanted["name"])
    allowed = _ANY_NAME if request.version >= 92 else _NAME
    if not allowed.fullmatch(name):
        shape = f"^[{'@._' if request.version >= 92 else '_'}\\\\- a-zA-Z0-9]+$"
        raise bad_value("name", name, f"'{name}' does not match '{shape}'")
    kind = wanted.get("type", "ssh")
    if kind not in ("ssh", "x509"):
        raise bad_value("type", kind, f"'{kind}' is not one of ['ssh', 'x509']")
    if request.version >= 92:
        require("keypair", wanted, "public_key")
    keys = _own(request)
    private = None
    if "public_key" in wanted:
        public = check_string("public_key", wanted["public_key"], 16384)
        print_ = fingerprint(public)
    else:
        pair = generate("Generated-by-Nova")
        public, private, print_ = pair.public, pair.private, fingerprint(pair.public)
    if name in keys:
        raise Refusal(409, f"Key pair '{name}' already exists.")
    if 0 <= request.region.compute.quota(request.token.project_id).key_pairs <= len(keys):
        raise Refusal(403, "Quota exceeded, too many key pairs.")
    key = Keypair(
        number=len(keys) + 1,
        name=name,
        public_key=public,
        fingerprint=print_,
        created=request.now,
        type=kind,
    )
    keys[name] = key
    document: Document = {**_summary(request, key), "user_id": request.token.user.id}
    if private is not None:
        document["private_key"] = private
    return json_reply({"keypair": document}, 201 if request.version >= 2 else 200)


@routes.on("DELETE", "/v2.1/os-keypairs/{name}", policy="os_compute_api:os-keypairs:delete")
def delete_keypair(request: Request) -> Reply:
    """Forget a keypair."""
    del _own(request)[_find(request).name]
    return Reply(status=204 if request.version >= 2 else 202)


def _own(request: Request) -> dict[str, Keypair]:
    return request.region.compute.keys_of(request.token.user.id)


def _find(request: Request) -> Keypair:
    name = request.args[0]
    key = _own(request).get(name)
    if key is None:
        raise Refusal(404, f"Keypair {name} not found for user {request.token.user.id}")
    return key


def _summary(request: Request, key: Keypair) -> Document:
    document: Document = {
        "name": key.name,
        "public_key": key.public_key,
        "fingerprint": key.fingerprint,
    }
    if request.version >= 2:
        document["type"] = key.type
    return document


def _no_marker(marker: str) -> Refusal:
    return Refusal(400, f"Marker {marker} could not be found.")


def _unreadable() -> Refusal:
    return Refusal(400, "Keypair data is invalid: failed to generate fingerprint")
