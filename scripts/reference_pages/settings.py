"""The page of the settings: of the file, of any cloud, and of the clouds of each driver."""

import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from anabranch.configuration import Configuration
from anabranch.settings import CloudSettings
from reference_pages.drivers import bundled
from reference_pages.markdown import default, read, struct_docs, table, type_text

__all__ = ["classes", "page", "settings_of"]

INTRODUCTION = """# Settings

Made from the classes that check them. `anabranch.yaml` is looked for here, then in your
configuration directory; `ANABRANCH_CONFIG` or `--config` names another. Every setting can be given
by an [environment variable](environment.md) too. A setting that there is not is an error, and the
message names the nearest. `anabranch config check` tells all that is wrong; `anabranch config
schema [KIND]` prints the same as JSON schemas, for an editor to complete by.
"""


def page() -> str:
    """The whole page."""
    parts = [
        INTRODUCTION,
        f"## The file\n\n{read(Configuration).text}\n\n{_table(Configuration)}",
        *(_nested(kind) for kind in _structs_in(Configuration)),
        f"## Any cloud\n\n{read(CloudSettings).text}\n\n{_table(CloudSettings)}",
    ]
    for kind, driver in bundled().items():
        cls: type[msgspec.Struct] = driver.settings_type
        parts.append(
            f"## {driver.title}\n\n"
            f"With `driver: {kind}`. [The platform](../platforms/{kind}.md).\n\n"
            f"{_table(cls)}"
        )
        parts += [_nested(inner, of=driver.title) for inner in _structs_in(cls)]
    return "\n".join(parts)


def classes() -> list[type[msgspec.Struct]]:
    """Return every class that holds settings."""
    roots = [Configuration, CloudSettings, *(d.settings_type for d in bundled().values())]
    return [cls for root in roots for cls in (root, *_structs_in(root))]


def settings_of(cls: type[msgspec.Struct]) -> list[msgspec.structs.FieldInfo]:
    """Return the fields of a class that are its own, not as they are for any cloud."""
    fields = msgspec.structs.fields(cls)
    if cls is Configuration:
        return [f for f in fields if f.name != "source"]
    if cls is CloudSettings or not issubclass(cls, CloudSettings):
        return list(fields)
    common = {f.name: f for f in msgspec.structs.fields(CloudSettings)}
    return [f for f in fields if f.name not in common or _differ(f, common[f.name])]


def _differ(field: msgspec.structs.FieldInfo, other: msgspec.structs.FieldInfo) -> bool:
    return (field.type, field.default) != (other.type, other.default)


def _table(cls: type[msgspec.Struct]) -> str:
    docs = struct_docs(cls)
    hints = typing.get_type_hints(cls, include_extras=True)
    rows = [
        [
            f"`{f.encode_name}`",
            f"`{type_text(hints[f.name])}`",
            default(f),
            _limits(hints[f.name]),
            docs.get(f.name, ""),
        ]
        for f in settings_of(cls)
    ]
    return table(["setting", "type", "default", "limits", "what it is"], rows)


def _nested(cls: type[msgspec.Struct], of: str = "") -> str:
    title = f"### `{cls.__name__}`" + (f" of {of}" if of else "")
    return f"{title}\n\n{read(cls).text}\n\n{_table(cls)}"


def _structs_in(cls: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """Return the Structs that are values in a Struct, the outer before the inner."""
    found: list[type[msgspec.Struct]] = []
    for field in settings_of(cls):
        for kind in _structs(field.type):
            found += [k for k in (kind, *_structs_in(kind)) if k not in found]
    return found


def _structs(hint: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for arg in typing.get_args(hint):
        yield from _structs(arg)


def _limits(hint: Any) -> str:
    """Return the limits that a type sets, wherever they stand in it."""
    said: list[str] = []
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta):
            signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
            said += [f"{s} {v}" for n, s in signs.items() if (v := getattr(meta, n)) is not None]
            said += [f"at least {n} long" for n in [meta.min_length] if n]
            said += [f"at most {n} long" for n in [meta.max_length] if n]
    inner: tuple[Any, ...] = ()
    if typing.get_origin(hint) in (typing.Annotated, typing.Union, types.UnionType):
        inner = typing.get_args(hint)[:1]
    return ", ".join([*said, *(text for arg in inner if (text := _limits(arg)))])
