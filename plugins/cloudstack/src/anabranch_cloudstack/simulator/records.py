"""What every object of a simulated cloud has."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from anabranch_cloudstack.simulator.wire import Document

if TYPE_CHECKING:
    from anabranch_cloudstack.simulator.state import State

__all__ = ["Record", "owner", "tag_documents"]


class Record(msgspec.Struct, kw_only=True):
    """One object.

    Attributes:
        kind: What tags call it.
        id: Its id.
        name: Its name, empty when it has none.
        account: The name of the account that owns it; empty when it is everyone's.
        project: The id of the project that it belongs to, if any.
        created: When it was made, seconds since the epoch.
        tags: Its tags.
    """

    kind: ClassVar[str] = ""

    id: str
    name: str = ""
    account: str = ""
    project: str = ""
    created: float = 0.0
    tags: dict[str, str] = {}


def owner(state: State, record: Record) -> Document:
    """Whose a record is, as most documents tell."""
    if not record.account:
        root = state.accounts["admin"]
        return {
            "account": "system",
            "domainid": root.domain_id,
            "domain": root.domain,
            "domainpath": root.domain_path,
        }
    account = state.accounts[record.account]
    document: Document = {}
    if record.project:
        project = state.projects[record.project]
        document = {"projectid": project.id, "project": project.name}
    else:
        document = {"account": account.name}
    document["domainid"] = account.domain_id
    document["domain"] = account.domain
    document["domainpath"] = account.domain_path
    return document


def tag_documents(state: State, record: Record) -> list[Document]:
    """The tags of a record, as its document tells them."""
    if not record.tags:
        return []
    common = {"resourcetype": record.kind, "resourceid": record.id, **owner(state, record)}
    del common["domainpath"]
    return [{"key": key, "value": value, **common} for key, value in record.tags.items()]
