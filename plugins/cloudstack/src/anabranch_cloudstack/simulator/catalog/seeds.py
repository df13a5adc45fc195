"""What a new cloud offers."""

from __future__ import annotations

from typing import Literal

from anabranch_cloudstack.simulator.catalog.records import (
    GIB,
    DiskOffering,
    Image,
    NetworkOffering,
    OsType,
    ServiceOffering,
    VpcOffering,
    Zone,
)
from anabranch_cloudstack.simulator.network.records import Address
from anabranch_cloudstack.simulator.state import State

__all__ = ["seed_catalog"]

_ROUTED = ("PortForwarding", "StaticNat", "Vpn", "Dns", "Dhcp", "Lb")
_ISOLATED = (*_ROUTED, "Firewall", "UserData", "SourceNat")
_VPC = (*_ROUTED, "UserData", "NetworkACL", "SourceNat")
_SHARED = ("Dns", "Dhcp", "UserData")
_ADDRESSES = 60
_REQUIRED = "DefaultIsolatedNetworkOfferingWithSourceNatService"
_NetworkOffering = tuple[str, str, Literal["Isolated", "Shared", "L2"], tuple[str, ...], bool]
_NETWORK_OFFERINGS: tuple[_NetworkOffering, ...] = (
    (
        "DefaultSharedNetworkOfferingWithSGService",
        "Offering for Shared Security group enabled networks",
        "Shared",
        (*_SHARED, "SecurityGroup"),
        True,
    ),
    (
        _REQUIRED,
        "Offering for Isolated networks with Source Nat service enabled",
        "Isolated",
        _ISOLATED,
        False,
    ),
    (
        "DefaultIsolatedNetworkOffering",
        "Offering for Isolated networks with no Source Nat service",
        "Isolated",
        _SHARED,
        True,
    ),
    (
        "DefaultIsolatedNetworkOfferingForVpcNetworks",
        "Offering for Isolated Vpc networks with Source Nat service enabled",
        "Isolated",
        _VPC,
        False,
    ),
    ("DefaultL2NetworkOffering", "Offering for L2 networks", "L2", (), False),
)


def seed_catalog(state: State) -> None:
    """Give a new cloud its zones, public addresses, offerings and images."""
    _zones(state)
    _offerings(state)
    _images(state)


def _zones(state: State) -> None:
    for name, kind, groups, enabled in (
        ("adv-1", "Advanced", False, True),
        ("basic-1", "Basic", True, True),
        ("off-1", "Advanced", False, False),
    ):
        zone = Zone(
            id=state.new_id(),
            name=name,
            network_type="Basic" if kind == "Basic" else "Advanced",
            security_groups=groups,
            enabled=enabled,
        )
        state.add(state.zones, zone)
    public = state.new_id()
    for number in range(_ADDRESSES):
        address = Address(
            id=state.new_id(),
            number=number + 1,
            address=f"203.0.113.{number + 10}",
            zone=next(iter(state.zones)),
            public_network=public,
        )
        state.add(state.addresses, address)


def _offerings(state: State) -> None:
    free: dict[str, str] = {}
    bounds = {"mincpunumber": "1", "maxcpunumber": "4", "minmemory": "256", "maxmemory": "2048"}
    for name, cpus, speed, memory, bound in (
        ("Small Instance", 1, 500, 512, free),
        ("Medium Instance", 1, 1000, 1024, free),
        ("Large Instance", 4, 2000, 8192, free),
        ("Custom", 0, 0, 0, free),
        ("Custom within bounds", 0, 500, 0, bounds),
        ("Gigantic", 2000, 500, 999_999, free),
    ):
        offering = ServiceOffering(
            id=state.new_id(),
            name=name,
            created=state.now,
            cpus=cpus,
            speed=speed,
            memory=memory,
            bounds=bound,
            disk_offering_id=state.new_id(),
        )
        state.add(state.service_offerings, offering)
    for name, size in (("Small", 5), ("Medium", 20), ("Large", 100), ("Custom", 0)):
        text = f"{name} Disk, {size} GB" if size else "Custom Disk"
        disk = DiskOffering(id=state.new_id(), name=name, created=state.now, text=text, size=size)
        state.add(state.disk_offerings, disk)
    for network in _network_offerings(state):
        state.add(state.network_offerings, network)
    for name in ("Default VPC offering", "Redundant VPC offering"):
        vpc = VpcOffering(id=state.new_id(), name=name, created=state.now, text=name, services=_VPC)
        state.add(state.vpc_offerings, vpc)


def _network_offerings(state: State) -> list[NetworkOffering]:
    return [
        NetworkOffering(
            id=state.new_id(),
            name=name,
            text=text,
            created=state.now,
            guest_type=guest_type,
            services=services,
            availability="Required" if name == _REQUIRED else "Optional",
            for_vpc="Vpc" in name,
            specify_vlan=specify_vlan,
        )
        for name, text, guest_type, services, specify_vlan in _NETWORK_OFFERINGS
    ]


def _images(state: State) -> None:
    for family, names in (
        ("Ubuntu", ("Ubuntu 24.04 LTS", "Ubuntu 22.04 LTS")),
        ("Debian", ("Debian GNU/Linux 12 (64-bit)",)),
        ("Other", ("Other (64-bit)",)),
    ):
        category = state.new_id()
        for name in names:
            kind = OsType(id=state.new_id(), name=name, category=family, category_id=category)
            state.add(state.os_types, kind)
    os_type = next(iter(state.os_types))
    zones = list(state.zones)
    for name, text, account, size, place in (
        ("ubuntu-24.04", "Ubuntu 24.04 LTS", "", 2 * GIB, zones),
        ("debian-12", "Debian 12, with a password", "", 3 * GIB, zones[:2]),
        ("golden", "The golden image of the account demo", "demo", 4 * GIB, zones[:1]),
        ("netinst", "Debian 12 network installation", "", GIB // 2, zones[:1]),
    ):
        image = Image(
            id=state.new_id(),
            name=name,
            text=text,
            account=account,
            created=state.now,
            zones=place,
            size=size,
            os_type=os_type,
            format="ISO" if name == "netinst" else "QCOW2",
            public=not account,
            featured=not account,
            builtin=not account,
            ready_at=state.now,
            passwords=name == "debian-12",
        )
        state.add(state.images, image)
