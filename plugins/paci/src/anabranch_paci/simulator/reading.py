"""Takes numbers and texts out of the documents of requests."""

from __future__ import annotations

from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.wire import bad_request

__all__ = ["attribute_number", "child_number", "child_text", "required"]

_LARGEST = 2**31 - 1


def required(element: Element, tag: str) -> Element:
    """A child that must be there.

    Raises:
        Refusal: 400, it is not.
    """
    child = element.find(tag)
    if child is None:
        raise bad_request(f"<{element.tag}> must have <{tag}>")
    return child


def child_text(element: Element, tag: str) -> str | None:
    """The text of a child, or `None` without the child."""
    child = element.find(tag)
    return None if child is None else child.text


def child_number(element: Element, tag: str, default: int | None = None) -> int:
    """The text of a child as an integer.

    Args:
        element: The parent.
        tag: The child.
        default: What it is without the child; `None` when the child must be there.

    Raises:
        Refusal: 400, it is not there or not a number of zero or more.
    """
    if default is not None and element.find(tag) is None:
        return default
    return _number(required(element, tag).text, f"<{tag}>")


def attribute_number(element: Element, name: str, default: int | None = None) -> int:
    """An attribute as an integer.

    Args:
        element: The element.
        name: The attribute.
        default: What it is without the attribute; `None` when the attribute must be there.

    Raises:
        Refusal: 400, it is not there or not a number of zero or more.
    """
    if default is not None and element.get(name) is None:
        return default
    return _number(element.get(name) or "", f"{name} of <{element.tag}>")


def _number(text: str, what: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and int(text) <= _LARGEST):
        raise bad_request(f"{what} must be a number, not {text!r}")
    return int(text)
