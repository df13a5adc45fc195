"""The documentation of the API, made from its vocabulary: what can be asked, and with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from anabranch_server.deltacloud.documents.markup import DECLARATION, attribute, text
from anabranch_server.deltacloud.problems import nothing_here
from anabranch_server.deltacloud.rendering import rendered
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Action, Collection, Parameter

__all__ = ["guide"]


def guide(request: Request, rest: Sequence[str]) -> Reply:
    """Document the API, a collection of it, or an operation of that.

    Args:
        request: The request.
        rest: The path below `docs`: nothing, a collection, or a collection and an operation.

    Raises:
        Problem: there is no such thing.
    """
    document = _document(request, rest)
    if document is None or request.call.method not in ("GET", "HEAD"):
        raise nothing_here(request.call.url)
    return rendered(
        request,
        " ".join(("Documentation", *rest)),
        xml=lambda: f"{DECLARATION}{_xml('docs', document)}".encode(),
        plain=lambda: document,
    )


def _document(request: Request, rest: Sequence[str]) -> Mapping[str, Any] | None:
    match rest:
        case []:
            return {"collections": [_summary(request, c) for c in COLLECTIONS.values()]}
        case [name] if name in COLLECTIONS:
            collection = COLLECTIONS[name]
            operations = [one for one, _ in _operations(request, collection)]
            return {"collection": {**_summary(request, collection), "operations": operations}}
        case [name, wanted] if name in COLLECTIONS:
            for one, parameters in _operations(request, COLLECTIONS[name]):
                if one["name"] == wanted:
                    told = [_parameter(parameter) for parameter in parameters]
                    return {"operation": {**one, "parameters": told}}
            return None
        case _:
            return None


def _summary(request: Request, collection: Collection) -> dict[str, Any]:
    return {
        "name": collection.name,
        "title": collection.title,
        "href": request.view.collection(f"docs/{collection.name}"),
    }


def _operations(
    request: Request, collection: Collection
) -> list[tuple[dict[str, Any], Sequence[Parameter]]]:
    """Return the operations of a collection, each with its parameters."""
    path = f"/api/{collection.name}"
    found = [
        ("index", "GET", path, 200, collection.filters),
        ("show", "GET", f"{path}/:id", 200, ()),
        *(
            (action.name, action.method, path + _below(action), action.status, action.parameters)
            for action in collection.actions
        ),
    ]
    return [
        (
            {
                "name": name,
                "method": method,
                "path": where,
                "status": status,
                "href": request.view.collection(f"docs/{collection.name}/{name}"),
            },
            parameters,
        )
        for name, method, where, status, parameters in found
    ]


def _below(action: Action) -> str:
    member = "/:id" if action.member else ""
    return f"{member}/{action.paths[0]}" if action.paths else member


def _parameter(parameter: Parameter) -> dict[str, Any]:
    told = {
        "name": ", ".join(parameter.names),
        "type": parameter.kind,
        "required": parameter.required,
        "choices": list(parameter.choices),
        "feature": parameter.feature.value if parameter.feature else "",
        "description": parameter.help,
    }
    return {name: value for name, value in told.items() if value not in ("", [])}


_SINGULAR: Final = {
    "collections": "collection",
    "operations": "operation",
    "parameters": "parameter",
    "choices": "choice",
}


def _xml(name: str, value: object, margin: str = "") -> str:
    """Write a plain document: what is single as attributes, the rest as children."""
    told = inner = ""
    if isinstance(value, dict):
        for key, one in cast("dict[str, object]", value).items():
            if isinstance(one, (dict, list)):
                inner += _xml(key, cast("object", one), f"{margin}  ")
            else:
                told += f" {key}='{attribute(_word(one))}'"
    elif isinstance(value, list):
        items = cast("list[object]", value)
        inner = "".join(_xml(_SINGULAR[name], one, f"{margin}  ") for one in items)
    else:
        return f"{margin}<{name}>{text(str(value))}</{name}>\n"
    return f"{margin}<{name}{told}>\n{inner}{margin}</{name}>\n"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
