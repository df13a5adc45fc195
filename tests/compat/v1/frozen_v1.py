"""A driver written for version 1 of the contract, and frozen: nobody edits this file, ever.

It is what a third party may have published the day that version 1 came out, and it must work with
every core of API version 1. It uses what a driver is given: settings with a nested group and a
secret, tokens, an object for each cloud, HTTP, pages with cursors and problems, features, filters,
narrow errors, `check`, `probe` and `discover`; and it leaves out parameters that it has no use for.
"""

# No later way of formatting is a reason to edit it either.
# fmt: off

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from anabranch.cloud import Cloud, Token
from anabranch.errors import (
    ConfigurationError,
    InvalidState,
    NotFound,
    ProtocolError,
    QuotaExceeded,
    error_class,
)
from anabranch.features import Feature, offers
from anabranch.hooks import CloudIdentity, DiscoveredCloud, DriverSpec, Lacks, hookimpl
from anabranch.models import (
    Authentication,
    Console,
    ConsoleKind,
    Extra,
    Hardware,
    Image,
    Instance,
    InstanceSpec,
    Key,
    KeySpec,
    NetworkAddress,
    NetworkAddressKind,
    Realm,
)
from anabranch.paging import ItemProblem, Page
from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings
from anabranch.states import InstanceAction, InstanceState, StateMachine


class Login(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user: str
    password: SecretStr


class FrozenSettings(CloudSettings, frozen=True, kw_only=True):
    url: Annotated[str, Meta(description="URL of the API", pattern="^https?://")]
    login: Annotated[Login, Meta(description="Who one is")]
    page_size: Annotated[int, Meta(ge=1, le=100, description="Items of a page")] = 2


FrozenCloud = Cloud[FrozenSettings]

STATES = StateMachine(
    ("START", "create", "PENDING"),
    ("PENDING", None, "RUNNING"),
    ("RUNNING", "stop", "STOPPED"),
    ("RUNNING", "reboot", "RUNNING"),
    ("RUNNING", "destroy", "FINISH"),
    ("STOPPED", "start", "RUNNING"),
    ("STOPPED", "destroy", "FINISH"),
)
WORDS = {"on": InstanceState.RUNNING, "off": InstanceState.STOPPED, "new": InstanceState.PENDING}


class Session:
    """What is kept of one cloud: how often it logged in."""

    def __init__(self, cloud: FrozenCloud) -> None:
        self.cloud, self.logins = cloud, 0

    async def login(self) -> Token:
        self.logins += 1
        login = self.cloud.settings.login
        content = msgspec.json.encode(
            {"user": login.user, "password": login.password.get_secret_value()}
        )
        reply = await self.cloud.http.request(
            "POST", f"{self.cloud.settings.url}/login", content=content, idempotent=True
        )
        if reply.status >= 400:
            raise error_class(reply.status)(f"login: {reply.text}", provider_code=reply.status)
        document = msgspec.json.decode(reply.content)
        return Token(value=SecretStr(document["token"]), lifetime=600.0, data=document["roles"])

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        idempotent: bool | None = None,
    ) -> Any:
        key = "login"
        for last in (False, True):
            token = await self.cloud.tokens.get(key, self.login)
            reply = await self.cloud.http.request(
                method,
                f"{self.cloud.settings.url}{path}",
                headers={"x-token": token.value.get_secret_value()},
                params=params,
                content=None if body is None else msgspec.json.encode(body),
                idempotent=idempotent,
                timeout=self.cloud.settings.request_timeout,
            )
            if reply.status != 401 or last:
                break
            self.cloud.tokens.discard(key, token)
        if reply.status >= 400:
            raise self._error(reply.status, reply.content, reply.headers.get("x-request-id"))
        try:
            return msgspec.json.decode(reply.content) if reply.content else None
        except msgspec.DecodeError as exc:
            raise ProtocolError("that is no JSON") from exc

    def _error(self, status: int, content: bytes, request_id: str | None) -> Exception:
        try:
            document = msgspec.json.decode(content)
        except msgspec.DecodeError:
            return error_class(status)(f"status {status}", provider_code=status)
        kinds = {"quota": QuotaExceeded, "state": InvalidState}
        return kinds.get(document["code"], error_class(status))(
            document["message"],
            provider_code=document["code"],
            request_id=request_id,
            remedy=document.get("remedy", ""),
        )


