"""What went wrong as documents: of a request, and of one cloud among several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from anabranch import CloudReport, ErrorReport, to_builtins
from anabranch_server.deltacloud.documents.markup import (
    DECLARATION,
    attribute,
    element,
    text,
)
from anabranch_server.deltacloud.documents.plain import encode

__all__ = [
    "ErrorDocument",
    "clouds_plain",
    "clouds_xml",
    "error_json",
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
    """Return an error; an empty `backtrace` stays for clients that look for one."""
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
        "  <backtrace></backtrace>\n"
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


def error_json(error: ErrorDocument) -> bytes:
    """Return an error as JSON."""
    return encode(error_plain(error))


def clouds_xml(clouds: Sequence[CloudReport]) -> str:
    """Return what became of each cloud, as the last child of a list.

    Clients of Deltacloud's time look for the members by name, and do not see it.
    """
    return f"  <clouds>\n{''.join(_cloud(one) for one in clouds)}  </clouds>\n"


def _cloud(cloud: CloudReport) -> str:
    problems = "".join(
        f"      <problem id='{attribute(p.id)}'>{text(p.message)}</problem>\n"
        for p in cloud.problems
    )
    return (
        f"    <cloud count='{cloud.count}' driver='{attribute(cloud.driver)}'"
        f" elapsed_ms='{cloud.elapsed_ms}' name='{attribute(cloud.name)}'"
        f" status='{cloud.status.value}'>\n"
        f"{_error(cloud.error) if cloud.error else ''}{problems}    </cloud>\n"
    )


def _error(error: ErrorReport) -> str:
    named = {
        "operation": error.operation,
        "provider_code": error.provider_code,
        "request_id": error.request_id,
        "retryable": "true" if error.retryable else "false",
        "type": error.type,
    }
    told = "".join(f" {k}='{attribute(v)}'" for k, v in named.items() if v is not None)
    return (
        f"      <error{told}>\n"
        f"        <message>{text(error.message)}</message>\n"
        f"{element('        ', 'remedy', error.remedy)}"
        "      </error>\n"
    )


def clouds_plain(clouds: Sequence[CloudReport]) -> list[dict[str, Any]]:
    """Return what became of each cloud, for JSON."""
    plain: list[dict[str, Any]] = to_builtins(list(clouds))
    return plain
