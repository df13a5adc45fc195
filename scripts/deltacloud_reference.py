"""Write docs/reference/deltacloud.md: the API of the server, as its own tables have it.

What people wrote of it is in deltacloud_reference.md beside this; tables and documents come from
the vocabulary, the drivers and a server of a mock cloud. A test fails when the page is out of date.
Run it with `.venv/bin/python scripts/deltacloud_reference.py`.
"""

import json
import re
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx  # noqa: TID251  a client of the server
from jinja2 import Environment, StrictUndefined
from reference_pages.drivers import bundled
from reference_pages.markdown import table

from anabranch import Broker, Capabilities, Configuration, errors
from anabranch_server import Application
from anabranch_server.deltacloud.reply import VERSION
from anabranch_server.deltacloud.vocabulary import (
    COLLECTIONS,
    Collection,
    OfferedFeature,
    Parameter,
    features_of,
)
from anabranch_server.problems import problem_of

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "deltacloud.md"
TEMPLATE = Path(__file__).with_suffix(".md")
SERVER = "http://127.0.0.1:3000"
WIDTH = 130
SHOWN = {
    "hardware_profiles": "m1-large",
    "instances": "inst1",
    "storage_volumes": "vol3",
    "addresses": "192.168.0.1",
}
"""Members of the mock cloud that show the most; of other collections the first does."""
VALUES = {
    "area": "text of several lines",
    "base64": "base64, or a file",
    "cidr": "block of addresses",
    "decimal": "number",
    "file": "file",
    "flag": "`true`, `false`",
    "number": "whole number",
    "pair": "text",
    "password": "text",
    "text": "text",
}
"""What the kinds of parameters are."""


def offered() -> Mapping[str, Capabilities]:
    """Return what the drivers offer, by kind."""
    return {kind: Capabilities.of(kind, driver) for kind, driver in bundled().items()}


def among(kinds: Iterable[str]) -> str:
    """Say which of the drivers."""
    found, every = set(kinds), set(offered())
    missing = sorted(every - found)
    if not found:
        return "no bundled driver"
    if not missing:
        return "all"
    return f"all but {missing[0]}" if len(missing) == 1 else ", ".join(sorted(found))


def operations(collection: Collection) -> Iterator[tuple[str, str, str, str, int]]:
    """Yield name, operation of the broker, method, path and status of each operation."""
    path = f"/api/{collection.name}"
    member = f"{path}/ID"
    yield "index", collection.index_operation, "GET", path, 200
    yield "show", collection.show_operation, "GET", member, 200
    for action in collection.actions:
        for below in action.paths or ("",):
            tail = f"/{re.sub(r'{(.*?)}', lambda found: found[1].upper(), below)}" if below else ""
            base = member if action.member else path
            yield action.name, action.operation, action.method, base + tail, action.status


def who(operation: str) -> str:
    """Say which drivers offer an operation."""
    if operation == "run_instance":
        return "[the daemon](#commands)"
    return among(kind for kind, capabilities in offered().items() if operation in capabilities)


def matrix() -> str:
    """Return the table of collections and drivers: how many of the operations each offers."""
    rows = []
    for collection in COLLECTIONS.values():
        wanted = {name: operation for name, operation, *_ in operations(collection)}
        wanted.pop("run", None)
        row = [f"[{collection.name}](#{collection.name})"]
        for capabilities in offered().values():
            missing = [name for name, operation in wanted.items() if operation not in capabilities]
            if collection.index_operation not in capabilities:
                row.append("")
            else:
                row.append(f"all but {', '.join(missing)}" if missing else "all")
        rows.append(row)
    return table(["collection", *offered()], rows)


def parameter_rows(collection: Collection) -> Iterator[list[str]]:
    """Yield a row for each parameter of each operation, but for the `id` that every list takes."""
    for parameter in collection.filters:
        if parameter.name != "id":
            yield ["index", *parameter_cells(parameter)]
    for action in collection.actions:
        for parameter in action.parameters:
            yield [action.name, *parameter_cells(parameter)]


def parameter_cells(parameter: Parameter) -> list[str]:
    """Return name, whether it must be given, value, and what else is to be said."""
    name = f"`{parameter.numbered or parameter.name}`"
    if parameter.count:
        name += f", 1 to {parameter.count}"
    if parameter.choices:
        value = ", ".join(f"`{choice}`" for choice in parameter.choices)
    elif parameter.kind in COLLECTIONS:
        value = f"id in [{parameter.kind}](#{parameter.kind})"
    else:
        value = VALUES[parameter.kind] + bounds(parameter)
    feature = parameter.name if parameter.operation else parameter.feature
    told = (parameter.help, f"[feature](#features) `{feature}`" if feature else "")
    return [name, "yes" if parameter.required else "", value, "; ".join(filter(None, told))]


def bounds(parameter: Parameter) -> str:
    """Say what numbers there are."""
    if parameter.least is None or parameter.kind != "number":
        return ""
    most = "" if parameter.most is None else f" to {parameter.most}"
    return f" from {parameter.least}{most}"