class FrozenDriver(DriverSpec[FrozenSettings]):
    api_version = 1
    title = "Frozen"
    settings_type = FrozenSettings
    instance_states = STATES

    def configure(
        self, cloud: str, entry: Mapping[str, Any], environment: Mapping[str, str]
    ) -> FrozenSettings:
        if "url" not in entry and "FROZEN_URL" in environment:
            entry = {**entry, "url": environment["FROZEN_URL"]}
        settings = super().configure(cloud, entry, environment)
        if settings.url.endswith("/"):
            raise ConfigurationError(
                "ends in a slash", cloud=cloud, field="url", remedy="Leave it out"
            )
        return settings

    @hookimpl
    async def discover(self, environment: Mapping[str, str]) -> list[DiscoveredCloud]:
        if "FROZEN_URL" not in environment:
            return []
        entry = {"driver": "frozen", "url": environment["FROZEN_URL"]}
        return [DiscoveredCloud(name="frozen", entry=entry, source="FROZEN_URL")]

    @hookimpl
    async def check(self, cloud: FrozenCloud) -> CloudIdentity:
        document = await cloud.local(Session).ask("GET", "/me")
        return CloudIdentity(
            account=document["name"], endpoint=cloud.settings.url, version=document["version"]
        )

    @hookimpl
    async def probe(self, cloud: FrozenCloud) -> Lacks:
        lacks = await cloud.local(Session).ask("GET", "/lacks")
        return Lacks(
            operations=lacks["operations"],
            features={
                ("create_instance", Feature(name)): reason
                for name, reason in lacks["features"].items()
            },
        )

    @hookimpl
    async def list_realms(self, cloud: FrozenCloud) -> Page[Realm]:
        return Page([Realm(cloud=cloud.name, id="only", name="Only", region="here")])

    @hookimpl
    @offers(Feature.ARCHITECTURE_FILTER)
    async def list_images(
        self, cloud: FrozenCloud, cursor: str | None, where: Mapping[str, str]
    ) -> Page[Image]:
        params = {"after": cursor or "", **where}
        found = await cloud.local(Session).ask("GET", "/images", params=params)
        return Page([_image(cloud.name, item) for item in found["items"]], found["next"])

    @hookimpl
    async def get_image(self, cloud: FrozenCloud, image_id: str) -> Image:
        return _image(cloud.name, await cloud.local(Session).ask("GET", f"/images/{image_id}"))

    @hookimpl
    async def list_instances(self, cloud: FrozenCloud, cursor: str | None) -> Page[Instance]:
        params = {"after": cursor or "", "limit": str(cloud.settings.page_size)}
        found = await cloud.local(Session).ask("GET", "/vms", params=params)
        items: list[Instance] = []
        problems: list[ItemProblem] = []
        for item in found["items"]:
            try:
                items.append(_instance(cloud.name, item))
            except (KeyError, ValueError) as exc:
                problems.append(ItemProblem(id=str(item.get("id", "")), message=repr(exc)))
        return Page(items, found["next"], problems)

    @hookimpl
    async def get_instance(self, cloud: FrozenCloud, instance_id: str) -> Instance:
        return await self._act(cloud, "GET", instance_id)

    @hookimpl
    @offers(
        Feature.USER_NAME,
        Feature.AUTHENTICATION_KEY,
        Feature.USER_DATA,
        Feature.TAGS,
        Feature.CLIENT_TOKEN,
        constraints={Feature.USER_NAME: {"max_length": "20"}},
    )
    async def create_instance(self, cloud: FrozenCloud, spec: InstanceSpec) -> Instance:
        body: dict[str, object] = {
            "image": spec.image_id,
            "realm": spec.realm_id,
            "size": spec.hardware_profile_id,
            "name": spec.name or "",
            "key": spec.key_id,
            "data": (spec.user_data or b"").decode(),
            "tags": dict(spec.tags),
            "token": spec.client_token,
        }
        document = await cloud.local(Session).ask("POST", "/vms", body=body)
        made = _instance(cloud.name, document)
        authentication = Authentication(
            key_id=spec.key_id, username="root", password=SecretStr(document["password"])
        )
        return msgspec.structs.replace(made, authentication=authentication)

    @hookimpl
    async def start_instance(self, cloud: FrozenCloud, instance_id: str) -> Instance:
        return await self._act(cloud, "POST", instance_id, "/start")

    @hookimpl
    async def stop_instance(self, cloud: FrozenCloud, instance_id: str) -> Instance:
        return await self._act(cloud, "POST", instance_id, "/stop")

    @hookimpl
    async def reboot_instance(self, cloud: FrozenCloud, instance_id: str) -> Instance:
        return await self._act(cloud, "POST", instance_id, "/reboot")

    @hookimpl
    async def destroy_instance(self, cloud: FrozenCloud, instance_id: str) -> None:
        path = f"/vms/{instance_id}"
        await cloud.local(Session).ask("DELETE", path, idempotent=True)

    @hookimpl
    async def get_instance_console(self, cloud: FrozenCloud, instance_id: str) -> Console:
        document = await cloud.local(Session).ask("GET", f"/vms/{instance_id}/console")
        return Console(
            kind=ConsoleKind.NOVNC,
            url=SecretStr(document["url"]),
            expires_at=datetime.fromtimestamp(document["until"], UTC),
        )

    @hookimpl
    async def list_keys(self, cloud: FrozenCloud, cursor: str | None) -> Page[Key]:
        found = await cloud.local(Session).ask("GET", "/keys")
        return Page([Key(cloud=cloud.name, id=name, name=name) for name in found["items"]])

    @hookimpl
    async def get_key(self, cloud: FrozenCloud, key_id: str) -> Key:
        page = await self.list_keys(cloud, None)
        for key in page.items:
            if key.id == key_id:
                return key
        raise NotFound(f"there is no key {key_id!r}")

    @hookimpl
    async def create_key(self, cloud: FrozenCloud, spec: KeySpec) -> Key:
        made = await cloud.local(Session).ask("POST", "/keys", body={"name": spec.name})
        secret = SecretStr(made["private"])
        return Key(cloud=cloud.name, id=spec.name, name=spec.name, private_key=secret)

    @hookimpl
    async def destroy_key(self, cloud: FrozenCloud, key_id: str) -> None:
        await cloud.local(Session).ask("DELETE", f"/keys/{key_id}", idempotent=True)

    async def _act(
        self, cloud: FrozenCloud, method: str, instance_id: str, action: str = ""
    ) -> Instance:
        path = f"/vms/{instance_id}{action}"
        document = await cloud.local(Session).ask(method, path, idempotent=True)
        return _instance(cloud.name, document)


def _image(cloud: str, item: Mapping[str, Any]) -> Image:
    return Image(
        cloud=cloud,
        id=item["id"],
        name=item["id"],
        architecture=item["architecture"],
        created_at=datetime.fromtimestamp(item["made"], UTC),
        extra=Extra(lambda: item, frozenset({"id"})),
    )


def _instance(cloud: str, item: Mapping[str, Any]) -> Instance:
    state = WORDS.get(item["state"], InstanceState.UNKNOWN)
    return Instance(
        cloud=cloud,
        id=item["id"],
        name=item["name"],
        state=state,
        platform_state=item["state"],
        busy=item["state"] == "new",
        actions=tuple(a for a in STATES.actions(state) if a is not InstanceAction.RENAME),
        image_id=item["image"],
        realm_id="only",
        hardware=Hardware(cpu=1, memory_mib=512, architecture="x86_64"),
        public_addresses=(NetworkAddress(item["ip"], NetworkAddressKind.IPV4),),
        key_id=item.get("key"),
        tags=item.get("tags", {}),
        client_token=item.get("token"),
    )


driver = FrozenDriver()
