"""Instances: nova's servers."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from anabranch.cloud import Response
from anabranch.errors import CloudError, Conflict, InvalidRequest, OutcomeUnknown
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.instances import InstancesSpec
from anabranch.models import Authentication, Instance, InstanceSpec
from anabranch.paging import Page
from anabranch.redaction import SecretStr
from anabranch_openstack import convert, wire
from anabranch_openstack.catalog import COMPUTE
from anabranch_openstack.client import OpenStackCloud, Session, session
from anabranch_openstack.hardware_profiles import smallest
from anabranch_openstack.replies import decoded
from anabranch_openstack.servers import SERVER, server_path, show
from anabranch_openstack.settings import OpenStackSettings
from anabranch_openstack.states import view

__all__ = ["Instances"]

_MOST_USER_DATA: Final = 65535
_NETWORKS_BY_WORD: Final = (2, 37)

_CREATE: Final = (
    Feature.AUTHENTICATION_KEY,
    Feature.AUTHENTICATION_PASSWORD,
    Feature.CLIENT_TOKEN,
    Feature.FIREWALLS,
    Feature.NETWORKS,
    Feature.TAGS,
    Feature.USER_DATA,
    Feature.USER_NAME,
)
_LIMITS: Final = {
    Feature.TAGS: {"max_count": "127", "max_length": "255"},
    Feature.USER_DATA: {"max_bytes": str(_MOST_USER_DATA // 4 * 3)},
    Feature.USER_NAME: {"max_length": "255"},
}


class _Created(msgspec.Struct, frozen=True):
    id: str
    admin_pass: str | None = msgspec.field(default=None, name="adminPass")


class _CreatedOne(msgspec.Struct, frozen=True):
    server: _Created


class _CreatedSeveral(msgspec.Struct, frozen=True):
    reservation_id: str


_CREATED_ONE: Final = msgspec.json.Decoder(_CreatedOne)
_CREATED_SEVERAL: Final = msgspec.json.Decoder(_CreatedSeveral)


class Instances(InstancesSpec[OpenStackSettings]):
    """Servers: read, make, destroy, rename, tag."""

    @hookimpl
    @offers(Feature.REALM_FILTER)
    async def list_instances(
        self, cloud: OpenStackCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Instance]:
        realm_id = where.get("realm_id")

        def wanted(server: wire.Server, raw: msgspec.Raw) -> Instance | None:
            # Nova filters by zone for everybody from 2.83 on only, where it tells no flavor id.
            if realm_id is not None and server.zone != realm_id:
                return None
            return convert.instance(cloud.name, server, raw)

        return await session(cloud).page(
            COMPUTE,
            "/servers/detail",
            "servers",
            reader=SERVER,
            convert=wanted if realm_id else partial(convert.instance, cloud.name),
            cursor=cursor,
        )

    @hookimpl
    async def get_instance(self, cloud: OpenStackCloud, instance_id: str) -> Instance:
        return await show(session(cloud), instance_id)

    @hookimpl
    @offers(*_CREATE, constraints=_LIMITS)
    async def create_instance(self, cloud: OpenStackCloud, spec: InstanceSpec) -> Instance:
        nova = session(cloud)
        flavor = await _flavor(nova, spec)
        reply = await _create(nova, spec, _server(cloud, spec, flavor))
        made = decoded(reply, _CREATED_ONE).server
        access = await nova.access()
        state, platform_state, busy, actions = view("BUILD", "scheduling")
        password = SecretStr(made.admin_pass) if made.admin_pass else spec.password
        return Instance(
            cloud=cloud.name,
            id=made.id,
            name=_name(spec),
            state=state,
            platform_state=platform_state,
            busy=busy,
            actions=actions,
            owner_id=access.project.id if access.project else None,
            image_id=spec.image_id,
            realm_id=spec.realm_id,
            hardware_profile_id=flavor,
            key_id=spec.key_id,
            authentication=Authentication(key_id=spec.key_id, password=password),
            firewall_ids=spec.firewall_ids,
            tags=spec.tags,
            client_token=spec.client_token,
        )

    @hookimpl
    @offers(*_CREATE, constraints=_LIMITS)
    async def create_instances(
        self, cloud: OpenStackCloud, spec: InstanceSpec, count: int
    ) -> Sequence[Instance]:
        nova = session(cloud)
        server = {
            **_server(cloud, spec, await _flavor(nova, spec)),
            "min_count": count,
            "max_count": count,
            "return_reservation_id": True,
        }
        reply = await _create(nova, spec, server)
        reservation = decoded(reply, _CREATED_SEVERAL).reservation_id
        try:
            return await _reserved(nova, reservation)
        except CloudError as exc:
            raise OutcomeUnknown(
                f"nova accepted the request as {reservation}, but did not tell what it makes",
                request_id=exc.request_id,
            ) from exc

    @hookimpl
    async def rename_instance(self, cloud: OpenStackCloud, instance_id: str, name: str) -> Instance:
        nova = session(cloud)
        body = {"server": {"name": name}}
        await nova.request(COMPUTE, "PUT", server_path(instance_id), body=body)
        return await show(nova, instance_id)

    @hookimpl
    async def destroy_instance(self, cloud: OpenStackCloud, instance_id: str) -> None:
        await session(cloud).request(COMPUTE, "DELETE", server_path(instance_id))

    @hookimpl
    async def set_instance_tags(
        self, cloud: OpenStackCloud, instance_id: str, tags: Mapping[str, str]
    ) -> Instance:
        nova = session(cloud)
        before = await show(nova, instance_id)
        metadata = _metadata(tags, before.client_token)
        path = server_path(instance_id, "metadata")
        await nova.request(COMPUTE, "PUT", path, body={"metadata": metadata})
        return msgspec.structs.replace(before, tags=dict(tags))


async def _create(nova: Session, spec: InstanceSpec, server: dict[str, Any]) -> Response:
    microversion = None
    if isinstance(server.get("networks"), str):
        microversion = await nova.microversion(_NETWORKS_BY_WORD, _NETWORKS_BY_WORD)
    hide = [server.get("user_data", "")]
    if spec.password:
        hide.append(spec.password.get_secret_value())
    try:
        return await nova.request(
            COMPUTE,
            "POST",
            "/servers",
            body={"server": server},
            microversion=microversion,
            hide=hide,
        )
    except Conflict as exc:
        if "multiple possible networks" not in exc.message.lower():
            raise
        raise InvalidRequest(
            "the project has several networks, and none is chosen",
            provider_code=exc.provider_code,
            request_id=exc.request_id,
            remedy="Name network_ids, or set default_network for the cloud",
        ) from exc


async def _reserved(nova: Session, reservation: str) -> list[Instance]:
    return await nova.every(
        COMPUTE,
        "/servers/detail",
        "servers",
        reader=SERVER,
        convert=partial(convert.instance, nova.cloud.name),
        params={"reservation_id": reservation},
    )


async def _flavor(nova: Session, spec: InstanceSpec) -> str:
    configured = spec.hardware_profile_id or nova.cloud.settings.default_hardware_profile
    return configured or await smallest(nova)


def _name(spec: InstanceSpec) -> str:
    """Nova wants a name."""
    return spec.name or f"anabranch-{(spec.client_token or spec.image_id)[:8]}"


def _metadata(tags: Mapping[str, str], client_token: str | None) -> dict[str, str]:
    for name in tags:
        if name.startswith(convert.OWN_PREFIX):
            raise InvalidRequest(f"the tag {name!r} begins like the driver's own ones")
    return {**tags, **({convert.CLIENT_TOKEN: client_token} if client_token else {})}


def _networks(cloud: OpenStackCloud, spec: InstanceSpec) -> object:
    if spec.network_ids:
        return [{"uuid": ident} for ident in spec.network_ids]
    default = cloud.settings.default_network
    return default if default in ("auto", "none", None) else [{"uuid": default}]


def _server(cloud: OpenStackCloud, spec: InstanceSpec, flavor: str) -> dict[str, Any]:
    user_data = base64.b64encode(spec.user_data).decode() if spec.user_data else None
    if user_data and len(user_data) > _MOST_USER_DATA:
        raise InvalidRequest(f"user_data is longer than {_MOST_USER_DATA // 4 * 3} bytes")
    server = {
        "name": _name(spec),
        "imageRef": spec.image_id,
        "flavorRef": flavor,
        "availability_zone": spec.realm_id,
        "key_name": spec.key_id,
        "adminPass": spec.password.get_secret_value() if spec.password else None,
        "user_data": user_data,
        "security_groups": [{"name": ident} for ident in spec.firewall_ids],
        "networks": _networks(cloud, spec),
        "metadata": _metadata(spec.tags, spec.client_token),
    }
    return {name: value for name, value in server.items() if value}
