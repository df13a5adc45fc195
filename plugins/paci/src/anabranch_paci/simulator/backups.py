"""Backups of servers, and the schedules by which they are made."""

from __future__ import annotations

from anabranch_paci.simulator.lifecycle import refuse_in_transition, refuse_unless_stopped
from anabranch_paci.simulator.lookup import find_ve
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.records import Backup, Schedule, Ve
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.times import moment, timestamp
from anabranch_paci.simulator.wire import Reply, Request, accepted, missing, xml_reply

__all__ = ["routes"]

_GIGABYTE = 1024**3

routes = Routes()


@routes.on("GET", "/schedule")
def show_schedules(request: Request) -> Reply:
    """The schedules that can be assigned."""
    schedules = request.state.schedules.values()
    return xml_reply(Element("backup-schedule-list", None, *map(_schedule, schedules)))


@routes.on("PUT", "/ve/{ve}/schedule/{schedule}")
def assign_schedule(request: Request, name: str, schedule: str) -> Reply:
    """Let backups of a server be made by a schedule."""
    ve = find_ve(request, name)
    if schedule not in request.state.schedules:
        raise missing("Backup schedule", schedule)
    ve.schedule = schedule
    return accepted("Backup schedule assigned")


@routes.on("PUT", "/ve/{ve}/nobackup")
def remove_schedule(request: Request, name: str) -> Reply:
    """Let no more backups of a server be made by a schedule."""
    find_ve(request, name).schedule = None
    return accepted("Backup schedule removed")


@routes.on("POST", "/ve/{ve}/backup")
def create(request: Request, name: str) -> Reply:
    """Make a backup of a server now; it is in the list once it is made (inferred)."""
    state, ve = request.state, find_ve(request, name)
    refuse_in_transition(ve, "backup")
    number, identity = state.new_id(), f"{{{state.new_uuid()}}}"

    def finish(at: float) -> None:
        backup = Backup(
            id=identity,
            number=number,
            schedule=None,
            started=request.now,
            ended=at,
            size=ve.disk.size * _GIGABYTE // 4,
            description="on demand",
        )
        ve.backups = [*ve.backups, backup]

    request.later(finish)
    return accepted("VE backup initiated")


@routes.on("GET", "/ve/{ve}/backups/{from}/{to}")
def show_all(request: Request, name: str, since: str, until: str) -> Reply:
    """The backups of a server that started between two times."""
    ve = find_ve(request, name)
    start, end = moment(since), moment(until)
    backups = [backup for backup in ve.backups if start <= backup.started <= end]
    return xml_reply(Element("ve-backups", None, *map(_document, backups)))


@routes.on("GET", "/ve/{ve}/backup/{backup}")
def show(request: Request, name: str, identity: str) -> Reply:
    """One backup; its id has braces."""
    return xml_reply(_document(_find(find_ve(request, name), identity)))


@routes.on("DELETE", "/ve/{ve}/backup/{backup}")
def delete(request: Request, name: str, identity: str) -> Reply:
    """Delete a backup."""
    ve = find_ve(request, name)
    backup = _find(ve, identity)

    def forget(_: float) -> None:
        ve.backups = [other for other in ve.backups if other.id != backup.id]

    request.later(forget)
    return accepted("Backup delete initiated")


@routes.on("PUT", "/ve/{ve}/restore/{backup}")
def restore(request: Request, name: str, identity: str) -> Reply:
    """Put a stopped server back to a backup; its state stays (inferred)."""
    ve = find_ve(request, name)
    _find(ve, identity)
    refuse_unless_stopped(ve, "restore")
    return accepted("VE restore initiated")


def _find(ve: Ve, identity: str) -> Backup:
    found = next((backup for backup in ve.backups if backup.id == identity), None)
    if found is None:
        raise missing("Backup", identity)
    return found


def _schedule(schedule: Schedule) -> Element:
    return Element(
        "backup-schedule",
        None,
        Element("description", schedule.description),
        attributes={
            "id": schedule.id,
            "name": schedule.name,
            "cron-expression": schedule.cron,
            "enabled": True,
            "backups-to-keep": schedule.backups_to_keep,
            "no-of-incremental": schedule.incremental,
        },
    )


def _document(backup: Backup) -> Element:
    return Element(
        "backup",
        None,
        Element("description", backup.description),
        attributes={
            "im-backup-id": backup.number,
            "cloud-backup-id": backup.id,
            "schedule-name": backup.schedule,
            "started": timestamp(backup.started),
            "ended": timestamp(backup.ended),
            "successful": True,
            "backup-size": backup.size,
            "backup-node-name": "backup-1",
        },
    )
