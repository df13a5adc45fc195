"""Hooks of the load balancers."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import LoadBalancer, LoadBalancerSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["LoadBalancersSpec"]

S = TypeVar("S", bound=CloudSettings)


class LoadBalancersSpec(Generic[S]):
    """What can be done with load balancers."""

    @operation
    async def list_load_balancers(self, cloud: Cloud[S], cursor: str | None) -> Page[LoadBalancer]:
        """Return one page of load balancers.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.


        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_load_balancer(self, cloud: Cloud[S], load_balancer_id: str) -> LoadBalancer:
        """Return one load balancer.

        Raises:
            NotFound: no such load balancer.
        """
        raise NotImplementedError

    @operation
    async def create_load_balancer(self, cloud: Cloud[S], spec: LoadBalancerSpec) -> LoadBalancer:
        """Make a load balancer and return it as the cloud now reports it. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def destroy_load_balancer(self, cloud: Cloud[S], load_balancer_id: str) -> None:
        """Destroy a load balancer. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such load balancer.
            Conflict: it is in use.
        """
        raise NotImplementedError

    @operation
    async def register_instance(
        self, cloud: Cloud[S], load_balancer_id: str, instance_id: str
    ) -> LoadBalancer:
        """Let a load balancer send traffic to an instance, and return it. Idempotent.

        Raises:
            NotFound: no such load balancer or instance.
        """
        raise NotImplementedError

    @operation
    async def unregister_instance(
        self, cloud: Cloud[S], load_balancer_id: str, instance_id: str
    ) -> LoadBalancer:
        """Let a load balancer send an instance no more traffic, and return it. Idempotent.

        Raises:
            NotFound: no such load balancer.
        """
        raise NotImplementedError
