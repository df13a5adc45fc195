"""Addresses: neutron's floating IPs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from anabranch.errors import Conflict, InvalidRequest, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.addresses import AddressesSpec
from anabranch.models import Address, AddressSpec
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack import convert_network as convert
from anabranch_openstack import wire_network as wire
from anabranch_openstack.catalog import NETWORK
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.network_choice import choose_network
from anabranch_openstack.ports import ports_of
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["Addresses"]

_FLOATING_IP: Final = Reader(wire.FloatingIp)
_UNREACHABLE: Final = "ExternalGatewayForFloatingIPNotFound"
_TAKEN: Final = "FloatingIPPortAlreadyAssociated"


class Addresses(AddressesSpec[OpenStackSettings]):
    """Floating IPs."""

    @hookimpl
    async def list_addresses(self, cloud: OpenStackCloud, cursor: str | None) -> Page[Address]:
        return await session(cloud).page(
            NETWORK,
            "/floatingips",
            "floatingips",
            reader=_FLOATING_IP,
            convert=partial(convert.address, cloud.name),
            cursor=cursor,
        )

    @hookimpl
    async def get_address(self, cloud: OpenStackCloud, address_id: str) -> Address:
        return await _ask(session(cloud), "GET", _path(address_id))

    @hookimpl
    @offers(Feature.ADDRESS_NETWORK)
    async def create_address(self, cloud: OpenStackCloud, spec: AddressSpec) -> Address:
        neutron = session(cloud)
        pool = spec.network_id or cloud.settings.default_address_network
        if pool is None:
            pool = await choose_network(neutron, external=True)
        return await _ask(neutron, "POST", "/floatingips", {"floating_network_id": pool})

    @hookimpl
    async def destroy_address(self, cloud: OpenStackCloud, address_id: str) -> None:
        """Give an address back, unless it is in use: neutron itself would take it away."""
        neutron = session(cloud)
        found = await _ask(neutron, "GET", _path(address_id))
        if found.associated:
            raise Conflict(
                f"the address {found.ip} leads to {_end(found)}", remedy="Disassociate it first"
            )
        await neutron.request(NETWORK, "DELETE", _path(address_id))

    @hookimpl
    async def associate_address(
        self, cloud: OpenStackCloud, address_id: str, instance_id: str
    ) -> Address:
        """Let an address lead to the first port of a server that its network can be reached from.

        Neutron would take the address away from another server: so this looks before.
        """
        neutron = session(cloud)
        found = await _ask(neutron, "GET", _path(address_id))
        if found.instance_id == instance_id:
            return found
        ports = await ports_of(neutron, instance_id)
        if found.network_interface_id in {port.id for port in ports}:
            return found  # which neutron tells so itself since Rocky
        if found.associated:
            raise Conflict(
                f"the address {found.ip} leads to {_end(found)}", remedy="Disassociate it first"
            )
        return await _lead(neutron, address_id, ports)

    @hookimpl
    async def disassociate_address(self, cloud: OpenStackCloud, address_id: str) -> Address:
        return await _ask(session(cloud), "PUT", _path(address_id), {"port_id": None})


def _path(address_id: str) -> str:
    return f"/floatingips/{segment(address_id)}"


def _end(address: Address) -> str:
    if address.instance_id:
        return f"instance {address.instance_id}"
    return f"network interface {address.network_interface_id}"


async def _ask(
    neutron: Session, method: str, path: str, body: dict[str, Any] | None = None
) -> Address:
    return await neutron.one(
        NETWORK,
        path,
        "floatingip",
        reader=_FLOATING_IP,
        convert=partial(convert.address, neutron.cloud.name),
        method=method,
        body={"floatingip": body} if body else None,
    )


async def _lead(neutron: Session, address_id: str, ports: Sequence[wire.Port]) -> Address:
    refused: NotFound | Conflict | None = None
    for port in ports:
        fixed = next((f.ip_address for f in port.fixed_ips or () if "." in f.ip_address), None)
        if fixed is None:
            continue
        try:
            end = {"port_id": port.id, "fixed_ip_address": fixed}
            return await _ask(neutron, "PUT", _path(address_id), end)
        except (NotFound, Conflict) as exc:
            if exc.provider_code not in (_UNREACHABLE, _TAKEN):
                raise
            refused = exc
    if refused is None:
        raise InvalidRequest("the instance has no IPv4 address that an address can lead to")
    if isinstance(refused, Conflict):
        raise refused
    raise InvalidRequest(
        refused.message,
        provider_code=refused.provider_code,
        request_id=refused.request_id,
        remedy="Connect the instance's network to that of the address by a router",
    ) from refused
