"""The user data of a machine."""

from __future__ import annotations

import base64
import binascii

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.documents import machine_document
from anabranch_cloudstack.simulator.wire import Document, invalid

__all__ = ["checked_user_data", "commands"]

commands = Commands()

_LONGEST = 32768
_LONGEST_BY_GET = 4096


@commands.add("getVirtualMachineUserData", "virtualmachineid!:uuid")
def get_user_data(call: Call) -> Document:
    """Returns the user data of a virtual machine."""
    machine = call.take(call.state.machines, "virtualmachineid")
    document: Document = {"virtualmachineid": machine.id}
    if machine.user_data:
        document["userdata"] = machine.user_data
    return {"virtualmachineuserdata": document}


@commands.add(
    "resetUserDataForVirtualMachine",
    "id!:uuid userdata userdataid:uuid userdatadetails:map",
    since="4.18.0",
    user=False,
)
def reset_user_data(call: Call) -> Document:
    """Replaces the user data of a stopped virtual machine."""
    machine = call.take(call.state.machines, "id")
    if machine.state != "Stopped":
        raise invalid(f"Vm {machine.described()} should be stopped to do UserData reset")
    machine.user_data = checked_user_data(call)
    call.state.changed(machine.id)
    return {"virtualmachine": machine_document(call.state, machine)}


def checked_user_data(call: Call) -> str:
    """The user data that a call brings, itself or by the id of registered ones.

    Raises:
        Refusal: 431, it is no base64, or too long.
    """
    call.only_one_of("userdata", "userdataid")
    if call.has("userdataid"):
        return call.take(call.state.user_data, "userdataid").data
    data = call.text("userdata")
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("User data is not base64 encoded") from None
    if call.by_get and len(data) > _LONGEST_BY_GET:
        raise invalid("User data is too long for an http GET request")
    if len(data) >= _LONGEST:
        raise invalid("User data has exceeded configurable max length : 32768")
    return data
