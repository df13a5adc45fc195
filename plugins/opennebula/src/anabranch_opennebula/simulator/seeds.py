"""What a new cloud holds; the same every time."""

from __future__ import annotations

import ipaddress

import msgspec

from anabranch_opennebula.simulator.access import Call, Owner
from anabranch_opennebula.simulator.machines.actions import act
from anabranch_opennebula.simulator.machines.creation import create
from anabranch_opennebula.simulator.networks.records import AddressRange, Network
from anabranch_opennebula.simulator.records import (
    Image,
    RegisteredTemplate,
    SecurityGroup,
    User,
    digest,
)
from anabranch_opennebula.simulator.state import State
from anabranch_opennebula.simulator.templates import Template

__all__ = ["PASSWORD", "caller", "seed"]

PASSWORD = "sim:secret"
"""The password of everybody; it has a colon, as passwords may."""

_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIsimulatedkeyonly tenant@broker"
_USERS: tuple[tuple[int, str, int, dict[str, float]], ...] = (
    # id, name, group, quotas
    (0, "oneadmin", 0, {}),
    (1, "serveradmin", 0, {}),
    (2, "tenant", 1, {}),
    (3, "neighbour", 1, {}),
    (4, "limited", 1, {"VMS": 3.0}),
)
_IMAGES = ("debian-12", "ubuntu-24.04", "rocky-9")
_SIZES = (("small", "0.1", "1", "128"), ("medium", "0.5", "2", "512"), ("large", "1", "4", "2048"))
_NETWORKS = (
    # name, bridge, first address, size, attributes
    (
        *("public", "br0", "172.16.0.10", 4000),
        {"DNS": "9.9.9.9", "GATEWAY": "172.16.0.1", "NETWORK_ADDRESS": "172.16.0.0"},
    ),
    ("private", "br1", "10.0.0.10", 4000, {"NETWORK_ADDRESS": "10.0.0.0"}),
)
_MASKS = {"public": "255.240.0.0", "private": "255.0.0.0"}
_DEFAULT_GROUP = (
    "The default security group is added to every network. Use it to add default filter rules for"
    " your networks. You may remove this security group from any network by updating its"
    " properties."
)
_ANYWHERE = "0.0.0.0"  # noqa: S104 - where Sunstone lets consoles listen
_DAY = 86_400
_SHARED = 0o640


class _Shared(Owner):
    """The owner and the rights of what everybody in the group `users` may use."""

    permissions: int


def seed(state: State, instances: int) -> None:
    """Fill a new cloud; its machines belong to `tenant`.

    Args:
        state: The cloud.
        instances: The number of machines; one in ten is powered off, one suspended.
    """
    _people(state)
    admin = caller(state, "oneadmin")
    _groups(state, admin)
    for number, name in enumerate(_IMAGES):
        state.images[state.images.new_id()] = Image(
            **_shared(state),
            id=number,
            name=name,
            size=1024,
            state=1,
            registered=admin.now,
            modified=admin.now,
            format="dummy_format",
            path="/dev/null",
            template=Template([("DESCRIPTION", f"seed image {name}"), ("DEV_PREFIX", "vd")]),
        )
    _networks(state)
    _templates(state, admin)
    _machines(state, instances)


def caller(state: State, name: str, age: float = 0.0) -> Call:
    """A call by a user, so many seconds ago."""
    user = next(u for u in state.users.values() if u.name == name)
    moment = state.clock() - age
    return Call(state=state, user=user, gid=user.gid, now=int(moment), moment=moment)


def _shared(state: State) -> _Shared:
    """The owner of what everybody in the group `users` may use."""
    return _Shared(uid=0, gid=1, uname="oneadmin", gname=state.groups[1], permissions=_SHARED)


def _people(state: State) -> None:
    state.groups = {0: "oneadmin", 1: "users"}
    for number, name, gid, limits in _USERS:
        key = [("SSH_PUBLIC_KEY", _KEY)] if name == "tenant" else []
        state.users[number] = User(
            id=number,
            name=name,
            gid=gid,
            gname=state.groups[gid],
            password=digest(PASSWORD),
            template=Template([*key, ("TOKEN_PASSWORD", digest(f"token of {name}"))]),
            limits=dict(limits),
        )


