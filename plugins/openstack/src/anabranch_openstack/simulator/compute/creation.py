"""`POST /servers`."""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from typing import Any, cast

import msgspec

from anabranch_openstack.simulator.compute.documents import links
from anabranch_openstack.simulator.compute.lifecycle import begin
from anabranch_openstack.simulator.compute.records import (
    Attachment,
    Flavor,
    Nic,
    Server,
)
from anabranch_openstack.simulator.compute.validation import (
    bad_value,
    check_known,
    check_name,
    check_string,
    check_strings,
    objects,
    require,
)
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    compact_time,
    is_list,
    is_uuid,
    json_reply,
)

__all__ = ["check_tags", "create", "find_flavor", "find_image", "make_nic"]

_FIELDS = {
    *("name", "flavorRef", "imageRef", "adminPass", "metadata", "networks", "key_name"),
    *("availability_zone", "user_data", "security_groups", "min_count", "max_count"),
    *("return_reservation_id", "block_device_mapping", "block_device_mapping_v2"),
    *("config_drive", "accessIPv4", "accessIPv6", "personality"),
    *("OS-DCF:diskConfig", "os:scheduler_hints"),
}
_SINCE = {
    "description": 19,
    "tags": 52,
    "trusted_image_certificates": 63,
    "host": 74,
    "hypervisor_hostname": 74,
    "hostname": 90,
}
_TAG = re.compile(r"[^,/]*")


def create(request: Request) -> Reply:
    """Accept one or several servers; they are built by and by."""
    try:
        body = request.json()
    except ValueError as error:
        raise Refusal(400, "Malformed request body") from error
    wanted = request.wants("server")
    known = {*_FIELDS, *(name for name, since in _SINCE.items() if request.version >= since)}
    require("server", wanted, "name", "flavorRef")
    name = check_name("name", wanted["name"])
    networks = _check_networks(request, wanted)
    check_known("server", wanted, known)
    least, most = _counts(wanted)
    flavor = find_flavor(request, wanted["flavorRef"])
    image_id, properties = _source(request, wanted)
    template = _template(request, wanted, name, flavor, image_id)
    template.image_properties = properties
    hints: Any = wanted.get("os:scheduler_hints") or cast("Document", body).get(
        "os:scheduler_hints"
    )
    template.scheduler_hints = cast("Document", hints or {})
    least = _within_quota(request, flavor, least, most)
    servers = [_start(request, template, wanted, networks, i, least) for i in range(least)]
    if wanted.get("return_reservation_id"):
        return json_reply({"reservation_id": template.reservation_id}, 202)
    server = servers[0]
    document: Document = {
        "id": server.id,
        "links": links(request, "servers", server.id),
        "OS-DCF:diskConfig": server.disk_config,
        "security_groups": wanted.get("security_groups", [{"name": "default"}]),
        "adminPass": wanted.get("adminPass") or secrets.token_urlsafe(9),
    }
    location = f"{request.root}/v2.1/servers/{server.id}"
    return json_reply({"server": document}, 202, location=location)


def find_flavor(request: Request, reference: object) -> Flavor:
    """The flavor that a body refers to, by id or by the end of a URL.

    Raises:
        Refusal: There is none.
    """
    flavor_id = str(reference).rsplit("/", 1)[-1]
    flavor = request.region.compute.flavors.get(flavor_id)
    if flavor is None:
        raise Refusal(400, f"Flavor {flavor_id} could not be found.")
    return flavor


def find_image(request: Request, reference: object) -> str:
    """The id of the image that a body refers to.

    Raises:
        Refusal: It is no id, or there is no such image.
    """
    image_id = str(reference).rsplit("/", 1)[-1]
    if not is_uuid(image_id):
        raise bad_value(
            "imageRef", reference, f"'{reference}' is not valid under any of the given schemas"
        )
    image = request.region.images.visible(image_id, request.token.project_id)
    if image is None:
        raise Refusal(400, "Can not find requested image")
    if image.status != "active":
        raise Refusal(400, f"Image {image_id} is not active.")
    return image_id


def check_tags(value: object) -> list[str]:
    """Take a list of tags.

    Raises:
        Refusal: One is no tag.
    """
    if not is_list(value):
        raise bad_value("tags", value, f"{value!r} is not of type 'array'")
    tags: list[str] = []
    for index, item in enumerate(value):
        tag = check_string(str(index), item, 60)
        if not _TAG.fullmatch(tag):
            raise bad_value(str(index), tag, f"'{tag}' does not match '^[^,/]*$'")
        tags.append(tag)
    return list(dict.fromkeys(tags))


