"""The fields of the documents of every collection.

The readers know nothing of the writers: both sides are told by what deltacloud.md says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anabranch.models import (
    Address,
    Blob,
    Bucket,
    Firewall,
    HardwareProfile,
    Image,
    Instance,
    Key,
    LoadBalancer,
    Metric,
    Network,
    NetworkInterface,
    Realm,
    SourceKind,
    StorageSnapshot,
    StorageVolume,
    Subnet,
)
from anabranch_server.deltacloud.links import View

from .documents_hostile import settled
from .documents_reading import (
    ACTIONS,
    Element,
    Field,
    choice,
    link,
    linked,
    named,
    number,
    plain_rels,
    ref,
    referred,
    refs,
    rels,
    same,
    segment,
    time,
    url,
    word,
)


def properties(element: Element) -> list[Any]:
    return [
        (
            p.attrib["name"],
            p.attrib["kind"],
            p.attrib["unit"],
            p.attrib["value"],
            None if (param := p.find("param")) is None else dict(param.attrib),
            None if (bounds := p.find("range")) is None else dict(bounds.attrib),
            [one.attrib["value"] for one in p.findall("enum/entry")],
        )
        for p in element.findall("property")
    ]


def plain_properties(plain: dict[str, Any]) -> list[Any]:
    return [
        (
            p["name"],
            p["kind"],
            p["unit"],
            settled(p["value"]),
            p.get("param"),
            p.get("range"),
            [settled(one) for one in p.get("enum", [])],
        )
        for p in plain["details"]
    ]


def figure(value: Any) -> str:
    whole = isinstance(value, float) and value == int(value)
    return settled(str(int(value) if whole else value))


def model_properties(item: HardwareProfile, view: View) -> list[Any]:
    units = {"cpu": "count", "memory": "MB", "storage": "GB", "architecture": "label"}
    found: list[Any] = []
    for name, unit in units.items():
        field = {"memory": "memory_mib", "storage": "storage_gb"}.get(name, name)
        told = getattr(item, field)
        if told is None:
            continue
        kind = told.kind.value
        how = {"href": f"{view.root}/instances", "method": "post", "name": f"hwp_{name}"}
        ends = [told.first, told.last]
        first, last = ("" if end is None else figure(end) for end in ends)
        found.append((
            name, kind, unit, figure(told.value),
            None if kind == "fixed" else how | {"operation": "create"},
            {"first": first, "last": last} if kind == "range" else None,
            [figure(one) for one in told.choices],
        ))  # fmt: skip
    if item.root_type:
        found.append(("root_type", "fixed", "label", item.root_type.value, None, None, []))
    return found


def addresses(tag: str) -> Field:
    return Field(
        tag,
        lambda e: [
            (one.attrib["type"], one.attrib.get("port", ""), one.text or "")
            for one in e.findall(f"{tag}/address")
        ],
        lambda d: [(o["type"], str(o.get("port", "")), settled(o["address"])) for o in d[tag]],
        lambda m, _: [
            (o.kind.value, "" if o.port is None else str(o.port), settled(o.address))
            for o in getattr(m, tag)
        ],
    )


def hardware(item: Instance) -> dict[str, str]:
    told = item.hardware
    names = {"memory": "memory_mib", "storage": "storage_gb"}
    return {
        name: figure(value)
        for name in ("memory", "storage", "cpu", "architecture")
        if told and (value := getattr(told, names.get(name, name))) is not None
    }


def login(item: Instance, view: View) -> dict[str, str]:
    told = item.authentication
    key_id = item.key_id or (told.key_id if told else None)
    found = {
        "username": told.username if told else None,
        "password": told.password.get_secret_value() if told and told.password else None,
        "keyname": named(view, item, key_id) if key_id else None,
    }
    return {name: settled(value) for name, value in found.items() if value}


INSTANCE = [
    word("name"),
    choice("state"),
    word("owner_id"),
    word("owner_id", "owner"),
    ref("image", "images", "image_id"),
    ref("realm", "realms", "realm_id"),
    Field(
        "profile",
        lambda e: None if (p := e.find("hardware_profile")) is None or not p.attrib else link(p),
        lambda d: linked(d["hardware_profile"]) if "id" in d["hardware_profile"] else None,
        lambda m, v: referred(m, v, "hardware_profiles", m.hardware_profile_id),
    ),
    Field(
        "hardware",
        lambda e: {
            p.attrib["name"]: p.attrib["value"] for p in e.findall("hardware_profile/property")
        },
        lambda d: {k: settled(v) for k, v in d["hardware_profile"].get("properties", {}).items()},
        lambda m, _: hardware(m),
    ),
    time("launch_time", "launched_at"),
    addresses("public_addresses"),
    addresses("private_addresses"),
    refs("firewalls", "firewall", "firewalls", "firewall_ids"),
    refs("network_interfaces", "network_interface", "network_interfaces", "network_interface_ids"),
    Field(
        "storage_volumes",
        lambda e: [
            (link(v), v.attrib.get("device", ""))
            for v in e.findall("storage_volumes/storage_volume")
        ],
        lambda d: [(linked(v), settled(v["device"])) for v in d["storage_volumes"]],
        lambda m, v: [
            (referred(m, v, "storage_volumes", o.storage_volume_id), settled(o.device))
            for o in m.storage_volumes
        ],
    ),
    Field(
        "login",
        lambda e: {one.tag: one.text or "" for one in e.findall("authentication/login/*")},
        lambda d: {k: settled(v) for k, v in d["authentication"].items()},
        login,
    ),
    Field(
        "authentication",
        lambda e: None if (a := e.find("authentication")) is None else a.attrib["type"],
        lambda d: d["authentication_type"],
        lambda m, v: (
            "password" if "password" in (found := login(m, v)) else "key" if found else None
        ),
    ),
    ACTIONS,
]  # fmt: skip


def rule(item: Any, source: Any) -> dict[str, str]:
    if source.kind is SourceKind.GROUP:
        told = {"name": source.group, "owner": source.owner}
    else:
        told = {"cidr": source.cidr}
    return {k: settled(v) for k, v in told.items() if v} | {"type": source.kind.value}


def read_source(told: Mapping[str, str]) -> dict[str, str]:
    """An address and its prefix are the block again."""
    told = {k: settled(v) for k, v in told.items()}
    if told["type"] == "address":
        prefix = f"/{told['prefix']}" if "prefix" in told else ""
        told = {"type": "address", "cidr": told.get("address", "") + prefix}
    return {k: v for k, v in told.items() if v}


RULE = ("allow_protocol", "port_from", "port_to", "direction", "rule_action", "log_rule")
FIREWALL = [
    word("name"),
    word("description"),
    word("owner_id"),
    ACTIONS,
    Field(
        "rules",
        lambda e: [
            {
                "id": r.attrib["id"],
                "href": r.attrib["href"],
                **{name: r.findtext(name) or "" for name in RULE},
                "sources": [read_source(s.attrib) for s in r.findall("sources/source")],
            }
            for r in e.findall("rules/rule")
        ],
        lambda d: [
            {
                "id": settled(r["id"]),
                "href": r["href"],
                **{n: settled("" if r[n] is None else str(r[n])) for n in RULE[:-1]},
                "log_rule": "true" if r["log_rule"] else "false",
                "sources": [read_source(s) for s in r["sources"]],
            }
            for r in d["rules"]
        ],
        lambda m, v: [
            {
                "id": settled(r.id),
                "href": f"{url(v, 'firewalls', m, m.id)}/{segment(r.id)}",
                "allow_protocol": settled(r.protocol),
                "port_from": "" if r.port_from is None else str(r.port_from),
                "port_to": "" if r.port_to is None else str(r.port_to),
                "direction": r.direction.value,
                "rule_action": r.action.value,
                "log_rule": "true" if r.log else "false",
                "sources": [rule(m, s) for s in r.sources],
            }
            for r in m.rules
        ],
    ),
    Field(
        "rule actions",
        lambda e: [rels(r) for r in e.findall("rules/rule")],
        lambda d: [plain_rels(r) for r in d["rules"]],
        None,
    ),
]


def samples(values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            name: settled(value) if name == "unit" else float(value)
            for name, value in one.items()
            if value is not None and value != ""
        }
        for one in values
    ]


METRIC = [
    word("entity"),
    Field(
        "series",
        lambda e: [
            (
                series.attrib.get("name", series.tag),
                samples([
                    {p.attrib["name"]: p.attrib["value"] for p in one.findall("property")}
                    for one in series.findall("sample")
                ]),
            )
            for series in e.findall("properties/*")
        ],
        lambda d: [(settled(s["name"]), samples(s["values"])) for s in d["properties"]],
        lambda m, _: [
            (
                settled(s.name),
                samples([
                    {
                        "minimum": one.minimum,
                        "maximum": one.maximum,
                        "average": one.average,
                        "timestamp": one.timestamp.timestamp(),
                        "unit": s.unit,
                    }
                    for one in s.samples
                ]),
            )
            for s in m.series
        ],
    ),
]  # fmt: skip

COLLECTIONS: Mapping[str, tuple[type[Any], list[Field]]] = {
    "realms": (
        Realm,
        [
            word("name"),
            choice("state"),
            Field(
                "limit",
                lambda e: e.findtext("limit", "unlimited"),
                lambda d: str(d["limit"]),
                lambda m, _: "unlimited" if m.limit is None else str(m.limit),
            ),
        ],
    ),
    "hardware_profiles": (
        HardwareProfile,
        [
            word("name"),
            Field(
                "id again",
                lambda e: e.findtext("id"),
                lambda d: settled(d["id"]),
                lambda m, v: named(v, m, m.id),
            ),
            Field("properties", properties, plain_properties, model_properties),
        ],
    ),
    "images": (
        Image,
        [
            word("name"),
            word("description"),
            word("owner_id"),
            word("owner_id", "owner"),
            word("architecture"),
            choice("state"),
            choice("root_type"),
            time("creation_time", "created_at"),
            Field(
                "hardware_profiles",
                lambda e: [link(one) for one in e.findall("hardware_profiles/hardware_profile")],
                lambda d: [linked(one) for one in d["hardware_profiles"]],
                lambda m, v: [
                    referred(m, v, "hardware_profiles", one) for one in m.hardware_profile_ids
                ],
            ),
            ACTIONS,
        ],
    ),
    "instances": (Instance, INSTANCE),
    "keys": (
        Key,
        [
            word("name"),
            Field(
                "type",
                lambda e: e.attrib["type"],
                lambda d: d["credential_type"],
                lambda m, _: m.kind.value,
            ),
            word("fingerprint"),
            word("username"),
            word("state"),
            Field(
                "pem",
                lambda e: e.findtext("pem"),
                lambda d: d["pem_rsa_key"],
                lambda m, _: m.private_key and m.private_key.get_secret_value(),
            ),
            Field(
                "password",
                lambda e: e.findtext("password"),
                lambda d: d["password"],
                lambda m, _: m.password and m.password.get_secret_value(),
            ),
            ACTIONS,
        ],
    ),
    "firewalls": (Firewall, FIREWALL),
    "addresses": (Address, [word("ip"), ref("instance", "instances", "instance_id"), ACTIONS]),
    "load_balancers": (
        LoadBalancer,
        [
            word("name"),
            time("created_at", "created_at"),
            ref("realm", "realms", "realm_id"),
            Field(
                "addresses",
                lambda e: [a.text or "" for a in e.findall("public_addresses/address")],
                lambda d: [settled(a["address"]) for a in d["public_addresses"]],
                lambda m, _: [settled(a) for a in m.public_addresses],
            ),
            Field(
                "listeners",
                lambda e: [
                    (
                        one.attrib["protocol"],
                        one.findtext("load_balancer_port"),
                        one.findtext("instance_port"),
                    )
                    for one in e.findall("listeners/listener")
                ],
                lambda d: [
                    (
                        settled(one["protocol"]),
                        str(one["load_balancer_port"]),
                        str(one["instance_port"]),
                    )
                    for one in d["listeners"]
                ],
                lambda m, _: [
                    (settled(one.protocol), str(one.load_balancer_port), str(one.instance_port))
                    for one in m.listeners
                ],
            ),
            Field(
                "instances",
                lambda e: [link(one) for one in e.findall("instances/instance")],
                lambda d: [linked(one) for one in d["instances"]],
                lambda m, v: [referred(m, v, "instances", one) for one in m.instance_ids],
            ),
            Field(
                "unregister",
                lambda e: [rels(one) for one in e.findall("instances/instance")],
                lambda d: [plain_rels(one) for one in d["instances"]],
                None,
            ),
            ACTIONS,
        ],
    ),
    "storage_volumes": (
        StorageVolume,
        [
            word("name"),
            word("description"),
            word("kind"),
            word("device"),
            choice("state"),
            time("created", "created_at"),
            number("capacity", "capacity", "capacity_gb"),
            ref("realm", "realms", "realm_id"),
            Field(
                "realm_id",
                lambda e: e.findtext("realm_id") or "",
                lambda d: settled(d["realm_id"]),
                lambda m, v: named(v, m, m.realm_id) if m.realm_id else "",
            ),
            ref("instance", "instances", "instance_id", "mount/instance"),
            ACTIONS,
        ],
    ),
    "storage_snapshots": (
        StorageSnapshot,
        [
            word("name"),
            word("description"),
            time("created", "created_at"),
            ref("storage_volume", "storage_volumes", "storage_volume_id"),
            ref("instance", "instances", "instance_id"),
            ACTIONS,
        ],
    ),
    "networks": (
        Network,
        [
            word("name"),
            choice("state"),
            Field(
                "address_blocks",
                lambda e: [one.text or "" for one in e.findall("address_blocks/address_block")],
                lambda d: [settled(one) for one in d["address_blocks"]],
                lambda m, _: [settled(one) for one in m.address_blocks],
            ),
            refs("subnets", "subnet", "subnets", "subnet_ids"),
            ACTIONS,
        ],
    ),
    "subnets": (
        Subnet,
        [
            word("name"),
            choice("state"),
            word("address_block"),
            Field(
                "network",
                lambda e: e.findtext("network"),
                lambda d: settled(d["network"]["id"]),
                lambda m, v: named(v, m, m.network_id),
            ),
            ACTIONS,
        ],
    ),
    "network_interfaces": (
        NetworkInterface,
        [
            word("name"),
            Field(
                "ip_addresses",
                lambda e: [one.text for one in e.findall("ip_address")],
                lambda d: [settled(one) for one in d["ip_addresses"] if one],
                lambda m, _: [settled(one) for one in m.ip_addresses if one],
            ),
            Field(
                "network",
                lambda e: (
                    (link(one), one.attrib["rel"], one.text)
                    if (one := e.find("network")) is not None
                    else None
                ),
                lambda d: (
                    (linked(one), one["rel"], settled(one["id"])) if (one := d["network"]) else None
                ),
                lambda m, v: (
                    (
                        referred(m, v, f"{rel}s", ident),
                        rel,
                        named(v, m, ident),
                    )
                    if (ident := m.subnet_id or m.network_id)
                    and (rel := "subnet" if m.subnet_id else "network")
                    else None
                ),
            ),
            ref("instance", "instances", "instance_id"),
            ACTIONS,
        ],
    ),
    "buckets": (Bucket, [word("name"), number("size", "size", "blob_count")]),
    "blobs": (
        Blob,
        [
            Field(
                "bucket",
                lambda e: e.findtext("bucket"),
                lambda d: settled(d["bucket"]["id"]),
                lambda m, v: named(v, m, m.bucket_id),
            ),
            number("content_length", "content_length", "content_length"),
            word("content_type"),
            time("last_modified", "last_modified"),
            Field(
                "metadata",
                lambda e: [
                    (o.attrib["key"], o.text or "") for o in e.findall("user_metadata/entry")
                ],
                lambda d: [(settled(k), settled(v)) for k, v in d["user_metadata"].items()],
                lambda m, _: [(settled(k), settled(v)) for k, v in m.metadata.items()],
            ),
            Field(
                "content",
                lambda e: e.find("content").attrib["href"],
                lambda d: d["content_href"],
                lambda m, v: f"{blob_url(m, v)}/content",
            ),
        ],
    ),
    "metrics": (Metric, METRIC),
}


def blob_url(item: Blob, view: View) -> str:
    return f"{url(view, 'buckets', item, item.bucket_id)}/{segment(item.id)}"


def fields_of(collection: str) -> list[Field]:
    if collection == "blobs":
        own = [
            Field("id", lambda e: e.attrib["id"], lambda d: settled(d["id"]),
                  lambda m, _: settled(m.id)),
            Field("href", lambda e: e.attrib["href"], lambda d: d["href"], blob_url),
        ]  # fmt: skip
    else:
        own = same(collection)
    return own + COLLECTIONS[collection][1]


SECRET = {"login", "authentication", "pem", "password"}
