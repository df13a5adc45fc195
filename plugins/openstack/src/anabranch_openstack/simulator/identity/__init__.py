"""Keystone: who may ask, and where the services are."""
