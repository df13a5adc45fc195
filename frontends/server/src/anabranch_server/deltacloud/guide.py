"""The documentation of the API, made from its vocabulary: what can be asked, and with what.

Its XML is what Deltacloud's was, which the client up to 1.1.2 reads, with more attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from anabranch import OPERATIONS
from anabranch_server.deltacloud.documents.markup import DECLARATION, attribute, element
from anabranch_server.deltacloud.rendering import rendered
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Action, Collection, Parameter
from anabranch_server.problems import nothing_here

__all__ = ["guide"]

_Told = Mapping[str, Any]

_RUN: Final = "Run a command on an instance, by SSH"
"""What no driver does, but the server."""


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
        xml=lambda: f"{DECLARATION}<docs>\n{''.join(_xml(document))}</docs>\n".encode(),
        plain=lambda: document,
    )


def _document(request: Request, rest: Sequence[str]) -> _Told | None:
    match rest:
        case []:
            return {"collections": [_summary(request, c) for c in COLLECTIONS.values()]}
        case [name] if name in COLLECTIONS:
            collection = COLLECTIONS[name]
            operations = list(_operations(request, collection))
            return {"collection": {**_summary(request, collection), "operations": operations}}
        case [name, wanted] if name in COLLECTIONS:
            for one in _operations(request, COLLECTIONS[name]):
                if one["name"] == wanted:
                    return {"operation": one}
            return None
        case _:
            return None


def _summary(request: Request, collection: Collection) -> _Told:
    return {
        "name": collection.name,
        "title": collection.title,
        "href": request.view.collection(f"docs/{collection.name}"),
    }


def _operations(request: Request, collection: Collection) -> Iterator[_Told]:
    path = f"/api/{collection.name}"
    for name, method, where, status, operation, parameters in (
        ("index", "GET", path, 200, collection.index_operation, collection.filters),
        ("show", "GET", f"{path}/:id", 200, collection.show_operation, ()),
        *(
            (a.name, a.method, path + _below(a), a.status, a.operation, a.parameters)
            for a in collection.actions
        ),
    ):
        yield {
            "name": name,
            "method": method,
            "path": where,
            "status": status,
            "href": request.view.collection(f"docs/{collection.name}/{name}"),
            "description": _described(operation),
            "parameters": [_parameter(parameter) for parameter in parameters],
        }


def _described(operation: str) -> str:
    """Return the first sentence about an operation of the broker."""
    known = OPERATIONS.get(operation)
    return _RUN if known is None else known.summary.partition(". ")[0].rstrip(".")


def _below(action: Action) -> str:
    member = "/:id" if action.member else ""
    return f"{member}/{action.paths[0]}" if action.paths else member


def _parameter(parameter: Parameter) -> _Told:
    told = {
        "name": ", ".join(parameter.names),
        "type": parameter.kind,
        "required": parameter.required,
        "choices": list(parameter.choices),
        "feature": parameter.feature.value if parameter.feature else "",
        "description": parameter.help,
    }
    return {name: value for name, value in told.items() if value not in ("", [])}


def _xml(document: _Told) -> Iterator[str]:
    if collections := document.get("collections"):
        yield "  <collections>\n"
        for one in collections:
            yield f"    <collection{_attributes(one)}></collection>\n"
        yield "  </collections>\n"
    elif collection := document.get("collection"):
        yield f"  <collection{_attributes(collection)}>\n"
        yield f"    <description>{attribute(collection['title'])}</description>\n"
        yield "    <operations>\n"
        for one in collection["operations"]:
            yield from _operation_xml(one, "      ")
        yield "    </operations>\n  </collection>\n"
    else:
        yield from _operation_xml(document["operation"], "  ")


def _operation_xml(one: _Told, margin: str) -> Iterator[str]:
    yield f"{margin}<operation{_attributes(one)}>\n"
    yield element(f"{margin}  ", "description", one["description"])
    for each in one["parameters"]:
        needed = "required" if each["required"] else "optional"
        yield f"{margin}  <parameter name='{attribute(each['name'])}' type='{needed}'>\n"
        for tag, key in (("class", "type"), ("feature", "feature"), ("description", "description")):
            yield element(f"{margin}    ", tag, each.get(key))
        if choices := each.get("choices"):
            values = "".join(element(f"{margin}      ", "value", value) for value in choices)
            yield f"{margin}    <values>\n{values}{margin}    </values>\n"
        yield f"{margin}  </parameter>\n"
    yield f"{margin}</operation>\n"


def _attributes(one: _Told) -> str:
    """Write what is single as attributes."""
    return "".join(
        f" {name}='{attribute(str(value))}'"
        for name, value in one.items()
        if name != "description" and not isinstance(value, list)
    )
