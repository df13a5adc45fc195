"""User data that is registered for machines to come."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.userdata import checked_user_data
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.records import owner
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.tenancy.records import UserData
from anabranch_cloudstack.simulator.wire import Document, invalid

__all__ = ["commands"]

commands = Commands()


@commands.add("listUserData", "id:uuid name", listing=True, since="4.18")
def list_user_data(call: Call) -> Document:
    """Lists registered user data."""
    found = matching(call, call.state.user_data.values())
    return listed(call, "userdata", [_document(call.state, one) for one in found])


@commands.add(
    "registerUserData",
    "name! userdata! params account domainid:uuid projectid:uuid",
    since="4.18",
)
def register_user_data(call: Call) -> Document:
    """Registers user data."""
    state, name = call.state, call.text("name")
    if any(one.name == name for one in call.visible(state.user_data.values())):
        raise invalid(f"A userdata with name '{name}' already exists.")
    one = UserData(
        id=state.new_id(),
        name=name,
        account=call.account.name,
        project=call.project,
        created=state.now,
        data=checked_user_data(call),
        parameters=call.text("params"),
    )
    state.add(state.user_data, one)
    return {"userdata": _document(state, one)}


@commands.add("deleteUserData", "id!:uuid account domainid:uuid projectid:uuid", since="4.18")
def delete_user_data(call: Call) -> Document:
    """Deletes registered user data."""
    del call.state.user_data[call.take(call.state.user_data, "id").id]
    return {"success": True}


def _document(state: State, one: UserData) -> Document:
    document = {"id": one.id, "name": one.name, **owner(state, one), "userdata": one.data}
    if one.parameters:
        document["params"] = one.parameters
    return document | {"hasannotations": False}
