"""Ports and volumes at a server."""

from __future__ import annotations

import uuid

from anabranch_openstack.simulator.compute.creation import make_nic
from anabranch_openstack.simulator.compute.lifecycle import check_lock, check_state
from anabranch_openstack.simulator.compute.records import Attachment, Nic
from anabranch_openstack.simulator.compute.servers import own_server
from anabranch_openstack.simulator.compute.validation import bad_value, objects, require
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    is_uuid,
    json_reply,
)

__all__ = ["routes"]

routes = Routes()

_PORTS = "/v2.1/servers/{server_id}/os-interface"
_VOLUMES = "/v2.1/servers/{server_id}/os-volume_attachments"
_WITH_PORTS = ("active", "paused", "stopped")
_WITH_VOLUMES = (*_WITH_PORTS, "resized", "soft-delete", "shelved", "shelved_offloaded")
_NOT_IN_USE = (
    "Invalid volume: Invalid input received: Invalid volume: Unable to detach volume. Volume status"
    " must be 'in-use' and attach_status must be 'attached' to detach. (HTTP 400)"
)


@routes.on("GET", _PORTS, policy="os_compute_api:os-attach-interfaces:list")
def list_ports(request: Request) -> Reply:
    """The ports of a server."""
    nics = own_server(request).nics
    return json_reply({"interfaceAttachments": [_port(request, nic) for nic in nics]})


@routes.on("GET", _PORTS + "/{port_id}", policy="os_compute_api:os-attach-interfaces:show")
def show_port(request: Request) -> Reply:
    """One port of a server."""
    nic = next((n for n in own_server(request).nics if n.port_id == request.args[1]), None)
    if nic is None:
        raise Refusal(404, f"Port id {request.args[1]} could not be found.")
    return json_reply({"interfaceAttachment": _port(request, nic)})


@routes.on("POST", _PORTS, policy="os_compute_api:os-attach-interfaces:create")
def attach_port(request: Request) -> Reply:
    """Attach a port that exists, or a new one in a network; done at once."""
    server = own_server(request)
    wanted = request.wants("interfaceAttachment")
    check_lock(request, server)
    check_state(server, "attach_interface", _WITH_PORTS)
    if wanted.get("port_id"):
        port_id = str(wanted["port_id"])
        networks = request.region.networks
        nic = networks.take_port(port_id, server.id)
        if nic is None and port_id in networks.ports:
            raise Refusal(409, f"Port {port_id} is still in use.")
        if nic is None:
            raise Refusal(404, f"Port id {port_id} could not be found.")
    else:
        usable = request.region.networks.usable(request.token.project_id)
        if not usable:
            raise Refusal(404, "No network available")
        fixed = objects("fixed_ips", wanted.get("fixed_ips", []))
        address = str(fixed[0].get("ip_address", "")) if fixed else ""
        nic = make_nic(request, str(wanted.get("net_id") or usable[0].id), address)
    server.nics = [*server.nics, nic]
    request.region.compute.touch(server, request.now)
    return json_reply({"interfaceAttachment": _port(request, nic)})


@routes.on("DELETE", _PORTS + "/{port_id}", policy="os_compute_api:os-attach-interfaces:delete")
def detach_port(request: Request) -> Reply:
    """Take a port away."""
    server = own_server(request)
    check_lock(request, server)
    check_state(server, "detach_interface", _WITH_PORTS)
    nic = next((n for n in server.nics if n.port_id == request.args[1]), None)
    if nic is None:
        raise Refusal(404, f"Port {request.args[1]} not found")
    server.nics = [n for n in server.nics if n is not nic]
    request.region.networks.give_back(nic)
    request.region.compute.touch(server, request.now)
    return Reply(status=202)


@routes.on("GET", _VOLUMES, policy="os_compute_api:os-volumes-attachments:index")
def list_volumes(request: Request) -> Reply:
    """The volumes at a server."""
    server = own_server(request)
    shown = [_volume(request, server.id, v) for v in server.volumes]
    return json_reply({"volumeAttachments": shown})


@routes.on("GET", _VOLUMES + "/{volume_id}", policy="os_compute_api:os-volumes-attachments:show")
def show_volume(request: Request) -> Reply:
    """One volume at a server."""
    attachment = _attachment(request)
    return json_reply({"volumeAttachment": _volume(request, request.args[0], attachment)})


