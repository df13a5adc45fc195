"""`/v2/images`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from anabranch_openstack.simulator.image.patches import apply_patch
from anabranch_openstack.simulator.image.records import Image
from anabranch_openstack.simulator.paging import cut
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.service import NOT_FOUND
from anabranch_openstack.simulator.wire import (
    HTML,
    Document,
    Refusal,
    Reply,
    Request,
    compact_time,
    is_uuid,
    json_reply,
)

__all__ = ["routes", "set_field"]

routes = Routes()

_IMAGE = "/v2/images/{image_id}"
_DEFAULT_LIMIT = 25
_VISIBILITIES = ("public", "private", "shared", "community", "all")
_SORT_KEYS: dict[str, Callable[[Image], Any]] = {
    "name": lambda i: i.name or "",
    "status": lambda i: i.status,
    "container_format": lambda i: i.container_format or "",
    "disk_format": lambda i: i.disk_format or "",
    "size": lambda i: i.size or 0,
    "id": lambda i: i.id,
    "created_at": lambda i: i.created,
    "updated_at": lambda i: i.updated,
}
_DISK_FORMATS = (
    *(None, "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"),
)
_PAGING = ("limit", "marker", "sort", "sort_key", "sort_dir", "member_status")


@routes.on("GET", "/v2/images", policy="get_images")
def list_images(request: Request) -> Reply:
    """The images that the project sees; `next` is relative."""
    images = [i for i in request.region.images.images.values() if _listed(request, i)]
    for name, value in request.query:
        if name not in _PAGING:
            images = [i for i in images if _passes(i, name, value)]
    page = cut(
        _sorted(request, images),
        _limit(request),
        request.param("marker"),
        lambda image: image.id,
        lambda marker: Refusal(400, f"No image found with ID {marker}"),
    )
    query = [(name, value) for name, value in request.query if name != "marker"]
    first = "/v2/images" + (f"?{urlencode(query)}" if query else "")
    body: Document = {
        "images": [_document(i) for i in page.items],
        "first": first,
        "schema": "/v2/schemas/images",
    }
    if page.full:
        body["next"] = f"/v2/images?{request.query_with('marker', page.items[-1].id)}"
    return json_reply(body)


@routes.on("POST", "/v2/images", policy="add_image")
def create_image(request: Request) -> Reply:
    """An image without content."""
    wanted = _json_object(request)
    image = Image(
        id=str(wanted.pop("id", None) or uuid.uuid4()),
        name=None,
        owner=request.token.project_id,
        created=request.now,
        updated=request.now,
    )
    images = request.region.images.images
    if not is_uuid(image.id):
        raise Refusal(400, f"Provided object does not match schema 'image': {image.id!r}")
    if image.id in images:
        raise Refusal(409, f"Image ID {image.id} already exists!")
    for name, value in wanted.items():
        set_field(request, image, name, value)
    images[image.id] = image
    return json_reply(
        _document(image),
        201,
        location=f"{request.root}/v2/images/{image.id}",
        openstack_image_import_methods="glance-direct,web-download",
    )


@routes.on("GET", _IMAGE, policy="get_image")
def show_image(request: Request) -> Reply:
    """One image."""
    return json_reply(_document(_visible(request)))


@routes.on("PATCH", _IMAGE, policy="modify_image")
def patch_image(request: Request) -> Reply:
    """Change fields and properties with a JSON patch."""
    image = _own(request, "modify_image")
    apply_patch(request, image, set_field)
    image.updated = request.now
    return json_reply(_document(image))


@routes.on("DELETE", _IMAGE, policy="delete_image")
def delete_image(request: Request) -> Reply:
    """Delete an image that is the project's and not protected."""
    image_id = request.args[0]
    if request.region.images.visible(image_id, request.token.project_id) is None:
        raise Refusal(404, f"Failed to find image {image_id} to delete")
    image = _own(request, "delete_image")
    if image.protected:
        raise Refusal(403, f"Image {image_id} is protected and cannot be deleted.")
    del request.region.images.images[image_id]
    return _done()


