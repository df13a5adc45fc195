"""What the cloud is and what may be asked of it: capabilities, commands, guest systems."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Command, Commands, Parameter
from anabranch_cloudstack.simulator.listing import listed, matching, maximum
from anabranch_cloudstack.simulator.wire import Document, Refusal

__all__ = ["commands"]

commands = Commands()

_UI_PAGE = 20


@commands.add("listCapabilities")
def list_capabilities(call: Call) -> Document:
    """Lists capabilities; the page size of the UI is never above the server's maximum."""
    state, admin = call.state, call.account.is_admin
    capability: Document = {
        "securitygroupsenabled": any(zone.groups_in_use for zone in state.zones.values()),
        "dynamicrolesenabled": True,
        "cloudstackversion": state.version_name,
        "userpublictemplateenabled": True,
        "supportELB": "false",
        "projectinviterequired": False,
        "allowusercreateprojects": True,
        "customdiskofferingminsize": 1,
        "customdiskofferingmaxsize": 1024,
        "regionsecondaryenabled": False,
        "kvmsnapshotenabled": True,
        "allowuserviewdestroyedvm": admin or state.show_destroyed,
        "allowuserexpungerecovervm": admin or state.expunge_by_users,
        "allowuserexpungerecovervolume": admin or state.expunge_by_users,
        "allowuserviewalldomainaccounts": False,
        "kubernetesserviceenabled": False,
        "kubernetesclusterexperimentalfeaturesenabled": False,
        "defaultuipagesize": min(_UI_PAGE, maximum(call)),
    }
    if state.version >= (4, 17):
        capability |= {
            "instancesstatsretentiontime": 720,
            "instancesstatsuseronly": False,
        }
    if state.version >= (4, 18):
        capability |= {
            "instancesdisksstatsretentionenabled": False,
            "instancesdisksstatsretentiontime": 720,
        }
    if state.version >= (4, 20):
        capability |= {
            "allowuserforcestopvm": True,
            "customhypervisordisplayname": "Custom",
            "sharedfsvmmincpucount": 2,
            "sharedfsvmminramsize": 1024,
            "dynamicscalingenabled": True,
        }
    if state.version >= (4, 21):
        capability |= {"instanceleaseenabled": False, "additionalconfigenabled": False}
    return {"capability": capability}


@commands.add("listApis", "name")
def list_apis(call: Call) -> Document:
    """Lists the commands that the caller's role may run."""
    own = call.state.commands_of(call.account)
    if call.has("name"):
        command = own.get(call.text("name"))
        if command is None:
            raise Refusal(
                530, "Api Discovery plugin was unable to find an api by that name or process"
            )
        rows = [_api(call, command)]
    else:
        rows = [_api(call, command) for command in own.values()]
    return {"count": len(rows), "api": rows}


@commands.add("listOsTypes", "id:uuid oscategoryid:uuid description", listing=True)
def list_os_types(call: Call) -> Document:
    """Lists the guest operating systems."""
    kinds = matching(
        call, call.state.os_types.values(), category_id="oscategoryid", name="description"
    )
    rows = [
        {
            "id": kind.id,
            "oscategoryid": kind.category_id,
            "oscategoryname": kind.category,
            "name": kind.name,
            "description": kind.name,
            "isuserdefined": False,
            "fordisplay": True,
        }
        for kind in kinds
    ]
    return listed(call, "ostype", rows)


@commands.add("listOsCategories", "id:uuid name", listing=True)
def list_os_categories(call: Call) -> Document:
    """Lists the families of guest operating systems."""
    names = {kind.category_id: kind.category for kind in call.state.os_types.values()}
    rows = [
        {"id": category, "name": name, "isfeatured": True}
        for category, name in names.items()
        if name == call.text("name", name) and category == call.text("id", category)
    ]
    return listed(call, "oscategory", rows)


def _api(call: Call, command: Command) -> Document:
    document: Document = {
        "name": command.name,
        "description": command.description,
        "isasync": bool(command.job),
    }
    if command.since:
        document["since"] = command.since
    document["related"] = ""
    document["params"] = [_parameter(call, parameter) for parameter in command.parameters]
    return document | {"response": [{"name": "id", "description": "the id", "type": "string"}]}


def _parameter(call: Call, parameter: Parameter) -> Document:
    document: Document = {
        "name": parameter.name,
        "description": parameter.name,
        "type": parameter.type,
        "length": 255,
        "required": parameter.is_required(call.state.version),
    }
    if parameter.since:
        document["since"] = parameter.since
    return document
