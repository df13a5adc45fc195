"""The page of the contract: each hook, and which driver offers it."""

import inspect

from anabranch.features import FEATURES, Feature
from anabranch.hooks import COLLECTIONS, DriverSpec, Ops
from anabranch.hooks.lifecycle import LifecycleSpec
from anabranch.operations import OPERATIONS, operations_of
from reference_pages.drivers import bundled, offers
from reference_pages.markdown import call_text, raises_text, read, table

__all__ = ["LIFECYCLE", "METHODS", "page"]

LIFECYCLE = tuple(name for name in vars(LifecycleSpec) if not name.startswith("_"))

METHODS = ("configure", "account")

INTRODUCTION = """# Hooks

Made from `anabranch.hooks`. A driver overrides the hooks that it offers, each marked `@hookimpl`
([how](../tutorials/first-driver.md)). Each is an operation too: `broker.call("lisbon",
Ops.start_instance, …)`, and most have a method of their own, `broker.instances.start`.

Every hook is `async def` and gets first the [`Cloud`](anabranch/anabranch.cloud.md) that it works
on. Beside the errors that are named, any may raise what befalls every request:
`AuthenticationError`, `PermissionDenied`, `RateLimited`, `CloudUnavailable`, `ProtocolError`
([all](errors.md)); `DeadlineExceeded` and `OperationNotSupported` are raised by the core.

*Idempotent*: doing it twice does what doing it once does, so the core may try again. A feature is
an optional parameter that a driver may honour; [features](features.md) tells which do.
"""


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, _matrix()]
    parts += [
        f"## {_title(collection)}\n\n{read(mixin).text}\n\n"
        + "\n".join(_hook(operation.name) for operation in operations_of(collection))
        for collection, mixin in COLLECTIONS.items()
    ]
    about = "\n".join(_hook(name) for name in LIFECYCLE)
    parts.append(f"## About a cloud\n\n{read(LifecycleSpec).text}\n\n{about}")
    parts += [
        f"### `{name}`\n\nNo hook, but a method that a driver may override; not `async`.\n\n"
        + _described(name, DriverSpec)
        for name in METHODS
    ]
    return "\n".join(parts)


def _matrix() -> str:
    drivers = bundled()
    rows = [
        [
            f"[`{name}`](#{name})",
            *("yes" if offers(driver, name) else "" for driver in drivers.values()),
        ]
        for name in (*OPERATIONS, *LIFECYCLE)
    ]
    totals = [f"{sum(1 for row in rows if row[i + 1])}" for i in range(len(drivers))]
    rows.append([f"of {len(rows)}", *totals])
    return f"## Who offers what\n\n{table(['hook', *drivers], rows)}"


def _hook(name: str) -> str:
    operation = OPERATIONS.get(name)
    facts = []
    if operation is not None:
        facts.append("changes something" if operation.mutates else "only reads")
        facts.append("idempotent" if operation.idempotent else "not idempotent")
    kinds = [kind for kind, driver in bundled().items() if offers(driver, name)]
    facts.append(f"offered by {', '.join(kinds)}" if kinds else "offered by no bundled driver")
    return f"### `{name}`\n\n{_described(name, Ops)}{_features(name)}*{'; '.join(facts)}.*\n"


def _described(name: str, owner: object) -> str:
    function = getattr(owner, name)
    doc = read(function)
    signature = inspect.signature(function)
    given = [p for p in signature.parameters.values() if p.name != "self"]
    arguments = [f"{p.name}: {p.annotation}" for p in given]
    text = f"{call_text(name, arguments, signature.return_annotation)}\n\n{doc.text}\n\n"
    told = {p: said for p, said in doc.parameters.items() if p != "cloud"}
    if told:
        text += f"{table(['parameter', 'what it is'], [[f'`{p}`', s] for p, s in told.items()])}\n"
    text += raises_text(doc.raises)
    return text


def _features(operation: str) -> str:
    found: list[Feature] = [f for f, where in FEATURES.items() if operation in where.operations]
    if not found:
        return ""
    return f"Features: {', '.join(f'[`{f}`](features.md#{f})' for f in found)}.\n\n"


def _title(collection: str) -> str:
    return collection.replace("_", " ").capitalize()
