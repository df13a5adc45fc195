"""The parts of docs/benchmarks.md that the benchmarks write themselves."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PAGE", "ROOT", "part_of", "write_part"]

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"


def part_of(page: str, name: str) -> tuple[str, str, str]:
    """Divide a page into what is before a part, the part, and what is behind it.

    Raises:
        ValueError: the page has no such part.
    """
    begin, end = f"<!-- {name}: written by make bench -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = page.partition(begin)
    part, closing, after = rest.partition(end)
    if not closing:
        raise ValueError(f"there are no lines {begin.strip()} and {end.strip()}")
    return before + begin, part, closing + after


def write_part(name: str, text: str) -> None:
    """Put a text in the place of a part of the page."""
    before, _, after = part_of(PAGE.read_text(), name)
    PAGE.write_text(before + text + after)
