"""Writes configurations to files that are new."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anabranch_cli.session import write

__all__ = ["as_yaml", "write_new"]


def as_yaml(document: Mapping[str, Any]) -> str:
    """Return a document as YAML, in its own order."""
    import yaml

    text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
    return text


def write_new(path: str, text: str) -> None:
    """Write a configuration to a new file, or to stdout if the path is `-`.

    Raises:
        ConfigurationError: there is such a file, or it cannot be written.
    """
    from anabranch import ConfigurationError

    if path == "-":
        write(text)
        return
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(
            f"{path!r} exists already",
            field="--write",
            remedy="Name another file, or write to - and paste what you need",
        ) from None
    except OSError as exc:
        raise ConfigurationError(f"{path!r}: {exc.strerror}", field="--write") from None
