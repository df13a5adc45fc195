"""Templates and ISOs: which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.catalog.records import Image
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.listing import listed
from anabranch_cloudstack.simulator.records import owner, tag_documents
from anabranch_cloudstack.simulator.wire import Document, invalid, stamp

__all__ = ["commands", "image_document"]

commands = Commands()

_Filter = Callable[[Image, bool], bool]
_FILTERS: dict[str, _Filter] = {
    "featured": lambda image, _own: image.public and image.featured,
    "self": lambda _image, own: own,
    "selfexecutable": lambda _image, own: own,
    "sharedexecutable": lambda _image, _own: False,
    "shared": lambda _image, _own: False,
    "executable": lambda image, own: own or image.public,
    "community": lambda image, own: image.public and not image.featured and not own,
    "all": lambda _image, _own: True,
}


@commands.add(
    "listTemplates",
    "templatefilter! id:uuid ids:list name zoneid:uuid hypervisor showremoved:boolean"
    " showunique:boolean templatetype",
    listing=True,
)
def list_templates(call: Call) -> Document:
    """Lists templates; one that several zones have comes once for each."""
    return _list(call, "template", call.text("templatefilter"), isos=False)


@commands.add(
    "listIsos",
    "isofilter id:uuid name zoneid:uuid bootable:boolean hypervisor isready:boolean"
    " ispublic:boolean showremoved:boolean",
    listing=True,
)
def list_isos(call: Call) -> Document:
    """Lists ISOs."""
    return _list(call, "iso", call.text("isofilter", "selfexecutable"), isos=True)


def _list(call: Call, key: str, chosen: str, *, isos: bool) -> Document:
    if chosen not in _FILTERS:
        raise invalid(f"Please specify a valid template filter: {chosen} is none")
    if chosen == "all" and not call.account.is_admin:
        raise invalid("Filter all can be specified by admin only")
    one = call.state.images.get(call.text("id"))
    if one is not None and one.is_iso != isos:
        raise invalid(
            "Specified Template Id is not an ISO"
            if isos
            else "Incorrect format ISO of the specified template id"
        )
    rows = [
        image_document(call, image, zone)
        for image in _visible(call, chosen)
        if image.is_iso == isos
        for zone in image.zones
        if not call.has("zoneid") or zone == call.text("zoneid")
    ]
    return listed(call, key, rows)


def _visible(call: Call, chosen: str) -> Iterator[Image]:
    ids = set(call.items("ids"))
    keyword = call.text("keyword").lower()
    tags = call.pairs("tags")
    fits = _FILTERS[chosen]
    for image in call.state.images.values():
        own = image.account == call.account.name and image.project == call.project
        ready = image.ready_at <= call.state.now
        if not fits(image, own) or (chosen.endswith("executable") and not ready):
            continue
        if call.has("id") and image.id != call.text("id"):
            continue
        if ids and image.id not in ids:
            continue
        if call.has("name") and image.name != call.text("name"):
            continue
        if any(image.tags.get(name) != value for name, value in tags.items()):
            continue
        if keyword in image.name.lower():
            yield image


def image_document(call: Call, image: Image, zone_id: str) -> Document:
    """One template or ISO as it is in one zone."""
    state = call.state
    ready = image.ready_at <= state.now
    document: Document = {
        "id": image.id,
        "name": image.name,
        "displaytext": image.text,
        "ispublic": image.public,
        "created": stamp(image.created),
        "isready": ready,
    }
    if image.is_iso:
        document["bootable"] = image.bootable
    else:
        document |= {"passwordenabled": image.passwords, "format": image.format}
    document |= {
        "isfeatured": image.featured,
        "crossZones": len(image.zones) > 1,
        "ostypeid": image.os_type,
        "ostypename": state.os_types[image.os_type].name,
        **owner(state, image),
        "zoneid": zone_id,
        "zonename": state.zones[zone_id].name,
    }
    if not image.builtin:
        document["status"] = "Download Complete" if ready else "42% Downloaded"
    if ready:
        document["size"] = image.size
    if image.builtin:
        document |= {"physicalsize": image.size, "checksum": ""}
    if not image.is_iso:
        document |= {
            "templatetype": "BUILTIN" if image.builtin else "USER",
            "hypervisor": "KVM",
        }
    document["isextractable"] = False
    if image.source:
        document["sourcetemplateid"] = image.source
    document |= {"details": image.details, "downloaddetails": [_download(ready)]}
    if state.version >= (4, 20):
        document["arch"] = "x86_64"
    if state.version >= (4, 21):
        document["forcks"] = False
    return document | {
        "bits": 0,
        "sshkeyenabled": False,
        "isdynamicallyscalable": False,
        "directdownload": False,
        "deployasis": False,
        "requireshvm": True,
        "tags": tag_documents(state, image),
        "hasannotations": False,
    }


def _download(ready: bool) -> Document:
    return {
        "downloadState": "DOWNLOADED" if ready else "DOWNLOAD_IN_PROGRESS",
        "datastore": "secondary-1",
        "downloadPercent": "100" if ready else "42",
    }
