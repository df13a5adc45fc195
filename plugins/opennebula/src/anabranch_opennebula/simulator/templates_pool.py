"""The templates of machines: `one.template.…` and `one.templatepool.info`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from anabranch_opennebula.simulator.access import MANAGE, USE
from anabranch_opennebula.simulator.documents import head, lock
from anabranch_opennebula.simulator.images import clone, make_ready
from anabranch_opennebula.simulator.machines.creation import create
from anabranch_opennebula.simulator.machines.disks import find_image, image_disk
from anabranch_opennebula.simulator.machines.lifecycle import Where, begin, schedule
from anabranch_opennebula.simulator.machines.records import Machine, State
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.names import check_name, check_unique
from anabranch_opennebula.simulator.paging import page
from anabranch_opennebula.simulator.records import RegisteredTemplate
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.restricted import refuse_restricted
from anabranch_opennebula.simulator.templates import Template

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["METHODS", "document"]


def document(template: RegisteredTemplate) -> str:
    """The document of a template."""
    return (
        f"<VMTEMPLATE>{head(template)}{lock(template)}<REGTIME>{template.registered}</REGTIME>"
        f"{template.template.xml()}</VMTEMPLATE>"
    )


def _info(call: Call, template_id: int, extended: bool = False, decrypt: bool = False) -> str:
    del decrypt
    template = call.find(call.state.templates, template_id)
    if not extended:
        return document(template)
    resolved = template.template.copy()
    resolved.remove("DISK")
    for disk_id, disk in enumerate(template.template.vectors("DISK")):
        image = find_image(call, disk)
        resolved.add("DISK", image_disk(image, disk, disk_id) if image else disk)
    return document(msgspec.structs.replace(template, template=resolved))


def _instantiate(
    call: Call, template_id: int, name: str, hold: bool, extra: str, persistent: bool = False
) -> int:
    """A machine from a template, with `extra` laid over it.

    A persistent one has a template and images of its own: copies, made while it is CLONING.
    """
    origin = call.find(call.state.templates, template_id, USE)
    overlay = Template.parse(extra) if extra.strip() else Template()
    refuse_restricted(call, overlay)
    merged = origin.template.copy()
    merged.merge(overlay)
    if persistent:
        name = name or f"{origin.name}-copy"
        template_id = _copy_for(call, name, merged)
    merged.put("TEMPLATE_ID", str(template_id))
    machine = create(call, merged, name, prefix=origin.name, hold=hold)
    if persistent:
        after: Where = (machine.state, machine.lcm)
        machine.state = State.CLONING
        begin(call.state, machine, call.moment, (after,), partial(_cloned, call, machine, hold))
    return machine.id


def _copy_for(call: Call, name: str, template: Template) -> int:
    """Make the template and the persistent images of a machine; put these into its disks."""
    if call.state.templates.named(name, call.user.id):
        raise Refusal(Code.INTERNAL, f"NAME is already taken: {name}")
    for number, disk in enumerate(template.vectors("DISK")):
        image = find_image(call, disk)
        if image is not None:
            copy = clone(call, image, f"{name}-disk-{number}", persistent=True)
            make_ready(copy, call.moment)
            disk.pop("IMAGE", None)
            disk.pop("IMAGE_UNAME", None)
            disk["IMAGE_ID"] = str(copy.id)
    return _add(call, name, template.copy())


def _cloned(call: Call, machine: Machine, hold: bool, moment: float) -> None:
    if not hold:
        schedule(call.state, machine, moment)


def _pool(call: Call, filter_flag: int, start: int, end: int) -> str:
    visible = page(call.visible(call.state.templates, filter_flag), start, end)
    inner = "".join(map(document, visible))
    return f"<VMTEMPLATE_POOL>{inner}</VMTEMPLATE_POOL>" if inner else "<VMTEMPLATE_POOL/>"


def _allocate(call: Call, text: str) -> int:
    template = Template.parse(text)
    name = template.text("NAME")
    refuse_restricted(call, template)
    template.remove("NAME")
    return _add(call, name, template)


def _clone(call: Call, template_id: int, name: str, images: bool = False) -> int:
    del images
    return _add(call, name, call.find(call.state.templates, template_id).template.copy())


def _add(call: Call, name: str, template: Template) -> int:
    check_name(name)
    check_unique(call.state.templates, name, call.user.id)
    made = RegisteredTemplate(
        **call.owner(),
        id=call.state.templates.new_id(),
        name=name,
        registered=call.now,
        template=template,
    )
    call.state.templates[made.id] = made
    return made.id


def _update(call: Call, template_id: int, text: str, append: int) -> int:
    template = call.find(call.state.templates, template_id, MANAGE)
    parsed = Template.parse(text)
    refuse_restricted(call, parsed)
    if append not in (0, 1):
        raise Refusal(Code.RPC_API, "Wrong update type")
    if append:
        template.template.merge(parsed)
    else:
        template.template = parsed
    return template_id


def _rename(call: Call, template_id: int, name: str) -> int:
    template = call.find(call.state.templates, template_id, MANAGE)
    check_name(name)
    check_unique(call.state.templates, name, template.uid)
    template.name = name
    return template_id


def _delete(call: Call, template_id: int, images: bool = False) -> int:
    del images
    call.find(call.state.templates, template_id, MANAGE)
    del call.state.templates[template_id]
    return template_id


METHODS = {
    "one.template.allocate": Method("s", _allocate),
    "one.template.clone": Method("is|b", _clone),
    "one.template.delete": Method("i|b", _delete),
    "one.template.info": Method("i|bb", _info),
    "one.template.instantiate": Method("isbs|b", _instantiate),
    "one.template.rename": Method("is", _rename),
    "one.template.update": Method("isi", _update),
    "one.templatepool.info": Method("iii", _pool),
}
