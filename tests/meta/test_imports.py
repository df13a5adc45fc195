"""Who may import whom, where import-linter, which sees modules and not names, cannot tell."""

import ast
from collections.abc import Iterator
from pathlib import Path

import anabranch
import anabranch.models

CONTRACT = {
    f"anabranch.{name}"
    for name in (
        "hooks",
        "models",
        "errors",
        "paging",
        "features",
        "cloud",
        "settings",
        "states",
        "reading",
        "redaction",
        "overlap",
    )
}
NOT_FOR_DRIVERS = {"Broker"}


def _imports(path: Path) -> Iterator[tuple[str, str]]:
    """Module and name of each import; a bare `import x` has no name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((module, alias.name) for alias in node.names)


def _of_core(path: Path) -> Iterator[tuple[str, str]]:
    for module, name in _imports(path):
        if module == "anabranch" and name and f"anabranch.{name}" in CONTRACT:
            yield f"anabranch.{name}", ""
        elif module == "anabranch" or module.startswith("anabranch."):
            yield module, name


def _sources(members, folder: str) -> Iterator[tuple[Path, str]]:
    for member in members:
        if member.path.parent.name == folder:
            for package in member.packages:
                yield from ((path, package.name) for path in sorted(package.rglob("*.py")))


def test_a_driver_imports_nothing_of_core_but_its_contract(members):
    wrong = []
    for path, _ in _sources(members, "plugins"):
        for module, name in _of_core(path):
            if module == "anabranch":
                fine = name in set(anabranch.__all__) - NOT_FOR_DRIVERS
            else:
                fine = any(module == c or module.startswith(f"{c}.") for c in CONTRACT)
                fine = fine and not any(part.startswith("_") for part in module.split("."))
                # A simulator is a server, and the kit's server is there for it.
                kit = f"{module}.".startswith("anabranch.testing.")
                fine = fine or (kit and "simulator" in path.parts)
            if not fine or name.startswith("_"):
                wrong.append(f"{path}: {module} {name}")
    assert not wrong


def test_a_front_end_imports_nothing_of_core_but_its_public_names(members):
    wrong = []
    for path, _ in _sources(members, "frontends"):
        for module, name in _of_core(path):
            public = module == "anabranch.models" and name in {"", *anabranch.models.__all__}
            testing = module == "anabranch.testing" or module.startswith("anabranch.testing.")
            top = module == "anabranch" and name in {"", *anabranch.__all__}
            if not (public or testing or top):
                wrong.append(f"{path}: {module} {name}")
    assert not wrong


def test_a_driver_works_without_its_simulator(members):
    """The simulator is an extra: outside it, nothing imports it, nor what it needs."""
    extra = {"starlette", "uvicorn", "httptools"}
    wrong = []
    for path, package in _sources(members, "plugins"):
        if "simulator" in path.parts:
            continue
        for module, name in _imports(path):
            parts = [*module.split("."), name]
            own = parts[0] in {"", package}
            if parts[0] in extra or (own and "simulator" in parts):
                wrong.append(f"{path}: {module} {name}")
    assert not wrong
