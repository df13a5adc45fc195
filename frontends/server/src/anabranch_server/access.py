"""Who may use a daemon: what a request brings to be let in, and what keeps it out.

A daemon that serves the clouds of a configuration calls them by the credentials that stand there,
for everybody who gets in. Three things guard that:

* At an address that other machines reach, it asks for a user and a password, unless its operator
  says that anybody may. On loopback, everybody on the machine may.
* Where it asks for none, the header `Host` must be an address, or a name that is known to be its
  own: to a page whose name is made to lead to this machine (DNS rebinding), a browser gives what
  it would give to the site itself, but says that name.
* What changes anything is refused to browsers that are sent by the page of another site (cross-site
  request forgery): they send passwords along, and tell of it by `Sec-Fetch-Site` or `Origin`.
  Programs send neither header, and are not concerned.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import platform
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from anabranch import ConfigurationError, SecretStr
from anabranch_server.problems import Problem

__all__ = ["Access", "Credentials", "basic_credentials", "is_loopback"]

_LOCAL: Final = "localhost"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_LOOKED_AT: Final = frozenset({b"host", b"authorization", b"sec-fetch-site", b"origin"})
_OWN_SITE: Final = ("same-origin", "none")
_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="anabranch", charset="UTF-8"'}


class Credentials(NamedTuple):
    """A user and a password, as HTTP Basic carries them (RFC 7617)."""

    user: str
    password: SecretStr


def basic_credentials(header: str | None) -> Credentials | None:
    """Read an `Authorization` header.

    Args:
        header: Its value; None: there was none.

    Returns:
        The credentials; None if there are none of the scheme Basic, or they cannot be read.
    """
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        plain = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = plain.partition(":")
    return Credentials(user, SecretStr(password)) if colon else None


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one daemon; without any, all but browsers sent by other sites are let in.

    Attributes:
        user: Who is let in; None: everybody.
        hosts: The names that `Host` may have beside addresses, in lower case; None: any.
        authority: Host and port of the address that clients know the server by, in lower case;
            empty: that of each request's `Host`.
    """

    user: Credentials | None = None
    hosts: frozenset[str] | None = None
    authority: str = ""

    @classmethod
    def of(
        cls,
        address: str,
        *,
        user: Credentials | None = None,
        anybody: bool = False,
        hosts: Iterable[str] = (),
        public_url: str = "",
        own_credentials: bool = True,
    ) -> Access:
        """Make the rules of a daemon.

        Args:
            address: Where it listens.
            user: Who is let in; None: everybody.
            anybody: Whether it is meant that everybody is, even from other machines.
            hosts: Names by which clients know it.
            public_url: URL by which clients know it.
            own_credentials: Whether it calls clouds by credentials of its own; False: by those
                that come with each request, which are all that one needs to be let in.

        Raises:
            ConfigurationError: everybody would be let in from other machines, and nobody said that
                this is meant.
        """
        if own_credentials and user is None and not anybody and not is_loopback(address):
            raise ConfigurationError(
                f"whoever reaches {address} may use the clouds with your credentials",
                field="--host",
                remedy="Ask for a password: --user NAME. Or say that anybody may: --open",
            )
        public = urlsplit(public_url)
        known = (*hosts, public.hostname or "")
        names = {_LOCAL, platform.node(), address, *known} - {""}
        guarded = known != ("",) or (own_credentials and user is None)
        return cls(
            user=user,
            hosts=frozenset(name.lower().rstrip(".") for name in names) if guarded else None,
            authority=public.netloc.lower(),
        )

    def objection(self, method: str, fields: Iterable[tuple[bytes, bytes]]) -> Problem | None:
        """Return why a request is not let in; None: it is.

        Args:
            method: Its method.
            fields: Its headers, as ASGI has them; of several of one name the last counts.
        """
        headers = {k: v.decode("latin-1") for k, v in fields if k in _LOOKED_AT}
        host = headers.get(b"host", "").lower()
        name = _name(host)
        if self.hosts is not None and name not in self.hosts and name and not _is_address(name):
            return Problem(
                403,
                f"{name!r} is no name of this server",
                kind="PermissionDenied",
                remedy=f"Start it with --allow-host {name}, if it should be",
            )
        if self.user is not None:
            given = basic_credentials(headers.get(b"authorization"))
            if given is None or not hmac.compare_digest(_digest(given), _digest(self.user)):
                return Problem(
                    401,
                    "this server asks for a user and a password"
                    if given is None
                    else "the user or the password is wrong",
                    kind="AuthenticationError",
                    headers=_CHALLENGE,
                )
        if method not in _SAFE and self._foreign(host, headers):
            return Problem(
                403,
                "a page of another site may change nothing here",
                kind="PermissionDenied",
                remedy="Behind a proxy: start the server with --public-url",
            )
        return None

    def _foreign(self, host: str, headers: Mapping[bytes, str]) -> bool:
        if (site := headers.get(b"sec-fetch-site")) is not None:
            return site not in _OWN_SITE
        if (origin := headers.get(b"origin")) is None:
            return False
        return origin.lower().partition("://")[2] not in {host, self.authority} - {""}


def _digest(credentials: Credentials) -> bytes:
    parts = (credentials.user, credentials.password.get_secret_value())
    return hashlib.sha256(msgspec.json.encode(parts)).digest()


def _name(host: str) -> str:
    """Return the host of `host:port`; `[::1]:80` is `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address."""
    return address == _LOCAL or (_is_address(address) and ipaddress.ip_address(address).is_loopback)
