"""Takes numbers and texts out of the documents of requests."""

from __future__ import annotations

from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.wire import bad_request

__all__ = [
    "MOST_ADDRESSES",
    "attribute_number",
    "child_number",
    "child_text",
    "number",
    "required",
]

MOST_ADDRESSES = 100
"""How many addresses can be asked for at once; a limit of this simulator."""

_LARGEST = 2**31 - 1
_LONGEST = 10


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


def child_number(
    element: Element, tag: str, default: int | None = None, *, most: int = _LARGEST
) -> int:
    """The text of a child as an integer.

    Args:
        element: The parent.
        tag: The child.
        default: What it is without the child; `None` when the child must be there.
        most: The largest that is accepted.

    Raises:
        Refusal: 400, it is not there or not a number of zero or more.
    """
    if default is not None and element.find(tag) is None:
        return default
    return number(required(element, tag).text, f"<{tag}>", most=most)


def attribute_number(
    element: Element, name: str, default: int | None = None, *, most: int = _LARGEST
) -> int:
    """An attribute as an integer.

    Args:
        element: The element.
        name: The attribute.
        default: What it is without the attribute; `None` when the attribute must be there.
        most: The largest that is accepted.

    Raises:
        Refusal: 400, it is not there or not a number of zero or more.
    """
    if default is not None and element.get(name) is None:
        return default
    return number(element.get(name) or "", f"{name} of <{element.tag}>", most=most)


def number(text: str, what: str, *, most: int = _LARGEST) -> int:
    """A text as an integer.

    Args:
        text: The text.
        what: What the refusal calls it.
        most: The largest that is accepted.

    Raises:
        Refusal: 400, it is not a number of zero or more, or a larger one.
    """
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST):
        raise bad_request(f"{what} must be a number, not {text!r}")
    if int(digits) > most:
        raise bad_request(f"{what} must be {most} at most, not {digits}")
    return int(digits)
