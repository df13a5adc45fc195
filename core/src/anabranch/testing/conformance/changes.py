"""Checks of changes: destroying twice is no error, and what got no answer is not done twice."""

from __future__ import annotations

import uuid
from typing import Any, Final

import msgspec
import pytest

from anabranch.errors import AnabranchError, CloudError, NotFound, OutcomeUnknown
from anabranch.facade import Broker
from anabranch.features import Feature
from anabranch.models import Instance, InstanceSpec
from anabranch.operations import OPERATIONS
from anabranch.states import InstanceAction, InstanceState
from anabranch.testing.behaviour import Behaviour, Fault, FaultKind
from anabranch.testing.conformance.base import ConformanceBase
from anabranch.testing.conformance.bench import NAME, Bench, told
from anabranch.testing.conformance.strangers import stranger

__all__ = ["ChangeChecks"]

_WAIT: Final = 20.0
_ONCE: Final = "only-once"


class ChangeChecks(ConformanceBase):
    """What is asked of changes."""

    async def test_destroy_is_idempotent(self) -> None:
        """Destroying what is gone, or never was, is no error for the user: NotFound in a driver."""
        async with self.bench() as bench:
            broker = await bench.warm()
            destroying = _destroying(broker)
            if not destroying:
                pytest.skip("no destroy operation is offered")
            for operation, parameter in destroying.items():
                absent = await self._absent(bench, broker, operation)
                if absent is None:
                    continue
                await self._gone(broker, operation, {parameter: absent})
            if {"create_instance", "destroy_instance"} <= broker.capabilities(NAME).keys():
                await self._life(bench, broker)

    async def test_a_lost_create_is_not_repeated(self) -> None:
        """A create whose answer was lost made one machine, and the driver says what it knows."""
        self.needs_wire()
        count = await self._requests_of_a_create()
        for kind in (FaultKind.LOST, FaultKind.RESET):
            for number in range(1, count + 1):
                await self._lost_at(number, kind)

    # ------------------------------------------------------------------------------- destroy

    async def _absent(self, bench: Bench, broker: Broker, operation: str) -> str | None:
        """An id that nothing of the collection has; None: it cannot be known what they are like."""
        lists = f"list_{operation.removeprefix('destroy_')}s"
        if lists not in broker.capabilities(NAME):
            return None
        ids = [str(item.id) for item in await bench.items(broker, lists)]
        return stranger(ids[0]) if ids else stranger("1")

    async def _gone(self, broker: Broker, operation: str, arguments: dict[str, Any]) -> None:
        try:
            await broker.invoke(NAME, operation, arguments)
        except NotFound:
            return
        except AnabranchError as exc:
            pytest.fail(
                f"{operation} of what is not there ({arguments}) must raise NotFound, which the"
                f" broker takes for success, or return; it raised {told(exc)}",
                pytrace=False,
            )

    async def _life(self, bench: Bench, broker: Broker) -> None:
        """Make a machine and destroy it twice."""
        made = await self._made(bench, broker)
        target = made.qualified_id
        if InstanceAction.DESTROY not in made.actions and "stop_instance" in broker.capabilities(
            NAME
        ):
            await broker.instances.stop(target, wait=_WAIT)
        for time in ("", " a second time"):
            try:
                await broker.instances.destroy(target, wait=_WAIT)
            except AnabranchError as exc:
                pytest.fail(
                    f"destroying an instance{time} must go well: NotFound says that it is gone"
                    f" already; it raised {told(exc)}",
                    pytrace=False,
                )

    async def _made(self, bench: Bench, broker: Broker) -> Instance:
        spec = await self.spec(bench, broker, _ONCE)
        made: Instance = await bench.call(broker, "create_instance", spec=spec)
        if "get_instance" not in broker.capabilities(NAME):
            return made
        running, stopped = InstanceState.RUNNING, InstanceState.STOPPED
        return await broker.instances.wait(made.qualified_id, running, stopped, timeout=_WAIT)

    # ---------------------------------------------------------------------------------- lost

    async def _requests_of_a_create(self) -> int:
        async with self.bench() as bench:
            broker = await bench.warm()
            spec = await self._spec(bench, broker)
            if "list_instances" not in broker.capabilities(NAME):
                pytest.skip("list_instances is not offered: what was made cannot be counted")
            before = bench.requests()
            await bench.call(broker, "create_instance", spec=spec)
            return bench.requests() - before

    async def _spec(self, bench: Bench, broker: Broker) -> InstanceSpec:
        """A spec with a token, where the driver can carry one."""
        spec = await self.spec(bench, broker, _ONCE)
        offered = broker.capabilities(NAME)["create_instance"].features
        if Feature.CLIENT_TOKEN not in offered:
            return spec
        return msgspec.structs.replace(spec, client_token=uuid.uuid4().hex)

    async def _lost_at(self, number: int, kind: FaultKind) -> None:
        """Lose the answer to the so-manyeth request of a create, and look what came of it."""
        what = (
            f"when the answer to request {number} of create_instance was lost"
            if kind is FaultKind.LOST
            else f"when the connection was cut at request {number} of create_instance"
        )
        async with self.bench() as bench:
            broker = await bench.warm()
            spec = await self._spec(bench, broker)
            before = set(await self.machines(bench, broker))
            if bench.simulated is None:
                raise AssertionError
            behaviour = bench.simulated.behaviour = _Nth.of(kind, number)
            made: Instance | None = None
            error: CloudError | None = None
            try:
                made = await broker.invoke(NAME, "create_instance", {"spec": spec})
            except CloudError as exc:
                error = exc
            if behaviour.asked < number:
                pytest.fail(
                    f"{what}: the simulated cloud did not meet the fault: every request goes"
                    " through Misbehaving, which asks the cloud's behaviour",
                    pytrace=False,
                )
            bench.simulated.behaviour = Behaviour()
            there = await self.machines(bench, broker)
        new = {ident: machine for ident, machine in there.items() if ident not in before}
        if wrong := _wrong(new, made, error, spec):
            pytest.fail(f"{what}: {wrong}", pytrace=False)


