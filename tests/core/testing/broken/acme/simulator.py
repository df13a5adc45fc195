"""Acme clouds on loopback: the platform's own account of its protocol."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from anabranch.testing.simulation import Behaviour, Misbehaving, RequestLog

__all__ = ["AcmeCloud", "simulator"]

_USER: Final = "wile"
_PASSWORD: Final = "rocket-skates-and-glue"
_TOKEN: Final = "t-48151623"
_ODD: Final[list[dict[str, Any]]] = [
    {"id": "odd 1/2?", "name": "<script>alert('1')</script>", "status": "up"},
    {"id": "odd-2", "name": "🦅 & \"quotes\" & 'apostrophes'", "status": "levitating"},
    {"id": "odd-3", "name": "n" * 5000, "status": "down", "address": None},
    {"id": "odd-4", "name": "", "status": ""},
    {"id": "odd-5", "name": None, "status": None, "image": None, "size": None},
    {"id": "odd-6"},
    {"id": None, "name": "nobody's"},
]


class AcmeCloud:
    """One simulated cloud."""

    kind = "acme"

    def __init__(self, name: str, instances: int, behaviour: Behaviour | None, odd: bool) -> None:
        self.name = name
        self.behaviour = behaviour or Behaviour()
        self.requests = RequestLog()
        self.app = Misbehaving(self._routes(), self)
        self.machines: list[dict[str, Any]] = [
            {
                "id": f"m-{number:04}",
                "name": f"{name}-{number}",
                "status": "up" if number % 3 else "down",
                "image": "i-1",
                "size": "small",
                "address": f"192.0.2.{number % 250 + 1}",
            }
            for number in range(instances)
        ]
        self.machines += [dict(found) for found in _ODD] if odd else []
        self.images = [{"id": f"i-{n}", "name": f"Acme OS {n}"} for n in range(1, 6)]
        self.sizes = [
            {"id": "small", "name": "Small", "cpus": 1, "memory": 1024},
            {"id": "large", "name": "Large", "cpus": 8, "memory": 16384},
        ]
        self.keys: list[dict[str, Any]] = [{"id": "coyote", "fingerprint": "aa:bb"}]
        self._made = instances
        self._due: dict[str, tuple[float, str]] = {}

    def settings(self, url: str) -> dict[str, object]:
        """The entry for `anabranch.yaml`."""
        return {"driver": "acme", "url": url, "user": _USER, "password": _PASSWORD}

    def _routes(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/login", self._log_in, methods=["POST"]),
                Route("/v1/machines", self._make, methods=["POST"]),
                Route("/v1/keys", self._import, methods=["POST"]),
                Route("/v1/{collection}", self._list, methods=["GET"]),
                Route("/v1/{collection}/{path:path}", self._single),
                Route("/v1/{collection}/{path:path}", self._destroy, methods=["DELETE"]),
                Route("/v1/machines/{path:path}", self._act, methods=["POST"]),
            ],
        )

    async def _log_in(self, request: Request) -> Response:
        if await request.json() != {"user": _USER, "password": _PASSWORD}:
            return _failed(401, "credentials", "wrong user or password")
        return _reply(201, {"token": _TOKEN, "expires_in": 3600})

    async def _list(self, request: Request) -> Response:
        items = self._collection(request)
        if isinstance(items, Response):
            return items
        start = int(request.query_params.get("from", "0"))
        end = start + (self.behaviour.page_size or 50)
        word = request.path_params["collection"]
        document: dict[str, Any] = {word: items[start:end]}
        if end < len(items):
            document["next"] = f"/v1/{word}?from={end}"
        return _reply(200, document)

    async def _single(self, request: Request) -> Response:
        found = self._found(request)
        return found if isinstance(found, Response) else _reply(200, found)

    async def _make(self, request: Request) -> Response:
        if refused := _refused(request):
            return refused
        asked = await request.json()
        if asked.get("image") not in {image["id"] for image in self.images}:
            return _failed(400, "no_image", f"there is no image {asked.get('image')}")
        self._made += 1
        made = {**asked, "id": f"m-{self._made:04}", "status": "booting", "address": "192.0.2.9"}
        made["size"] = asked.get("size") or "small"
        self.machines.append(made)
        self._change(made, "booting", "up")
        return _reply(201, made)

    async def _import(self, request: Request) -> Response:
        if refused := _refused(request):
            return refused
        asked = await request.json()
        if any(asked["id"] == key["id"] for key in self.keys):
            return _failed(409, "exists", f"there is a key {asked['id']} already")
        self.keys.append({**asked, "fingerprint": "cc:dd"})
        return _reply(201, self.keys[-1])

    async def _act(self, request: Request) -> Response:
        path, _, action = request.path_params["path"].rpartition("/")
        request.path_params.update(collection="machines", path=path)
        found = self._found(request)
        if isinstance(found, Response):
            return found
        before, meanwhile, after = {
            "start": ("down", "booting", "up"),
            "stop": ("up", "halting", "down"),
        }[action]
        if found["status"] == before:
            self._change(found, meanwhile, after)
        elif found["status"] not in (meanwhile, after):
            return _failed(409, "wrong_state", f"it is {found['status']}")
        return _reply(200, found)

    async def _destroy(self, request: Request) -> Response:
        found = self._found(request)
        if isinstance(found, Response):
            return found
        getattr(self, request.path_params["collection"]).remove(found)
        return Response(status_code=204)

    def _collection(self, request: Request) -> list[dict[str, Any]] | Response:
        if refused := _refused(request):
            return refused
        self._settle()
        word = request.path_params["collection"]
        if word not in ("machines", "images", "sizes", "keys"):
            return _failed(404, "no_path", "no such path")
        return list(getattr(self, word))

    def _found(self, request: Request) -> dict[str, Any] | Response:
        items = self._collection(request)
        if isinstance(items, Response):
            return items
        ident = request.path_params["path"]
        found = next((item for item in items if item["id"] == ident), None)
        return found or _failed(404, "not_found", f"there is no {ident}")

    def _change(self, machine: dict[str, Any], meanwhile: str, after: str) -> None:
        machine["status"] = meanwhile
        self._due[machine["id"]] = time.monotonic() + self.behaviour.state_delay, after

    def _settle(self) -> None:
        now = time.monotonic()
        for machine in self.machines:
            at, status = self._due.get(machine["id"], (now, ""))
            if status and at <= now:
                machine["status"] = status
                del self._due[machine["id"]]


class AcmeSimulator:
    """Makes them."""

    kind = "acme"

    def cloud(
        self,
        name: str,
        *,
        instances: int = 10,
        behaviour: Behaviour | None = None,
        odd: bool = False,
        **options: Any,
    ) -> AcmeCloud:
        """Make a cloud; there are no further options."""
        return AcmeCloud(name, instances, behaviour, odd, **options)


def _refused(request: Request) -> Response | None:
    if request.headers.get("authorization") == f"Bearer {_TOKEN}":
        return None
    return _failed(401, "token", "no token, or not a good one")


def _failed(status: int, code: str, message: str) -> Response:
    return _reply(status, {"error": {"code": code, "message": message}})


def _reply(status: int, document: object) -> Response:
    headers = {"content-type": "application/json"}
    return Response(msgspec.json.encode(document), HTTPStatus(status), headers)


simulator: Final = AcmeSimulator()
