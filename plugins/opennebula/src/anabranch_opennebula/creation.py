"""The making of an instance: of a VM template, or of nothing but a configured size."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Final

from anabranch.errors import InvalidRequest
from anabranch.models import Authentication, Hardware, Instance, InstanceSpec
from anabranch.overlap import both
from anabranch_opennebula import own, pools
from anabranch_opennebula.client import Session, number_of
from anabranch_opennebula.keys import public_key
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.root_images import RootImage
from anabranch_opennebula.sizes import (
    Profile,
    configured,
    from_template,
    profile_of,
    size_attributes,
    sized,
    smallest,
)
from anabranch_opennebula.states import PENDING, view
from anabranch_opennebula.templates import Attribute, template
from anabranch_opennebula.vm_templates import VmTemplate, get_template, template_of

__all__ = ["create"]

_NO_TEMPLATE: Final = VmTemplate(
    "",
    "",
    (
        ("CONTEXT", {"NETWORK": "YES", "SSH_PUBLIC_KEY": "$USER[SSH_PUBLIC_KEY]"}),
        ("GRAPHICS", {"TYPE": "VNC", "LISTEN": "0.0.0.0"}),  # noqa: S104
    ),
    None,
)
"""What an instance without a template has beside its size, disk and networks."""
_PREFIX: Final = "one"
"""oned names what has no name after its template, or this, and its number."""
_MIB: Final = 1024


async def create(session: Session, spec: InstanceSpec) -> Instance:
    """Make an instance, and return what is known of it then.

    oned answers the id alone. The rest is what was asked for; addresses, owner and time of
    creation are told by the next look.

    What is given here of DISK, NIC or CONTEXT replaces all of that kind in the template, so what
    is to stay of it is given again.
    """
    image = RootImage(session, spec.image_id)

    async def ground() -> tuple[Profile, VmTemplate | None, bool]:
        profile = await _profile(session, spec, image)
        base = profile.template
        if base is None and profile.template_id is not None:
            base = await get_template(session, int(profile.template_id))
        return profile, base, base is not None and await image.is_root_of(base)

    async def key_text() -> str | None:
        return await public_key(session, spec.key_id) if spec.key_id else None

    (profile, base, same), key = await both(ground, key_text)
    disks = _disks(spec, profile, base or _NO_TEMPLATE, same=same)
    body = template(_attributes(session, spec, profile, base or _NO_TEMPLATE, disks, key))
    name = spec.name or ""
    if base is not None:
        made = await session.change("template.instantiate", int(base.id), name, False, body, False)
    else:
        made = await session.change("vm.allocate", body, False)
    return _made(session, spec, profile, name or f"{base.name if base else _PREFIX}-{made}", made)


def _made(session: Session, spec: InstanceSpec, profile: Profile, name: str, made: int) -> Instance:
    state, platform_state, busy, actions = view(PENDING, 0)
    return Instance(
        cloud=session.cloud.name,
        id=str(made),
        name=name,
        state=state,
        platform_state=platform_state,
        busy=busy,
        actions=actions,
        image_id=spec.image_id,
        realm_id=spec.realm_id,
        hardware_profile_id=profile.offered.id,
        hardware=Hardware(
            cpu=profile.vcpu,
            memory_mib=profile.memory_mib,
            storage_gb=profile.storage_gb or None,
        ),
        key_id=spec.key_id,
        authentication=Authentication(key_id=spec.key_id),
        firewall_ids=spec.firewall_ids,
        tags=spec.tags,
        client_token=spec.client_token,
    )


async def _profile(session: Session, spec: InstanceSpec, image: RootImage) -> Profile:
    settings = session.cloud.settings
    wanted = spec.hardware_profile_id or settings.default_hardware_profile
    if wanted:
        profile = await profile_of(session, wanted)
    else:
        profile = await _smallest(session, image)
    return sized(profile, spec.hardware) if spec.hardware else profile


async def _smallest(session: Session, image: RootImage) -> Profile:
    """Choose: of the configured profiles, of the templates of the image, of all templates."""
    cloud = session.cloud

    def convert(thing: Thing) -> list[Profile]:
        profile = from_template(cloud.name, template_of(thing))
        return [profile] if profile else []

    known = [configured(cloud.name, s) for s in cloud.settings.hardware_profiles]
    if not known:
        known = await pools.listed(session, pools.TEMPLATES, convert)
        of_image = [p for p in known if p.template and await image.is_root_of(p.template)]
        known = of_image or known
    profile = smallest(known)
    if profile is None:
        raise InvalidRequest(
            "no hardware profile is given, and the cloud shows no template",
            remedy="Configure hardware_profiles for the cloud",
        )
    return profile


def _attributes(
    session: Session,
    spec: InstanceSpec,
    profile: Profile,
    base: VmTemplate,
    disks: Sequence[Mapping[str, str]],
    key: str | None,
) -> list[Attribute]:
    found: list[Attribute] = []
    if base is _NO_TEMPLATE:
        found += [("NAME", spec.name)] if spec.name else []
        found += [("GRAPHICS", base.vector("GRAPHICS"))]
    if spec.hardware or profile.template is None:
        found += size_attributes(profile)
    found += [("DISK", disk) for disk in disks]
    found += [("NIC", nic) for nic in _nics(session, spec, base)]
    if context := _context(spec, base, key):
        found.append(("CONTEXT", context))
    if spec.realm_id is not None:
        found.append(("SCHED_REQUIREMENTS", _requirements(spec.realm_id, base)))
    if profile.template is None:
        found.append((own.HARDWARE_PROFILE, profile.offered.id))
    if spec.key_id:
        found.append((own.KEY, spec.key_id))
    if spec.tags:
        found.append((own.TAGS, own.written(spec.tags)))
    if spec.client_token:
        found.append((own.CLIENT_TOKEN, spec.client_token))
    return found


def _disks(
    spec: InstanceSpec, profile: Profile, base: VmTemplate, *, same: bool
) -> list[Mapping[str, str]]:
    """Put the image in the place of the template's first disk, where it is not the same."""
    root = base.vector("DISK")
    wanted = str(int(profile.storage_gb * _MIB)) if profile.storage_gb else root.get("SIZE", "")
    if same and wanted == root.get("SIZE", ""):
        return []
    disk = dict(root) if same else {"IMAGE_ID": spec.image_id}
    if wanted:
        disk["SIZE"] = wanted
    return [disk, *base.vectors("DISK")[1:]]


