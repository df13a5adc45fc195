"""The reply to a request that goes wrong, in the format that the request asks for."""

from __future__ import annotations

from anabranch_server.deltacloud import documents
from anabranch_server.deltacloud.call import Call
from anabranch_server.deltacloud.negotiation import DOCUMENTS, Format, negotiated
from anabranch_server.deltacloud.problems import Problem
from anabranch_server.deltacloud.reply import Reply

__all__ = ["refusal"]


def refusal(call: Call, problem: Problem) -> Reply:
    """Return the reply to a request that goes wrong; XML, if it accepts nothing that there is."""
    accept, wanted = call.headers.get("accept", ""), call.query.get("format")
    kind = negotiated(accept, wanted, DOCUMENTS) or Format.XML
    document = documents.ErrorDocument(
        status=problem.status,
        url=call.url,
        driver=call.chosen.get("driver", ""),
        provider=call.chosen.get("provider", ""),
        message=problem.message,
        error=problem.kind,
        remedy=problem.remedy,
    )
    write = documents.error_json if kind is Format.JSON else documents.error_xml
    headers = dict(problem.headers)
    if problem.status == 401 and call.credentials is None:
        headers["WWW-Authenticate"] = 'Basic realm="anabranch", charset="UTF-8"'
    return Reply(problem.status, write(document), kind, headers)
