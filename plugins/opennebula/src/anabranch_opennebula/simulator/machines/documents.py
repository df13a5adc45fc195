"""The documents of machines: the whole one, that of a pool, and the short one of a pool."""

from __future__ import annotations

import re

from anabranch_opennebula.simulator.chains import SnapshotChain
from anabranch_opennebula.simulator.documents import cdata, head, lock, plain
from anabranch_opennebula.simulator.machines.records import History, Machine
from anabranch_opennebula.simulator.templates import Template, Vector
from anabranch_opennebula.simulator.xmlrpc import escaped

__all__ = ["BACKUPS_SINCE", "chain_document", "extended", "short", "whole"]

Release = tuple[int, int]
"""The first two parts of a version."""

BACKUPS_SINCE: Release = (6, 8)
"""The release with which backups came into the documents."""

_HOST = "<HOSTNAME>dummy1</HOSTNAME><HID>1</HID><CID>0</CID>"
_PLANS_SINCE: Release = (7, 0)

_SHORT_CAPACITY = ("CPU", "MEMORY", "VCPU")
_SHORT_DISK = (
    *("DISK_ID", "DATASTORE", "DATASTORE_ID", "IMAGE", "IMAGE_ID", "SIZE", "TYPE", "CLONE"),
    *("CLONE_TARGET", "LN_TARGET", "DISK_SNAPSHOT_TOTAL_SIZE"),
)
_SHORT_NIC = ("IP", "MAC", "NETWORK", "NETWORK_ID", "NIC_ID", "SECURITY_GROUPS")
_SHORT_GRAPHICS = ("LISTEN", "PORT", "TYPE")
_SHORT_USER = ("ERROR", "LABELS", "SCHED_MESSAGE", "SCHED_RANK", "SCHED_REQUIREMENTS")


def whole(release: Release, machine: Machine) -> bytes:
    """The document of `one.vm.info`, escaped."""
    return _kept(release, machine, "whole")


def extended(release: Release, machine: Machine) -> bytes:
    """The document in `one.vmpool.infoextended`, escaped: of the history only the last record."""
    return _kept(release, machine, "extended")


def short(release: Release, machine: Machine) -> bytes:
    """The document in `one.vmpool.info`, escaped."""
    return _kept(release, machine, "short")


def _kept(release: Release, machine: Machine, kind: str) -> bytes:
    document = machine.documents.get(kind)
    if document is None:
        match kind:
            case "short":
                text = _short(machine)
            case "extended":
                text = _full(release, machine, machine.history[-1:])
            case _:
                text = _full(release, machine, machine.history)
        for element, replacement in machine.raw.items():
            text = _with_raw(text, element, replacement)
        document = machine.documents[kind] = escaped(text)
    return document


def _full(release: Release, machine: Machine, history: list[History]) -> str:
    deploy_id = f"<DEPLOY_ID>{cdata(machine.deploy_id)}</DEPLOY_ID>"
    records = "".join(_history(release, machine, record) for record in history)
    return "".join(
        (
            "<VM>",
            head(machine),
            f"<LAST_POLL>0</LAST_POLL><STATE>{machine.state}</STATE>",
            f"<LCM_STATE>{machine.lcm}</LCM_STATE><PREV_STATE>{machine.state}</PREV_STATE>",
            f"<PREV_LCM_STATE>{machine.lcm}</PREV_LCM_STATE><RESCHED>0</RESCHED>",
            f"<STIME>{machine.started}</STIME><ETIME>{machine.ended}</ETIME>",
            deploy_id if machine.deploy_id else "<DEPLOY_ID/>",
            lock(machine),
            "<MONITORING/><SCHED_ACTIONS/>",
            machine.template.xml(),
            machine.user_template.xml("USER_TEMPLATE"),
            f"<HISTORY_RECORDS>{records}</HISTORY_RECORDS>" if records else "<HISTORY_RECORDS/>",
            *(chain_document(c, disk_id) for disk_id, c in machine.chains.items()),
            "<BACKUPS><BACKUP_CONFIG/><BACKUP_IDS/></BACKUPS>" if release >= BACKUPS_SINCE else "",
            "</VM>",
        )
    )


