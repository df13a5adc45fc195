"""Templates and ISOs: how they come and go."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.catalog.images import image_document
from anabranch_cloudstack.simulator.catalog.records import GIB, Image
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.sizing import check_limits
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.storage.records import Volume
from anabranch_cloudstack.simulator.wire import INVALID, Document, Refusal, invalid

__all__ = ["commands"]

commands = Commands()

_FORMATS = ("QCOW2", "RAW", "VHD", "OVA", "VMDK", "TAR", "VHDX")


@commands.add(
    "registerTemplate",
    "name! format! hypervisor! url! displaytext!<4.19 ostypeid!<4.16:uuid zoneid:uuid zoneids:list"
    " ispublic:boolean isfeatured:boolean isextractable:boolean passwordenabled:boolean"
    " sshkeyenabled:boolean requireshvm:boolean details:map projectid:uuid account domainid:uuid"
    " isdynamicallyscalable:boolean checksum arch bits:integer",
)
def register_template(call: Call) -> Document:
    """Registers a template; the download goes on in the background."""
    form = call.text("format").upper()
    if form not in _FORMATS:
        raise invalid(f"Image format is incorrect {form}. Supported formats are {_FORMATS}")
    image = _register(call, form)
    image.passwords = call.flag("passwordenabled")
    return {"count": 1, "template": [image_document(call, image, zone) for zone in image.zones]}


@commands.add(
    "registerIso",
    "name! url! zoneid!:uuid displaytext!<4.19 ostypeid:uuid bootable:boolean ispublic:boolean"
    " isfeatured:boolean isextractable:boolean projectid:uuid account domainid:uuid checksum",
)
def register_iso(call: Call) -> Document:
    """Registers an ISO; the download goes on in the background."""
    image = _register(call, "ISO")
    image.bootable = call.flag("bootable", default=True)
    return {"count": 1, "iso": [image_document(call, image, zone) for zone in image.zones]}


@commands.add(
    "createTemplate",
    "name! ostypeid!:uuid displaytext!<4.19 snapshotid:uuid volumeid:uuid virtualmachineid:uuid"
    " url ispublic:boolean isfeatured:boolean passwordenabled:boolean requireshvm:boolean"
    " details:map projectid:uuid",
    job="user.template.CreateTemplateCmd",
    instance_type="Template",
)
def create_template(call: Call) -> Document:
    """Makes a template of a snapshot or of a volume that is not in use."""
    state = call.state
    if call.has("snapshotid") == call.has("volumeid"):
        raise invalid("Either a snapshot id or a volume id must be specified")
    if call.has("snapshotid"):
        snapshot = call.take(state.snapshots, "snapshotid")
        if snapshot.state != "BackedUp":
            raise invalid(f"Snapshot {snapshot.id} is not in BackedUp state yet")
        size, zone, source = snapshot.size, snapshot.zone, state.volumes.get(snapshot.volume)
    else:
        volume = call.take(state.volumes, "volumeid")
        machine = state.machines.get(volume.machine)
        if machine is not None and machine.state != "Stopped":
            raise invalid("Unable to create template: please stop the machine of the volume first")
        size, zone, source = volume.size, volume.zone, volume
    check_limits(call, 535, template=1)
    image = _new(call, "QCOW2", [zone], size)
    image.ready_at = float("inf")
    image.source = _origin(call, source)
    state.add(state.images, image)

    def work() -> Work:
        yield
        image.ready_at = state.now
        return {"template": image_document(call, image, zone)}

    return call.start(work(), image.id, created=True)


@commands.add(
    "updateTemplate",
    "id!:uuid name displaytext ostypeid:uuid passwordenabled:boolean details:map sortkey:integer",
)
def update_template(call: Call) -> Document:
    """Updates a template."""
    return _update(call, "template")


@commands.add("updateIso", "id!:uuid name displaytext ostypeid:uuid bootable:boolean")
def update_iso(call: Call) -> Document:
    """Updates an ISO."""
    return _update(call, "iso")


@commands.add(
    "updateTemplatePermissions",
    "id!:uuid ispublic:boolean isfeatured:boolean isextractable:boolean op accounts:list",
)
def update_permissions(call: Call) -> Document:
    """Says who may use a template."""
    image = call.take_own(call.state.images, "id")
    image.public = call.flag("ispublic", default=image.public)
    image.featured = call.flag("isfeatured", default=image.featured)
    return {"success": True}


@commands.add(
    "copyTemplate",
    "id!:uuid sourcezoneid:uuid destzoneid:uuid destzoneids:list",
    job="user.template.CopyTemplateCmd",
    instance_type="Template",
)
def copy_template(call: Call) -> Document:
    """Copies a template to another zone."""
    image = call.take_own(call.state.images, "id")
    zones = call.items("destzoneids") or call.items("destzoneid")
    if not zones:
        raise invalid("Either destzoneid or destzoneids parameters have to be specified.")
    for zone in zones:
        call.take_id(call.state.zones, zone, "destzoneids")

    def work() -> Work:
        yield
        image.zones += [zone for zone in zones if zone not in image.zones]
        return {"template": image_document(call, image, zones[0])}

    return call.start(work(), image.id)


@commands.add(
    "deleteTemplate",
    "id!:uuid zoneid:uuid forced:boolean",
    job="user.template.DeleteTemplateCmd",
    instance_type="Template",
)
def delete_template(call: Call) -> Document:
    """Deletes a template, of one zone or of all."""
    return _delete(call, isos=False)


@commands.add(
    "deleteIso", "id!:uuid zoneid:uuid", job="user.iso.DeleteIsoCmd", instance_type="Template"
)
def delete_iso(call: Call) -> Document:
    """Deletes an ISO, of one zone or of all."""
    return _delete(call, isos=True)


def _register(call: Call, form: str) -> Image:
    state = call.state
    _check_url(call.text("url"))
    zones = call.items("zoneids") or call.items("zoneid")
    if zones in ([], ["-1"]):
        zones = list(state.zones)
    for zone in zones:
        call.take_id(state.zones, zone, "zoneids")
    check_limits(call, 535, template=1)
    image = _new(call, form, zones, 2 * GIB)
    image.ready_at = state.now + state.behaviour.state_delay
    state.add(state.images, image)
    return image


def _new(call: Call, form: str, zones: list[str], size: int) -> Image:
    name = call.text("name")
    os_types = call.state.os_types
    os_type = call.take(os_types, "ostypeid").id if call.has("ostypeid") else next(iter(os_types))
    return Image(
        id=call.state.new_id(),
        name=name,
        text=call.text("displaytext") or name,
        account=call.account.name,
        project=call.project,
        created=call.state.now,
        zones=zones,
        size=size,
        os_type=os_type,
        format=form,
        public=call.flag("ispublic"),
        featured=call.flag("isfeatured"),
        details=call.details(),
    )


def _check_url(url: str) -> None:
    """Refuse a URL whose host is this one or in a private network, or that has none."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https", "metalink") or not host:
        raise Refusal(INVALID, f"Unsupported scheme for url: {url}")
    try:
        local = not ipaddress.ip_address(host).is_global
    except ValueError:
        local = host == "localhost" or host.endswith((".local", ".invalid"))
    if local:
        raise Refusal(INVALID, "Illegal host specified in URL.")


def _origin(call: Call, volume: Volume | None) -> str:
    machine = call.state.machines.get(volume.machine) if volume else None
    return machine.image if machine else ""


def _update(call: Call, key: str) -> Document:
    image = call.take_own(call.state.images, "id")
    image.name = call.text("name") or image.name
    image.text = call.text("displaytext") or image.text
    image.passwords = call.flag("passwordenabled", default=image.passwords)
    image.bootable = call.flag("bootable", default=image.bootable)
    for machine in call.state.machines.values():
        if machine.image == image.id:
            machine.encoded.clear()
    return {key: image_document(call, image, image.zones[0])}


def _delete(call: Call, *, isos: bool) -> Document:
    images = call.state.images
    image = call.take_own(images, "id")
    if image.is_iso != isos:
        raise invalid(f"Please specify a valid {'iso' if isos else 'template'}.")

    def work() -> Work:
        yield
        zone = call.text("zoneid")
        image.zones = [other for other in image.zones if zone and other != zone]
        if not image.zones:
            images.pop(image.id, None)
            for machine in call.state.machines.values():
                if machine.image == image.id:
                    machine.encoded.clear()
        return {"success": True}

    return call.start(work(), image.id)
