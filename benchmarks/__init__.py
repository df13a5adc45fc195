"""Measurements: `make bench`, `make bench ARGS="fanout --clouds 200"`."""
