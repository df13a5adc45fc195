"""Whether what a driver returned is what the hook promises: nonsense of one spoils no answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeGuard, get_args, get_origin

from anabranch.hooks import CloudIdentity, Lacks
from anabranch.models import Resource
from anabranch.operations import OPERATIONS
from anabranch.paging import ItemProblem, Page

__all__ = ["nonsense"]

_ABOUT_CLOUDS: Mapping[str, type] = {"check": CloudIdentity, "probe": Lacks}


def nonsense(operation: str, cloud: str, result: object) -> str:
    """Return what is wrong with a result, or nothing.

    Args:
        operation: Name of the hook.
        cloud: Name of the cloud that was asked, to which everything returned must belong.
        result: What the hook returned.
    """
    return _check_of(operation)(cloud, result)


@cache
def _check_of(operation: str) -> Callable[[str, object], str]:
    if operation in _ABOUT_CLOUDS:
        return lambda cloud, result: _wrong_object(_ABOUT_CLOUDS[operation], cloud, result)
    expected: Any = OPERATIONS[operation].types()["return"]
    origin, members = get_origin(expected) or expected, get_args(expected)
    if origin is type(None):
        return lambda cloud, result: ""
    if origin is Page:
        return lambda cloud, result: _wrong_page(members[0], cloud, result)
    if origin is Sequence:
        return lambda cloud, result: _wrong_items(members[0], cloud, result)
    return lambda cloud, result: _wrong_object(origin, cloud, result)


def _wrong_object(expected: type, cloud: str, result: object) -> str:
    if not isinstance(result, expected):
        return f"returned {_kind(result)}, not {_article(expected)}"
    if isinstance(result, Resource):
        if result.cloud != cloud:
            return f"returned {_article(expected)} of another cloud"
        ident = getattr(result, "id", None)
        if not isinstance(ident, str):
            return f"returned {_article(expected)} whose id is {_kind(ident)}"
    return ""


def _wrong_page(member: type[Any], cloud: str, page: object) -> str:
    if not _is_page(page):
        return f"returned {_kind(page)}, not a Page"
    cursor: object = getattr(page, "cursor", None)
    if cursor is not None and not isinstance(cursor, str):
        return f"returned a Page whose cursor is {_kind(cursor)}"
    problems: object = getattr(page, "problems", None)
    if not _is_sequence(problems) or not all(isinstance(p, ItemProblem) for p in problems):
        return "returned a Page whose problems are no ItemProblems"
    return _wrong_items(member, cloud, getattr(page, "items", None))


def _wrong_items(member: type[Any], cloud: str, items: object) -> str:
    if not _is_sequence(items):
        return f"returned {_kind(items)} for items"
    for item in items:
        # Pages are long, and as a rule there is nothing wrong with them.
        if type(item) is member and item.cloud == cloud and type(item.id) is str:
            continue
        if wrong := _wrong_object(member, cloud, item):
            return wrong
    return ""


def _is_page(value: object) -> TypeGuard[Page[Any]]:
    return isinstance(value, Page)


def _is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence)


def _kind(value: object) -> str:
    return "None" if value is None else _article(type(value))


def _article(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'AEIOUaeiou' else 'a'} {kind.__name__}"
