"""Instances as documents.

Lists of them are what is asked for most, and most of what they say recurs: it is made once for
each cloud and document. What is left for each instance takes a few microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from anabranch import InstanceAction, InstanceState
from anabranch.models import (
    AttachedVolume,
    Hardware,
    Instance,
    NetworkAddress,
    NetworkAddressKind,
)
from anabranch_server.deltacloud.documents.markup import attribute, element, figure, iso, text
from anabranch_server.deltacloud.documents.plain import encode
from anabranch_server.deltacloud.documents.sheet import Memo, Sheet, actions, plain_actions, when
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
_TYPE: Final = {kind: f"type='{kind.value}'" for kind in NetworkAddressKind}
_NO_VOLUMES: Final = "    <storage_volumes></storage_volumes>\n"
# Where the path and the parameter that name an instance go; neither can hold these characters.
_PATH: Final = "\0"
_PARAMETER: Final = "\1"

_State = tuple[InstanceState, tuple[InstanceAction, ...]]
_Profile = tuple[str | None, Hardware | None]


class _Actions(NamedTuple):
    """What instances of one cloud can do in one state.

    Attributes:
        state: The state, as it is written.
        create_image: Whether an image can be made.
        parts: The actions as they are written, cut where the path of the instance goes.
        parameter: What stands where the parameter goes that names it; empty where it is the path.
    """

    state: str
    create_image: bool
    parts: tuple[str, ...]
    parameter: str

    def of(self, path: str) -> str:
        """Return the actions of the instance that has this path."""
        whole = path.join(self.parts)
        if self.parameter:
            whole = whole.replace(self.parameter, path.replace("/", "%2F"))
        return whole


class _Desk(NamedTuple):
    """What recurs among the instances of one cloud, as it is written."""

    actions: Memo[_State, _Actions]
    owner: Memo[str | None, Any]
    image: Memo[str | None, Any]
    realm: Memo[str | None, Any]
    profile: Memo[_Profile, Any]
    firewalls: Memo[tuple[str, ...], Any]
    login: Memo[str | None, Any]


def instance_xml(item: Instance, sheet: Sheet) -> str:
    """Return an instance as a member of a list."""
    cloud = item.cloud
    desk: _Desk = sheet.kept.get(cloud) or _xml_desk(cloud, sheet)
    path, shown = sheet.names(cloud, item.id)
    can = desk.actions[item.state, item.actions]
    launched = f"    <launch_time>{iso(t)}</launch_time>\n" if (t := item.launched_at) else ""
    return (
        f"  <instance href='{sheet.root}/instances/{path}' id='{shown}'>\n"
        f"    <name>{text(item.name)}</name>\n"
        f"{desk.owner[item.owner_id]}"
        f"{desk.image[item.image_id]}"
        f"{desk.realm[item.realm_id]}"
        f"{can.state}"
        f"{desk.profile[item.hardware_profile_id, item.hardware]}"
        f"{can.of(path)}"
        f"{launched}"
        f"    <public_addresses>{_addresses(item.public_addresses)}</public_addresses>\n"
        f"    <private_addresses>{_addresses(item.private_addresses)}</private_addresses>\n"
        f"{desk.firewalls[item.firewall_ids]}"
        f"{_volumes(item, sheet) if item.storage_volumes else _NO_VOLUMES}"
        f"{_login_xml(item, sheet) if item.authentication else desk.login[item.key_id]}"
        f"{_interfaces(item, sheet) if item.network_interface_ids else ''}"
        "  </instance>\n"
    )


def _xml_desk(cloud: str, sheet: Sheet) -> _Desk:
    def can(key: _State) -> _Actions:
        links = _links(cloud, *key, sheet.view)
        parameter = _PARAMETER if sheet.view.qualified else ""
        state = f"    <state>{key[0]}</state>\n"
        return _Actions(state, _can_image(links), tuple(actions(links).split(_PATH)), parameter)

    def firewalls(idents: tuple[str, ...]) -> str:
        if not idents:
            return ""
        return sheet.references("firewalls", "firewall", "firewalls", cloud, idents)

    def login(ident: str | None) -> str:
        return _authentication(_login(cloud, ident, sheet))

    desk = sheet.kept[cloud] = _Desk(
        actions=Memo(can),
        owner=Memo(partial(element, "    ", "owner_id")),
        image=Memo(partial(sheet.reference, "image", "images", cloud)),
        realm=Memo(partial(sheet.reference, "realm", "realms", cloud)),
        profile=Memo(partial(_profile, cloud, sheet)),
        firewalls=Memo(firewalls),
        login=Memo(login),
    )
    return desk


def _profile(cloud: str, sheet: Sheet, key: _Profile) -> str:
    """Return the profile, with what the platform tells of the hardware itself."""
    ident, hardware = key
    if not (ident or hardware):
        return ""
    start = "<hardware_profile"
    if ident:
        start += f" {sheet.target('hardware_profiles', cloud, ident)}"
    inner = "".join(
        f"      <property kind='fixed' name='{name}' unit='{unit}'"
        f" value='{attribute(value)}'></property>\n"
        for name, unit, value in _told(hardware)
    )
    return f"    {start}>\n{inner}    </hardware_profile>\n"


def _addresses(addresses: tuple[NetworkAddress, ...]) -> str:
    told = ""
    for one in addresses:
        port = "" if one.port is None else f"port='{one.port}' "
        told += f"<address {port}{_TYPE[one.kind]}>{text(one.address)}</address>"
    return told


def _volumes(item: Instance, sheet: Sheet) -> str:
    inner = "".join(_volume(one, item.cloud, sheet) for one in item.storage_volumes)
    return f"    <storage_volumes>\n{inner}    </storage_volumes>\n"


def _volume(one: AttachedVolume, cloud: str, sheet: Sheet) -> str:
    device = f" device='{attribute(one.device)}'" if one.device else ""
    target = sheet.target("storage_volumes", cloud, one.storage_volume_id)
    return f"      <storage_volume{device} {target}></storage_volume>\n"


def _interfaces(item: Instance, sheet: Sheet) -> str:
    return sheet.references(
        "network_interfaces",
        "network_interface",
        "network_interfaces",
        item.cloud,
        item.network_interface_ids,
    )


def _login_xml(item: Instance, sheet: Sheet) -> str:
    return _authentication(_login(item.cloud, item.key_id, sheet, item))


def _authentication(login: dict[str, str]) -> str:
    if not login:
        return ""
    inner = "".join(element("        ", name, value) for name, value in login.items())
    return (
        f"    <authentication type='{_kind(login)}'>\n      <login>\n{inner}"
        "      </login>\n    </authentication>\n"
    )


def instance_plain(item: Instance, sheet: Sheet) -> dict[str, Any]:
    """Return an instance for JSON."""
    cloud = item.cloud
    desk: _Desk = sheet.kept.get(cloud) or _plain_desk(cloud, sheet)
    path, shown = sheet.plain_names(cloud, item.id)
    image, image_id = desk.image[item.image_id]
    realm, realm_id = desk.realm[item.realm_id]
    can = desk.actions[item.state, item.actions]
    links = can.of(path)
    if item.authentication:
        login = _login(cloud, item.key_id, sheet, item)
        kind = _kind(login)
    else:
        kind, login = desk.login[item.key_id]
    volumes = item.storage_volumes
    return {
        "id": shown,
        "href": f"{sheet.root}/instances/{path}",
        "name": item.name,
        "state": item.state,
        "owner": (owner := desk.owner[item.owner_id]),
        "owner_id": owner,
        "image": image,
        "image_id": image_id,
        "realm": realm,
        "realm_id": realm_id,
        "actions": msgspec.Raw(links) if sheet.encoded else msgspec.json.decode(links),
        "hardware_profile": desk.profile[item.hardware_profile_id, item.hardware],
        "launch_time": when(item.launched_at),
        "public_addresses": [_plain_address(one) for one in item.public_addresses],
        "private_addresses": [_plain_address(one) for one in item.private_addresses],
        "create_image": can.create_image,
        "firewalls": desk.firewalls[item.firewall_ids],
        "storage_volumes": [_plain_volume(one, cloud, sheet) for one in volumes] if volumes else [],
        "network_interfaces": sheet.links(
            "network_interface", "network_interfaces", cloud, item.network_interface_ids
        ),
        "authentication_type": kind,
        "authentication": login,
    }


def _plain_desk(cloud: str, sheet: Sheet) -> _Desk:
    def keep(plain: Any) -> Any:
        return msgspec.Raw(encode(plain)) if sheet.encoded else plain

    def can(key: _State) -> _Actions:
        links = _links(cloud, *key, sheet.view)
        told = encode(plain_actions(links)).decode()
        path, parameter = (encode(mark).decode()[1:-1] for mark in (_PATH, _PARAMETER))
        parts = tuple(told.split(path))
        return _Actions(key[0], _can_image(links), parts, parameter if sheet.view.qualified else "")

    def link(rel: str, collection: str, ident: str | None) -> tuple[Any, Any]:
        told = sheet.link(rel, collection, cloud, ident)
        return keep(told), keep(told.get("id"))

    def profile(key: _Profile) -> Any:
        return keep(_plain_profile(cloud, sheet, key))

    def firewalls(idents: tuple[str, ...]) -> Any:
        return keep(sheet.links("firewall", "firewalls", cloud, idents))

    def login(ident: str | None) -> tuple[str | None, Any]:
        told = _login(cloud, ident, sheet)
        return _kind(told), keep(told)

    desk = sheet.kept[cloud] = _Desk(
        actions=Memo(can),
        owner=Memo(keep),
        image=Memo(partial(link, "image", "images")),
        realm=Memo(partial(link, "realm", "realms")),
        profile=Memo(profile),
        firewalls=Memo(firewalls),
        login=Memo(login),
    )
    return desk


def _plain_profile(cloud: str, sheet: Sheet, key: _Profile) -> dict[str, Any]:
    ident, hardware = key
    link = sheet.link("hardware_profile", "hardware_profiles", cloud, ident)
    properties = {name: value for name, _, value in _told(hardware)}
    return {**link, "properties": properties} if link or hardware else {}


def _plain_volume(one: AttachedVolume, cloud: str, sheet: Sheet) -> dict[str, Any]:
    link = sheet.link("storage_volume", "storage_volumes", cloud, one.storage_volume_id)
    return {**link, "device": one.device}


def _plain_address(address: NetworkAddress) -> dict[str, Any]:
    if address.port is None:
        return {"address": address.address, "type": address.kind}
    return {"address": address.address, "type": address.kind, "port": address.port}


def _told(hardware: Hardware | None) -> Iterator[tuple[str, str, str]]:
    """Yield name, unit and value of the hardware that is told of."""
    for name, unit, field in _HARDWARE if hardware else ():
        if (value := getattr(hardware, field)) is not None:
            yield name, unit, figure(value)


def _links(
    cloud: str, state: InstanceState, can: tuple[InstanceAction, ...], view: View
) -> list[Link]:
    """Return what a state allows and a cloud offers, of an instance that is yet to be named."""
    member = f"{view.collection('instances')}/{_PATH}"
    parameter = _PARAMETER if view.qualified else _PATH
    links = [
        Link(action.value, "post", f"{member}/{action.value}")
        for action in can
        if action in _POSTED and view.offers(cloud, _POSTED[action])
    ]
    if InstanceAction.DESTROY in can and view.offers(cloud, "destroy_instance"):
        links.append(Link("destroy", "delete", member))
    if state is InstanceState.RUNNING and view.offers(cloud, "run_instance"):
        links.append(Link("run", "post", f"{member}/run;id={parameter}"))
    if InstanceAction.CREATE_IMAGE in can and view.offers(cloud, "create_image"):
        href = f"{view.collection('images')};instance_id={parameter}"
        links.append(Link("create_image", "post", href))
    return links


def _can_image(links: list[Link]) -> bool:
    return any(link.rel == "create_image" for link in links)


def _login(
    cloud: str, key_id: str | None, sheet: Sheet, item: Instance | None = None
) -> dict[str, str]:
    """Return with what to log in: all that the instance tells, or the key alone."""
    told = item.authentication if item else None
    login: dict[str, str] = {}
    if told and told.username:
        login["username"] = told.username
    if told and told.password and sheet.secrets:
        login["password"] = told.password.get_secret_value()
    if ident := key_id or (told.key_id if told else None):
        login["keyname"] = sheet.view.id(cloud, ident)
    return login


def _kind(login: dict[str, str]) -> str | None:
    """Return by what to log in: `password`, `key`, or nothing that is known."""
    return "password" if "password" in login else "key" if login else None
