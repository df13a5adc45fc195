"""Gnocchi: what was measured of instances."""
