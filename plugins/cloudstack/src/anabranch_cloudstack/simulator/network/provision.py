"""Networks come to life with their first machine; addresses are taken and given back."""

from __future__ import annotations

from anabranch_cloudstack.simulator.network.records import Address, Network
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Refusal

__all__ = ["implement", "release_address", "take_address"]


def implement(state: State, network: Network) -> None:
    """Bring a network to life: it gets a VLAN and, where it translates addresses, one of them."""
    if network.state != "Allocated":
        return
    network.state = "Implemented"
    network.vlan = 100 + state.new_number()
    offering = state.network_offerings[network.offering]
    if "SourceNat" in offering.services and not network.vpc:
        address = take_address(state, network.zone, network.account, network.project)
        address.source_nat, address.network = True, network.id


def take_address(state: State, zone: str, account: str, project: str, wanted: str = "") -> Address:
    """Take a free public address of a zone.

    Args:
        state: The cloud.
        zone: The id of the zone.
        account: Who takes it.
        project: For which project, if for one.
        wanted: The address itself, if not just any.

    Raises:
        Refusal: 533, none is free.
    """
    for address in state.addresses.values():
        if address.account or address.zone != zone or wanted not in ("", address.address):
            continue
        address.account, address.project = account, project
        address.state, address.allocated = "Allocated", state.now
        return address
    raise Refusal(533, "Insufficient address capacity")


def release_address(state: State, address: Address, *, keep: bool = False) -> None:
    """Take everything off a public address.

    Args:
        state: The cloud.
        address: Which one.
        keep: Whether it stays with its account; then only its static NAT goes.
    """
    machine = state.machines.get(address.machine)
    if machine is not None:
        machine.public_address = ""
        state.changed(machine.id)
    address.machine, address.guest = "", ""
    for store in (state.firewall_rules, state.forwarding_rules, state.balancers):
        if not keep:
            for rule in [r for r in store.values() if r.address == address.id]:
                del store[rule.id]
    if keep:
        return
    address.account, address.project, address.state = "", "", "Free"
    address.network, address.vpc, address.source_nat = "", "", False
    address.allocated, address.tags = 0.0, {}