def _groups(state: State, admin: Call) -> None:
    groups = state.security_groups
    groups[0] = SecurityGroup(
        **admin.owner(),
        id=0,
        name="default",
        permissions=0o744,
        template=Template(
            [
                ("DESCRIPTION", _DEFAULT_GROUP),
                ("RULE", {"PROTOCOL": "ALL", "RULE_TYPE": "OUTBOUND"}),
                ("RULE", {"PROTOCOL": "ALL", "RULE_TYPE": "INBOUND"}),
            ]
        ),
    )
    rules = (
        {"PROTOCOL": "TCP", "RANGE": "22,80,443", "RULE_TYPE": "inbound"},
        {"PROTOCOL": "ICMP", "ICMP_TYPE": "8", "RULE_TYPE": "inbound"},
        {"PROTOCOL": "ALL", "RULE_TYPE": "outbound"},
    )
    number = groups.new_id()
    groups[number] = SecurityGroup(
        **_shared(state),
        id=number,
        name="web",
        template=Template(
            [("DESCRIPTION", "ssh and http"), *(("RULE", dict(rule)) for rule in rules)]
        ),
    )


def _networks(state: State) -> None:
    for name, bridge, first, size, attributes in _NETWORKS:
        number = state.networks.new_id()
        network = Network(
            **_shared(state),
            id=number,
            name=name,
            bridge=bridge,
            template=Template(
                {
                    **attributes,
                    "BRIDGE": bridge,
                    "BRIDGE_TYPE": "linux",
                    "NETWORK_MASK": _MASKS[name],
                    "OUTER_VLAN_ID": "",
                    "PHYDEV": "",
                    "SECURITY_GROUPS": "0",
                    "VLAN_ID": "",
                    "VN_MAD": "dummy",
                }.items()
            ),
        )
        network.ranges[0] = _range(0, "IP4", first, size)
        if name == "private":
            network.ranges[1] = _range(1, "IP4_6", "10.1.0.10", 500)
            network.ranges[1].prefixes = {
                "GLOBAL_PREFIX": "2001:db8:1::",
                "ULA_PREFIX": "fd00:1::",
            }
        state.networks[number] = network


def _range(number: int, kind: str, first: str, size: int) -> AddressRange:
    ip = int(ipaddress.IPv4Address(first))
    return AddressRange(
        id=number, type=kind, first_ip=ip, first_mac=0x0200_0000_0000 + ip, size=size
    )


def _templates(state: State, admin: Call) -> None:
    number = state.network_templates.new_id()
    state.network_templates[number] = RegisteredTemplate(
        **_shared(state),
        id=number,
        name="of-users",
        registered=admin.now,
        template=Template([("BRIDGE", "br2"), ("SECURITY_GROUPS", "0"), ("VN_MAD", "dummy")]),
    )
    for name, cpu, vcpu, memory in _SIZES:
        number = state.templates.new_id()
        state.templates[number] = RegisteredTemplate(
            **_shared(state),
            id=number,
            name=name,
            registered=admin.now,
            template=Template(
                [
                    ("CONTEXT", {"NETWORK": "YES", "SSH_PUBLIC_KEY": "$USER[SSH_PUBLIC_KEY]"}),
                    ("CPU", cpu),
                    ("DESCRIPTION", "seed template"),
                    ("DISK", {"IMAGE_ID": "0"}),
                    ("GRAPHICS", {"LISTEN": _ANYWHERE, "TYPE": "VNC"}),
                    ("HYPERVISOR", "dummy"),
                    ("MEMORY", memory),
                    ("NIC", {"NETWORK_ID": "1"}),
                    ("VCPU", vcpu),
                ]
            ),
        )


def _machines(state: State, instances: int) -> None:
    behaviour = state.behaviour
    state.behaviour = msgspec.structs.replace(behaviour, state_delay=0.0)
    for number in range(instances):
        call = caller(state, "tenant", age=_DAY + 60.0 * (instances - number))
        template = state.templates[number % len(_SIZES)]
        merged = template.template.copy()
        merged.put("TEMPLATE_ID", str(template.id))
        machine = create(call, merged, f"{state.name}-{number:03}", hold=False)
        state.settle(call.moment)
        if verb := {3: "poweroff", 7: "suspend"}.get(number % 10):
            act(call, verb, machine.id)
            state.settle(call.moment)
    state.behaviour = behaviour
