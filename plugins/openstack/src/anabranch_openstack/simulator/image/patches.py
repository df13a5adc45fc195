"""Glance's JSON patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from anabranch_openstack.simulator.image.records import Image
from anabranch_openstack.simulator.wire import Document, Refusal, Request, is_list

__all__ = ["apply_patch"]

_MEDIA_TYPES = (
    "application/openstack-images-v2.0-json-patch",
    "application/openstack-images-v2.1-json-patch",
)
_BASE = (
    *("name", "visibility", "disk_format", "container_format", "min_ram", "min_disk"),
    *("protected", "os_hidden", "tags"),
)

Setter = Callable[[Request, Image, str, Any], None]


def apply_patch(request: Request, image: Image, set_field: Setter) -> None:
    """Apply the operations of a body one after another.

    Raises:
        Refusal: The body is no patch, or one of its operations does not fit the image.
    """
    content_type = request.header(b"content-type").split(";")[0]
    if content_type not in _MEDIA_TYPES:
        raise Refusal(
            415,
            f"The request media type {content_type} is not supported by this server."
            f" Image PATCH expects Content-Type one of: {', '.join(_MEDIA_TYPES)}",
        )
    try:
        body = request.json()
    except ValueError as error:
        raise Refusal(400, "Malformed JSON in request body.") from error
    if not is_list(body):
        raise Refusal(400, "Request body must be a JSON array of operation objects.")
    for item in body:
        _apply(request, image, set_field, item)


def _apply(request: Request, image: Image, set_field: Setter, item: object) -> None:
    if not isinstance(item, dict):
        raise Refusal(400, "Operations must be JSON objects.")
    operation = cast("Document", item)
    action, name = operation.get("op"), str(operation.get("path", "")).lstrip("/")
    if action not in ("add", "replace", "remove"):
        raise Refusal(400, f"Operation objects must contain a valid op, not {action!r}.")
    if not name:
        raise Refusal(400, "Unable to find '/path' in JSON Schema change")
    known = name in _BASE or name in image.properties
    if action == "remove":
        if name in _BASE:
            raise Refusal(403, f"Property {name} may not be removed.")
        if not known:
            raise Refusal(409, f"Property {name} does not exist.")
        image.properties = {k: v for k, v in image.properties.items() if k != name}
        return
    if "value" not in operation:
        raise Refusal(400, f'Operation "{action}" requires a member named "value".')
    if name == "status":
        raise Refusal(403, "Attribute 'status' is read-only.")
    if action == "replace" and not known and name not in ("id", "size", "checksum", "owner"):
        raise Refusal(409, f"Property {name} does not exist.")
    set_field(request, image, name, operation["value"])
