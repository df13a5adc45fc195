"""Images and volumes: `one.image.…` and `one.imagepool.info`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.access import MANAGE, USE
from anabranch_opennebula.simulator.chains import DiskSnapshot
from anabranch_opennebula.simulator.documents import cdata, head, ids, lock
from anabranch_opennebula.simulator.figures import whole
from anabranch_opennebula.simulator.machines.documents import BACKUPS_SINCE, chain_document
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.names import check_name, check_unique
from anabranch_opennebula.simulator.paging import page
from anabranch_opennebula.simulator.records import Image, Pool
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.templates import Template

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["METHODS", "clone", "make_ready", "register"]

_READY, _DISABLED, _LOCKED, _ERROR, _DELETE = 1, 3, 4, 5, 7
_TYPES = {"OS": 0, "CDROM": 1, "DATABLOCK": 2, "KERNEL": 3, "RAMDISK": 4, "CONTEXT": 5}
_IMAGE_DATASTORE = 1
_FORMAT_SINCE = (6, 0)
_DATASTORE_MB = 20_480_000


def _document(release: tuple[int, int], image: Image) -> str:
    """The document of an image, as a release of OpenNebula writes it."""
    filesystem = cdata(image.template.text("FS"))
    form = f"<FSTYPE>{cdata(image.format)}</FSTYPE>"
    if release >= _FORMAT_SINCE:
        form = f"<FORMAT>{cdata(image.format)}</FORMAT><FS>{filesystem}</FS>"
    return "".join(
        (
            "<IMAGE>",
            head(image),
            lock(image),
            f"<TYPE>{image.type}</TYPE><DISK_TYPE>0</DISK_TYPE>",
            f"<PERSISTENT>{int(image.persistent)}</PERSISTENT>",
            f"<REGTIME>{image.registered}</REGTIME><MODTIME>{image.modified}</MODTIME>",
            "<SOURCE><![CDATA[dummy_path]]></SOURCE>",
            f"<PATH>{cdata(image.path)}</PATH>{form}",
            f"<SIZE>{image.size}</SIZE><STATE>{image.state}</STATE>",
            f"<PREV_STATE>{image.state}</PREV_STATE><RUNNING_VMS>{len(image.vms)}</RUNNING_VMS>",
            "<CLONING_OPS>0</CLONING_OPS><CLONING_ID>-1</CLONING_ID>",
            "<TARGET_SNAPSHOT>-1</TARGET_SNAPSHOT>",
            f"<DATASTORE_ID>{image.datastore}</DATASTORE_ID><DATASTORE>default</DATASTORE>",
            ids("VMS", image.vms),
            "<CLONES/><APP_CLONES/>",
            image.template.xml(),
            chain_document(image.chain),
            "<BACKUP_INCREMENTS/><BACKUP_DISK_IDS/>" if release >= BACKUPS_SINCE else "",
            "</IMAGE>",
        )
    )


def register(call: Call, image: Image) -> int:
    """Add an image that is being made; it is LOCKED until it is READY."""
    call.state.images[image.id] = image
    call.state.at(call.moment + call.state.behaviour.state_delay, partial(make_ready, image))
    return image.id


def make_ready(image: Image, moment: float) -> None:
    """Have an image that was being made be READY."""
    if image.state == _LOCKED:
        image.state, image.modified = _READY, int(moment)


def _info(call: Call, image_id: int, decrypt: bool = False) -> str:
    del decrypt
    return _document(call.state.release, call.find(call.state.images, image_id))


def _pool(call: Call, filter_flag: int, start: int, end: int) -> str:
    visible = page(call.visible(call.state.images, filter_flag), start, end)
    inner = "".join(_document(call.state.release, image) for image in visible)
    return f"<IMAGE_POOL>{inner}</IMAGE_POOL>" if inner else "<IMAGE_POOL/>"


def _allocate(call: Call, text: str, datastore_id: int, skip_check: bool = False) -> int:
    template = Template.parse(text)
    name = template.text("NAME")
    check_name(name)
    check_unique(call.state.images, name, call.user.id)
    if datastore_id not in (0, 1, 2):
        raise Refusal(Code.NO_EXISTS, f"Error getting datastore [{datastore_id}].", datastore_id)
    if datastore_id != _IMAGE_DATASTORE:
        raise Refusal(Code.ALLOCATE, "New images cannot be allocated in a system datastore.")
    kind = template.text("TYPE").upper() or "OS"
    if kind not in _TYPES:
        raise Refusal(Code.ALLOCATE, f"Unknown type {kind}.")
    size = whole(template.text("SIZE"))
    path = template.text("PATH")
    if not path and not size:
        raise Refusal(Code.ALLOCATE, "No PATH in template for image of this type.")
    size = size or 1024
    if size > _DATASTORE_MB and not skip_check:
        raise Refusal(Code.ACTION, "Not enough space in datastore", datastore_id)
    persistent = template.text("PERSISTENT").upper() in ("YES", "TRUE", "1")
    form = template.text("FORMAT") or "raw"
    template.remove("NAME", "TYPE", "SIZE", "PATH", "PERSISTENT", "FORMAT")
    if "DEV_PREFIX" not in template:
        template.put("DEV_PREFIX", "sd" if kind == "DATABLOCK" else "vd")
    return register(
        call,
        Image(
            **call.owner(),
            id=call.state.images.new_id(),
            name=name,
            type=_TYPES[kind],
            persistent=persistent,
            size=size,
            state=_LOCKED,
            registered=call.now,
            modified=call.now,
            format=form,
            path=path,
            template=template,
        ),
    )


def clone(call: Call, image: Image, name: str, *, persistent: bool) -> Image:
    """Make a copy of an image for the caller.

    Raises:
        Refusal: The name is not valid or taken, or the image is not there yet.
    """
    check_name(name)
    check_unique(call.state.images, name, call.user.id)
    if image.state in (_LOCKED, _ERROR, _DELETE):
        raise Refusal(Code.ACTION, f"Cannot clone image in state {image.state}", image.id)
    copy = Image(
        **call.owner(),
        id=call.state.images.new_id(),
        name=name,
        type=image.type,
        persistent=persistent,
        size=image.size,
        state=_LOCKED,
        registered=call.now,
        modified=call.now,
        format=image.format,
        template=image.template.copy(),
    )
    register(call, copy)
    return copy


def _clone(call: Call, image_id: int, name: str, datastore_id: int = -1) -> int:
    del datastore_id
    image = call.find(call.state.images, image_id, USE)
    return clone(call, image, name, persistent=image.persistent).id


def _delete(call: Call, image_id: int, force: bool = False) -> int:
    del force
    images = call.state.images
    image = call.find(images, image_id, MANAGE)
    if image.vms:
        raise Refusal(
            Code.ACTION,
            f"Cannot delete image. There are {len(image.vms)} VMs using it.",
            image_id,
        )
    image.state = _DELETE
    delay = call.state.behaviour.state_delay
    call.state.at(call.moment + delay, partial(_forget, images, image_id))
    return image_id


def _forget(images: Pool[Image], image_id: int, _: float) -> None:
    images.pop(image_id, None)


def _rename(call: Call, image_id: int, name: str) -> int:
    image = call.find(call.state.images, image_id, MANAGE)
    check_name(name)
    check_unique(call.state.images, name, image.uid)
    image.name = name
    return image_id


def _update(call: Call, image_id: int, text: str, append: int) -> int:
    image = call.find(call.state.images, image_id, MANAGE)
    parsed = Template.parse(text)
    if append:
        image.template.merge(parsed)
    else:
        image.template = parsed
    return image_id


def _persistent(call: Call, image_id: int, persistent: bool) -> int:
    image = call.find(call.state.images, image_id, MANAGE)
    if image.vms:
        raise Refusal(Code.ACTION, "Image is in use, cannot change it", image_id)
    image.persistent = persistent
    return image_id


def _enable(call: Call, image_id: int, enable: bool) -> int:
    image = call.find(call.state.images, image_id, MANAGE)
    if image.state not in (_READY, _DISABLED, _ERROR):
        raise Refusal(Code.ACTION, "Could not change the state of the image", image_id)
    image.state = _READY if enable else _DISABLED
    return image_id


def _delete_snapshot(call: Call, image_id: int, snapshot_id: int) -> int:
    image, snapshot = _find_snapshot(call, image_id, snapshot_id)
    if reason := image.chain.kept_detached_because(snapshot):
        raise Refusal(Code.ACTION, reason, image_id)
    image.chain.remove(snapshot)
    return snapshot_id


def _flatten(call: Call, image_id: int, snapshot_id: int) -> int:
    image, _ = _find_snapshot(call, image_id, snapshot_id)
    image.chain.snapshots = []
    return snapshot_id


def _revert(call: Call, image_id: int, snapshot_id: int) -> int:
    image, snapshot = _find_snapshot(call, image_id, snapshot_id)
    image.chain.activate(snapshot.id)
    return snapshot_id


def _find_snapshot(call: Call, image_id: int, snapshot_id: int) -> tuple[Image, DiskSnapshot]:
    image = call.find(call.state.images, image_id, MANAGE)
    if image.state != _READY:
        raise Refusal(
            Code.ACTION, "Cannot change the snapshots of an image that is in use", image_id
        )
    snapshot = image.chain.find(snapshot_id)
    if snapshot is None:
        raise Refusal(Code.ACTION, "Snapshot does not exist", image_id)
    return image, snapshot


METHODS = {
    "one.image.allocate": Method("si|b", _allocate),
    "one.image.clone": Method("is|i", _clone),
    "one.image.delete": Method("i|b", _delete),
    "one.image.enable": Method("ib", _enable),
    "one.image.info": Method("i|b", _info),
    "one.image.persistent": Method("ib", _persistent),
    "one.image.rename": Method("is", _rename),
    "one.image.snapshotdelete": Method("ii", _delete_snapshot),
    "one.image.snapshotflatten": Method("ii", _flatten),
    "one.image.snapshotrevert": Method("ii", _revert),
    "one.image.update": Method("isi", _update),
    "one.imagepool.info": Method("iii", _pool),
}
