"""What a person sees on a terminal while clouds are awaited."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio

from anabranch_cli.session import Session, harmless

__all__ = ["watched"]

T = TypeVar("T")

_PATIENCE: Final = 0.3
_NAMES: Final = 6


async def watched(
    session: Session, awaited: Callable[[], list[str]], work: Callable[[], Awaitable[T]]
) -> T:
    """Do some work, and meanwhile show on stderr, if that is a terminal, who is awaited.

    Nothing is shown of what takes less than 0.3 s.

    Args:
        session: Where.
        awaited: Returns what is awaited now: names of clouds, or other words.
        work: The work.
    """
    if not sys.stderr.isatty() or session.verbosity:
        return await work()
    results: list[T] = []
    failures: list[Exception] = []
    async with anyio.create_task_group() as group:
        group.start_soon(_show, session, awaited)
        try:
            results.append(await work())
        except Exception as exc:
            failures.append(exc)
        group.cancel_scope.cancel()
    if failures:
        raise failures[0]
    return results[0]


async def _show(session: Session, awaited: Callable[[], list[str]]) -> None:
    await anyio.sleep(_PATIENCE)
    # Only on a terminal, and only then: rich costs 0.1 s of CPU.
    from rich.console import Console

    console = Console(stderr=True, no_color=not session.colour, highlight=False)
    with console.status("", spinner="dots") as status:
        while True:
            status.update(_line(awaited()))
            await anyio.sleep(0.1)


def _line(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    text = harmless(", ".join(names[:_NAMES])) + more
    return f"waiting for {text}".replace("[", r"\[") if names else "…"
