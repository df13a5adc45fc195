"""Tags of whatever has an id."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed
from anabranch_cloudstack.simulator.records import Record, owner, tag_documents
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid

__all__ = ["commands"]

commands = Commands()

_KINDS = {
    *("UserVm", "Template", "ISO", "Volume", "Snapshot", "Network", "Vpc", "NetworkACL"),
    *("LoadBalancer", "PortForwardingRule", "FirewallRule", "SecurityGroup"),
    *("PublicIpAddress", "Project", "VMSnapshot"),
}


@commands.add("listTags", "key value resourcetype resourceid customer", listing=True, since="4.0.0")
def list_tags(call: Call) -> Document:
    """Lists tags."""
    records = call.state.everything()
    if call.has("resourceid"):
        record = call.state.find(call.text("resourceid"))
        records = [] if record is None else [record]
    rows = [
        document | {"domainpath": owner(call.state, record)["domainpath"]}
        for record in call.visible(records)
        if record.tags and call.text("resourcetype", record.kind).lower() == record.kind.lower()
        for document in tag_documents(call.state, record)
        if call.text("key", document["key"]) == document["key"]
        and call.text("value", document["value"]) == document["value"]
    ]
    return listed(call, "tag", rows)


@commands.add(
    "createTags",
    "resourceids!:list resourcetype! tags!:map customer",
    job="user.tag.CreateTagsCmd",
    since="4.0.0",
)
def create_tags(call: Call) -> Document:
    """Adds tags to objects; one that is there is not replaced."""
    records, tags = _records(call), call.pairs("tags")
    if any(not key for key in tags):
        raise invalid("Please specify a non-empty key")

    def work() -> Work:
        yield
        for record in records:
            for key in tags:
                if key in record.tags:
                    raise Refusal(530, f"tag {key} already on {record.kind} with id {record.id}")
        for record in records:
            record.tags = record.tags | tags
            call.state.changed(record.id)
        return {"success": True}

    return call.start(work())


@commands.add(
    "deleteTags",
    "resourceids!:list resourcetype! tags:map",
    job="user.tag.DeleteTagsCmd",
    since="4.0.0",
)
def delete_tags(call: Call) -> Document:
    """Removes tags from objects: by key, by key and value, or without either all."""
    records = _records(call)
    wanted = call.maps("tags")

    def work() -> Work:
        yield
        for record in records:
            record.tags = {
                key: value
                for key, value in record.tags.items()
                if wanted and not any(_means(entry, key, value) for entry in wanted)
            }
            call.state.changed(record.id)
        return {"success": True}

    return call.start(work())


def _means(entry: dict[str, str], key: str, value: str) -> bool:
    return entry.get("key") == key and entry.get("value", value) == value


def _records(call: Call) -> list[Record]:
    wanted = call.text("resourcetype").lower()
    if wanted not in {kind.lower() for kind in _KINDS}:
        raise invalid(f"Invalid resource type {call.text('resourcetype')}")
    records: list[Record] = []
    for record_id in call.items("resourceids"):
        record = call.state.find(record_id)
        same = record is not None and (
            record.kind.lower() == wanted or (wanted, record.kind) == ("iso", "Template")
        )
        if record is None or not same:
            raise invalid(
                f"Unable to find resource by id {record_id} and type {call.text('resourcetype')}"
            )
        records.append(call.take_id({record.id: record}, record.id, "resourceids"))
    return records
