"""Addresses, firewalls, load balancers, networks, subnets and network interfaces."""

from __future__ import annotations

from typing import Final

from anabranch import Feature
from anabranch_server.deltacloud.vocabulary.words import (
    ID,
    Action,
    Collection,
    Parameter,
    create,
    destroy,
)

__all__ = ["NETWORKING"]

_INSTANCE: Final = Parameter("instance_id", required=True, kind="instances", field="instance")
_HIGHEST: Final = 65535

NETWORKING: Final = (
    Collection(
        name="addresses",
        singular="address",
        title="Addresses",
        filters=(ID,),
        actions=(
            create(
                "create_address",
                Parameter("network_id", kind="networks", feature=Feature.ADDRESS_NETWORK),
                Parameter("realm_id", kind="realms", feature=Feature.ADDRESS_REALM),
            ),
            Action(
                name="associate",
                operation="associate_address",
                paths=("associate",),
                parameters=(_INSTANCE,),
                empty=True,
            ),
            Action(
                name="disassociate",
                operation="disassociate_address",
                paths=("disassociate",),
                empty=True,
            ),
            destroy("destroy_address"),
        ),
    ),
    Collection(
        name="firewalls",
        singular="firewall",
        title="Firewalls",
        filters=(ID,),
        actions=(
            create(
                "create_firewall",
                Parameter("name", required=True),
                Parameter("description"),
            ),
            Action(
                name="rules",
                operation="add_firewall_rule",
                verb="add_rule",
                paths=("rules",),
                status=201,
                form="new_rule",
                parameters=(
                    Parameter("protocol", required=True, choices=("tcp", "udp", "icmp")),
                    Parameter(
                        "port_from",
                        kind="number",
                        least=-1,
                        most=_HIGHEST,
                        help="first port, or ICMP type; must be given but for icmp",
                    ),
                    Parameter(
                        "port_to",
                        kind="number",
                        least=-1,
                        most=_HIGHEST,
                        help="last port, or ICMP code; must be given but for icmp",
                    ),
                    Parameter(
                        "ip_address",
                        kind="cidr",
                        numbered="ip_address{}",
                        help="a source: 192.0.2.0/24; of these and groups, one at least",
                    ),
                    Parameter(
                        "group",
                        kind="firewalls",
                        numbered="group{}",
                        help="a source: the members of a firewall",
                    ),
                    Parameter(
                        "group_owner",
                        numbered="group{}owner",
                        help="account that owns the group of the same number",
                    ),
                    Parameter("direction", choices=("ingress", "egress")),
                ),
            ),
            Action(
                name="remove_rule",
                operation="remove_firewall_rule",
                method="DELETE",
                paths=("rules/{rule_id}", "{rule_id}"),
                status=204,
                parameters=(Parameter("rule_id", required=True),),
                empty=True,
            ),
            destroy("destroy_firewall"),
        ),
    ),
    Collection(
        name="load_balancers",
        singular="load_balancer",
        title="Load balancers",
        filters=(ID,),
        actions=(
            create(
                "create_load_balancer",
                Parameter("name", required=True),
                Parameter("realm_id", kind="realms"),
                Parameter("listener_protocol", required=True, choices=("HTTP", "TCP")),
                *(
                    Parameter(name, required=True, kind="number", least=1, most=_HIGHEST)
                    for name in ("listener_balancer_port", "listener_instance_port")
                ),
                Parameter("network_id", kind="networks", feature=Feature.LOAD_BALANCER_NETWORK),
            ),
            Action(
                name="register",
                operation="register_instance",
                paths=("register",),
                parameters=(_INSTANCE,),
                status=200,
            ),
            Action(
                name="unregister",
                operation="unregister_instance",
                paths=("unregister",),
                parameters=(_INSTANCE,),
                status=200,
            ),
            destroy("destroy_load_balancer"),
        ),
    ),
    Collection(
        name="networks",
        singular="network",
        title="Networks",
        filters=(ID,),
        actions=(
            create(
                "create_network",
                Parameter("address_block", kind="cidr", help="192.0.2.0/24"),
                Parameter("name"),
                Parameter("realm_id", kind="realms"),
            ),
            destroy("destroy_network"),
        ),
    ),
    Collection(
        name="subnets",
        singular="subnet",
        title="Subnets",
        filters=(ID,),
        actions=(
            create(
                "create_subnet",
                Parameter("network_id", required=True, kind="networks"),
                Parameter("address_block", required=True, kind="cidr", help="192.0.2.0/24"),
                Parameter("name"),
            ),
            destroy("destroy_subnet"),
        ),
    ),
    Collection(
        name="network_interfaces",
        singular="network_interface",
        title="Network interfaces",
        filters=(ID,),
        actions=(
            create(
                "create_network_interface",
                Parameter("instance", required=True, kind="instances", field="instance_id"),
                Parameter(
                    "network",
                    kind="networks",
                    field="network_id",
                    help="the network, or a subnet of it; or",
                ),
                Parameter("subnet", kind="subnets", field="subnet_id", help="the subnet"),
                Parameter("name"),
                Parameter("ip_address", help="the address to take"),
            ),
            destroy("destroy_network_interface"),
        ),
    ),
)
"""Its collections."""
