"""Makes the files of a new driver from the templates in `driver_template`.

A template is a `string.Template`: `$kind` stands for the kind of the driver, and `$$` for a dollar.
What a template is called, less `.tmpl`, is what its file is called.
"""

from __future__ import annotations

import contextlib
import keyword
import os
import re
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution, entry_points, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Final, Self

import msgspec

from anabranch import ConfigurationError
from anabranch_cli.simulate import OPTIONS

__all__ = ["Blank", "render", "write_distribution"]

_SUFFIX: Final = ".tmpl"
_PACKAGE: Final = "__package__"
_APACHE: Final = "Apache-2.0"
_LONGEST_KIND: Final = 32
_LONGEST_TITLE: Final = 40
_KIND: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_TITLE: Final = re.compile(r"[^\W_](?:[\w .,&+()/!'’-]*[\w.)!])?")
_LICENSE: Final = re.compile(r"[A-Za-z0-9(][A-Za-z0-9.+() -]*")
_OPTIONS: Final = frozenset({*OPTIONS, "ctx", "for", "help"})
_OURS: Final = frozenset({"cli", "cloudstack", "mock", "opennebula", "openstack", "paci"})


class Blank(msgspec.Struct, frozen=True, kw_only=True):
    """What is filled into the templates.

    Attributes:
        kind: Kind of the driver: the name of its entry points.
        title: The platform's name, as people write it.
        license: Licence, as an SPDX expression.
    """

    kind: str
    title: str
    license: str = _APACHE

    @classmethod
    def of(cls, kind: str, title: str | None = None, license: str = _APACHE) -> Self:
        """Check what the user wants.

        Args:
            kind: Kind of the driver.
            title: The platform's name; None: as the kind, in capitals.
            license: Licence, as an SPDX expression.

        Raises:
            ConfigurationError: one of them cannot be used; it tells what could be.
        """
        _check_kind(kind)
        if title is None:
            title = kind.replace("_", " ").title()
        if len(title) > _LONGEST_TITLE or not _TITLE.fullmatch(title):
            raise ConfigurationError(
                f"{title!r} is no title",
                field="--title",
                remedy=f"Letters, digits, spaces and .,&+()/!'- make one, of {_LONGEST_TITLE} "
                "characters at most",
            )
        if not _LICENSE.fullmatch(license):
            raise ConfigurationError(
                f"{license!r} is no SPDX expression",
                field="--license",
                remedy="Write it like Apache-2.0, MIT or LicenseRef-Proprietary",
            )
        return cls(kind=kind, title=title, license=license)

    @property
    def package(self) -> str:
        """Name of the package: `anabranch_acme`."""
        return f"anabranch_{self.kind}"

    @property
    def distribution(self) -> str:
        """Name of the distribution: `anabranch-acme`."""
        return self.package.replace("_", "-")

    def substitutions(self) -> dict[str, str]:
        """Return what stands for each name in the templates."""
        major, minor, *_ = version("anabranch").split(".")
        return {
            "kind": self.kind,
            "upper_kind": self.kind.upper(),
            "title": self.title,
            "package": self.package,
            "distribution": self.distribution,
            "license": self.license,
            "license_files": '["LICENSE"]' if self.license == _APACHE else "[]",
            "version": f"{major}.{minor}",
            "next_version": f"0.{int(minor) + 1}" if major == "0" else f"{int(major) + 1}",
        }


def render(blank: Blank) -> dict[str, str]:
    """Return the files of a distribution: their texts, by their paths."""
    substitutions = blank.substitutions()
    rendered: dict[str, str] = {}
    for path, template in _templates(files("anabranch_cli") / "driver_template"):
        if path == "LICENSE" and blank.license != _APACHE:
            continue
        text = template.read_text(encoding="utf-8")
        rendered[path.replace(_PACKAGE, blank.package)] = Template(text).substitute(substitutions)
    return rendered


def write_distribution(texts: Mapping[str, str], target: Path) -> Path:
    """Write files into a new directory, all of them or none.

    Args:
        texts: The texts, by their paths below the directory.
        target: The directory to make.

    Returns:
        The directory.

    Raises:
        ConfigurationError: there is something of that name, or it cannot be written.
    """
    if os.path.lexists(target):
        raise ConfigurationError(
            f"{str(target)!r} exists already",
            field="--into",
            remedy="Remove it, or name another directory to write into",
        )
    try:
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True)
        with _draft(target) as draft:
            for path, text in texts.items():
                file = draft / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8", newline="\n")
            draft.rename(target)
    except OSError as exc:
        raise ConfigurationError(
            f"{str(target)!r} cannot be written: {exc.strerror}", field="--into"
        ) from None
    return target


@contextlib.contextmanager
def _draft(target: Path) -> Generator[Path]:
    """Make a directory beside the one that it is to become; it goes if it does not become it."""
    holder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        draft = holder / target.name  # made by mkdir, with the permissions that users expect
        draft.mkdir()
        yield draft
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def _templates(folder: Traversable, path: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        inner = f"{path}{entry.name}"
        if entry.is_dir():
            yield from _templates(entry, f"{inner}/")
        elif inner.endswith(_SUFFIX):
            yield inner.removesuffix(_SUFFIX), entry


def _check_kind(kind: str) -> None:
    """Refuse what cannot be the name of an entry point, a package and an option, or is taken."""

    def refusal(message: str, remedy: str) -> ConfigurationError:
        return ConfigurationError(message, field="NAME", remedy=remedy)

    if not _KIND.fullmatch(kind):
        near = re.sub(r"[^a-z0-9]+", "_", kind.lower()).strip("_0123456789")
        wanted = "Begin with a small letter, go on with small letters, digits and single _"
        raise refusal(f"{kind!r} is no name of a driver", f"{wanted}: {near}" if near else wanted)
    if len(kind) > _LONGEST_KIND:
        raise refusal(
            f"the name has {len(kind)} characters", f"Take one of {_LONGEST_KIND} at most"
        )
    if keyword.iskeyword(kind) or keyword.issoftkeyword(kind):
        raise refusal(f"{kind!r} is a word of Python's own", f"Take another: {kind}_cloud")
    if kind in _OPTIONS:
        raise refusal(
            f"{kind!r} is an option of `anabranch simulate`, which names clouds by their kind",
            f"Take another: {kind}_cloud",
        )
    if taken := _taken(kind):
        raise refusal(f"{kind!r} is taken by {taken}", "Take another name")


def _taken(kind: str) -> str:
    """Return which other distribution has the name; a former version of this driver may."""
    own = f"anabranch-{kind}".replace("_", "-")
    if kind in _OURS:
        return own
    offering = {
        re.sub(r"[-_.]+", "-", point.dist.name).lower()
        for point in entry_points(group="anabranch.drivers", name=kind)
        if point.dist
    }
    if others := offering - {own}:
        return ", ".join(sorted(others))
    with contextlib.suppress(PackageNotFoundError):
        if not offering:
            return distribution(own).name
    return ""