@routes.on("POST", _VOLUMES, policy="os_compute_api:os-volumes-attachments:create")
def attach_volume(request: Request) -> Reply:
    """Attach a volume; the volume shows when it is done."""
    server = own_server(request)
    wanted = request.wants("volumeAttachment")
    require("volumeAttachment", wanted, "volumeId")
    volume_id = wanted["volumeId"]
    if not is_uuid(volume_id):
        raise bad_value("volumeId", volume_id, f"'{volume_id}' is not a 'uuid'")
    check_lock(request, server)
    check_state(server, "attach_volume", _WITH_VOLUMES)
    volumes = request.region.volumes
    volumes.advance(request.now)
    volume = volumes.own(volume_id, server.project_id)
    if volume is None:
        raise Refusal(404, f"Volume {volume_id} could not be found.")
    at = [a.server_id for a in volume.attachments]
    if server.id in at or (at and volume.status != "attaching"):
        raise Refusal(
            400,
            f"Invalid volume: volume {volume_id} is already attached to instances:"
            f" {volume.attachments[0].server_id}",
        )
    if volume.status != "available":
        raise Refusal(
            400,
            f"Invalid volume: Volume {volume_id} status must be available or downloading to"
            f" reserve, but the current status is {volume.status}.",
        )
    attachment = Attachment(
        id=str(uuid.uuid4()),
        volume_id=volume_id,
        device=str(wanted.get("device") or f"/dev/vd{chr(ord('b') + len(server.volumes))}"),
        bdm_id=str(uuid.uuid4()),
        delete_on_termination=bool(wanted.get("delete_on_termination")),
        tag=wanted.get("tag"),
    )
    delay = request.cloud.behaviour.state_delay
    volumes.attach(volume_id, server.id, attachment.id, attachment.device, request.now, delay)
    server.volumes = [*server.volumes, attachment]
    request.region.compute.touch(server, request.now)
    if request.version >= 101:
        return Reply(status=202, content_type="text/html; charset=UTF-8")
    return json_reply({"volumeAttachment": _volume(request, server.id, attachment)})


@routes.on(
    "DELETE", _VOLUMES + "/{volume_id}", policy="os_compute_api:os-volumes-attachments:delete"
)
def detach_volume(request: Request) -> Reply:
    """Take a volume away."""
    server = own_server(request)
    check_lock(request, server)
    check_state(server, "detach_volume", _WITH_VOLUMES)
    delay = request.cloud.behaviour.state_delay
    volumes = request.region.volumes
    volumes.advance(request.now)
    volume = volumes.own(request.args[1], server.project_id)
    if volume is None:
        raise Refusal(404, f"Volume {request.args[1]} could not be found.")
    at = [a.server_id for a in volume.attachments]
    if server.id in at and volume.status != "in-use":
        raise Refusal(400, _NOT_IN_USE)
    attachment = _attachment(request)
    volumes.detach(attachment.volume_id, server.id, request.now, delay)
    server.volumes = [v for v in server.volumes if v is not attachment]
    request.region.compute.touch(server, request.now)
    return Reply(status=202)


def _attachment(request: Request) -> Attachment:
    server = own_server(request)
    volume_id = request.args[1]
    for attachment in server.volumes:
        if attachment.volume_id == volume_id:
            return attachment
    raise Refusal(404, f"Instance {server.id} is not attached to volume {volume_id}")


def _port(request: Request, nic: Nic) -> Document:
    document: Document = {
        "net_id": nic.network_id,
        "port_id": nic.port_id,
        "mac_addr": nic.mac,
        "port_state": "ACTIVE",
        "fixed_ips": [{"subnet_id": nic.subnet_id, "ip_address": nic.address}],
    }
    if request.version >= 70:
        document["tag"] = None
    return document


def _volume(request: Request, server_id: str, attachment: Attachment) -> Document:
    version = request.version
    document: Document = {
        "serverId": server_id,
        "volumeId": attachment.volume_id,
        "device": attachment.device,
    }
    if version < 89:
        document["id"] = attachment.volume_id
    if version >= 70:
        document["tag"] = attachment.tag
    if version >= 79:
        document["delete_on_termination"] = attachment.delete_on_termination
    if version >= 89:
        document["attachment_id"] = attachment.id
        document["bdm_uuid"] = attachment.bdm_id
    return document
