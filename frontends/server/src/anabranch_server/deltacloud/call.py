"""One request, read: its path, matrix parameters, headers and parameters (deltacloud.md, 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlencode

from anabranch_server.access import Credentials, basic_credentials
from anabranch_server.deltacloud.negotiation import DOCUMENTS, Format, negotiated
from anabranch_server.problems import Problem

__all__ = ["Call", "Receive", "Scope", "Send", "may_be_secret"]

Scope: TypeAlias = Any
Receive: TypeAlias = Any
Send: TypeAlias = Any

PREFIX: Final = "api"
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_NO_MATRIX: Final[Mapping[str, str]] = MappingProxyType({})
_SECRET: Final = re.compile(
    r"pass|secret|token|private|credential|pem|user_data|user_iso|user_files|content|blob_data|cmd",
    re.IGNORECASE,
)
_CHOICES: Final = ("driver", "provider")
_TOLD: Final = tuple((name, f"x-deltacloud-{name}") for name in _CHOICES)


class Call:
    """One request, as far as its head tells.

    Attributes:
        method: The method, after `_method`.
        path: The decoded segments of the path below `/api`; the last is empty where it ends with
            a slash.
        matrix: Matrix parameters of segments other than `api`: further parameters.
        chosen: `driver` and `provider`, where the request chooses them.
        headers: Header values by lower-case name; of several of one name the last.
        told: `driver` and `provider` that replies tell, once they are known.
        parameters: The parameters of path, query and body, as far as they are read.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        """Read the head of a request; its path begins with `/api`, or leads nowhere."""
        self.scope, self.receive = scope, receive
        self.method: str = scope["method"]
        self.headers: Mapping[str, str] = {
            str(name, "latin-1"): str(value, "latin-1") for name, value in scope["headers"]
        }
        segments = [_segment(part) for part in _raw_path(scope).split("/")]
        self.path = tuple(name for name, _ in segments[2:])
        self.matrix = {k: v for _, matrix in segments[2:] for k, v in matrix.items()}
        on_api = segments[1][1] if len(segments) > 1 else _NO_MATRIX
        self._on_api = {k: v for k, v in on_api.items() if k in _CHOICES}
        self.chosen: Mapping[str, str] = {**self._in_headers(), **self._on_api}
        self.told: Mapping[str, str] = {}
        self.parameters: Mapping[str, str] = {}

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
        """The path as it came, without the parameters in it, which may be secrets."""
        first, *below = _raw_path(self.scope).split("/")
        return "/".join((first, *(part.partition(";")[0] for part in below)))

    def address(self, root: str, *, without: str = "", **changed: str) -> str:
        """Return the URL of the same with other parameters; it is ASCII, and has no secrets.

        Args:
            root: Address of the API, as `root` tells it.
            without: A parameter to leave out.
            **changed: Parameters to set.
        """
        path = "".join(f"/{quote(part, safe='')}" for part in self.path)
        given = {**self.matrix, **self.query}
        query = {k: v for k, v in given.items() if not may_be_secret(k)} | changed
        query.pop(without, None)
        return f"{root}{path}?{urlencode(query)}" if query else f"{root}{path}"

    def format(self, offered: tuple[Format, ...] = DOCUMENTS) -> Format:
        """Return the format to answer in.

        Raises:
            Problem: none that is acceptable is offered.
        """
        found = self.preferred(offered)
        if found is None:
            names = ", ".join(f.media_type.partition(";")[0] for f in offered)
            raise Problem(406, f"there is {names}", kind="NotAcceptable")
        return found

    def preferred(self, offered: tuple[Format, ...] = DOCUMENTS) -> Format | None:
        """Return the format to answer in; None: none that is acceptable is offered."""
        return negotiated(self.headers.get("accept", ""), self.query.get("format"), offered)

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
            base = f"{self.scope['scheme']}://{host}{self._mounted}"
        return base + self._api

    @property
    def home(self) -> str:
        """The path of the API, with the driver and provider that the path chooses."""
        return self._mounted + self._api

    @property
    def _mounted(self) -> str:
        return quote(self.scope.get("root_path", ""))

    @property
    def _api(self) -> str:
        chosen = (f";{name}={quote(value, safe='')}" for name, value in self._on_api.items())
        return f"/{PREFIX}{''.join(chosen)}"

    def _in_headers(self) -> dict[str, str]:
        return {name: self.headers[told] for name, told in _TOLD if self.headers.get(told)}


def may_be_secret(name: str) -> bool:
    """Whether what a parameter of that name has may be a secret, which is repeated nowhere."""
    return _SECRET.search(name) is not None


def _raw_path(scope: Scope) -> str:
    """Return the path as it came, below where the application is mounted."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    return path.removeprefix(quote(mounted)) if (mounted := scope.get("root_path")) else path


def _segment(text: str) -> tuple[str, Mapping[str, str]]:
    """Take a segment of a path apart: `api;driver=mock` is `api` with one parameter."""
    if ";" not in text:
        return (unquote(text) if "%" in text else text), _NO_MATRIX
    name, *pairs = text.split(";")
    split = [pair.partition("=") for pair in pairs if pair]
    return unquote(name), {unquote(key): unquote(value) for key, _, value in split}
