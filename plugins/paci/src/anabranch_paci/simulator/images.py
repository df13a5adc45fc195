"""Images that customers make of their servers."""

from __future__ import annotations

from anabranch_paci.simulator.documents import platform
from anabranch_paci.simulator.lifecycle import refuse_unless_stopped
from anabranch_paci.simulator.lookup import check_new_name, find_image, find_ve, subscription
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.records import Disk, Image
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.times import timestamp
from anabranch_paci.simulator.wire import Reply, Request, accepted, xml_reply

__all__ = ["routes"]

routes = Routes()


@routes.on("GET", "/image")
def show_all(request: Request) -> Reply:
    """All images."""
    images = request.state.images.values()
    return xml_reply(Element("image-list", None, *map(_info, images)))


@routes.on("GET", "/image/{image}")
def show(request: Request, name: str) -> Reply:
    """One image."""
    return xml_reply(_document(request.state.customer_id, find_image(request, name)))


@routes.on("POST", "/image/{ve}/create/{image}")
def create(request: Request, ve_name: str, name: str) -> Reply:
    """Make an image of a stopped server, on the same account (inferred)."""
    return _create(request, ve_name, name, None)


@routes.on("POST", "/image/{ve}/{subscription}/create/{image}")
def create_for(request: Request, ve_name: str, number: str, name: str) -> Reply:
    """Make an image of a stopped server for a subscription."""
    return _create(request, ve_name, name, number)


@routes.on("DELETE", "/image/{image}")
def delete(request: Request, name: str) -> Reply:
    """Delete an image; servers made of it stay."""
    images = request.state.images
    find_image(request, name)
    request.later(lambda _: images.pop(name, None))
    return accepted("Image delete initiated")


def _create(request: Request, ve_name: str, name: str, number: str | None) -> Reply:
    """Make an image; that it is listed only when it is made is inferred."""
    state, ve = request.state, find_ve(request, ve_name)
    refuse_unless_stopped(ve, "image creation")
    check_new_name(state.images, name)
    bought = subscription(state, number or str(ve.subscription_id))
    image = Image(
        id=state.new_id(),
        node_uuid=state.new_uuid(),
        name=name,
        subscription_id=bought.id,
        image_of=ve.name,
        hostname=ve.hostname,
        description=ve.description or "",
        created=request.now,
        template=ve.template,
        cpu_number=ve.cpu_number,
        cpu_power=ve.cpu_power,
        ram=ve.ram,
        bandwidth=ve.bandwidth,
        disk=Disk(id=state.new_id(), size=ve.disk.size),
        login=ve.login,
        ipv4=len(ve.ipv4),
        ipv6=len(ve.ipv6),
        custom_ns=ve.custom_ns,
    )
    request.later(lambda _: state.images.setdefault(name, image))
    return accepted("Image creation initiated")


def _info(image: Image) -> Element:
    return Element(
        "image-info",
        attributes={
            "name": image.name,
            "size": image.disk.size,
            "created": timestamp(image.created),
            "subscription-id": image.subscription_id,
            "image-of": image.image_of,
            "description": image.description,
        },
    )


def _document(customer_id: int, image: Image) -> Element:
    disk = {"id": image.disk.id, "type": "local", "primary": True, "size": image.disk.size}
    return Element(
        "ve-image",
        None,
        Element("description", image.description),
        Element("disks", attributes=disk),
        platform(image.template),
        attributes={
            "id": image.id,
            "bnode-uuid": image.node_uuid,
            "customer-id": customer_id,
            "subscription-id": image.subscription_id,
            "name": image.name,
            "hostname": image.hostname,
            "cpu-number": image.cpu_number,
            "cpu-power": image.cpu_power,
            "ram-size": image.ram,
            "bandwidth": image.bandwidth,
            "login": image.login,
            "primary-disk-id": image.disk.id,
            "image-size": image.disk.size,
            "created": timestamp(image.created),
            "image-of": image.image_of,
            "no-of-public-ip": image.ipv4,
            "no-of-public-ipv6": image.ipv6,
            "custom-ns": image.custom_ns,
        },
    )
