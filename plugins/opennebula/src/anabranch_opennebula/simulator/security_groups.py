"""Security groups: `one.secgroup.…` and `one.secgrouppool.info`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.access import MANAGE
from anabranch_opennebula.simulator.documents import head, ids
from anabranch_opennebula.simulator.figures import whole
from anabranch_opennebula.simulator.machines.nics import put_rules
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.names import check_name, check_unique
from anabranch_opennebula.simulator.paging import page
from anabranch_opennebula.simulator.records import SecurityGroup
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.templates import Template

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["METHODS"]

_PROTOCOLS = ("ALL", "TCP", "UDP", "ICMP", "ICMPV6", "IPSEC")
_RANGE = re.compile(r"\d{1,5}(:\d{1,5})?(,\d{1,5}(:\d{1,5})?)*")


def _document(group: SecurityGroup) -> str:
    return (
        f"<SECURITY_GROUP>{head(group)}{ids('UPDATED_VMS', group.vms)}"
        f"<OUTDATED_VMS/><UPDATING_VMS/><ERROR_VMS/>{group.template.xml()}</SECURITY_GROUP>"
    )


def _info(call: Call, group_id: int, decrypt: bool = False) -> str:
    del decrypt
    return _document(call.find(call.state.security_groups, group_id))


def _pool(call: Call, filter_flag: int, start: int, end: int) -> str:
    visible = page(call.visible(call.state.security_groups, filter_flag), start, end)
    inner = "".join(map(_document, visible))
    tag = "SECURITY_GROUP_POOL"
    return f"<{tag}>{inner}</{tag}>" if inner else f"<{tag}/>"


def _allocate(call: Call, text: str) -> int:
    template = Template.parse(text)
    name = template.text("NAME")
    template.remove("NAME")
    return _add(call, name, template)


def _clone(call: Call, group_id: int, name: str) -> int:
    origin = call.find(call.state.security_groups, group_id)
    return _add(call, name, origin.template.copy())


def _add(call: Call, name: str, template: Template) -> int:
    groups = call.state.security_groups
    check_name(name)
    check_unique(groups, name, call.user.id)
    _check_rules(template)
    number = groups.new_id()
    groups[number] = SecurityGroup(**call.owner(), id=number, name=name, template=template)
    return number


def _update(call: Call, group_id: int, text: str, append: int) -> int:
    group = call.find(call.state.security_groups, group_id, MANAGE)
    parsed = Template.parse(text)
    _check_rules(parsed)
    if append:
        group.template.merge(parsed)
    else:
        group.template = parsed
    for number in list(group.vms):
        machine = call.state.machines[number]
        put_rules(call, machine)
        machine.changed()
    return group_id


def _commit(call: Call, group_id: int, recovery: bool = False) -> int:
    """Updates reach the machines by themselves here, so nothing is left to commit."""
    del recovery
    call.find(call.state.security_groups, group_id, MANAGE)
    return group_id


def _rename(call: Call, group_id: int, name: str) -> int:
    group = call.find(call.state.security_groups, group_id, MANAGE)
    check_name(name)
    check_unique(call.state.security_groups, name, group.uid)
    group.name = name
    return group_id


def _delete(call: Call, group_id: int) -> int:
    group = call.find(call.state.security_groups, group_id, MANAGE)
    if group_id == 0:
        raise Refusal(Code.ACTION, "The default security group (ID 0) cannot be deleted.", 0)
    if group.vms:
        raise Refusal(Code.ACTION, "The security group has VMs using it", group_id)
    del call.state.security_groups[group_id]
    return group_id


def _check_rules(template: Template) -> None:
    for rule in template.vectors("RULE"):
        protocol, kind = rule.get("PROTOCOL", "").upper(), rule.get("RULE_TYPE", "").upper()
        if protocol not in _PROTOCOLS:
            raise Refusal(Code.INTERNAL, "Invalid PROTOCOL attribute in RULE")
        if kind not in ("INBOUND", "OUTBOUND"):
            raise Refusal(Code.INTERNAL, "Invalid RULE_TYPE attribute in RULE")
        ports = rule.get("RANGE", "")
        if ports and (protocol not in ("TCP", "UDP") or not _RANGE.fullmatch(ports)):
            raise Refusal(Code.INTERNAL, "Invalid RANGE attribute in RULE")
        if rule.get("ICMP_TYPE", "") and not protocol.startswith("ICMP"):
            raise Refusal(Code.INTERNAL, "ICMP_TYPE is only supported for ICMP rules")
        if "IP" in rule and not whole(rule.get("SIZE", "")):
            raise Refusal(Code.INTERNAL, "Wrong SIZE attribute in RULE")


METHODS = {
    "one.secgroup.allocate": Method("s", _allocate),
    "one.secgroup.clone": Method("is", _clone),
    "one.secgroup.commit": Method("i|b", _commit),
    "one.secgroup.delete": Method("i", _delete),
    "one.secgroup.info": Method("i|b", _info),
    "one.secgroup.rename": Method("is", _rename),
    "one.secgroup.update": Method("isi", _update),
    "one.secgrouppool.info": Method("iii", _pool),
}
