"""Networks: neutron's, with the blocks of their subnets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import anyio
import msgspec

from anabranch.errors import CloudError
from anabranch.hooks import hookimpl
from anabranch.hooks.networks import NetworksSpec
from anabranch.models import Network, NetworkSpec
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack import convert_network as convert
from anabranch_openstack import wire_network as wire
from anabranch_openstack.catalog import NETWORK
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.settings import OpenStackSettings
from anabranch_openstack.subnets import SUBNET, make_subnet

__all__ = ["Networks"]

_NETWORK: Final = Reader(wire.Network)
_CLEANING: Final = 30.0
"""Seconds that the removal of what was made half may take."""


class Networks(NetworksSpec[OpenStackSettings]):
    """Networks."""

    @hookimpl
    async def list_networks(self, cloud: OpenStackCloud, cursor: str | None) -> Page[Network]:
        neutron = session(cloud)
        blocks = await _blocks(neutron, {})
        return await neutron.page(
            NETWORK,
            "/networks",
            "networks",
            reader=_NETWORK,
            convert=partial(_network, cloud.name, blocks),
            cursor=cursor,
        )

    @hookimpl
    async def get_network(self, cloud: OpenStackCloud, network_id: str) -> Network:
        neutron = session(cloud)
        found = await neutron.one(
            NETWORK,
            _path(network_id),
            "network",
            reader=_NETWORK,
            convert=partial(_network, cloud.name, {}),
        )
        blocks = await _blocks(neutron, {"network_id": found.id})
        return msgspec.structs.replace(found, address_blocks=tuple(blocks.get(found.id, ())))

    @hookimpl
    async def create_network(self, cloud: OpenStackCloud, spec: NetworkSpec) -> Network:
        """Make a network and, if it is to have a block, the one subnet of it.

        A network whose subnet is refused, or that is cancelled in between, is removed again.
        """
        neutron = session(cloud)
        body: dict[str, Any] = {"name": spec.name}
        if spec.realm_id:
            body["availability_zone_hints"] = [spec.realm_id]
        made = await neutron.one(
            NETWORK,
            "/networks",
            "network",
            reader=_NETWORK,
            convert=partial(_network, cloud.name, {}),
            method="POST",
            body={"network": body},
        )
        if not spec.address_block:
            return made
        try:
            subnet = await make_subnet(neutron, made.id, spec.address_block, spec.name)
        except BaseException:
            with anyio.move_on_after(_CLEANING, shield=True):
                await _remove(neutron, made.id)
            raise
        return msgspec.structs.replace(
            made, address_blocks=(subnet.address_block,), subnet_ids=(subnet.id,)
        )

    @hookimpl
    async def destroy_network(self, cloud: OpenStackCloud, network_id: str) -> None:
        await session(cloud).request(NETWORK, "DELETE", _path(network_id))


def _path(network_id: str) -> str:
    return f"/networks/{segment(network_id)}"


def _network(
    cloud: str, blocks: Mapping[str, list[str]], found: wire.Network, raw: msgspec.Raw
) -> Network:
    return convert.network(cloud, found, raw, blocks)


async def _blocks(neutron: Session, where: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the blocks of the subnets by network: one request, however many networks."""
    found: dict[str, list[str]] = {}

    def note(subnet: wire.Subnet, raw: msgspec.Raw) -> None:
        del raw
        if subnet.cidr:
            found.setdefault(subnet.network_id, []).append(subnet.cidr)

    await neutron.every(NETWORK, "/subnets", "subnets", reader=SUBNET, convert=note, params=where)
    return found


async def _remove(neutron: Session, network_id: str) -> None:
    try:
        await neutron.request(NETWORK, "DELETE", _path(network_id))
    except CloudError as exc:
        neutron.cloud.log.warning("openstack.network.left", network_id=network_id, error=str(exc))
