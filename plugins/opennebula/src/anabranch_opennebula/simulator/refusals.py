"""How oned says no: the five-element failure with its code, and the fault of XML-RPC itself."""

from __future__ import annotations

import enum

__all__ = ["Code", "Refusal", "RpcFault"]


class Code(enum.IntEnum):
    """The error codes of the OpenNebula API."""

    AUTHENTICATION = 0x0100
    AUTHORIZATION = 0x0200
    NO_EXISTS = 0x0400
    ACTION = 0x0800
    RPC_API = 0x1000
    INTERNAL = 0x2000
    ALLOCATE = 0x4000


class Refusal(Exception):
    """A call is refused.

    Args:
        code: Why.
        message: What oned says, without the name of the method in front.
        object_id: The object that the error is about; -1 for none.
    """

    def __init__(self, code: Code, message: str, object_id: int = -1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.object_id = object_id


class RpcFault(Exception):
    """The request is no proper call, which the XML-RPC library answers instead of oned.

    Args:
        code: -501 for a wrong type, -503 for bad XML, -506 for an unknown method.
        message: What the library says.
    """

    TYPE = -501
    PARSE = -503
    NO_SUCH_METHOD = -506

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
