"""Who sent a request: the signature of the query API, as the server itself checks it.

The rule differs from the published one in three points. Names are sorted as they were sent, upper
case before lower case; values are escaped as Java's `URLEncoder` does, which leaves `*` alone and
escapes `~`; and of a name that comes twice only the first value counts.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from anabranch_cloudstack.simulator.accounts import Account
from anabranch_cloudstack.simulator.wire import Refusal

__all__ = ["Signatures", "sign", "unauthorized"]

_UNAUTHORIZED = "unable to verify user credentials and/or request signature"
_OFFSET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}")
_ZULU = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_FARTHEST = 15 * 60


def unauthorized() -> Refusal:
    """The one refusal for a wrong key, signature or time, and for an unknown command."""
    return Refusal(401, _UNAUTHORIZED, None)


def sign(parameters: dict[str, str], secret: str) -> str:
    """The signature of a request's parameters, in base64.

    Args:
        parameters: All of them, decoded, names as sent; one called `signature` does not count.
        secret: The account's secret key.
    """
    signed = sorted((k, v) for k, v in parameters.items() if k.lower() != "signature")
    text = "&".join(f"{name}={_escaped(value)}" for name, value in signed).lower()
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()


class Signatures:
    """Finds the account that signed a request.

    Args:
        find: The account of an API key.
        version: The version of the cloud; since 4.22 an `expires` may end in `Z`.
        enforce: Whether every request needs an `expires` not more than 15 minutes ahead.
    """

    def __init__(
        self, find: Callable[[str], Account | None], version: tuple[int, ...], *, enforce: bool
    ) -> None:
        self._find = find
        self._formats = (_OFFSET, _ZULU) if version >= (4, 22) else (_OFFSET,)
        self._enforce = enforce

    def account(self, parameters: dict[str, str], now: float) -> Account:
        """The account that sent these parameters.

        Raises:
            Refusal: 401, whatever is wrong.
        """
        control = {name.lower(): value for name, value in parameters.items()}
        account = self._find(control.get("apikey", ""))
        signature = control.get("signature", "")
        if account is None or not signature:
            raise unauthorized()
        self._check_time(control, now)
        if not hmac.compare_digest(sign(parameters, account.secret).encode(), signature.encode()):
            raise unauthorized()
        return account

    def _check_time(self, control: dict[str, str], now: float) -> None:
        if control.get("signatureversion") != "3":
            if self._enforce:
                raise unauthorized()
            return
        text = control.get("expires", "")
        if not any(form.fullmatch(text) for form in self._formats):
            raise unauthorized()
        try:
            expires = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()
        except ValueError:
            raise unauthorized() from None
        if expires < now or (self._enforce and expires > now + _FARTHEST):
            raise unauthorized()


def _escaped(value: str) -> str:
    return quote(value, safe="*").replace("~", "%7E")
