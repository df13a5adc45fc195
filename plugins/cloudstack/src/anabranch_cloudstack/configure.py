"""From an entry of anabranch.yaml to settings, by way of cloudstack.ini if it says so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from anabranch.errors import ConfigurationError
from anabranch.settings import suggestion, to_settings
from anabranch_cloudstack.ini import ENVVARS, from_environment, load
from anabranch_cloudstack.settings import CloudStackSettings

__all__ = ["configure"]

_TRUE: Final = ("1", "on", "t", "true", "y", "yes")
_FALSE: Final = ("0", "f", "false", "n", "no", "off")
_NAMES: Final = {
    "timeout": "request_timeout",
    "expiration": "signature_lifetime",
    "job_timeout": "job_timeout",
    "retry": "retries",
}
"""Our names of what `cs` reads under another."""


def configure(
    cloud: str, entry: Mapping[str, Any], environment: Mapping[str, str]
) -> CloudStackSettings:
    """Make the settings of a cloud.

    Args:
        cloud: Name of the cloud.
        entry: Its entry; with `region`, it is laid over that section of cloudstack.ini.
        environment: Environment variables.

    Raises:
        ConfigurationError: names cloud, field and what would be right.
    """
    own = {str(k): v for k, v in entry.items() if v is not None}
    if "region" in own or "config_file" in own:
        try:
            found = _elsewhere(own, environment)
        except ConfigurationError as exc:
            exc.cloud = cloud
            raise
        own = {**_translated(found), **own}
    settings = to_settings(CloudStackSettings, own, cloud=cloud)
    _check(cloud, settings)
    return settings


def _elsewhere(own: dict[str, Any], environment: Mapping[str, str]) -> Mapping[str, str]:
    file = own.get("config_file")
    name = str(own.get("region") or "cloudstack")
    sections = load(environment, None if file is None else str(file))
    if name in sections:
        return sections[name].values
    if name == ENVVARS and file is None:
        found = from_environment(environment)
        if found:
            return found
        raise ConfigurationError(
            "no variable CLOUDSTACK_* is set", field="region", remedy="Set CLOUDSTACK_ENDPOINT, …"
        )
    if not sections:
        raise ConfigurationError(
            "there is no cloudstack.ini",
            field="region",
            remedy="It is looked for as ~/.cloudstack.ini, in the working directory and in "
            "$CLOUDSTACK_CONFIG; or set config_file",
        )
    raise ConfigurationError(
        f"cloudstack.ini has no section {name!r}",
        field="region",
        remedy=suggestion(name, sections),
    )


def _translated(found: Mapping[str, str]) -> dict[str, Any]:
    """Return what `cs` reads under our names; `verify` is a truth, or a file of certificates."""
    values: dict[str, Any] = {k: v for k, v in found.items() if k in ("endpoint", "key", "secret")}
    values.update({ours: found[theirs] for theirs, ours in _NAMES.items() if theirs in found})
    verify = found.get("verify", "")
    if verify.lower() in _FALSE:
        values["verify"] = False
    elif verify and verify.lower() not in _TRUE:
        values["cacert"] = str(Path(verify).expanduser())
    if found.get("dangerous_no_tls_verify", "").lower() in _TRUE:
        values["verify"] = False
    if "signature_lifetime" in values:
        # `cs` takes -1 for a signature without an end, and any length; the server may not.
        values["signature_lifetime"] = _within(values["signature_lifetime"], 60, 900, 600)
    return values


def _within(text: str, least: float, most: float, otherwise: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return otherwise
    return min(max(value, least), most) if value > 0 else otherwise


def _check(cloud: str, settings: CloudStackSettings) -> None:
    try:
        parts = urlsplit(settings.endpoint)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ConfigurationError(
            f"{settings.endpoint!r} is no URL",
            cloud=cloud,
            field="endpoint",
            remedy="Write http://HOST[:PORT]/client/api or https://…",
        )
    for field in ("key", "secret"):
        if not getattr(settings, field):
            raise ConfigurationError(
                "is empty", cloud=cloud, field=field, remedy="Generate keys for the user"
            )
