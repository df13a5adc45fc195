"""Instances: the platform's servers (VEs), containers and virtual machines alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from anabranch.errors import CloudError, DeadlineExceeded, InvalidState, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.instances import InstancesSpec
from anabranch.models import Instance
from anabranch.paging import Page
from anabranch.states import InstanceState
from anabranch_paci import convert, description, listing
from anabranch_paci.client import PaciCloud, Session, session
from anabranch_paci.hardware_profiles import Sizes, profile_of, sizes
from anabranch_paci.markup import Node
from anabranch_paci.servers import at_rest, find, interrupted, refused, show, switch
from anabranch_paci.settings import PaciSettings
from anabranch_paci.waiting import shown, watch

__all__ = ["Instances"]

_GOING: Final = frozenset({"DELETE_IN_PROGRESS", "DELETED"})


class Instances(InstancesSpec[PaciSettings]):
    """Servers: read, resize, tag, destroy."""

    @hookimpl
    @offers(Feature.REALM_FILTER)
    async def list_instances(
        self, cloud: PaciCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Instance]:
        paci = session(cloud)

        async def detail(info: Node) -> Sequence[Instance]:
            return (await show(paci, info.attributes["name"]),)

        def told(info: Node) -> Sequence[Instance]:
            return (convert.listed_instance(cloud.name, info),)

        subscription = where.get("realm_id", cloud.settings.subscription)
        return await listing.page(
            paci, listing.SERVERS, cursor, subscription=subscription, detail=detail, told=told
        )

    @hookimpl
    async def get_instance(self, cloud: PaciCloud, instance_id: str) -> Instance:
        return await show(session(cloud), instance_id)

    @hookimpl
    async def resize_instance(
        self, cloud: PaciCloud, instance_id: str, hardware_profile_id: str
    ) -> Instance:
        paci = session(cloud)
        wanted = sizes(profile_of(cloud, hardware_profile_id))
        before = await show(paci, instance_id)
        have = before.hardware
        changes: list[Node] = []
        if have is None or have.cpu != wanted.cpu:
            changes.append(Node("change-cpu", {"number": str(wanted.cpu)}))
        if have is None or have.memory_mib != wanted.memory_mib:
            changes.append(Node("ram-size", text=str(wanted.memory_mib)))
        if have is None or have.storage_gb != wanted.storage_gb:
            changes.append(Node("primary-disk-size", text=str(wanted.storage_gb)))
        if not changes:
            return before
        await _reconfigure(paci, instance_id, *changes)
        return await shown(partial(show, paci, instance_id), partial(_has, wanted))

    @hookimpl
    async def set_instance_tags(
        self, cloud: PaciCloud, instance_id: str, tags: Mapping[str, str]
    ) -> Instance:
        paci = session(cloud)
        before = description.parse((await find(paci, instance_id)).value("description"))
        text = description.compose(before.text, before.client_token, tags)
        await _reconfigure(paci, instance_id, Node("description", text=text))
        return msgspec.structs.replace(await show(paci, instance_id), tags=dict(tags))

    @hookimpl
    async def destroy_instance(self, cloud: PaciCloud, instance_id: str) -> None:
        # The platform deletes only what is at rest. What is not is stopped, and then deleted.
        paci = session(cloud)
        found = await _delete(paci, instance_id)
        if found is None:
            return
        try:
            await _come_to_rest(paci, found)
            found = await _delete(paci, instance_id)
            if found is not None:
                raise InvalidState(f"it is {found.platform_state} again")
        except NotFound:
            raise
        except CloudError as exc:
            text = f"{instance_id!r} was not destroyed, and may be stopped or stopping"
            raise interrupted(exc, text, "Destroy it again, or start it") from exc


async def _reconfigure(paci: Session, name: str, *changes: Node) -> None:
    await paci.act("PUT", "ve", name, body=Node("reconfigure-ve", children=changes))


def _has(wanted: Sizes, found: Instance) -> bool:
    have = found.hardware
    return have is not None and (have.cpu, have.memory_mib, have.storage_gb) == wanted


async def _delete(paci: Session, name: str) -> Instance | None:
    """Delete what is at rest; return what is not, and so was not deleted."""
    try:
        await paci.act("DELETE", "ve", name)
    except CloudError as exc:
        if not refused(exc):
            raise
        found = await show(paci, name)
        if found.platform_state.upper() in _GOING:
            return None
        if at_rest(found):
            raise
        return found
    return None


async def _come_to_rest(paci: Session, found: Instance) -> None:
    """Stop what runs. Cut short, it leaves it on its way, and it can be destroyed again."""
    if found.busy:
        found = await _until(paci, found, _steady)
    if found.state is InstanceState.RUNNING:
        await switch(paci, found.id, "stop")
        await _until(paci, found, at_rest)


async def _until(paci: Session, before: Instance, done: Callable[[Instance], bool]) -> Instance:
    """Wait until a server is so."""
    limit = paci.cloud.settings.stop_wait
    seen = await watch(partial(show, paci, before.id), done, limit)
    if seen.last is None or not seen.done:
        state = (seen.last or before).platform_state
        raise DeadlineExceeded(f"it is {state}, and only what is at rest can be destroyed")
    return seen.last


def _steady(found: Instance) -> bool:
    return not found.busy
