"""Virtual networks: `one.vn.…` and `one.vnpool.info`."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.access import ADMIN, MANAGE
from anabranch_opennebula.simulator.figures import whole
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.names import check_name, check_unique
from anabranch_opennebula.simulator.networks import documents
from anabranch_opennebula.simulator.networks.records import AddressRange, Holder, Network
from anabranch_opennebula.simulator.paging import page
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.templates import Template, Vector

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["METHODS", "make"]

_ON_HOLD = Holder("VM", -1)
_LARGEST_RANGE = 1 << 24
_PREFIXES = ("GLOBAL_PREFIX", "ULA_PREFIX")
_FIRSTS = ("IP", "IP6", "MAC")
"""What says with which address a reservation begins; of these, only IP is served here."""
_TYPES = ("IP4", "IP6", "IP4_6", "ETHER")


def _info(call: Call, network_id: int, decrypt: bool = False) -> str:
    del decrypt
    return documents.whole(call.state.release, call.find(call.state.networks, network_id))


def _pool(call: Call, filter_flag: int, start: int, end: int) -> str:
    visible = page(call.visible(call.state.networks, filter_flag), start, end)
    inner = "".join(documents.pooled(call.state.release, network) for network in visible)
    return f"<VNET_POOL>{inner}</VNET_POOL>" if inner else "<VNET_POOL/>"


def _allocate(call: Call, text: str, cluster_id: int = -1) -> int:
    del cluster_id
    if not call.user.privileged:
        raise Refusal(
            Code.AUTHORIZATION, f"User [{call.user.id}] : Not authorized to perform CREATE NET."
        )
    template = Template.parse(text)
    return make(call, template, template.text("NAME"))


def make(call: Call, template: Template, name: str) -> int:
    """Make a network of a template with its ranges; its number.

    Raises:
        Refusal: The name is not valid or taken, or a range is none.
    """
    check_name(name)
    check_unique(call.state.networks, name, call.user.id)
    made_from = whole(template.text("TEMPLATE_ID"))
    network = Network(
        **call.owner(),
        id=call.state.networks.new_id(),
        name=name,
        bridge=template.text("BRIDGE"),
        made_from=-1 if made_from is None else made_from,
        template=template,
    )
    for vector in template.vectors("AR"):
        _add_range(network, vector)
    template.remove("NAME", "AR", "TEMPLATE_ID")
    call.state.networks[network.id] = network
    return network.id


def _reserve(call: Call, network_id: int, text: str) -> int:
    """A network of the user's own with addresses of another one, or more of them for it."""
    parent = call.find(call.state.networks, network_id)
    asked = Template.parse(text)
    size, name = whole(asked.text("SIZE")), asked.text("NAME")
    if not size:
        raise Refusal(Code.ACTION, "Reservation SIZE must be a positive integer", network_id)
    if "AR_ID" not in asked and any(first in asked for first in _FIRSTS):
        raise Refusal(
            Code.ACTION, "AR_ID must be specified for IP/MAC based reservations", network_id
        )
    if parent.parent >= 0:
        raise Refusal(Code.ACTION, "Cannot reserve from a reserved network", network_id)
    existing = whole(asked.text("NETWORK_ID"))
    if existing is not None:
        child = call.find(call.state.networks, existing, MANAGE)
        if child.parent != network_id:
            raise Refusal(
                Code.ACTION, f"Network {existing} is no reservation of this one", network_id
            )
    else:
        check_name(name)
        check_unique(call.state.networks, name, call.user.id)
        child = Network(
            **call.owner(),
            id=call.state.networks.new_id(),
            name=name,
            bridge=parent.bridge,
            parent=parent.id,
            template=parent.template.copy(),
        )
    _move(parent, child, size, asked)
    call.state.networks[child.id] = child
    return child.id


def _move(parent: Network, child: Network, size: int, asked: Template) -> None:
    """Give addresses of the parent to a reservation: side by side, from IP on if it is asked."""
    wanted_range, ip = asked.text("AR_ID"), asked.text("IP")
    for source in parent.ranges.values():
        if wanted_range and wanted_range != str(source.id):
            continue
        start = source.index_of(ip) if ip else source.free_block(size)
        if start is None or any(i in source.leases for i in range(start, start + size)):
            continue
        if start + size > source.size:
            continue
        for index in range(start, start + size):
            source.give(index, Holder("VNET", child.id))
        number = max(child.ranges, default=-1) + 1
        child.ranges[number] = AddressRange(
            id=number,
            type=source.type,
            first_ip=source.first_ip + start if source.first_ip else 0,
            first_mac=source.first_mac + start,
            size=size,
            parent=source.id,
            prefixes=dict(source.prefixes),
        )
        return
    raise Refusal(Code.ACTION, "Not enough free addresses in an address range", parent.id)


def _delete(call: Call, network_id: int, force: bool = False) -> int:
    del force
    network = call.find(call.state.networks, network_id, MANAGE)
    if network.used:
        raise Refusal(
            Code.ACTION, "Can not remove a virtual network with leases in use", network_id
        )
    for address_range in network.ranges.values():
        _give_back(call, network, address_range)
    del call.state.networks[network_id]
    return network_id


