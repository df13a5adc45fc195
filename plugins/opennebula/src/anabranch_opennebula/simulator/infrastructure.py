"""What users see of the infrastructure: zones, datastores, clusters, hosts, and the version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.documents import cdata, head, ids
from anabranch_opennebula.simulator.machines.records import State
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.records import Resource
from anabranch_opennebula.simulator.restricted import MACHINE_ATTRIBUTES
from anabranch_opennebula.simulator.templates import Template, Value

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["METHODS"]

_HOSTS = ("dummy0", "dummy1")
_HOST_MEMORY = 1_677_721_600
_DATASTORES = (
    # id, name, type, DS_MAD, total, free, used, template
    (2, "files", 2, "dummy", 20_480_000, 20_480_000, 9720, {"TYPE": "FILE_DS"}),
    (1, "default", 0, "dummy", 20_480_000, 20_480_000, 9720, {"TYPE": "IMAGE_DS"}),
    (0, "system", 1, "-", 4_796_800, 3_333_260, 1_429_920, {"TYPE": "SYSTEM_DS"}),
)
_DATASTORE_TEMPLATE = {
    "ALLOW_ORPHANS": "NO",
    "PERSISTENT_SNAPSHOTS": "YES",
    "RESTRICTED_DIRS": "/",
    "SAFE_DIRS": "/var/tmp",  # noqa: S108 - what a stock datastore says
    "TM_MAD": "dummy",
}
_IMAGE_DATASTORE = {"DISK_TYPE": "FILE", "CLONE_TARGET": "SYSTEM", "LN_TARGET": "NONE"}
_SYSTEM_DATASTORE = {
    "DISK_TYPE": "FILE",
    "DS_LIVE_MIGRATE": "YES",
    "DS_MIGRATE": "YES",
    "DS_MIGRATE_SNAP": "YES",
    "SHARED": "YES",
}


def _zones(call: Call) -> str:
    """All may see the zones; the endpoint in them is the one that oned knows itself by."""
    endpoints: list[tuple[str, Value]] = [("ENDPOINT", "http://localhost:2633/RPC2")]
    if call.state.release >= (7, 2):
        endpoints.append(("ENDPOINT_GRPC", "localhost:2634"))
    return (
        "<ZONE_POOL><ZONE><ID>0</ID><NAME>OpenNebula</NAME><STATE>0</STATE>"
        f"{Template(endpoints).xml()}<SERVER_POOL/></ZONE></ZONE_POOL>"
    )


def _clusters(call: Call) -> str:
    """A plain user gets an empty pool, and no error."""
    if not call.user.privileged:
        return "<CLUSTER_POOL/>"
    template = Template([("RESERVED_CPU", ""), ("RESERVED_MEM", "")])
    return (
        "<CLUSTER_POOL><CLUSTER><ID>0</ID><NAME>default</NAME>"
        f"{ids('HOSTS', range(len(_HOSTS)))}{ids('DATASTORES', range(len(_DATASTORES)))}"
        f"{ids('VNETS', call.state.networks)}{template.xml()}</CLUSTER></CLUSTER_POOL>"
    )


def _hosts(call: Call) -> str:
    """A plain user gets an empty pool, and no error."""
    if not call.user.privileged:
        return "<HOST_POOL/>"
    total = int(call.state.hypervisor.cpus * 100)
    active = sorted(m.id for m in call.state.machines.values() if m.state == State.ACTIVE)
    inner: list[str] = []
    for number, name in reversed(list(enumerate(_HOSTS))):
        vms = active if number == 1 else []
        inner.append(
            f"<HOST><ID>{number}</ID><NAME>{name}</NAME><STATE>2</STATE>"
            "<PREV_STATE>2</PREV_STATE><IM_MAD><![CDATA[dummy]]></IM_MAD>"
            "<VM_MAD><![CDATA[dummy]]></VM_MAD><CLUSTER_ID>0</CLUSTER_ID>"
            "<CLUSTER>default</CLUSTER><HOST_SHARE><MEM_USAGE>0</MEM_USAGE>"
            f"<CPU_USAGE>0</CPU_USAGE><TOTAL_MEM>{_HOST_MEMORY}</TOTAL_MEM>"
            f"<TOTAL_CPU>{total}</TOTAL_CPU><MAX_MEM>{_HOST_MEMORY}</MAX_MEM>"
            f"<MAX_CPU>{total}</MAX_CPU><RUNNING_VMS>{len(vms)}</RUNNING_VMS>"
            f"<VMS_THREAD>1</VMS_THREAD></HOST_SHARE>{ids('VMS', vms)}<TEMPLATE/></HOST>"
        )
    return f"<HOST_POOL>{''.join(inner)}</HOST_POOL>"


def _datastores(call: Call) -> str:
    inner = "".join(
        _datastore(call, number, name, kind, mad, sizes, extra)
        for number, name, kind, mad, *sizes, extra in _DATASTORES
    )
    return f"<DATASTORE_POOL>{inner}</DATASTORE_POOL>"


def _datastore(
    call: Call,
    number: int,
    name: str,
    kind: int,
    mad: str,
    sizes: list[int],
    extra: dict[str, str],
) -> str:
    owner = Resource(
        id=number, uid=0, gid=0, uname="oneadmin", gname="oneadmin", name=name, permissions=0o640
    )
    images = [i.id for i in call.state.images.values() if i.datastore == number]
    template = _DATASTORE_TEMPLATE | extra | (_SYSTEM_DATASTORE if kind == 1 else {"DS_MAD": mad})
    if kind == 0:
        template |= _IMAGE_DATASTORE
    elif kind != 1:
        template |= {"CLONE_TARGET": "SYSTEM", "LN_TARGET": "NONE"}
    total, free, used = sizes
    return "".join(
        (
            f"<DATASTORE>{head(owner)}<DS_MAD>{cdata(mad)}</DS_MAD>",
            "<TM_MAD><![CDATA[dummy]]></TM_MAD>",
            f"<BASE_PATH>{cdata(f'/var/lib/one/datastores/{number}')}</BASE_PATH>",
            f"<TYPE>{kind}</TYPE><DISK_TYPE>0</DISK_TYPE><STATE>0</STATE>{ids('CLUSTERS', [0])}",
            f"<TOTAL_MB>{total}</TOTAL_MB><FREE_MB>{free}</FREE_MB><USED_MB>{used}</USED_MB>",
            ids("IMAGES", images),
            Template(template.items()).xml(),
            "</DATASTORE>",
        )
    )


def _version(call: Call) -> str:
    """Known only to those who may log in."""
    return call.state.version


def _config(call: Call) -> str:
    """Readable by everybody; passwords are masked."""
    del call
    entries: list[tuple[str, Value]] = [
        ("ACTION_TIMEOUT", "300"),
        ("API_LIST_ORDER", "DESC"),
        ("DB", {"BACKEND": "sqlite", "PASSWD": "***"}),
        ("DEFAULT_DEVICE_PREFIX", "hd"),
        ("ENABLE_OTHER_PERMISSIONS", "YES"),
        *(("VM_RESTRICTED_ATTR", name) for name in MACHINE_ATTRIBUTES),
    ]
    return Template(entries).xml("OPENNEBULA_CONFIGURATION")


METHODS = {
    "one.clusterpool.info": Method("", _clusters),
    "one.datastorepool.info": Method("", _datastores),
    "one.hostpool.info": Method("", _hosts),
    "one.system.config": Method("", _config),
    "one.system.version": Method("", _version),
    "one.zonepool.info": Method("", _zones),
}
