"""Network interfaces: neutron's ports, and nova's attaching of them."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import anyio

from anabranch.errors import CloudError, Conflict, DeadlineExceeded, NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.network_interfaces import NetworkInterfacesSpec
from anabranch.models import NetworkInterface, NetworkInterfaceSpec
from anabranch.paging import Page
from anabranch_openstack import convert_network as convert
from anabranch_openstack.catalog import COMPUTE, NETWORK
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.ports import PORT, port_path
from anabranch_openstack.servers import server_path
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["NetworkInterfaces"]

_CLEANING: Final = 30.0
_DETACHING: Final = 60.0
"""Seconds that cleaning up, and a detachment, may take."""


class NetworkInterfaces(NetworkInterfacesSpec[OpenStackSettings]):
    """Ports; those of routers and load balancers are listed too, and belong to no instance."""

    @hookimpl
    async def list_network_interfaces(
        self, cloud: OpenStackCloud, cursor: str | None
    ) -> Page[NetworkInterface]:
        return await session(cloud).page(
            NETWORK,
            "/ports",
            "ports",
            reader=PORT,
            convert=partial(convert.network_interface, cloud.name),
            cursor=cursor,
        )

    @hookimpl
    async def get_network_interface(
        self, cloud: OpenStackCloud, network_interface_id: str
    ) -> NetworkInterface:
        return await _ask(session(cloud), "GET", port_path(network_interface_id))

    @hookimpl
    async def create_network_interface(
        self, cloud: OpenStackCloud, spec: NetworkInterfaceSpec
    ) -> NetworkInterface:
        """Make a port and attach it.

        A port whose attaching is refused, lost or cancelled is removed again; neutron refuses
        that if nova attached it all the same.
        """
        api = session(cloud)
        made = await _ask(api, "POST", "/ports", {"port": _port(spec)})
        try:
            await api.request(
                COMPUTE,
                "POST",
                server_path(spec.instance_id, "os-interface"),
                body={"interfaceAttachment": {"port_id": made.id}},
            )
        except BaseException:
            with anyio.move_on_after(_CLEANING, shield=True):
                await _remove(api, made.id)
            raise
        return await _ask(api, "GET", port_path(made.id))

    @hookimpl
    async def destroy_network_interface(
        self, cloud: OpenStackCloud, network_interface_id: str
    ) -> None:
        """Detach a port from its server, if it has one, and delete it.

        Nova deletes a port that it made by itself when it is detached; one that was made
        before stays.
        """
        api = session(cloud)
        path = port_path(network_interface_id)
        found = await _ask(api, "GET", path)
        if found.instance_id:
            attachment = server_path(found.instance_id, "os-interface", segment(found.id))
            if await _detach(api, attachment) and not await _stays(api, path):
                return
        elif found.extra.get("device_id") and (owner := found.extra.get("device_owner")):
            raise Conflict(f"the network interface is one of {owner}, not of an instance")
        await api.request(NETWORK, "DELETE", path)


def _port(spec: NetworkInterfaceSpec) -> dict[str, Any]:
    fixed = {"subnet_id": spec.subnet_id, "ip_address": spec.ip_address}
    fixed = {name: value for name, value in fixed.items() if value}
    port: dict[str, Any] = {"network_id": spec.network_id, "name": spec.name}
    if fixed:
        port["fixed_ips"] = [fixed]
    return port


async def _ask(
    api: Session, method: str, path: str, body: dict[str, Any] | None = None
) -> NetworkInterface:
    return await api.one(
        NETWORK,
        path,
        "port",
        reader=PORT,
        convert=partial(convert.network_interface, api.cloud.name),
        method=method,
        body=body,
    )


async def _detach(api: Session, attachment: str) -> bool:
    """Have a port detached; False: its server is gone, and nobody will do so."""
    try:
        await api.request(COMPUTE, "DELETE", attachment)
    except NotFound:
        return False
    return True


async def _stays(api: Session, path: str) -> bool:
    """Wait until a port has no server, and tell whether it is still there.

    Raises:
        DeadlineExceeded: it kept its server.
    """
    pause = 0.1
    with anyio.move_on_after(_DETACHING):
        try:
            while (await _ask(api, "GET", path)).instance_id:
                await anyio.sleep(pause)
                pause = min(2.0, pause * 1.5)
        except NotFound:
            return False
        return True
    raise DeadlineExceeded(
        f"the network interface was not detached within {_DETACHING:g} s",
        remedy="Destroy it again",
    )


async def _remove(api: Session, port_id: str) -> None:
    try:
        await api.request(NETWORK, "DELETE", port_path(port_id))
    except CloudError as exc:
        api.cloud.log.warning("openstack.port.left", port_id=port_id, error=str(exc))
