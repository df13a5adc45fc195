"""The table of the rows as text, as Markdown and as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from benchmarks.paper.figures import PLATFORMS
from benchmarks.paper.measure import Row

__all__ = ["markdown", "picture", "text"]

_HEADS = (
    "direct ms",
    "API ms",
    "ratio",
    "2014",
    "calls",
    "trips",
    "request B",
    "API's",
    "response B",
    "API's",
)


def _cells(row: Row) -> list[str]:
    return [
        f"{row.direct_s * 1000:.1f}",
        f"{row.api_s * 1000:.1f}",
        f"{row.ratio:.2f}",
        f"{row.paper_ratio:.2f}",
        str(row.calls),
        str(row.trips),
        str(row.direct_request_b),
        str(row.api_request_b),
        str(row.direct_response_b),
        str(row.api_response_b),
    ]


def text(rows: Sequence[Row]) -> str:
    """The table for a terminal."""
    lines = [f"{'':42}" + "".join(f"{head:>11}" for head in _HEADS)]
    for row in rows:
        title = f"{PLATFORMS[row.platform]}: {row.operation}"
        lines.append(f"{title:42}" + "".join(f"{cell:>11}" for cell in _cells(row)))
    return "\n".join(lines)


def markdown(rows: Sequence[Row]) -> str:
    """The table for the documentation, a part for each platform."""
    lines: list[str] = []
    for kind, title in PLATFORMS.items():
        lines += [f"| {title} | {' | '.join(_HEADS)} |", "| --- " * (len(_HEADS) + 1) + "|"]
        lines += [
            f"| {row.operation} | {' | '.join(_cells(row))} |"
            for row in rows
            if row.platform == kind
        ]
        lines.append("")
    return "\n".join(lines)


_LEFT, _WIDTH, _BAR, _LINE, _GAP, _TOP = 250, 640, 9, 28, 30, 60
_DECADES = 2.0
"""The axis goes from 1 to 100."""
_STYLE = (
    "text{font:11px sans-serif;fill:#666}.h{font-weight:bold;font-size:13px}"
    "path{stroke:#999;stroke-opacity:.4}.ours{fill:#00897b}.theirs{fill:#f0a04b}"
)


def picture(rows: Sequence[Row]) -> str:
    """The ratios as bars on a logarithmic scale, ours above the paper's, as SVG."""
    parts: list[str] = []
    y = float(_TOP)
    for kind, title in PLATFORMS.items():
        parts.append(f'<text class="h" x="8" y="{y:g}">{escape(title)}</text>')
        y += 8
        for row in (row for row in rows if row.platform == kind):
            parts += [
                _label(_LEFT - 8, y + _BAR + 4, row.operation, "end"),
                _bar("ours", y, row.ratio),
                _bar("theirs", y + _BAR + 1, row.paper_ratio),
            ]
            y += _LINE
        y += _GAP
    height = y - 10
    grid: list[str] = []
    for value in (1, 2, 5, 10, 20, 50, 100):
        x = _x(value)
        grid += [
            f'<path d="M{x:.1f} {_TOP - 14}V{height - 20:g}"/>',
            _label(x, _TOP - 20, str(value), "middle"),
        ]
    width = _LEFT + _WIDTH + 60
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" role="img">',
            "<title>How many times as long an operation takes through the API</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="ours" x="{_LEFT}" y="12" width="12" height="8"/>',
            _label(_LEFT + 18, 20, "Anabranch"),
            f'<rect class="theirs" x="{_LEFT + 110}" y="12" width="12" height="8"/>',
            _label(_LEFT + 128, 20, "Deltacloud, in the paper of 2014"),
            *grid,
            *parts,
            "</svg>",
            "",
        ]
    )


def _label(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _x(ratio: float) -> float:
    return _LEFT + _WIDTH * max(0.0, math.log10(ratio)) / _DECADES


def _bar(name: str, y: float, ratio: float) -> str:
    end = _x(ratio)
    width = max(1.0, end - _LEFT)
    bar = f'<rect class="{name}" x="{_LEFT}" y="{y:g}" width="{width:.1f}" height="{_BAR}"/>'
    return bar + _label(_LEFT + width + 4, y + _BAR, f"{ratio:.2f}")
