"""Realms, hardware profiles and images as documents: what instances are made in, as and from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from anabranch.models import HardwareProfile, HardwareProperty, Image, Realm
from anabranch_server.deltacloud.documents.markup import attribute, element, figure, text
from anabranch_server.deltacloud.documents.sheet import Sheet, actions, plain_actions, when
from anabranch_server.deltacloud.links import Link, View

__all__ = [
    "hardware_profile_plain",
    "hardware_profile_xml",
    "image_plain",
    "image_xml",
    "realm_plain",
    "realm_xml",
]


def realm_xml(item: Realm, sheet: Sheet) -> str:
    """Return a realm as a member of a list."""
    limit = None if item.limit is None else str(item.limit)
    return (
        f"  <realm {sheet.target('realms', item.cloud, item.id)}>\n"
        f"    <name>{text(item.name)}</name>\n"
        f"    <state>{item.state}</state>\n"
        f"{element('    ', 'limit', limit)}"
        "  </realm>\n"
    )


def realm_plain(item: Realm, sheet: Sheet) -> dict[str, Any]:
    """Return a realm for JSON."""
    view = sheet.view
    return {
        "id": view.id(item.cloud, item.id),
        "href": view.member("realms", item.cloud, item.id),
        "name": item.name,
        "state": item.state.value,
        "limit": "unlimited" if item.limit is None else item.limit,
    }


class _Property(NamedTuple):
    name: str
    unit: str
    told: HardwareProperty


_UNITS: Final = (
    ("cpu", "count", "cpu"),
    ("memory", "MB", "memory_mib"),
    ("storage", "GB", "storage_gb"),
    ("architecture", "label", "architecture"),
)


def _properties(item: HardwareProfile) -> Iterator[_Property]:
    for name, unit, field in _UNITS:
        if (told := getattr(item, field)) is not None:
            yield _Property(name, unit, told)
    if item.root_type is not None:
        yield _Property("root_type", "label", HardwareProperty(value=item.root_type.value))


def hardware_profile_xml(item: HardwareProfile, sheet: Sheet) -> str:
    """Return a hardware profile as a member of a list."""
    _, shown = sheet.names(item.cloud, item.id)
    return (
        f"  <hardware_profile {sheet.target('hardware_profiles', item.cloud, item.id)}>\n"
        f"    <id>{shown}</id>\n"
        f"    <name>{text(item.name)}</name>\n"
        f"{''.join(_property_xml(one, sheet) for one in _properties(item))}"
        "  </hardware_profile>\n"
    )


def _property_xml(one: _Property, sheet: Sheet) -> str:
    told, kind = one.told, one.told.kind.value
    start = (
        f"    <property kind='{kind}' name='{one.name}' unit='{one.unit}'"
        f" value='{attribute(figure(told.value))}'"
    )
    if kind == "fixed":
        return f"{start} />\n"
    if told.choices:
        entries = "".join(
            f"        <entry value='{attribute(figure(value))}' />\n" for value in told.choices
        )
        choice = f"      <enum>\n{entries}      </enum>\n"
    else:
        choice = f"      <range first='{_bound(told.first)}' last='{_bound(told.last)}' />\n"
    return (
        f"{start}>\n"
        f"      <param href='{sheet.root}/instances' method='post' name='hwp_{one.name}'"
        f" operation='create' />\n{choice}    </property>\n"
    )


def _bound(value: float | None) -> str:
    return "" if value is None else figure(value)


def hardware_profile_plain(item: HardwareProfile, sheet: Sheet) -> dict[str, Any]:
    """Return a hardware profile for JSON.

    `properties` has the default values, as Deltacloud told them; `details` says of each property
    what XML says of it.
    """
    view = sheet.view
    told = list(_properties(item))
    return {
        "id": view.id(item.cloud, item.id),
        "href": view.member("hardware_profiles", item.cloud, item.id),
        "name": item.name,
        "properties": {one.name: figure(one.told.value) for one in told},
        "details": [_property_plain(one, view) for one in told],
    }


def _property_plain(one: _Property, view: View) -> dict[str, Any]:
    told = one.told
    plain: dict[str, Any] = {
        "name": one.name,
        "kind": told.kind.value,
        "unit": one.unit,
        "value": figure(told.value),
    }
    if plain["kind"] == "fixed":
        return plain
    plain["param"] = {
        "href": view.collection("instances"),
        "method": "post",
        "name": f"hwp_{one.name}",
        "operation": "create",
    }
    if told.choices:
        plain["enum"] = [figure(value) for value in told.choices]
    else:
        plain["range"] = {"first": _bound(told.first), "last": _bound(told.last)}
    return plain


def image_xml(item: Image, sheet: Sheet) -> str:
    """Return an image as a member of a list.

    Deltacloud's clients rely on the first four elements. They take an empty `hardware_profiles`
    to mean that no profile fits, so that it is left out where the cloud does not tell.
    """
    cloud = item.cloud
    profiles = "".join(
        f"      <hardware_profile {sheet.target('hardware_profiles', cloud, ident)}"
        " rel='hardware_profile'></hardware_profile>\n"
        for ident in item.hardware_profile_ids
    )
    if profiles:
        profiles = f"    <hardware_profiles>\n{profiles}    </hardware_profiles>\n"
    return (
        f"  <image {sheet.target('images', cloud, item.id)}>\n"
        f"    <name>{text(item.name)}</name>\n"
        f"    <description>{text(item.description)}</description>\n"
        f"    <owner_id>{text(item.owner_id or '')}</owner_id>\n"
        f"    <architecture>{text(item.architecture or '')}</architecture>\n"
        f"    <state>{item.state}</state>\n"
        f"{element('    ', 'creation_time', when(item.created_at))}"
        f"{profiles}"
        f"{element('    ', 'root_type', item.root_type)}"
        f"{actions(_image_links(item, sheet.view))}"
        "  </image>\n"
    )


def image_plain(item: Image, sheet: Sheet) -> dict[str, Any]:
    """Return an image for JSON."""
    view = sheet.view
    return {
        "id": view.id(item.cloud, item.id),
        "href": view.member("images", item.cloud, item.id),
        "name": item.name,
        "description": item.description,
        "owner": item.owner_id,
        "owner_id": item.owner_id,
        "architecture": item.architecture,
        "state": item.state.value,
        "root_type": item.root_type.value if item.root_type else None,
        "creation_time": when(item.created_at),
        "hardware_profiles": sheet.links(
            "hardware_profile", "hardware_profiles", item.cloud, item.hardware_profile_ids
        ),
        "actions": plain_actions(_image_links(item, view)),
    }


def _image_links(item: Image, view: View) -> list[Link]:
    cloud = item.cloud
    links: list[Link] = []
    if view.offers(cloud, "create_instance"):
        href = f"{view.collection('instances')};image_id={view.parameter(cloud, item.id)}"
        links.append(Link("create_instance", "post", href))
    if view.offers(cloud, "destroy_image"):
        links.append(Link("destroy_image", "delete", view.member("images", cloud, item.id)))
    return links
