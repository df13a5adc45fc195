"""The CONTEXT of a machine: what its guest is told."""

from __future__ import annotations

import re

from anabranch_opennebula.simulator.networks.records import Network
from anabranch_opennebula.simulator.templates import Template, Vector

__all__ = ["fill", "forget", "interface_lines"]

_REFERENCE = re.compile(r"\$USER\[([A-Za-z0-9_]+)\]")
_LINES = (
    *("DNS", "EXTERNAL", "GATEWAY", "IP", "IP6", "IP6_GATEWAY", "IP6_METHOD", "IP6_METRIC"),
    *("IP6_PREFIX_LENGTH", "IP6_ULA", "MAC", "MASK", "METHOD", "METRIC", "MTU", "NETWORK"),
    *("ROUTES", "SEARCH_DOMAIN", "VLAN_ID", "VROUTER_IP", "VROUTER_IP6", "VROUTER_MANAGEMENT"),
)
_FROM_NETWORK = {
    "DNS": "DNS",
    "GATEWAY": "GATEWAY",
    "MASK": "NETWORK_MASK",
    "NETWORK": "NETWORK_ADDRESS",
}


def fill(context: Vector, disk_id: int, user_template: Template) -> None:
    """Put in what oned adds to a context, and the user's attributes that it refers to."""
    for name, value in context.items():
        context[name] = _REFERENCE.sub(lambda m: user_template.text(m[1]), value)
    context["DISK_ID"] = str(disk_id)
    context.setdefault("TARGET", "hda")


def interface_lines(context: Vector, prefix: str, nic: Vector, network: Network) -> None:
    """Tell the guest about an interface, or an alias: the prefix is `ETH0`, or `ETH0_ALIAS0`."""
    for line in _LINES:
        if line in _FROM_NETWORK:
            value = network.template.text(_FROM_NETWORK[line])
        else:
            value = nic.get(line, "") if line in ("IP", "MAC") else ""
        context[f"{prefix}_{line}"] = value


def forget(context: Vector, prefix: str) -> None:
    """Take the lines of an interface away."""
    for name in [name for name in context if name.startswith(f"{prefix}_")]:
        del context[name]
