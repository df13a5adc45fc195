"""The interfaces of machines: what a NIC of a template becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.access import USE
from anabranch_opennebula.simulator.figures import listed, whole
from anabranch_opennebula.simulator.machines.records import Machine
from anabranch_opennebula.simulator.networks.records import Holder, Network
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.templates import Vector

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["find_network", "put_rules", "resolve_nic"]

_OF_ONED = ("PARENT_ID", "ALIAS_ID", "ALIAS_IDS", "ATTACH")


def resolve_nic(
    call: Call, machine: Machine, asked: Vector, nic_id: int, name: str
) -> tuple[Vector, Network]:
    """What a NIC or a NIC_ALIAS becomes in a machine; it gets an address.

    Raises:
        Refusal: The network or a security group is not there or not usable, or there is no
            address left.
    """
    network = find_network(call, asked)
    wanted = listed(asked.get("SECURITY_GROUPS", ""))
    groups = {*wanted, *listed(network.template.text("SECURITY_GROUPS"))}
    for number in groups:
        call.find(call.state.security_groups, number)
    lease = network.lease(Holder("VM", machine.id), asked.get("IP", ""))
    given = network.ranges[lease.range_id]
    machine.leases[nic_id] = (network.id, lease)
    network.vms.add(machine.id)
    nic: Vector = {
        **{name: value for name, value in asked.items() if name not in _OF_ONED},
        "AR_ID": str(lease.range_id),
        "BRIDGE": network.bridge,
        "BRIDGE_TYPE": "linux",
        "CLUSTER_ID": "0",
        "MAC": given.mac(lease.number),
        "NAME": asked.get("NAME", name),
        "NETWORK": network.name,
        "NETWORK_ID": str(network.id),
        "NIC_ID": str(nic_id),
        "SECURITY_GROUPS": ",".join(map(str, sorted(groups))),
        "TARGET": f"one-{machine.id}-{nic_id}",
        "VN_MAD": "dummy",
    }
    if ip := given.ip(lease.number):
        nic["IP"] = ip
    nic.update(given.ipv6(lease.number))
    for copied in ("DNS", "GATEWAY"):
        if value := network.template.text(copied):
            nic[copied] = value
    return nic, network


def find_network(call: Call, nic: Vector) -> Network:
    """The network that a NIC names by NETWORK_ID, or by NETWORK and NETWORK_UNAME.

    Raises:
        Refusal: There is no such network, or the user may not use it.
    """
    networks = call.state.networks
    number = nic.get("NETWORK_ID", "")
    if number:
        found = networks.get(-1 if (n := whole(number)) is None else n)
    else:
        uname = nic.get("NETWORK_UNAME", call.user.name)
        found = next(
            (n for n in networks.values() if (n.name, n.uname) == (nic.get("NETWORK"), uname)),
            None,
        )
    if found is None:
        raise Refusal(
            Code.ALLOCATE, f"Virtual network with ID: {number or nic.get('NETWORK')} does not exist"
        )
    call.demand(USE, networks, found)
    return found


def put_rules(call: Call, machine: Machine) -> None:
    """Write the rules of all security groups of a machine's interfaces into its template."""
    numbers = sorted(
        {
            number
            for kind in ("NIC", "NIC_ALIAS")
            for nic in machine.template.vectors(kind)
            for number in listed(nic.get("SECURITY_GROUPS", ""))
        }
    )
    for group in call.state.security_groups.values():
        group.vms.discard(machine.id)
        if group.id in numbers:
            group.vms.add(machine.id)
    machine.template.remove("SECURITY_GROUP_RULE")
    groups = (call.state.security_groups.get(number) for number in numbers)
    for group in filter(None, groups):
        owner = {"SECURITY_GROUP_ID": str(group.id), "SECURITY_GROUP_NAME": group.name}
        for rule in group.template.vectors("RULE"):
            machine.template.add("SECURITY_GROUP_RULE", rule | owner)
