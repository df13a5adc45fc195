"""The commands about jobs."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.listing import listed
from anabranch_cloudstack.simulator.wire import Document, Refusal

__all__ = ["commands"]

commands = Commands()


@commands.add("queryAsyncJobResult", "jobid!")
def query_job(call: Call) -> Document:
    """Returns how a job stands; that it failed is no failure of this command."""
    job = call.state.jobs.find(call.text("jobid"))
    if job is None:
        raise call.no_entity("jobid", call.text("jobid"))
    if job.account is not call.account and not call.account.is_admin:
        raise Refusal(
            531, f"Account {call.account.name} is not permitted to see job {job.id}", 4365
        )
    return job.document()


@commands.add("listAsyncJobs", "startdate:date", listing=True)
def list_jobs(call: Call) -> Document:
    """Lists the jobs that have not ended."""
    everyone = call.account.is_admin and call.flag("listall")
    jobs = [
        job.document()
        for job in call.state.jobs.unfinished()
        if everyone or job.account is call.account
    ]
    return listed(call, "asyncjobs", jobs)
