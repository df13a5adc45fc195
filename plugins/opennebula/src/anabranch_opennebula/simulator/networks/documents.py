"""The documents of networks."""

from __future__ import annotations

from anabranch_opennebula.simulator.documents import cdata, head, ids, lock
from anabranch_opennebula.simulator.networks.records import AddressRange, Network
from anabranch_opennebula.simulator.templates import Template, Vector

__all__ = ["pooled", "whole"]

_STATES_SINCE = (6, 4)
_MACHINE_TYPE, _NETWORK_TYPE = 1 << 36, 1 << 38


def whole(release: tuple[int, int], network: Network) -> str:
    """The document of `one.vn.info`: it tells who has which address."""
    return _document(release, network, "".join(_whole_range(r) for r in network.ranges.values()))


def pooled(release: tuple[int, int], network: Network) -> str:
    """The document in `one.vnpool.info`: leases are numbers in ALLOCATED only."""
    ranges = Template(("AR", _attributes(r, allocated=True)) for r in network.ranges.values())
    return _document(release, network, ranges.xml("X")[3:-4] if network.ranges else "")


def _document(release: tuple[int, int], network: Network, ranges: str) -> str:
    parent = network.parent
    with_states = release >= _STATES_SINCE
    updates = f"{ids('UPDATED_VMS', network.vms)}<OUTDATED_VMS/><UPDATING_VMS/><ERROR_VMS/>"
    return "".join(
        (
            "<VNET>",
            head(network),
            lock(network),
            ids("CLUSTERS", [0]),
            f"<BRIDGE>{cdata(network.bridge)}</BRIDGE>",
            "<BRIDGE_TYPE><![CDATA[linux]]></BRIDGE_TYPE>",
            "<STATE>1</STATE><PREV_STATE>1</PREV_STATE>" if with_states else "",
            "<PARENT_NETWORK_ID/>"
            if parent < 0
            else f"<PARENT_NETWORK_ID>{parent}</PARENT_NETWORK_ID>",
            "<TEMPLATE_ID/>"
            if network.made_from < 0
            else f"<TEMPLATE_ID>{network.made_from}</TEMPLATE_ID>",
            "<VN_MAD><![CDATA[dummy]]></VN_MAD><PHYDEV/><VLAN_ID/><OUTER_VLAN_ID/>",
            "<VLAN_ID_AUTOMATIC>0</VLAN_ID_AUTOMATIC>",
            "<OUTER_VLAN_ID_AUTOMATIC>0</OUTER_VLAN_ID_AUTOMATIC>",
            f"<USED_LEASES>{network.used}</USED_LEASES><VROUTERS/>",
            updates if with_states else "",
            network.template.xml(),
            f"<AR_POOL>{ranges}</AR_POOL></VNET>" if ranges else "<AR_POOL/></VNET>",
        )
    )


def _attributes(address_range: AddressRange, *, allocated: bool) -> Vector:
    found: Vector = {
        "AR_ID": str(address_range.id),
        "MAC": address_range.mac(0),
        "NEXT_INDEX": str(address_range.next_index),
        "SHARED": "NO",
        "SIZE": str(address_range.size),
        "TYPE": address_range.type,
        **address_range.prefixes,
    }
    if ip := address_range.ip(0):
        found["IP"] = ip
    if address_range.parent >= 0:
        found["PARENT_NETWORK_AR_ID"] = str(address_range.parent)
    if allocated and address_range.leases:
        numbers = (
            f" {index} {(_MACHINE_TYPE if kind == 'VM' else _NETWORK_TYPE) | holder & 0xFFFFFFFF}"
            for index, (kind, holder) in sorted(address_range.leases.items())
        )
        found["ALLOCATED"] = "".join(numbers)
    return found


def _whole_range(address_range: AddressRange) -> str:
    attributes = sorted(_attributes(address_range, allocated=False).items())
    last = address_range.size - 1
    leases = "".join(
        "<LEASE>"
        + "".join(f"<{k}>{cdata(v)}</{k}>" for k, v in _lease(address_range, index))
        + f"<{kind}>{holder}</{kind}></LEASE>"
        for index, (kind, holder) in sorted(address_range.leases.items())
    )
    end = address_range.ip(last)
    return "".join(
        (
            "<AR>",
            *(f"<{name}>{cdata(value)}</{name}>" for name, value in attributes),
            f"<MAC_END>{cdata(address_range.mac(last))}</MAC_END>",
            f"<IP_END>{cdata(end)}</IP_END>" if end else "",
            f"<USED_LEASES>{len(address_range.leases)}</USED_LEASES>",
            f"<LEASES>{leases}</LEASES></AR>" if leases else "<LEASES/></AR>",
        )
    )


def _lease(address_range: AddressRange, index: int) -> list[tuple[str, str]]:
    found = {"MAC": address_range.mac(index), **address_range.ipv6(index)}
    if ip := address_range.ip(index):
        found["IP"] = ip
    return sorted(found.items())
