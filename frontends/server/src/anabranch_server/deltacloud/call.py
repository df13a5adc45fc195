"""One request, read: its path, matrix parameters, headers and parameters (deltacloud.md, 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, quote, unquote

from anabranch_server.access import Credentials, basic_credentials
from anabranch_server.deltacloud.negotiation import DOCUMENTS, Format, negotiated
from anabranch_server.deltacloud.problems import Problem

__all__ = ["Call", "Receive", "Scope", "Send"]

Scope: TypeAlias = Any
Receive: TypeAlias = Any
Send: TypeAlias = Any

PREFIX: Final = "api"
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_CHOICES: Final = ("driver", "provider")


class Call:
    """One request, as far as its head tells.

    Attributes:
        method: The method, after `_method`.
        path: The decoded segments of the path below `/api`.
        matrix: Matrix parameters of segments other than `api`: further parameters.
        chosen: `driver` and `provider`, where the request chooses them.
        headers: Header values by lower-case name; of several of one name the last.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        """Read the head of a request whose path begins with `/api`."""
        self.scope, self.receive = scope, receive
        self.method: str = scope["method"]
        self.headers: Mapping[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        segments = [_segment(part) for part in _raw_path(scope).split("/")[1:]]
        if segments[-1][0] == "":
            segments.pop()
        self.path = tuple(name for name, _ in segments[1:])
        self.matrix = {k: v for _, matrix in segments[1:] for k, v in matrix.items()}
        self._on_api = {k: v for k, v in segments[0][1].items() if k in _CHOICES}
        self.chosen = {**self._in_headers(), **self._on_api}

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The parameters of the query string; of several of one name the last."""
        raw: bytes = self.scope["query_string"]
        if not raw:
            return {}
        return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))

    @cached_property
    def credentials(self) -> Credentials | None:
        """What HTTP Basic carries, or None."""
        return basic_credentials(self.headers.get("authorization"))

    @property
    def url(self) -> str:
        """Path and query, as they came."""
        query = self.scope["query_string"].decode("latin-1")
        return f"{_raw_path(self.scope)}?{query}" if query else _raw_path(self.scope)

    def format(self, offered: tuple[Format, ...] = DOCUMENTS) -> Format:
        """Return the format to answer in.

        Raises:
            Problem: none that is acceptable is offered.
        """
        found = negotiated(self.headers.get("accept", ""), self.query.get("format"), offered)
        if found is None:
            names = ", ".join(f.media_type.partition(";")[0] for f in offered)
            raise Problem(406, f"there is {names}", kind="NotAcceptable")
        return found

    def root(self, public_url: str | None) -> str:
        """Return the address of the API, with the driver and provider that the path chooses.

        Args:
            public_url: The address of the server, where that is configured.

        Raises:
            Problem: it is not, and there is no usable header `Host`.
        """
        base = public_url
        if base is None:
            host = self.headers.get("host", "")
            if not _HOST.fullmatch(host):
                raise Problem(400, "the header Host is missing or wrong")
            base = f"{self.scope['scheme']}://{host}"
        chosen = (f";{name}={quote(value, safe='')}" for name, value in self._on_api.items())
        return f"{base}/{PREFIX}{''.join(chosen)}"

    def _in_headers(self) -> dict[str, str]:
        named = {name: self.headers.get(f"x-deltacloud-{name}") for name in _CHOICES}
        return {name: value for name, value in named.items() if value}


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return raw.partition(b"?")[0].decode("latin-1")


def _segment(text: str) -> tuple[str, Mapping[str, str]]:
    """Take a segment of a path apart: `api;driver=mock` is `api` with one parameter."""
    if ";" not in text:
        return (unquote(text) if "%" in text else text), {}
    name, *pairs = text.split(";")
    split = [pair.partition("=") for pair in pairs if pair]
    return unquote(name), {unquote(key): unquote(value) for key, _, value in split}
