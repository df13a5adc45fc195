"""Functions with a signature that is made at run time, for Typer to read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["sign"]


def sign(function: Callable[..., int], signature: Mapping[str, tuple[Any, Any]]) -> None:
    """Give a function the signature that Typer is to read: annotation and default by name."""
    function.__annotations__ = {name: kind for name, (kind, _) in signature.items()}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in signature.items()
    ]
    vars(function)["__signature__"] = inspect.Signature(parameters)
