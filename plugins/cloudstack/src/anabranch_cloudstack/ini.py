"""What the user has configured for `cs`, the usual client: cloudstack.ini and CLOUDSTACK_*."""

from __future__ import annotations

from collections.abc import Mapping
from configparser import ConfigParser, InterpolationError
from configparser import Error as ParserError
from pathlib import Path
from typing import Final

import msgspec

from anabranch.errors import ConfigurationError

__all__ = ["ENVVARS", "Section", "from_environment", "load"]

ENVVARS: Final = "envvars"
"""The name of what the variables CLOUDSTACK_* describe."""

_KEYS: Final = (
    "endpoint",
    "key",
    "secret",
    "timeout",
    "verify",
    "dangerous_no_tls_verify",
    "expiration",
    "job_timeout",
    "retry",
)
"""What `cs` reads, as far as it means something here."""


class Section(msgspec.Struct, frozen=True):
    """A section of a cloudstack.ini.

    Attributes:
        path: The file that says it, the last one where several do.
        usual: Whether it is to be looked for as `cs` does, and not in that file alone.
        values: What it says.
    """

    path: Path
    usual: bool
    values: Mapping[str, str]


def load(environment: Mapping[str, str], path: str | None = None) -> dict[str, Section]:
    """Read the sections of the files that `cs` would read; a later file adds to an earlier one.

    Args:
        environment: Environment variables.
        path: The file to read instead; `~` is the home directory.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    home = Path(environment["HOME"]) if environment.get("HOME") else Path.home()
    usual = home / ".cloudstack.ini"
    if path is not None:
        files = [_expanded(path, home)]
    else:
        files = [usual, Path.cwd() / "cloudstack.ini"]
        if named := environment.get("CLOUDSTACK_CONFIG"):
            files.append(_expanded(named, home))
    sections: dict[str, Section] = {}
    for file in files:
        for name, values in _read(file, required=path is not None).items():
            before: Mapping[str, str] = sections[name].values if name in sections else {}
            # What several files say together is found by looking in all of them only.
            anywhere = file == usual or bool(before)
            sections[name] = Section(file, anywhere, {**before, **values})
    return sections


def from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the variables CLOUDSTACK_* say, under the names of cloudstack.ini."""
    found = {key: environment.get(f"CLOUDSTACK_{key.upper()}", "") for key in _KEYS}
    return {key: value for key, value in found.items() if value}


def _expanded(path: str, home: Path) -> Path:
    if path == "~" or path.startswith("~/"):
        return home / path[2:]
    return Path(path).absolute()


def _read(file: Path, *, required: bool) -> dict[str, dict[str, str]]:
    parser = ConfigParser()
    try:
        with file.open(encoding="utf-8") as lines:
            parser.read_file(lines)
    except FileNotFoundError:
        if not required:
            return {}
        raise ConfigurationError(
            f"there is no file {str(file)!r}", field="config_file", remedy="Correct it"
        ) from None
    except (OSError, ParserError, UnicodeDecodeError) as exc:
        # The message of a parser quotes the line, which may hold the secret.
        reason = exc.strerror if isinstance(exc, OSError) else "it is no INI file"
        raise ConfigurationError(f"the file {str(file)!r} cannot be read: {reason}") from None
    return {name: _values(parser, name) for name in parser.sections()}


def _values(parser: ConfigParser, section: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in _KEYS:
        try:
            value = parser.get(section, key, fallback="")
        except InterpolationError:  # a secret with a % in it
            value = parser.get(section, key, fallback="", raw=True)
        if value:
            found[key] = value
    return found
