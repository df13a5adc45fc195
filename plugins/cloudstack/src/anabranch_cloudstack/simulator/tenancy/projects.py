"""Projects."""

from __future__ import annotations

from anabranch_cloudstack.simulator.accounts import DEFAULT_LIMITS
from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.sizing import check_limits
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.records import tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.tenancy.limits import limit_keys
from anabranch_cloudstack.simulator.tenancy.records import Project
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid, stamp

__all__ = ["commands"]

commands = Commands()


@commands.add("listProjects", "id:uuid name displaytext state", listing=True, since="3.0.0")
def list_projects(call: Call) -> Document:
    """Lists projects."""
    projects = matching(call, call.state.projects.values())
    return listed(call, "project", [_document(call.state, project) for project in projects])


@commands.add(
    "createProject",
    "name! displaytext account domainid:uuid",
    job="user.project.CreateProjectCmd",
    instance_type="None",
    since="3.0.0",
)
def create_project(call: Call) -> Document:
    """Creates a project."""
    state, name = call.state, call.text("name")
    if any(project.name == name for project in state.projects.values()):
        raise invalid(f"Project with name {name} already exists")
    check_limits(call, 532, project=1)
    project = Project(
        id=state.new_id(),
        name=name,
        text=call.text("displaytext") or name,
        account=call.account.name,
        created=state.now,
        number=state.new_number(),
    )
    state.add(state.projects, project)

    def work() -> Work:
        yield
        return {"project": _document(state, project)}

    return call.start(work(), project.id, created=True)


@commands.add(
    "deleteProject",
    "id!:uuid cleanup:boolean",
    job="user.project.DeleteProjectCmd",
    since="3.0.0",
)
def delete_project(call: Call) -> Document:
    """Deletes a project in which nothing is left."""
    project = call.take(call.state.projects, "id")

    def work() -> Work:
        yield
        if any(record.project == project.id for record in call.state.everything()):
            raise Refusal(530, f"Failed to delete project {project.name}: it is not empty")
        call.state.projects.pop(project.id, None)
        return {"success": True}

    return call.start(work(), project.id)


def _document(state: State, project: Project) -> Document:
    account = state.accounts[project.account]
    machines = [m for m in state.machines.values() if m.project == project.id]
    used = {
        "user_vm": len(machines),
        "cpu": sum(machine.cpus for machine in machines),
        "memory": sum(machine.memory for machine in machines),
        "network": sum(n.project == project.id for n in state.networks.values()),
        "volume": sum(v.project == project.id for v in state.volumes.values()),
    }
    limits = limit_keys(DEFAULT_LIMITS, used)
    return {
        "id": project.id,
        "name": project.name,
        "displaytext": project.text,
        "domainid": account.domain_id,
        "domain": account.domain,
        "owner": [{"account": account.name}],
        "projectaccountname": f"PrjAcct-{project.name}-{project.number}",
        "state": "Active",
        "tags": tag_documents(state, project),
        **{key: limits[key] for key in limits if not key.startswith("project")},
        "vmstopped": sum(machine.state == "Stopped" for machine in machines),
        "vmrunning": sum(machine.running for machine in machines),
        "created": stamp(project.created),
    }
