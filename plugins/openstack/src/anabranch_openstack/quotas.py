"""Quotas: those of all services that the cloud has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, cast

import anyio
import msgspec

from anabranch.errors import CloudError, NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.metrics import QuotasSpec
from anabranch.models import Quota
from anabranch.paging import ItemProblem, Page
from anabranch_openstack import convert
from anabranch_openstack.catalog import (
    BLOCK_STORAGE,
    COMPUTE,
    LOAD_BALANCER,
    NETWORK,
    Service,
)
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.replies import decoded
from anabranch_openstack.settings import OpenStackSettings
from anabranch_openstack.storage_quotas import block_storage_quotas

__all__ = ["Quotas"]


class _Limits(msgspec.Struct, frozen=True):
    absolute: dict[str, Any]


class _LimitsDocument(msgspec.Struct, frozen=True):
    limits: _Limits


class _QuotaDocument(msgspec.Struct, frozen=True):
    quota: dict[str, Any]


_LIMITS: Final = msgspec.json.Decoder(_LimitsDocument)
_QUOTA: Final = msgspec.json.Decoder(_QuotaDocument)

_NETWORK: Final = {
    "floatingip": "addresses",
    "network": "networks",
    "port": "network_interfaces",
    "router": "routers",
    "security_group": "firewalls",
    "security_group_rule": "firewall_rules",
    "subnet": "subnets",
}
_LOAD_BALANCER: Final = {
    "load_balancer": "load_balancers",
    "listener": "load_balancer_listeners",
    "member": "load_balancer_members",
    "pool": "load_balancer_pools",
}


class Quotas(QuotasSpec[OpenStackSettings]):
    """Quotas."""

    @hookimpl
    async def list_quotas(self, cloud: OpenStackCloud, cursor: str | None) -> Page[Quota]:
        """Ask all services at once; one that does not answer is a problem of the page.

        Raises:
            CloudError: none answered.
        """
        api = session(cloud)
        asked = [service for service in _QUOTAS if await api.offers(service)]
        told: dict[Service, Sequence[Quota]] = {}
        failures: dict[Service, CloudError] = {}

        async def ask(service: Service) -> None:
            try:
                told[service] = await _QUOTAS[service](api)
            except CloudError as exc:
                failures[service] = exc

        async with anyio.create_task_group() as tasks:
            for service in asked:
                tasks.start_soon(ask, service)
        if failures and not told:
            raise next(iter(failures.values()))
        return Page(
            [quota for service in asked for quota in told.get(service, ())],
            problems=[
                ItemProblem(message=f"quotas of {service.name} are not told: {exc}")
                for service, exc in failures.items()
            ],
        )


async def _compute(nova: Session) -> list[Quota]:
    reply = await nova.request(COMPUTE, "GET", "/limits")
    return convert.quotas(nova.cloud.name, decoded(reply, _LIMITS).limits.absolute)


async def _network(neutron: Session) -> list[Quota]:
    path = f"/quotas/{await _project(neutron)}"
    try:
        reply = await neutron.request(NETWORK, "GET", f"{path}/details.json")
    except NotFound:
        # Without the extension `quota_details` neutron tells no use.
        reply = await neutron.request(NETWORK, "GET", path)
    return _quotas(neutron.cloud.name, decoded(reply, _QUOTA).quota, _NETWORK)


async def _load_balancer(octavia: Session) -> list[Quota]:
    reply = await octavia.request(LOAD_BALANCER, "GET", f"/quotas/{await _project(octavia)}")
    return _quotas(octavia.cloud.name, decoded(reply, _QUOTA).quota, _LOAD_BALANCER)


_QUOTAS: Final[dict[Service, Callable[[Session], Awaitable[Sequence[Quota]]]]] = {
    COMPUTE: _compute,
    BLOCK_STORAGE: block_storage_quotas,
    NETWORK: _network,
    LOAD_BALANCER: _load_balancer,
}


async def _project(api: Session) -> str:
    project = (await api.access()).project
    return segment(project.id) if project else ""


def _quotas(cloud: str, told: dict[str, Any], names: dict[str, str]) -> list[Quota]:
    """Read limits, with or without use; -1 is no limit, and what is no number is left out."""
    found: list[Quota] = []
    for theirs, ours in names.items():
        limit, used = _entry(told.get(theirs))
        if limit is not None:
            found.append(
                Quota(
                    cloud=cloud,
                    id=ours,
                    name=ours,
                    limit=None if limit < 0 else limit,
                    used=used,
                )
            )
    return found


def _entry(told: object) -> tuple[int | None, int | None]:
    if isinstance(told, dict):
        entry = cast("dict[str, object]", told)
        limit, used = entry.get("limit"), entry.get("used")
    else:
        limit, used = told, None
    return limit if isinstance(limit, int) else None, used if isinstance(used, int) else None