def _history(release: Release, machine: Machine, record: History) -> str:
    plan = "<PLAN_ID>-1</PLAN_ID><ACTION_ID>0</ACTION_ID>" if release >= _PLANS_SINCE else ""
    return (
        f"<HISTORY><OID>{machine.id}</OID><SEQ>{record.seq}</SEQ>"
        f"{_HOST}"
        f"<STIME>{record.started}</STIME><ETIME>{record.ended}</ETIME>"
        "<VM_MAD><![CDATA[dummy]]></VM_MAD><TM_MAD><![CDATA[dummy]]></TM_MAD>"
        f"<DS_ID>0</DS_ID>{plan}"
        f"<PSTIME>{record.prolog[0]}</PSTIME><PETIME>{record.prolog[1]}</PETIME>"
        f"<RSTIME>{record.running[0]}</RSTIME><RETIME>{record.running[1]}</RETIME>"
        f"<ESTIME>{record.epilog[0]}</ESTIME><EETIME>{record.epilog[1]}</EETIME>"
        f"<ACTION>{record.action}</ACTION><UID>{record.uid}</UID><GID>{record.gid}</GID>"
        f"<REQUEST_ID>{record.request}</REQUEST_ID></HISTORY>"
    )


def chain_document(chain: SnapshotChain, disk_id: int | None = None) -> str:
    """The snapshots of a disk, or of an image when there is no disk."""
    parts: list[tuple[str, str | Vector]] = [
        ("ALLOW_ORPHANS", "NO"),
        ("CURRENT_BASE", "-1"),
        ("NEXT_SNAPSHOT", str(chain.next_id)),
    ]
    if disk_id is not None:
        parts.append(("DISK_ID", str(disk_id)))
    for snapshot in chain.snapshots:
        vector = {
            "DATE": str(snapshot.date),
            "ID": str(snapshot.id),
            "NAME": snapshot.name,
            "PARENT": str(snapshot.parent),
            "SIZE": str(snapshot.size),
        }
        if snapshot.active:
            vector["ACTIVE"] = "YES"
        if children := chain.children(snapshot.id):
            vector["CHILDREN"] = ",".join(str(child.id) for child in children)
        parts.append(("SNAPSHOT", vector))
    return Template(parts).xml("SNAPSHOTS")


def _short(machine: Machine) -> str:
    template = machine.template
    user = "".join(
        f"<{name}>{cdata(value)}</{name}>"
        for name in _SHORT_USER
        if (value := machine.user_template.text(name))
    )
    deploy_id = f"<DEPLOY_ID>{cdata(machine.deploy_id)}</DEPLOY_ID>"
    return "".join(
        (
            "<VM>",
            head(machine, permissions=False),
            f"<LAST_POLL>0</LAST_POLL><STATE>{machine.state}</STATE>",
            f"<LCM_STATE>{machine.lcm}</LCM_STATE><RESCHED>0</RESCHED>",
            f"<STIME>{machine.started}</STIME><ETIME>{machine.ended}</ETIME>",
            deploy_id if machine.deploy_id else "<DEPLOY_ID/>",
            "<TEMPLATE>",
            *(f"<{n}>{cdata(v)}</{n}>" for n in _SHORT_CAPACITY if (v := template.text(n))),
            *(_parts("DISK", disk, _SHORT_DISK) for disk in machine.disks),
            *(_parts("NIC", nic, _SHORT_NIC) for nic in template.vectors("NIC")),
            *(_parts("GRAPHICS", g, _SHORT_GRAPHICS) for g in template.vectors("GRAPHICS")),
            "</TEMPLATE><MONITORING/>",
            f"<USER_TEMPLATE>{user}</USER_TEMPLATE>" if user else "<USER_TEMPLATE/>",
            _short_history(machine),
            "</VM>",
        )
    )


def _parts(tag: str, vector: Vector, names: tuple[str, ...]) -> str:
    inner = "".join(f"<{n}>{cdata(vector[n])}</{n}>" for n in names if n in vector)
    return f"<{tag}>{inner}</{tag}>"


def _short_history(machine: Machine) -> str:
    if not machine.history:
        return "<HISTORY_RECORDS/>"
    last = machine.history[-1]
    return (
        f"<HISTORY_RECORDS><HISTORY><OID>{machine.id}</OID><SEQ>{last.seq}</SEQ>"
        f"{_HOST}<DS_ID>0</DS_ID>"
        "<VM_MAD><![CDATA[dummy]]></VM_MAD><TM_MAD><![CDATA[dummy]]></TM_MAD>"
        f"<ACTION>{last.action}</ACTION></HISTORY></HISTORY_RECORDS>"
    )


def _with_raw(document: str, element: str, text: str | None) -> str:
    """The document with an element's text replaced as it is, or without that element."""
    new = "" if text is None else f"<{element}>{plain(text)}</{element}>"
    pattern = rf"<{element}>.*?</{element}>|<{element}/>"
    return re.sub(pattern, lambda _: new, document, count=1, flags=re.DOTALL)