class _Nth(Behaviour, kw_only=True):
    """A cloud where the so-manyeth request meets a fault, and no other does."""

    fault: Fault
    number: int
    asked: int = 0

    @classmethod
    def of(cls, kind: FaultKind, number: int) -> _Nth:
        fault = Fault(kind=kind)
        return cls(fault=fault, number=number, faults=[fault])

    def take_fault(self, method: str, path: str) -> Fault | None:
        del method, path
        self.asked += 1
        return self.fault if self.asked == self.number else None


def _wrong(
    new: dict[str, Instance],
    made: Instance | None,
    error: CloudError | None,
    spec: InstanceSpec,
) -> str:
    """What is wrong with what came of a create; empty: nothing."""
    if len(new) > 1:
        return (
            f"{len(new)} machines were made for one. A request that creates is never sent twice:"
            " it is no idempotent one, and OutcomeUnknown is for the broker to look into"
        )
    if made is not None and made.id not in new:
        return f"{made.id!r} was returned, and no such machine is listed"
    if made is None and new and not isinstance(error, OutcomeUnknown):
        came = told(error) if error else "nothing"
        return (
            f"the machine was made all the same, and the driver must raise OutcomeUnknown; it"
            f" raised {came}"
        )
    if spec.client_token and any(i.client_token != spec.client_token for i in new.values()):
        return (
            "the driver declares the feature client_token, and the machine is listed without the"
            " token: keep it with the machine, and return it in Instance.client_token of lists too"
        )
    return ""


def _destroying(broker: Broker) -> dict[str, str]:
    """The destroy operations that take an id and no more, each with its parameter's name."""
    offered = [OPERATIONS[name] for name in broker.capabilities(NAME)]
    return {
        operation.name: operation.parameters[0]
        for operation in offered
        if operation.verb == "destroy" and len(operation.parameters) == 1
    }
