"""The tree under test, as its files show it."""

import subprocess
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOT_OURS = {"build", "dist", "node_modules", "site", "__pycache__"}


@dataclass(frozen=True)
class Member:
    """A distribution of the workspace."""

    path: Path
    project: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        return self.project["name"]

    @property
    def packages(self) -> list[Path]:
        return sorted(init.parent for init in self.path.glob("src/*/__init__.py"))


def _committed_or_about_to_be() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    if listed.returncode == 0 and (ROOT / ".git").exists():
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:  # an unpacked archive
        paths = [
            path
            for path in ROOT.rglob("*")
            if not any(p in NOT_OURS or p.startswith(".") for p in path.relative_to(ROOT).parts)
        ]
    return sorted(path for path in paths if path.is_file())


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def files() -> list[Path]:
    """Every file that is tracked, or would be with `git add .`."""
    found = _committed_or_about_to_be()
    assert len(found) > 20, "the list of files is not to be believed"
    return found


@pytest.fixture(scope="session")
def members() -> list[Member]:
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]
    found = [
        Member(path.parent, tomllib.loads(path.read_text())["project"])
        for pattern in workspace["members"]
        for path in sorted(ROOT.glob(f"{pattern}/pyproject.toml"))
    ]
    assert "anabranch" in {member.name for member in found}
    return found
