"""In which networks a machine is put, and with which addresses."""

from __future__ import annotations

import ipaddress

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.catalog.records import Zone
from anabranch_cloudstack.simulator.compute.records import Nic
from anabranch_cloudstack.simulator.network.records import Network
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Refusal, invalid

__all__ = ["chosen_nics", "make_nic", "new_network", "nic_at", "taken"]


def chosen_nics(call: Call, zone: Zone) -> list[Nic]:
    """The NICs of a machine that is deployed.

    Raises:
        Refusal: 431, networks where they can not be named, or none where one has to be.
    """
    state = call.state
    call.only_one_of("networkids", "iptonetworklist")
    wanted = dict.fromkeys(call.items("networkids"), "")
    for entry in call.maps("iptonetworklist"):
        wanted[entry.get("networkid", "")] = entry.get("ip", "")
    if zone.network_type == "Basic":
        if wanted:
            raise invalid("Can't specify network Ids in Basic zone")
        shared = next(n for n in state.networks.values() if n.zone == zone.id)
        return [make_nic(state, shared, call.text("ipaddress"), 0)]
    networks = [call.take_id(state.networks, network, "networkids") for network in wanted]
    if not networks:
        network = _default_network(call, zone)
        return [make_nic(state, network, call.text("ipaddress"), 0)]
    for network in networks:
        if network.zone != zone.id:
            raise invalid(f"Network id={network.id} doesn't belong to zone {zone.id}")
    addresses = list(wanted.values())
    addresses[0] = addresses[0] or call.text("ipaddress")
    return [
        make_nic(state, network, address, device)
        for device, (network, address) in enumerate(zip(networks, addresses, strict=True))
    ]


def make_nic(state: State, network: Network, address: str, device: int) -> Nic:
    """A NIC in a network.

    Args:
        state: The cloud.
        network: The network.
        address: The address that it is to have; empty for any.
        device: Its place in the machine; the first is the default one.

    Raises:
        Refusal: 431, the address is not the network's; 533, it is taken, or all are.
    """
    return nic_at(state, network, _address(state, network, address), device)


def nic_at(state: State, network: Network, address: str, device: int) -> Nic:
    """A NIC with an address that nobody has."""
    number = state.new_number()
    return Nic(
        id=state.new_id(),
        network=network.id,
        address=address,
        mac=":".join(f"{byte:02x}" for byte in (2, 0, *number.to_bytes(4, "big"))),
        device=device,
        default=device == 0,
    )


def taken(state: State, network: Network) -> set[str]:
    """The addresses of a network that are in use."""
    used = {network.gateway}
    for machine in state.machines.values():
        for nic in machine.nics:
            if nic.network == network.id:
                used.add(nic.address)
                used.update(one.address for one in nic.secondary)
    return used


def _address(state: State, network: Network, wanted: str) -> str:
    if not network.cidr:
        return ""
    block = ipaddress.IPv4Network(network.cidr)
    if wanted:
        try:
            inside = ipaddress.IPv4Address(wanted) in block
        except ValueError:
            inside = False
        if not inside:
            raise invalid(f"Unable to use IP {wanted}: it is not in {network.cidr}")
        if wanted in taken(state, network):
            raise Refusal(533, f"Unable to acquire Guest IP address {wanted}: it is in use")
        return wanted
    return _next_address(state, network)


def _next_address(state: State, network: Network) -> str:
    """The next free address of a network.

    Raises:
        Refusal: 533, there is none.
    """
    block = ipaddress.IPv4Network(network.cidr)
    used: set[str] | None = None
    for _ in range(block.num_addresses):
        network.given = network.given % (block.num_addresses - 2) + 1
        address = str(block[network.given])
        if address == network.gateway:
            continue
        if used is None:
            used = taken(state, network)
        if address not in used:
            return address
    raise Refusal(533, f"Insufficient address capacity in network {network.name}")


def _default_network(call: Call, zone: Zone) -> Network:
    """The isolated network of the account, made if there is none."""
    state = call.state
    found = [
        network
        for network in call.visible(state.networks.values())
        if network.zone == zone.id
        and network.type == "Isolated"
        and network.account
        and not network.vpc
        and "SourceNat" in state.network_offerings[network.offering].services
    ]
    if len(found) > 1:
        raise invalid(
            "More than 1 default Isolated networks are found for account Account"
            f' [{{"accountName":"{call.account.name}","id":{call.account.number},'
            f'"uuid":"{call.account.id}"}}]; please specify networkIds'
        )
    if found:
        return found[0]
    offering = next(o for o in state.network_offerings.values() if o.availability == "Required")
    name = f"{call.account.name}-network"
    network = new_network(call, zone, name, offering.id)
    state.add(state.networks, network)
    return network


def new_network(call: Call, zone: Zone, name: str, offering_id: str) -> Network:
    """An isolated network with the zone's own addresses, which is in no store yet."""
    return Network(
        id=call.state.new_id(),
        name=name,
        text=name,
        account=call.account.name,
        project=call.project,
        created=call.state.now,
        zone=zone.id,
        offering=offering_id,
        type="Isolated",
        gateway="10.1.1.1",
        cidr="10.1.1.0/24",
    )
