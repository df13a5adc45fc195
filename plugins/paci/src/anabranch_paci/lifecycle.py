"""Hooks about a cloud as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import anyio

from anabranch.errors import CloudError, InvalidRequest, NotFound, PermissionDenied
from anabranch.hooks import CloudIdentity, Lacks, hookimpl
from anabranch.hooks.lifecycle import LifecycleSpec
from anabranch_paci import listing
from anabranch_paci.client import PaciCloud, Session, session
from anabranch_paci.settings import PaciSettings

__all__ = ["Lifecycle"]

_PARTS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("image", "image-list"): ("create_image", "destroy_image"),
    ("load-balancer", "lb-list"): (
        "create_load_balancer",
        "destroy_load_balancer",
        "get_load_balancer",
        "list_load_balancers",
        "register_instance",
        "unregister_instance",
    ),
    ("schedule", "backup-schedule-list"): (
        "create_storage_snapshot",
        "destroy_storage_snapshot",
        "get_storage_snapshot",
        "list_storage_snapshots",
    ),
}
"""Parts of the platform that a provider may not have: the list that shows it, its root, and what
is done with that part."""


class Lifecycle(LifecycleSpec[PaciSettings]):
    """Check and probe. There is nothing to discover: PACI has no usual place for credentials."""

    @hookimpl
    async def check(self, cloud: PaciCloud) -> CloudIdentity:
        paci = session(cloud)
        subscription = cloud.settings.subscription
        await listing.names(paci, listing.SERVERS, subscription)
        account = cloud.settings.username
        return CloudIdentity(
            account=f"{account} (subscription {subscription})" if subscription else account,
            endpoint=paci.endpoint,
            version="1.0",
        )

    @hookimpl
    async def probe(self, cloud: PaciCloud) -> Lacks:
        paci = session(cloud)
        lacking: dict[str, str] = {}
        failures: list[CloudError] = []

        async def ask(path: str, root: str, operations: tuple[str, ...]) -> None:
            try:
                reason = await _missing(paci, path, root)
            except CloudError as exc:
                failures.append(exc)
            else:
                lacking.update(dict.fromkeys(operations, reason) if reason else ())

        async with anyio.create_task_group() as group:
            for (path, root), operations in _PARTS.items():
                group.start_soon(ask, path, root, operations)
        if failures:
            raise failures[0]
        return Lacks(operations=lacking)


async def _missing(paci: Session, path: str, root: str) -> str | None:
    """Say why a part of the platform is not there; None: it is."""
    try:
        await paci.get(path, roots=(root,))
    except (InvalidRequest, NotFound, PermissionDenied) as exc:
        return f"the provider does not have /{path} ({exc.provider_code}: {exc.message})"
    return None
