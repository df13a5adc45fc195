"""Anabranch over HTTP: every cloud you run behind one API."""
