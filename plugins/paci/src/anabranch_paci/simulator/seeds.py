"""What a new cloud holds; the same every time for the same name."""

from __future__ import annotations

from anabranch_paci.simulator.creation import new_ve
from anabranch_paci.simulator.lifecycle import enter
from anabranch_paci.simulator.records import (
    Application,
    Disk,
    Image,
    Schedule,
    Subscription,
    Template,
)
from anabranch_paci.simulator.state import State

__all__ = ["seed"]

_FIRST_SUBSCRIPTION = 1000077
_DAY = 86_400
_CPU_POWER = 1600
_BANDWIDTH = 10_240
_TEMPLATES = (
    # name, type, OS, technology, architecture, smallest disk in GB
    ("centos-6-x86_64", "linux-free", "CentOS 6", "CT", "x86_64", 10),
    ("centos-6-x86", "linux-free", "CentOS 6", "CT", "x86", 10),
    ("debian-7.0-x86_64", "linux-free", "Debian 7.0", "CT", "x86_64", 5),
    ("ubuntu-12.04-x86_64", "linux-free", "Ubuntu 12.04", "VM", "x86_64", 10),
    ("win-2012-std-x86_64", "win-2012", "Windows 2012", "VM", "x86_64", 40),
)
_INACTIVE = "fedora-core-14-x86_64"
_APPLICATIONS = (
    ("mysql", "A database"),
    ("php", "A language of pages"),
    ("mod_ssl", "TLS of the web server"),
)
_SCHEDULES = (
    ("weekly", "0 0 3 ? * SUN", "Each Sunday at three", 4, 0),
    ("daily", "0 30 2 * * ?", "Each night at half past two", 7, 6),
)
_SIZES = ((1, 512, 10), (1, 1024, 50), (2, 2048, 100), (2, 4096, 250))
"""CPUs, MB and GB: the smaller half of what Lunacloud sold."""
_STATES = ("STARTED",) * 7 + ("STOPPED", "STARTED", "CREATED")


def seed(state: State, instances: int, subscriptions: int, ve_limit: int | None) -> None:
    """Fill a new cloud.

    Args:
        state: The cloud.
        instances: The number of servers.
        subscriptions: The number of subscriptions, one or more.
        ve_limit: The most servers of each subscription.
    """
    for index in range(subscriptions):
        number = _FIRST_SUBSCRIPTION + index
        state.subscriptions[number] = Subscription(id=number, ve_limit=ve_limit)
    _seed_templates(state)
    _seed_ves(state, instances)
    _seed_image(state)


def _seed_templates(state: State) -> None:
    for index, (name, os_type, os, technology, architecture, disk) in enumerate(_TEMPLATES):
        state.templates[name] = Template(
            id=45 + index,
            name=name,
            os_type=os_type,
            os=os,
            technology=technology,
            architecture=architecture,
            default=index == 0,
            root_login="Administrator" if os_type.startswith("win") else "root",
            min_disk=disk,
        )
    state.templates[_INACTIVE] = Template(
        id=44, name=_INACTIVE, os_type="linux-free", os="Fedora Core 14", active=False
    )
    state.applications = [
        Application(id=70 + index, name=name, for_os=_TEMPLATES[0][0], description=description)
        for index, (name, description) in enumerate(_APPLICATIONS)
    ]
    for index, (name, cron, description, keep, incremental) in enumerate(_SCHEDULES):
        state.schedules[name] = Schedule(
            id=1 + index,
            name=name,
            cron=cron,
            description=description,
            backups_to_keep=keep,
            incremental=incremental,
        )


def _seed_ves(state: State, instances: int) -> None:
    now = state.clock()
    subscriptions = list(state.subscriptions)
    templates = [state.templates[name] for name in ("centos-6-x86_64", "debian-7.0-x86_64")]
    for index in range(instances):
        cpus, ram, disk = _SIZES[index % len(_SIZES)]
        ve = new_ve(
            state,
            now - (instances - index) * 60 - _DAY,
            name=f"{state.name}-{index + 1:04}",
            subscription_id=subscriptions[index % len(subscriptions)],
            template=templates[index % len(templates)],
            cpu=(cpus, _CPU_POWER),
            ram=ram,
            bandwidth=_BANDWIDTH,
            disk=disk,
            ipv4=1,
            ipv6=index % 2,
        )
        ve.description = f"server {index + 1} of {state.name}"
        ve.schedule = "weekly" if index % 3 == 0 else None
        rest = _STATES[index % len(_STATES)]
        enter(ve, "CREATION_IN_PROGRESS", "CREATED", ve.created)
        enter(ve, "CREATED", "CREATED", ve.created + 30)
        if rest != "CREATED":
            enter(ve, rest, rest, ve.created + 60)
        state.ves[ve.name] = ve


def _seed_image(state: State) -> None:
    name = f"{state.name}-golden"
    state.images[name] = Image(
        id=state.new_id(),
        node_uuid=state.new_uuid(),
        name=name,
        subscription_id=next(iter(state.subscriptions)),
        image_of="golden",
        hostname="golden",
        description="What new servers are made from",
        created=state.clock() - 2 * _DAY,
        template=state.templates["centos-6-x86_64"],
        cpu_number=1,
        cpu_power=_CPU_POWER,
        ram=512,
        bandwidth=_BANDWIDTH,
        disk=Disk(id=state.new_id(), size=10),
        login="root",
        ipv4=1,
        ipv6=0,
        custom_ns=False,
    )
