"""From the specification of an instance to the parameters of `deployVirtualMachine`."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from anabranch.errors import InvalidRequest, NotFound
from anabranch.models import InstanceSpec
from anabranch_cloudstack.client import CloudStackCloud, Parameters, session
from anabranch_cloudstack.convert import CLIENT_TOKEN
from anabranch_cloudstack.disk_offerings import chosen_offering
from anabranch_cloudstack.guest_networks import tiers, zone_of
from anabranch_cloudstack.hardware_profiles import custom_details, smallest
from anabranch_cloudstack.realms import chosen_zone, known_zones
from anabranch_cloudstack.replies import decoded

__all__ = ["MOST_USER_DATA", "deployment", "refined"]

MOST_USER_DATA: Final = (32768 - 1) // 4 * 3
"""Bytes of user data that every CloudStack takes: 4.11 refuses 32768 of them when encoded."""

_HOST_NAME: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_CUSTOM: Final = re.compile(
    # The second where there are other details already, as the client token is one.
    r"custom (?:parameter|offering|compute)|invalid (?:cpu cores|cpu speed|memory) value",
    re.IGNORECASE,
)
_ISO: Final = re.compile(
    r"hypervisor parameter is needed|from ISO requires a disk offering", re.IGNORECASE
)
_ISO_DISK: Final = 20
"""GiB of the root disk of what is installed from an ISO, if no size is named."""


class _Hypervisor(msgspec.Struct, frozen=True):
    name: str


class _Hypervisors(msgspec.Struct, frozen=True):
    hypervisor: list[_Hypervisor] = []


_HYPERVISORS: Final = msgspec.json.Decoder(_Hypervisors)


async def deployment(cloud: CloudStackCloud, spec: InstanceSpec) -> dict[str, str | int]:
    """Return the parameters.

    The name becomes the display name, and the host name too where it can be one.

    Args:
        cloud: Where.
        spec: What to make.

    Raises:
        InvalidRequest: the size is not allowed, or nothing is there to choose.
        NotFound: there is no such offering.
    """
    settings = cloud.settings
    zone_id = await _zone(cloud, spec)
    offering = spec.hardware_profile_id or settings.service_offering
    parameters: dict[str, str | int | None] = {
        **session(cloud).project,
        "zoneid": zone_id,
        "templateid": spec.image_id,
        "serviceofferingid": offering or await smallest(cloud, zone_id),
        "displayname": spec.name,
        "name": spec.name if spec.name and _HOST_NAME.fullmatch(spec.name) else None,
        "keypair": spec.key_id,
        "userdata": base64.b64encode(spec.user_data).decode() if spec.user_data else None,
        "networkids": ",".join(spec.network_ids) or settings.network,
        "securitygroupids": ",".join(spec.firewall_ids) or None,
    }
    parameters.update(await _hardware(cloud, spec, str(parameters["serviceofferingid"])))
    if spec.client_token:
        parameters[f"details[0].{CLIENT_TOKEN}"] = spec.client_token
    return _present(parameters)


async def _hardware(
    cloud: CloudStackCloud, spec: InstanceSpec, offering: str
) -> Mapping[str, str | int | bool | None]:
    wanted = spec.hardware
    if wanted is not None and wanted.architecture is not None:
        raise InvalidRequest(
            "the architecture is that of the image", remedy="Leave hardware.architecture out"
        )
    cpu, memory = (wanted.cpu, wanted.memory_mib) if wanted else (None, None)
    found: dict[str, str | int | bool | None] = {}
    if cpu is not None or memory is not None:
        found.update(await custom_details(cloud, offering, cpu, memory))
    if wanted is not None and wanted.storage_gb is not None:
        found["rootdisksize"] = int(wanted.storage_gb)
    return found


async def refined(
    cloud: CloudStackCloud,
    spec: InstanceSpec,
    parameters: Mapping[str, str | int],
    refusal: InvalidRequest | NotFound,
) -> dict[str, str | int]:
    """Return parameters that say more exactly what is wanted, where a deployment was refused.

    What most deployments do without is not asked for beforehand: the sizes that a custom offering
    begins with, the tiers of the VPCs that are named, what an ISO is to be installed on. Nothing
    was made yet.

    Raises:
        InvalidRequest: the refusal itself, where there is no more to say.
        NotFound: likewise; or a network that is named is none, or a VPC without tiers.
    """
    better = dict(parameters)
    if spec.hardware is None and _CUSTOM.search(refusal.message):
        offering = str(parameters["serviceofferingid"])
        better.update(_present(await custom_details(cloud, offering, None, None)))
    elif spec.network_ids and "networkids" in refusal.message:
        better["networkids"] = ",".join(await tiers(cloud, spec.network_ids))
    elif _ISO.search(refusal.message) and "hypervisor" not in parameters:
        size = better.pop("rootdisksize", None)
        disk = await chosen_offering(cloud, None, _ISO_DISK if size is None else int(size))
        better.update(_present(disk))
        better["hypervisor"] = await _hypervisor(cloud, str(parameters["zoneid"]))
    else:
        raise refusal
    return better


async def _zone(cloud: CloudStackCloud, spec: InstanceSpec) -> str:
    """Return the zone named, that of the network named, or the one that is usual."""
    network_id = spec.network_ids[0] if spec.network_ids else cloud.settings.network
    several = spec.realm_id is None and cloud.settings.zone is None and network_id is not None
    if several and network_id and len(await known_zones(cloud)) > 1:
        found = await zone_of(cloud, network_id)
        if found is not None:
            return found
    return await chosen_zone(cloud, spec.realm_id)


async def _hypervisor(cloud: CloudStackCloud, zone_id: str) -> str:
    body = await session(cloud).ask("listHypervisors", {"zoneid": zone_id})
    found = decoded(body, _HYPERVISORS).hypervisor
    if not found:
        raise InvalidRequest("the zone has no hypervisor", remedy="Name another realm_id")
    return found[0].name


def _present(parameters: Parameters) -> dict[str, str | int]:
    return {name: value for name, value in parameters.items() if value is not None}
