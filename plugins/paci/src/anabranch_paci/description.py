"""Tags and the client token, in the one text that the platform keeps for its users.

A server has no place for tags. Its description holds them at its end, so that a person still
reads what it says, and they come back in lists: `front [anabranch TOKEN;team=a&stage=test]`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode

from anabranch.errors import InvalidRequest

__all__ = ["LONGEST", "Description", "compose", "parse"]

LONGEST: Final = 255
"""Characters of a description. What the platform takes is not published: this is caution."""

_MARK: Final = re.compile(
    r"(?P<text>.*?)\[anabranch (?P<token>[^\];\s]*);(?P<tags>[^\]\s]*)\]\s*", re.DOTALL
)


class Description(NamedTuple):
    """What a description holds."""

    text: str
    client_token: str | None
    tags: dict[str, str]


def parse(description: str | None) -> Description:
    """Take a description apart."""
    match = _MARK.fullmatch(description or "")
    if match is None:
        return Description(description or "", None, {})
    tags = dict(parse_qsl(match["tags"], keep_blank_values=True))
    return Description(match["text"].rstrip(), unquote(match["token"]) or None, tags)


def compose(text: str, client_token: str | None, tags: Mapping[str, str]) -> str:
    """Put a description together.

    Raises:
        InvalidRequest: it becomes too long, or a tag is no text.
    """
    if client_token or tags:
        try:
            token = quote(client_token or "", safe="")
            pairs = urlencode(tags, quote_via=quote, safe="")
        except UnicodeEncodeError:
            raise InvalidRequest("a tag holds half a character (a lone surrogate)") from None
        text = f"{text} [anabranch {token};{pairs}]".lstrip()
    if len(text) > LONGEST:
        raise InvalidRequest(
            f"the tags make the description {len(text)} characters long, and it holds {LONGEST}",
            remedy="Give fewer or shorter tags",
        )
    return text
