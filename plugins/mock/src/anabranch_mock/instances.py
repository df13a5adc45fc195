"""Instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from secrets import token_urlsafe

import msgspec

from anabranch.errors import InvalidRequest
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.instances import InstancesSpec
from anabranch.models import Console, ConsoleKind, Instance, InstanceSpec
from anabranch.paging import Page
from anabranch.redaction import SecretStr
from anabranch.states import InstanceAction, InstanceState
from anabranch_mock.addresses import disassociate
from anabranch_mock.calls import call, listing
from anabranch_mock.launching import MOST_DATA, launch
from anabranch_mock.machines import fit
from anabranch_mock.network_interfaces import disconnect
from anabranch_mock.settings import MockSettings
from anabranch_mock.states import in_state, move, require
from anabranch_mock.storage_volumes import detach
from anabranch_mock.store import MockCloud, MockStore, now
from anabranch_mock.text import NAME_LENGTH, TAG_COUNT, check_name, check_tags

__all__ = ["Instances"]

_offers_of_create = offers(
    Feature.ATTACH_SNAPSHOT,
    Feature.AUTHENTICATION_KEY,
    Feature.AUTHENTICATION_PASSWORD,
    Feature.CLIENT_TOKEN,
    Feature.FIREWALLS,
    Feature.HARDWARE_PROFILES,
    Feature.METRICS,
    Feature.NETWORKS,
    Feature.REGISTER_TO_LOAD_BALANCER,
    Feature.SANDBOXING,
    Feature.TAGS,
    Feature.USER_DATA,
    Feature.USER_FILES,
    Feature.USER_ISO,
    Feature.USER_NAME,
    constraints={
        Feature.TAGS: {"max_count": str(TAG_COUNT)},
        Feature.USER_DATA: {"max_bytes": str(MOST_DATA)},
        Feature.USER_FILES: {"max_bytes": str(MOST_DATA)},
        Feature.USER_ISO: {"max_bytes": str(MOST_DATA)},
        Feature.USER_NAME: {"max_length": str(NAME_LENGTH)},
    },
)


class Instances(InstancesSpec[MockSettings]):
    """The hooks of the instances."""

    @hookimpl
    @offers(Feature.REALM_FILTER)
    async def list_instances(
        self, cloud: MockCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Instance]:
        realm_id = where.get("realm_id")

        def keep(instance: Instance) -> bool:
            return realm_id in (None, instance.realm_id)

        return await listing(
            cloud, "list_instances", lambda store: store.page(store.instances, cursor, keep)
        )

    @hookimpl
    async def get_instance(self, cloud: MockCloud, instance_id: str) -> Instance:
        return await call(cloud, "get_instance", lambda store: store.instances.get(instance_id))

    @hookimpl
    @_offers_of_create
    async def create_instance(self, cloud: MockCloud, spec: InstanceSpec) -> Instance:
        return await call(cloud, "create_instance", lambda store: launch(store, spec)[0])

    @hookimpl
    @_offers_of_create
    async def create_instances(
        self, cloud: MockCloud, spec: InstanceSpec, count: int
    ) -> Sequence[Instance]:
        return await call(cloud, "create_instances", lambda store: launch(store, spec, count))

    @hookimpl
    async def start_instance(self, cloud: MockCloud, instance_id: str) -> Instance:
        return await call(cloud, "start_instance", lambda store: _start(store, instance_id))

    @hookimpl
    async def stop_instance(self, cloud: MockCloud, instance_id: str) -> Instance:
        return await call(cloud, "stop_instance", lambda store: _stop(store, instance_id))

    @hookimpl
    @offers(Feature.HARD_REBOOT)
    async def reboot_instance(self, cloud: MockCloud, instance_id: str, hard: bool) -> Instance:
        return await call(cloud, "reboot_instance", lambda store: _reboot(store, instance_id, hard))

    @hookimpl
    async def rename_instance(self, cloud: MockCloud, instance_id: str, name: str) -> Instance:
        return await call(cloud, "rename_instance", lambda store: _rename(store, instance_id, name))

    @hookimpl
    async def resize_instance(
        self, cloud: MockCloud, instance_id: str, hardware_profile_id: str
    ) -> Instance:
        return await call(
            cloud,
            "resize_instance",
            lambda store: _resize(store, instance_id, hardware_profile_id),
        )

    @hookimpl
    async def destroy_instance(self, cloud: MockCloud, instance_id: str) -> None:
        await call(cloud, "destroy_instance", lambda store: _destroy(store, instance_id))

    @hookimpl
    async def get_instance_console(
        self, cloud: MockCloud, instance_id: str, kind: ConsoleKind | None
    ) -> Console:
        return await call(
            cloud, "get_instance_console", lambda store: _console(store, instance_id, kind)
        )

    @hookimpl
    async def set_instance_tags(
        self, cloud: MockCloud, instance_id: str, tags: Mapping[str, str]
    ) -> Instance:
        return await call(
            cloud, "set_instance_tags", lambda store: _set_tags(store, instance_id, tags)
        )


def _start(store: MockStore, instance_id: str) -> Instance:
    instance = store.instances.get(instance_id)
    if instance.state in (InstanceState.RUNNING, InstanceState.PENDING):
        return instance  # it runs, or is about to
    require(instance, InstanceAction.START)
    delay = store.settings.delays.pending
    return move(store, instance, InstanceState.PENDING, delay, InstanceState.RUNNING)


def _stop(store: MockStore, instance_id: str) -> Instance:
    instance = store.instances.get(instance_id)
    if instance.state in (InstanceState.STOPPED, InstanceState.STOPPING):
        return instance  # it is off, or is about to be
    require(instance, InstanceAction.STOP)
    delay = store.settings.delays.stopping
    return move(store, instance, InstanceState.STOPPING, delay, InstanceState.STOPPED)


def _reboot(store: MockStore, instance_id: str, hard: bool) -> Instance:
    instance = store.instances.get(instance_id)
    require(instance, InstanceAction.REBOOT)
    # Asking its system takes time; cutting its power does not.
    delay = 0.0 if hard else store.settings.delays.pending
    return move(store, instance, InstanceState.PENDING, delay, InstanceState.RUNNING)


def _rename(store: MockStore, instance_id: str, name: str) -> Instance:
    instance = store.instances.get(instance_id)
    check_name(name, required=True)
    return store.instances.put(msgspec.structs.replace(instance, name=name))


def _resize(store: MockStore, instance_id: str, hardware_profile_id: str) -> Instance:
    instance = store.instances.get(instance_id)
    profile = store.hardware_profiles.get(hardware_profile_id)
    require(instance, InstanceAction.RESIZE)
    resized = msgspec.structs.replace(
        instance, hardware_profile_id=profile.id, hardware=fit(profile)
    )
    if instance.state is InstanceState.STOPPED:
        return store.instances.put(resized)
    delay = store.settings.delays.pending
    return move(store, resized, InstanceState.PENDING, delay, InstanceState.RUNNING)


def _destroy(store: MockStore, instance_id: str) -> None:
    instance = store.instances.get(instance_id)
    if instance.state is InstanceState.FINISH:
        return  # it is about to be gone
    require(instance, InstanceAction.DESTROY)
    for volume in instance.storage_volumes:
        detach(store, volume.storage_volume_id)
    for interface_id in instance.network_interface_ids:
        disconnect(store, interface_id)
    for address in list(store.addresses):
        if address.instance_id == instance_id:
            disassociate(store, address.id)
    for balancer in list(store.load_balancers):
        rest = tuple(i for i in balancer.instance_ids if i != instance_id)
        store.load_balancers.put(msgspec.structs.replace(balancer, instance_ids=rest))
    store.instances.put(in_state(store.instances.get(instance_id), InstanceState.FINISH))
    store.later(store.settings.delays.finish, lambda: store.instances.remove(instance_id))


def _console(store: MockStore, instance_id: str, kind: ConsoleKind | None) -> Console:
    instance = store.instances.get(instance_id)
    require(instance, InstanceAction.CONSOLE)
    expires_at = now() + timedelta(minutes=10)
    match kind or ConsoleKind.NOVNC:
        case ConsoleKind.TEXT:
            text = f"mock 1.0 (tty1)\n\n{instance.name} login: "
            return Console(kind=ConsoleKind.TEXT, text=text)
        case ConsoleKind.NOVNC:
            url = f"https://console.mock.example/{instance_id}?token={token_urlsafe()}"
            return Console(kind=ConsoleKind.NOVNC, url=SecretStr(url), expires_at=expires_at)
        case ConsoleKind.VNC:
            url = f"vnc://console.mock.example:5900/{instance_id}"
            password = SecretStr(token_urlsafe(6))
            return Console(
                kind=ConsoleKind.VNC, url=SecretStr(url), password=password, expires_at=expires_at
            )
        case other:
            raise InvalidRequest(
                f"kind: there is no {other} console", remedy="There are novnc, vnc and text"
            )


def _set_tags(store: MockStore, instance_id: str, tags: Mapping[str, str]) -> Instance:
    instance = store.instances.get(instance_id)
    check_tags(tags)
    return store.instances.put(msgspec.structs.replace(instance, tags=dict(tags)))
