"""What all that is done with virtual machines shares, and the jobs that are under way on them."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from anabranch.errors import CloudError, NotFound
from anabranch.models import Instance
from anabranch.states import InstanceState
from anabranch_cloudstack import convert, jobs, wire
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.reading import Reader
from anabranch_cloudstack.replies import failed

__all__ = ["DETAILS", "VM", "Undertaking", "begun", "show", "undertakings"]

VM: Final = Reader(wire.VirtualMachine, "virtualmachine")

DETAILS: Final = "nics,secgrp,servoff,tmpl"
"""Which parts of a machine to ask for: all of them take the server several times as long."""

_MOST: Final = 1000


class Undertaking(msgspec.Struct, frozen=True):
    """A job on a machine, and the state in which the machine is meanwhile."""

    job_id: str
    state: InstanceState


class _Undertakings:
    """The jobs that were begun here on machines and are not known to have ended.

    CloudStack goes on to tell the old state until a job's turn comes, and after a deployment that
    failed it does not tell why.
    """

    def __init__(self, cloud: CloudStackCloud) -> None:
        del cloud
        self._by_machine: dict[str, Undertaking] = {}

    def get(self, instance_id: str) -> Undertaking | None:
        return self._by_machine.get(instance_id)

    def begin(self, instance_id: str, undertaking: Undertaking) -> None:
        self._by_machine.pop(instance_id, None)
        self._by_machine[instance_id] = undertaking
        if len(self._by_machine) > _MOST:
            del self._by_machine[next(iter(self._by_machine))]

    def end(self, instance_id: str, undertaking: Undertaking) -> None:
        if self._by_machine.get(instance_id) is undertaking:
            del self._by_machine[instance_id]


def undertakings(cloud: CloudStackCloud) -> _Undertakings:
    """Return the jobs that are under way on the cloud's machines."""
    return cloud.local(_Undertakings)


async def show(cloud: CloudStackCloud, instance_id: str) -> Instance:
    """Get a machine; one request, and one more while a job that was begun here is under way.

    Raises:
        NotFound: there is none, or it was destroyed.
    """
    undertaking = undertakings(cloud).get(instance_id)
    job = await _look(cloud, undertaking) if undertaking else None
    try:
        found = await session(cloud).one(
            "listVirtualMachines",
            {"id": instance_id, "details": DETAILS, **session(cloud).scope},
            reader=VM,
            convert=partial(convert.instance, cloud.name),
            what=f"virtual machine {instance_id!r}",
        )
    except NotFound:
        if undertaking:
            undertakings(cloud).end(instance_id, undertaking)
        raise
    if undertaking is None:
        return found
    if job is not None and job.pending:
        return begun(found, undertaking.state)
    if job is None or job.done or found.state is not InstanceState.ERROR:
        undertakings(cloud).end(instance_id, undertaking)
        return found
    fault = failed(job.jobresultcode or 530, job.jobresult).message
    return msgspec.structs.replace(found, fault=fault)


async def _look(cloud: CloudStackCloud, undertaking: Undertaking) -> jobs.Job | None:
    try:
        return await jobs.look(session(cloud), undertaking.job_id)
    except CloudError as exc:
        if exc.retryable:
            raise
        return None


def begun(instance: Instance, state: InstanceState) -> Instance:
    """Return a machine as it is while a job works on it."""
    if instance.busy or instance.state in (InstanceState.ERROR, InstanceState.FINISH):
        return instance
    return msgspec.structs.replace(instance, state=state, busy=True, actions=())
