"""Network interfaces."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from itertools import islice

import msgspec

from anabranch.errors import Conflict, InvalidRequest
from anabranch.hooks import hookimpl
from anabranch.hooks.network_interfaces import NetworkInterfacesSpec
from anabranch.models import (
    NetworkAddress,
    NetworkInterface,
    NetworkInterfaceSpec,
    NetworkState,
    Subnet,
)
from anabranch.paging import Page
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore
from anabranch_mock.subnets import free_addresses
from anabranch_mock.text import check_name

__all__ = ["NetworkInterfaces", "connect", "disconnect", "find_subnet"]


class NetworkInterfaces(NetworkInterfacesSpec[MockSettings]):
    """The hooks of the network interfaces."""

    @hookimpl
    async def list_network_interfaces(
        self, cloud: MockCloud, cursor: str | None
    ) -> Page[NetworkInterface]:
        return await listing(
            cloud,
            "list_network_interfaces",
            lambda store: store.page(store.network_interfaces, cursor),
        )

    @hookimpl
    async def get_network_interface(
        self, cloud: MockCloud, network_interface_id: str
    ) -> NetworkInterface:
        return await call(
            cloud,
            "get_network_interface",
            lambda store: store.network_interfaces.get(network_interface_id),
        )

    @hookimpl
    async def create_network_interface(
        self, cloud: MockCloud, spec: NetworkInterfaceSpec
    ) -> NetworkInterface:
        return await call(cloud, "create_network_interface", lambda store: _create(store, spec))

    @hookimpl
    async def destroy_network_interface(self, cloud: MockCloud, network_interface_id: str) -> None:
        await call(
            cloud,
            "destroy_network_interface",
            lambda store: disconnect(store, network_interface_id),
        )


def find_subnet(
    store: MockStore, network_id: str, subnet_id: str | None = None, *, room: int = 1
) -> Subnet:
    """Return the subnet of a network to take addresses from.

    Raises:
        InvalidRequest: there is no such network or subnet, or it has too few addresses left.
    """
    network = store.networks.need(network_id, "network_id")
    if (
        subnet_id is not None
        and store.subnets.need(subnet_id, "subnet_id").network_id != network_id
    ):
        raise InvalidRequest(f"subnet_id: subnet {subnet_id!r} is not of network {network_id!r}")
    for candidate in (subnet_id,) if subnet_id else network.subnet_ids:
        subnet = store.subnets.get(candidate)
        if len(list(islice(free_addresses(store, subnet), room))) == room:
            return subnet
    raise InvalidRequest(f"network_id: network {network_id!r} has no subnet with a free address")


def connect(
    store: MockStore, instance_id: str, subnet: Subnet, *, name: str = "", ip: str | None = None
) -> NetworkInterface:
    """Give an instance an interface on a subnet. All has been checked, but for the quota.

    Raises:
        QuotaExceeded: there are as many as there may be.
    """
    instance = store.instances.get(instance_id)
    store.network_interfaces.require_room()
    nic_id = store.network_interfaces.new_id()
    address = ip or next(free_addresses(store, subnet))
    number = f"{int(nic_id.removeprefix('nic')):06x}"
    interface = NetworkInterface(
        cloud=store.cloud,
        id=nic_id,
        name=name or nic_id,
        network_id=subnet.network_id,
        subnet_id=subnet.id,
        instance_id=instance_id,
        ip_addresses=(address,),
        mac_address=f"52:54:00:{number[:2]}:{number[2:4]}:{number[4:]}",
        state=NetworkState.UP,
        firewall_ids=instance.firewall_ids,
    )
    store.instances.put(
        msgspec.structs.replace(
            instance,
            network_interface_ids=(*instance.network_interface_ids, nic_id),
            private_addresses=(*instance.private_addresses, NetworkAddress(address)),
        )
    )
    return store.network_interfaces.add(interface)


def disconnect(store: MockStore, nic_id: str) -> None:
    """Take an interface from its instance and destroy it.

    Raises:
        NotFound: no such interface.
    """
    interface = store.network_interfaces.get(nic_id)
    instance = store.instances.get(interface.instance_id or "")
    store.instances.put(
        msgspec.structs.replace(
            instance,
            network_interface_ids=tuple(i for i in instance.network_interface_ids if i != nic_id),
            private_addresses=tuple(
                a for a in instance.private_addresses if a.address not in interface.ip_addresses
            ),
        )
    )
    store.network_interfaces.remove(nic_id)


def _create(store: MockStore, spec: NetworkInterfaceSpec) -> NetworkInterface:
    check_name(spec.name)
    store.instances.need(spec.instance_id, "instance_id")
    subnet = find_subnet(store, spec.network_id, spec.subnet_id)
    if spec.ip_address is not None:
        _check_address(store, subnet, spec.ip_address)
    return connect(store, spec.instance_id, subnet, name=spec.name, ip=spec.ip_address)


def _check_address(store: MockStore, subnet: Subnet, ip: str) -> None:
    for interface in store.network_interfaces:
        if interface.subnet_id == subnet.id and ip in interface.ip_addresses:
            raise Conflict(f"address {ip} is taken by network interface {interface.id!r}")
    if ip == subnet.gateway:
        raise Conflict(f"address {ip} is the gateway of subnet {subnet.id!r}")
    if not _is_host(subnet, ip):
        raise InvalidRequest(f"ip_address: {ip!r} is none of {subnet.address_block}")


def _is_host(subnet: Subnet, ip: str) -> bool:
    block = ip_network(subnet.address_block)
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    return address in block and address not in (block.network_address, block.broadcast_address)
