"""From the specification of an instance to the parameters of `deployVirtualMachine`."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Final

from anabranch.errors import InvalidRequest
from anabranch.models import InstanceSpec
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.convert import CLIENT_TOKEN
from anabranch_cloudstack.hardware_profiles import custom_details, smallest
from anabranch_cloudstack.realms import chosen_zone

__all__ = ["MOST_USER_DATA", "deployment", "needs_custom_size"]

MOST_USER_DATA: Final = 32768
"""Bytes of user data, encoded, that CloudStack takes unless told otherwise."""

_HOST_NAME: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_CUSTOM: Final = re.compile(r"custom (?:parameter|offering|compute)|cpu cores value", re.IGNORECASE)


async def deployment(
    cloud: CloudStackCloud, spec: InstanceSpec, *, custom: bool = False
) -> dict[str, str | int]:
    """Return the parameters.

    The name becomes the display name, and the host name too where it can be one.

    Args:
        cloud: Where.
        spec: What to make.
        custom: Whether the offering is known to want its size to be told.

    Raises:
        InvalidRequest: the user data is too long for any cloud, or the size is not allowed.
    """
    settings = cloud.settings
    zone_id = await chosen_zone(cloud, spec.realm_id)
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
    parameters.update(await _hardware(cloud, spec, str(parameters["serviceofferingid"]), custom))
    if spec.client_token:
        parameters[f"details[0].{CLIENT_TOKEN}"] = spec.client_token
    return {name: value for name, value in parameters.items() if value is not None}


async def _hardware(
    cloud: CloudStackCloud, spec: InstanceSpec, offering: str, custom: bool
) -> Mapping[str, str | int | bool | None]:
    wanted = spec.hardware
    if wanted is not None and wanted.architecture is not None:
        raise InvalidRequest(
            "the architecture is that of the image", remedy="Leave hardware.architecture out"
        )
    cpu, memory = (wanted.cpu, wanted.memory_mib) if wanted else (None, None)
    found: dict[str, str | int | bool | None] = {}
    if custom or cpu is not None or memory is not None:
        found.update(await custom_details(cloud, offering, cpu, memory))
    if wanted is not None and wanted.storage_gb is not None:
        found["rootdisksize"] = int(wanted.storage_gb)
    return found


def needs_custom_size(refusal: InvalidRequest) -> bool:
    """Whether a deployment was refused because its offering wants the size to be told."""
    return bool(_CUSTOM.search(refusal.message))
