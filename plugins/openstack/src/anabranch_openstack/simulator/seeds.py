"""What a new cloud holds. Ids depend on nothing but the names, so they are the same every time."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import uuid
from collections.abc import Sequence

from anabranch_openstack.simulator.compute.keypairs import fingerprint
from anabranch_openstack.simulator.compute.records import Flavor, Keypair, Nic, Quota, Server
from anabranch_openstack.simulator.compute.rsa import ssh_string
from anabranch_openstack.simulator.identity.records import (
    ApplicationCredential,
    Domain,
    Project,
    User,
)
from anabranch_openstack.simulator.image.records import Image
from anabranch_openstack.simulator.network.groups import new_group
from anabranch_openstack.simulator.network.records import (
    FloatingIp,
    Network,
    Networks,
    Router,
    Subnet,
)
from anabranch_openstack.simulator.network.routers import connect
from anabranch_openstack.simulator.network.rules import new_rule
from anabranch_openstack.simulator.state import Region, State
from anabranch_openstack.simulator.volume.records import VolumeType

__all__ = ["PASSWORD", "seed"]

PASSWORD = "demo-secret"
"""The password of everybody."""

_FLAVORS = (
    # name, ram, vcpus, disk, ephemeral, swap
    ("m1.nano", 64, 1, 1, 0, 0),
    ("m1.tiny", 512, 1, 1, 0, 0),
    ("m1.small", 2048, 1, 20, 0, 0),
    ("m1.medium", 4096, 2, 40, 0, 1024),
    ("m1.large", 8192, 4, 80, 10, 0),
    ("c1.xlarge", 16384, 16, 160, 0, 0),
)
_IMAGES = (
    # name, distribution, version, min_ram, min_disk, size
    ("debian-12", "debian", "12", 512, 2, 2_097_152),
    ("ubuntu-24.04", "ubuntu", "24.04", 512, 4, 3_145_728),
    ("rocky-9", "rocky", "9", 1024, 10, 4_194_304),
    ("cirros", "cirros", "0.6", 0, 0, 1_048_576),
    ("windows-2025", "windows", "2025", 4096, 40, 8_388_608),
)
_ROLES = ("admin", "member", "reader", "load-balancer_member")
_OWNERS = ("alice", "bob", "carol", "dave")
_STATES = ("active",) * 7 + ("stopped", "active", "paused")
_POWER = {"active": 1, "paused": 3, "stopped": 4}
_DAY = 86_400


def seed(state: State, instances: int, zones: Sequence[str]) -> None:
    """Fill a new cloud; the servers belong to the project `demo` in the first region.

    Args:
        state: The cloud.
        instances: The number of servers.
        zones: The names of the availability zones.
    """
    project = _people(state)
    for index, region in enumerate(state.regions.values()):
        _region(state, region, project, zones)
        if index == 0:
            _servers(state, region, project, instances)


def _people(state: State) -> Project:
    directory, name = state.identity, state.name
    domain = Domain("default", "Default")
    directory.domains[domain.id] = domain
    directory.role_ids = {role: _hex(name, "role", role) for role in _ROLES}
    projects = {
        title: Project(_hex(name, "project", title), title, domain)
        for title in ("demo", "tiny", "other", "admin")
    }
    directory.projects = {p.id: p for p in projects.values()}
    member = ("member", "load-balancer_member", "reader")
    people: dict[str, dict[str, tuple[str, ...]]] = {
        "demo": {projects["demo"].id: member, projects["tiny"].id: member},
        "auditor": {projects["demo"].id: ("reader",)},
        "other": {projects["other"].id: member},
        "admin": {projects["admin"].id: ("admin", *member), domain.id: ("admin",)},
    }
    for login, roles in people.items():
        user = User(
            id=_hex(name, "user", login),
            name=login,
            password=PASSWORD,
            domain=domain,
            roles=roles,
            default_project=directory.projects[next(iter(roles))],
        )
        directory.users[user.id] = user
    credential = ApplicationCredential(
        id=_hex(name, "credential"),
        name="anabranch",
        secret=hashlib.sha256(f"{name} credential".encode()).hexdigest(),
        user=next(iter(directory.users.values())),
        project=projects["demo"],
        roles=member,
    )
    directory.credentials[credential.id] = credential
    return projects["demo"]


def _region(state: State, region: Region, project: Project, zones: Sequence[str]) -> None:
    name, now = f"{state.name}/{region.name}", state.clock()
    compute = region.compute
    compute.zones = list(zones)
    for title, ram, vcpus, disk, ephemeral, swap in _FLAVORS:
        flavor = Flavor(
            id=_uuid(name, "flavor", title),
            name=title,
            ram=ram,
            vcpus=vcpus,
            disk=disk,
            ephemeral=ephemeral,
            swap=swap,
            extra_specs={"hw:cpu_policy": "shared"} if title == "m1.large" else {},
        )
        compute.flavors[flavor.id] = flavor
    tiny = _hex(state.name, "project", "tiny")
    compute.quotas[tiny] = Quota(instances=2, cores=2, ram=1024, key_pairs=2)
    for image in _images(name, _hex(state.name, "project", "admin"), now):
        region.images.images[image.id] = image
    for index, user in enumerate(state.identity.users.values()):
        key = _keypair(f"{user.name}-key", index, now)
        compute.keys_of(user.id)[key.name] = key
    _networks(state, region, name, project, now)
    for index, title in enumerate(("standard", "fast")):
        kind = VolumeType(id=_uuid(name, "volume type", title), name=title)
        if index == 0:
            kind.description = "spinning"
        region.volumes.types[kind.id] = kind


def _networks(state: State, region: Region, name: str, project: Project, now: float) -> None:
    store = region.networks
    admin = _hex(state.name, "project", "admin")
    for title, owner, cidr, external in (
        ("public", admin, "203.0.113.0/24", True),
        ("private", project.id, "10.10.0.0/16", False),
    ):
        network = Network(
            id=_uuid(name, "network", title),
            name=title,
            project_id=owner,
            created=now - 30 * _DAY,
            external=external,
        )
        store.networks[network.id] = network
        subnet = Subnet(
            id=_uuid(name, "subnet", title),
            name=f"{title}-v4",
            project_id=owner,
            network_id=network.id,
            cidr=cidr,
            created=network.created,
            gateway=cidr.replace(".0/", ".1/").split("/")[0],
            dns=["192.0.2.53"],
        )
        store.subnets[subnet.id] = subnet
    _router(store, name, project, now)
    for holder in state.identity.projects:
        group = new_group(
            _uuid(name, "group", holder, "default"),
            "default",
            holder,
            now,
            "Default security group",
        )
        new_rule(group, now, ethertype="IPv4", remote_group_id=group["id"])
        store.groups[group["id"]] = group
    web = new_group(_uuid(name, "group", project.id, "web"), "web", project.id, now, "HTTP and SSH")
    for port in (22, 80, 443):
        new_rule(
            web,
            now,
            protocol="tcp",
            port_range_min=port,
            port_range_max=port,
            remote_ip_prefix="0.0.0.0/0",
        )
    store.groups[web["id"]] = web


def _router(store: Networks, name: str, project: Project, now: float) -> None:
    outside, inside = store.subnets.values()
    router = Router(
        id=_uuid(name, "router", "edge"),
        name="edge",
        project_id=project.id,
        created=now - 30 * _DAY,
        gateway_network_id=outside.network_id,
        gateway_address=store.claim(outside, str(ipaddress.ip_network(outside.cidr)[-2])),
    )
    store.routers[router.id] = router
    connect(store, router, inside, _uuid(name, "router", "edge", "port"), router.created)


def _floating_ip(store: Networks, nic: Nic, project: Project, now: float) -> None:
    router = next(iter(store.routers.values()))
    floating_ip = FloatingIp(
        id=_uuid(nic.port_id, "floating ip"),
        project_id=project.id,
        address=nic.floating,
        network_id=router.gateway_network_id,
        created=now,
        port_id=nic.port_id,
        fixed=nic.address,
        router_id=router.id,
        status="ACTIVE",
    )
    store.floating_ips[floating_ip.id] = floating_ip


def _images(name: str, owner: str, now: float) -> list[Image]:
    images: list[Image] = []
    for index, (title, distribution, version, ram, disk, size) in enumerate(_IMAGES):
        digest = hashlib.sha512(title.encode())
        images.append(
            Image(
                id=_uuid(name, "image", title),
                name=title,
                owner=owner,
                created=now - (60 - index) * _DAY,
                updated=now - (60 - index) * _DAY,
                status="active",
                visibility="public",
                disk_format="qcow2",
                container_format="bare",
                size=size,
                checksum=digest.hexdigest()[:32],
                hash_value=digest.hexdigest(),
                min_ram=ram,
                min_disk=disk,
                properties={
                    "os_distro": distribution,
                    "os_version": version,
                    "architecture": "aarch64" if title == "cirros" else "x86_64",
                },
            )
        )
    return images


def _keypair(title: str, number: int, now: float) -> Keypair:
    raw = hashlib.sha256(title.encode()).digest()
    blob = base64.b64encode(ssh_string(b"ssh-ed25519") + ssh_string(raw)).decode()
    public = f"ssh-ed25519 {blob} {title}"
    return Keypair(
        number=number + 1,
        name=title,
        public_key=public,
        fingerprint=fingerprint(public),
        created=now - 20 * _DAY,
    )


def _servers(state: State, region: Region, project: Project, instances: int) -> None:
    compute, store = region.compute, region.networks
    flavors, images = list(compute.flavors.values()), list(region.images.images.values())
    user = next(iter(state.identity.users.values()))
    network = store.usable(project.id)[0]
    public = next(n for n in store.networks.values() if n.external)
    subnet, outside = store.first_subnet(network.id), store.first_subnet(public.id)
    now = state.clock()
    for index in range(instances):
        image = images[index % len(images)]
        zone = compute.zones[index % len(compute.zones)]
        created = now - (instances - index) * 3600.0
        state_name = _STATES[index % len(_STATES)]
        title = f"{state.name}-{('web', 'db', 'worker', 'cache')[index % 4]}-{index + 1:03d}"
        server_id = _uuid(state.name, "server", str(index))
        nics: list[Nic] = []
        if subnet is not None and outside is not None:
            nics.append(
                Nic(
                    port_id=_uuid(server_id, "port"),
                    network_id=network.id,
                    network=network.name,
                    subnet_id=subnet.id,
                    address=store.free_address(subnet),
                    mac="fa:16:3e:" + index.to_bytes(3, "big").hex(":"),
                    floating=store.free_address(outside) if index % 4 == 0 and index < 800 else "",
                )
            )
            if nics[0].floating:
                _floating_ip(store, nics[0], project, created)
        server = Server(
            id=server_id,
            name=title,
            project_id=project.id,
            user_id=user.id,
            created=created,
            updated=created + 30,
            flavor=flavors[index % len(flavors)],
            image_id=image.id,
            image_properties=image.properties,
            key_name=f"{user.name}-key",
            zone=zone,
            host_id=hashlib.sha224((project.id + zone).encode()).hexdigest(),
            hostname=title,
            vm_state=state_name,
            power_state=_POWER[state_name],
            launched=created + 25,
            metadata={
                "owner": _OWNERS[index % len(_OWNERS)],
                "purpose": "a machine that exists on paper only, to be listed and looked at",
                "cost-centre": f"{4000 + index % 7}",
                "deployed-by": "anabranch simulator",
                "ticket": f"OPS-{index + 1000}",
            },
            tags=["seeded", title.split("-")[-2]],
            security_groups=["default", "web"] if index % 4 == 0 else ["default"],
            nics=nics,
            actions=[("create", f"req-{_uuid(server_id, 'create')}", created)],
        )
        compute.add(server)


def _uuid(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts)))


def _hex(*parts: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts)).hex