@routes.on("PUT", _IMAGE + "/file", policy="upload_image")
def upload_image(request: Request) -> Reply:
    """The content; the image is active afterwards."""
    image = _own(request, "upload_image")
    content_type = request.header(b"content-type").split(";")[0]
    if content_type != "application/octet-stream":
        raise Refusal(
            415,
            f"The request media type {content_type} is not supported by this server."
            f" Invalid content type {content_type}",
        )
    if image.disk_format is None or image.container_format is None:
        raise Refusal(400, "Properties disk_format, container_format must be set prior to saving")
    if image.status != "queued":
        raise Refusal(409, f"Image status transition from {image.status} to saving is not allowed")
    request.region.images.fill(image, request.body, request.now)
    return _done()


@routes.on("GET", _IMAGE + "/file", policy="download_image")
def download_image(request: Request) -> Reply:
    """The content."""
    image = _visible(request)
    if image.status == "deactivated":
        raise Refusal(
            403, "The requested image has been deactivated. Image data download is forbidden."
        )
    if image.size is None:
        return Reply(status=204)
    return Reply(
        body=image.content,
        content_type="application/octet-stream",
        headers=[("content-md5", image.checksum or "")],
    )


@routes.on("POST", _IMAGE + "/actions/{action}", policy="deactivate")
def act(request: Request) -> Reply:
    """Deactivate or reactivate."""
    image = _own(request, request.args[1])
    statuses = {"deactivate": "deactivated", "reactivate": "active"}
    if request.args[1] not in statuses:
        raise Refusal(404, NOT_FOUND)
    image.status = statuses[request.args[1]]
    return _done()


@routes.on("PUT", _IMAGE + "/tags/{tag}", policy="modify_image")
def add_tag(request: Request) -> Reply:
    """Add one tag."""
    image = _own(request, "modify_image")
    image.tags = sorted({*image.tags, request.args[1]})
    return _done()


@routes.on("DELETE", _IMAGE + "/tags/{tag}", policy="modify_image")
def delete_tag(request: Request) -> Reply:
    """Remove one tag."""
    image = _own(request, "modify_image")
    if request.args[1] not in image.tags:
        raise Refusal(404, NOT_FOUND)
    image.tags = [tag for tag in image.tags if tag != request.args[1]]
    return _done()


@routes.on("GET", _IMAGE + "/members", policy="get_members")
def list_members(request: Request) -> Reply:
    """Images are shared with nobody."""
    if _visible(request).visibility != "shared":
        raise Refusal(403, "Only shared images have members.")
    return json_reply({"members": [], "schema": "/v2/schemas/members"})


@routes.on("GET", "/v2/info/import", policy="get_images")
def show_import_methods(request: Request) -> Reply:
    """How images can come in."""
    del request
    methods = {"description": "Import methods available.", "type": "array"}
    return json_reply({"import-methods": {**methods, "value": ["glance-direct", "web-download"]}})


@routes.on("GET", "/v2/schemas/{name}", policy="get_images")
def show_schema(request: Request) -> Reply:
    """The names of the fields; their schemas are not told."""
    name = request.args[0]
    fields: Document = {field: {} for field in _FIELDS}
    if name == "images":
        fields = {"images": {"type": "array"}, "next": {}, "first": {}, "schema": {}}
    elif name != "image":
        raise Refusal(404, NOT_FOUND)
    return json_reply({"name": name, "properties": fields, "links": []})


_FIELDS: dict[str, str] = {
    "name": "name",
    "visibility": "visibility",
    "disk_format": "disk_format",
    "container_format": "container_format",
    "min_ram": "min_ram",
    "min_disk": "min_disk",
    "protected": "protected",
    "os_hidden": "hidden",
    "tags": "tags",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str, type(None)),
    "min_ram": (int,),
    "min_disk": (int,),
    "protected": (bool,),
    "os_hidden": (bool,),
    "tags": (list,),
}
_READ_ONLY = (
    *("id", "status", "size", "checksum", "owner", "created_at", "updated_at", "self", "file"),
    *("schema", "os_hash_algo", "os_hash_value", "virtual_size", "stores", "locations"),
)


