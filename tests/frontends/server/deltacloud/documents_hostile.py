"""Models with the worst texts in every field, and the views in which they are told."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, Union

from hypothesis import strategies as st

from anabranch import OPERATIONS, SecretStr
from anabranch.models import Extra
from anabranch_server.deltacloud.links import View

NASTY = [
    "",
    " ",
    "  two blanks",
    "line\nline",
    "line\n  line that begins with blanks\n\n ",
    "a\r\nb\rc\td",
    "<script>alert(1)</script>&x",
    "]]>",
    "<![CDATA[",
    "<!-- -->",
    "&amp;&#0;",
    "'\"><x y='",
    "\x00\x01\x08\x0b\x0c\x1b\x7f\x85\u2028",
    "\ud800 alone, \udfff too",
    "\ufffe\uffff\ufeff",
    "👩‍💻 ünïcödé 漢字",
    "\u202eright to left\u202c שלום",
    "../../etc/passwd",
    "a/b?c=d#e;f=g%2F%",
    "very long " * 500,
]
text = st.one_of(
    st.sampled_from(NASTY),
    st.text(alphabet=st.characters(exclude_categories=[]), max_size=20),
    st.text(alphabet="abc-019", min_size=1, max_size=12),
)
idents = text.filter(bool)
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def settled(value: str | None) -> str:
    """What XML cannot hold is the same replacement everywhere; nothing at all is empty."""
    return FORBIDDEN.sub("\ufffd", value or "")


numbers = st.integers(0, 2**53) | st.floats(0, 1e12, allow_nan=False)
times = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
PLAIN: Mapping[Any, st.SearchStrategy[Any]] = {
    str: text,
    bool: st.booleans(),
    int: st.integers(-(2**40), 2**53),
    float: st.floats(-1e12, 1e12, allow_nan=False),
    datetime: times,
    SecretStr: st.text("ABC", min_size=6).map(lambda made: SecretStr(f"S3CRET{made}")),
}


@cache
def of(kind: Any) -> st.SearchStrategy[Any]:
    """Anything of a type, as nasty as it can be."""
    if kind in PLAIN:
        return PLAIN[kind]
    if kind is type(None):
        return st.none()
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(of, inner))
    if origin in (tuple, Sequence):
        return st.lists(of(inner[0]), max_size=3).map(tuple)
    if origin is Mapping:
        pairs = st.tuples(of(inner[0]), of(inner[1]))
        return st.lists(pairs, max_size=3, unique_by=lambda pair: settled(pair[0])).map(dict)
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    hints = typing.get_type_hints(kind)
    fields = {name: of(hint) for name, hint in hints.items() if hint is not Extra}
    fields = {name: fields[name] for name in fields if name in kind.__struct_fields__}
    for name in fields:
        # Where there is an id, it is not empty.
        if hints[name] is str and (name == "id" or name.endswith("_id")):
            fields[name] = idents
        elif name.endswith("_ids"):
            fields[name] = st.lists(idents, max_size=3).map(tuple)
    return st.builds(kind, **fields)


OFFERED = frozenset({*OPERATIONS, "run_instance"})


class Everybody(dict[str, frozenset[str]]):
    """Every cloud there may be offers everything."""

    def get(self, key: str, default: Any = None) -> frozenset[str]:
        return OFFERED


views = st.builds(
    View,
    st.sampled_from(["http://h/api", "https://a.b:3001/api;driver=x;provider=http%3A%2F%2Fy"]),
    qualified=st.booleans(),
    offered=st.sampled_from([{}, Everybody()]),
)
