"""Virtual machines: creation, life cycle, disks, interfaces, snapshots."""
