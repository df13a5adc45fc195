"""Instances: making them, of OS templates and of images, and starting what was made."""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

import anyio
import msgspec

from anabranch.errors import CloudError, InvalidRequest, NotFound, OutcomeUnknown
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.instances import InstancesSpec
from anabranch.models import Authentication, Instance, InstanceSpec
from anabranch.redaction import SecretStr
from anabranch_paci import description
from anabranch_paci.client import PaciCloud, Session, session
from anabranch_paci.hardware_profiles import profile_of, sizes
from anabranch_paci.images import Kind, kind_and_name, template
from anabranch_paci.markup import Node
from anabranch_paci.servers import show, switch
from anabranch_paci.settings import PaciSettings
from anabranch_paci.states import MADE, view
from anabranch_paci.waiting import time_left, watch

__all__ = ["InstanceCreation"]

_OF_ITS_OWN: Final = "anabranch-"
"""What the names begin with that are given to servers without one."""
_LOOKS: Final = (0.0, 0.5)
"""Pauses before each look for a server whose create was not answered, seconds."""
_TEMPLATES_ONLY: Final = ("hardware_profile_id", "hardware", "password", "tags")


class InstanceCreation(InstancesSpec[PaciSettings]):
    """Servers: create.

    The platform leaves a new server stopped (CREATED). It is started as soon as it is there, if
    that is before `create_wait` and before the caller's deadline; otherwise, and when the start
    is refused, it is returned as it is: its state says that it was not started.
    """

    @hookimpl
    @offers(
        Feature.AUTHENTICATION_PASSWORD,
        Feature.CLIENT_TOKEN,
        Feature.HARDWARE_PROFILES,
        Feature.TAGS,
        Feature.USER_NAME,
        constraints={Feature.TAGS: {"max_length": f"{description.LONGEST} in all, encoded"}},
    )
    async def create_instance(self, cloud: PaciCloud, spec: InstanceSpec) -> Instance:
        paci = session(cloud)
        name = spec.name or _made_up(spec.client_token)
        try:
            paci.url((name,))
        except NotFound as exc:
            raise InvalidRequest(f"the name cannot be had: {exc.message}") from None
        try:
            login = await _made(paci, name, spec)
        except OutcomeUnknown as exc:
            if not await _made_all_the_same(paci, name, spec):
                exc.message = f"{exc.message}; the server would be called {name!r}"
                raise
            login = Authentication(password=spec.password)
        return msgspec.structs.replace(await _booted(paci, name, spec), authentication=login)


def _made_up(client_token: str | None) -> str:
    """Return a name that nobody else has, for one token always the same."""
    unique = (client_token or uuid.uuid4().hex).encode("utf-8", "replace")
    return f"{_OF_ITS_OWN}{hashlib.sha256(unique).hexdigest()[:16]}"


async def _made(paci: Session, name: str, spec: InstanceSpec) -> Authentication:
    """Make a server, and return how to log in."""
    try:
        kind, source = kind_and_name(spec.image_id)
        of = _of_template if kind is Kind.TEMPLATE else _of_image
        return await of(paci, name, source, spec)
    except NotFound as exc:  # of what the server is to be made of
        raise InvalidRequest(exc.message, remedy=exc.remedy) from exc


async def _of_template(paci: Session, name: str, source: str, spec: InstanceSpec) -> Authentication:
    """Make a server of an OS template."""
    found, _ = await template(paci, source)
    username = found.get("root-login") or "root"
    chosen = spec.password.get_secret_value() if spec.password else ""
    admin = Node("admin", {"login": username, "password": chosen})
    children = (*_wanted(paci, name, source, found, spec), *((admin,) if chosen else ()))
    told = await paci.make("ve", body=Node("ve", children=children), hide=(chosen,))
    password = told or chosen
    return Authentication(username=username, password=SecretStr(password) if password else None)