def make_nic(request: Request, network_id: str, fixed_ip: str = "") -> Nic:
    """A new port of nova's on a network.

    Raises:
        Refusal: There is no such network, or nothing in it to take an address from.
    """
    networks = request.region.networks
    network = networks.visible(network_id, request.token.project_id)
    if network is None:
        raise Refusal(400, f"Network {network_id} could not be found.")
    subnet = networks.first_subnet(network_id)
    if subnet is None:
        raise Refusal(400, f"Network {network_id} requires a subnet in order to boot instances on.")
    return Nic(
        port_id=str(uuid.uuid4()),
        network_id=network.id,
        network=network.name,
        subnet_id=subnet.id,
        address=fixed_ip or networks.free_address(subnet),
        mac=networks.free_mac(),
    )


def _check_networks(request: Request, wanted: Document) -> list[Document] | str:
    value = wanted.get("networks")
    if request.version >= 37:
        require("server", wanted, "networks")
        if isinstance(value, str):
            if value not in ("auto", "none"):
                raise bad_value(
                    "networks", value, f"'{value}' is not valid under any of the given schemas"
                )
            return value
    return "auto" if value is None else objects("networks", value)


def _counts(wanted: Document) -> tuple[int, int]:
    counts: list[int] = []
    for field in ("min_count", "max_count"):
        value: Any = wanted.get(field, wanted.get("min_count", 1))
        if not str(value).isdecimal() or int(value) < 1:
            raise bad_value(field, value, f"{value} is less than the minimum of 1")
        counts.append(int(value))
    if counts[0] > counts[1]:
        raise Refusal(400, "min_count must be <= max_count")
    return counts[0], counts[1]


def _source(request: Request, wanted: Document) -> tuple[str | None, dict[str, str]]:
    reference = wanted.get("imageRef")
    devices = wanted.get("block_device_mapping_v2") or wanted.get("block_device_mapping")
    if not reference:
        if not devices:
            raise Refusal(400, "Missing imageRef attribute")
        return None, {}
    image_id = find_image(request, reference)
    image = request.region.images.images[image_id]
    return image_id, {k: v for k, v in image.properties.items() if not k.startswith("owner_")}


def _template(
    request: Request, wanted: Document, name: str, flavor: Flavor, image_id: str | None
) -> Server:
    compute, token = request.region.compute, request.token
    key_name = wanted.get("key_name")
    if key_name is not None and key_name not in compute.keys_of(token.user.id):
        raise Refusal(400, "Invalid key_name provided.")
    zone = wanted.get("availability_zone")
    if zone is not None and zone not in compute.zones:
        raise Refusal(400, "The requested availability zone is not available")
    user_data = wanted.get("user_data")
    if user_data is not None:
        check_string("user_data", user_data, 65535)
    groups = [str(g.get("name")) for g in objects("security_groups", _groups(wanted))]
    for group in groups:
        if request.region.networks.find_group(group, token.project_id) is None:
            raise Refusal(400, f"Unable to find security_group with name or id '{group}'")
    description = wanted.get("description")
    return Server(
        id="",
        name=name,
        project_id=token.project_id,
        user_id=token.user.id,
        created=request.now,
        updated=request.now,
        flavor=flavor,
        image_id=image_id,
        key_name=key_name,
        zone=zone or "",
        pinned_zone=zone,
        metadata=check_strings(wanted.get("metadata", {})),
        tags=check_tags(wanted.get("tags", [])),
        description=None if description is None else check_string("description", description),
        security_groups=list(dict.fromkeys(groups)),
        access_ipv4=str(wanted.get("accessIPv4") or ""),
        access_ipv6=str(wanted.get("accessIPv6") or ""),
        config_drive="True" if wanted.get("config_drive") else "",
        disk_config=str(wanted.get("OS-DCF:diskConfig", "MANUAL")),
        user_data=user_data,
        reservation_id=f"r-{secrets.token_hex(4)}",
        hostname=str(wanted.get("hostname") or ""),
    )


def _groups(wanted: Document) -> Any:
    return wanted.get("security_groups", [{"name": "default"}])


