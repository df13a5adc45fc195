"""Each operation of the paper as one request of the Deltacloud API."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from benchmarks.paper.things import Things
from benchmarks.paper.wire import Exchange, Request, Wire

__all__ = ["Api"]

_FORM = "application/x-www-form-urlencoded"
_PACI_PROFILE = "cpu1-mem1024-disk50"


class Api:
    """One platform, through the Deltacloud API.

    Args:
        kind: The kind of the driver, which is the cloud's name too.
        url: Where the daemon is.
        headers: What every request says: who asks, and for which cloud.
    """

    def __init__(self, kind: str, url: str, headers: Mapping[str, str]) -> None:
        self.kind = kind
        self._wire = Wire(url, {"Accept": "application/xml", **headers})

    def close(self) -> None:
        """End the connection."""
        self._wire.close()

    def requests(self, things: Things) -> Mapping[str, Request]:
        """The request of each operation on these things."""
        image, profile = things.image, things.profile
        if self.kind == "paci":
            image, profile = f"template:{image}", _PACI_PROFILE
        instance = f"/api/instances/{quote(things.instance)}"
        balancer = f"/api/load_balancers/{quote(things.balancer)}"
        shown_image = f"/api/images/{quote(image, safe='')}"
        member = {"instance_id": things.instance}
        listener = {
            "listener_protocol": "HTTP",
            "listener_balancer_port": "80",
            "listener_instance_port": "80",
        }
        return {
            "List Collections": Request("GET", "/api"),
            "List Instances": Request("GET", "/api/instances"),
            "Show Instance Information": Request("GET", instance),
            "Create Instance": _post(
                "/api/instances", {"image_id": image, "hwp_id": profile, "name": things.name}
            ),
            "Stop Instance": _post(f"{instance}/stop"),
            "Start Instance": _post(f"{instance}/start"),
            "Reboot Instance": _post(f"{instance}/reboot"),
            "Delete Instance": Request("DELETE", instance),
            "List Images": Request("GET", "/api/images"),
            "Show Image Information": Request("GET", shown_image),
            "Delete Image": Request("DELETE", shown_image),
            "List Hardware Profiles": Request("GET", "/api/hardware_profiles"),
            "List Load Balancers": Request("GET", "/api/load_balancers"),
            "Show Load Balancer Information": Request("GET", balancer),
            "Create Load Balancer": _post(
                "/api/load_balancers",
                {"name": things.name, "realm_id": _REALM, **listener},
            ),
            "Delete Load Balancer": Request("DELETE", balancer),
            "Associate Instance with LB": _post(f"{balancer}/register", member),
            "Dissociate Instance from LB": _post(f"{balancer}/unregister", member),
        }

    def perform(self, request: Request) -> Exchange:
        """Send a request.

        Raises:
            RuntimeError: the answer is no success.
        """
        exchange = self._wire.exchange(request)
        if exchange.status >= 300:
            what = f"{request.method} {request.path}"
            raise RuntimeError(f"{exchange.status} for {what}: {exchange.body[:500]!r}")
        return exchange

    def made(self, things: Things, exchange: Exchange) -> str:
        """The id of what a request made."""
        del things
        return exchange.headers["location"].rpartition("/")[2]


_REALM = "1000077"
"""The subscription that PACI's simulator has."""


def _post(path: str, form: Mapping[str, str] | None = None) -> Request:
    return Request("POST", path, urlencode(form or {}).encode(), _FORM)
