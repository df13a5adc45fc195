"""Settings of a cloud: the base class of every driver's settings, and how entries become them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, TypeVar, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from anabranch.errors import ConfigurationError
from anabranch.redaction import SecretStr

__all__ = ["CloudSettings", "check_login", "check_provider_url", "suggestion", "to_settings"]

S = TypeVar("S", bound=msgspec.Struct)


class CloudSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be set for any cloud. A driver derives its own settings from it."""

    driver: Annotated[str, Meta(description="Kind of the driver, as `anabranch plugins` lists it")]
    timeout: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Seconds that a listing of this cloud may take; unset: the broker's"),
    ] = None
    request_timeout: Annotated[
        float, Meta(gt=0, description="Seconds that one request to the cloud may take")
    ] = 20.0
    connect_timeout: Annotated[
        float, Meta(gt=0, description="Seconds until a connection must stand")
    ] = 5.0
    max_connections: Annotated[
        int, Meta(ge=1, le=64, description="Connections to the cloud at once")
    ] = 8
    retries: Annotated[
        int,
        Meta(ge=0, le=10, description="Times that an idempotent request is tried again"),
    ] = 2
    verify: Annotated[bool, Meta(description="Whether the cloud's TLS certificate is verified")] = (
        True
    )
    cacert: Annotated[
        str | None,
        Meta(description="File of CA certificates (PEM) to trust instead of the system's"),
    ] = None
    proxy: Annotated[
        str | None, Meta(description="URL of the HTTP proxy to reach the cloud through")
    ] = None
    max_body_bytes: Annotated[
        int, Meta(ge=1024, description="Bytes of a reply that are read at most")
    ] = 64 * 1024 * 1024


def to_settings(cls: type[S], entry: Mapping[str, Any], *, cloud: str) -> S:
    """Check the entry of a cloud and make its settings.

    Args:
        cls: The driver's settings class.
        entry: The entry as read from the configuration.
        cloud: Name of the cloud, for the errors.

    Raises:
        ConfigurationError: a field is unknown, missing, or of the wrong type or range; it names
            cloud, field and what would be right.
    """
    try:
        # Not strict: an environment variable can say "false" and "3" only in text.
        return msgspec.convert(entry, cls, dec_hook=_decode, str_keys=True, strict=False)
    except msgspec.ValidationError as exc:
        raise _explain(str(exc), cls, cloud) from None


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return a remedy that proposes the nearest of the `known` words, or lists them."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known: {', '.join(known)}" if known else ""


def check_login(user: str, password: SecretStr) -> None:
    """Refuse a user or a password that HTTP Basic cannot carry (RFC 7617, section 2), or none.

    For a driver's `account`.

    Raises:
        ConfigurationError: of the field `user` or `password`: it is empty, or has control
            characters or halves of surrogate pairs; a user with a colon.
    """
    for field, text in (("user", user), ("password", password.get_secret_value())):
        if not text:
            raise ConfigurationError("is required", field=field, remedy="Send HTTP Basic with both")
        if _UNSENDABLE.search(text):
            raise ConfigurationError(
                "has control characters", field=field, remedy="Send it as UTF-8, without them"
            )
    if ":" in user:
        raise ConfigurationError(
            "has a colon, which HTTP Basic cannot carry", field="user", remedy="Correct it"
        )


def check_provider_url(provider: str, form: str) -> None:
    """Refuse a provider that is not the URL of an API, bare of login, query and fragment.

    For a driver's `account`.

    Args:
        provider: The provider.
        form: How it is written right: `https://HOST:PORT/v3`.

    Raises:
        ConfigurationError: of the field `provider`.
    """
    try:
        bare = _BARE_URL.fullmatch(provider) and not _UNSENDABLE.search(provider)
        good = bare and urlsplit(provider).port != 0
    except ValueError:
        good = False
    if not good:
        # It is not quoted: who puts a login into it, puts a password there.
        wrong = "is no bare URL of an API" if provider else "is required"
        raise ConfigurationError(wrong, field="provider", remedy=f"Write {form}")


_UNSENDABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BARE_URL: Final = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/@?#\\:;\[\]]+)(:[0-9]{1,5})?(/[^\s@?#\\]*)?"
)


def _decode(kind: type, value: object) -> object:
    if kind is SecretStr:
        if isinstance(value, SecretStr):
            return value
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return SecretStr(str(value))
        msg = "Expected a text"
        raise ValueError(msg)
    msg = f"settings cannot hold a {kind.__name__}"
    raise NotImplementedError(msg)


_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>.*?)`)?$", re.DOTALL)
_FIELD: Final = re.compile(
    r"Object (?P<kind>contains unknown|missing required) field `(?P<name>.*)`"
)


def _explain(message: str, cls: type[msgspec.Struct], cloud: str) -> ConfigurationError:
    match = _AT.match(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    field = _FIELD.match(what)
    if field is None:
        quotes = what.startswith("Expected `str") and what.endswith(("`int`", "`float`", "`bool`"))
        return ConfigurationError(
            what.replace("`", "'"),
            cloud=cloud,
            field=path or None,
            remedy="Put it in quotes" if quotes else "",
        )
    name = f"{path}.{field['name']}" if path else field["name"]
    if field["kind"].startswith("missing"):
        return ConfigurationError("is required", cloud=cloud, field=name, remedy="Add it")
    return ConfigurationError(
        "there is no such setting",
        cloud=cloud,
        field=name,
        remedy=suggestion(field["name"], _fields_at(cls, path)),
    )


def _fields_at(cls: type[msgspec.Struct], path: str) -> list[str]:
    current: Any = cls
    for step in filter(None, path.split(".")):
        hint: Any = get_type_hints(current).get(step)
        options = getattr(hint, "__args__", (hint,))
        structs = [o for o in options if isinstance(o, type) and issubclass(o, msgspec.Struct)]
        if not structs:
            return []
        current = structs[0]
    return [f.encode_name for f in msgspec.structs.fields(current)]
