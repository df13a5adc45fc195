"""What went wrong as documents: of a request, and of one cloud among several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from anabranch import CloudReport, to_builtins
from anabranch_server.deltacloud.documents.markup import (
    DECLARATION,
    attribute,
    element,
    text,
)

__all__ = [
    "ErrorDocument",
    "clouds_plain",
    "clouds_xml",
    "error_plain",
    "error_xml",
]


class ErrorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A request that failed.

    Attributes:
        status: HTTP status.
        url: Path of the request, with its query, without secrets.
        driver: Kind of the driver that was asked.
        provider: The provider that was chosen, or None.
        message: What is wrong, for a person.
        error: Name of the error's class.
        remedy: What to do about it, or nothing.
        params: Parameters of the request, without secrets.
    """

    status: int
    url: str
    driver: str
    message: str
    error: str
    provider: str | None = None
    remedy: str = ""
    params: Mapping[str, str] = {}


def error_xml(error: ErrorDocument) -> bytes:
    """Return an error, without the `backtrace` that Deltacloud had.

    Its client 1.1.2 breaks off over an empty one, and does without.
    """
    provider = "default" if error.provider is None else attribute(error.provider)
    params = "".join(
        f"    <param name='{attribute(name)}'>{text(value)}</param>\n"
        for name, value in error.params.items()
    )
    return (
        f"{DECLARATION}<error status='{error.status}' url='{attribute(error.url)}'>\n"
        f"  <backend driver='{attribute(error.driver)}' provider='{provider}'></backend>\n"
        f"  <code>{error.status}</code>\n"
        f"  <kind>{text(error.error)}</kind>\n"
        f"  <message>{text(error.message)}</message>\n"
        f"{element('  ', 'remedy', error.remedy)}"
        f"  <request>\n{params}  </request>\n"
        "</error>\n"
    ).encode()


def error_plain(error: ErrorDocument) -> dict[str, Any]:
    """Return an error for JSON: Deltacloud's keys, and what only its XML told."""
    return {
        "code": error.status,
        "message": error.message,
        "error": error.error,
        "remedy": error.remedy,
        "url": error.url,
        "backend": {
            "driver": error.driver,
            "provider": "default" if error.provider is None else error.provider,
        },
        "request": dict(error.params),
    }


def clouds_xml(clouds: Iterable[CloudReport]) -> str:
    """Return what became of each cloud, as the last nodes of a list: processing instructions.

    Values are escaped as those of attributes are, so that none of them ends its instruction.
    """
    return "".join(_cloud(one) for one in clouds)


def _cloud(cloud: CloudReport) -> str:
    told: dict[str, str | None] = {
        "name": cloud.name,
        "driver": cloud.driver,
        "status": cloud.status.value,
        "count": str(cloud.count),
    }
    if error := cloud.error:
        told |= {
            "error": error.type,
            "message": error.message,
            "remedy": error.remedy,
            "retryable": "true" if error.retryable else "false",
            "operation": error.operation,
            "provider_code": error.provider_code,
            "request_id": error.request_id,
        }
    problems = "".join(
        _instruction("problem", {"cloud": cloud.name, "id": one.id, "message": one.message})
        for one in cloud.problems
    )
    return _instruction("cloud", told) + problems


def _instruction(target: str, told: Mapping[str, str | None]) -> str:
    values = "".join(f" {k}='{attribute(v)}'" for k, v in told.items() if v is not None)
    return f"  <?{target}{values}?>\n"


def clouds_plain(clouds: Sequence[CloudReport]) -> list[dict[str, Any]]:
    """Return what became of each cloud, for JSON.

    How long each took is left out: with it no list would be the same twice, and have the same
    ETag.
    """
    plain: list[dict[str, Any]] = to_builtins(list(clouds))
    for cloud in plain:
        del cloud["elapsed_ms"]
    return plain
