"""What the user has configured for OpenStack's own tools: clouds.yaml and OS_*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from anabranch.errors import ConfigurationError

__all__ = ["ENVVARS", "CloudsFile", "from_environment", "load", "merge"]

ENVVARS: Final = "envvars"
"""The name under which OpenStack's tools know the cloud that OS_* describe."""

_SUFFIXES: Final = ("yaml", "yml", "json")

_AUTH_VARIABLES: Final = {
    "OS_AUTH_URL": "auth_url",
    "OS_USERNAME": "username",
    "OS_USER_ID": "user_id",
    "OS_USER_DOMAIN_NAME": "user_domain_name",
    "OS_USER_DOMAIN_ID": "user_domain_id",
    "OS_PASSWORD": "password",
    "OS_TENANT_NAME": "project_name",
    "OS_TENANT_ID": "project_id",
    "OS_PROJECT_NAME": "project_name",
    "OS_PROJECT_ID": "project_id",
    "OS_PROJECT_DOMAIN_NAME": "project_domain_name",
    "OS_PROJECT_DOMAIN_ID": "project_domain_id",
    "OS_DOMAIN_NAME": "domain_name",
    "OS_DOMAIN_ID": "domain_id",
    "OS_SYSTEM_SCOPE": "system_scope",
    "OS_DEFAULT_DOMAIN": "default_domain_id",
    "OS_DEFAULT_DOMAIN_ID": "default_domain_id",
    "OS_DEFAULT_DOMAIN_NAME": "default_domain_name",
    "OS_APPLICATION_CREDENTIAL_ID": "application_credential_id",
    "OS_APPLICATION_CREDENTIAL_NAME": "application_credential_name",
    "OS_APPLICATION_CREDENTIAL_SECRET": "application_credential_secret",
    "OS_TOKEN": "token",
}
_VARIABLES: Final = {
    "OS_AUTH_TYPE": "auth_type",
    "OS_REGION_NAME": "region_name",
    "OS_ENDPOINT_TYPE": "interface",
    "OS_INTERFACE": "interface",
    "OS_IDENTITY_API_VERSION": "identity_api_version",
    "OS_CACERT": "cacert",
    "OS_COMPUTE_ENDPOINT_OVERRIDE": "compute_endpoint_override",
    "OS_IMAGE_ENDPOINT_OVERRIDE": "image_endpoint_override",
    "OS_NETWORK_ENDPOINT_OVERRIDE": "network_endpoint_override",
    "OS_BLOCK_STORAGE_ENDPOINT_OVERRIDE": "block_storage_endpoint_override",
    "OS_LOAD_BALANCER_ENDPOINT_OVERRIDE": "load_balancer_endpoint_override",
    "OS_OBJECT_STORE_ENDPOINT_OVERRIDE": "object_store_endpoint_override",
    "OS_METRIC_ENDPOINT_OVERRIDE": "metric_endpoint_override",
}


class CloudsFile(msgspec.Struct, frozen=True):
    """The clouds of a clouds.yaml, with secure.yaml and the vendor's profiles merged in.

    Attributes:
        path: The file.
        usual: Whether it is found without a variable, wherever one is.
        clouds: The entries, by name.
    """

    path: Path
    usual: bool
    clouds: Mapping[str, Mapping[str, Any]]


def load(environment: Mapping[str, str], path: str | None = None) -> CloudsFile | None:
    """Read the clouds.yaml that OpenStack's tools would read; None: there is none.

    Args:
        environment: Environment variables.
        path: The file to read instead; `~` is the home directory.

    Raises:
        ConfigurationError: a file cannot be read, or is not of the form.
    """
    home = Path(environment.get("HOME") or Path.home())
    folders = list(_folders(environment, home))
    if path is not None:
        file = home / path[2:] if path.startswith("~/") else Path(path)
        if not file.is_file():
            raise ConfigurationError(f"there is no file {str(file)!r}", field="clouds_file")
        found: tuple[Path, bool] | None = (file, False)
    else:
        found = _clouds_path(environment, folders)
    if found is None:
        return None
    file, usual = found
    clouds = _section(_read(file), "clouds", file)
    beside = [file.parent, *folders]
    named = environment.get("OS_CLIENT_SECURE_FILE")
    secure = Path(named) if named else _first(beside, "secure")
    if secure is not None and secure.is_file():
        secrets = _section(_read(secure), "clouds", secure)
        clouds = {name: merge(entry, secrets.get(name, {})) for name, entry in clouds.items()}
    public = _first(beside, "clouds-public")
    if public is not None:
        profiles = _section(_read(public), "public-clouds", public)
        clouds = {name: _with_profile(entry, profiles) for name, entry in clouds.items()}
    return CloudsFile(file.absolute(), usual, clouds)


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the entry that the OS_* variables amount to; empty: there are none."""
    auth = {
        key: value
        for name, key in _AUTH_VARIABLES.items()
        if (value := environment.get(name, "").strip())
    }
    entry: dict[str, Any] = {
        key: value
        for name, key in _VARIABLES.items()
        if (value := environment.get(name, "").strip())
    }
    if environment.get("OS_INSECURE", "").strip().lower() in ("1", "true", "yes", "on"):
        entry["verify"] = False
    return {**entry, "auth": auth} if auth else {}


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one entry over another: mappings key by key, the rest by replacement."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(cast("Any", old), cast("Any", value)) if both else value
    return merged


def _folders(environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    yield Path()
    configured = environment.get("XDG_CONFIG_HOME")
    yield (Path(configured) if configured else home / ".config") / "openstack"
    yield Path("/etc/openstack")


def _clouds_path(
    environment: Mapping[str, str], folders: Sequence[Path]
) -> tuple[Path, bool] | None:
    named = environment.get("OS_CLIENT_CONFIG_FILE")
    if named and Path(named).is_file():
        return Path(named), False
    here = _first(folders[:1], "clouds")
    if here is not None:
        return here, False
    elsewhere = _first(folders[1:], "clouds")
    return (elsewhere, True) if elsewhere is not None else None


def _first(folders: Sequence[Path], stem: str) -> Path | None:
    for folder in folders:
        for suffix in _SUFFIXES:
            if (file := folder / f"{stem}.{suffix}").is_file():
                return file
    return None


def _read(file: Path) -> Mapping[str, Any]:
    import yaml  # most programs never read a clouds.yaml

    try:
        found: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationError(f"{str(file)!r} cannot be read: {exc.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{str(file)!r} is no text in UTF-8") from None
    except yaml.MarkedYAMLError as exc:
        # The text of the error would show the line, and in it perhaps a password.
        line = f" (line {exc.problem_mark.line + 1})" if exc.problem_mark else ""
        raise ConfigurationError(f"{str(file)!r} is no YAML{line}") from None
    except yaml.YAMLError:
        raise ConfigurationError(f"{str(file)!r} is no YAML") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ConfigurationError(f"{str(file)!r} holds no mapping")
    return cast("dict[str, Any]", found)


def _section(document: Mapping[str, Any], name: str, file: Path) -> dict[str, Mapping[str, Any]]:
    section: Any = document.get(name) or {}
    if not isinstance(section, dict):
        raise ConfigurationError(f"{name!r} in {str(file)!r} is no mapping")
    entries: dict[Any, Any] = cast("Any", section)
    return {str(k): v for k, v in entries.items() if isinstance(v, Mapping)}


def _with_profile(
    entry: Mapping[str, Any], profiles: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    profile = profiles.get(str(entry.get("profile") or entry.get("cloud")))
    return merge(profile, entry) if profile else entry
