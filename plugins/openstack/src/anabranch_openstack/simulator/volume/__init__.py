"""Cinder: volumes and snapshots."""
