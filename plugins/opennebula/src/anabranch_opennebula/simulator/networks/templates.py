"""The templates of networks, by which plain users get networks of their own: `one.vntemplate.…`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.access import USE
from anabranch_opennebula.simulator.documents import head, lock
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.networks.methods import make
from anabranch_opennebula.simulator.paging import page
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.templates import Template

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call
    from anabranch_opennebula.simulator.records import RegisteredTemplate

__all__ = ["METHODS"]

_RESTRICTED = ("VN_MAD", "PHYDEV", "VLAN_ID", "OUTER_VLAN_ID", "BRIDGE", "CONF", "BRIDGE_CONF")


def _document(template: RegisteredTemplate) -> str:
    return (
        f"<VNTEMPLATE>{head(template)}{lock(template)}<REGTIME>{template.registered}</REGTIME>"
        f"{template.template.xml()}</VNTEMPLATE>"
    )


def _info(call: Call, template_id: int, decrypt: bool = False) -> str:
    del decrypt
    return _document(call.find(call.state.network_templates, template_id))


def _pool(call: Call, filter_flag: int, start: int, end: int) -> str:
    visible = page(call.visible(call.state.network_templates, filter_flag), start, end)
    inner = "".join(map(_document, visible))
    return f"<VNTEMPLATE_POOL>{inner}</VNTEMPLATE_POOL>" if inner else "<VNTEMPLATE_POOL/>"


def _instantiate(call: Call, template_id: int, name: str, extra: str) -> int:
    """A network of the user's own, with `extra` laid over the template."""
    origin = call.find(call.state.network_templates, template_id, USE)
    overlay = Template.parse(extra) if extra.strip() else Template()
    forbidden = next((n for n in _RESTRICTED if n in overlay), None)
    if forbidden is not None and not call.user.privileged:
        raise Refusal(
            Code.AUTHORIZATION, f"VNTemplate includes a restricted attribute {forbidden}."
        )
    merged = origin.template.copy()
    merged.merge(overlay)
    merged.put("TEMPLATE_ID", str(template_id))
    return make(call, merged, name or f"{origin.name}-{len(call.state.networks)}")


METHODS = {
    "one.vntemplate.info": Method("i|b", _info),
    "one.vntemplate.instantiate": Method("iss", _instantiate),
    "one.vntemplatepool.info": Method("iii", _pool),
}
