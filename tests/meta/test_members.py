"""Each distribution is complete, and what it advertises is there."""

import importlib
import inspect
import tomllib
from importlib.metadata import distribution, entry_points
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def test_versions_are_one_in_the_0_x_phase(members):
    assert len({member.project["version"] for member in members}) == 1


def test_the_installed_distributions_are_those_of_the_tree(members):
    """Stale metadata would make every other test here about yesterday's pyproject.toml."""
    for member in members:
        installed = distribution(member.name)
        assert installed.version == member.project["version"]
        advertised = {
            (group, name, value)
            for group, points in member.project.get("entry-points", {}).items()
            for name, value in points.items()
        }
        advertised |= {
            ("console_scripts", name, value)
            for name, value in member.project.get("scripts", {}).items()
        }
        there = {(point.group, point.name, point.value) for point in installed.entry_points}
        assert there == advertised, f"{member.name}: run `make setup`"
        for package in member.packages:
            module = importlib.import_module(package.name)
            assert module.__file__ == str(package / "__init__.py")


def test_entry_points_load_under_their_advertised_names(members):
    loaded = []
    for member in members:
        tables = dict(member.project.get("entry-points", {}))
        tables["console_scripts"] = member.project.get("scripts", {})
        for group, points in tables.items():
            for name, value in points.items():
                (point,) = entry_points(group=group, name=name)
                assert point.value == value
                what = point.load()
                assert what is not None
                assert not inspect.ismodule(what)
                if group == "anabranch.drivers":
                    assert not inspect.isclass(what), f"{name}: pluggy cannot register a class"
                elif group == "anabranch.simulators":
                    assert (what.kind, callable(what.cloud)) == (name, True)
                else:
                    assert callable(what), f"{group}: {name}"
                loaded.append((group, name))
    assert ("anabranch.drivers", "mock") in loaded
    assert ("console_scripts", "anabranch") in loaded


def test_every_driver_advertises_itself_and_requires_this_core(members):
    drivers = [member for member in members if member.path.parent.name == "plugins"]
    assert drivers
    for member in drivers:
        kind = member.path.name
        assert member.name == f"anabranch-{kind}"
        (package,) = member.packages
        assert package.name == f"anabranch_{kind}"
        assert list(member.project["entry-points"]["anabranch.drivers"]) == [kind]
        requirements = {r.name: r for r in map(Requirement, member.project.get("dependencies", []))}
        assert str(requirements["anabranch"].specifier) == "<0.2,>=0.1"


def test_members_accept_each_other(members):
    versions = {canonicalize_name(m.name): m.project["version"] for m in members}
    for member in members:
        lines = [
            *member.project.get("dependencies", []),
            *chain.from_iterable(member.project.get("optional-dependencies", {}).values()),
        ]
        for requirement in map(Requirement, lines):
            version = versions.get(canonicalize_name(requirement.name))
            if version is not None:
                assert requirement.specifier.contains(version), f"{member.name}: {requirement}"


def test_each_is_typed_licensed_and_described(members, root: Path):
    licence = (root / "LICENSE").read_bytes()
    for member in members:
        assert (member.path / "LICENSE").read_bytes() == licence, member.name
        assert (member.path / member.project["readme"]).read_text().startswith(f"# {member.name}\n")
        assert member.packages, member.name
        for package in member.packages:
            assert (package / "py.typed").exists(), package


def test_the_root_knows_every_member(members, root: Path):
    """A new member must be type-checked, import-checked and watched for blocking calls too."""
    config = tomllib.loads((root / "pyproject.toml").read_text())
    names = {member.name for member in members}
    packages = {package.name for member in members for package in member.packages}
    assert set(config["tool"]["uv"]["sources"]) == names
    assert {Requirement(r).name for r in config["project"]["dependencies"]} == names
    assert set(config["tool"]["coverage"]["run"]["source_pkgs"]) == packages
    assert set(config["tool"]["importlinter"]["root_packages"]) == packages
    pages = (root / "mkdocs.yml").read_text()
    assert all(f"- {m.path.relative_to(root)}/src\n" in pages for m in members)
    harness = (root / "conftest.py").read_text()
    assert all(f'"{package}"' in harness for package in packages)
