"""What the pages share: tables, types as people write them, and docstrings in parts."""

import enum
import inspect
import re
import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import griffe
import msgspec

__all__ = [
    "Doc",
    "call_text",
    "default",
    "member_docs",
    "raises_text",
    "read",
    "struct_docs",
    "table",
    "type_text",
]

_WIDTH = 90


class Doc(NamedTuple):
    """A docstring of Google's style, in parts; texts are Markdown."""

    text: str
    parameters: dict[str, str]
    raises: list[tuple[str, str]]
    returns: str = ""


def read(thing: object) -> Doc:
    """Read the docstring of a class or function."""
    text, parameters, raises, returns = [], {}, [], ""
    docstring = griffe.Docstring(inspect.getdoc(thing) or "")
    for section in griffe.parse_google(
        docstring,
        warn_unknown_params=False,
        warn_missing_types=False,
        returns_named_value=False,
        returns_type_in_property_summary=False,
    ):
        if section.kind in ("parameters", "attributes"):
            parameters |= {item.name: _line(item.description) for item in section.value}
        elif section.kind == "raises":
            raises += [(str(item.annotation), _line(item.description)) for item in section.value]
        elif section.kind == "returns":
            returns = " ".join(_line(item.description) for item in section.value)
        elif section.kind == "text":
            text.append(section.value)
    return Doc("\n\n".join(text), parameters, raises, returns)


def struct_docs(cls: type[msgspec.Struct]) -> dict[str, str]:
    """Return what is said of each field of a Struct, there or in what it derives from."""
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base is not msgspec.Struct and issubclass(base, msgspec.Struct):
            docs |= read(base).parameters if base.__dict__.get("__doc__") else {}
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        metas = (m for m in getattr(hint, "__metadata__", ()) if isinstance(m, msgspec.Meta))
        if said := next((m.description for m in metas if m.description), None):
            docs[name] = said
    return docs


def member_docs(cls: type[enum.Enum]) -> dict[str, str]:
    """Return the strings that stand below the members of an enumeration, as docs of those."""
    source = inspect.getsource(cls)
    found = re.findall(r'^    ([A-Z0-9_]+) = [^\n]*\n    """(.*?)"""', source, re.M | re.S)
    return {name: _line(text) for name, text in found}


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(_cell(c) for c in line)} |\n" for line in lines)


def type_text(hint: Any) -> str:
    """Return a type as people write it: without modules, and without its limits."""
    if typing.get_origin(hint) is typing.Annotated:
        return type_text(typing.get_args(hint)[0])
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return " | ".join(type_text(arg) for arg in typing.get_args(hint))
    if typing.get_origin(hint) is typing.Literal:
        return " | ".join(repr(arg) for arg in typing.get_args(hint))
    if hint is type(None):
        return "None"
    if hint is Ellipsis:
        return "…"
    name = getattr(typing.get_origin(hint) or hint, "__name__", str(hint))
    if arguments := typing.get_args(hint):
        return f"{name}[{', '.join(type_text(arg) for arg in arguments)}]"
    return str(name)


def default(field: msgspec.structs.FieldInfo) -> str:
    """Return the default of a field, or that there is none."""
    if field.required:
        return "required"
    value = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory()
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or isinstance(value, msgspec.Struct):
        return ""
    if isinstance(value, (tuple, dict)) or "Extra" in type(value).__name__:
        return "empty" if not value else "see below"
    return f"`{value}`"


def call_text(name: str, arguments: Sequence[str], result: str) -> str:
    """Return a signature as a block of code, on several lines where one is not enough."""
    end = f" -> {result}" if result and result != "None" else ""
    line = f"{name}({', '.join(arguments)}){end}"
    if len(line) > _WIDTH:
        line = f"{name}(\n{''.join(f'    {a},{chr(10)}' for a in arguments)}){end}"
    return f"```python\n{line}\n```"


def raises_text(raises: Iterable[tuple[str, str]]) -> str:
    """Return a table of errors, each led to its page; empty, if there are none."""
    rows = [[f"[`{error}`](errors.md#{error.lower()})", said] for error, said in raises]
    return f"{table(['raises', 'when'], rows)}\n" if rows else ""


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    """Escape what would end a cell; in code nothing does, and nothing may be escaped."""
    parts = text.split("`")
    return "`".join(p if i % 2 else p.replace("|", "\\|") for i, p in enumerate(parts))
