"""Subnets: neutron's."""

from __future__ import annotations

from functools import partial
from ipaddress import ip_network
from typing import Final

from anabranch.errors import InvalidRequest
from anabranch.hooks import hookimpl
from anabranch.hooks.subnets import SubnetsSpec
from anabranch.models import Subnet, SubnetSpec
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack import convert_network as convert
from anabranch_openstack import wire_network as wire
from anabranch_openstack.catalog import NETWORK
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["SUBNET", "Subnets", "make_subnet"]

SUBNET: Final = Reader(wire.Subnet)


class Subnets(SubnetsSpec[OpenStackSettings]):
    """Subnets."""

    @hookimpl
    async def list_subnets(self, cloud: OpenStackCloud, cursor: str | None) -> Page[Subnet]:
        return await session(cloud).page(
            NETWORK,
            "/subnets",
            "subnets",
            reader=SUBNET,
            convert=partial(convert.subnet, cloud.name),
            cursor=cursor,
        )

    @hookimpl
    async def get_subnet(self, cloud: OpenStackCloud, subnet_id: str) -> Subnet:
        return await session(cloud).one(
            NETWORK,
            _path(subnet_id),
            "subnet",
            reader=SUBNET,
            convert=partial(convert.subnet, cloud.name),
        )

    @hookimpl
    async def create_subnet(self, cloud: OpenStackCloud, spec: SubnetSpec) -> Subnet:
        return await make_subnet(session(cloud), spec.network_id, spec.address_block, spec.name)

    @hookimpl
    async def destroy_subnet(self, cloud: OpenStackCloud, subnet_id: str) -> None:
        await session(cloud).request(NETWORK, "DELETE", _path(subnet_id))


async def make_subnet(neutron: Session, network_id: str, block: str, name: str) -> Subnet:
    """Make a subnet; neutron chooses the gateway, the first address of the block.

    Raises:
        InvalidRequest: `block` is no CIDR block, or overlaps with another of the network.
    """
    try:
        version = ip_network(block, strict=False).version
    except ValueError:
        raise InvalidRequest(
            f"{block!r} is no CIDR block", remedy="Write it like 192.0.2.0/24"
        ) from None
    subnet = {"network_id": network_id, "ip_version": version, "cidr": block, "name": name}
    return await neutron.one(
        NETWORK,
        "/subnets",
        "subnet",
        reader=SUBNET,
        convert=partial(convert.subnet, neutron.cloud.name),
        method="POST",
        body={"subnet": subnet},
    )


def _path(subnet_id: str) -> str:
    return f"/subnets/{segment(subnet_id)}"
