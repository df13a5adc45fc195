"""Networks, subnets, network interfaces and load balancers as documents."""

from __future__ import annotations

from typing import Any

from anabranch.models import LoadBalancer, Network, NetworkInterface, Subnet
from anabranch_server.deltacloud.documents.markup import attribute, element, text
from anabranch_server.deltacloud.documents.sheet import (
    Sheet,
    actions,
    destroying,
    plain_actions,
    when,
)
from anabranch_server.deltacloud.links import Link, View

__all__ = [
    "load_balancer_plain",
    "load_balancer_xml",
    "network_interface_plain",
    "network_interface_xml",
    "network_plain",
    "network_xml",
    "subnet_plain",
    "subnet_xml",
]


def network_xml(item: Network, sheet: Sheet) -> str:
    """Return a network as a member of a list."""
    cloud = item.cloud
    blocks = "".join(
        f"      <address_block>{text(block)}</address_block>\n" for block in item.address_blocks
    )
    return (
        f"  <network {sheet.target('networks', cloud, item.id)}>\n"
        f"    <name>{text(item.name)}</name>\n"
        f"    <state>{item.state}</state>\n"
        f"    <address_blocks>\n{blocks}    </address_blocks>\n"
        f"{sheet.references('subnets', 'subnet', 'subnets', cloud, item.subnet_ids)}"
        f"{actions(destroying(item, 'networks', 'network', sheet.view))}"
        "  </network>\n"
    )


def network_plain(item: Network, sheet: Sheet) -> dict[str, Any]:
    """Return a network for JSON."""
    view, cloud = sheet.view, item.cloud
    return {
        "id": view.id(cloud, item.id),
        "name": item.name,
        "href": view.member("networks", cloud, item.id),
        "state": item.state.value,
        "address_blocks": list(item.address_blocks),
        "subnets": sheet.links("subnet", "subnets", cloud, item.subnet_ids),
        "actions": plain_actions(destroying(item, "networks", "network", view)),
    }


def subnet_xml(item: Subnet, sheet: Sheet) -> str:
    """Return a subnet as a member of a list."""
    cloud = item.cloud
    return (
        f"  <subnet {sheet.target('subnets', cloud, item.id)}>\n"
        f"    <name>{text(item.name)}</name>\n"
        f"    <state>{item.state}</state>\n"
        f"{element('    ', 'address_block', item.address_block)}"
        f"    <network>{text(sheet.view.id(cloud, item.network_id))}</network>\n"
        f"{actions(destroying(item, 'subnets', 'subnet', sheet.view))}"
        "  </subnet>\n"
    )


def subnet_plain(item: Subnet, sheet: Sheet) -> dict[str, Any]:
    """Return a subnet for JSON."""
    view, cloud = sheet.view, item.cloud
    return {
        "id": view.id(cloud, item.id),
        "name": item.name,
        "href": view.member("subnets", cloud, item.id),
        "type": item.kind,
        "state": item.state.value,
        "address_block": item.address_block,
        "network": sheet.link("network", "networks", cloud, item.network_id),
        "actions": plain_actions(destroying(item, "subnets", "subnet", view)),
    }


def _connected(item: NetworkInterface) -> tuple[str, str, str | None]:
    """Return what an interface is on: rel, collection, id; the subnet where that is known."""
    if item.subnet_id:
        return "subnet", "subnets", item.subnet_id
    return "network", "networks", item.network_id


def network_interface_xml(item: NetworkInterface, sheet: Sheet) -> str:
    """Return a network interface as a member of a list."""
    cloud = item.cloud
    rel, collection, ident = _connected(item)
    network = instance = ""
    if ident:
        _, shown = sheet.names(cloud, ident)
        target = sheet.target(collection, cloud, ident)
        network = f"    <network {target} rel='{rel}'>{shown}</network>\n"
    if item.instance_id:
        _, shown = sheet.names(cloud, item.instance_id)
        target = sheet.target("instances", cloud, item.instance_id)
        instance = f"    <instance {target}>{shown}</instance>\n"
    return (
        f"  <network_interface {sheet.target('network_interfaces', cloud, item.id)}>\n"
        f"    <name>{text(item.name)}</name>\n"
        f"{''.join(element('    ', 'ip_address', one) for one in item.ip_addresses)}"
        f"{network}{instance}"
        f"{actions(destroying(item, 'network_interfaces', 'network_interface', sheet.view))}"
        "  </network_interface>\n"
    )