def _nics(session: Session, spec: InstanceSpec, base: VmTemplate) -> Sequence[Mapping[str, str]]:
    firewalls = [str(number_of(ident, "firewall")) for ident in spec.firewall_ids]
    networks = spec.network_ids or session.cloud.settings.default_networks
    if networks:
        nics = [{"NETWORK_ID": str(number_of(ident, "network"))} for ident in networks]
    elif firewalls:
        nics = [dict(nic) for nic in base.vectors("NIC")]
        if not nics:
            raise InvalidRequest(
                "firewalls are of a network interface, and the instance has none",
                remedy="Name network_ids, or set default_networks for the cloud",
            )
    else:
        return []
    for nic in nics:
        if firewalls:
            before = [i for i in nic.get("SECURITY_GROUPS", "").split(",") if i]
            nic["SECURITY_GROUPS"] = ",".join(dict.fromkeys([*before, *firewalls]))
    return nics


def _context(spec: InstanceSpec, base: VmTemplate, key: str | None) -> Mapping[str, str]:
    given: dict[str, str] = {}
    if key is not None:
        given["SSH_PUBLIC_KEY"] = key
    if spec.user_data is not None:
        # Plain, it would lose white space at its ends, and what XML cannot carry.
        given["USER_DATA"] = base64.b64encode(spec.user_data).decode()
        given["USER_DATA_ENCODING"] = "base64"
    if not given and base is not _NO_TEMPLATE:
        return {}
    return {"NETWORK": "YES", **base.vector("CONTEXT"), **given}


def _requirements(realm_id: str, base: VmTemplate) -> str:
    there = f"CLUSTER_ID = {number_of(realm_id, 'realm')}"
    before = base.scalar("SCHED_REQUIREMENTS").strip()
    return f"({before}) & ({there})" if before else there
