"""The answer to a command that was run on an instance."""

from __future__ import annotations

from typing import Any

import msgspec

from anabranch_server.deltacloud.documents.markup import DECLARATION, text
from anabranch_server.deltacloud.documents.plain import encode
from anabranch_server.deltacloud.documents.sheet import Sheet, outdent
from anabranch_server.deltacloud.links import View

__all__ = ["CommandOutput", "run_json", "run_plain", "run_xml"]


class CommandOutput(msgspec.Struct, frozen=True, kw_only=True):
    """What a command said.

    Attributes:
        cloud: Cloud of the instance.
        instance_id: The instance.
        public_address: Where it was reached.
        command: The command.
        output: What it wrote.
    """

    cloud: str
    instance_id: str
    public_address: str
    command: str
    output: str


def run_xml(told: CommandOutput, view: View) -> bytes:
    """Return what a command said, as XML."""
    body = (
        f"  <instance {Sheet(view).target('instances', told.cloud, told.instance_id)}>\n"
        f"    <public_address>{text(told.public_address)}</public_address>\n"
        f"    <command>{text(told.command)}</command>\n"
        f"    <output>{text(told.output)}</output>\n"
        "  </instance>\n"
    )
    return f"{DECLARATION}{outdent(body)}".encode()


def run_plain(told: CommandOutput, view: View) -> dict[str, Any]:
    """Return what a command said, for JSON."""
    return {
        "instance": {
            "id": view.id(told.cloud, told.instance_id),
            "href": view.member("instances", told.cloud, told.instance_id),
            "public_address": told.public_address,
            "command": told.command,
            "output": told.output,
        }
    }


def run_json(told: CommandOutput, view: View) -> bytes:
    """Return what a command said, as JSON."""
    return encode(run_plain(told, view))
