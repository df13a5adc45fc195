"""The snapshots of disks, which hang on each other, and which of them may be deleted.

The datastore is one with `ALLOW_ORPHANS="NO"`, as most are: a snapshot's data is needed by those
that were taken after it. The rules are those of src/vm/Snapshots.cc of OpenNebula.
"""

from __future__ import annotations

import msgspec

__all__ = ["DiskSnapshot", "SnapshotChain"]


class DiskSnapshot(msgspec.Struct, kw_only=True):
    """A snapshot of a disk.

    Args:
        id: Its number on the disk.
        name: Its name.
        date: When it was taken, seconds since the epoch.
        parent: The snapshot that it hangs on; -1 for none.
        size: MB.
        active: Whether the disk as it is now hangs on it.
    """

    id: int
    name: str
    date: int
    parent: int
    size: int
    active: bool


class SnapshotChain(msgspec.Struct, kw_only=True):
    """The snapshots of one disk or image.

    Args:
        snapshots: The snapshots, oldest first.
        next_id: The number of the next one.
    """

    snapshots: list[DiskSnapshot] = []
    next_id: int = 0

    def find(self, snapshot_id: int) -> DiskSnapshot | None:
        """A snapshot by its number."""
        return next((s for s in self.snapshots if s.id == snapshot_id), None)

    def children(self, snapshot_id: int) -> list[DiskSnapshot]:
        """The snapshots that hang on one."""
        return [s for s in self.snapshots if s.parent == snapshot_id]

    def take(self, name: str, size: int, now: int) -> None:
        """Add a snapshot of the disk as it is; it hangs on the active one, and is that then."""
        parent = next((s.id for s in self.snapshots if s.active), -1)
        taken = DiskSnapshot(
            id=self.next_id, name=name, date=now, parent=parent, size=size, active=True
        )
        self.snapshots.append(taken)
        self.next_id += 1
        self.activate(taken.id)

    def activate(self, snapshot_id: int) -> None:
        """Make a snapshot the one that the disk hangs on."""
        for snapshot in self.snapshots:
            snapshot.active = snapshot.id == snapshot_id

    def kept_because(self, snapshot: DiskSnapshot, *, persistent: bool) -> str:
        """Why a snapshot of an attached disk cannot be deleted; empty if it can."""
        children = self.children(snapshot.id)
        if persistent and snapshot.id == 0:
            return "Cannot delete snapshot 0 for persistent disk images"
        if len(children) > 1:
            return "Cannot delete snapshot with more than one children"
        if not children:
            return ""
        if snapshot.active:
            return "Cannot delete the active snapshot with children"
        (child,) = children
        grandchildren = self.children(child.id)
        if len(grandchildren) > 1 or (grandchildren and child.active):
            return "Cannot delete snapshot if child has children"
        if snapshot.parent >= 0 and len(self.children(snapshot.parent)) > 1:
            return "Cannot delete snapshot if parent has more than one child"
        return ""

    def kept_detached_because(self, snapshot: DiskSnapshot) -> str:
        """Why a snapshot of an image that is not attached cannot be deleted; empty if it can."""
        if snapshot.active:
            return "Cannot delete the active snapshot"
        if self.children(snapshot.id):
            return "Cannot delete snapshot with children"
        return ""

    def remove(self, snapshot: DiskSnapshot) -> None:
        """Delete a snapshot; what hung on it hangs on its parent, if it had one."""
        parent = self.find(snapshot.parent)
        if parent is not None:
            for child in self.children(snapshot.id):
                child.parent = parent.id
            if snapshot.active:
                self.activate(parent.id)
        self.snapshots.remove(snapshot)
