"""The reply to a request that goes wrong, in the format that the request asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anabranch_server.deltacloud import documents, pages
from anabranch_server.deltacloud.call import Call, may_be_secret
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.problems import Problem

__all__ = ["refusal"]

_MOST: Final = 200
"""Characters of a parameter that are repeated."""


def refusal(call: Call, problem: Problem) -> Reply:
    """Return the reply to a request that goes wrong; XML, if it accepts nothing that there is."""
    kind = call.preferred() or Format.XML
    about = {**call.chosen, **call.told}
    driver, provider = about.get("driver", ""), about.get("provider")
    document = documents.ErrorDocument(
        status=problem.status,
        url=call.url,
        driver=driver,
        provider=provider,
        message=problem.message,
        error=problem.kind,
        remedy=problem.remedy,
        params=_repeated(call.parameters),
    )
    headers = dict(problem.headers)
    if kind is Format.JSON:
        body = documents.encode(documents.error_plain(document))
    elif kind is Format.HTML:
        headers |= pages.GUARDS
        # What was sent cannot be got in other formats. Two slashes would begin another host.
        here = f"/{call.url.lstrip('/')}" if call.method in ("GET", "HEAD") else ""
        frame = pages.Frame(call.home, here, driver, provider)
        body = pages.error_page(frame, documents.error_plain(document))
    else:
        body = documents.error_xml(document)
    return Reply(problem.status, body, kind, headers)


def _repeated(parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Return the parameters that a document may repeat: none that may be a secret."""
    return {
        name[:_MOST]: value if len(value) <= _MOST else f"{value[:_MOST]}…"
        for name, value in parameters.items()
        if not may_be_secret(name)
    }
