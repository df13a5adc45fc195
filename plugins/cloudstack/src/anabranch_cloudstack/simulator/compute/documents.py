"""How a virtual machine is told."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from anabranch_cloudstack.simulator.compute.records import STATS_AFTER, Machine, Nic
from anabranch_cloudstack.simulator.records import owner, tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, stamp

__all__ = ["ALL", "HOLLOW", "machine_document", "nic_document", "rendered"]

ALL = frozenset({"all"})
"""The `details` of a document that tells everything."""

HOLLOW: Document = {
    "securitygroup": [],
    "nic": [],
    "affinitygroup": [],
    "deleteprotection": False,
    "tags": [],
}
"""What is told of a machine that is gone: neither an id nor a state."""


def rendered(
    state: State, machine: Machine, details: frozenset[str], *, admin: bool, user_data: bool
) -> Any:
    """A machine's document in JSON, kept until the machine changes.

    Args:
        state: The cloud.
        machine: The machine.
        details: What to tell.
        admin: Whether an administrator asks.
        user_data: Whether to tell the user data.
    """
    job = state.jobs.of(machine.id)
    if job is not None:
        document = machine_document(state, machine, details, admin=admin, user_data=user_data)
        return document | {"jobid": job.id, "jobstatus": 0}
    measured = _measured(state, machine)
    key = (details, admin, user_data, measured)
    found = machine.encoded.get(key)
    if found is None:
        document = machine_document(state, machine, details, admin=admin, user_data=user_data)
        found = machine.encoded[key] = msgspec.Raw(msgspec.json.encode(document))
    return found


def machine_document(
    state: State,
    machine: Machine,
    details: frozenset[str] = ALL,
    *,
    admin: bool = False,
    user_data: bool = False,
) -> Document:
    """One machine; see `rendered`."""
    told = _Told(details)
    account = state.accounts[machine.account]
    document: Document = {
        "id": machine.id,
        "name": machine.name,
        "displayname": machine.display,
        **owner(state, machine),
        "userid": account.user_id,
        "username": account.name,
        "created": stamp(machine.created),
    }
    if machine.updated:
        document["lastupdated"] = stamp(machine.updated)
    document |= {
        "state": machine.state,
        "haenable": False,
        "zoneid": machine.zone,
        "zonename": state.zones[machine.zone].name,
    }
    if machine.group:
        document["group"] = machine.group
    if machine.running or machine.state in ("Starting", "Stopping"):
        document["hostcontrolstate"] = "Enabled"
    if told["tmpl"]:
        document |= _image(state, machine)
    iso = state.images.get(machine.iso)
    if told["iso"] and iso is not None:
        document |= {"isoid": iso.id, "isoname": iso.name, "isodisplaytext": iso.text}
    if told["servoff"]:
        document |= _offering(state, machine)
    if told["diskoff"]:
        document |= _disk_offering(state, machine)
    if told["stats"] and _measured(state, machine):
        document |= _stats(machine)
    os_type = _os_type(state, machine)
    document["guestosid"] = os_type
    if told["volume"]:
        document |= {"rootdeviceid": 0, "rootdevicetype": "ROOT"}
    document["securitygroup"] = _security_groups(state, machine) if told["secgrp"] else []
    nics = [nic_document(state, machine, nic) for nic in machine.nics] if told["nics"] else []
    document |= {"nic": nics, "hypervisor": machine.hypervisor}
    default = next((nic["ipaddress"] for nic in nics if nic["isdefault"]), None)
    if default:
        document["ipaddress"] = default
    document |= _public_address(state, machine)
    if admin:
        document["instancename"] = machine.instance_name
    document |= {
        "details": _details(machine),
        "readonlydetails": "dataDiskController, rootDiskController",
    }
    if machine.key_pairs:
        key = "keypairs" if state.version >= (4, 17) else "keypair"
        document[key] = ",".join(machine.key_pairs)
    document["affinitygroup"] = _affinity_groups(state, machine) if told["affgrp"] else []
    if admin:
        document["displayvm"] = True
    document |= {
        "isdynamicallyscalable": False,
        "deleteprotection": False,
        "ostypeid": os_type,
        "osdisplayname": state.os_types[os_type].name,
    }
    if machine.updated:
        document["pooltype"] = "NetworkFilesystem"
    document |= {"receivedbytes": 0, "sentbytes": 0}
    if user_data and machine.user_data:
        document["userdata"] = machine.user_data
    document |= {"tags": tag_documents(state, machine), "hasannotations": False}
    document |= machine.overlay
    for name in machine.omit:
        document.pop(name, None)
    return document


def nic_document(state: State, machine: Machine, nic: Nic) -> Document:
    """One NIC of a machine."""
    network = state.networks[nic.network]
    document: Document = {
        "id": nic.id,
        "networkid": network.id,
        "networkname": network.name,
        "netmask": network.netmask,
        "gateway": network.gateway,
        "ipaddress": nic.address,
    }
    if machine.running and network.vlan:
        uri = f"vlan://{network.vlan}"
        document |= {"isolationuri": uri, "broadcasturi": uri}
    elif machine.running and network.type == "Shared":
        document["broadcasturi"] = "vlan://untagged"
    document |= {
        "traffictype": "Guest",
        "type": network.type,
        "isdefault": nic.default,
        "macaddress": nic.mac,
        "secondaryip": [{"id": one.id, "ipaddress": one.address} for one in nic.secondary],
        "extradhcpoption": [],
        "deviceid": str(nic.device),
    }
    if network.vpc:
        document |= {"vpcid": network.vpc, "vpcname": state.vpcs[network.vpc].name}
    return document


class _Told:
    """What a set of `details` asks for."""

    def __init__(self, details: frozenset[str]) -> None:
        self._details = details
        self._all = "all" in details

    def __getitem__(self, name: str) -> bool:
        return self._all or name in self._details


def _measured(state: State, machine: Machine) -> bool:
    """Whether the collector has figures of it."""
    return machine.running and state.now - machine.running_since >= STATS_AFTER


def _image(state: State, machine: Machine) -> Document:
    image = state.images.get(machine.image)
    if image is None:
        return {}
    return {
        "templateid": image.id,
        "templatename": image.name,
        "templatetype": "BUILTIN" if image.builtin else "USER",
        "templateformat": image.format,
        "templatedisplaytext": image.text,
        "passwordenabled": image.passwords,
    }


def _os_type(state: State, machine: Machine) -> str:
    image = state.images.get(machine.image)
    return image.os_type if image else next(iter(state.os_types))


def _offering(state: State, machine: Machine) -> Document:
    return {
        "serviceofferingid": machine.offering,
        "serviceofferingname": state.service_offerings[machine.offering].name,
        "cpunumber": machine.cpus,
        "cpuspeed": machine.speed,
        "memory": machine.memory,
    }


def _disk_offering(state: State, machine: Machine) -> Document:
    for volume in (state.volumes[volume_id] for volume_id in machine.volumes):
        if volume.offering:
            offering = state.disk_offerings[volume.offering]
            return {"diskofferingid": offering.id, "diskofferingname": offering.name}
    return {}


def _stats(machine: Machine) -> Document:
    seed = zlib.crc32(machine.id.encode())
    used = 256 * 1024 + seed % 1024
    return {
        "cpuused": f"{seed % 97}.{seed % 89:02}%",
        "networkkbsread": seed % 32768,
        "networkkbswrite": seed % 16384,
        "diskkbsread": seed % 4096,
        "diskkbswrite": seed % 2048,
        "memorykbs": machine.memory * 1024,
        "memoryintfreekbs": max(machine.memory * 1024 - used, 0),
        "memorytargetkbs": machine.memory * 1024,
        "diskioread": seed % 512,
        "diskiowrite": seed % 256,
    }


def _security_groups(state: State, machine: Machine) -> list[Document]:
    groups = [state.security_groups[group] for group in machine.security_groups]
    return [
        {
            "id": group.id,
            "name": group.name,
            "description": group.text,
            "account": group.account,
            "ingressrule": [],
            "egressrule": [],
            "tags": [],
            "virtualmachineids": [],
        }
        for group in groups
    ]


def _affinity_groups(state: State, machine: Machine) -> list[Document]:
    groups = [state.affinity_groups[group] for group in machine.affinity_groups]
    return [
        {"id": group.id, "name": group.name, **owner(state, group), "type": group.type}
        for group in groups
    ]


def _public_address(state: State, machine: Machine) -> Document:
    address = state.addresses.get(machine.public_address)
    return {} if address is None else {"publicipid": address.id, "publicip": address.address}


def _details(machine: Machine) -> dict[str, str]:
    if not machine.key_pairs:
        return machine.details
    return machine.details | {
        "SSH.PublicKey": machine.ssh_key,
        "SSH.KeyPairNames": ",".join(machine.key_pairs),
    }
