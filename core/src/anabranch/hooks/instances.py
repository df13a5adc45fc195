"""Hooks of the instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import Console, ConsoleKind, Instance, InstanceSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["InstancesSpec"]

S = TypeVar("S", bound=CloudSettings)


class InstancesSpec(Generic[S]):
    """What can be done with instances.

    Actions return the instance as the cloud reports it right after accepting them: most take
    effect later, and `state` says how far it is. An action whose effect is there already
    (starting what runs) succeeds.
    """

    @operation
    async def list_instances(
        self, cloud: Cloud[S], cursor: str | None, where: Mapping[str, str]
    ) -> Page[Instance]:
        """Return one page of instances.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.
            where: Filters that the hookimpl offers (see `Feature`), by field; often empty.

        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_instance(self, cloud: Cloud[S], instance_id: str) -> Instance:
        """Return one instance.

        Raises:
            NotFound: no such instance.
        """
        raise NotImplementedError

    @operation
    async def create_instance(self, cloud: Cloud[S], spec: InstanceSpec) -> Instance:
        """Make an instance and return it, mostly PENDING still. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def create_instances(
        self, cloud: Cloud[S], spec: InstanceSpec, count: int
    ) -> Sequence[Instance]:
        """Make `count` equal instances by one request of the platform. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may not have so many; none is made.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def start_instance(self, cloud: Cloud[S], instance_id: str) -> Instance:
        """Boot a stopped instance.

        Raises:
            NotFound: no such instance.
            InvalidState: its state forbids it.
        """
        raise NotImplementedError

    @operation
    async def stop_instance(self, cloud: Cloud[S], instance_id: str) -> Instance:
        """Shut an instance down and keep it, disks and all. Never destroys.

        Raises:
            NotFound: no such instance.
            InvalidState: its state forbids it.
        """
        raise NotImplementedError

    @operation
    async def reboot_instance(self, cloud: Cloud[S], instance_id: str, hard: bool) -> Instance:
        """Reboot a running instance.

        Args:
            cloud: Where.
            instance_id: The instance.
            hard: Whether to cut its power instead of asking its system.

        Raises:
            NotFound: no such instance.
            InvalidState: its state forbids it.
        """
        raise NotImplementedError

    @operation
    async def rename_instance(self, cloud: Cloud[S], instance_id: str, name: str) -> Instance:
        """Give an instance another name. Idempotent.

        Raises:
            NotFound: no such instance.
        """
        raise NotImplementedError

    @operation
    async def resize_instance(
        self, cloud: Cloud[S], instance_id: str, hardware_profile_id: str
    ) -> Instance:
        """Give an instance another hardware profile; it may be down meanwhile.

        The driver sees to all steps that its platform wants (OpenStack: the confirmation).

        Raises:
            NotFound: no such instance or profile.
            InvalidState: its state forbids it.
        """
        raise NotImplementedError

    @operation
    async def destroy_instance(self, cloud: Cloud[S], instance_id: str) -> None:
        """Destroy an instance. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such instance.
            InvalidState: its state forbids it.
        """
        raise NotImplementedError

    @operation
    async def get_instance_console(
        self, cloud: Cloud[S], instance_id: str, kind: ConsoleKind | None
    ) -> Console:
        """Return a way to the console.

        Args:
            cloud: Where.
            instance_id: The instance.
            kind: The way wanted; None: the driver's usual one.

        Raises:
            NotFound: no such instance.
            InvalidRequest: this cloud has no console of that kind.
            InvalidState: it is not running.
        """
        raise NotImplementedError

    @operation
    async def set_instance_tags(
        self, cloud: Cloud[S], instance_id: str, tags: Mapping[str, str]
    ) -> Instance:
        """Replace the names and values that users gave an instance. Idempotent.

        Raises:
            NotFound: no such instance.
            InvalidRequest: a name or value that the platform refuses.
        """
        raise NotImplementedError
