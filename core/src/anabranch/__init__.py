"""One asynchronous interface to every IaaS cloud you have."""
