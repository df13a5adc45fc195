"""What tests of the API say again and again."""

from collections.abc import Callable
from typing import Any, TypeAlias

import httpx
from lxml import etree

__all__ = ["HTML", "JSON", "Serve", "ids", "mock", "parsed"]

JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html"}

Serve: TypeAlias = Callable[..., httpx.AsyncClient]


def mock(**settings: Any) -> dict[str, Any]:
    """Return the entry of a mock cloud."""
    return {"driver": "mock", **settings}


def parsed(reply: httpx.Response) -> Any:
    """Read an XML document."""
    return etree.fromstring(reply.content)


def ids(reply: httpx.Response, tag: str) -> list[str]:
    """Return the ids of the members of a list in XML."""
    return [str(one) for one in parsed(reply).xpath(f"{tag}/@id")]
