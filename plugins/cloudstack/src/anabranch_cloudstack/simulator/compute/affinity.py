"""Affinity groups."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.records import AffinityGroup
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.records import owner
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, invalid

__all__ = ["commands"]

commands = Commands()

_SINCE_4_18 = ("non-strict host anti-affinity", "non-strict host affinity")


@commands.add("listAffinityGroups", "id:uuid name type virtualmachineid:uuid", listing=True)
def list_groups(call: Call) -> Document:
    """Lists affinity groups."""
    state = call.state
    groups = matching(call, state.affinity_groups.values(), type="type")
    if call.has("virtualmachineid"):
        machine = call.take(state.machines, "virtualmachineid")
        groups = [group for group in groups if group.id in machine.affinity_groups]
    return listed(call, "affinitygroup", [_document(state, group) for group in groups])


@commands.add("listAffinityGroupTypes", listing=True)
def list_types(call: Call) -> Document:
    """Lists the types of affinity groups."""
    return listed(call, "affinityGroupType", [{"type": word} for word in _types(call.state)])


@commands.add(
    "createAffinityGroup",
    "name! type! description account domainid:uuid projectid:uuid",
    job="user.affinitygroup.CreateAffinityGroupCmd",
    instance_type="AffinityGroup",
)
def create_group(call: Call) -> Document:
    """Creates an affinity group."""
    state, name = call.state, call.text("name")
    if call.text("type") not in _types(state):
        raise invalid(
            f"Unable to create affinity group, invalid affinity group type {call.text('type')}"
        )
    if any(group.name == name for group in call.visible(state.affinity_groups.values())):
        raise invalid(f"Unable to create affinity group, a group with name {name} already exists.")
    group = AffinityGroup(
        id=state.new_id(),
        name=name,
        account=call.account.name,
        project=call.project,
        created=state.now,
        text=call.text("description"),
        type=call.text("type"),
    )
    state.add(state.affinity_groups, group)

    def work() -> Work:
        yield
        return {"affinitygroup": _document(state, group)}

    return call.start(work(), group.id, created=True)


@commands.add(
    "deleteAffinityGroup",
    "id:uuid name account domainid:uuid projectid:uuid",
    job="user.affinitygroup.DeleteAffinityGroupCmd",
    instance_type="AffinityGroup",
)
def delete_group(call: Call) -> Document:
    """Deletes an affinity group."""
    state = call.state
    if call.has("id"):
        group = call.take(state.affinity_groups, "id")
    else:
        found = {g.name: g for g in call.visible(state.affinity_groups.values())}
        if call.text("name") not in found:
            raise invalid(f"Unable to find affinity group by name {call.text('name')}")
        group = found[call.text("name")]

    def work() -> Work:
        yield
        for machine in state.machines.values():
            if group.id in machine.affinity_groups:
                machine.affinity_groups.remove(group.id)
                machine.encoded.clear()
        state.affinity_groups.pop(group.id, None)
        return {"success": True}

    return call.start(work(), group.id)


def _types(state: State) -> tuple[str, ...]:
    words = ("host anti-affinity", "host affinity")
    return (*words, *_SINCE_4_18) if state.version >= (4, 18) else words


def _document(state: State, group: AffinityGroup) -> Document:
    members = [m.id for m in state.machines.values() if group.id in m.affinity_groups]
    document: Document = {"id": group.id, "name": group.name}
    if group.text:
        document["description"] = group.text
    document |= {**owner(state, group), "type": group.type}
    if members:
        document["virtualmachineIds"] = members
    return document
