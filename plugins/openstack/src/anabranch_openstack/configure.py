"""From an entry of anabranch.yaml to settings: clouds.yaml, aliases, contradictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

import msgspec

from anabranch.errors import ConfigurationError
from anabranch.settings import suggestion, to_settings
from anabranch_openstack.clouds_yaml import ENVVARS, from_environment, load, merge
from anabranch_openstack.settings import AuthSettings, AuthType, OpenStackSettings

__all__ = ["configure"]

_AUTH_TYPES: Final[Mapping[str, AuthType]] = {
    "password": "password",
    "v3password": "password",
    "token": "token",
    "v3token": "token",
    "application_credential": "application_credential",
    "v3applicationcredential": "application_credential",
}
_OLD_NAMES: Final = {"tenant_name": "project_name", "tenant_id": "project_id"}
_KNOWN: Final = frozenset(f.name for f in msgspec.structs.fields(OpenStackSettings))
_OVERRIDES: Final = tuple(sorted(name for name in _KNOWN if name.endswith("_endpoint_override")))
_KNOWN_AUTH: Final = frozenset(f.name for f in msgspec.structs.fields(AuthSettings))


def configure(
    cloud: str, entry: Mapping[str, Any], environment: Mapping[str, str]
) -> OpenStackSettings:
    """Make the settings of a cloud.

    Args:
        cloud: Name of the cloud.
        entry: Its entry; with `cloud`, it is laid over that cloud of the user's clouds.yaml.
        environment: Environment variables.

    Raises:
        ConfigurationError: names cloud, field and what would be right.
    """
    own = _normal(entry)
    reference = own.get("cloud")
    if reference is not None:
        own = merge(_elsewhere(cloud, str(reference), own.get("clouds_file"), environment), own)
    elif "auth" not in own:
        raise ConfigurationError(
            "is required",
            cloud=cloud,
            field="auth",
            remedy="Add it, or name a cloud of your clouds.yaml with 'cloud'",
        )
    auth = own.get("auth")
    if isinstance(auth, Mapping):
        own["auth_type"] = _auth_type(cloud, own.get("auth_type"), cast("Mapping[str, Any]", auth))
    settings = to_settings(OpenStackSettings, own, cloud=cloud)
    _check_urls(cloud, settings)
    _check_auth(cloud, settings)
    return settings


def _elsewhere(
    cloud: str, name: str, path: object, environment: Mapping[str, str]
) -> dict[str, Any]:
    """Return what is configured for OpenStack's own tools, without what is not used here."""
    if name == ENVVARS and path is None:
        found: Mapping[str, Any] = from_environment(environment)
        if not found:
            raise ConfigurationError(
                "no variable OS_* is set",
                cloud=cloud,
                field="cloud",
                remedy="Source the openrc file of the cloud first",
            )
    else:
        try:
            file = load(environment, None if path is None else str(path))
        except ConfigurationError as exc:
            exc.cloud = cloud
            raise
        if file is None:
            raise ConfigurationError(
                "there is no clouds.yaml",
                cloud=cloud,
                field="cloud",
                remedy="It is looked for in $OS_CLIENT_CONFIG_FILE, the working directory, "
                "~/.config/openstack and /etc/openstack; or set clouds_file",
            )
        if name not in file.clouds:
            raise ConfigurationError(
                f"{str(file.path)!r} has no cloud {name!r}",
                cloud=cloud,
                field="cloud",
                remedy=suggestion(name, file.clouds),
            )
        found = file.clouds[name]
    normal = _normal(found)
    regions: list[Any] = normal.get("regions") or []
    if len(regions) == 1:
        normal.setdefault("region_name", _region(regions[0]))
    known = {k: v for k, v in normal.items() if k in _KNOWN - {"driver", "cloud", "clouds_file"}}
    auth = known.get("auth")
    if isinstance(auth, dict):
        fields = cast("dict[str, Any]", auth)
        known["auth"] = {k: v for k, v in fields.items() if k in _KNOWN_AUTH}
    return known


def _region(region: Any) -> str:
    return region if isinstance(region, str) else str(region.get("name", ""))


