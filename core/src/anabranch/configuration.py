"""`anabranch.yaml`: finding it, reading it, and what the environment puts over it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, cast

import msgspec
import yaml
from msgspec import Meta

from anabranch.answer import check_requirement
from anabranch.errors import ConfigurationError
from anabranch.ids import check_cloud_name
from anabranch.plugins import PluginRules
from anabranch.settings import suggestion, to_settings

__all__ = ["FILE_NAME", "Configuration", "check_entry", "find_configuration", "load_configuration"]

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
        # A string is an iterable of strings too, and no type checker minds.
        wanted = {names} if isinstance(names, str) else set(names or ())
        kinds = {drivers} if isinstance(drivers, str) else set(drivers or ())
        for name in sorted(wanted.difference(self.clouds)):
            raise ConfigurationError(
                f"there is no cloud {name!r}", remedy=suggestion(name, self.clouds)
            )
        configured = {str(entry.get("driver")) for entry in self.clouds.values()}
        for kind in sorted(kinds - configured):
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

    What `ANABRANCH_CONFIG` names is not looked for: `load_configuration` says if it is missing.
    """
    environment = os.environ if environment is None else environment
    if named := environment.get("ANABRANCH_CONFIG"):
        return Path(named).expanduser()
    here = Path(FILE_NAME)
    if here.is_file():
        return here
    # Costs 20 ms of CPU, and most who have a file here never come this far.
    import platformdirs

    user = platformdirs.user_config_path("anabranch", appauthor=False) / FILE_NAME
    return user if user.is_file() else None


def load_configuration(path: str | os.PathLike[str] | None = None) -> Configuration:
    """Read the configuration: the file, and over it what environment variables set.

    `ANABRANCH_CLOUDS__LISBON__AUTH__PASSWORD=…` sets `clouds.lisbon.auth.password`, and so on for
    any field; names match whatever their case, with `_` for `-`. A list is a JSON array:
    `ANABRANCH_PLUGINS__ALLOW='["openstack"]'`.

    Args:
        path: The file; None: see `find_configuration`. No file at all is an empty configuration.

    Raises:
        ConfigurationError: the file cannot be read, is no YAML, names a cloud twice, or has a
            field that there is not.
    """
    file = Path(path) if path is not None else find_configuration()
    document = _read(file) if file else {}
    if any(name.upper().startswith(_OVERRIDES) for name in os.environ):
        # pydantic-settings costs 0.16 s of CPU to import: only for those who use variables.
        from anabranch.environment import overrides

        _merge(document, overrides())
    for name, entry in _clouds(document).items():
        check_entry(name, entry)
    document["source"] = str(file) if file else ""
    configuration = to_settings(Configuration, document, cloud="")
    check_requirement(configuration.require, 0)
    return configuration


def check_entry(name: str, entry: Any) -> None:
    """See that a cloud may be called that, and that its entry names a driver.

    Raises:
        ConfigurationError: it may not, it is no mapping, or it names none.
    """
    check_cloud_name(name)
    if not isinstance(entry, Mapping):
        raise ConfigurationError("is no mapping of settings", cloud=name)
    if "driver" not in entry:
        raise ConfigurationError(
            "is required", cloud=name, field="driver", remedy="Add driver: KIND"
        )


_OVERRIDES: Final = (
    "ANABRANCH_CLOUDS",
    "ANABRANCH_PLUGINS",
    "ANABRANCH_REQUIRE",
    "ANABRANCH_TIMEOUT",
)


def _document(text: bytes) -> Any:
    """Read YAML, and refuse a key that stands twice in a mapping instead of dropping one."""
    loader = yaml.CSafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        # Before aliases and merges are resolved: those may say again what a mapping overrides.
        nodes, seen = [root], set[int]()
        while nodes:
            node = nodes.pop()
            if id(node) in seen or not isinstance(node, yaml.CollectionNode):
                continue
            seen.add(id(node))
            if isinstance(node, yaml.MappingNode):
                _refuse_repeats(node)
                nodes += [value for _, value in node.value]
            else:
                nodes += node.value
        document: Any = loader.construct_document(root)  # pyright: ignore[reportUnknownMemberType]
        return document
    finally:
        loader.dispose()


def _refuse_repeats(mapping: yaml.MappingNode) -> None:
    keys: set[str] = set()
    for key, _ in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if key.value in keys:
            line = key.start_mark.line + 1
            msg = f"{key.value!r} stands twice, the second time in line {line}"
            raise ConfigurationError(msg, remedy="Rename or remove one of them")
        keys.add(key.value)


def _read(file: Path) -> dict[str, Any]:
    try:
        document: Any = _document(file.read_bytes())
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
    fields = cast("dict[str, Any]", document)
    fields.pop("source", None)
    return fields


def _clouds(document: dict[str, Any]) -> dict[str, Any]:
    clouds: Any = document.get("clouds") or {}
    if not isinstance(clouds, dict):
        raise ConfigurationError("is no mapping of clouds by name", field="clouds")
    entries: dict[Any, Any] = clouds  # pyright: ignore[reportUnknownVariableType]
    found = document["clouds"] = {str(name): entry for name, entry in entries.items()}
    return found


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    names = {str(name).lower().replace("-", "_"): name for name in base}
    for key, value in over.items():
        name = names.get(key.lower(), key)
        if isinstance(value, Mapping) and isinstance(base.get(name), dict):
            _merge(base[name], cast("Mapping[str, Any]", value))
        else:
            base[name] = value
