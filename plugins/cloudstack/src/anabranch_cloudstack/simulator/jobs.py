"""Asynchronous jobs: they begin, they last for the cloud's `state_delay`, and they end.

A job is written as a generator. What comes before its `yield` happens when the job begins, what
comes after it when it ends; it returns the job's result or raises a `Refusal`. Jobs for the same
object wait for each other, so each is judged by the state that the one before has left.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING

from anabranch_cloudstack.simulator.accounts import Account
from anabranch_cloudstack.simulator.wire import Document, Refusal, stamp

if TYPE_CHECKING:
    from anabranch_cloudstack.simulator.state import State

__all__ = ["Job", "Jobs", "Work"]

Work = Generator[None, None, Document]
"""What a job does: one `yield` for every time that it lasts."""

_PENDING, _DONE, _FAILED = 0, 1, 2
_WITH_OBJECT = frozenset(
    {
        *("VirtualMachine", "Volume", "SecurityGroup", "FirewallRule"),
        *("IpAddress", "Snapshot", "Template"),
    }
)
_KEPT = 24 * 3600.0
_MARKED = ("virtualmachine", "volume")


class Job:
    """One job.

    Args:
        job_id: Its id.
        account: Who started it.
        cmd: The class of the server that does it, below `org.apache.cloudstack.api.command`.
        instance_type: The type of object that it works on; empty if the server does not tell.
        subject: The id of that object.
        lock: The id of the object for which it waits.
        work: What it does.
        created: When it was started.
        makes: Whether it makes the object, and fails when that is removed meanwhile.
    """

    def __init__(
        self,
        job_id: str,
        account: Account,
        cmd: str,
        instance_type: str,
        subject: str,
        lock: str,
        work: Work,
        created: float,
        *,
        makes: bool,
    ) -> None:
        self.id = job_id
        self.account = account
        self.cmd = cmd
        self.instance_type = instance_type
        self.subject = subject
        self.lock = lock
        self.work = work
        self.created = created
        self.makes = makes
        self.completed: float | None = None
        self.status = _PENDING
        self.result: Document | None = None

    @property
    def pending(self) -> bool:
        """Whether it has not ended yet."""
        return self.status == _PENDING

    def document(self) -> Document:
        """What `queryAsyncJobResult` tells."""
        document: Document = {
            "accountid": self.account.id,
            "account": self.account.name,
            "domainid": self.account.domain_id,
            "domainpath": self.account.domain_path,
            "userid": self.account.user_id,
            "cmd": f"org.apache.cloudstack.api.command.{self.cmd}",
            "jobprocstatus": 0,
            "jobresultcode": 0,
        }
        if self.result is not None:
            document["jobresultcode"] = self.result.get("errorcode", 0)
            document["jobresulttype"] = "object"
            document["jobresult"] = self.result
        if self.instance_type:
            document["jobinstancetype"] = self.instance_type
        if self.instance_type in _WITH_OBJECT and self.subject:
            document["jobinstanceid"] = self.subject
        if self.pending:
            document["managementservername"] = "localhost"
        document["created"] = stamp(self.created)
        if self.completed is not None:
            document["completed"] = stamp(self.completed)
        document["jobid"] = self.id
        document["jobstatus"] = self.status
        return document


class Jobs:
    """The jobs of one cloud."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._jobs: dict[str, Job] = {}
        self._waiting: dict[str, deque[Job]] = {}
        self._running: list[tuple[float, int, Callable[[], None]]] = []
        self._steps = 0
        self._ended: deque[Job] = deque()

    def find(self, job_id: str) -> Job | None:
        """The job of an id."""
        return self._jobs.get(job_id)

    def unfinished(self) -> list[Job]:
        """The jobs that have not ended."""
        return [job for job in self._jobs.values() if job.pending]

    def of(self, subject: str) -> Job | None:
        """The latest unfinished job that waits for, or works on, an object."""
        queue = self._waiting.get(subject)
        return queue[-1] if queue else None

    def submit(self, job: Job) -> None:
        """Begin a job, or let it wait for the others of its object."""
        self._jobs[job.id] = job
        if job.lock:
            queue = self._waiting.setdefault(job.lock, deque())
            queue.append(job)
            if len(queue) > 1:
                return
        self._step(job)

    def later(self, effect: Callable[[], None]) -> None:
        """Let something happen by itself after one more `state_delay`, without a job."""
        self._plan(effect)

    def settle(self, now: float) -> None:
        """Let everything happen that is due, and forget the jobs that ended long ago."""
        while self._running and self._running[0][0] <= now:
            due, _, effect = heapq.heappop(self._running)
            self._state.now = due
            effect()
        self._state.now = now
        while self._ended and (self._ended[0].completed or 0) < now - _KEPT:
            del self._jobs[self._ended.popleft().id]

    def _step(self, job: Job) -> None:
        if job.makes and self._state.find(job.subject) is None:
            text = f"{job.subject} was removed before it was ready"
            self._end(job, _FAILED, {"errorcode": 530, "errortext": text})
            return
        try:
            next(job.work)
        except StopIteration as end:
            self._end(job, _DONE, end.value)
        except Refusal as refusal:
            self._end(job, _FAILED, {"errorcode": refusal.code, "errortext": refusal.text})
        else:
            self._plan(partial(self._step, job))

    def _plan(self, effect: Callable[[], None]) -> None:
        self._steps += 1
        due = self._state.now + self._state.behaviour.state_delay
        heapq.heappush(self._running, (due, self._steps, effect))

    def _end(self, job: Job, status: int, result: Document) -> None:
        for key in _MARKED:  # the object says that its own job is still pending, as the real one
            if result.get(key, {}).get("id") == job.subject:
                result[key] |= {"jobid": job.id, "jobstatus": _PENDING}
        job.status, job.result, job.completed = status, result, self._state.now
        self._ended.append(job)
        queue = self._waiting.get(job.lock)
        if queue is None:
            return
        queue.popleft()
        self._state.changed(job.lock)
        if queue:
            self._step(queue[0])
        else:
            del self._waiting[job.lock]
