"""Network interfaces: the NICs of virtual machines, which CloudStack shows with those only."""

from __future__ import annotations

from typing import Final

import msgspec

from anabranch.errors import InvalidRequest, NotFound, OutcomeUnknown
from anabranch.hooks import hookimpl
from anabranch.hooks.network_interfaces import NetworkInterfacesSpec
from anabranch.models import NetworkInterface, NetworkInterfaceSpec
from anabranch.paging import Page
from anabranch_cloudstack import convert_network, wire
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.guest_networks import tiers
from anabranch_cloudstack.machines import VM
from anabranch_cloudstack.reading import itself
from anabranch_cloudstack.settings import CloudStackSettings

__all__ = ["NetworkInterfaces", "interfaces_of"]

_DETAILS: Final = "nics"


class NetworkInterfaces(NetworkInterfacesSpec[CloudStackSettings]):
    """NICs."""

    @hookimpl
    async def list_network_interfaces(
        self, cloud: CloudStackCloud, cursor: str | None
    ) -> Page[NetworkInterface]:
        page = await session(cloud).page(
            "listVirtualMachines",
            reader=VM,
            convert=itself,
            cursor=cursor,
            parameters={"details": _DETAILS, **session(cloud).scope},
        )
        found = [
            convert_network.interface(cloud.name, nic, vm.id)
            for vm in page.items
            for nic in vm.nic or ()
        ]
        return Page(found, page.cursor, page.problems)

    @hookimpl
    async def get_network_interface(
        self, cloud: CloudStackCloud, network_interface_id: str
    ) -> NetworkInterface:
        cursor: str | None = None
        while True:  # a NIC cannot be asked for but by its machine
            page = await self.list_network_interfaces(cloud, cursor)
            for found in page.items:
                if found.id == network_interface_id:
                    return found
            cursor = page.cursor
            if cursor is None:
                raise NotFound(f"there is no NIC {network_interface_id!r}")

    @hookimpl
    async def create_network_interface(
        self, cloud: CloudStackCloud, spec: NetworkInterfaceSpec
    ) -> NetworkInterface:
        network_id = spec.subnet_id or spec.network_id
        try:
            try:
                body = await _add(cloud, spec, network_id)
            except NotFound:
                # Refused before anything was done: then it may be a VPC.
                (network_id,) = await tiers(cloud, [network_id])
                body = await _add(cloud, spec, network_id)
        except NotFound as exc:
            raise InvalidRequest(exc.message, provider_code=exc.provider_code) from exc
        vm, _ = VM.made(body)
        added = [nic for nic in vm.nic or () if nic.networkid == network_id]
        if not added:
            raise OutcomeUnknown(
                "the machine does not show the NIC that it was given", remedy="Look for it"
            )
        return convert_network.interface(cloud.name, added[-1], spec.instance_id)

    @hookimpl
    async def destroy_network_interface(
        self, cloud: CloudStackCloud, network_interface_id: str
    ) -> None:
        found = await self.get_network_interface(cloud, network_interface_id)
        await session(cloud).carry_out(
            "removeNicFromVirtualMachine",
            {"virtualmachineid": found.instance_id, "nicid": network_interface_id},
            idempotent=True,
        )


async def _add(cloud: CloudStackCloud, spec: NetworkInterfaceSpec, network_id: str) -> msgspec.Raw:
    return await session(cloud).carry_out(
        "addNicToVirtualMachine",
        {
            "virtualmachineid": spec.instance_id,
            "networkid": network_id,
            "ipaddress": spec.ip_address,
        },
    )


async def interfaces_of(cloud: CloudStackCloud, instance_id: str) -> list[wire.Nic]:
    """Return the NICs of a machine, its default one first.

    Raises:
        NotFound: there is no such machine.
    """
    vm = await session(cloud).one(
        "listVirtualMachines",
        {"id": instance_id, "details": _DETAILS, **session(cloud).scope},
        reader=VM,
        convert=itself,
        what=f"virtual machine {instance_id!r}",
    )
    return sorted(vm.nic or (), key=lambda nic: not nic.isdefault)
