"""Load balancers: the platform's appliances for HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from anabranch.errors import CloudError, InvalidRequest, NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.load_balancers import LoadBalancersSpec
from anabranch.models import LoadBalancer, LoadBalancerSpec
from anabranch.paging import Page
from anabranch_paci import convert, listing
from anabranch_paci.client import PaciCloud, Session, session
from anabranch_paci.markup import Node
from anabranch_paci.servers import refused
from anabranch_paci.settings import PaciSettings
from anabranch_paci.waiting import shown

__all__ = ["LoadBalancers"]

_PATH: Final = "load-balancer"
_CREATE: Final = "create"


class LoadBalancers(LoadBalancersSpec[PaciSettings]):
    """Load balancers. Their id is their name."""

    @hookimpl
    async def list_load_balancers(self, cloud: PaciCloud, cursor: str | None) -> Page[LoadBalancer]:
        paci = session(cloud)

        async def detail(info: Node) -> Sequence[LoadBalancer]:
            return (await _show(paci, info.attributes["name"]),)

        def told(info: Node) -> Sequence[LoadBalancer]:
            return (convert.listed_load_balancer(cloud.name, info),)

        return await listing.page(
            paci,
            listing.LOAD_BALANCERS,
            cursor,
            subscription=cloud.settings.subscription,
            detail=detail,
            told=told,
        )

    @hookimpl
    async def get_load_balancer(self, cloud: PaciCloud, load_balancer_id: str) -> LoadBalancer:
        return await _show(session(cloud), load_balancer_id)

    @hookimpl
    async def create_load_balancer(self, cloud: PaciCloud, spec: LoadBalancerSpec) -> LoadBalancer:
        if spec.listeners != convert.LISTENERS:
            raise InvalidRequest(
                "a load balancer of PACI is for HTTP, and nothing of that can be set",
                remedy="Ask for one listener: HTTP, from port 80 to port 80",
            )
        if spec.name == _CREATE:
            raise InvalidRequest(f"a load balancer called {_CREATE!r} could never get an instance")
        paci = session(cloud)
        owner = spec.realm_id or cloud.settings.subscription
        path = (owner, _CREATE, spec.name) if owner else (_CREATE, spec.name)
        try:
            await paci.make(_PATH, *path)
        except NotFound as exc:
            raise InvalidRequest(exc.message) from exc
        try:
            return await _show(paci, spec.name)
        except CloudError as exc:
            # It is made all the same.
            cloud.log.info("paci.load_balancer.unseen", name=spec.name, error=str(exc))
            return LoadBalancer(
                cloud=cloud.name,
                id=spec.name,
                name=spec.name,
                realm_id=owner,
                listeners=convert.LISTENERS,
            )

    @hookimpl
    async def destroy_load_balancer(self, cloud: PaciCloud, load_balancer_id: str) -> None:
        await session(cloud).act("DELETE", _PATH, load_balancer_id)

    @hookimpl
    async def register_instance(
        self, cloud: PaciCloud, load_balancer_id: str, instance_id: str
    ) -> LoadBalancer:
        if load_balancer_id == _CREATE:
            # POST /load-balancer/create/X makes a load balancer X.
            raise NotFound(f"there can be no load balancer {_CREATE!r} that takes instances")
        paci = session(cloud)
        try:
            await paci.act("POST", _PATH, load_balancer_id, instance_id, idempotent=True)
        except CloudError as exc:
            if not refused(exc):
                raise
            found = await _show(paci, load_balancer_id)
            if instance_id not in found.instance_ids:
                raise
            return found
        return await shown(
            partial(_show, paci, load_balancer_id), lambda lb: instance_id in lb.instance_ids
        )

    @hookimpl
    async def unregister_instance(
        self, cloud: PaciCloud, load_balancer_id: str, instance_id: str
    ) -> LoadBalancer:
        paci = session(cloud)
        try:
            await paci.act("DELETE", _PATH, load_balancer_id, instance_id)
        except CloudError as exc:
            if not (refused(exc) or isinstance(exc, NotFound)):
                raise
            found = await _show(paci, load_balancer_id)
            if instance_id in found.instance_ids:
                raise
            return found
        return await shown(
            partial(_show, paci, load_balancer_id), lambda lb: instance_id not in lb.instance_ids
        )


async def _show(paci: Session, name: str) -> LoadBalancer:
    found, content = await paci.get(_PATH, name, roots=("load-balancer",))
    return convert.load_balancer(paci.cloud.name, name, found, content)
