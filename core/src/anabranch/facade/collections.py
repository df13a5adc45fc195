"""The collections that have verbs of their own."""

from __future__ import annotations

from anabranch.facade._base import CALL_TIMEOUT, OwnedCollection
from anabranch.facade._waiting import WAIT, AwaitedCollection
from anabranch.ids import QualifiedId
from anabranch.models import (
    Address,
    AddressSpec,
    Firewall,
    FirewallRuleSpec,
    FirewallSpec,
    LoadBalancer,
    LoadBalancerSpec,
    StorageVolume,
    StorageVolumeSpec,
    StorageVolumeState,
)

__all__ = ["Addresses", "Firewalls", "LoadBalancers", "StorageVolumes"]


class Firewalls(OwnedCollection[Firewall, FirewallSpec]):
    """The firewalls of all clouds."""

    async def add_rule(self, target: str | QualifiedId, spec: FirewallRuleSpec) -> Firewall:
        """Add a rule, and return the firewall with it."""
        firewall: Firewall = await self._do(target, "add_firewall_rule", spec=spec)
        return firewall

    async def remove_rule(self, target: str | QualifiedId, rule_id: str) -> Firewall:
        """Remove a rule, and return the firewall without it."""
        firewall: Firewall = await self._do(target, "remove_firewall_rule", rule_id=rule_id)
        return firewall


class Addresses(OwnedCollection[Address, AddressSpec]):
    """The addresses of all clouds."""

    async def associate(
        self,
        target: str | QualifiedId,
        instance: str | QualifiedId,
        *,
        timeout: float = CALL_TIMEOUT,
    ) -> Address:
        """Let an address lead to an instance of the same cloud, in so many seconds. Idempotent."""
        address: Address = await self._do(
            target,
            "associate_address",
            timeout=timeout,
            instance_id=self._beside(target, instance),
        )
        return address

    async def disassociate(
        self, target: str | QualifiedId, *, timeout: float = CALL_TIMEOUT
    ) -> Address:
        """Let an address lead nowhere, in so many seconds. Idempotent."""
        address: Address = await self._do(target, "disassociate_address", timeout=timeout)
        return address


class LoadBalancers(OwnedCollection[LoadBalancer, LoadBalancerSpec]):
    """The load balancers of all clouds. Some take one change at a time, and minutes for each."""

    async def register(
        self, target: str | QualifiedId, instance: str | QualifiedId, *, timeout: float = WAIT
    ) -> LoadBalancer:
        """Let a load balancer send traffic to an instance of the same cloud. Idempotent.

        Args:
            target: The load balancer's `cloud/id`.
            instance: The instance.
            timeout: Seconds that all its steps may take.
        """
        return await self._change("register_instance", target, instance, timeout)

    async def unregister(
        self, target: str | QualifiedId, instance: str | QualifiedId, *, timeout: float = WAIT
    ) -> LoadBalancer:
        """Let a load balancer send an instance no more traffic; as for `register`."""
        return await self._change("unregister_instance", target, instance, timeout)

    async def _change(
        self,
        operation: str,
        target: str | QualifiedId,
        instance: str | QualifiedId,
        timeout: float,
    ) -> LoadBalancer:
        found: LoadBalancer = await self._do(
            target, operation, timeout=timeout, instance_id=self._beside(target, instance)
        )
        return found


class StorageVolumes(AwaitedCollection[StorageVolume, StorageVolumeSpec]):
    """The storage volumes of all clouds."""

    async def attach(
        self,
        target: str | QualifiedId,
        instance: str | QualifiedId,
        device: str | None = None,
        *,
        wait: float | None = None,
    ) -> StorageVolume:
        """Attach a volume to an instance of the same cloud.

        Args:
            target: The volume's `cloud/id`.
            instance: The instance.
            device: Device to make it there, a wish on most platforms; None: any.
            wait: Seconds to wait until it is in use; None: do not wait.
        """
        volume: StorageVolume = await self._do(
            target,
            "attach_storage_volume",
            instance_id=self._beside(target, instance),
            device=device,
        )
        if wait is None:
            return volume
        return await self.wait(target, StorageVolumeState.IN_USE, timeout=wait)

    async def detach(
        self, target: str | QualifiedId, *, wait: float | None = None
    ) -> StorageVolume:
        """Detach a volume from the instance that has it. Idempotent.

        Args:
            target: Its `cloud/id`.
            wait: Seconds to wait until it is available; None: do not wait.
        """
        volume: StorageVolume = await self._do(target, "detach_storage_volume")
        if wait is None:
            return volume
        return await self.wait(target, StorageVolumeState.AVAILABLE, timeout=wait)
