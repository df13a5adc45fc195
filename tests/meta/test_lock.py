"""requirements.lock is complete, checked by hash, and free of addresses."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

REMEDY = "run `make lock`"


@pytest.fixture(scope="module")
def entries(root: Path) -> list[str]:
    """The logical lines of the lock."""
    text = (root / "requirements.lock").read_text().replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def locked(entries: list[str]) -> dict[str, Version]:
    """What the lock gives to this interpreter: name and version."""
    found = {}
    for entry in entries:
        requirement = Requirement(entry.partition(" --hash")[0])
        if requirement.marker is None or requirement.marker.evaluate():
            (pin,) = requirement.specifier
            found[canonicalize_name(requirement.name)] = Version(pin.version)
    return found


def test_every_entry_is_exact_and_hashed(entries: list[str]):
    assert len(entries) > 50
    for entry in entries:
        requirement, *hashes = entry.split(" --hash=")
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", h) for h in hashes), requirement
        assert [pin.operator for pin in Requirement(requirement).specifier] == ["=="], requirement


def test_there_is_no_address_and_no_option(root: Path):
    text = (root / "requirements.lock").read_text()
    assert not re.search(r"://|file:|www\.| @ ", text)
    assert not re.search(r"^\s*-(?!-hash=)", text, re.MULTILINE)


def _satisfied(requirement: Requirement, locked: dict[str, Version]) -> bool:
    version = locked.get(canonicalize_name(requirement.name))
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def test_it_satisfies_members_and_development(root: Path, members, locked: dict[str, Version]):
    own = {canonicalize_name(member.name) for member in members}
    wanted = [("dev", line) for line in _dev_group(root)]
    wanted += [("build", line) for line in _build_requirements(members)]
    for member in members:
        wanted += [(member.name, line) for line in member.project.get("dependencies", [])]
        for extra, lines in member.project.get("optional-dependencies", {}).items():
            wanted += [(f"{member.name}[{extra}]", line) for line in lines]
    assert len(wanted) > 20
    for who, line in wanted:
        requirement = Requirement(line)
        if canonicalize_name(requirement.name) in own:
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            assert _satisfied(requirement, locked), f"{who} wants {line}: {REMEDY}"


def test_it_holds_no_member(members, locked: dict[str, Version]):
    assert not {canonicalize_name(member.name) for member in members} & set(locked)


def test_it_is_complete(root: Path, members, locked: dict[str, Version]):
    """Whatever is needed by what is needed is locked too, to the last."""
    own = {
        canonicalize_name(member.name): list(member.project.get("optional-dependencies", {}))
        for member in members
    }
    queue = [Requirement(line) for line in _dev_group(root)]
    queue += [Requirement(f"{name}[{','.join(extras)}]") for name, extras in own.items()]
    seen: set[tuple[str, str]] = set()
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for needed in _requires(name, extra):
                if canonicalize_name(needed.name) not in own:
                    assert _satisfied(needed, locked), f"{name} wants {needed}: {REMEDY}"
                queue.append(needed)
    assert len({name for name, _ in seen}) > len(locked) * 0.8


def _requires(name: str, extra: str) -> Iterator[Requirement]:
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        pytest.fail(f"{name} is not installed: run `make setup`")
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def _dev_group(root: Path) -> list[str]:
    return tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]["dev"]


def _build_requirements(members) -> set[str]:
    return {
        line
        for member in members
        for line in tomllib.loads((member.path / "pyproject.toml").read_text())["build-system"][
            "requires"
        ]
    }
