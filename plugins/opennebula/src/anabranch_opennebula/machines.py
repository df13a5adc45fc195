"""VM documents to instances, and to what hangs on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

from anabranch.models import (
    AttachedVolume,
    Hardware,
    Instance,
    NetworkAddress,
    NetworkAddressKind,
    NetworkInterface,
    NetworkState,
)
from anabranch.states import InstanceState
from anabranch_opennebula import own
from anabranch_opennebula.reading import Thing, extra_of, flag, integer, number, when
from anabranch_opennebula.states import view
from anabranch_opennebula.templates import leaves
from anabranch_opennebula.xml import Element

__all__ = ["Disk", "Machine", "instance_of", "interfaces_of", "machine_of", "read_instances"]

_WITHOUT: Final = frozenset({"ID", "NAME", "UID", "STATE", "LCM_STATE", "STIME"})
_IPV4, _IPV6 = NetworkAddressKind.IPV4, NetworkAddressKind.IPV6
_PRIVATE: Final = re.compile(
    r"(?:10|127|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}$"
)
"""Most addresses, told in a tenth of the time that `ipaddress` takes."""
_ADDRESSES: Final = ("IP", "IP6", "IP6_GLOBAL", "IP6_ULA")
_NICS: Final = ("NIC", "NIC_ALIAS")
_TOP: Final = ("ID", "NAME", "UID", "STATE", "LCM_STATE", "STIME")
_PARTS: Final = ("TEMPLATE", "USER_TEMPLATE", "HISTORY_RECORDS")
_SIZES: Final = ("VCPU", "MEMORY", "TEMPLATE_ID")
_DISK: Final = ("DISK_ID", "IMAGE_ID", "PERSISTENT", "SIZE", "TARGET")
_NIC: Final = (
    *("NIC_ID", "NAME", "NETWORK_ID", "NETWORK", "AR_ID", "MAC", "EXTERNAL", "SECURITY_GROUPS"),
    *_ADDRESSES,
)
_CUSTOM: Final = (
    *(own.HARDWARE_PROFILE, own.KEY, own.TAGS, own.CLIENT_TOKEN, "ERROR", "SCHED_MESSAGE"),
)
_PLACED: Final = ("CID", "RSTIME")


class Disk(NamedTuple):
    """A disk of a machine.

    Attributes:
        id: DISK_ID: what it is called in calls; no position, since the context has one too.
        image_id: The image that it is, or is a clone of; empty: of a volatile disk.
        persistent: Whether it is the image itself.
        size_mib: Its size.
        target: Device name within the machine (`vda`).
    """

    id: int
    image_id: str
    persistent: bool
    size_mib: int | None
    target: str


class Machine(NamedTuple):
    """What the actions look at in a VM document.

    Attributes:
        state: STATE.
        lcm_state: LCM_STATE.
        disks: Without the context.
        nics: Fields of each NIC and NIC_ALIAS, with `KIND` for which of the two.
        own_snapshots: The leaves of the snapshots of the machine itself.
        snapshots: For each disk id, the leaves of its snapshots.
    """

    id: int
    state: int
    lcm_state: int
    disks: Sequence[Disk]
    nics: Sequence[Mapping[str, str]]
    own_snapshots: Sequence[Mapping[str, str]]
    snapshots: Mapping[int, Sequence[Mapping[str, str]]]

    @property
    def root(self) -> Disk | None:
        """The disk that it boots from; None: it never had one, or that was detached."""
        return _root(self.disks)

    def disk_of(self, image_id: str) -> Disk | None:
        """The disk that is an image, or a clone of one."""
        return next((disk for disk in self.disks if disk.image_id == image_id), None)

    def nic_on(self, network_id: str) -> Mapping[str, str] | None:
        """The first interface on a network."""
        return next((nic for nic in self.nics if nic.get("NETWORK_ID") == network_id), None)


def read_instances(
    cloud: str, public_networks: Iterable[str]
) -> Callable[[Thing], tuple[Instance, ...]]:
    """Return what converts VM documents.

    Args:
        cloud: Name of the cloud.
        public_networks: Ids or names of networks whose addresses are public.
    """
    public = frozenset(public_networks)

    def convert(vm: Thing) -> tuple[Instance, ...]:
        return (instance_of(cloud, public, vm),)

    return convert


def instance_of(cloud: str, public_networks: frozenset[str], vm: Thing) -> Instance:
    """Convert a VM document.

    Raises:
        Unreadable: it has no id.
    """
    top = leaves(vm.element, *_TOP)
    parts = {str(part.tag): part for part in vm.element.iterchildren(*_PARTS)}
    sizes: dict[str, str] = {}
    disks: list[Disk] = []
    nics: list[Mapping[str, str]] = []
    template = parts.get("TEMPLATE")
    for child in template.iterchildren(*_SIZES, "DISK", *_NICS) if template is not None else ():
        if not len(child):
            sizes[str(child.tag)] = child.text or ""
        elif child.tag == "DISK":
            disks.append(_disk(child))
        else:
            nics.append(_nic(child))
    user = parts.get("USER_TEMPLATE")
    custom = leaves(user, *_CUSTOM) if user is not None else {}
    state, platform_state, busy, actions = view(
        _state(top.get("STATE")), _state(top.get("LCM_STATE"))
    )
    placed = _last_history(parts.get("HISTORY_RECORDS"))
    public, private = _addresses(nics, public_networks)
    ident = vm.identified(top.get("ID"))
    root = _root(disks)
    profile = custom.get(own.HARDWARE_PROFILE) or sizes.get("TEMPLATE_ID", "").strip()
    return Instance(
        cloud=cloud,
        id=ident,
        name=top.get("NAME", ""),
        state=state,
        platform_state=platform_state,
        busy=busy,
        actions=actions,
        owner_id=top.get("UID") or None,
        image_id=(root.image_id or None) if root else None,
        realm_id=placed.get("CID") or None,
        hardware_profile_id=profile or None,
        hardware=_hardware(sizes, root),
        public_addresses=public,
        private_addresses=private,
        created_at=when(top.get("STIME")),
        launched_at=when(placed.get("RSTIME")),
        key_id=custom.get(own.KEY) or None,
        firewall_ids=_firewalls(nics),
        storage_volumes=tuple(
            [AttachedVolume(d.image_id, _device(d)) for d in disks if d.persistent and d.id]
        ),
        network_interface_ids=tuple([f"{ident}.{n['NIC_ID']}" for n in nics if n.get("NIC_ID")]),
        tags=own.mapping_of(custom.get(own.TAGS)),
        client_token=custom.get(own.CLIENT_TOKEN) or None,
        fault=_fault(state, custom),
        extra=extra_of(vm, _WITHOUT),
    )


def machine_of(vm: Thing) -> Machine:
    """Read of a VM document what the actions look at."""
    element = vm.element
    return Machine(
        id=int(vm.id),
        state=_state(element.findtext("STATE")),
        lcm_state=_state(element.findtext("LCM_STATE")),
        disks=[_disk(disk) for disk in element.iterfind("TEMPLATE/DISK")],
        nics=[_nic(nic) for kind in _NICS for nic in element.iterfind(f"TEMPLATE/{kind}")],
        own_snapshots=[leaves(s) for s in element.iterfind("TEMPLATE/SNAPSHOT")],
        snapshots={
            integer(of_disk.findtext("DISK_ID")) or 0: [
                leaves(snapshot) for snapshot in of_disk.iterchildren("SNAPSHOT")
            ]
            for of_disk in element.iterchildren("SNAPSHOTS")
        },
    )


def interfaces_of(cloud: str, vm: Thing) -> list[NetworkInterface]:
    """Convert the interfaces of a VM document; aliases are interfaces too."""
    machine = machine_of(vm)
    running = view(machine.state, machine.lcm_state).state is InstanceState.RUNNING
    return [
        NetworkInterface(
            cloud=cloud,
            id=f"{machine.id}.{nic['NIC_ID']}",
            name=nic.get("NAME", ""),
            network_id=nic.get("NETWORK_ID") or None,
            subnet_id=f"{nic['NETWORK_ID']}.{nic['AR_ID']}"
            if nic.get("NETWORK_ID") and nic.get("AR_ID")
            else None,
            instance_id=str(machine.id),
            ip_addresses=tuple([nic[key] for key in _ADDRESSES if nic.get(key)]),
            mac_address=nic.get("MAC") or None,
            state=NetworkState.UP if running else NetworkState.DOWN,
            firewall_ids=_firewalls([nic]),
        )
        for nic in machine.nics
        if nic.get("NIC_ID")
    ]


def _state(text: str | None) -> int:
    found = integer(text)
    return -1 if found is None else found


def _disk(element: Element) -> Disk:
    found = leaves(element, *_DISK)
    ident = integer(found.get("DISK_ID"))
    return Disk(
        id=-1 if ident is None else ident,
        image_id=found.get("IMAGE_ID", ""),
        persistent=flag(found.get("PERSISTENT")),
        size_mib=integer(found.get("SIZE")),
        target=found.get("TARGET", ""),
    )


def _nic(element: Element) -> dict[str, str]:
    return {**leaves(element, *_NIC), "KIND": str(element.tag)}


def _root(disks: Iterable[Disk]) -> Disk | None:
    return next((disk for disk in disks if disk.id == 0), None)


def _device(disk: Disk) -> str | None:
    return f"/dev/{disk.target}" if disk.target else None


def _hardware(sizes: Mapping[str, str], root: Disk | None) -> Hardware:
    memory = number(sizes.get("MEMORY"))
    size = root.size_mib if root else None
    return Hardware(
        # A machine without VCPU has one, however large a share of one CPU is.
        cpu=integer(sizes.get("VCPU")) or 1,
        memory_mib=None if memory is None else int(memory),
        storage_gb=None if size is None else size / 1024,
    )


def _last_history(history: Element | None) -> dict[str, str]:
    records = history.findall("HISTORY") if history is not None else []
    return leaves(records[-1], *_PLACED) if records else {}


def _firewalls(nics: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    found = [i.strip() for nic in nics for i in nic.get("SECURITY_GROUPS", "").split(",")]
    return tuple(dict.fromkeys(filter(None, found)))


def _addresses(
    nics: Iterable[Mapping[str, str]], public_networks: frozenset[str]
) -> tuple[tuple[NetworkAddress, ...], tuple[NetworkAddress, ...]]:
    public: list[NetworkAddress] = []
    private: list[NetworkAddress] = []
    for nic in nics:
        leads_outside = (
            nic["KIND"] == "NIC_ALIAS"
            or nic.get("NETWORK_ID") in public_networks
            or nic.get("NETWORK") in public_networks
            or flag(nic.get("EXTERNAL"))
        )
        for key in _ADDRESSES:
            if text := nic.get(key):
                kind, by_number = _judged(text)
                found = public if leads_outside or by_number else private
                found.append(NetworkAddress(text, kind))
    return tuple(public), tuple(private)


@lru_cache(maxsize=4096)
def _judged(text: str) -> tuple[NetworkAddressKind, bool]:
    """Tell the kind of an address, and whether it is public by its number."""
    if _PRIVATE.match(text):
        return _IPV4, False
    try:
        address = ip_address(text)
    except ValueError:
        return NetworkAddressKind.HOSTNAME, False
    return (_IPV6 if address.version == 6 else _IPV4), address.is_global


def _fault(state: InstanceState, custom: Mapping[str, str]) -> str:
    if state is InstanceState.ERROR:
        return custom.get("ERROR", "")
    return custom.get("SCHED_MESSAGE", "") if state is InstanceState.PENDING else ""