def _wanted(
    paci: Session, name: str, source: str, found: Node, spec: InstanceSpec
) -> tuple[Node, ...]:
    """Describe a server that is made of a template, in the platform's order."""
    settings = paci.cloud.settings
    have = sizes(profile_of(paci.cloud, spec.hardware_profile_id), spec.hardware)
    system = {"technology": found.get("technology") or "", "type": found.get("osType") or ""}
    schedule = settings.backup_schedule
    return (
        Node("name", text=name),
        *_optional("description", description.compose("", spec.client_token, spec.tags)),
        *_optional("subscription-id", spec.realm_id or settings.subscription),
        Node("cpu", {"number": str(have.cpu), "power": str(settings.cpu_power)}),
        Node("ram-size", text=str(have.memory_mib)),
        Node("bandwidth", text=str(settings.bandwidth)),
        Node("no-of-public-ip", text=str(settings.public_ipv4)),
        Node("no-of-public-ipv6", text=str(settings.public_ipv6)),
        Node("ve-disk", {"local": "true", "size": str(have.storage_gb)}),
        Node(
            "platform",
            children=(
                Node("template-info", {"name": source}),
                Node("os-info", system),
            ),
        ),
        *((Node("backup-schedule", {"name": schedule}),) if schedule else ()),
    )


async def _of_image(paci: Session, name: str, source: str, spec: InstanceSpec) -> Authentication:
    """Make a server of an image, which brings everything with it."""
    for field in _TEMPLATES_ONLY:
        if getattr(spec, field):
            raise InvalidRequest(
                f"{field}: a server that is made of an image is as the image's was",
                remedy=f"Leave {field} out, and resize or tag it afterwards",
            )
    owner = spec.realm_id or paci.cloud.settings.subscription
    path = (owner, name) if owner else (name,)
    password = await paci.make("ve", *path, "from", source)
    return Authentication(password=SecretStr(password) if password else None)


def _optional(tag: str, text: str | None) -> tuple[Node, ...]:
    return (Node(tag, text=text),) if text else ()


async def _made_all_the_same(paci: Session, name: str, spec: InstanceSpec) -> bool:
    """Look for the server whose create was not answered.

    Names are unique, but one that was chosen may be somebody else's by now: only the token in
    the description proves whose it is. One that was made up here is nobody else's.
    """
    for pause in _LOOKS:
        await anyio.sleep(pause)
        try:
            found = await show(paci, name)
        except CloudError as exc:
            paci.cloud.log.info("paci.create.not_found", instance_id=name, error=str(exc))
            continue
        ours = spec.client_token is not None and found.client_token == spec.client_token
        return ours or spec.name is None
    return False


async def _booted(paci: Session, name: str, spec: InstanceSpec) -> Instance:
    """Start a new server once it is there, and return how far it is.

    From here on nothing is an error: the server exists, and its password is told only once.
    """
    cloud = paci.cloud
    state, platform_state, busy, actions = view("CREATION_IN_PROGRESS")
    made = Instance(
        cloud=cloud.name,
        id=name,
        name=name,
        state=state,
        platform_state=platform_state,
        busy=busy,
        actions=actions,
        image_id=spec.image_id,
        realm_id=spec.realm_id or cloud.settings.subscription,
        tags=spec.tags,
    )
    seen: list[Instance] = [made]

    async def look() -> Instance:
        seen.append(await show(paci, name))
        return seen[-1]

    with anyio.move_on_after(time_left()) as scope:
        try:
            _, there = await watch(look, _there, cloud.settings.create_wait, passing=(NotFound,))
            if there and seen[-1].platform_state.upper() in MADE:
                await switch(paci, name, "start")
                await look()
        except CloudError as exc:
            cloud.log.warning("paci.create.not_started", instance_id=name, error=str(exc))
    if scope.cancelled_caught:
        cloud.log.warning("paci.create.not_started", instance_id=name, error="no time left")
    return seen[-1]


def _there(found: Instance) -> bool:
    return found.platform_state.upper() not in ("CREATE", "CREATION_IN_PROGRESS")
