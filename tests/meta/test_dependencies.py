"""A member declares what it imports, and imports what it declares."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Used without an import of ours: uvicorn and anyio load these when they are there.
LOADED_BY_OTHERS = {"anabranch-cli", "httptools", "trio", "uvloop"}
# What only an extra declares may be imported only there.
EXTRA_OF = {"testing": "testing", "simulator": "simulator"}


def _top_level_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def _names(lines: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in lines}


def test_declared_and_imported_agree(members):
    distributions = packages_distributions()
    for member in members:
        declared = _names(member.project.get("dependencies", []))
        extras = {
            name: _names(lines)
            for name, lines in member.project.get("optional-dependencies", {}).items()
        }
        imported: set[str] = set()
        for package in member.packages:
            for path in package.rglob("*.py"):
                allowed = set(declared)
                for folder, extra in EXTRA_OF.items():
                    if folder in path.relative_to(package).parts:
                        allowed |= extras.get(extra, set())
                for top in _top_level_imports(path):
                    if top in sys.stdlib_module_names or top == package.name:
                        continue
                    names = {canonicalize_name(name) for name in distributions.get(top, [top])}
                    imported |= names
                    assert names & allowed, f"{path} imports {top}, undeclared by {member.name}"
        wanted = declared.union(*(extras.get(extra, set()) for extra in EXTRA_OF.values()))
        unused = wanted - imported - LOADED_BY_OTHERS
        assert not unused, f"{member.name} declares but does not import {sorted(unused)}"
