"""What a create asks the broker for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anabranch import NotFound, QualifiedId
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.specs import specified
from anabranch_server.deltacloud.vocabulary import Action, Collection
from anabranch_server.problems import Problem

__all__ = ["make"]


async def make(
    request: Request, collection: Collection, action: Action, cloud: str, fields: dict[str, Any]
) -> Sequence[Any]:
    """Make a member of a collection, or several of them.

    Args:
        request: The request.
        collection: The collection.
        action: Its create.
        cloud: Where.
        fields: The fields of the specification, and what `arguments` puts beside them.

    Returns:
        What was made: one member, unless several were asked for.
    """
    facade: Any = getattr(request.selection.broker, collection.name)
    if collection.name == "network_interfaces":
        await _connect(request, cloud, fields)
    count: int = fields.pop("instance_count", 1)
    spec = specified(action.operation, fields)
    if count == 1:
        return [await facade.create(cloud, spec)]
    several: Sequence[Any] = await facade.create_many(cloud, spec, count)
    return several


async def _connect(request: Request, cloud: str, fields: dict[str, Any]) -> None:
    """Find network and subnet of an interface.

    What Deltacloud called the network was a subnet on some platforms, and on others `subnet`
    said it all.
    """
    network: str | None = fields.get("network_id")
    subnet: str | None = fields.get("subnet_id")
    broker = request.selection.broker
    if network is None and subnet is None:
        raise Problem(400, "parameter 'network' is missing")
    if network is not None and subnet is None:
        try:
            await broker.networks.get(QualifiedId(cloud, network))
        except NotFound:
            network, subnet = None, network
    if network is None and subnet is not None:
        found = await broker.subnets.get(QualifiedId(cloud, subnet))
        network = found.network_id
    fields |= {"network_id": network, "subnet_id": subnet}
