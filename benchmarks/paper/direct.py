"""Each operation of the paper as one call of the platform's own protocol."""

from __future__ import annotations

import json
import re
import xmlrpc.client
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from benchmarks.paper.things import Things
from benchmarks.paper.wire import Exchange, Request, Wire, basic

__all__ = ["Direct"]

_BALANCERS = 10
_IMAGES = {"opennebula": 10, "openstack": 12}
"""As many as the paper's replies had, by their sizes."""

Operations = Mapping[str, Request]
_JSON, _XML = "application/json", "application/xml"


class Direct:
    """One platform, by its own protocol, with a login that is warm.

    Args:
        kind: The kind of the driver.
        entry: The entry for `anabranch.yaml`, which has the address and the credentials.
    """

    def __init__(self, kind: str, entry: Mapping[str, Any]) -> None:
        self.kind = kind
        self._wire, self._operations = _PLATFORMS[kind](entry)

    def close(self) -> None:
        """End the connection."""
        self._wire.close()

    def requests(self, things: Things) -> Operations:
        """The request of each operation on these things."""
        return self._operations(things)

    def perform(self, request: Request) -> Exchange:
        """Send a request.

        Raises:
            RuntimeError: the platform refused.
        """
        exchange = self._wire.exchange(request)
        refused = self.kind == "opennebula" and b"<boolean>1</boolean>" not in exchange.body
        if exchange.status >= 400 or refused:
            what = f"{request.method} {request.path}"
            raise RuntimeError(f"{exchange.status} for {what}: {exchange.body[:500]!r}")
        return exchange

    def made(self, things: Things, exchange: Exchange) -> str:
        """The id of what a request made."""
        if self.kind == "paci":
            return things.name
        if self.kind == "opennebula":
            (answer,), _ = xmlrpc.client.loads(exchange.body)
            return str(answer[1])  # type: ignore[index]
        document = json.loads(exchange.body)
        return str(document.get("server", document)["id"])

    def furnished(self) -> Things:
        """Make what the paper's cloud had, and return what the operations are done with."""
        things = Things()
        requests = self.requests(things)
        for number in range(_IMAGES.get(self.kind, 0)):
            if len(self._listed("List Images")) < _IMAGES[self.kind]:
                named = things.with_(name=f"image-{number:02}")
                self.perform(self.requests(named)["Create Image"])
        if self.kind == "paci":
            for number in range(_BALANCERS):
                named = things.with_(name=f"lb-{number:02}")
                self.perform(self.requests(named)["Create Load Balancer"])
        found = {field: self._listed(name) for field, name in _LISTS.items() if name in requests}
        # the oldest of all: what has run for long, and what everybody may make machines of
        first = {"opennebula": -1, "openstack": -1, "paci": 0}[self.kind]
        return things.with_(**{field: ids[first] for field, ids in found.items()})

    def _listed(self, operation: str) -> list[str]:
        body = self.perform(self.requests(Things())[operation]).body
        if self.kind == "openstack":
            items = next(value for value in json.loads(body).values() if isinstance(value, list))
            return [item["id"] for item in items]
        return [
            found[found.lastindex or 0] for found in re.finditer(_IDS[operation], body.decode())
        ]


_LISTS = {
    "instance": "List Instances",
    "image": "List Images",
    "profile": "List Hardware Profiles",
    "balancer": "List Load Balancers",
}
_IDS = {
    "List Instances": r"&lt;VM&gt;\s*&lt;ID&gt;(\d+)|<ve-info[^>]* name=\"([^\"]*)",
    "List Images": r"&lt;IMAGE&gt;\s*&lt;ID&gt;(\d+)|<template[^>]* name=\"([^\"]*)",
    "List Hardware Profiles": r"&lt;VMTEMPLATE&gt;\s*&lt;ID&gt;(\d+)",
    "List Load Balancers": r"<load-balancer[^>]* name=\"([^\"]*)",
}
"""Where OpenNebula and PACI tell the ids."""


def _opennebula(entry: Mapping[str, Any]) -> tuple[Wire, Callable[[Things], Operations]]:
    wire = Wire(entry["endpoint"], {"Accept": "*/*"})
    session = f"{entry['username']}:{entry['password']}"

    def call(method: str, *arguments: str | int | bool) -> Request:
        body = xmlrpc.client.dumps((session, *arguments), method).encode()
        return Request("POST", "", body, "text/xml")

    def operations(things: Things) -> Operations:
        instance, image = int(things.instance or 0), int(things.image or 0)
        profile, disk = int(things.profile or 0), f'DISK = [ IMAGE_ID = "{image}" ]'
        fresh = f'NAME = "{things.name}"\nSIZE = "1024"\nTYPE = "OS"'
        return {
            # the paper's was a list of collections, which XML-RPC has not: the smallest question
            "List Collections": call("one.system.version"),
            "List Instances": call("one.vmpool.infoextended", -3, -1, -1, -1),
            "Show Instance Information": call("one.vm.info", instance),
            "Create Instance": call(
                "one.template.instantiate", profile, things.name, False, disk, False
            ),
            "Stop Instance": call("one.vm.action", "poweroff", instance),
            "Start Instance": call("one.vm.action", "resume", instance),
            "Reboot Instance": call("one.vm.action", "reboot", instance),
            "Delete Instance": call("one.vm.action", "terminate-hard", instance),
            "List Images": call("one.imagepool.info", -2, -1, -1),
            "Show Image Information": call("one.image.info", image),
            "Create Image": call("one.image.allocate", fresh, 1),
            "Delete Image": call("one.image.delete", image),
            "List Hardware Profiles": call("one.templatepool.info", -2, -1, -1),
        }

    return wire, operations


