"""XML-RPC as oned speaks it: calls to bytes, replies to values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias
from xml.sax.saxutils import escape

from anabranch.errors import InvalidRequest, ProtocolError
from anabranch_opennebula.xml import Element, parsed

__all__ = ["Fault", "Value", "decode", "document_of", "encode"]

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LEAST, _MOST = -(2**31), 2**31 - 1


_HEAD: Final = re.compile(
    rb"\s*(?:<\?xml version=[\"']1\.0[\"'](?: encoding=[\"'](?i:utf-8)[\"'])?\s*\?>)?\s*"
    rb"<methodResponse>\s*<params>\s*<param>\s*<value>\s*<array>\s*<data>\s*<value>\s*"
    rb"<boolean>1</boolean>\s*</value>\s*<value>\s*<string>"
)
_TAIL: Final = re.compile(
    rb"</string>\s*</value>(?:\s*<value>\s*<(i4|int|i8)>-?\d+</\1>\s*</value>)*"
    rb"\s*</data>\s*</array>\s*</value>\s*</param>\s*</params>\s*</methodResponse>\s*"
)
_LONGEST_TAIL: Final = 1000


class Fault(Exception):
    """The server calls the call itself wrong; what a method refuses is no fault.

    Attributes:
        code: -501 a parameter has a wrong type or is missing, -503 no XML, -506 no such method.
        text: What it says.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code, self.text = code, text


def encode(method: str, parameters: Iterable[str | int | bool]) -> bytes:
    """Write a call.

    Raises:
        InvalidRequest: a text has a character that XML cannot carry, or a number is too large.
    """
    values = "".join([f"<param><value>{_written(p)}</value></param>" for p in parameters])
    return (
        f"<?xml version='1.0'?><methodCall><methodName>{escape(method)}</methodName>"
        f"<params>{values}</params></methodCall>"
    ).encode()


def _written(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return f"<boolean>{value:d}</boolean>"
    if isinstance(value, int):
        if not _LEAST <= value <= _MOST:
            raise InvalidRequest(f"{value} is too large a number for OpenNebula")
        return f"<int>{value}</int>"
    if found := _ILLEGAL.search(value):
        raise InvalidRequest(f"OpenNebula takes no text with the character {found[0]!r}")
    # A bare carriage return would arrive as a line feed.
    return f"<string>{escape(value, {chr(13): '&#13;'})}</string>"


def decode(content: bytes) -> Value:
    """Read a reply.

    Raises:
        Fault: it is one.
        ProtocolError: it is no XML-RPC.
    """
    root = parsed(content)
    if root.tag != "methodResponse" or not len(root):
        raise ProtocolError("the reply is no XML-RPC")
    first = root[0]
    if first.tag == "fault":
        told = _read_child(first)
        fields = told if isinstance(told, dict) else {}
        code = fields.get("faultCode")
        raise Fault(code if isinstance(code, int) else 0, str(fields.get("faultString", "")))
    parameter = next(first.iterchildren("param"), None)
    if parameter is None:
        raise ProtocolError("the reply is an XML-RPC reply without a value")
    return _read_child(parameter)


def document_of(content: bytes) -> bytes | None:
    """Take the document out of a good reply, without parsing what is around it.

    That is most of the work of parsing a long list: each of its angle brackets is an entity.

    Returns:
        The document; None: the reply is not written as oned writes it, and must be decoded.
    """
    head = _HEAD.match(content)
    end = content.rfind(b"</string>", max(0, len(content) - _LONGEST_TAIL))
    if not head or end < head.end() or not _TAIL.fullmatch(content, end):
        return None
    text = content[head.end() : end]
    if b"<" in text:
        return None
    text = text.replace(b"&lt;", b"<").replace(b"&gt;", b">")
    if text.count(b"&") != text.count(b"&amp;"):
        return None
    return text.replace(b"&amp;", b"&")


def _read_child(parent: Element) -> Value:
    value = next(parent.iterchildren("value"), None)
    return None if value is None else _read(value)


def _read(value: Element) -> Value:
    if not len(value):
        return value.text or ""
    typed = value[0]
    kind = str(typed.tag).rpartition("}")[2]
    try:
        return _READERS[kind](typed)
    except KeyError:
        raise ProtocolError(f"the reply holds a value of the unknown type {kind!r}") from None
    except ValueError:
        raise ProtocolError(f"the reply holds what is no {kind}: {typed.text!r:.40}") from None


def _text(value: Element) -> str:
    return value.text or ""


def _int(value: Element) -> int:
    return int(_text(value))


def _float(value: Element) -> float:
    return float(_text(value))


def _boolean(value: Element) -> bool:
    return _text(value).strip() in ("1", "true")


def _array(value: Element) -> list[Value]:
    return [_read(v) for data in value.iterchildren("data") for v in data.iterchildren("value")]


def _struct(value: Element) -> dict[str, Value]:
    return {m.findtext("name", ""): _read_child(m) for m in value.iterchildren("member")}


_READERS: Final[dict[str, Callable[[Element], Value]]] = {
    "array": _array,
    "boolean": _boolean,
    "double": _float,
    # <i8> is an extension; oned ends its errors with one from 5.10 on.
    "i4": _int,
    "i8": _int,
    "int": _int,
    "nil": lambda _: None,
    "string": _text,
    "struct": _struct,
}