def _give_back(call: Call, network: Network, address_range: AddressRange) -> None:
    parent = call.state.networks.get(network.parent)
    if parent is None or address_range.parent not in parent.ranges:
        return
    source = parent.ranges[address_range.parent]
    first = address_range.first_mac - source.first_mac
    for index in range(first, first + address_range.size):
        source.leases.pop(index, None)


def _hold(call: Call, network_id: int, text: str) -> int:
    network = call.find(call.state.networks, network_id, MANAGE)
    for vector in _leases(text):
        network.lease(_ON_HOLD, vector.get("IP", ""))
    return network_id


def _release(call: Call, network_id: int, text: str) -> int:
    network = call.find(call.state.networks, network_id, MANAGE)
    for vector in _leases(text):
        for address_range in network.ranges.values():
            index = address_range.index_of(vector.get("IP", ""))
            if index is not None and address_range.leases.get(index) == _ON_HOLD:
                del address_range.leases[index]
                break
        else:
            raise Refusal(Code.ACTION, f"Address {vector.get('IP')} is not on hold", network_id)
    return network_id


def _leases(text: str) -> list[Vector]:
    found = Template.parse(text).vectors("LEASES")
    if not found:
        raise Refusal(Code.INTERNAL, "Empty lease description.")
    return found


def _add_ar(call: Call, network_id: int, text: str) -> int:
    network = call.find(call.state.networks, network_id, ADMIN)
    vectors = Template.parse(text).vectors("AR")
    if not vectors:
        raise Refusal(Code.INTERNAL, "Wrong AR definition. AR vector attribute is missing.")
    for vector in vectors:
        _add_range(network, vector)
    return network_id


def _add_range(network: Network, vector: Vector) -> None:
    kind, size = vector.get("TYPE", ""), whole(vector.get("SIZE", ""))
    if kind not in _TYPES or not size or size > _LARGEST_RANGE:
        raise Refusal(Code.INTERNAL, "Wrong TYPE or SIZE in address range")
    number = max(network.ranges, default=-1) + 1
    try:
        ip = int(ipaddress.IPv4Address(vector["IP"])) if kind in ("IP4", "IP4_6") else 0
        ipaddress.IPv4Address(ip + size - 1)
        for prefix in _PREFIXES:
            ipaddress.IPv6Address(vector.get(prefix, "::"))
    except (KeyError, ValueError) as error:
        raise Refusal(Code.INTERNAL, "Missing or wrong IP in address range") from error
    network.ranges[number] = AddressRange(
        id=number,
        type=kind,
        first_ip=ip,
        first_mac=0x0200_0000_0000 + (ip or (network.id + 1) << 16),
        size=size,
        prefixes={k: v for k, v in vector.items() if k in _PREFIXES},
    )


def _rm_ar(call: Call, network_id: int, range_id: int, force: bool = False) -> int:
    del force
    return _drop_range(call, call.find(call.state.networks, network_id, ADMIN), range_id)


def _free_ar(call: Call, network_id: int, range_id: int) -> int:
    """Give the addresses of a range back to the network that they were reserved from."""
    network = call.find(call.state.networks, network_id, MANAGE)
    if network.parent < 0:
        raise Refusal(Code.ACTION, "Only reserved address ranges can be freed", network_id)
    return _drop_range(call, network, range_id)


def _drop_range(call: Call, network: Network, range_id: int) -> int:
    address_range = network.ranges.get(range_id)
    if address_range is None:
        raise Refusal(Code.INTERNAL, "Address Range does not exist", network.id)
    if address_range.leases:
        raise Refusal(Code.INTERNAL, "Address Range has leases in use", network.id)
    _give_back(call, network, address_range)
    del network.ranges[range_id]
    return network.id


def _rename(call: Call, network_id: int, name: str) -> int:
    network = call.find(call.state.networks, network_id, MANAGE)
    check_name(name)
    check_unique(call.state.networks, name, network.uid)
    network.name = name
    return network_id


def _update(call: Call, network_id: int, text: str, append: int) -> int:
    network = call.find(call.state.networks, network_id, MANAGE)
    parsed = Template.parse(text)
    if append:
        network.template.merge(parsed)
    else:
        network.template = parsed
    return network_id


METHODS = {
    "one.vn.add_ar": Method("is", _add_ar),
    "one.vn.allocate": Method("s|i", _allocate),
    "one.vn.delete": Method("i|b", _delete),
    "one.vn.free_ar": Method("ii", _free_ar),
    "one.vn.hold": Method("is", _hold),
    "one.vn.info": Method("i|b", _info),
    "one.vn.release": Method("is", _release),
    "one.vn.rename": Method("is", _rename),
    "one.vn.reserve": Method("is", _reserve),
    "one.vn.rm_ar": Method("ii|b", _rm_ar),
    "one.vn.update": Method("isi", _update),
    "one.vnpool.info": Method("iii", _pool),
}
