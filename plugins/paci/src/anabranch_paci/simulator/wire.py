"""Requests and replies between the application and the operations."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import msgspec

from anabranch_paci.simulator.markup import Element, MarkupError, parse
from anabranch_paci.simulator.state import State

__all__ = [
    "Refusal",
    "Reply",
    "Request",
    "accepted",
    "bad_request",
    "conflict",
    "missing",
    "not_modified",
    "password_reply",
    "text_reply",
    "xml_reply",
]


class Reply(msgspec.Struct, frozen=True):
    """A reply before it is sent.

    Args:
        status: The status code.
        body: The body.
        content_type: What it is; empty for a reply without a body.
        sized: Whether it has a `Content-Length`. PACI's XML has one and its text has none, which
            is inferred: Salt hands every body with a length to an XML parser.
        headers: Further headers.
    """

    status: int
    body: bytes = b""
    content_type: str = ""
    sized: bool = True
    headers: tuple[tuple[str, str], ...] = ()


class Request(msgspec.Struct, frozen=True):
    """A request that is authenticated.

    Args:
        state: The cloud it is for.
        query: The parameters of the URL.
        body: The body.
        now: When it came, seconds since the epoch.
    """

    state: State
    query: dict[str, list[str]]
    body: bytes
    now: float

    def document(self, root: str) -> Element:
        """The body as a document, whatever its `Content-Type` says.

        Raises:
            Refusal: 400, it is no XML or has another root.
        """
        try:
            document = parse(self.body)
        except MarkupError as error:
            raise bad_request(str(error)) from None
        if document.tag != root:
            raise bad_request(f"The document must be <{root}>, not <{document.tag}>.")
        return document

    def later(self, then: Callable[[float], object]) -> None:
        """Let something happen when the cloud has got round to it; it is told the time."""
        self.state.later(self.now + self.state.behaviour.state_delay, then)

    def parameter(self, name: str) -> str | None:
        """The first value of a parameter of the URL, or `None`."""
        return next(iter(self.query.get(name, ())), None)


class Refusal(Exception):
    """An operation says no.

    Args:
        status: The status code.
        message: The reason, for a person.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def bad_request(message: str) -> Refusal:
    """400 for a request that makes no sense; the status is inferred."""
    return Refusal(HTTPStatus.BAD_REQUEST, message)


def missing(kind: str, name: str) -> Refusal:
    """404 for an object that is not there."""
    return Refusal(HTTPStatus.NOT_FOUND, f"{kind} {name} does not exist")


def conflict(message: str) -> Refusal:
    """409 for what the state of an object forbids; the status is inferred."""
    return Refusal(HTTPStatus.CONFLICT, message)


def xml_reply(root: Element, status: int = HTTPStatus.OK) -> Reply:
    """A document."""
    return Reply(status, root.document(), "application/xml")


def text_reply(line: str, status: int) -> Reply:
    """One line of text, without a `Content-Length`."""
    return Reply(status, line.encode(), "text/plain", sized=False)


def accepted(line: str) -> Reply:
    """What an asynchronous verb answers."""
    return text_reply(line, HTTPStatus.ACCEPTED)


def not_modified() -> Reply:
    """304 without a body: what was asked for is so already."""
    return Reply(HTTPStatus.NOT_MODIFIED, sized=False)


def password_reply(number: int, message: str, password: str | None) -> Reply:
    """The `pwd-response` of operations that make an object or a secret.

    Status 202 is inferred from the other asynchronous verbs.
    """
    root = Element(
        "pwd-response",
        None,
        Element("id", number),
        Element("message", message),
        None if password is None else Element("password", password),
    )
    return xml_reply(root, HTTPStatus.ACCEPTED)
