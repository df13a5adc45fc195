"""Addresses: public ones, which lead to an instance by static NAT."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from anabranch.errors import Conflict, InvalidRequest, InvalidState, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.addresses import AddressesSpec
from anabranch.models import Address, AddressSpec
from anabranch.paging import Page
from anabranch_cloudstack import convert_network, wire
from anabranch_cloudstack.client import Accepted, CloudStackCloud, Parameters, session
from anabranch_cloudstack.network_interfaces import interfaces_of
from anabranch_cloudstack.reading import Reader, itself
from anabranch_cloudstack.realms import chosen_zone
from anabranch_cloudstack.settings import CloudStackSettings

__all__ = ["ADDRESS", "Addresses", "ask_for_address", "find_address", "release", "wait_for_address"]

ADDRESS: Final = Reader(wire.Address, "publicipaddress", "ipaddress")
_TAKE: Final = "associateIpAddress"


class Addresses(AddressesSpec[CloudStackSettings]):
    """Public addresses."""

    @hookimpl
    async def list_addresses(self, cloud: CloudStackCloud, cursor: str | None) -> Page[Address]:
        return await session(cloud).page(
            "listPublicIpAddresses",
            reader=ADDRESS,
            convert=partial(convert_network.address, cloud.name),
            cursor=cursor,
            parameters=session(cloud).scope,
        )

    @hookimpl
    async def get_address(self, cloud: CloudStackCloud, address_id: str) -> Address:
        return await session(cloud).one(
            "listPublicIpAddresses",
            {"id": address_id, **session(cloud).scope},
            reader=ADDRESS,
            convert=partial(convert_network.address, cloud.name),
            what=f"public address {address_id!r}",
        )

    @hookimpl
    @offers(Feature.ADDRESS_NETWORK, Feature.ADDRESS_REALM)
    async def create_address(self, cloud: CloudStackCloud, spec: AddressSpec) -> Address:
        if spec.network_id is None:
            where: Parameters = {"zoneid": await chosen_zone(cloud, spec.realm_id)}
            return await _taken(cloud, where)
        try:
            return await _taken(cloud, {"networkid": spec.network_id})
        except NotFound:  # refused before anything was done: then it may be a VPC
            pass
        try:
            return await _taken(cloud, {"vpcid": spec.network_id})
        except NotFound as exc:
            raise InvalidRequest(f"there is no network or VPC {spec.network_id!r}") from exc

    @hookimpl
    async def destroy_address(self, cloud: CloudStackCloud, address_id: str) -> None:
        await release(cloud, address_id)

    @hookimpl
    async def associate_address(
        self, cloud: CloudStackCloud, address_id: str, instance_id: str
    ) -> Address:
        before = await find_address(cloud, address_id)
        if before.virtualmachineid == instance_id:
            return await self.get_address(cloud, address_id)
        if before.virtualmachineid:
            raise Conflict(f"the address leads to the instance {before.virtualmachineid}")
        network_id: str | None = None
        if before.vpcid or not before.associatednetworkid:
            # What belongs to a zone or a VPC has to be told the network of the machine.
            nics = await interfaces_of(cloud, instance_id)
            if not nics:
                raise InvalidState(f"the instance {instance_id} is on no network")
            network_id = nics[0].networkid
        await session(cloud).carry_out(
            "enableStaticNat",
            {
                "ipaddressid": address_id,
                "virtualmachineid": instance_id,
                "networkid": network_id,
            },
            idempotent=True,
        )
        return await self.get_address(cloud, address_id)

    @hookimpl
    async def disassociate_address(self, cloud: CloudStackCloud, address_id: str) -> Address:
        before = await find_address(cloud, address_id)
        if before.isstaticnat or before.virtualmachineid:
            await session(cloud).carry_out(
                "disableStaticNat", {"ipaddressid": address_id}, idempotent=True
            )
        return await self.get_address(cloud, address_id)


async def find_address(cloud: CloudStackCloud, address_id: str) -> wire.Address:
    """Return a public address.

    Raises:
        NotFound: there is none.
    """
    return await session(cloud).one(
        "listPublicIpAddresses",
        {"id": address_id, **session(cloud).scope},
        reader=ADDRESS,
        convert=itself,
        what=f"public address {address_id!r}",
    )


async def ask_for_address(cloud: CloudStackCloud, where: Parameters) -> Accepted:
    """Ask for an address for a zone, a network or a VPC; the answer tells its id.

    Raises:
        NotFound: there is no such zone, network or VPC.
        QuotaExceeded: the account may have no more.
    """
    cloudstack = session(cloud)
    return await cloudstack.change(_TAKE, {**where, **cloudstack.project})


async def wait_for_address(
    cloud: CloudStackCloud, accepted: Accepted
) -> tuple[wire.Address, msgspec.Raw]:
    """Wait until an address that was asked for is there."""
    return ADDRESS.made(await session(cloud).done(_TAKE, accepted))


async def release(cloud: CloudStackCloud, address_id: str) -> None:
    """Give an address back, with all rules on it.

    Raises:
        NotFound: there is none.
        Conflict: its network cannot do without it.
    """
    await session(cloud).carry_out("disassociateIpAddress", {"id": address_id}, idempotent=True)


async def _taken(cloud: CloudStackCloud, where: Parameters) -> Address:
    accepted = await ask_for_address(cloud, where)
    return convert_network.address(cloud.name, *(await wait_for_address(cloud, accepted)))
