"""The plugin contract: what a driver implements, and what another plugin can wrap.

A driver derives from `DriverSpec`, overrides the hooks that it offers, marks each `@hookimpl`, and
is published as an object under the entry-point group `anabranch.drivers`.

A plugin that is no driver can stand around the operations of all drivers: for an audit, a quota,
a cache. It is given to `broker.register`, and each of its hookimpls wraps, as pluggy has it. It
is a plain generator and takes those parameters of the hook that it wants, by name. Its `yield`
gives the *coroutine* of the call, which nobody has awaited yet, and what it returns is awaited in
its place: that coroutine itself, or another that awaits it. One that does not await it closes it.

    class Audit:
        @hookimpl(wrapper=True)
        def start_instance(self, cloud, instance_id):
            call = yield

            async def audited():
                try:
                    result = await call
                except Exception as exc:
                    log.append((cloud.name, instance_id, type(exc).__name__))
                    raise
                log.append((cloud.name, instance_id, "ok"))
                return result

            return audited()

    broker.register(Audit())

It sees only calls that a driver is really asked: what a cloud does not offer, and what an open
circuit breaker holds back, is refused before. It runs within the deadline of the call, once for
each page of a list, and its own bugs come out as `DriverFault` of the cloud that was asked.
"""

from __future__ import annotations

from anabranch.hooks._markers import API_VERSION, PROJECT, hookimpl, hookspec, operation
from anabranch.hooks._spec import COLLECTIONS, DriverSpec, Ops
from anabranch.hooks.lifecycle import CloudIdentity, DiscoveredCloud, Lacks

__all__ = [
    "API_VERSION",
    "COLLECTIONS",
    "PROJECT",
    "CloudIdentity",
    "DiscoveredCloud",
    "DriverSpec",
    "Lacks",
    "Ops",
    "hookimpl",
    "hookspec",
    "operation",
]