def _openstack(entry: Mapping[str, Any]) -> tuple[Wire, Callable[[Things], Operations]]:
    auth = entry["auth"]
    user = {
        "name": auth["username"],
        "password": auth["password"],
        "domain": {"name": auth["user_domain_name"]},
    }
    project = {"name": auth["project_name"], "domain": {"name": auth["project_domain_name"]}}
    login = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": project},
        }
    }
    keystone = Wire(auth["auth_url"], {"Accept": _JSON})
    told = keystone.exchange(Request("POST", "/auth/tokens", _json(login), _JSON))
    keystone.close()
    token = told.headers["x-subject-token"]
    base = {
        service["type"]: urlsplit(endpoint["url"]).path
        for service in json.loads(told.body)["token"]["catalog"]
        for endpoint in service["endpoints"]
        if endpoint["interface"] == "public" and endpoint["region"] == entry["region_name"]
    }
    root = urlsplit(auth["auth_url"])
    wire = Wire(f"{root.scheme}://{root.netloc}", {"Accept": _JSON, "X-Auth-Token": token})
    servers, images = f"{base['compute']}/servers", f"{base['image']}/v2/images"

    def operations(things: Things) -> Operations:
        server = {
            "name": things.name,
            "imageRef": things.image,
            "flavorRef": things.profile,
        }
        reboot = {"reboot": {"type": "SOFT"}}
        image = {"name": things.name, "disk_format": "raw", "container_format": "bare"}
        return {
            "List Instances": Request("GET", f"{servers}/detail"),
            "Show Instance Information": Request("GET", f"{servers}/{things.instance}"),
            "Create Instance": Request("POST", servers, _json({"server": server}), _JSON),
            "Reboot Instance": Request(
                "POST", f"{servers}/{things.instance}/action", _json(reboot), _JSON
            ),
            "Delete Instance": Request("DELETE", f"{servers}/{things.instance}"),
            "List Images": Request("GET", images),
            "Show Image Information": Request("GET", f"{images}/{things.image}"),
            "Create Image": Request("POST", images, _json(image), _JSON),
            "Delete Image": Request("DELETE", f"{images}/{things.image}"),
            "List Hardware Profiles": Request("GET", f"{base['compute']}/flavors/detail"),
        }

    return wire, operations


def _paci(entry: Mapping[str, Any]) -> tuple[Wire, Callable[[Things], Operations]]:
    credentials = basic(entry["username"], entry["password"])
    wire = Wire(entry["endpoint"], {"Accept": "*/*", "Authorization": credentials})

    def operations(things: Things) -> Operations:
        server = (
            f"<ve><name>{things.name}</name>"
            '<cpu number="1" power="1600"/><ram-size>1024</ram-size><bandwidth>10240</bandwidth>'
            "<no-of-public-ip>1</no-of-public-ip><no-of-public-ipv6>0</no-of-public-ipv6>"
            '<ve-disk local="true" size="50"/>'
            f'<platform><template-info name="{things.image}"/>'
            '<os-info technology="CT" type="linux-free"/></platform></ve>'
        )
        ve, balancer = f"/ve/{things.instance}", f"/load-balancer/{things.balancer}"
        member = f"{balancer}/{things.instance}"
        return {
            "List Instances": Request("GET", "/ve"),
            "Show Instance Information": Request("GET", ve),
            "Create Instance": Request("POST", "/ve", server.encode(), _XML),
            "Stop Instance": Request("PUT", f"{ve}/stop"),
            "Start Instance": Request("PUT", f"{ve}/start"),
            "Delete Instance": Request("DELETE", ve),
            "List Images": Request("GET", "/template"),
            "Show Image Information": Request("GET", f"/template/{things.image}"),
            "List Load Balancers": Request("GET", "/load-balancer"),
            "Show Load Balancer Information": Request("GET", balancer),
            "Create Load Balancer": Request("POST", f"/load-balancer/create/{things.name}"),
            "Delete Load Balancer": Request("DELETE", balancer),
            "Associate Instance with LB": Request("POST", member),
            "Dissociate Instance from LB": Request("DELETE", member),
        }

    return wire, operations


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


_PLATFORMS = {"opennebula": _opennebula, "openstack": _openstack, "paci": _paci}
