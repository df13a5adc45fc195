"""Asynchronous jobs: awaited by looking again and again, never submitted a second time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import anyio
import msgspec

from anabranch.errors import CloudError, OutcomeUnknown, ProtocolError
from anabranch_cloudstack.replies import decoded, failed

if TYPE_CHECKING:
    from anabranch_cloudstack.client import Session

__all__ = ["Job", "look", "result"]

_PENDING: Final = 0
_DONE: Final = 1

NOTHING: Final = msgspec.Raw()
"""The result of a job that has none yet."""


class Job(msgspec.Struct, frozen=True):
    """What is told of a job.

    The object that it made may have a `jobstatus` of its own, always 0: only the outer one counts.
    """

    jobstatus: int = _PENDING
    jobresultcode: int = 0
    jobresult: msgspec.Raw = NOTHING

    @property
    def pending(self) -> bool:
        """Whether it has not ended."""
        return self.jobstatus == _PENDING

    @property
    def done(self) -> bool:
        """Whether it ended well."""
        return self.jobstatus == _DONE


class _Success(msgspec.Struct, frozen=True):
    success: bool | str = True


_JOB: Final = msgspec.json.Decoder(Job)
_SUCCESS: Final = msgspec.json.Decoder(_Success)


async def look(session: Session, job_id: str) -> Job:
    """Look at a job once."""
    body = await session.ask("queryAsyncJobResult", {"jobid": job_id})
    return decoded(body, _JOB)


async def result(
    session: Session, command: str, job_id: str, hide: Iterable[str] = ()
) -> msgspec.Raw:
    """Wait until a job has ended, and return its result. A look that fails is repeated.

    Whoever is cancelled while waiting leaves the job, which goes on, as it is.

    Args:
        session: Where.
        command: What was asked for, for logs and errors.
        job_id: The job.
        hide: Secrets that were sent with it.

    Raises:
        OutcomeUnknown: it did not end in time, or nobody knows it any more.
        CloudError: it failed, of the class that its code stands for.
    """
    settings, log = session.cloud.settings, session.cloud.log
    started = anyio.current_time()
    pause = settings.job_first_pause
    log.info("cloudstack.job.accepted", command=command, job=job_id)
    with anyio.move_on_after(settings.job_timeout):
        while True:
            await anyio.sleep(pause)
            pause = min(settings.job_longest_pause, pause * 1.5)
            job = await _patiently(session, command, job_id)
            seconds = round(anyio.current_time() - started, 1)
            if job is None or job.pending:
                log.debug("cloudstack.job.pending", command=command, job=job_id, seconds=seconds)
                continue
            log.info("cloudstack.job.ended", command=command, job=job_id, seconds=seconds)
            return _outcome(job, hide)
    raise OutcomeUnknown(
        f"{command} was accepted as job {job_id}, which did not end "
        f"within {settings.job_timeout:g} s and may go on",
        remedy="Look before you try again",
    )


async def _patiently(session: Session, command: str, job_id: str) -> Job | None:
    try:
        return await look(session, job_id)
    except CloudError as exc:
        if exc.retryable or isinstance(exc, ProtocolError):
            session.cloud.log.debug("cloudstack.job.unseen", job=job_id, error=str(exc))
            return None
        raise OutcomeUnknown(
            f"{command} was accepted as job {job_id}, of which nothing is told: {exc.message}",
            provider_code=exc.provider_code,
            remedy="Look before you try again",
        ) from exc


def _outcome(job: Job, hide: Iterable[str]) -> msgspec.Raw:
    found = job.jobresult or msgspec.Raw(b"{}")
    if not job.done:
        raise failed(job.jobresultcode or 530, job.jobresult, hide)
    try:
        success = _SUCCESS.decode(found).success
    except msgspec.DecodeError:  # old versions have a text for a result
        return found
    if success in (False, "false"):
        raise failed(job.jobresultcode or 530, job.jobresult, hide)
    return found