def _normal(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the spellings that OpenStack's tools accept into one form; drop what is null."""
    normal = {str(k): v for k, v in entry.items() if v is not None}
    interface = normal.pop("endpoint_type", None)
    interface = normal.get("interface", interface)
    if isinstance(interface, str):
        normal["interface"] = interface.removesuffix("URL")
    insecure = normal.pop("insecure", None)
    if insecure is not None:
        normal.setdefault("verify", str(insecure).lower() not in ("1", "true", "yes", "on"))
    version = normal.get("identity_api_version")
    if isinstance(version, (int, float, str)):
        normal["identity_api_version"] = str(version).removeprefix("v").partition(".")[0]
    for old, service in (("volume", "block_storage"), ("volumev3", "block_storage")):
        url = normal.pop(f"{old}_endpoint_override", None)
        if url is not None:
            normal.setdefault(f"{service}_endpoint_override", url)
    if isinstance(normal.get("region_name"), (int, float)):
        normal["region_name"] = str(normal["region_name"])
    auth = normal.get("auth")
    if isinstance(auth, Mapping):
        normal["auth"] = _normal_auth(cast("Mapping[str, Any]", auth))
    return normal


def _normal_auth(auth: Mapping[str, Any]) -> dict[str, Any]:
    fields = {str(k): v for k, v in auth.items() if v not in (None, "")}
    for old, new in _OLD_NAMES.items():
        if old in fields:
            fields.setdefault(new, fields.pop(old))
            fields.pop(old, None)
    # YAML reads an id of digits as a number.
    return {
        k: str(v) if isinstance(v, int) and not isinstance(v, bool) else v
        for k, v in fields.items()
    }


def _auth_type(cloud: str, given: object, auth: Mapping[str, Any]) -> AuthType:
    """Tell how to log in; where it is not said, by what there is to log in with."""
    present: dict[AuthType, str] = {}
    if "password" in auth:
        present["password"] = "password"
    if any(key.startswith("application_credential_") for key in auth):
        present["application_credential"] = "an application credential"
    if "token" in auth:
        present["token"] = "token"
    if len(present) > 1:
        raise ConfigurationError(
            f"holds {' and '.join(present.values())}",
            cloud=cloud,
            field="auth",
            remedy="Keep the one to log in with",
        )
    if given is None:
        chosen: list[AuthType] = [*present, "password"]
        return chosen[0]
    found = _AUTH_TYPES.get(str(given))
    if found is None:
        raise ConfigurationError(
            f"{str(given)!r} is no way to log in that this driver knows",
            cloud=cloud,
            field="auth_type",
            remedy=suggestion(str(given), _AUTH_TYPES),
        )
    return found


def _check_urls(cloud: str, settings: OpenStackSettings) -> None:
    urls = {"auth.auth_url": settings.auth.auth_url}
    urls |= {name: getattr(settings, name) or "" for name in _OVERRIDES}
    for name, url in urls.items():
        if not url and name != "auth.auth_url":
            continue
        try:
            parts = urlsplit(url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise ConfigurationError(
                f"{url!r} is no URL",
                cloud=cloud,
                field=name,
                remedy="Write http://HOST[:PORT][/PATH] or https://…",
            )


def _check_auth(cloud: str, settings: OpenStackSettings) -> None:
    auth = settings.auth
    wanted: dict[str, bool] = {}
    if settings.auth_type == "token":
        wanted["token"] = bool(auth.token)
    elif settings.auth_type == "application_credential":
        wanted["application_credential_id"] = bool(
            auth.application_credential_id or auth.application_credential_name
        )
        wanted["application_credential_secret"] = bool(auth.application_credential_secret)
        if not auth.application_credential_id:
            wanted["username"] = bool(auth.username or auth.user_id)
    else:
        wanted["username"] = bool(auth.username or auth.user_id)
        wanted["password"] = bool(auth.password)
    for name, given in wanted.items():
        if not given:
            raise ConfigurationError(
                f"is required to log in by {str(settings.auth_type).replace('_', ' ')}",
                cloud=cloud,
                field=f"auth.{name}",
                remedy="Add it",
            )
    if settings.auth_type == "application_credential":
        for name in ("project_name", "project_id", "domain_name", "domain_id", "system_scope"):
            if settings.cloud is None and getattr(auth, name):
                raise ConfigurationError(
                    "cannot be chosen: an application credential carries its project",
                    cloud=cloud,
                    field=f"auth.{name}",
                    remedy="Remove it",
                )
