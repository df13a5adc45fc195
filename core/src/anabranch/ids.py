"""Ids that cross clouds: `lisbon/4d3c…`."""

from __future__ import annotations

import re
from typing import NamedTuple, Self

from anabranch.errors import ConfigurationError

__all__ = ["QualifiedId", "check_cloud_name"]

_CLOUD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class QualifiedId(NamedTuple):
    """An id together with the cloud that it belongs to; `str()` gives `cloud/id`.

    The first slash separates: cloud names have none, platform ids may (`bucket/folder/blob`).
    """

    cloud: str
    id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `cloud/id`.

        Raises:
            ConfigurationError: `text` is not of that form.
        """
        cloud, slash, rest = text.partition("/")
        if not (slash and cloud and rest):
            msg = f"{text!r} does not name a cloud and an id"
            raise ConfigurationError(msg, remedy="Write CLOUD/ID, for instance lisbon/4d3c")
        return cls(cloud, rest)

    def __str__(self) -> str:
        return f"{self.cloud}/{self.id}"


def check_cloud_name(name: str) -> str:
    """Return `name`, if a cloud may be called that.

    Raises:
        ConfigurationError: it has a slash, a blank, or another character out of
            `A-Z a-z 0-9 . _ -`, or more than 64 characters.
    """
    if not _CLOUD_NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be the name of a cloud",
            remedy="Use 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit",
        )
    return name
