"""`anabranch.yaml`: finding it, reading it, and what the environment puts over it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import yaml
from msgspec import Meta

from anabranch.errors import ConfigurationError
from anabranch.ids import check_cloud_name
from anabranch.plugins import PluginRules
from anabranch.settings import suggestion, to_settings

__all__ = ["FILE_NAME", "Configuration", "find_configuration", "load_configuration"]

FILE_NAME: Final = "anabranch.yaml"


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `anabranch.yaml` says. The entries of the clouds are checked by their drivers."""

    clouds: Annotated[
        Mapping[str, Mapping[str, Any]],
        Meta(description="The clouds by name; each entry names its `driver` and its settings"),
    ] = msgspec.field(default_factory=dict[str, Mapping[str, Any]])
    timeout: Annotated[
        float, Meta(gt=0, description="Seconds that a listing of all clouds may take, per cloud")
    ] = 10.0
    require: Annotated[
        str | int,
        Meta(description="Clouds that must answer in full: `any` (one), `all`, or a number"),
    ] = "any"
    plugins: Annotated[PluginRules, Meta(description="Which drivers may be loaded")] = PluginRules()
    source: Annotated[
        str, Meta(description="Where it was read from; set by the loader, not in the file")
    ] = ""

    def select(
        self, names: Iterable[str] | None = None, drivers: Iterable[str] | None = None
    ) -> Configuration:
        """Return the configuration with only some of its clouds, in its own order.

        Args:
            names: Names of clouds; None or empty: all.
            drivers: Kinds of driver; None or empty: all.

        Raises:
            ConfigurationError: there is no cloud of that name, or none of that kind.
        """
        wanted, kinds = set(names or ()), set(drivers or ())
        for name in wanted - set(self.clouds):
            raise ConfigurationError(
                f"there is no cloud {name!r}", remedy=suggestion(name, self.clouds)
            )
        configured = {str(entry.get("driver")) for entry in self.clouds.values()}
        for kind in kinds - configured:
            raise ConfigurationError(
                f"no cloud has the driver {kind!r}", remedy=suggestion(kind, configured)
            )
        chosen = {
            name: entry
            for name, entry in self.clouds.items()
            if (not wanted or name in wanted) and (not kinds or entry.get("driver") in kinds)
        }
        return msgspec.structs.replace(self, clouds=chosen)


def find_configuration(environment: Mapping[str, str] | None = None) -> Path | None:
    """Return the file that is in force: `ANABRANCH_CONFIG`, the working directory's, the user's.

    Raises:
        ConfigurationError: `ANABRANCH_CONFIG` names a file that is not there.
    """
    environment = os.environ if environment is None else environment
    if named := environment.get("ANABRANCH_CONFIG"):
        return Path(named)
    here = Path(FILE_NAME)
    if here.is_file():
        return here
    # Costs 40 ms of CPU, and most who have a file here never come this far.
    import platformdirs

    user = platformdirs.user_config_path("anabranch", appauthor=False) / FILE_NAME
    return user if user.is_file() else None


def load_configuration(path: str | os.PathLike[str] | None = None) -> Configuration:
    """Read the configuration: the file, and over it what environment variables set.

    `ANABRANCH_CLOUDS__LISBON__AUTH__PASSWORD=…` sets `clouds.lisbon.auth.password`, and so on for
    any field; names match whatever their case, with `_` for `-`.

    Args:
        path: The file; None: see `find_configuration`. No file at all is an empty configuration.

    Raises:
        ConfigurationError: the file cannot be read, is no YAML, names a cloud twice, or has a
            field that there is not.
    """
    file = Path(path) if path is not None else find_configuration()
    document = _read(file) if file else {}
    if any(name.upper().startswith(_OVERRIDES) for name in os.environ):
        # pydantic-settings costs 0.3 s of CPU to import: only for those who use variables.
        from anabranch.environment import overrides

        _merge(document, overrides())
    for name, entry in _clouds(document).items():
        check_cloud_name(name)
        if not isinstance(entry, dict):
            raise ConfigurationError("is no mapping of settings", cloud=name)
        if "driver" not in entry:
            raise ConfigurationError(
                "is required", cloud=name, field="driver", remedy="Add driver: KIND"
            )
    document["source"] = str(file) if file else ""
    configuration = to_settings(Configuration, document, cloud="")
    _check_require(configuration.require)
    return configuration


_OVERRIDES: Final = ("ANABRANCH_CLOUDS__", "ANABRANCH_TIMEOUT", "ANABRANCH_REQUIRE")


class _Loader(yaml.CSafeLoader):
    """Reads YAML, and refuses a key that stands twice in a mapping instead of dropping one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                line = key.start_mark.line + 1
                msg = f"{key.value!r} stands twice, the second time in line {line}"
                raise ConfigurationError(msg, remedy="Rename or remove one of them")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _read(file: Path) -> dict[str, Any]:
    try:
        document: Any = yaml.load(file.read_bytes(), Loader=_Loader)  # noqa: S506  it is a SafeLoader
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {str(file)!r}") from None
    except OSError as exc:
        raise ConfigurationError(f"{str(file)!r} cannot be read: {exc.strerror}") from None
    except yaml.MarkedYAMLError as exc:
        line = f" in line {exc.problem_mark.line + 1}" if exc.problem_mark else ""
        raise ConfigurationError(f"{str(file)!r} is no YAML{line}: {exc.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigurationError(f"{str(file)!r} is no YAML") from None
    except ConfigurationError as exc:
        raise ConfigurationError(f"{file}: {exc.message}", remedy=exc.remedy) from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigurationError(
            f"{str(file)!r} holds no mapping", remedy="Begin it with 'clouds:'"
        )
    document.pop("source", None)
    return document


def _clouds(document: dict[str, Any]) -> dict[str, Any]:
    clouds: Any = document.get("clouds") or {}
    if not isinstance(clouds, dict):
        raise ConfigurationError("is no mapping of clouds by name", field="clouds")
    found = document["clouds"] = {str(name): entry for name, entry in clouds.items()}
    return found


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    names = {str(name).lower().replace("-", "_"): name for name in base}
    for key, value in over.items():
        name = names.get(key.lower(), key)
        if isinstance(value, Mapping) and isinstance(base.get(name), dict):
            _merge(base[name], value)
        else:
            base[name] = value


def _check_require(require: str | int) -> None:
    text = str(require)
    if text not in ("any", "all") and not text.isdigit():
        raise ConfigurationError(f"{require!r} is none of: any, all, a number", field="require")
