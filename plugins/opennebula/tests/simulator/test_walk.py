"""A long walk at random through the life of a cloud: the books are in order at its end."""

from __future__ import annotations

import random
import xmlrpc.client
from collections import Counter

import anyio
import pytest

from anabranch.testing.simulation import Behaviour
from anabranch_opennebula.simulator import simulator
from anabranch_opennebula.simulator.app import METHODS
from anabranch_opennebula.simulator.seeds import PASSWORD

VERBS = (
    *(
        "resume",
        "resume",
        "resume",
        "terminate",
        "terminate-hard",
        "poweroff",
        "poweroff-hard",
        "suspend",
        "stop",
        "undeploy",
    ),
    *("undeploy-hard", "resume", "resume", "resume", "reboot", "hold", "release", "delete"),
)
EXTRAS = (
    *(
        "",
        "",
        'DISK=[IMAGE_ID="1"]\nDISK=[TYPE="fs",SIZE="9"]',
        'CPU="900"',
        'NIC=[NETWORK_ID="3"]',
    ),
    *('NIC=[NETWORK_ID="0",SECURITY_GROUPS="100"]', 'DISK=[IMAGE_ID="4"]', 'NIC=[NETWORK_ID="1"]'),
)
WRITTEN = {
    "one.vm.attach": ('DISK=[IMAGE_ID="1"]', 'DISK=[IMAGE_ID="3"]', 'DISK=[TYPE="fs",SIZE="9"]'),
    "one.vm.attachnic": (
        *('NIC=[NETWORK_ID="0"]', 'NIC=[NETWORK_ID="2",SECURITY_GROUPS="101"]'),
        *('NIC_ALIAS=[NETWORK_ID="0",PARENT="NIC0"]', 'NIC_ALIAS=[NETWORK_ID="1",PARENT="NIC1"]'),
    ),
    "one.vn.reserve": ('NAME="a"\nSIZE="2"', 'NAME="b"\nSIZE="3"', 'NETWORK_ID="2"\nSIZE="1"'),
    "one.vntemplate.instantiate": ('AR=[TYPE="IP4",IP="10.9.0.1",SIZE="4"]',),
    "one.image.allocate": (
        *('NAME="v"\nTYPE="DATABLOCK"\nSIZE="5"\nPERSISTENT="YES"', 'NAME="w"\nSIZE="5"'),
        'NAME="x"\nTYPE="DATABLOCK"\nSIZE="5"\nPERSISTENT="YES"',
    ),
    "one.secgroup.allocate": (
        *('NAME="g"\nRULE=[PROTOCOL="ALL",RULE_TYPE="inbound"]', 'NAME="h"'),
    ),
    "one.vm.diskresize": ("2000", "9000"),
    "one.template.instantiate": EXTRAS,
    "one.vm.allocate": tuple(f'CPU="1"\nMEMORY="64"\n{extra}' for extra in EXTRAS),
}
OFTEN = (
    *("one.vm.action",) * 40,
    *("one.template.instantiate", "one.vm.attach", "one.vm.attachnic", "one.vm.detach") * 8,
    *("one.vm.detachnic", "one.vn.reserve", "one.image.allocate", "one.secgroup.allocate") * 4,
    *("one.vm.disksnapshotcreate", "one.vm.snapshotcreate", "one.vm.attachsg") * 6,
    *("one.vm.recover", "one.vm.disksnapshotdelete", "one.vm.disksnapshotrevert") * 6,
)
LEFT_OUT = {"one.user.login", "one.user.update", "one.system.config", "one.vm.lock"}


