"""A platform for the frozen driver to speak to. It may be changed; the driver may not."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from anabranch.testing import serve

PASSWORD = "hunter2"
HEADERS = {"x-request-id": "req-7"}


def _error(status: int, code: str, message: str, **fields: str) -> Response:
    document = {"code": code, "message": message, **fields}
    return JSONResponse(document, status, headers=HEADERS)


class Platform:
    """Three machines, one of which cannot be read, three images; one token at a time."""

    name = "frozen"

    def __init__(self) -> None:
        self.vms: dict[str, dict[str, Any]] = {}
        for number, state in enumerate(("on", "off", "gone wild"), 1):
            self._add(f"vm{number}", name=f"machine {number}", state=state)
        self.vms["bad"] = {"id": "bad"}
        self.images = [
            {"id": f"img{n}", "architecture": kind, "made": 86400 * n, "colour": "red"}
            for n, kind in enumerate(("x86_64", "aarch64", "x86_64"), 1)
        ]
        self.keys: list[str] = ["mine"]
        self.lacks: dict[str, dict[str, str]] = {"operations": {}, "features": {}}
        self.token, self.logins, self.lose = "t1", 0, False
        self.asked: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        paths: list[tuple[str, str, Callable[..., Any]]] = [
            ("POST", "/login", self.login),
            ("GET", "/me", self.me),
            ("GET", "/lacks", lambda request: JSONResponse(self.lacks)),
            ("GET", "/images", self.list_images),
            ("GET", "/images/{id}", self.get_image),
            ("GET", "/vms", self.list_vms),
            ("POST", "/vms", self.create),
            ("GET", "/vms/{id}", self.get),
            ("DELETE", "/vms/{id}", self.get),
            ("GET", "/vms/{id}/console", self.get),
            ("POST", "/vms/{id}/{action}", self.get),
            ("GET", "/keys", lambda request: JSONResponse({"items": self.keys})),
            ("POST", "/keys", self.create_key),
            ("DELETE", "/keys/{id}", self.destroy_key),
        ]
        self.app = Starlette(
            routes=[Route(path, self._let_in(end), methods=[m]) for m, path, end in paths]
        )

    def _add(self, id: str, **fields: Any) -> dict[str, Any]:
        self.vms[id] = {"id": id, "image": "img1", "ip": "192.0.2.1", **fields}
        return self.vms[id]

    def _let_in(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        async def run(request: Request) -> Response:
            self.asked.append(f"{request.method} {request.url.path}")
            if request.url.path != "/login" and request.headers.get("x-token") != self.token:
                return _error(401, "token", "who are you?")
            if content := await request.body():
                self.bodies.append(await request.json())
                assert content
            return endpoint(request)

        return run

    def login(self, request: Request) -> Response:
        if self.bodies.pop() != {"user": "me", "password": PASSWORD}:
            return _error(401, "login", "wrong")
        self.logins += 1
        return JSONResponse({"token": self.token, "roles": ["member"]})

    def me(self, request: Request) -> Response:
        return JSONResponse({"name": "me", "version": "4.2"})

    def list_images(self, request: Request) -> Response:
        kind = request.query_params.get("architecture")
        items = [image for image in self.images if kind in (None, image["architecture"])]
        return JSONResponse({"items": items, "next": None})

    def get_image(self, request: Request) -> Response:
        found = [image for image in self.images if image["id"] == request.path_params["id"]]
        return JSONResponse(found[0]) if found else Response("gone", 404)

    def list_vms(self, request: Request) -> Response:
        first, limit = int(request.query_params["after"] or 0), int(request.query_params["limit"])
        after = first + limit
        items = list(self.vms.values())
        more = str(after) if after < len(items) else None
        return JSONResponse({"items": items[first:after], "next": more})

    def create(self, request: Request) -> Response:
        body = self.bodies[-1]
        if body["name"] == "one too many":
            return _error(403, "quota", "no more", remedy="Destroy one")
        made = {**body, "state": "new"}
        self._add(f"vm{len(self.vms)}", **made)
        if self.lose:
            return _error(504, "late", "too late")
        return JSONResponse({**list(self.vms.values())[-1], "password": "once"})

    def get(self, request: Request) -> Response:
        vm = self.vms.get(request.path_params["id"])
        if vm is None:
            return _error(404, "vm", "no such machine")
        action = request.path_params.get("action")
        if request.method == "DELETE":
            del self.vms[vm["id"]]
            return Response(status_code=204)
        if request.url.path.endswith("/console"):
            return JSONResponse({"url": "https://console.invalid/?token=once", "until": 86400})
        if action == "reboot" and vm["state"] != "on":
            return _error(409, "state", "it is off")
        vm["state"] = {"start": "on", "stop": "off"}.get(action or "", vm["state"])
        if vm["state"] == "new":
            vm["state"] = "on"
        return JSONResponse(vm)

    def create_key(self, request: Request) -> Response:
        name = self.bodies[-1]["name"]
        if name in self.keys:
            return _error(409, "key", "there is one")
        self.keys.append(name)
        return JSONResponse({"private": "PEM"}, 201)

    def destroy_key(self, request: Request) -> Response:
        if request.path_params["id"] not in self.keys:
            return _error(404, "key", "no such key")
        self.keys.remove(request.path_params["id"])
        return Response(status_code=204)


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def url(platform: Platform) -> Iterator[str]:
    """Where it is served."""
    with serve([platform]) as urls:
        yield urls["frozen"]
