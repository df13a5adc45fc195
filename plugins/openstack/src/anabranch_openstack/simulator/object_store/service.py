"""Swift's HTTP interface."""

from __future__ import annotations

from anabranch_openstack.simulator.object_store.containers import answer_account, answer_container
from anabranch_openstack.simulator.object_store.objects import answer_object
from anabranch_openstack.simulator.object_store.records import POLICIES
from anabranch_openstack.simulator.object_store.replies import page, plain
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.service import Service
from anabranch_openstack.simulator.wire import Refusal, Reply, Request, json_reply

__all__ = ["ObjectStoreService"]

_PATH_PARTS = 5
_INFO = {
    "swift": {
        "version": "2.38.3",
        "policies": [
            {"name": name, "aliases": name, **({} if index else {"default": True})}
            for index, name in enumerate(POLICIES)
        ],
        "max_file_size": 5368709122,
        "max_meta_name_length": 128,
        "max_meta_value_length": 256,
        "max_object_name_length": 1024,
        "container_listing_limit": 10000,
        "account_listing_limit": 10000,
        "max_container_name_length": 256,
    },
    "slo": {
        "max_manifest_segments": 1000,
        "max_manifest_size": 8388608,
        "yield_frequency": 10,
        "min_segment_size": 1,
    },
}


class ObjectStoreService(Service):
    """Swift v1: its paths are names, so they are taken apart here and not by a table."""

    def __init__(self) -> None:
        super().__init__("/object", Routes())

    def refuse(self, request: Request, refusal: Refusal) -> Reply:
        """Words of its own in plain text; else the page for the status."""
        if refusal.message and refusal.status != 401:
            return plain(refusal.status, refusal.message)
        reply = page(refusal.status)
        if refusal.status == 401:
            account = request.path.strip("/").split("/")[1:2]
            realm = f'Swift realm="{account[0] if account else "unknown"}"'
            keystone = f'Keystone uri="{request.host}/identity/v3"'
            reply.headers = [("www-authenticate", f"{realm}, {keystone}")]
        return reply

    def stamp(self, request: Request, reply: Reply) -> None:
        """Swift's ids of requests are called transactions."""
        ident = f"tx{request.request_id.removeprefix('req-').replace('-', '')[:21]}"
        reply.headers = [
            *reply.headers,
            ("x-trans-id", ident),
            ("x-openstack-request-id", ident),
        ]

    def _answer(self, request: Request) -> Reply:
        if request.path == "/info":
            return json_reply(_INFO)
        self.authenticate(request)
        _, version, account, container, name = (
            request.path.split("/", _PATH_PARTS - 1) + [""] * _PATH_PARTS
        )[:_PATH_PARTS]
        if version != "v1" or not account:
            raise Refusal(400, "")
        if account != f"AUTH_{request.token.project_id}" or not request.token.may_write:
            raise Refusal(403, "")
        if name:
            return answer_object(request, container, name)
        if container:
            return answer_container(request, container)
        return answer_account(request)
