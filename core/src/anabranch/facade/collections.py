"""The collections that have verbs of their own."""

from __future__ import annotations

from anabranch.facade._base import OwnedCollection
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

    async def associate(self, target: str | QualifiedId, instance: str | QualifiedId) -> Address:
        """Let an address lead to an instance of the same cloud. Idempotent."""
        instance_id = self._beside(target, instance)
        address: Address = await self._do(target, "associate_address", instance_id=instance_id)
        return address

    async def disassociate(self, target: str | QualifiedId) -> Address:
        """Let an address lead nowhere. Idempotent."""
        address: Address = await self._do(target, "disassociate_address")
        return address


class LoadBalancers(OwnedCollection[LoadBalancer, LoadBalancerSpec]):
    """The load balancers of all clouds."""

    async def register(
        self, target: str | QualifiedId, instance: str | QualifiedId
    ) -> LoadBalancer:
        """Let a load balancer send traffic to an instance of the same cloud. Idempotent."""
        instance_id = self._beside(target, instance)
        found: LoadBalancer = await self._do(target, "register_instance", instance_id=instance_id)
        return found

    async def unregister(
        self, target: str | QualifiedId, instance: str | QualifiedId
    ) -> LoadBalancer:
        """Let a load balancer send an instance no more traffic. Idempotent."""
        instance_id = self._beside(target, instance)
        found: LoadBalancer = await self._do(target, "unregister_instance", instance_id=instance_id)
        return found


class StorageVolumes(OwnedCollection[StorageVolume, StorageVolumeSpec]):
    """The storage volumes of all clouds."""

    async def attach(
        self,
        target: str | QualifiedId,
        instance: str | QualifiedId,
        device: str | None = None,
    ) -> StorageVolume:
        """Attach a volume to an instance of the same cloud; `device` is a wish on most."""
        volume: StorageVolume = await self._do(
            target,
            "attach_storage_volume",
            instance_id=self._beside(target, instance),
            device=device,
        )
        return volume

    async def detach(self, target: str | QualifiedId) -> StorageVolume:
        """Detach a volume from the instance that has it. Idempotent."""
        volume: StorageVolume = await self._do(target, "detach_storage_volume")
        return volume
