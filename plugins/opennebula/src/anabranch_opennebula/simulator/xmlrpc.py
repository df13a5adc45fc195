"""XML-RPC as the library of oned, xmlrpc-c, reads and writes it."""

from __future__ import annotations

import re

from lxml import etree
from lxml.etree import _Element  # pyright: ignore[reportPrivateUsage] - its only name

from anabranch_opennebula.simulator.refusals import Refusal, RpcFault

__all__ = [
    "Payload",
    "Scalar",
    "escaped",
    "fault",
    "method_name",
    "read_call",
    "refusal",
    "success",
]

Scalar = str | int | bool | float
"""A parameter of a call; oned's methods take no others."""
Payload = int | str | bytes
"""What a call gives; bytes are text that is escaped already."""

_METHOD = re.compile(rb"<methodName>\s*([^<\s]+)\s*</methodName>")
_HEAD_LENGTH = 4096
_PROLOG = b'<?xml version="1.0" encoding="UTF-8"?>\r\n<methodResponse>\r\n'
_CALL = f"{_PROLOG.decode()}<params>\r\n<param><value><array><data>\r\n".encode()
_CALL_END = b"</data></array></value></param>\r\n</params>\r\n</methodResponse>\r\n"
_BITS = {"int": 32, "i4": 32, "i8": 64}
_BOOLEANS = {"0": False, "1": True}


def method_name(body: bytes) -> str:
    """The method that a request calls, found without reading all of it; empty if there is none."""
    match = _METHOD.search(body, 0, _HEAD_LENGTH)
    return match[1].decode("latin-1") if match else ""


def read_call(body: bytes) -> tuple[str, list[Scalar]]:
    """The method and the parameters of a request.

    Raises:
        RpcFault: It is no XML-RPC call.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        call = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise RpcFault(
            RpcFault.PARSE,
            "Call XML not a proper XML-RPC call.  Call is not valid XML.  XML parsing failed",
        ) from error
    name = call.findtext("methodName")
    if call.tag != "methodCall" or name is None:
        raise RpcFault(RpcFault.PARSE, "Call XML not a proper XML-RPC call.")
    return name.strip(), [_scalar(value) for value in call.iterfind("params/param/value")]


def _scalar(value: _Element) -> Scalar:
    typed = next(value.iterchildren(etree.Element), None)
    if typed is None:
        return value.text or ""
    text = typed.text or ""
    try:
        match typed.tag:
            case "string":
                return text
            case "int" | "i4" | "i8":
                return _integer(text, _BITS[typed.tag])
            case "boolean":
                return _BOOLEANS[text.strip()]
            case "double":
                return float(text)
            case _:
                raise RpcFault(RpcFault.TYPE, "Parameter is of a type that no method takes")
    except (KeyError, ValueError) as error:
        raise RpcFault(
            RpcFault.PARSE, f"Call XML not a proper XML-RPC call.  <{typed.tag!s}> holds {text!r}"
        ) from error


def _integer(text: str, bits: int) -> int:
    number = int(text)
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise ValueError(text)
    return number


def success(payload: Payload) -> bytes:
    """The three-element answer."""
    return b"".join(
        (
            _CALL,
            b"<value><boolean>1</boolean></value>\r\n",
            b"<value><i4>%d</i4></value>\r\n" % payload
            if isinstance(payload, int)
            else b"<value><string>%b</string></value>\r\n"
            % (payload if isinstance(payload, bytes) else escaped(payload)),
            b"<value><i4>0</i4></value>\r\n",
            _CALL_END,
        )
    )


def refusal(method: str, error: Refusal) -> bytes:
    """The five-element answer; the last one is an `<i8>`, which is not standard XML-RPC."""
    return b"".join(
        (
            _CALL,
            b"<value><boolean>0</boolean></value>\r\n",
            b"<value><string>%b</string></value>\r\n" % escaped(f"[{method}] {error.message}"),
            b"<value><i4>%d</i4></value>\r\n" % error.code,
            b"<value><i4>%d</i4></value>\r\n" % error.object_id,
            b"<value><i8>-1</i8></value>\r\n",
            _CALL_END,
        )
    )


def fault(error: RpcFault) -> bytes:
    """The answer to what is no proper call."""
    return b"".join(
        (
            _PROLOG,
            b"<fault>\r\n<value><struct>\r\n",
            b"<member><name>faultCode</name>\r\n<value><i4>%d</i4></value></member>\r\n"
            % error.code,
            b"<member><name>faultString</name>\r\n<value><string>%b</string></value></member>\r\n"
            % escaped(error.message),
            b"</struct></value>\r\n</fault>\r\n</methodResponse>\r\n",
        )
    )


def escaped(text: str) -> bytes:
    """Text as it stands in XML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#x0d;").encode()
