"""Network interfaces: the NICs of VMs, and their aliases."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from anabranch.errors import NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.network_interfaces import NetworkInterfacesSpec
from anabranch.models import NetworkInterface, NetworkInterfaceSpec
from anabranch.paging import Page
from anabranch_opennebula import pools
from anabranch_opennebula.after import after
from anabranch_opennebula.client import OpenNebulaCloud, Session, number_of, session
from anabranch_opennebula.machines import Machine, interfaces_of
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.templates import template
from anabranch_opennebula.vms import change_vm, changed, look, vm_number

__all__ = ["NetworkInterfaces"]


class NetworkInterfaces(NetworkInterfacesSpec[OpenNebulaSettings]):
    """NICs. The id is that of the VM and that of the NIC: `5.0`."""

    @hookimpl
    async def list_network_interfaces(
        self, cloud: OpenNebulaCloud, cursor: str | None
    ) -> Page[NetworkInterface]:
        convert = partial(interfaces_of, cloud.name)
        return await pools.page(session(cloud), pools.VMS, cursor, convert)

    @hookimpl
    async def get_network_interface(
        self, cloud: OpenNebulaCloud, network_interface_id: str
    ) -> NetworkInterface:
        return await _show(session(cloud), network_interface_id)

    @hookimpl
    async def create_network_interface(
        self, cloud: OpenNebulaCloud, spec: NetworkInterfaceSpec
    ) -> NetworkInterface:
        one = session(cloud)
        number = vm_number(spec.instance_id)
        network = str(number_of(spec.network_id, "network"))
        nic = {"NETWORK_ID": network}
        if spec.subnet_id is not None:
            of, _, range_id = spec.subnet_id.partition(".")
            if of != network or not range_id.isdigit():
                raise NotFound(f"network {network} has no subnet {spec.subnet_id!r}")
            nic["AR_ID"] = range_id
        if spec.ip_address is not None:
            nic["IP"] = spec.ip_address
        if spec.name:
            nic["NAME"] = spec.name
        before = {found.get("NIC_ID") for found in (await look(one, number)).nics}
        await change_vm(one, "vm.attachnic", number, template([("NIC", nic)]))

        def there(machine: Machine) -> Mapping[str, str] | None:
            new = [n for n in machine.nics if n.get("NIC_ID") not in before]
            return next((n for n in new if n.get("NETWORK_ID") == network), None)

        made = await changed(
            one, number, f"interface on network {network} given to instance {number}", there
        )
        made_id = f"{number}.{made['NIC_ID']}"
        with after(f"interface {made_id} was made"):
            return await _show(one, made_id)

    @hookimpl
    async def destroy_network_interface(
        self, cloud: OpenNebulaCloud, network_interface_id: str
    ) -> None:
        one = session(cloud)
        await _show(one, network_interface_id)
        number, nic_id = (int(part) for part in network_interface_id.split("."))
        await change_vm(one, "vm.detachnic", number, nic_id)

        def gone(machine: Machine) -> bool | None:
            there = any(nic.get("NIC_ID") == str(nic_id) for nic in machine.nics)
            return None if there else True

        await changed(one, number, f"interface {network_interface_id} taken away", gone)


async def _show(one: Session, network_interface_id: str) -> NetworkInterface:
    number = number_of(network_interface_id.partition(".")[0], "network interface")
    found = await one.read(partial(interfaces_of, one.cloud.name), "vm.info", number)
    for interface in found:
        if interface.id == network_interface_id:
            return interface
    raise NotFound(f"there is no network interface {network_interface_id!r}")
