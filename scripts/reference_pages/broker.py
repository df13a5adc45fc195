"""The page of the broker: its methods, its collections, and theirs."""

import inspect
from collections.abc import Iterator

from anabranch import Answer, Broker, Configuration
from anabranch.broker import BrokerBase
from anabranch.fanout import FanOut
from anabranch.hooks import COLLECTIONS
from reference_pages.markdown import call_text, raises_text, read, table

__all__ = ["collections", "methods", "page"]

INTRODUCTION = """# Broker

Made from `anabranch.Broker`: what programs use ([how](../how-to/embed.md)). Every collection is an
attribute; what can be done with each is told below the table. What acts on one thing takes its
`cloud/id`. All times are seconds.
"""


def page() -> str:
    """The whole page."""
    rows = []
    for name, kind in collections().items():
        of = [f"[`{n}`](#{owner.__name__.lower()}{n})" for n, owner, _ in methods(kind)]
        rows.append([f"`{name}`", " ".join(of)])
    parts = [
        INTRODUCTION,
        f"## Collections\n\n{table(['attribute', 'methods'], rows)}",
        f"## `Broker`\n\n{read(BrokerBase).text}\n\n{_described(BrokerBase, '__init__', 'Broker')}",
        *(_method(BrokerBase, name) for name, _, _ in methods(BrokerBase)),
    ]
    parts += [_class(kind) for kind in _classes()]
    parts += [_class(kind) for kind in (FanOut, Answer)]
    return "\n".join(parts)


def collections() -> dict[str, type]:
    """Return the class of each collection of a broker, by its attribute."""
    broker = Broker(Configuration())
    return {name: type(getattr(broker, name)) for name in COLLECTIONS}


def methods(kind: type) -> Iterator[tuple[str, type, object]]:
    """Return the public methods and properties of a class: name, where it stands, itself."""
    for name in sorted(n for n in dir(kind) if not n.startswith("_")):
        owner = next(c for c in kind.__mro__ if name in vars(c))
        found = vars(owner)[name]
        if inspect.isfunction(found) or isinstance(found, property):
            yield name, owner, found


def _classes() -> list[type]:
    """Return the classes of the collections, the general ones first."""
    found: list[type] = []
    for kind in collections().values():
        for base in reversed(kind.__mro__):
            if base not in found and base.__module__.startswith("anabranch.facade"):
                found.append(base)
    return found


def _class(kind: type) -> str:
    own = [name for name, owner, _ in methods(kind) if owner is kind]
    bases = [b.__name__ for b in kind.__bases__ if b.__module__ == kind.__module__ or own]
    bases = [f"`{b}`" for b in bases if b not in ("object", "Generic")]
    of = f"It can do what {' and '.join(bases)} can, too.\n\n" if bases else ""
    text = f"## `{kind.__name__}`\n\n{read(kind).text}\n\n{of}"
    return text + "\n".join(_method(kind, name) for name in own)


def _method(kind: type, name: str) -> str:
    anchor = f"{kind.__name__.removesuffix('Base').lower()}{name}"
    return f"### `{name}` {{#{anchor}}}\n\n{_described(kind, name, name)}"


def _described(kind: type, name: str, shown: str) -> str:
    found = vars(kind)[name]
    function = found.fget if isinstance(found, property) else found
    signature, doc = inspect.signature(function), read(function)
    result = signature.return_annotation
    if isinstance(found, property):
        code = f"```python\n{shown}: {result}\n```"
    else:
        lead = "async " if inspect.iscoroutinefunction(function) else ""
        code = call_text(lead + shown, _arguments(signature), result or "")
    text = f"{code}\n\n{doc.text}\n\n"
    if doc.parameters:
        rows = [[f"`{p}`", said] for p, said in doc.parameters.items()]
        text += f"{table(['parameter', 'what it is'], rows)}\n"
    if doc.returns:
        text += f"Returns: {doc.returns}\n\n"
    return text + raises_text(doc.raises)


def _arguments(signature: inspect.Signature) -> list[str]:
    """Return the parameters as they are written; annotations are texts here."""
    found: list[str] = []
    for parameter in list(signature.parameters.values())[1:]:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in "".join(found):
            found.append("*")
        found.append(str(parameter).replace("'", ""))
    return found
