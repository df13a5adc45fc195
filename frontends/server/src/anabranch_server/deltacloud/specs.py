"""From the parameters of a create to the specification of what to make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from anabranch.models import ImageSpec, InstanceSpec
from anabranch_server.deltacloud.request import Request

__all__ = ["SPECS"]


def _instance(request: Request) -> tuple[str, InstanceSpec]:
    parameters = request.parameters
    image = request.target(parameters["image_id"])
    return image.cloud, InstanceSpec(
        image_id=image.id,
        realm_id=parameters.get("realm_id"),
        hardware_profile_id=parameters.get("hwp_id"),
        name=parameters.get("name"),
        key_id=parameters.get("keyname"),
    )


def _image(request: Request) -> tuple[str, ImageSpec]:
    parameters = request.parameters
    instance = request.target(parameters["instance_id"])
    return instance.cloud, ImageSpec(
        instance_id=instance.id,
        name=parameters.get("name", ""),
        description=parameters.get("description", ""),
    )


SPECS: Final[Mapping[str, Callable[[Request], tuple[str, Any]]]] = {
    "create_image": _image,
    "create_instance": _instance,
}
"""By the operation: how a request becomes the cloud to make it on, and what to make there."""
