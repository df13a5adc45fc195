"""The answer to a command that was run on an instance."""

from __future__ import annotations

from typing import Any

import msgspec

from anabranch_server.deltacloud.documents.markup import DECLARATION, element, text
from anabranch_server.deltacloud.documents.sheet import Sheet, outdent
from anabranch_server.deltacloud.links import View

__all__ = ["CommandOutput", "run_plain", "run_xml"]


class CommandOutput(msgspec.Struct, frozen=True, kw_only=True):
    """What a command said.

    Attributes:
        cloud: Cloud of the instance.
        instance_id: The instance.
        public_address: Where it was reached.
        command: The command.
        output: What it wrote.
        exit_status: Its exit status; None: not told.
        truncated: Whether it wrote more than that.
    """

    cloud: str
    instance_id: str
    public_address: str
    command: str
    output: str
    exit_status: int | None = None
    truncated: bool = False


def run_xml(told: CommandOutput, view: View) -> bytes:
    """Return what a command said, as XML."""
    status = None if told.exit_status is None else str(told.exit_status)
    truncated = " truncated='true'" if told.truncated else ""
    body = (
        f"  <instance {Sheet(view).target('instances', told.cloud, told.instance_id)}>\n"
        f"    <public_address>{text(told.public_address)}</public_address>\n"
        f"    <command>{text(told.command)}</command>\n"
        f"    <output{truncated}>{text(told.output)}</output>\n"
        f"{element('    ', 'exit_status', status)}"
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
            "exit_status": told.exit_status,
            "truncated": told.truncated,
        }
    }
