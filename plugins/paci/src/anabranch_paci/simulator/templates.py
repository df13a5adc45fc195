"""OS templates."""

from __future__ import annotations

from anabranch_paci.simulator.lookup import find_template
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.records import Template
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.wire import Reply, Request, xml_reply

__all__ = ["routes"]

routes = Routes()


@routes.on("GET", "/template")
def show_all(request: Request) -> Reply:
    """All OS templates."""
    templates = request.state.templates.values()
    return xml_reply(Element("template-list", None, *map(_document, templates)))


@routes.on("GET", "/template/{template}")
def show(request: Request, name: str) -> Reply:
    """One OS template: by itself, or as a list of one as recent Salt wants it."""
    document = _document(find_template(request, name))
    if request.state.template_shape == "template-list":
        document = Element("template-list", None, document)
    return xml_reply(document)


def _document(template: Template) -> Element:
    """A template; Deltacloud reads its options by position, the architecture first."""
    return Element(
        "template",
        None,
        Element("option", attributes={"name": "arch", "value": template.architecture}),
        Element("option", attributes={"name": "os", "value": template.os}),
        attributes={
            "id": template.id,
            "name": template.name,
            "osType": template.os_type,
            "technology": template.technology,
            "active": template.active,
            "default": template.default,
            "root-login": template.root_login,
            "min-hdd-size": template.min_disk,
            "pwd-regex": template.password_pattern,
            "high-watermark-for-delivery": 10,
            "low-watermark-for-delivery": 5,
        },
    )
