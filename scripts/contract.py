"""Write tests/compat/contract.txt: what drivers, and callers of their operations, stand on.

Run it with `.venv/bin/python scripts/contract.py`. It adds what is new; it refuses to take away or
to change a line, and to add what is required where something is already, as long as `API_VERSION`
is the same. docs/reference/compatibility.md is the policy, and a test compares the file.
"""

import enum
import importlib
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

FILE = Path(__file__).parents[1] / "tests" / "compat" / "contract.txt"
MODULES = (
    "anabranch.hooks",
    "anabranch.models",
    "anabranch.errors",
    "anabranch.paging",
    "anabranch.features",
    "anabranch.cloud",
    "anabranch.settings",
    "anabranch.states",
    "anabranch.redaction",
    "anabranch.reading",
    "anabranch.overlap",
    "anabranch",
)
"""What a driver may import, and what programs do; what both only meet there is in `MET`."""
MET = (
    ("anabranch.http", "HttpClient"),
    ("anabranch.http", "Response"),
    ("anabranch.http", "StreamedResponse"),
    ("anabranch.logs", "EventLog"),
    ("anabranch.ids", "QualifiedId"),
    ("anabranch.testing.simulation", "SimulatedCloud"),
    ("anabranch.testing.simulation", "Simulator"),
)
ENTRY_POINTS = ("anabranch.plugins:DRIVER_GROUP", "anabranch.testing.simulation:ENTRY_POINT_GROUP")
REQUIRED = " required"


def lines() -> list[str]:
    """The contract of today: a line for each thing that somebody may rely on."""
    from anabranch.hooks import API_VERSION

    found = [f"api-version {API_VERSION}"]
    for place in ENTRY_POINTS:
        module, _, name = place.partition(":")
        found.append(f"entry-points {getattr(importlib.import_module(module), name)}")
    found += _hooks()
    found += _features()
    told: set[int] = set()
    for module in MODULES:
        for name in importlib.import_module(module).__all__:
            found += _public(module, name, told)
    for module, name in MET:
        found += _public(module, name, told)
    return found


def breaches(before: Iterable[str], now: Iterable[str]) -> list[str]:
    """What breaks those who stand on the contract as it was before."""
    old, new = list(before), list(now)
    if old[:1] != new[:1]:  # another version of the contract: for that it is there
        return []
    owners = {line.split()[1] for line in old}
    kept = set(new)
    lost = [f"gone or changed: {line}" for line in old if line not in kept]
    known = set(old)
    return lost + [
        f"added, and required: {line}"
        for line in new
        if line not in known and line.endswith(REQUIRED) and line.split()[1] in owners
    ]


def _hooks() -> Iterator[str]:
    from anabranch.hooks import PROJECT, DriverSpec

    for name in dir(DriverSpec):
        hook = getattr(DriverSpec, name)
        if hasattr(hook, f"{PROJECT}_spec"):
            returned = inspect.get_annotations(hook)["return"]
            yield f"hook {name} -> {_told(returned)}"
            yield from _parameters(f"hook {name}", hook)


def _features() -> Iterator[str]:
    from anabranch.features import FEATURES

    for feature, (operations, fields) in FEATURES.items():
        for operation in operations:
            for field in fields:
                yield f"feature {feature.value} {operation}({field})"


def _public(module: str, name: str, told: set[int]) -> Iterator[str]:
    thing = getattr(importlib.import_module(module), name)
    yield f"name {module}.{name}"
    if id(thing) in told:
        return
    told.add(id(thing))
    if isinstance(thing, type):
        yield from _class(thing)
    elif inspect.isfunction(thing):
        yield from _parameters(f"function {name}", thing)


def _class(cls: type[Any]) -> Iterator[str]:
    name = cls.__name__
    for base in cls.__mro__[1:]:
        if base.__module__.startswith("anabranch."):
            yield f"class {name} is {base.__name__}"
    if issubclass(cls, enum.Enum):
        for member in cls:
            yield f"value {name} {member.name} = {member.value!r}"
    elif issubclass(cls, msgspec.Struct):
        yield from _fields(cls)
    elif "__init__" in vars(cls) and not getattr(cls, "_is_protocol", False):
        yield from _parameters(f"method {name}.__init__", cls.__init__)
    for attribute in sorted(vars(cls)):
        member = inspect.getattr_static(cls, attribute)
        member = getattr(member, "__func__", member)
        if attribute.startswith("_") or hasattr(member, "anabranch_spec"):
            continue
        if isinstance(member, property):
            yield f"property {name} {attribute}"
        elif inspect.isfunction(member):
            yield from _parameters(f"method {name}.{attribute}", inspect.unwrap(member))
    slots = vars(cls).get("__slots__", ())
    if not issubclass(cls, msgspec.Struct):
        yield from (f"attribute {name} {slot}" for slot in slots if not slot.startswith("_"))


def _fields(cls: type[msgspec.Struct]) -> Iterator[str]:
    parameters = inspect.signature(cls).parameters
    for number, field in enumerate(msgspec.structs.fields(cls), 1):
        by_name = parameters[field.name].kind is inspect.Parameter.KEYWORD_ONLY
        place = "" if by_name else f" [{number}]"
        end = REQUIRED if field.required else _default(field)
        yield f"field {cls.__name__}{place} {field.name}: {_told(field.type)}{end}"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default_factory is not msgspec.NODEFAULT:
        return " = a new one"
    return f" = {field.default!r}"


def _parameters(owner: str, function: Callable[..., Any]) -> Iterator[str]:
    yield f"{owner} is {'async' if inspect.iscoroutinefunction(function) else 'plain'}"
    for number, (name, parameter) in enumerate(inspect.signature(function).parameters.items()):
        if name in ("self", "cls"):
            continue
        by_name = parameter.kind is parameter.KEYWORD_ONLY
        many = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        given = parameter.default is not parameter.empty
        end = f" = {parameter.default!r}" if given else "" if many else REQUIRED
        place = "" if by_name else f" [{number}]"
        yield f"{owner}{place} {name}: {_told(parameter.annotation)}{end}"


def _told(kind: Any) -> str:
    """A type as it is written, without where it comes from and what is only told to people."""
    if isinstance(kind, str):
        return kind
    origin, members = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _told(members[0])
    if origin in (Union, types.UnionType):
        return " | ".join(_told(member) for member in members)
    if kind is type(None):
        return "None"
    if kind is ...:
        return "..."
    if isinstance(kind, list):
        return f"[{', '.join(_told(member) for member in typing.cast('list[Any]', kind))}]"
    if origin is not None:
        return f"{origin.__name__}[{', '.join(_told(member) for member in members)}]"
    return str(getattr(kind, "__name__", kind))


def main() -> int:
    """Add to the file what is new."""
    now = lines()
    before = FILE.read_text().splitlines() if FILE.exists() else now
    if wrong := breaches(before, now):
        sys.stderr.write("\n".join(wrong) + "\nSee docs/reference/compatibility.md\n")
        return 1
    FILE.write_text("\n".join(now) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
