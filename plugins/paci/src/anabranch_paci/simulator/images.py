"""Images that customers make of their servers."""

from __future__ import annotations

from anabranch_paci.simulator.documents import platform
from anabranch_paci.simulator.lookup import find_image
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.records import Image
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.times import timestamp
from anabranch_paci.simulator.wire import Reply, Request, xml_reply

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