def _within_quota(request: Request, flavor: Flavor, least: int, most: int) -> int:
    compute, project_id = request.region.compute, request.token.project_id
    quota = compute.quota(project_id)
    mine = [s for s in compute.servers.values() if s.project_id == project_id]
    used = {
        "instances": (len(mine), quota.instances, 1),
        "cores": (sum(s.flavor.vcpus for s in mine), quota.cores, flavor.vcpus),
        "ram": (sum(s.flavor.ram for s in mine), quota.ram, flavor.ram),
    }
    for number in range(most, least - 1, -1):
        over = [
            (name, number * each, have, limit)
            for name, (have, limit, each) in used.items()
            if limit >= 0 and have + number * each > limit
        ]
        if not over:
            return number
        if number == least:
            names = ", ".join(name for name, *_ in over)
            requested = ", ".join(str(asked) for _, asked, *_ in over)
            have = ", ".join(str(have) for *_, have, _ in over)
            limits = ", ".join(f"{limit} {name}" for name, *_, limit in over)
            raise Refusal(
                403,
                f"Quota exceeded for {names}: Requested {requested},"
                f" but already used {have} of {limits}",
            )
    return least


def _start(
    request: Request,
    template: Server,
    wanted: Document,
    networks: list[Document] | str,
    index: int,
    number: int,
) -> Server:
    compute = request.region.compute
    name = template.name if number == 1 else f"{template.name}-{index + 1}"
    server = msgspec.structs.replace(
        template,
        id=str(uuid.uuid4()),
        name=name,
        hostname=template.hostname or re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-"),
        metadata=dict(template.metadata),
        actions=[("create", request.request_id, request.now)],
        encoded={},
    )
    nics = _nics(request, server, networks)
    volumes = _volumes(request, server, wanted)
    zones = compute.zones
    finished = request.now + request.cloud.behaviour.state_delay

    def built(server: Server) -> None:
        server.nics = nics
        server.volumes = volumes
        server.zone = server.zone or zones[sum(server.id.encode()) % len(zones)]
        server.host_id = hashlib.sha224((server.project_id + server.zone).encode()).hexdigest()
        server.launched = finished

    compute.add(server)
    server.power_state = 0
    fails = server.metadata.get("simulator_fail")
    tasks = [("building", task) for task in ("scheduling", None, "networking", "spawning")]
    if fails is None:
        begin(request, server, tasks, "active", built)
    else:
        begin(request, server, tasks, "error", lambda s: _fail(s, fails, request.now))
    return server


def _fail(server: Server, message: str, now: float) -> None:
    server.fault = {
        "code": 500,
        "created": compact_time(now),
        "message": message or "No valid host was found. There are not enough hosts available.",
    }


def _nics(request: Request, server: Server, networks: list[Document] | str) -> list[Nic]:
    if networks == "none":
        return []
    if isinstance(networks, str) or not networks:
        found = request.region.networks.usable(request.token.project_id)
        return [make_nic(request, found[0].id)] if found else []
    nics: list[Nic] = []
    for item in networks:
        if "port" in item:
            nic = request.region.networks.take_port(str(item["port"]), server.id)
            if nic is None:
                raise Refusal(400, f"Port {item['port']} could not be found.")
            nics.append(nic)
            continue
        network_id = str(item.get("uuid"))
        if not is_uuid(network_id):
            raise Refusal(
                400,
                f"Bad networks format: network uuid is not in proper format ({network_id})",
            )
        nics.append(make_nic(request, network_id, str(item.get("fixed_ip") or "")))
    return nics


def _volumes(request: Request, server: Server, wanted: Document) -> list[Attachment]:
    devices = objects("block_device_mapping_v2", wanted.get("block_device_mapping_v2") or [])
    attached: list[Attachment] = []
    for index, device in enumerate(devices):
        source, destination = device.get("source_type"), device.get("destination_type")
        if source == "volume":
            volume_id = str(device.get("uuid"))
            if volume_id not in request.region.volumes.volumes:
                raise Refusal(
                    400, f"Block Device Mapping is Invalid: failed to get volume {volume_id}."
                )
        elif destination == "volume":
            size = int(device.get("volume_size") or server.flavor.disk or 1)
            volume_id = request.region.volumes.make(request, size).id
        else:
            continue
        attachment = Attachment(
            id=str(uuid.uuid4()),
            volume_id=volume_id,
            device=f"/dev/vd{chr(ord('a') + index)}",
            bdm_id=str(uuid.uuid4()),
            delete_on_termination=bool(device.get("delete_on_termination")),
            tag=device.get("tag"),
        )
        request.region.volumes.attach(
            volume_id, server.id, attachment.id, attachment.device, request.now
        )
        attached.append(attachment)
    return attached