def collection_part(collection: Collection, sample: str) -> str:
    """Return the part of a collection."""
    rows = [
        [name, f"`{method} {path}`", str(status), who(operation)]
        for name, operation, method, path, status in operations(collection)
    ]
    parts = [
        f"### {collection.name}\n",
        table(["operation", "request", "status", "offered by"], rows),
    ]
    if parameters := [*parameter_rows(collection)]:
        parts.append(table(["operation", "parameter", "required", "value", ""], parameters))
    return "\n".join([*parts, sample])


def features() -> str:
    """Return the table of the features of each collection, and what drivers say of each."""
    rows = []
    for collection in COLLECTIONS.values():
        told: dict[tuple[str, str], dict[str, OfferedFeature]] = {}
        for kind, capabilities in offered().items():
            for feature in features_of(collection, capabilities):
                told.setdefault((feature.action, feature.name), {})[kind] = feature
        for (action, name), by_kind in told.items():
            first = next(iter(by_kind.values()))
            names = ", ".join(f"`{p.numbered or p.name}`" for p in first.parameters)
            cells = [limits(by_kind.get(kind)) for kind in offered()]
            rows.append([collection.name, action, f"`{name}`", names, *cells])
    return table(["collection", "operation", "feature", "parameters", *offered()], rows)


def limits(feature: OfferedFeature | None) -> str:
    """Say that a driver has a feature, and within which limits."""
    if feature is None:
        return ""
    told = [f"{name.replace('_', ' ')}: {value}" for name, value in feature.constraints.items()]
    return "; ".join(told) or "yes"


def error_rows() -> str:
    """Return a row for each class of error: its status, and what it is."""
    rows = []
    for name in errors.__all__:
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.CloudError):
            problem = problem_of(kind("it is told here"))
            first = (kind.__doc__ or "").partition("\n")[0].rstrip(".")
            rows.append(f"| [`{name}`](errors.md#{name.lower()}) | {problem.status} | {first} |\n")
    return "".join(rows)


def pretty(value: Any, margin: str = "") -> str:
    """Return JSON with what fits into a line in one."""
    line = json.dumps(value, ensure_ascii=False)
    if len(margin) + len(line) <= WIDTH or not isinstance(value, (dict, list)):
        return line
    deeper = f"{margin}  "
    if isinstance(value, dict):
        inner = [f"{json.dumps(k)}: {pretty(v, deeper)}" for k, v in value.items()]
        opening, closing = "{", "}"
    else:
        inner = [pretty(v, deeper) for v in value]
        opening, closing = "[", "]"
    joined = ",\n".join(f"{deeper}{line}" for line in inner)
    return f"{opening}\n{joined}\n{margin}{closing}"


async def documents(client: httpx.AsyncClient, path: str, **parameters: str) -> str:
    """Return what is answered at a path, in XML and in JSON."""
    xml = (await client.get(path, params={**parameters, "format": "xml"})).text
    plain = (await client.get(path, params={**parameters, "format": "json"})).json()
    xml = xml.partition("?>\n")[2]
    return f"```xml\n{xml.rstrip()}\n```\n\n```json\n{pretty(plain)}\n```\n"


async def sample(client: httpx.AsyncClient, collection: Collection) -> str:
    """Return a member of a collection as documents have it."""
    name = collection.name
    if name == "metrics":  # a member has samples of the last hour; the list has none
        return await documents(client, "/api/metrics", id="inst0")
    found = (await client.get(f"/api/{name}", params={"format": "json"})).json()[name]
    ident = SHOWN.get(name, found[0]["id"])
    return await documents(client, f"/api/{name}/{ident}")


@asynccontextmanager
async def serving(**clouds: dict[str, Any]) -> AsyncGenerator[httpx.AsyncClient]:
    """Serve mock clouds, by their names."""
    entries = {name: {"driver": "mock", **settings} for name, settings in clouds.items()}
    async with Application(Broker(Configuration(clouds=entries))) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=SERVER) as client:
            yield client


async def parts() -> dict[str, str]:
    """Return what the template has to be filled in with."""
    async with serving(lisbon={}) as client:
        made = [
            collection_part(collection, await sample(client, collection))
            for collection in COLLECTIONS.values()
        ]
        error = await documents(client, "/api/instances/nope")
    async with serving(lisbon={}, faro={"faults": [{"kind": "unavailable"}]}) as client:
        several = await documents(client, "/api/realms", id="us")
    return {
        "version": VERSION,
        "matrix": matrix(),
        "several": several,
        "collections": "\n".join(made),
        "features": features(),
        "errors": error_rows(),
        "error_document": error,
    }


async def page() -> str:
    """The whole page."""
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    return environment.from_string(TEMPLATE.read_text()).render(await parts())


if __name__ == "__main__":
    PAGE.write_text(anyio.run(page))
