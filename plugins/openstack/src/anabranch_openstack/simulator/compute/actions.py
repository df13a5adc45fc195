"""`/servers/{id}/action` and consoles."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from anabranch_openstack.simulator.compute.creation import find_flavor, find_image
from anabranch_openstack.simulator.compute.documents import server_detail
from anabranch_openstack.simulator.compute.lifecycle import (
    begin,
    check_lock,
    check_state,
    conflict,
)
from anabranch_openstack.simulator.compute.records import Flavor, Server
from anabranch_openstack.simulator.compute.servers import delete_server, own_server
from anabranch_openstack.simulator.compute.validation import (
    bad_value,
    check_name,
    check_strings,
    require,
)
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.service import NOT_FOUND
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    json_reply,
    precise_time,
)

__all__ = ["routes"]

routes = Routes()

Action = Callable[[Request, Server, Any], Reply]

_SNAPSHOTABLE = ("active", "stopped", "paused", "suspended")
_HARD_REBOOTABLE = (*_SNAPSHOTABLE, "error")
_REBOOT_TASKS = (
    *(None, "rebooting", "reboot_pending", "reboot_started"),
    *("rebooting_hard", "pausing", "resuming", "suspending", "unpausing"),
)
_CONSOLES = {"vnc": ("novnc", "xvpvnc"), "spice": ("spice-html5",), "serial": ("serial",)}


def _accepted() -> Reply:
    return Reply(status=202)


def _plain(
    name: str,
    shown: str,
    allowed: tuple[str, ...],
    task: str,
    final: str,
    needs_host: bool = False,
) -> tuple[str, Action]:
    """An action without parameters: one task, then another state."""

    def act(request: Request, server: Server, parameters: Any) -> Reply:
        del parameters
        check_lock(request, server)
        if needs_host and not server.host_id:
            raise conflict(f"Instance {server.id} is not ready")
        check_state(server, shown, allowed)
        begin(request, server, [(server.vm_state, task)], final)
        return _accepted()

    return name, act


def _reboot(request: Request, server: Server, parameters: Any) -> Reply:
    document = _object("reboot", parameters)
    require("reboot", document, "type")
    spellings = ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]
    if document["type"] not in spellings:
        raise bad_value("type", document["type"], f"{document['type']!r} is not one of {spellings}")
    check_lock(request, server)
    if document["type"].upper() == "SOFT":
        check_state(server, "reboot", ("active",))
        tasks = [("active", "rebooting"), ("active", "reboot_started")]
    else:
        check_state(server, "reboot", _HARD_REBOOTABLE, _REBOOT_TASKS)
        tasks = [(server.vm_state, "rebooting_hard"), (server.vm_state, "reboot_started_hard")]
    begin(request, server, tasks, "active")
    return _accepted()


def _shelve(request: Request, server: Server, parameters: Any) -> Reply:
    del parameters
    check_lock(request, server)
    check_state(server, "shelve", _SNAPSHOTABLE)
    tasks = [
        (server.vm_state, "shelving"),
        (server.vm_state, "shelving_image_uploading"),
        ("shelved", "shelving_offloading"),
    ]
    begin(request, server, tasks, "shelved_offloaded")
    return _accepted()


def _unshelve(request: Request, server: Server, parameters: Any) -> Reply:
    del parameters
    check_lock(request, server)
    check_state(server, "unshelve", ("shelved", "shelved_offloaded"))
    begin(request, server, [(server.vm_state, t) for t in ("unshelving", "spawning")], "active")
    return _accepted()


def _rescue(request: Request, server: Server, parameters: Any) -> Reply:
    check_lock(request, server)
    check_state(server, "rescue", ("active", "stopped", "error"))
    begin(request, server, [(server.vm_state, "rescuing")], "rescued")
    given = cast("Document", parameters) if isinstance(parameters, dict) else {}
    return json_reply({"adminPass": given.get("adminPass") or secrets.token_urlsafe(9)})


def _resize(request: Request, server: Server, parameters: Any) -> Reply:
    document = _object("resize", parameters)
    require("resize", document, "flavorRef")
    check_lock(request, server)
    flavor = find_flavor(request, document["flavorRef"])
    check_state(server, "resize", ("active", "stopped"))
    if flavor is server.flavor:
        raise Refusal(400, "When resizing, instances must change flavor!")
    _check_resize_quota(request, server, flavor)
    old = server.flavor
    server.state_before_resize = server.vm_state

    def moved(server: Server) -> None:
        server.before_resize = old
        server.flavor = flavor

    steps = ("resize_prep", "resize_migrating", "resize_migrated", "resize_finish")
    begin(request, server, [(server.vm_state, task) for task in steps], "resized", moved)
    return _accepted()


def _check_resize_quota(request: Request, server: Server, flavor: Flavor) -> None:
    compute = request.region.compute
    quota = compute.quota(server.project_id)
    others = [s for s in compute.servers.values() if s.project_id == server.project_id]
    for name, extra, used, limit in (
        (
            "cores",
            flavor.vcpus - server.flavor.vcpus,
            sum(s.flavor.vcpus for s in others),
            quota.cores,
        ),
        ("ram", flavor.ram - server.flavor.ram, sum(s.flavor.ram for s in others), quota.ram),
    ):
        if 0 <= limit < used + extra and extra > 0:
            raise Refusal(
                403,
                f"Quota exceeded for {name}: Requested {extra},"
                f" but already used {used} of {limit} {name}",
            )


def _confirm_resize(request: Request, server: Server, parameters: Any) -> Reply:
    del parameters
    check_lock(request, server)
    check_state(server, "confirmResize", ("resized",))
    # The task stays empty all the time: the state alone shows that it is not confirmed yet.
    begin(request, server, [("resized", None)], server.state_before_resize, _forget_resize)
    return Reply(status=204)


def _revert_resize(request: Request, server: Server, parameters: Any) -> Reply:
    del parameters
    check_lock(request, server)
    check_state(server, "revertResize", ("resized",))
    old = server.before_resize or server.flavor

    def back(server: Server) -> None:
        server.flavor = old
        _forget_resize(server)

    task = [("resized", "resize_reverting")]
    begin(request, server, task, server.state_before_resize, back)
    return _accepted()


def _forget_resize(server: Server) -> None:
    server.before_resize = None


def _rebuild(request: Request, server: Server, parameters: Any) -> Reply:
    document = _object("rebuild", parameters)
    require("rebuild", document, "imageRef")
    check_lock(request, server)
    image_id = find_image(request, document["imageRef"])
    check_state(server, "rebuild", ("active", "stopped", "error"))
    server.image_id = image_id
    if "name" in document:
        server.name = check_name("name", document["name"])
    if "metadata" in document:
        server.metadata = check_strings(document["metadata"])
    server.fault = None
    steps = ("rebuilding", "rebuild_block_device_mapping", "rebuild_spawning")
    final = "stopped" if server.vm_state == "stopped" else "active"
    begin(request, server, [(server.vm_state, task) for task in steps], final)
    shown = server_detail(request, server, one=True, after_change=True)
    shown["adminPass"] = document.get("adminPass") or secrets.token_urlsafe(9)
    location = f"{request.root}/v2.1/servers/{server.id}"
    return json_reply({"server": shown}, 202, location=location)


def _create_image(request: Request, server: Server, parameters: Any) -> Reply:
    document = _object("createImage", parameters)
    require("createImage", document, "name")
    name = check_name("name", document["name"])
    metadata = check_strings(document.get("metadata", {}))
    check_state(server, "createImage", _SNAPSHOTABLE)
    images = request.region.images
    properties = {
        "image_type": "snapshot",
        "instance_uuid": server.id,
        "user_id": server.user_id,
        "base_image_ref": server.image_id or "",
        **metadata,
    }
    image = images.make(request, name, properties, min_disk=server.flavor.disk)
    image.disk_format, image.container_format = "qcow2", "bare"
    delay = request.cloud.behaviour.state_delay
    images.fill_later(image, request.now, delay, b"snapshot of " + server.id.encode())
    tasks = ("image_snapshot_pending", "image_snapshot", "image_uploading")
    begin(request, server, [(server.vm_state, task) for task in tasks], server.vm_state)
    if request.version >= 45:
        return json_reply({"image_id": image.id}, 202)
    location = f"{request.host}{request.region.prefix}/image//images/{image.id}"
    return Reply(status=202, content_type="text/html", headers=[("location", location)])


def _lock(request: Request, server: Server, parameters: Any) -> Reply:
    server.locked = True
    if request.version >= 73 and isinstance(parameters, dict):
        server.locked_reason = cast("Document", parameters).get("locked_reason")
    request.region.compute.touch(server, request.now)
    return _accepted()


def _unlock(request: Request, server: Server, parameters: Any) -> Reply:
    del parameters
    server.locked, server.locked_reason = False, None
    request.region.compute.touch(server, request.now)
    return _accepted()


def _console_output(request: Request, server: Server, parameters: Any) -> Reply:
    del request
    document = _object("os-getConsoleOutput", parameters)
    lines = [f"[    0.{n:06d}] {server.name}: line {n}" for n in range(1, 40)]
    lines.append(f"{server.hostname} login:")
    length = document.get("length")
    if length is not None:
        lines = lines[-int(length) :]
    return json_reply({"output": "\n".join(lines)})


def _change_password(request: Request, server: Server, parameters: Any) -> Reply:
    require("changePassword", _object("changePassword", parameters), "adminPass")
    check_lock(request, server)
    check_state(server, "changePassword", ("active",))
    begin(request, server, [("active", "updating_password")], "active")
    return _accepted()


def _security_group(
    request: Request, server: Server, parameters: Any, *, action: str, add: bool
) -> Reply:
    document = _object(action, parameters)
    require(action, document, "name")
    name = str(document["name"])
    group = request.region.networks.find_group(name, server.project_id)
    if group is None:
        raise Refusal(404, f"Security group {name} is not found for project {server.project_id}")
    names = [n for n in server.security_groups if n not in (group["name"], group["id"])]
    if not add and len(names) == len(server.security_groups):
        raise Refusal(
            404,
            f"Security group {name} not associated with the instance {server.id}",
        )
    server.security_groups = [*names, group["name"]] if add else names
    request.region.compute.touch(server, request.now)
    return _accepted()


def _force_delete(request: Request, server: Server, parameters: Any) -> Reply:
    del server, parameters
    delete_server(request)
    return _accepted()


def _restore(request: Request, server: Server, parameters: Any) -> Reply:
    del request, parameters
    check_state(server, "restore", ("soft-delete",))
    return _accepted()


def _old_console(request: Request, server: Server, parameters: Any, *, protocol: str) -> Reply:
    if request.version >= 6:
        raise Refusal(404, NOT_FOUND)
    kind = str(_object("console", parameters).get("type"))
    url = _console_url(request, server, protocol, kind)
    return json_reply({"console": {"type": kind, "url": url}})


_PLAIN_ACTIONS: dict[str, Action] = dict(
    [
        _plain("os-start", "start", ("stopped",), "powering-on", "active", needs_host=True),
        _plain("os-stop", "stop", ("active", "error"), "powering-off", "stopped", needs_host=True),
        _plain("pause", "pause", ("active",), "pausing", "paused"),
        _plain("unpause", "unpause", ("paused",), "unpausing", "active"),
        _plain("suspend", "suspend", ("active",), "suspending", "suspended"),
        _plain("resume", "resume", ("suspended",), "resuming", "active"),
        _plain("unrescue", "unrescue", ("rescued",), "unrescuing", "active"),
    ]
)
_ACTIONS: dict[str, Action] = {
    **_PLAIN_ACTIONS,
    "reboot": _reboot,
    "shelve": _shelve,
    "unshelve": _unshelve,
    "rescue": _rescue,
    "resize": _resize,
    "confirmResize": _confirm_resize,
    "revertResize": _revert_resize,
    "rebuild": _rebuild,
    "createImage": _create_image,
    "lock": _lock,
    "unlock": _unlock,
    "changePassword": _change_password,
    "os-getConsoleOutput": _console_output,
    "addSecurityGroup": partial(_security_group, action="addSecurityGroup", add=True),
    "removeSecurityGroup": partial(_security_group, action="removeSecurityGroup", add=False),
    "forceDelete": _force_delete,
    "restore": _restore,
    "os-getVNCConsole": partial(_old_console, protocol="vnc"),
    "os-getSPICEConsole": partial(_old_console, protocol="spice"),
    "os-getSerialConsole": partial(_old_console, protocol="serial"),
}
_FOR_ADMINISTRATORS = {
    "os-resetState": "os-admin-actions:reset_state",
    "migrate": "os-migrate-server:migrate",
    "os-migrateLive": "os-migrate-server:migrate_live",
    "shelveOffload": "os-shelve:shelve_offload",
    "injectNetworkInfo": "os-admin-actions:inject_network_info",
    "evacuate": "os-evacuate",
}


@routes.on("POST", "/v2.1/servers/{server_id}/action", policy="os_compute_api:servers:action")
def act(request: Request) -> Reply:
    """Do what the one key of the body says."""
    try:
        body = request.json()
    except ValueError as error:
        raise Refusal(400, "Malformed request body") from error
    if not isinstance(body, dict) or len(cast("Document", body)) != 1:
        raise Refusal(400, "Malformed request body")
    ((name, parameters),) = cast("Document", body).items()
    if name in _FOR_ADMINISTRATORS:
        own_server(request)
        raise Refusal(
            403,
            f"Policy doesn't allow os_compute_api:{_FOR_ADMINISTRATORS[name]} to be performed.",
        )
    action = _ACTIONS.get(name)
    if action is None:
        raise Refusal(400, f"There is no such action: {name}")
    server = own_server(request)
    reply = action(request, server, parameters)
    server.actions = [(name.removeprefix("os-"), request.request_id, request.now), *server.actions]
    return reply


@routes.on(
    "POST",
    "/v2.1/servers/{server_id}/remote-consoles",
    policy="os_compute_api:os-remote-consoles",
    since=6,
)
def open_console(request: Request) -> Reply:
    """A URL that shows the screen for a while."""
    wanted = request.wants("remote_console")
    require("remote_console", wanted, "protocol", "type")
    protocol, kind = str(wanted["protocol"]), str(wanted["type"])
    protocols = ["vnc", "spice", "serial", "rdp"] + (["mks"] if request.version >= 8 else [])
    if protocol not in protocols:
        raise bad_value("protocol", protocol, f"'{protocol}' is not one of {protocols}")
    url = _console_url(request, own_server(request), protocol, kind)
    return json_reply({"remote_console": {"protocol": protocol, "type": kind, "url": url}})


@routes.on(
    "GET",
    "/v2.1/servers/{server_id}/os-instance-actions",
    policy="os_compute_api:os-instance-actions:list",
)
def list_actions(request: Request) -> Reply:
    """What was done to a server, latest first."""
    server = own_server(request)
    shown: list[Document] = []
    for name, request_id, moment in server.actions:
        document: Document = {
            "action": name,
            "instance_uuid": server.id,
            "request_id": request_id,
            "user_id": server.user_id,
            "project_id": server.project_id,
            "start_time": precise_time(moment),
            "message": None,
        }
        if request.version >= 58:
            document["updated_at"] = precise_time(moment)
        shown.append(document)
    return json_reply({"instanceActions": shown})


@routes.on(
    "GET",
    "/v2.1/servers/{server_id}/diagnostics",
    policy="os_compute_api:os-server-diagnostics",
)
def show_diagnostics(request: Request) -> Reply:
    """For administrators only."""
    own_server(request)
    raise Refusal(403, "Policy doesn't allow os_compute_api:os-server-diagnostics to be performed.")


def _console_url(request: Request, server: Server, protocol: str, kind: str) -> str:
    if kind not in _CONSOLES.get(protocol, ()) or protocol != "vnc":
        raise Refusal(400, f"Unavailable console type {kind}.")
    if not server.host_id:
        raise conflict(f"Instance {server.id} is not ready")
    return f"{request.host}/console/vnc_lite.html?path=%3Ftoken%3D{uuid.uuid4()}"


def _object(name: str, parameters: Any) -> Document:
    if not isinstance(parameters, dict):
        raise bad_value(name, parameters, f"{parameters!r} is not of type 'object'")
    return cast("Document", parameters)
