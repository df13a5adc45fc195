"""What can be asked about a cloud as a whole.

`discover` is not offered: a cloud made of memory exists where it is configured and nowhere else,
so there is no other place to look in.
"""

from __future__ import annotations

from anabranch.features import Feature
from anabranch.hooks import CloudIdentity, Lacks, hookimpl
from anabranch.hooks.lifecycle import LifecycleSpec
from anabranch_mock.calls import call
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore

__all__ = ["Lifecycle"]

_REASON = "this cloud is set to lack it"


class Lifecycle(LifecycleSpec[MockSettings]):
    """The hooks about a cloud as a whole."""

    @hookimpl
    async def check(self, cloud: MockCloud) -> CloudIdentity:
        return await call(cloud, "check", _identity)

    @hookimpl
    async def probe(self, cloud: MockCloud) -> Lacks:
        return await call(cloud, "probe", _lacks)


def _identity(store: MockStore) -> CloudIdentity:
    return CloudIdentity(
        account=store.settings.username,
        endpoint=f"memory:{store.cloud}",
        version="1",
        owner_id=store.settings.username,
    )


def _lacks(store: MockStore) -> Lacks:
    names = [name.partition(":") for name in store.settings.lacks]
    return Lacks(
        operations={operation: _REASON for operation, _, feature in names if not feature},
        features={
            (operation, Feature(feature)): _REASON for operation, _, feature in names if feature
        },
    )
