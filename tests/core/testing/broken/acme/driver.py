"""The driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from anabranch.features import Feature, offers
from anabranch.hooks import CloudIdentity, DriverSpec, hookimpl
from anabranch.models import HardwareProfile, Image, Instance, InstanceSpec, Key, KeySpec
from anabranch.paging import Page
from anabranch.redaction import SecretStr
from anabranch.settings import check_login, check_provider_url

from . import convert, wire
from .client import AcmeCloud, Client, segment
from .settings import AcmeSettings

__all__ = ["AcmeDriver", "driver"]

_MACHINES: Final = "/v1/machines"


class AcmeDriver(DriverSpec[AcmeSettings]):
    """Acme, by its REST API."""

    title = "Acme"
    settings_type = AcmeSettings
    instance_states = convert.STATES
    client_type: ClassVar[type[Client]] = Client

    def account(self, provider: str, user: str, password: SecretStr) -> Mapping[str, Any]:
        check_provider_url(provider, "http://HOST")
        check_login(user, password)
        return {"url": provider, "user": user, "password": password}

    def client(self, cloud: AcmeCloud) -> Client:
        return cloud.local(self.client_type)

    @hookimpl
    async def check(self, cloud: AcmeCloud) -> CloudIdentity:
        await self.client(cloud).token()
        return CloudIdentity(account=cloud.settings.user, endpoint=cloud.settings.url)

    @hookimpl
    async def list_images(
        self, cloud: AcmeCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Image]:
        return await self.client(cloud).page("/v1/images", cursor, wire.Image, convert.image)

    @hookimpl
    async def get_image(self, cloud: AcmeCloud, image_id: str) -> Image:
        path = f"/v1/images/{segment(image_id)}"
        return await self.client(cloud).one("GET", path, wire.Image, convert.image)

    @hookimpl
    async def list_hardware_profiles(
        self, cloud: AcmeCloud, cursor: str | None
    ) -> Page[HardwareProfile]:
        client = self.client(cloud)
        return await client.page("/v1/sizes", cursor, wire.Size, convert.hardware_profile)

    @hookimpl
    async def list_keys(self, cloud: AcmeCloud, cursor: str | None) -> Page[Key]:
        return await self.client(cloud).page("/v1/keys", cursor, wire.Key, convert.key)

    @hookimpl
    async def get_key(self, cloud: AcmeCloud, key_id: str) -> Key:
        path = f"/v1/keys/{segment(key_id)}"
        return await self.client(cloud).one("GET", path, wire.Key, convert.key)

    @hookimpl
    @offers(Feature.IMPORT_KEY)
    async def create_key(self, cloud: AcmeCloud, spec: KeySpec) -> Key:
        body = {"id": spec.name, "public": spec.public_key}
        client = self.client(cloud)
        return await client.one("POST", "/v1/keys", wire.Key, convert.key, body=body)

    @hookimpl
    async def destroy_key(self, cloud: AcmeCloud, key_id: str) -> None:
        path = f"/v1/keys/{segment(key_id)}"
        await self.client(cloud).request("DELETE", path, idempotent=True)

    @hookimpl
    async def list_instances(
        self, cloud: AcmeCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Instance]:
        return await self.client(cloud).page(_MACHINES, cursor, wire.Machine, convert.instance)

    @hookimpl
    async def get_instance(self, cloud: AcmeCloud, instance_id: str) -> Instance:
        path = f"{_MACHINES}/{segment(instance_id)}"
        return await self.client(cloud).one("GET", path, wire.Machine, convert.instance)

    @hookimpl
    @offers(Feature.USER_NAME, Feature.AUTHENTICATION_KEY, Feature.CLIENT_TOKEN)
    async def create_instance(self, cloud: AcmeCloud, spec: InstanceSpec) -> Instance:
        body = {
            "name": spec.name,
            "image": spec.image_id,
            "size": spec.hardware_profile_id,
            "key": spec.key_id,
            "token": spec.client_token,
        }
        client = self.client(cloud)
        return await client.one("POST", _MACHINES, wire.Machine, convert.instance, body=body)

    @hookimpl
    async def start_instance(self, cloud: AcmeCloud, instance_id: str) -> Instance:
        return await self._act(cloud, instance_id, "start")

    @hookimpl
    async def stop_instance(self, cloud: AcmeCloud, instance_id: str) -> Instance:
        return await self._act(cloud, instance_id, "stop")

    @hookimpl
    async def destroy_instance(self, cloud: AcmeCloud, instance_id: str) -> None:
        path = f"{_MACHINES}/{segment(instance_id)}"
        await self.client(cloud).request("DELETE", path, idempotent=True)

    async def _act(self, cloud: AcmeCloud, instance_id: str, action: str) -> Instance:
        path = f"{_MACHINES}/{segment(instance_id)}/{action}"
        client = self.client(cloud)
        return await client.one("POST", path, wire.Machine, convert.instance, idempotent=True)


driver: Final = AcmeDriver()
