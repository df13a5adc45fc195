"""New machines, from a template of the cloud or from a text."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.figures import amount
from anabranch_opennebula.simulator.machines import context
from anabranch_opennebula.simulator.machines.disks import resolve_disk
from anabranch_opennebula.simulator.machines.lifecycle import finish, schedule
from anabranch_opennebula.simulator.machines.nics import put_rules, resolve_nic
from anabranch_opennebula.simulator.machines.quotas import check_quotas
from anabranch_opennebula.simulator.machines.records import Machine, State
from anabranch_opennebula.simulator.names import check_name
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.restricted import refuse_restricted
from anabranch_opennebula.simulator.templates import Template, Vector

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["allocate", "create"]

_UNDERSTOOD = frozenset(
    {
        *("CPU", "VCPU", "MEMORY", "MEMORY_MAX", "VCPU_MAX", "DISK", "NIC", "NIC_ALIAS"),
        *("NIC_DEFAULT", "GRAPHICS", "CONTEXT", "OS", "FEATURES", "INPUT", "PCI", "RAW"),
        *("CPU_MODEL", "TOPOLOGY", "NUMA_NODE", "VIDEO", "TPM", "VMGROUP", "VROUTER_ID"),
        *("SUBMIT_ON_HOLD", "TEMPLATE_ID", "CPU_COST", "MEMORY_COST", "DISK_COST"),
    }
)
_DS_REQUIREMENTS = '("CLUSTERS/ID" @> 0)'


def allocate(call: Call, text: str, hold: bool = False) -> int:
    """`one.vm.allocate`: a machine from a text."""
    template = Template.parse(text)
    refuse_restricted(call, template)
    return create(call, template, template.text("NAME"), hold=hold).id


def create(
    call: Call, template: Template, name: str, *, prefix: str = "one", hold: bool
) -> Machine:
    """Make a machine.

    Args:
        call: Who makes it.
        template: All its attributes.
        name: Its name; when it is empty, the prefix and the machine's number are the name.
        prefix: See there.
        hold: Whether it waits for `release`.

    Raises:
        Refusal: The name or an attribute is not valid, a quota is reached, or an image, a network
            or a security group cannot be used.
    """
    check_name(name or prefix)
    for attribute in ("CPU", "MEMORY"):
        if amount(template.text(attribute)) <= 0:
            raise Refusal(
                Code.ALLOCATE, f"{attribute} attribute must be a positive float or integer value."
            )
    check_quotas(call, template)
    state = call.state
    number = state.machines.new_id()
    machine = Machine(
        **call.owner(),
        id=number,
        name=name or f"{prefix}-{number}",
        state=State.HOLD if hold else State.PENDING,
        started=call.now,
        template=Template(),
        user_template=Template(),
    )
    for key, value in template.copy():
        if key in ("DISK", "NIC", "NIC_ALIAS", "CONTEXT", "NAME"):
            continue
        (machine.template if key in _UNDERSTOOD else machine.user_template).add(key, value)
    try:
        _add_devices(call, machine, template.copy())
    except Refusal:
        finish(state, machine, call.moment)
        raise
    _add_own_attributes(machine, hold=hold)
    state.machines[number] = machine
    if not hold:
        schedule(state, machine, call.moment)
    return machine


def _add_devices(call: Call, machine: Machine, template: Template) -> None:
    taken: set[str] = set()
    disk_id = 0
    for asked in template.vectors("DISK"):
        disk = resolve_disk(call, asked, disk_id, taken)
        machine.template.add("DISK", disk)
        if "IMAGE_ID" in disk:
            call.state.images[int(disk["IMAGE_ID"])].take(machine.id, call.now)
        disk_id += 1
    told: Vector | None = template.vector("CONTEXT")
    if told is not None:
        context.fill(told, disk_id, call.user.template)
        machine.template.add("CONTEXT", told)
    for nic_id, asked in enumerate(template.vectors("NIC")):
        nic, network = resolve_nic(call, machine, asked, nic_id, f"NIC{nic_id}")
        machine.template.add("NIC", nic)
        if told is not None and told.get("NETWORK", "").upper() == "YES":
            context.interface_lines(told, f"ETH{nic_id}", nic, network)
    put_rules(call, machine)


def _add_own_attributes(machine: Machine, *, hold: bool) -> None:
    template = machine.template
    template.put("VMID", str(machine.id))
    template.add("AUTOMATIC_DS_REQUIREMENTS", _DS_REQUIREMENTS)
    if template.vectors("NIC"):
        template.add("AUTOMATIC_NIC_REQUIREMENTS", _DS_REQUIREMENTS)
    template.add("AUTOMATIC_REQUIREMENTS", "(CLUSTER_ID = 0) & !(PIN_POLICY = PINNED)")
    if hold:
        template.put("SUBMIT_ON_HOLD", "YES")
    system = dict(template.vector("OS") or {})
    system.setdefault("UUID", str(uuid.uuid5(uuid.NAMESPACE_OID, f"{machine.name}/{machine.id}")))
    template.put("OS", system)
