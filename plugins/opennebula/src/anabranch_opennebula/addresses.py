"""Addresses: reservations of one address each, in a network of the user's own.

OpenNebula has no floating addresses. A reservation is a network that holds addresses of another
one; an instance gets one as an alias of its first interface, or as an interface if it has none.
"""

from __future__ import annotations

import uuid

from anabranch.errors import Conflict, InvalidRequest, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.addresses import AddressesSpec
from anabranch.models import Address, AddressSpec, Network
from anabranch.paging import Page
from anabranch_opennebula import pools
from anabranch_opennebula.after import after
from anabranch_opennebula.client import OpenNebulaCloud, Session, number_of, session
from anabranch_opennebula.machines import Machine
from anabranch_opennebula.network_documents import address_of, network_of, vnet_of
from anabranch_opennebula.ranges import get_vnet
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.templates import template
from anabranch_opennebula.vms import change_vm, changed, look, vm_number

__all__ = ["Addresses"]


class Addresses(AddressesSpec[OpenNebulaSettings]):
    """Reservations of one address. The id is that of the reservation."""

    @hookimpl
    async def list_addresses(self, cloud: OpenNebulaCloud, cursor: str | None) -> Page[Address]:
        def convert(thing: Thing) -> tuple[Address, ...]:
            vnet = vnet_of(thing)
            return (address_of(cloud.name, vnet),) if vnet.is_address else ()

        return await pools.page(session(cloud), pools.NETWORKS, cursor, convert)

    @hookimpl
    async def get_address(self, cloud: OpenNebulaCloud, address_id: str) -> Address:
        return await _show(session(cloud), address_id)

    @hookimpl
    @offers(Feature.ADDRESS_NETWORK)
    async def create_address(self, cloud: OpenNebulaCloud, spec: AddressSpec) -> Address:
        if spec.realm_id is not None:
            raise InvalidRequest("an address is chosen by its network, not by a realm")
        one = session(cloud)
        network = spec.network_id or await _public_network(one)
        wanted = template([("NAME", f"anabranch-{uuid.uuid4().hex[:12]}"), ("SIZE", "1")])
        made = await one.change("vn.reserve", number_of(network, "network"), wanted)
        with after(f"address {made} was made"):
            return await _show(one, str(made))

    @hookimpl
    async def destroy_address(self, cloud: OpenNebulaCloud, address_id: str) -> None:
        one = session(cloud)
        address = await _show(one, address_id)
        if address.instance_id is not None:
            raise Conflict(
                f"address {address.ip} leads to instance {address.instance_id}",
                remedy="Disassociate it",
            )
        await one.change("vn.delete", int(address_id), idempotent=True)

    @hookimpl
    async def associate_address(
        self, cloud: OpenNebulaCloud, address_id: str, instance_id: str
    ) -> Address:
        one = session(cloud)
        number = vm_number(instance_id)
        address = await _show(one, address_id)
        if address.instance_id not in (None, instance_id):
            raise Conflict(f"address {address.ip} leads to instance {address.instance_id}")
        if address.instance_id is None:
            nics = [nic for nic in (await look(one, number)).nics if nic["KIND"] == "NIC"]
            if nics:
                alias = {"NETWORK_ID": address_id, "PARENT": nics[0].get("NAME") or "NIC0"}
                body = template([("NIC_ALIAS", alias)])
            else:
                body = template([("NIC", {"NETWORK_ID": address_id})])
            await change_vm(one, "vm.attachnic", number, body)

        def there(machine: Machine) -> bool | None:
            return True if machine.nic_on(address_id) else None

        await changed(one, number, f"address {address.ip} given to instance {number}", there)
        return await _show(one, address_id)

    @hookimpl
    async def disassociate_address(self, cloud: OpenNebulaCloud, address_id: str) -> Address:
        one = session(cloud)
        address = await _show(one, address_id)
        if address.instance_id is None:
            return address
        number = vm_number(address.instance_id)
        nic = (await look(one, number)).nic_on(address_id)
        if nic is not None:
            await change_vm(one, "vm.detachnic", number, int(nic["NIC_ID"]))

        def gone(machine: Machine) -> bool | None:
            return None if machine.nic_on(address_id) else True

        await changed(one, number, f"address {address.ip} taken from instance {number}", gone)
        return await _show(one, address_id)


async def _show(one: Session, address_id: str) -> Address:
    vnet = await get_vnet(one, number_of(address_id, "address"))
    if not vnet.is_address:
        raise NotFound(f"{address_id} is a network, and no reserved address")
    return address_of(one.cloud.name, vnet)


async def _public_network(one: Session) -> str:
    """Return the network that addresses are taken of: the first of `public_networks` or of all.

    Raises:
        InvalidRequest: there is none.
    """
    names = one.cloud.settings.public_networks
    public = frozenset(names)

    def convert(thing: Thing) -> tuple[Network, ...]:
        vnet = vnet_of(thing)
        return () if vnet.parent else (network_of(one.cloud.name, public, vnet),)

    networks = [n for n in await pools.listed(one, pools.NETWORKS, convert) if n.external]
    for wanted in names:
        for network in networks:
            if wanted in (network.id, network.name):
                return network.id
    if networks:
        return min(networks, key=lambda n: int(n.id)).id
    raise InvalidRequest(
        "no network of this cloud is known as public",
        remedy="Name network_id, or set public_networks for the cloud",
    )
