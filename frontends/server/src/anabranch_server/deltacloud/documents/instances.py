"""Instances as documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from anabranch import InstanceAction, InstanceState
from anabranch.models import (
    AttachedVolume,
    Hardware,
    Instance,
    NetworkAddress,
    NetworkAddressKind,
)
from anabranch_server.deltacloud.documents.markup import attribute, element, figure, iso, text
from anabranch_server.deltacloud.documents.sheet import Sheet, actions, when
from anabranch_server.deltacloud.links import Link, View

__all__ = ["instance_plain", "instance_xml"]

_POSTED: Final = {
    InstanceAction.REBOOT: "reboot_instance",
    InstanceAction.START: "start_instance",
    InstanceAction.STOP: "stop_instance",
}
_HARDWARE: Final = (
    ("memory", "MB", "memory_mib"),
    ("storage", "GB", "storage_gb"),
    ("cpu", "count", "cpu"),
    ("architecture", "label", "architecture"),
)
_ADDRESS: Final = {kind: f"<address type='{kind.value}'>" for kind in NetworkAddressKind}
# Where the path and the parameter that name an instance go; neither can hold these characters.
_PATH: Final = "\0"
_PARAMETER: Final = "\1"


class _Common(NamedTuple):
    """What instances of one cloud, in one state, have in common.

    Attributes:
        state: The element.
        actions: The element, cut where the path of the instance goes.
        links: The same for JSON, not cut.
        parameter: Whether the parameter that names it goes in too, as it differs from the path.
    """

    state: str
    actions: tuple[str, ...]
    links: tuple[Link, ...]
    parameter: bool


def instance_xml(item: Instance, sheet: Sheet) -> str:
    """Return an instance as a member of a list."""
    cloud = item.cloud
    path, shown = sheet.names(cloud, item.id)
    key = ("state", cloud, item.state, item.actions)
    common: _Common = sheet.kept.get(key) or _make_common(item, sheet, key)
    can = path.join(common.actions)
    if common.parameter:
        can = can.replace(_PARAMETER, path.replace("/", "%2F"))
    owner = f"    <owner_id>{text(item.owner_id)}</owner_id>\n" if item.owner_id else ""
    launched = f"    <launch_time>{iso(t)}</launch_time>\n" if (t := item.launched_at) else ""
    rest = _rest(item, sheet)
    return (
        f"  <instance href='{sheet.root}/instances/{path}' id='{shown}'>\n"
        f"    <name>{text(item.name)}</name>\n"
        f"{owner}"
        f"{sheet.reference('image', 'images', cloud, item.image_id)}"
        f"{sheet.reference('realm', 'realms', cloud, item.realm_id)}"
        f"{common.state}"
        f"{_profile(item, sheet)}"
        f"{can}"
        f"{launched}"
        f"    <public_addresses>{_addresses(item.public_addresses)}</public_addresses>\n"
        f"    <private_addresses>{_addresses(item.private_addresses)}</private_addresses>\n"
        f"{rest}"
        "  </instance>\n"
    )


def _make_common(item: Instance, sheet: Sheet, key: tuple[object, ...]) -> _Common:
    # Where ids do not name their cloud, the parameter is the path.
    links = _links(item, sheet.view, _PARAMETER if sheet.view.qualified else _PATH)
    lines = actions(links)
    made = sheet.kept[key] = _Common(
        state=f"    <state>{item.state}</state>\n",
        actions=tuple(lines.split(_PATH)),
        links=tuple(links),
        parameter=_PARAMETER in lines,
    )
    return made


def _profile(item: Instance, sheet: Sheet) -> str:
    """Return the profile, with what the platform tells of the hardware itself."""
    profile_id, hardware = item.hardware_profile_id, item.hardware
    if hardware is None:
        return sheet.reference("hardware_profile", "hardware_profiles", item.cloud, profile_id)
    key = ("profile", item.cloud, profile_id, hardware)
    found: str | None = sheet.kept.get(key)
    if found is None:
        target = sheet.target("hardware_profiles", item.cloud, profile_id) if profile_id else ""
        inner = "".join(
            f"      <property kind='fixed' name='{name}' unit='{unit}'"
            f" value='{attribute(value)}'></property>\n"
            for name, unit, value in _told(hardware)
        )
        start = f"    <hardware_profile {target}>" if target else "    <hardware_profile>"
        found = sheet.kept[key] = f"{start}\n{inner}    </hardware_profile>\n"
    return found


def _addresses(addresses: tuple[NetworkAddress, ...]) -> str:
    if len(addresses) == 1 and addresses[0].port is None:
        return f"{_ADDRESS[addresses[0].kind]}{text(addresses[0].address)}</address>"
    return "".join(f"{_address_start(one)}{text(one.address)}</address>" for one in addresses)


def _address_start(address: NetworkAddress) -> str:
    if address.port is None:
        return _ADDRESS[address.kind]
    return f"<address port='{address.port}' type='{address.kind.value}'>"


_NO_VOLUMES: Final = "    <storage_volumes></storage_volumes>\n"


def _rest(item: Instance, sheet: Sheet) -> str:
    """Return firewalls, volumes, how to log in, and interfaces."""
    cloud = item.cloud
    parts: list[str] = []
    if item.firewall_ids:
        parts.append(
            sheet.references("firewalls", "firewall", "firewalls", cloud, item.firewall_ids)
        )
    if item.storage_volumes:
        inner = "".join(_volume(one, cloud, sheet) for one in item.storage_volumes)
        parts.append(f"    <storage_volumes>\n{inner}    </storage_volumes>\n")
    else:
        parts.append(_NO_VOLUMES)
    if item.authentication:
        parts.append(_authentication(*_login(item, sheet)))
    elif item.key_id:
        key = ("login", cloud, item.key_id)
        if not (found := sheet.kept.get(key)):
            login = _login(item, sheet)
            found = sheet.kept[key] = _authentication(*login)
        parts.append(found)
    if ids := item.network_interface_ids:
        name = "network_interface"
        parts.append(sheet.references(f"{name}s", name, f"{name}s", cloud, ids))
    return "".join(parts)


def _volume(one: AttachedVolume, cloud: str, sheet: Sheet) -> str:
    device = f" device='{attribute(one.device)}'" if one.device else ""
    target = sheet.target("storage_volumes", cloud, one.storage_volume_id)
    return f"      <storage_volume{device} {target}></storage_volume>\n"


def _authentication(kind: str, login: dict[str, str]) -> str:
    if not login:
        return ""
    inner = "".join(element("        ", name, value) for name, value in login.items())
    return (
        f"    <authentication type='{kind}'>\n      <login>\n{inner}"
        "      </login>\n    </authentication>\n"
    )


def instance_plain(item: Instance, sheet: Sheet) -> dict[str, Any]:
    """Return an instance for JSON."""
    view, cloud = sheet.view, item.cloud
    path = view.path(cloud, item.id)
    image = sheet.link("image", "images", cloud, item.image_id)
    realm = sheet.link("realm", "realms", cloud, item.realm_id)
    can = _plain_actions(item, sheet, path)
    kind, login = _login(item, sheet)
    return {
        "id": view.id(cloud, item.id),
        "href": f"{sheet.root}/instances/{path}",
        "name": item.name,
        "state": item.state.value,
        "owner": item.owner_id,
        "owner_id": item.owner_id,
        "image": image,
        "image_id": image.get("id"),
        "realm": realm,
        "realm_id": realm.get("id"),
        "actions": can,
        "hardware_profile": _plain_profile(item, sheet),
        "launch_time": when(item.launched_at),
        "public_addresses": [_plain_address(one) for one in item.public_addresses],
        "private_addresses": [_plain_address(one) for one in item.private_addresses],
        "create_image": bool(can) and can[-1]["rel"] == "create_image",
        "firewalls": sheet.links("firewall", "firewalls", cloud, item.firewall_ids),
        "storage_volumes": [_plain_volume(one, cloud, sheet) for one in item.storage_volumes],
        "network_interfaces": sheet.links(
            "network_interface", "network_interfaces", cloud, item.network_interface_ids
        ),
        "authentication_type": kind or None,
        "authentication": login,
    }


def _plain_actions(item: Instance, sheet: Sheet, path: str) -> list[dict[str, str]]:
    key = ("state", item.cloud, item.state, item.actions)
    common: _Common = sheet.kept.get(key) or _make_common(item, sheet, key)
    parameter = path.replace("/", "%2F")
    return [
        {
            "href": href.replace(_PATH, path).replace(_PARAMETER, parameter),
            "rel": rel,
            "method": method,
        }
        for rel, method, href in common.links
    ]


def _plain_profile(item: Instance, sheet: Sheet) -> dict[str, Any]:
    key = ("profile", item.cloud, item.hardware_profile_id, item.hardware)
    found: dict[str, Any] | None = sheet.kept.get(key)
    if found is None:
        name, ident = "hardware_profile", item.hardware_profile_id
        link = sheet.link(name, f"{name}s", item.cloud, ident)
        properties = {name: value for name, _, value in _told(item.hardware)}
        told = {**link, "properties": properties} if link or properties else {}
        found = sheet.kept[key] = told
    return found


def _plain_volume(one: AttachedVolume, cloud: str, sheet: Sheet) -> dict[str, Any]:
    link = sheet.link("storage_volume", "storage_volumes", cloud, one.storage_volume_id)
    return {**link, "device": one.device}


def _plain_address(address: NetworkAddress) -> dict[str, Any]:
    told: dict[str, Any] = {"address": address.address, "type": address.kind.value}
    return told if address.port is None else told | {"port": address.port}


def _told(hardware: Hardware | None) -> Iterator[tuple[str, str, str]]:
    """Yield name, unit and value of the hardware that is told of."""
    for name, unit, field in _HARDWARE if hardware else ():
        if (value := getattr(hardware, field)) is not None:
            yield name, unit, figure(value)


def _links(item: Instance, view: View, parameter: str) -> list[Link]:
    """Return what the state of an instance allows and its cloud offers.

    Its path is left open; so is the parameter, which is what `parameter` says.
    """
    cloud, member = item.cloud, f"{view.collection('instances')}/{_PATH}"
    links = [
        Link(action.value, "post", f"{member}/{action.value}")
        for action in item.actions
        if action in _POSTED and view.offers(cloud, _POSTED[action])
    ]
    if InstanceAction.DESTROY in item.actions and view.offers(cloud, "destroy_instance"):
        links.append(Link("destroy", "delete", member))
    if item.state is InstanceState.RUNNING and view.offers(cloud, "run_instance"):
        links.append(Link("run", "post", f"{member}/run;id={parameter}"))
    if InstanceAction.CREATE_IMAGE in item.actions and view.offers(cloud, "create_image"):
        href = f"{view.collection('images')};instance_id={parameter}"
        links.append(Link("create_image", "post", href))
    return links


def _login(item: Instance, sheet: Sheet) -> tuple[str, dict[str, str]]:
    """Return how to log in: by `key`, by `password` or not told, and with what."""
    told = item.authentication
    key_id = item.key_id or (told.key_id if told else None)
    login: dict[str, str] = {}
    if told and told.username:
        login["username"] = told.username
    if told and told.password and sheet.secrets:
        login["password"] = told.password.get_secret_value()
    if key_id:
        login["keyname"] = sheet.view.id(item.cloud, key_id)
    kind = "password" if "password" in login else "key" if login else ""
    return kind, login
