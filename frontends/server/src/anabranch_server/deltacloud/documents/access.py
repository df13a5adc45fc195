"""Keys, addresses and firewalls as documents: who reaches an instance, where, and how."""

from __future__ import annotations

from typing import Any

from anabranch.models import Address, Firewall, FirewallRule, Key, RuleSource, SourceKind
from anabranch_server.deltacloud.documents.markup import attribute, element, text
from anabranch_server.deltacloud.documents.sheet import Sheet, actions, destroying, plain_actions
from anabranch_server.deltacloud.links import Link, View

__all__ = [
    "address_plain",
    "address_xml",
    "firewall_plain",
    "firewall_xml",
    "key_plain",
    "key_xml",
]


def key_xml(item: Key, sheet: Sheet) -> str:
    """Return a key as a member of a list."""
    secrets = _secrets(item) if sheet.secrets else {}
    return (
        f"  <key {sheet.target('keys', item.cloud, item.id)} type='{item.kind}'>\n"
        f"    <name>{text(item.name)}</name>\n"
        f"{actions(destroying(item, 'keys', 'key', sheet.view))}"
        f"{element('    ', 'fingerprint', item.fingerprint)}"
        f"{element('    ', 'pem', secrets.get('pem_rsa_key'))}"
        f"{element('    ', 'username', item.username)}"
        f"{element('    ', 'password', secrets.get('password'))}"
        f"{element('    ', 'state', item.state)}"
        "  </key>\n"
    )


def key_plain(item: Key, sheet: Sheet) -> dict[str, Any]:
    """Return a key for JSON."""
    view = sheet.view
    secrets = _secrets(item) if sheet.secrets else {}
    return {
        "id": view.id(item.cloud, item.id),
        "href": view.member("keys", item.cloud, item.id),
        "name": item.name,
        "credential_type": item.kind.value,
        "username": item.username,
        "password": secrets.get("password"),
        "state": item.state,
        "pem_rsa_key": secrets.get("pem_rsa_key"),
        "fingerprint": item.fingerprint,
        "public_key": item.public_key,
        "actions": plain_actions(destroying(item, "keys", "key", view)),
    }


def _secrets(item: Key) -> dict[str, str]:
    told = {"password": item.password, "pem_rsa_key": item.private_key}
    return {name: secret.get_secret_value() for name, secret in told.items() if secret}


def address_xml(item: Address, sheet: Sheet) -> str:
    """Return an address as a member of a list."""
    cloud = item.cloud
    return (
        f"  <address {sheet.target('addresses', cloud, item.id)}>\n"
        f"    <ip>{text(item.ip)}</ip>\n"
        f"{actions(_address_links(item, sheet.view))}"
        f"{sheet.reference('instance', 'instances', cloud, item.instance_id)}"
        "  </address>\n"
    )


def address_plain(item: Address, sheet: Sheet) -> dict[str, Any]:
    """Return an address for JSON."""
    view = sheet.view
    return {
        "id": view.id(item.cloud, item.id),
        "href": view.member("addresses", item.cloud, item.id),
        "ip": item.ip,
        "associated": item.associated,
        "instance": sheet.link("instance", "instances", item.cloud, item.instance_id),
        "actions": plain_actions(_address_links(item, view)),
    }


def _address_links(item: Address, view: View) -> list[Link]:
    links = destroying(item, "addresses", "address", view)
    change = "disassociate" if item.associated else "associate"
    if view.offers(item.cloud, f"{change}_address"):
        member = view.member("addresses", item.cloud, item.id)
        links.append(Link(change, "post", f"{member}/{change}"))
    return links


def firewall_xml(item: Firewall, sheet: Sheet) -> str:
    """Return a firewall as a member of a list."""
    rules = "".join(_rule_xml(rule, item, sheet) for rule in item.rules)
    return (
        f"  <firewall {sheet.target('firewalls', item.cloud, item.id)}>\n"
        f"{actions(_firewall_links(item, sheet.view))}"
        f"    <name>{text(item.name)}</name>\n"
        f"    <description>{text(item.description)}</description>\n"
        f"{element('    ', 'owner_id', item.owner_id)}"
        f"    <rules>\n{rules}    </rules>\n"
        "  </firewall>\n"
    )


def _rule_xml(rule: FirewallRule, item: Firewall, sheet: Sheet) -> str:
    href = sheet.view.rule(item.cloud, item.id, rule.id)
    links = "".join(
        f"          <link href='{link.href}' method='{link.method}' rel='{link.rel}' />\n"
        for link in _rule_links(item, href, sheet.view)
    )
    told = {key: value for key, value in _told(rule).items() if value is not None}
    inner = "".join(element("        ", name, str(value)) for name, value in told.items())
    sources = "".join(
        "          <source "
        + " ".join(f"{name}='{attribute(value)}'" for name, value in _source(one).items())
        + " />\n"
        for one in rule.sources
    )
    return (
        f"      <rule href='{href}' id='{attribute(rule.id)}'>\n"
        f"        <actions>\n{links}        </actions>\n"
        f"{inner}"
        f"        <sources>\n{sources}        </sources>\n"
        "      </rule>\n"
    )


def firewall_plain(item: Firewall, sheet: Sheet) -> dict[str, Any]:
    """Return a firewall for JSON, which Deltacloud had none of that worked."""
    view = sheet.view
    return {
        "id": view.id(item.cloud, item.id),
        "href": view.member("firewalls", item.cloud, item.id),
        "name": item.name,
        "description": item.description,
        "owner_id": item.owner_id,
        "rules": [_rule_plain(rule, item, view) for rule in item.rules],
        "actions": plain_actions(_firewall_links(item, view)),
    }


def _rule_plain(rule: FirewallRule, item: Firewall, view: View) -> dict[str, Any]:
    href = view.rule(item.cloud, item.id, rule.id)
    return {
        "id": rule.id,
        "href": href,
        **_told(rule),
        "log_rule": rule.log,
        "sources": [_source(one) for one in rule.sources],
        "actions": plain_actions(_rule_links(item, href, view)),
    }


def _told(rule: FirewallRule) -> dict[str, str | int | None]:
    return {
        "allow_protocol": rule.protocol,
        "port_from": rule.port_from,
        "port_to": rule.port_to,
        "direction": rule.direction.value,
        "rule_action": rule.action.value,
        "log_rule": "true" if rule.log else "false",
    }


def _source(source: RuleSource) -> dict[str, str]:
    """Return a source by the names that XML and JSON have in common, in their order."""
    told: dict[str, str | None]
    if source.kind is SourceKind.GROUP:
        told = {"name": source.group, "owner": source.owner}
    else:
        address, slash, prefix = (source.cidr or "").partition("/")
        told = {
            "address": address or None,
            "family": "ipv6" if ":" in address else "ipv4",
            "prefix": prefix if slash else None,
        }
    return {k: v for k, v in told.items() if v is not None} | {"type": source.kind.value}


def _firewall_links(item: Firewall, view: View) -> list[Link]:
    """Return what can be done. Deltacloud called `add_rule` in lists what is `update` elsewhere."""
    links = destroying(item, "firewalls", "firewall", view)
    if view.offers(item.cloud, "add_firewall_rule"):
        href = f"{view.member('firewalls', item.cloud, item.id)}/rules"
        links += [Link("add_rule", "post", href), Link("update", "post", href)]
    return links


def _rule_links(item: Firewall, href: str, view: View) -> list[Link]:
    offered = view.offers(item.cloud, "remove_firewall_rule")
    return [Link("destroy", "delete", href)] if offered else []
