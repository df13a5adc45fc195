"""Making servers: from a template, from an image, from another server, and once more."""

from __future__ import annotations

from anabranch_paci.simulator.lifecycle import begin
from anabranch_paci.simulator.lookup import (
    check_limit,
    check_new_name,
    find_template,
    subscription,
)
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.reading import (
    MOST_ADDRESSES,
    attribute_number,
    child_number,
    child_text,
    required,
)
from anabranch_paci.simulator.records import Disk, Template, Ve
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.state import State
from anabranch_paci.simulator.wire import Reply, Request, bad_request, conflict, password_reply

__all__ = ["new_ve", "routes"]

routes = Routes()


def new_ve(
    state: State,
    now: float,
    *,
    name: str,
    subscription_id: int,
    template: Template,
    cpu: tuple[int, int],
    ram: int,
    bandwidth: int,
    disk: int,
    ipv4: int = 0,
    ipv6: int = 0,
    login: str = "",
    password: str = "",
) -> Ve:
    """A server with addresses, an id and a password of its own, in the state CREATE.

    Args:
        state: Where; the server is not yet put into it.
        now: When, seconds since the epoch.
        name: Its name.
        subscription_id: On whose account.
        template: The operating system.
        cpu: The number of CPUs, and the power of each in MHz.
        ram: MB.
        bandwidth: kbps.
        disk: GB.
        ipv4: How many public addresses.
        ipv6: How many public IPv6 addresses.
        login: The administrator's login; the template's when empty.
        password: The administrator's password; made up when empty.
    """
    number = state.new_id()
    return Ve(
        id=number,
        uuid=state.new_uuid(),
        node=1 + number % 3,
        name=name,
        hostname=name if name.isascii() and name.replace("-", "").isalnum() else "",
        subscription_id=subscription_id,
        template=template,
        cpu_number=cpu[0],
        cpu_power=cpu[1],
        ram=ram,
        bandwidth=bandwidth,
        disk=Disk(id=number, size=disk),
        private_ip=state.pool.private(),
        ipv4=state.pool.ipv4(ipv4),
        ipv6=state.pool.ipv6(ipv6),
        login=login or template.root_login,
        password=password or state.new_password(),
        created=now,
        state="CREATE",
    )


@routes.on("POST", "/ve")
def create(request: Request) -> Reply:
    """Make a server; it is there at once, and CREATED, not started, in the end."""
    state, document = request.state, request.document("ve")
    name = required(document, "name").text
    check_new_name(state.ves, name)
    bought = subscription(state, (child_text(document, "subscription-id") or "").strip())
    template = _template(request, document)
    cpu, disk = required(document, "cpu"), required(document, "ve-disk")
    size = attribute_number(disk, "size")
    if size < template.min_disk:
        raise bad_request(f"{template.name} needs a disk of {template.min_disk} GB")
    schedule = document.find("backup-schedule")
    if schedule is not None and schedule.get("name") not in state.schedules:
        raise bad_request(f"There is no backup schedule {schedule.get('name')}")
    admin = document.find("admin") or Element("admin")
    check_limit(state, bought)
    ve = new_ve(
        state,
        request.now,
        name=name,
        subscription_id=bought.id,
        template=template,
        cpu=(attribute_number(cpu, "number"), attribute_number(cpu, "power")),
        ram=child_number(document, "ram-size"),
        bandwidth=child_number(document, "bandwidth"),
        disk=size,
        ipv4=child_number(document, "no-of-public-ip", 0, most=MOST_ADDRESSES),
        ipv6=child_number(document, "no-of-public-ipv6", 0, most=MOST_ADDRESSES),
        login=admin.get("login") or "",
        password=admin.get("password") or "",
    )
    ve.hostname = child_text(document, "hostname") or ve.hostname
    ve.description = child_text(document, "description")
    ve.schedule = schedule.get("name") if schedule is not None else None
    ve.custom_ns = document.get("custom-ns") in ("1", "true")
    ve.disk = Disk(id=ve.disk.id, size=size, local=disk.get("local") != "false")
    state.ves[name] = ve
    begin(state, ve, "CREATION_IN_PROGRESS", "CREATED", request.now)
    return password_reply(ve.id, "VE creation initiated", ve.password)


def _template(request: Request, document: Element) -> Template:
    """The template of a new server; that it must fit the rest is inferred."""
    platform = required(document, "platform")
    name = required(platform, "template-info").get("name") or ""
    template = find_template(request, name)
    if not template.active:
        raise conflict(f"The OS template {name} is not active")
    info = required(platform, "os-info")
    if (info.get("technology"), info.get("type")) != (template.technology, template.os_type):
        raise bad_request(
            f"{name} is of technology {template.technology} and type {template.os_type}"
        )
    return template
