"""Checks of request bodies, with nova's own words for what is wrong."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from anabranch_openstack.simulator.wire import Document, Refusal, is_list

__all__ = [
    "bad_value",
    "check_known",
    "check_name",
    "check_string",
    "check_strings",
    "objects",
    "require",
]


def bad_value(field: str, value: object, why: str) -> Refusal:
    """The refusal of a value."""
    return Refusal(400, f"Invalid input for field/attribute {field}. Value: {value}. {why}")


def check_known(field: str, document: Document, known: Collection[str]) -> None:
    """Refuse keys that the schema does not have.

    Raises:
        Refusal: There is one.
    """
    for name in document:
        if name not in known:
            raise bad_value(
                field,
                document,
                f"Additional properties are not allowed ('{name}' was unexpected)",
            )


def require(field: str, document: Document, *names: str) -> None:
    """Refuse a document that lacks a key.

    Raises:
        Refusal: It lacks one.
    """
    for name in names:
        if name not in document:
            raise bad_value(field, document, f"'{name}' is a required property")


def check_string(field: str, value: object, longest: int = 255) -> str:
    """Take a string of at most so many characters.

    Raises:
        Refusal: It is none.
    """
    if not isinstance(value, str):
        raise bad_value(field, value, f"{value!r} is not of type 'string'")
    if len(value) > longest:
        raise bad_value(field, value, f"'{value}' is too long")
    return value


def check_name(field: str, value: object) -> str:
    """Take a string that is not empty.

    Raises:
        Refusal: It is.
    """
    text = check_string(field, value)
    if not text.strip():
        raise bad_value(field, value, f"'{text}' should be non-empty")
    return text.strip()


def check_strings(value: object, field: str = "metadata") -> dict[str, str]:
    """Take a mapping of strings to strings.

    Raises:
        Refusal: It is none.
    """
    if not isinstance(value, dict):
        raise bad_value(field, value, f"{value!r} is not of type 'object'")
    items = cast("dict[str, Any]", value)
    return {name: check_string(name, item) for name, item in items.items()}


def objects(field: str, value: object) -> list[Document]:
    """Take a list of objects.

    Raises:
        Refusal: It is none.
    """
    if not is_list(value):
        raise bad_value(field, value, f"{value!r} is not of type 'array'")
    for item in value:
        if not isinstance(item, dict):
            raise bad_value(field, item, f"{item!r} is not of type 'object'")
    return value
