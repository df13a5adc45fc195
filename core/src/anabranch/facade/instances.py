"""Instances in the façade: their actions, waiting, and the create whose answer was lost."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import anyio
import msgspec

from anabranch.errors import CloudError, DeadlineExceeded, InvalidState, NotFound, OutcomeUnknown
from anabranch.facade._base import CALL_TIMEOUT, OwnedCollection, searched
from anabranch.features import Feature
from anabranch.ids import QualifiedId
from anabranch.models import Console, ConsoleKind, Instance, InstanceSpec
from anabranch.states import InstanceState

__all__ = ["Instances"]

_WAIT: Final = 300.0
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 5.0


class Instances(OwnedCollection[Instance, InstanceSpec]):
    """The instances of all clouds."""

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
            wait: Seconds to wait until it runs; None: do not wait.

        Raises:
            FeatureNotSupported: the cloud does not offer what a field asks for.
            InvalidRequest: the cloud refuses a field.
            OutcomeUnknown: the answer was lost, and it was not found either.
        """
        spec = self._marked(cloud, "create_instance", spec)
        made = await super().create(cloud, spec, timeout=timeout)
        if wait is None:
            return made
        found = await self.wait(made.qualified_id, InstanceState.RUNNING, timeout=wait)
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
        self, target: str | QualifiedId, hardware_profile_id: str, *, timeout: float = _WAIT
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

    async def destroy(
        self,
        target: str | QualifiedId,
        *,
        timeout: float = CALL_TIMEOUT,
        wait: float | None = None,
    ) -> bool:
        """Destroy an instance, disks and all. Idempotent.

        Args:
            target: Its `cloud/id`.
            timeout: Seconds that the cloud may take to accept it.
            wait: Seconds to wait until it is gone; None: do not wait.

        Returns:
            Whether it was there.

        Raises:
            InvalidState: its state forbids it.
        """
        there = await super().destroy(target, timeout=timeout)
        if there and wait is not None:
            await self._gone(target, wait)
        return there

    async def wait(
        self, target: str | QualifiedId, *states: InstanceState, timeout: float = _WAIT
    ) -> Instance:
        """Wait until an instance is in one of the states, and the platform is done with it.

        Args:
            target: Its `cloud/id`.
            *states: The states to wait for; what is gone altogether is in FINISH.
            timeout: Seconds to wait.

        Raises:
            InvalidState: it went to ERROR instead, or is gone.
            DeadlineExceeded: it did not get there in time; the message tells how far it is.
        """
        seen = "not seen yet"

        def arrived(found: Instance) -> bool:
            nonlocal seen
            seen = f"{found.state.value} ({found.platform_state})".replace(" ()", "")
            if found.busy or found.state in states:
                return not found.busy
            if found.state in (InstanceState.ERROR, InstanceState.FINISH):
                failed = InvalidState(f"it is in {seen}: {found.fault or 'no reason told'}")
                failed.locate(found.cloud, "wait")
                raise failed
            return False

        where = self._broker.parse(target)
        wanted = " or ".join(states)
        with anyio.move_on_after(timeout):
            try:
                return await self._until(where, arrived)
            except NotFound as exc:
                if InstanceState.FINISH in states:
                    return Instance(cloud=where.cloud, id=where.id, state=InstanceState.FINISH)
                gone = InvalidState(f"it is gone, not {wanted}; before that it was {seen}")
                gone.locate(where.cloud, "wait")
                raise gone from exc
        late = DeadlineExceeded(f"not {wanted} within {timeout:g} s: it is {seen}")
        late.locate(where.cloud, "wait")
        raise late

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

    async def _gone(self, target: str | QualifiedId, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            with suppress(NotFound):
                await self._until(target, lambda i: i.state is InstanceState.FINISH and not i.busy)
            return
        late = DeadlineExceeded(f"not gone within {seconds:g} s")
        late.locate(self._broker.parse(target).cloud, "destroy_instance")
        raise late

    async def _until(self, target: str | QualifiedId, done: Callable[[Instance], bool]) -> Instance:
        """Look at an instance again and again; an error that may pass does not end it."""
        pause = _FIRST_PAUSE
        while True:
            try:
                found = await self.get(target)
            except CloudError as exc:
                if not exc.retryable:
                    raise
            else:
                if done(found):
                    return found
            await anyio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)

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
            return found[0]
        lost.message += searched("token", complete)
        lost.remedy = f"Look for it before you try again: anabranch instances list --cloud {cloud}"
        raise lost
