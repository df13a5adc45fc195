"""Hooks of the firewalls."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import Firewall, FirewallRuleSpec, FirewallSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["FirewallsSpec"]

S = TypeVar("S", bound=CloudSettings)


class FirewallsSpec(Generic[S]):
    """What can be done with firewalls."""

    @operation
    async def list_firewalls(self, cloud: Cloud[S], cursor: str | None) -> Page[Firewall]:
        """Return one page of firewalls.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.


        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_firewall(self, cloud: Cloud[S], firewall_id: str) -> Firewall:
        """Return one firewall.

        Raises:
            NotFound: no such firewall.
        """
        raise NotImplementedError

    @operation
    async def create_firewall(self, cloud: Cloud[S], spec: FirewallSpec) -> Firewall:
        """Make a firewall and return it as the cloud now reports it. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def destroy_firewall(self, cloud: Cloud[S], firewall_id: str) -> None:
        """Destroy a firewall. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such firewall.
            Conflict: it is in use.
        """
        raise NotImplementedError

    @operation
    async def add_firewall_rule(
        self, cloud: Cloud[S], firewall_id: str, spec: FirewallRuleSpec
    ) -> Firewall:
        """Add a rule and return the firewall with it. A rule that is there already is no error.

        Raises:
            NotFound: no such firewall.
            InvalidRequest: a port, protocol or source that the platform refuses.
        """
        raise NotImplementedError

    @operation
    async def remove_firewall_rule(
        self, cloud: Cloud[S], firewall_id: str, rule_id: str
    ) -> Firewall:
        """Remove a rule and return the firewall without it. Idempotent in effect.

        Raises:
            NotFound: no such firewall, or no such rule in it.
        """
        raise NotImplementedError