def set_field(request: Request, image: Image, name: str, value: Any) -> None:
    """Set a field or a property.

    Raises:
        Refusal: It cannot be set, or not to this.
    """
    if name in _READ_ONLY:
        raise Refusal(403, f"Attribute '{name}' is read-only.")
    wrong = not isinstance(value, _TYPES.get(name, (str, type(None))))
    formats = {"disk_format": _DISK_FORMATS, "visibility": _VISIBILITIES[:-1]}
    if wrong or value not in formats.get(name, (value,)):
        raise Refusal(
            400,
            f"Provided object does not match schema 'image': {value!r} is not valid\n\n"
            f"Failed validating schema['properties']['{name}']",
        )
    if name == "visibility" and value == "public" and "admin" not in request.token.roles:
        raise Refusal(403, "You are not authorized to complete publicize_image action.")
    if name in _FIELDS:
        setattr(image, _FIELDS[name], value)
    else:
        image.properties = {**image.properties, name: value}


def _document(image: Image) -> Document:
    document: Document = {
        **image.properties,
        "name": image.name,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "visibility": image.visibility,
        "size": image.size,
        "virtual_size": image.size,
        "status": image.status,
        "checksum": image.checksum,
        "protected": image.protected,
        "min_ram": image.min_ram,
        "min_disk": image.min_disk,
        "owner": image.owner,
        "os_hidden": image.hidden,
        "os_hash_algo": "sha512" if image.hash_value else None,
        "os_hash_value": image.hash_value,
        "id": image.id,
        "created_at": compact_time(image.created),
        "updated_at": compact_time(image.updated),
        "tags": image.tags,
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }
    if image.status == "active":
        document["stores"] = "local"
    return document


def _listed(request: Request, image: Image) -> bool:
    wanted = request.param("visibility")
    if wanted is not None and wanted not in _VISIBILITIES:
        raise Refusal(400, f"Invalid visibility value: {wanted}")
    hidden = (request.param("os_hidden") or "").lower() == "true"
    if image.hidden != hidden or not request.region.images.sees(image, request.token.project_id):
        return False
    if wanted in (None, "all"):  # communal images of others are only shown when asked for
        mine = image.owner == request.token.project_id
        return wanted == "all" or mine or image.visibility != "community"
    return image.visibility == wanted


def _passes(image: Image, name: str, value: str) -> bool:
    if name in ("visibility", "os_hidden"):
        return True
    if name == "tag":
        return value in image.tags
    if name in ("size_min", "size_max"):
        size = image.size or 0
        return size >= int(value) if name == "size_min" else size <= int(value)
    match = re.fullmatch(r"in:(.*)", value)
    wanted = match[1].split(",") if match else [value]
    return str(_document(image).get(name)) in wanted


def _sorted(request: Request, images: list[Image]) -> list[Image]:
    pairs = [pair.partition(":")[::2] for s in request.params("sort") for pair in s.split(",")]
    if not pairs:
        directions = request.params("sort_dir") or ["desc"]
        keys = request.params("sort_key") or ["created_at"]
        pairs = [(key, directions[min(i, len(directions) - 1)]) for i, key in enumerate(keys)]
    images = sorted(images, key=lambda image: image.id, reverse=True)
    for key, direction in reversed(pairs):
        if key not in _SORT_KEYS:
            raise Refusal(
                400,
                f"Invalid sort key: {key}. It must be one of the following:"
                f" {', '.join(_SORT_KEYS)}.",
            )
        images = sorted(images, key=_SORT_KEYS[key], reverse=direction != "asc")
    return images


def _limit(request: Request) -> int:
    most = request.cloud.behaviour.page_size or 1000
    text = request.param("limit")
    if text is None:
        return min(_DEFAULT_LIMIT, most)
    try:
        limit = int(text)
    except ValueError as error:
        raise Refusal(400, "limit param must be an integer") from error
    if limit < 0:
        raise Refusal(400, "limit param must be positive")
    return min(limit, most)


def _visible(request: Request) -> Image:
    image = request.region.images.visible(request.args[0], request.token.project_id)
    if image is None:
        raise Refusal(404, f"No image found with ID {request.args[0]}")
    return image


def _own(request: Request, policy: str) -> Image:
    image = _visible(request)
    if image.owner != request.token.project_id:
        raise Refusal(403, f"You are not authorized to complete {policy} action.")
    return image


def _json_object(request: Request) -> Document:
    try:
        body = request.json()
    except ValueError as error:
        raise Refusal(400, "Malformed JSON in request body.") from error
    if not isinstance(body, dict):
        raise Refusal(400, "Provided object does not match schema 'image'")
    return cast("Document", body)


def _done() -> Reply:
    return Reply(status=204, content_type=HTML)
