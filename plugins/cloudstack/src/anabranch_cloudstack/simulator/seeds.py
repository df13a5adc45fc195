"""What a new cloud holds."""

from __future__ import annotations

import base64
import hashlib

from anabranch_cloudstack.simulator.catalog.seeds import seed_catalog
from anabranch_cloudstack.simulator.compute.keys import fingerprint
from anabranch_cloudstack.simulator.compute.records import KeyPair, Machine, Nic
from anabranch_cloudstack.simulator.network.placement import nic_at
from anabranch_cloudstack.simulator.network.provision import implement
from anabranch_cloudstack.simulator.network.records import AclList, Network, SecurityGroup
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.storage.records import Volume

__all__ = ["seed"]

_AGE = 30 * 24 * 3600.0


def seed(state: State, instances: int) -> None:
    """Fill a new cloud.

    Args:
        state: The cloud.
        instances: The number of machines of the account `demo`: nine of ten in the Advanced
            zone, every tenth in the Basic one; every fourth is stopped.
    """
    now = state.now
    state.now = now - _AGE
    seed_catalog(state)
    for name in state.accounts:
        group = SecurityGroup(
            id=state.new_id(), name="default", account=name, text="Default Security Group"
        )
        state.add(state.security_groups, group)
    for name in ("default_allow", "default_deny"):
        action = name.removeprefix("default_").title()
        text = f"Default Network ACL {action} All"
        state.add(state.acl_lists, AclList(id=state.new_id(), name=name, text=text))
    _networks(state)
    _machines(state, instances)
    state.now = now


def _networks(state: State) -> None:
    advanced, basic = list(state.zones)[:2]
    by_name = {offering.name: offering.id for offering in state.network_offerings.values()}
    shared = Network(
        id=state.new_id(),
        name="guestNetworkForBasicZone",
        text="The network of the Basic zone",
        created=state.now,
        zone=basic,
        offering=by_name["DefaultSharedNetworkOfferingWithSGService"],
        type="Shared",
        gateway="192.168.0.1",
        cidr="192.168.0.0/16",
        state="Setup",
        domain="cs1cloud.internal",
    )
    isolated = Network(
        id=state.new_id(),
        name="demo-net",
        text="The network of the account demo",
        account="demo",
        created=state.now,
        zone=advanced,
        offering=by_name["DefaultIsolatedNetworkOfferingWithSourceNatService"],
        type="Isolated",
        gateway="10.1.0.1",
        cidr="10.1.0.0/16",
    )
    state.add(state.networks, shared)
    state.add(state.networks, isolated)
    implement(state, isolated)
    blob = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"
    blob += hashlib.sha256(state.name.encode()).digest()
    public_key = f"ssh-ed25519 {base64.b64encode(blob).decode()} demo@{state.name}"
    pair = KeyPair(
        id=state.new_id(),
        name="demo-key",
        account="demo",
        created=state.now,
        public_key=public_key,
        fingerprint=fingerprint(public_key) or "",
    )
    state.add(state.key_pairs, pair)


def _machines(state: State, instances: int) -> None:
    advanced, basic = list(state.zones)[:2]
    shared, isolated = state.networks.values()
    offerings = list(state.service_offerings.values())[:3]
    image = next(iter(state.images.values()))
    pair = next(iter(state.key_pairs.values()))
    group = next(g.id for g in state.security_groups.values() if g.account == "demo")
    for index in range(instances):
        in_basic = index % 10 == 9
        offering = offerings[index % len(offerings)]
        started = state.now + index
        machine = Machine(
            id=state.new_id(),
            number=state.new_number(),
            name=f"{_host_name(state.name)}-{index:04}",
            display=f"{state.name} machine {index}",
            account="demo",
            created=started,
            zone=basic if in_basic else advanced,
            image=image.id,
            offering=offering.id,
            cpus=offering.cpus,
            speed=offering.speed,
            memory=offering.memory,
            state="Stopped" if index % 4 == 3 else "Running",
            updated=started + 4,
            running_since=started + 4,
            nics=[_seed_nic(state, shared if in_basic else isolated)],
            security_groups=[group] if in_basic else [],
            key_pairs=[pair.name],
            ssh_key=pair.public_key,
            tags={"role": "web" if index % 2 else "db"},
        )
        volume = Volume(
            id=state.new_id(),
            name=f"ROOT-{machine.number}",
            account="demo",
            created=started,
            zone=machine.zone,
            size=image.size,
            type="ROOT",
            state="Ready",
            machine=machine.id,
        )
        machine.volumes.append(volume.id)
        state.add(state.machines, machine)
        state.add(state.volumes, volume)


def _seed_nic(state: State, network: Network) -> Nic:
    """A NIC with the next address of a network in which nobody has chosen his own."""
    network.given += 2 if not network.given else 1
    prefix = network.gateway.rsplit(".", 2)[0]
    return nic_at(state, network, f"{prefix}.{network.given // 256}.{network.given % 256}", 0)


def _host_name(name: str) -> str:
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in name).strip("-")
    return letters if letters[:1].isalpha() else f"vm-{letters}".rstrip("-")
