"""Storage snapshots: backups of whole servers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from anabranch.errors import CloudError, NotFound, OutcomeUnknown
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.storage_snapshots import StorageSnapshotsSpec
from anabranch.models import (
    Extra,
    StorageSnapshot,
    StorageSnapshotSpec,
    StorageSnapshotState,
)
from anabranch.paging import Page
from anabranch_paci import listing
from anabranch_paci.client import PaciCloud, Session, session
from anabranch_paci.convert import time
from anabranch_paci.markup import Node, as_mapping
from anabranch_paci.periods import period
from anabranch_paci.servers import part
from anabranch_paci.settings import PaciSettings
from anabranch_paci.waiting import shown

__all__ = ["StorageSnapshots"]

_AHEAD: Final = timedelta(days=1)
"""What is asked for beyond now: a backup just made is seen though the cloud's clock is fast."""
_KEYS: Final = frozenset({"cloud-backup-id", "started", "description"})


class StorageSnapshots(StorageSnapshotsSpec[PaciSettings]):
    """Backups. The id of one is the name of its server and the platform's id: `web1:{…}`."""

    @hookimpl
    async def list_storage_snapshots(
        self, cloud: PaciCloud, cursor: str | None
    ) -> Page[StorageSnapshot]:
        paci = session(cloud)

        async def detail(info: Node) -> Sequence[StorageSnapshot]:
            return await _of_server(paci, info.attributes["name"])

        return await listing.page(
            paci,
            listing.SERVERS,
            cursor,
            subscription=cloud.settings.subscription,
            detail=detail,
        )

    @hookimpl
    async def get_storage_snapshot(
        self, cloud: PaciCloud, storage_snapshot_id: str
    ) -> StorageSnapshot:
        name, ident = _apart(storage_snapshot_id)
        found, _ = await session(cloud).get("ve", name, "backup", ident, roots=("backup",))
        return _model(cloud, name, found)

    @hookimpl
    @offers(Feature.SNAPSHOT_OF_INSTANCE)
    async def create_storage_snapshot(
        self, cloud: PaciCloud, spec: StorageSnapshotSpec
    ) -> StorageSnapshot:
        # The answer tells no id: it is that of the backup that was not there before.
        paci = session(cloud)
        name = spec.instance_id
        before = {snapshot.id for snapshot in await _of_server(paci, name)}
        await paci.act("POST", "ve", name, "backup", idempotent=False)

        async def new() -> list[StorageSnapshot]:
            return [s for s in await _of_server(paci, name) if s.id not in before]

        why = "it is not listed yet"
        try:
            found = await shown(new, bool)
        except CloudError as exc:
            found, why = [], exc.message
        if not found:
            raise OutcomeUnknown(
                f"a backup of {name!r} was accepted, but not seen: {why}",
                remedy="Look at the storage snapshots a little later",
            )
        return found[-1]

    @hookimpl
    async def destroy_storage_snapshot(self, cloud: PaciCloud, storage_snapshot_id: str) -> None:
        name, ident = _apart(storage_snapshot_id)
        await session(cloud).act("DELETE", "ve", name, "backup", ident)


async def _of_server(paci: Session, name: str) -> list[StorageSnapshot]:
    days = timedelta(days=paci.cloud.settings.backup_days)
    root, _ = await part(paci, name, "backups", *period(days, _AHEAD), root="ve-backups")
    found = [_model(paci.cloud, name, backup) for backup in root.all("backup")]
    return [snapshot for snapshot in found if not snapshot.id.endswith(":")]


def _model(cloud: PaciCloud, name: str, backup: Node) -> StorageSnapshot:
    if (backup.get("successful") or "").lower() == "true":
        state = StorageSnapshotState.AVAILABLE
    elif backup.get("ended"):
        state = StorageSnapshotState.ERROR
    else:
        state = StorageSnapshotState.CREATING
    schedule = backup.get("schedule-name")
    return StorageSnapshot(
        cloud=cloud.name,
        id=f"{name}:{backup.get('cloud-backup-id') or ''}",
        name=f"{name}, schedule {schedule}" if schedule else f"{name}, on demand",
        description=backup.value("description") or "",
        state=state,
        instance_id=name,
        created_at=time(backup.get("started")),
        extra=Extra(lambda: as_mapping(backup), _KEYS),
    )


def _apart(snapshot_id: str) -> tuple[str, str]:
    name, _, ident = snapshot_id.rpartition(":")
    if not name or not ident:
        raise NotFound(
            f"there is no storage snapshot {snapshot_id!r}",
            remedy="Its id is the name of the server, a colon, and the id of the backup",
        )
    return name, ident
