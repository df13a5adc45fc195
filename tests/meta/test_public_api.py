"""Every `__all__` says exactly what is public, in order."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

PUBLIC_PACKAGES = {"anabranch", "anabranch.hooks", "anabranch.models", "anabranch.testing"}


def _modules(members) -> Iterator[tuple[str, Path]]:
    """Name and file of every module that is not private."""
    for member in members:
        for package in member.packages:
            for path in sorted(package.rglob("*.py")):
                parts = [package.name, *path.relative_to(package).with_suffix("").parts]
                if parts[-1] == "__init__":
                    parts.pop()
                if not any(part.startswith("_") for part in parts):
                    yield ".".join(parts), path


def _all_of(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
            assert isinstance(node, ast.Assign), "__all__ is written once, as a list"
            return ast.literal_eval(node.value)
    return None


def _defined(tree: ast.Module) -> set[str]:
    """Public classes and functions that the module itself defines.

    A handler is not: `@routes.get(…)` hands it to a table, and nobody needs its name.
    """
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name
        for node in tree.body
        if isinstance(node, kinds)
        and not node.name.startswith("_")
        and not any(
            isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)
            for decorator in node.decorator_list
        )
    }


def _re_exported(tree: ast.Module, package: str) -> set[str]:
    """Public names that a package's __init__ takes from its own modules."""
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        and (node.level or (node.module or "").partition(".")[0] == package.partition(".")[0])
        for alias in node.names
        if not (alias.asname or alias.name).startswith("_")
    }


def _order(name: str) -> tuple[int, list[tuple[bool, int, str]]]:
    """The order of ruff's RUF022: CONSTANTS, Classes, functions; digits count as numbers."""
    bare = name.replace("_", "")
    kind = 0 if bare.isupper() and len(bare) > 1 else 1 if name[:1].isupper() else 2
    pieces = [piece for piece in re.split(r"(\d+)", name) if piece]
    return kind, [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in pieces]


def test_the_public_packages_have_one(members):
    names = dict(_modules(members))
    assert names.keys() >= PUBLIC_PACKAGES
    for package in PUBLIC_PACKAGES:
        assert _all_of(ast.parse(names[package].read_text())), package


def test_it_is_sorted_without_repeats(members):
    for name, path in _modules(members):
        public = _all_of(ast.parse(path.read_text()))
        if public is not None:
            assert public == sorted(set(public), key=_order), name


def test_it_is_exact(members):
    for name, path in _modules(members):
        tree = ast.parse(path.read_text())
        public = _all_of(tree)
        if public is None:
            continue
        expected = _defined(tree)
        if path.name == "__init__.py" and name in PUBLIC_PACKAGES:
            expected |= _re_exported(tree, name)
        missing = expected - set(public)
        assert not missing, f"{name} defines but does not publish {sorted(missing)}"
        module = importlib.import_module(name)
        absent = [item for item in public if not hasattr(module, item)]
        assert not absent, f"{name} publishes but does not define {absent}"
        assert not [item for item in public if item.startswith("_") and not item.endswith("__")]