def network_interface_plain(item: NetworkInterface, sheet: Sheet) -> dict[str, Any]:
    """Return a network interface for JSON."""
    view, cloud = sheet.view, item.cloud
    rel, collection, ident = _connected(item)
    links = destroying(item, "network_interfaces", "network_interface", view)
    return {
        "id": view.id(cloud, item.id),
        "name": item.name,
        "href": view.member("network_interfaces", cloud, item.id),
        "network": sheet.link(rel, collection, cloud, ident),
        "instance": sheet.link("instance", "instances", cloud, item.instance_id),
        "ip_address": item.ip_addresses[0] if item.ip_addresses else None,
        "ip_addresses": list(item.ip_addresses),
        "actions": plain_actions(links),
    }


def load_balancer_xml(item: LoadBalancer, sheet: Sheet) -> str:
    """Return a load balancer as a member of a list."""
    view, cloud = sheet.view, item.cloud
    addresses = "".join(f"      <address>{text(one)}</address>\n" for one in item.public_addresses)
    listeners = "".join(
        f"      <listener protocol='{attribute(one.protocol)}'>\n"
        f"        <load_balancer_port>{one.load_balancer_port}</load_balancer_port>\n"
        f"        <instance_port>{one.instance_port}</instance_port>\n"
        "      </listener>\n"
        for one in item.listeners
    )
    instances = "".join(_registered(item, ident, sheet) for ident in item.instance_ids)
    return (
        f"  <load_balancer {sheet.target('load_balancers', cloud, item.id)}>\n"
        f"    <name>{text(item.name)}</name>\n"
        f"{actions(_balancer_links(item, view))}"
        f"    <public_addresses>\n{addresses}    </public_addresses>\n"
        f"{element('    ', 'created_at', when(item.created_at))}"
        f"{sheet.reference('realm', 'realms', cloud, item.realm_id)}"
        f"    <listeners>\n{listeners}    </listeners>\n"
        f"    <instances>\n{instances}    </instances>\n"
        "  </load_balancer>\n"
    )


def _registered(item: LoadBalancer, instance_id: str, sheet: Sheet) -> str:
    links = "".join(
        f"        <link href='{href}' method='{method}' rel='{rel}' />\n"
        for rel, method, href in _unregistering(item, instance_id, sheet.view)
    )
    target = sheet.target("instances", item.cloud, instance_id)
    return f"      <instance {target}>\n{links}      </instance>\n"


def load_balancer_plain(item: LoadBalancer, sheet: Sheet) -> dict[str, Any]:
    """Return a load balancer for JSON, which Deltacloud had none of that worked."""
    view, cloud = sheet.view, item.cloud
    return {
        "id": view.id(cloud, item.id),
        "href": view.member("load_balancers", cloud, item.id),
        "name": item.name,
        "actions": plain_actions(_balancer_links(item, view)),
        "public_addresses": [{"address": one} for one in item.public_addresses],
        "created_at": when(item.created_at),
        "realm": sheet.link("realm", "realms", cloud, item.realm_id),
        "listeners": [
            {
                "protocol": one.protocol,
                "load_balancer_port": one.load_balancer_port,
                "instance_port": one.instance_port,
            }
            for one in item.listeners
        ],
        "instances": [
            {
                **sheet.link("instance", "instances", cloud, ident),
                "actions": plain_actions(_unregistering(item, ident, view)),
            }
            for ident in item.instance_ids
        ],
    }


def _balancer_links(item: LoadBalancer, view: View) -> list[Link]:
    links = destroying(item, "load_balancers", "load_balancer", view)
    if view.offers(item.cloud, "register_instance"):
        href = f"{view.member('load_balancers', item.cloud, item.id)}/register"
        links.append(Link("register", "post", href))
    return links


def _unregistering(item: LoadBalancer, instance_id: str, view: View) -> list[Link]:
    if not view.offers(item.cloud, "unregister_instance"):
        return []
    member = view.member("load_balancers", item.cloud, item.id)
    parameter = view.parameter(item.cloud, instance_id)
    return [Link("unregister", "post", f"{member}/unregister?instance_id={parameter}")]
