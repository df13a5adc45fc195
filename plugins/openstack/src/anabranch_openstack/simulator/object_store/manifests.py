"""Static large objects: objects that are put together of others."""

from __future__ import annotations

from typing import Any

import msgspec

from anabranch_openstack.simulator.object_store.records import Piece, Stored
from anabranch_openstack.simulator.object_store.replies import Headers
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    is_list,
    json_reply,
    precise_time,
)

__all__ = ["delete", "read", "show"]

_MOST_PIECES = 1000


def read(request: Request) -> list[Piece]:
    """Read a manifest and compare it with what is there.

    Raises:
        Refusal: It is no manifest, or a segment is not as it says.
    """
    try:
        wanted: Any = request.json()
    except ValueError as error:
        raise Refusal(400, "Manifest must be valid JSON.\n") from error
    if not is_list(wanted):
        raise Refusal(400, "Manifest must be a list.\n")
    items: list[Document] = wanted
    if len(items) > _MOST_PIECES:
        raise Refusal(413, f"Number of segments must be <= {_MOST_PIECES}")
    pieces: list[Piece] = []
    wrong: list[str] = []
    for item in items:
        path = str(item["path"])
        found = request.region.objects.find(request.token.project_id, path)
        if found is None:
            wrong.append(f"{path}, 404 Not Found")
        elif item.get("size_bytes") not in (None, found.size):
            wrong.append(f"{path}, Size Mismatch")
        elif item.get("etag") not in (None, found.hash):
            wrong.append(f"{path}, Etag Mismatch")
        elif not found.size:
            wrong.append(f"{path}, Too small; each segment must be at least 1 byte.")
        else:
            pieces.append(
                Piece(
                    path=path,
                    etag=found.hash,
                    size=found.size,
                    content_type=found.content_type,
                    modified=found.modified,
                )
            )
    if wrong:
        raise Refusal(400, "Errors:\n" + "".join(f"{line}\n" for line in wrong))
    return pieces


def show(stored: Stored, headers: Headers) -> Reply:
    """The manifest itself."""
    body = [
        {
            "name": piece.path,
            "bytes": piece.size,
            "hash": piece.etag,
            "content_type": piece.content_type,
            "last_modified": precise_time(piece.modified),
        }
        for piece in stored.manifest or ()
    ]
    return Reply(
        body=msgspec.json.encode(body),
        content_type="application/json; charset=utf-8",
        headers=[*headers, ("etag", stored.hash), ("x-static-large-object", "True")],
    )


def delete(request: Request, container_name: str, name: str) -> Reply:
    """Delete a static large object with its segments; that it fails is told with 200, too."""
    store, project_id = request.region.objects, request.token.project_id
    path = f"/{container_name}/{name}"
    stored = store.find(project_id, path)
    told: Document = {
        "Response Status": "200 OK",
        "Response Body": "",
        "Number Deleted": 0,
        "Number Not Found": 0,
        "Errors": [],
    }
    if stored is None:
        told["Number Not Found"] = 1
    elif stored.manifest is None:
        told["Response Status"] = "400 Bad Request"
        told["Errors"] = [[path, "Not an SLO manifest"]]
    else:
        for each in (*(piece.path for piece in stored.manifest), path):
            container, rest = each[1:].split("/", 1)
            found = store.account(project_id).get(container)
            gone = found is None or found.objects.pop(rest, None) is None
            told["Number Not Found" if gone else "Number Deleted"] += 1
    return json_reply(told)
