"""The making of virtual machines."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.catalog.records import GIB, DiskOffering, Image, Zone
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.lifecycle import move, told
from anabranch_cloudstack.simulator.compute.machines import check_name
from anabranch_cloudstack.simulator.compute.records import Machine
from anabranch_cloudstack.simulator.compute.sizing import Size, check_limits, size_of
from anabranch_cloudstack.simulator.compute.userdata import checked_user_data
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.network.placement import chosen_nics
from anabranch_cloudstack.simulator.network.provision import implement
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.storage.records import Volume
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid

__all__ = ["commands"]

commands = Commands()


@commands.add(
    "deployVirtualMachine",
    "serviceofferingid!:uuid zoneid!:uuid templateid!<4.21:uuid name displayname"
    " networkids:list iptonetworklist:map ipaddress securitygroupids:list"
    " securitygroupnames:list keypair keypairs@4.17:list userdata userdataid@4.18:uuid"
    " userdatadetails@4.18:map diskofferingid:uuid size:long rootdisksize:long"
    " startvm:boolean hypervisor affinitygroupids:list affinitygroupnames:list group"
    " details:map projectid:uuid account domainid:uuid displayvm:boolean keyboard"
    " macaddress hostid:uuid volumeid@4.21:uuid snapshotid@4.21:uuid",
    job="user.vm.DeployVMCmd",
    instance_type="VirtualMachine",
)
def deploy(call: Call) -> Document:
    """Creates a virtual machine and, unless told otherwise, starts it."""
    state = call.state
    if call.has("name"):
        check_name(call, call.text("name"))
    zone = call.take(state.zones, "zoneid")
    size = size_of(call)
    image = _image(call, zone)
    if not zone.enabled and not call.account.is_admin:
        raise Refusal(
            531, f"Cannot perform this operation, Zone is currently disabled: {zone.name}", 4365
        )
    security_groups = _security_groups(call, zone)
    data_offering = _data_offering(call)
    machine_id, number = state.new_id(), state.new_number()
    name = call.text("name") or f"VM-{machine_id}"
    nics = chosen_nics(call, zone)
    _check_unique(call, name, {nic.network for nic in nics})
    user_data = checked_user_data(call)
    keys = call.items("keypairs") or call.items("keypair")
    ssh_key = "\n".join(_public_key(call, key) for key in keys)
    affinity_groups = _affinity_groups(call)
    root = _root_size(call, image, size, data_offering)
    volumes = 2 if data_offering and not image.is_iso else 1
    check_limits(
        call,
        user_vm=1,
        cpu=size.cpus,
        memory=size.memory,
        volume=volumes,
        primary_storage=root // GIB,
    )
    machine = Machine(
        id=machine_id,
        number=number,
        name=name,
        display=call.text("displayname") or name,
        account=call.account.name,
        project=call.project,
        created=state.now,
        zone=zone.id,
        image=image.id,
        iso=image.id if image.is_iso else "",
        offering=size.offering,
        cpus=size.cpus,
        speed=size.speed,
        memory=size.memory,
        nics=nics,
        security_groups=security_groups,
        affinity_groups=affinity_groups,
        group=call.text("group"),
        key_pairs=keys,
        ssh_key=ssh_key,
        user_data=user_data,
        details=size.details,
    )
    state.add(state.machines, machine)
    _add_volume(
        state,
        machine,
        Volume(id=state.new_id(), name=f"ROOT-{number}", type="ROOT", zone=zone.id, size=root),
    )
    if volumes == 2 and data_offering:
        gib = data_offering.size or call.number("size") or 0
        _add_volume(
            state,
            machine,
            Volume(
                id=state.new_id(),
                name=f"DATA-{number}",
                zone=zone.id,
                size=gib * GIB,
                offering=data_offering.id,
                device=1,
            ),
        )
    start = call.flag("startvm", default=True)
    return call.start(_deploying(state, machine, image, start=start), machine_id, created=True)


def _deploying(state: State, machine: Machine, image: Image, *, start: bool) -> Work:
    volumes = [state.volumes[volume] for volume in machine.volumes]
    if start:
        move(state, machine, "Starting")
    yield
    if start and machine.cpus > state.capacity:
        move(state, machine, "Error")
        raise Refusal(533, f"No destination found for a deployment for {machine.described()}")
    if start:
        for nic in machine.nics:
            implement(state, state.networks[nic.network])
        for volume in volumes:
            volume.state = "Ready"
            volume.attached = state.now if volume.type != "ROOT" else 0.0
        move(state, machine, "Running")
    result = told(state, machine)
    if start and not result["virtualmachine"]["details"]:
        result["virtualmachine"] |= {"bootmode": "legacy", "boottype": "Bios"}
    if image.passwords:
        machine.password = f"pw{machine.id[:8]}"
        result["virtualmachine"]["password"] = machine.password
    return result


def _image(call: Call, zone: Zone) -> Image:
    if not call.has("templateid"):
        raise invalid("Either template or volume/snapshot ID must be specified")
    image = call.take_shared(call.state.images, "templateid")
    if zone.id not in image.zones or image.ready_at > call.state.now:
        raise invalid(f"Unable to use template {image.id}: it is not ready in zone {zone.name}")
    if image.is_iso and not call.has("hypervisor"):
        raise invalid(
            "hypervisor parameter is needed to deploy VM or the hypervisor parameter value passed"
            " is invalid"
        )
    if image.is_iso and not call.has("diskofferingid"):
        raise invalid(
            "Installing from ISO requires a disk offering to be specified for the root disk."
        )
    return image


def _data_offering(call: Call) -> DiskOffering | None:
    if not call.has("diskofferingid"):
        return None
    offering = call.take(call.state.disk_offerings, "diskofferingid")
    if not offering.size and not call.number("size"):
        raise invalid("This disk offering requires a custom size specified")
    return offering


def _root_size(call: Call, image: Image, size: Size, data_offering: DiskOffering | None) -> int:
    if image.is_iso and data_offering:
        return (data_offering.size or call.number("size") or 0) * GIB
    wanted = call.number("rootdisksize")
    if wanted is None:
        return size.root_size * GIB or image.size
    if wanted * GIB < image.size:
        raise invalid(
            f"Unsupported: rootdisksize override ({wanted} GB) is smaller than template size"
            f" {image.size / GIB:.2f} GB"
        )
    return wanted * GIB


def _security_groups(call: Call, zone: Zone) -> list[str]:
    call.only_one_of("securitygroupids", "securitygroupnames")
    groups = call.state.security_groups
    ids = call.items("securitygroupids")
    names = call.items("securitygroupnames")
    if (ids or names) and not zone.groups_in_use:
        raise invalid(
            "Can't create vm with security groups; security group feature is not enabled per zone"
        )
    for group in ids:
        call.take_id(groups, group, "securitygroupids")
    own = {g.name: g.id for g in groups.values() if g.account == call.account.name}
    for name in names:
        if name not in own:
            raise invalid(f"Unable to find group by name {name}")
    chosen = ids or [own[name] for name in names]
    if zone.groups_in_use and not chosen:
        chosen = [own["default"]]
    return chosen


def _public_key(call: Call, name: str) -> str:
    for pair in call.visible(call.state.key_pairs.values()):
        if pair.name == name:
            return pair.public_key
    raise invalid(f"A key pair with name '{name}' was not found.")


def _affinity_groups(call: Call) -> list[str]:
    groups = call.state.affinity_groups
    ids = call.items("affinitygroupids")
    for group in ids:
        call.take_id(groups, group, "affinitygroupids")
    own = {g.name: g.id for g in call.visible(groups.values())}
    for name in call.items("affinitygroupnames"):
        if name not in own:
            raise invalid(f"Unable to find affinity group by name {name}")
        ids.append(own[name])
    return ids


def _check_unique(call: Call, name: str, networks: set[str]) -> None:
    for other in call.state.machines.values():
        shared = networks & {nic.network for nic in other.nics}
        if other.name == name and other.present and shared:
            network = call.state.networks[shared.pop()]
            raise invalid(
                f"The vm with hostName {name} already exists in the network domain:"
                f" {network.domain}; network={network.name}"
            )


def _add_volume(state: State, machine: Machine, volume: Volume) -> None:
    volume.account, volume.project = machine.account, machine.project
    volume.created, volume.machine = state.now, machine.id
    state.add(state.volumes, volume)
    machine.volumes.append(volume.id)
