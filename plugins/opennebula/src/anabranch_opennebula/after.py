"""What is done is told of, whatever goes wrong after it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from anabranch.errors import CloudError

__all__ = ["after"]


@contextmanager
def after(done: str) -> Generator[None]:
    """Say in an error of the block what was done before it, so that nobody does it again.

    Args:
        done: What was done (`volume 7 was made`).
    """
    try:
        yield
    except CloudError as exc:
        exc.message = f"{done}, and after that: {exc.message}"
        raise
