"""The page of the models: each with its fields, each enumeration with its values."""

import enum
import typing

import msgspec

from anabranch import models, states
from anabranch.paging import ItemProblem, Page
from reference_pages.markdown import default, member_docs, read, struct_docs, table, type_text

__all__ = ["enumerations", "page", "structs"]

INTRODUCTION = """# Models

Made from `anabranch.models`. They are frozen [Structs](https://jcristharif.com/msgspec/structs.html),
the same on every platform. What a platform does not tell is None or empty. Those whose names end
in `Spec` are what is to be made. As JSON a model is what `to_builtins` returns: times in ISO 8601,
UTC; secrets masked; the platform's own fields under `extra`, if they are asked for.

A resource has `qualified_id` too, `cloud/id`: what `broker.instances.start` and its like take.
"""


def structs() -> list[type[msgspec.Struct]]:
    """Return the models, as the package names them."""
    found = [getattr(models, name) for name in models.__all__]
    found = [m for m in found if isinstance(m, type) and issubclass(m, msgspec.Struct)]
    return [*found, ItemProblem]


def enumerations() -> list[type[enum.Enum]]:
    """Return the enumerations that models use."""
    found = [getattr(models, name) for name in models.__all__]
    found += [states.InstanceState, states.InstanceAction]
    return [m for m in found if isinstance(m, type) and issubclass(m, enum.Enum)]


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, "## Things, and what is to be made\n"]
    parts += [_struct(model) for model in structs()]
    parts.append(f"### `Page`\n\n{read(Page).text}\n\n{_attributes(Page)}")
    parts.append(f"### `BlobContent`\n\n{read(models.BlobContent).text}\n")
    parts.append("## Words\n")
    parts += [_enumeration(kind) for kind in enumerations()]
    return "\n".join(parts)


def _struct(model: type[msgspec.Struct]) -> str:
    docs, hints = struct_docs(model), typing.get_type_hints(model)
    rows = [
        [f"`{f.name}`", f"`{type_text(hints[f.name])}`", default(f), docs.get(f.name, "")]
        for f in msgspec.structs.fields(model)
    ]
    fields = table(["field", "type", "default", "what it is"], rows)
    return f"### `{model.__name__}`\n\n{read(model).text}\n\n{fields}"


def _attributes(kind: type) -> str:
    return table(["field", "what it is"], [[f"`{n}`", s] for n, s in read(kind).parameters.items()])


def _enumeration(kind: type[enum.Enum]) -> str:
    docs = member_docs(kind)
    rows = [[f"`{member.value}`", docs.get(member.name, "")] for member in kind]
    return f"### `{kind.__name__}`\n\n{read(kind).text}\n\n{table(['value', 'what it is'], rows)}"