class Walker:
    """Calls at random, of which many succeed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.now = 1_800_000_000.0
        self.answers: Counter[tuple[str, bool]] = Counter()
        delay = self.dice.choice([0.0, 1.0, 4.0])
        self.cloud = simulator.cloud(
            "walk", instances=5, behaviour=Behaviour(state_delay=delay), clock=lambda: self.now
        )
        self.methods = [*OFTEN, *sorted(METHODS.keys() - LEFT_OUT)]

    def parameters(self, method: str) -> list[object]:
        dice = self.dice
        if method == "one.vm.action":
            return [dice.choice(VERBS), self.machine()]
        texts = WRITTEN.get(method, ("some", "other", 'KEY="value"'))
        given: list[object] = []
        for letter in METHODS[method].parameters.replace("|", "")[1:]:
            if letter == "i":
                given.append(dice.choice([*range(8), *range(3), 100, 101, -1]))
            elif letter == "b":
                given.append(dice.random() < 0.2)
            else:
                given.append(dice.choice(texts))
        if method in ("one.template.instantiate", "one.vntemplate.instantiate"):
            given[:2] = [dice.randrange(3), ""]
        if method.startswith("one.vm.") and given and isinstance(given[0], int):
            given[0] = self.machine()
        if method.startswith("one.vm.disksnapshot"):
            given[1] = dice.choice([0, 0, 2])
            if isinstance(given[2], int):
                given[2] = dice.randrange(2)
        return given

    def machine(self) -> int:
        """The number of a machine that is not done yet, as a rule."""
        numbers = [machine.id for machine in alive(self)]
        return self.dice.choice(numbers) if numbers and self.dice.random() < 0.9 else 0

    async def step(self) -> None:
        method = self.dice.choice(self.methods)
        user = self.dice.choice(["tenant", "tenant", "tenant", "oneadmin", "neighbour"])
        parameters = self.parameters(method)
        self.cloud.hypervisor.attach_fails = self.dice.random() < 0.1
        self.cloud.hypervisor.ignores_acpi = self.dice.random() < 0.1
        self.cloud.hypervisor.deploy_error = "broken" if self.dice.random() < 0.05 else ""
        success = await self.ask(method, f"{user}:{PASSWORD}", *parameters)
        self.answers[method, success] += 1
        self.now += self.dice.random() * 3

    async def ask(self, method: str, *parameters: object) -> bool:
        """Call a method; whether it succeeded."""
        body = xmlrpc.client.dumps(parameters, method).encode()
        sent = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/RPC2", "headers": []}
        await self.cloud.app(scope, receive, send)
        (answer,), _ = xmlrpc.client.loads(sent[1]["body"])
        return answer[0]

    async def walk(self, steps: int) -> None:
        for _ in range(steps):
            await self.step()
        self.now += 1000
        while any(machine.busy for machine in self.cloud.machines):
            self.cloud.state.settle(self.now)
            self.now += 1000


@pytest.fixture(scope="module")
def walkers():
    """Eight that have come to the end of their walks."""
    found = [Walker(seed) for seed in range(8)]
    for walker in found:
        anyio.run(walker.walk, 700)
    return found


@pytest.fixture(params=range(8))
def walker(request, walkers):
    return walkers[request.param]


def alive(walker):
    return [machine for machine in walker.cloud.machines if machine.state != 6]


def test_the_walks_get_somewhere(walkers):
    done = {method for w in walkers for (method, success) in w.answers if success}
    assert set(OFTEN) <= done
    assert {m.state for w in walkers for m in w.cloud.machines} == {1, 2, 3, 4, 5, 6, 8, 9}


def test_addresses_are_with_those_that_have_them(walker):
    networks = walker.cloud.state.networks
    given = {
        (network.id, r.id, index): holder
        for network in networks.values()
        for r in network.ranges.values()
        for index, holder in r.leases.items()
        if holder != ("VM", -1)
    }
    had = {
        (network_id, *lease): ("VM", machine.id)
        for machine in walker.cloud.machines
        for network_id, lease in machine.leases.values()
    }
    assert {key: value for key, value in given.items() if value[0] == "VM"} == had
    for network in networks.values():
        assert network.vms == {m.id for m in alive(walker) if network.id in _networks(m)}
    reserved = [holder for holder in given.values() if holder[0] == "VNET"]
    children = [n for n in networks.values() if n.parent >= 0]
    assert len(reserved) == sum(r.size for n in children for r in n.ranges.values())


def _networks(machine) -> set[int]:
    return {network_id for network_id, _ in machine.leases.values()}


def test_interfaces_have_addresses_and_nobody_else(walker):
    for machine in alive(walker):
        vectors = [*machine.template.vectors("NIC"), *machine.template.vectors("NIC_ALIAS")]
        assert {int(v["NIC_ID"]) for v in vectors} == machine.leases.keys()
        assert len(vectors) == len(machine.leases)
        assert not [v for v in vectors if "ATTACH" in v]


def test_images_know_who_uses_them(walker):
    for image in walker.cloud.state.images.values():
        users = {
            machine.id
            for machine in alive(walker)
            for disk in machine.disks
            if disk.get("IMAGE_ID") == str(image.id)
        }
        assert image.vms == users
        assert not (image.persistent and len(users) > 1)
        if users:
            assert image.state == (8 if image.persistent else 2)
        else:
            assert image.state not in (2, 8)


def test_security_groups_know_who_has_them(walker):
    for group in walker.cloud.state.security_groups.values():
        owners = set()
        for machine in alive(walker):
            for kind in ("NIC", "NIC_ALIAS"):
                for nic in machine.template.vectors(kind):
                    if str(group.id) in nic["SECURITY_GROUPS"].split(","):
                        owners.add(machine.id)
        assert group.vms == owners


def test_disks_have_numbers_and_names_of_their_own(walker):
    for machine in alive(walker):
        numbers = [disk["DISK_ID"] for disk in machine.disks]
        targets = [disk["TARGET"] for disk in machine.disks]
        assert len(set(numbers)) == len(numbers)
        assert len(set(targets)) == len(targets)
        assert not [disk for disk in machine.disks if "ATTACH" in disk]
        assert {str(number) for number in machine.chains} <= set(numbers)


def test_states_are_those_in_which_a_machine_may_stay(walker):
    resting = {(1, 0), (2, 0), (3, 3), (3, 36), (4, 0), (5, 0), (6, 0), (8, 0), (9, 0)}
    assert {tuple(map(int, machine.where)) for machine in walker.cloud.machines} <= resting


def test_documents_are_written_anew_after_every_change(walker):
    anyio.run(listed, walker)
    kept = {machine.id: machine.documents["extended"] for machine in walker.cloud.machines}
    for machine in walker.cloud.machines:
        machine.changed()
    anyio.run(listed, walker)
    assert {m.id: m.documents["extended"] for m in walker.cloud.machines} == kept


async def listed(walker) -> None:
    """Have every machine's document written that is not at hand."""
    await walker.ask("one.vmpool.infoextended", f"oneadmin:{PASSWORD}", -2, -1, -1, -2)
