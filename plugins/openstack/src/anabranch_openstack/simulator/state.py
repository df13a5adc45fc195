"""The state of one simulated cloud."""

from __future__ import annotations

from collections.abc import Callable

from anabranch.testing.simulation import Behaviour
from anabranch_openstack.simulator.compute.records import Compute
from anabranch_openstack.simulator.identity.records import Directory
from anabranch_openstack.simulator.image.records import Images
from anabranch_openstack.simulator.load_balancer.records import Balancers
from anabranch_openstack.simulator.metric.records import Resources
from anabranch_openstack.simulator.network.records import Networks
from anabranch_openstack.simulator.object_store.records import Objects
from anabranch_openstack.simulator.volume.records import Volumes

__all__ = ["Region", "State"]


class Region:
    """One region: everything but the people.

    Args:
        name: Its name in the catalog.
        prefix: What its services have before their path; empty in the first region.
        interfaces: The interfaces it has in the catalog.
    """

    def __init__(self, name: str, prefix: str, interfaces: tuple[str, ...]) -> None:
        self.name = name
        self.prefix = prefix
        self.interfaces = interfaces
        self.compute = Compute()
        self.images = Images()
        self.networks = Networks()
        self.volumes = Volumes()
        self.balancers = Balancers()
        self.objects = Objects()
        self.resources = Resources()


class State:
    """One cloud: its people, its regions, its behaviour and its clock.

    Args:
        name: The cloud's name.
        behaviour: How it behaves.
        clock: Says what time it is, seconds since the epoch.
        token_ttl: Seconds that a token lives.

    Attributes:
        without: Types of services that are not in the catalog.
    """

    def __init__(
        self, name: str, behaviour: Behaviour, clock: Callable[[], float], token_ttl: float
    ) -> None:
        self.name = name
        self.behaviour = behaviour
        self.clock = clock
        self.identity = Directory(token_ttl)
        self.regions: dict[str, Region] = {}
        self.without: frozenset[str] = frozenset()
