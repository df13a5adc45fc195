"""What all that is done with swift shares: paths, requests, lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec

from anabranch.cloud import Response
from anabranch.errors import AuthenticationError, CloudError, InvalidRequest, NotFound
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack.catalog import OBJECT_STORE
from anabranch_openstack.client import Session
from anabranch_openstack.replies import decoded, failure, request_id

__all__ = ["ask", "blob_path", "bucket_path", "names", "page", "refusal"]

T = TypeVar("T")
W = TypeVar("W", bound=msgspec.Struct)

_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


class _Named(msgspec.Struct):
    name: str


_NAMED: Final = msgspec.json.Decoder(list[_Named])


def bucket_path(bucket_id: str) -> str:
    """Return the path of a container.

    Raises:
        InvalidRequest: no container can have that name.
    """
    if not bucket_id or "/" in bucket_id:
        raise InvalidRequest(f"{bucket_id!r} cannot be a bucket: it must be a name without '/'")
    return "/" + _quoted(bucket_id)


def blob_path(bucket_id: str, blob_id: str) -> str:
    """Return the path of an object; slashes are part of its name.

    Raises:
        InvalidRequest: no object can have that name.
    """
    if not blob_id:
        raise InvalidRequest("a blob needs a name")
    return f"{bucket_path(bucket_id)}/{'/'.join(map(_quoted, blob_id.split('/')))}"


async def ask(
    swift: Session,
    method: str,
    path: str,
    *,
    missing: str,
    params: Mapping[str, str | int] | None = None,
    headers: Mapping[str, str] | None = None,
    content: bytes | AsyncIterator[bytes] | None = None,
    idempotent: bool = True,
    timeout: float | None = None,
) -> Response:
    """Send a request to swift and return its good reply.

    Args:
        swift: Whom to ask.
        method: HTTP method.
        path: Path below the account.
        missing: What there is not, if the reply is 404: swift's own words tell nothing.
        params: Query parameters.
        headers: Header fields.
        content: Body; an iterator is not sent twice.
        idempotent: Whether sending it twice does no harm.
        timeout: Seconds; None: the cloud's `request_timeout`.

    Raises:
        CloudError: of the class that the reply stands for.
    """
    sent = False

    async def send(url: str, token: str) -> Response:
        nonlocal sent
        if sent and content is not None and not isinstance(content, bytes):
            raise AuthenticationError(
                "the token was refused, and the content cannot be sent twice", remedy="Try again"
            )
        sent = True
        return await swift.cloud.http.request(
            method,
            url + path,
            headers={**(headers or {}), "accept": "application/json", "x-auth-token": token},
            params=params,
            content=content,
            idempotent=idempotent,
            timeout=timeout,
        )

    reply = await swift.authorized(OBJECT_STORE, send)
    if reply.status >= 300:
        raise refusal(reply, missing)
    return reply


def refusal(reply: Response, missing: str) -> CloudError:
    """Make the error that a reply of swift stands for; see `ask`."""
    if reply.status == 404:
        text = f"there is no {missing}"
        return NotFound(text, provider_code=404, request_id=request_id(reply))
    return failure(reply)


async def page(
    swift: Session,
    path: str,
    *,
    missing: str,
    reader: Reader[W],
    convert: Callable[[W, msgspec.Raw], T],
    cursor: str | None,
) -> Page[T]:
    """Get one page of a list. A cursor is the last name: those of swift are in order.

    A page that is shorter than was asked for is the last one.
    """
    limit = swift.cloud.settings.page_size
    params: dict[str, str | int] = {"format": "json", "limit": limit}
    if cursor is not None:
        params["marker"] = cursor
    reply = await ask(swift, "GET", path, missing=missing, params=params)
    raws = decoded(reply, _ITEMS)
    items, problems = reader.read_all(raws, convert)
    following = decoded(reply, _NAMED)[-1].name if len(raws) >= limit else None
    return Page(items, following, problems)


async def names(swift: Session, path: str, prefix: str) -> list[str]:
    """Get the names of all objects of a container that begin with `prefix`."""
    limit = swift.cloud.settings.page_size
    found: list[str] = []
    while True:
        params: dict[str, str | int] = {"format": "json", "limit": limit, "prefix": prefix}
        if found:
            params["marker"] = found[-1]
        reply = await ask(swift, "GET", path, missing="such bucket", params=params)
        more = [item.name for item in decoded(reply, _NAMED)]
        found += more
        if len(more) < limit:
            return found


def _quoted(name: str) -> str:
    """Quote a segment of a path; `.` and `..` must not look like steps."""
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")
