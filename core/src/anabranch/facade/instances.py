"""Instances in the façade: their actions, waiting, and the create whose answer was lost."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
import msgspec

from anabranch.errors import OutcomeUnknown
from anabranch.facade._base import CALL_TIMEOUT, searched
from anabranch.facade._waiting import WAIT, AwaitedCollection
from anabranch.features import Feature
from anabranch.ids import QualifiedId
from anabranch.models import Console, ConsoleKind, Instance, InstanceSpec
from anabranch.states import InstanceAction, InstanceState

__all__ = ["Instances"]


class Instances(AwaitedCollection[Instance, InstanceSpec]):
    """The instances of all clouds."""

    usable = InstanceState.RUNNING

    async def create(
        self,
        cloud: str,
        spec: InstanceSpec,
        *,
        timeout: float = CALL_TIMEOUT,
        wait: float | None = None,
    ) -> Instance:
        """Make an instance.

        Where the driver can, it is given a token, by which it is looked for if the answer is
        lost; it is never made a second time.

        Args:
            cloud: Name of the cloud.
            spec: What to make.
            timeout: Seconds that the cloud may take to accept it.
            wait: Seconds to wait until it runs; None: do not wait. What a cloud made and left
                stopped is started.

        Raises:
            FeatureNotSupported: the cloud does not offer what a field asks for.
            InvalidRequest: the cloud refuses a field.
            OutcomeUnknown: the answer was lost, and it was not found either.
        """
        spec = self._marked(cloud, "create_instance", spec)
        made = await super().create(cloud, spec, timeout=timeout)
        if wait is None:
            return made
        until = anyio.current_time() + wait
        stopped, running = InstanceState.STOPPED, InstanceState.RUNNING
        found = await self.wait(made.qualified_id, running, stopped, timeout=wait)
        if found.state is stopped and InstanceAction.START in found.actions:
            left = max(0.0, until - anyio.current_time())
            found = await self.start(made.qualified_id, wait=left)
        # A password is told once, in the answer to create.
        told = found.authentication or made.authentication
        return msgspec.structs.replace(found, authentication=told)

    async def create_many(
        self, cloud: str, spec: InstanceSpec, count: int, *, timeout: float = CALL_TIMEOUT
    ) -> Sequence[Instance]:
        """Make `count` equal instances by one request.

        Raises:
            OperationNotSupported: the platform has no such request.
            QuotaExceeded: the account may not have so many; none is made.
            OutcomeUnknown: the answer was lost, and not all were found by their token.
        """
        spec = self._marked(cloud, "create_instances", spec)
        try:
            made: Sequence[Instance] = await self._broker.invoke(
                cloud, "create_instances", {"spec": spec, "count": count}, timeout=timeout
            )
        except OutcomeUnknown as exc:
            first = await self._find(cloud, spec, exc)
            made, _ = await self._look(cloud, lambda i: i.client_token == first.client_token)
            if len(made) != count:
                ids = ", ".join(str(instance.qualified_id) for instance in made)
                exc.message += f"; found {len(made)} of {count} by their token: {ids}"
                raise
        return made

    async def start(self, target: str | QualifiedId, *, wait: float | None = None) -> Instance:
        """Boot a stopped instance; see `wait` for the seconds to wait until it runs.

        Raises:
            InvalidState: its state forbids it.
        """
        return await self._act(target, "start_instance", InstanceState.RUNNING, wait)

    async def stop(self, target: str | QualifiedId, *, wait: float | None = None) -> Instance:
        """Shut an instance down and keep it; never destroys.

        Raises:
            InvalidState: its state forbids it.
        """
        return await self._act(target, "stop_instance", InstanceState.STOPPED, wait)

    async def reboot(
        self, target: str | QualifiedId, *, hard: bool = False, wait: float | None = None
    ) -> Instance:
        """Reboot a running instance; `hard` cuts its power.

        Raises:
            InvalidState: its state forbids it.
        """
        return await self._act(target, "reboot_instance", InstanceState.RUNNING, wait, hard=hard)

    async def rename(self, target: str | QualifiedId, name: str) -> Instance:
        """Give an instance another name. Idempotent."""
        return await self._act(target, "rename_instance", None, None, name=name)

    async def resize(
        self, target: str | QualifiedId, hardware_profile_id: str, *, timeout: float = WAIT
    ) -> Instance:
        """Give an instance another hardware profile; `timeout` seconds for all its steps.

        Raises:
            InvalidState: its state forbids it.
        """
        resized: Instance = await self._do(
            target, "resize_instance", timeout=timeout, hardware_profile_id=hardware_profile_id
        )
        return resized

    async def set_tags(self, target: str | QualifiedId, tags: Mapping[str, str]) -> Instance:
        """Replace the names and values that users gave an instance. Idempotent."""
        return await self._act(target, "set_instance_tags", None, None, tags=tags)

    async def console(self, target: str | QualifiedId, kind: ConsoleKind | None = None) -> Console:
        """Return a way to an instance's console; None: the driver's usual kind."""
        console: Console = await self._do(target, "get_instance_console", kind=kind)
        return console

    async def _act(
        self,
        target: str | QualifiedId,
        operation: str,
        state: InstanceState | None,
        wait: float | None,
        **arguments: Any,
    ) -> Instance:
        instance: Instance = await self._do(target, operation, **arguments)
        if state is None or wait is None:
            return instance
        return await self.wait(target, state, timeout=wait)

    def _finished(self, where: QualifiedId, states: tuple[str, ...]) -> Instance | None:
        if InstanceState.FINISH in states:
            return Instance(cloud=where.cloud, id=where.id, state=InstanceState.FINISH)
        return None

    def _marked(self, cloud: str, operation: str, spec: InstanceSpec) -> InstanceSpec:
        """Give a spec the token by which the instance can be found, where the driver can."""
        offered = self._broker.capabilities(cloud).get(operation)
        if offered and Feature.CLIENT_TOKEN in offered.features and spec.client_token is None:
            return msgspec.structs.replace(spec, client_token=uuid.uuid4().hex)
        return spec

    async def _find(self, cloud: str, spec: InstanceSpec, lost: OutcomeUnknown) -> Instance:
        """Look for an instance by its token, which proves that it is the one; else by its name."""
        token = spec.client_token
        if token is None:
            return await super()._find(cloud, spec, lost)
        found, complete = await self._look(cloud, lambda item: item.client_token == token)
        if found:
            return await self._completed(found[0], spec)
        lost.message += searched("token", complete)
        lost.remedy = f"Look for it before you try again: anabranch instances list --cloud {cloud}"
        raise lost

    async def _completed(self, found: Instance, spec: InstanceSpec) -> Instance:
        """Give one that was found the tags that its driver would have given it afterwards."""
        missing = {n: v for n, v in spec.tags.items() if found.tags.get(n) != v}
        if missing and "set_instance_tags" in self._broker.capabilities(found.cloud):
            return await self.set_tags(found.qualified_id, {**found.tags, **missing})
        return found
