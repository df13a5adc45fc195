"""The page of the errors: the tree, and each class."""

import inspect
from collections.abc import Iterator

from anabranch import errors
from anabranch.errors import AnabranchError, CloudError
from reference_pages.markdown import read, table

__all__ = ["classes", "page"]

INTRODUCTION = """# Errors

Made from `anabranch.errors`. Whatever Anabranch raises on purpose derives from `AnabranchError`;
what happened on a cloud, from `CloudError`. Each says what is wrong in one line, and what to do
about it in its `remedy`. No message holds a secret.

A listing raises no `CloudError`: it tells them in `answer.clouds`, each an `ErrorReport` with the
name of the class in `type`. All other operations raise.
"""


def page() -> str:
    """The whole page."""
    tree = "\n".join(_tree(AnabranchError))
    parts = [INTRODUCTION, f"## The tree\n\n```text\n{tree}\n```\n", "## Classes\n"]
    parts += [_class(kind) for kind in classes()]
    statuses = [400, 401, 403, 404, 408, 409, 410, 412, 429, 500, 501, 503]
    rows = [[str(s), f"`{errors.error_class(s).__name__}`"] for s in statuses]
    parts.append(
        f"## By HTTP status\n\nWhat `error_class` returns; a driver that reads more out of a reply "
        f"chooses a narrower class.\n\n{table(['status', 'class'], rows)}"
    )
    return "\n".join(parts)


def classes(root: type[Exception] = AnabranchError) -> list[type[Exception]]:
    """Return the public classes below and with `root`, depth first, in the order of the module."""
    return [root, *(kind for child in _below(root) for kind in classes(child))]


def _below(kind: type[Exception]) -> list[type[Exception]]:
    found = [c for c in vars(errors).values() if isinstance(c, type) and kind in c.__bases__]
    return [c for c in found if c.__module__ == errors.__name__]


def _tree(kind: type[Exception], lead: str = "") -> Iterator[str]:
    yield f"{lead}{kind.__name__}"
    children = _below(kind)
    inner = lead.replace("├── ", "│   ").replace("└── ", "    ")
    for child in children:
        branch = "└── " if child is children[-1] else "├── "
        yield from _tree(child, inner + branch)


def _class(kind: type[Exception]) -> str:
    doc = read(kind)
    parts = [f"### `{kind.__name__}`\n\n{doc.text}\n"]
    if issubclass(kind, CloudError):
        again = "may go well a little later" if kind.retryable else "will not go better by itself"
        parts.append(f"*`retryable` is {kind.retryable}: the same call {again}.*\n")
    if attributes := doc.parameters:
        parts.append(
            table(["attribute", "what it is"], [[f"`{n}`", s] for n, s in attributes.items()])
        )
    bases = [b.__name__ for b in kind.__bases__ if b.__module__ != errors.__name__]
    if bases and inspect.getmodule(kind.__bases__[0]) is errors:
        parts.append(f"It is a `{bases[0]}` too.\n")
    return "\n".join(parts)
