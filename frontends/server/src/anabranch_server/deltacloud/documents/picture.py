"""The states of instances as a picture.

The states stand in a row. What leads to the next one is an arrow between the two; what leads
further on, or back to where it began, runs above the row, what leads back runs below it, each in
a lane of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import pairwise
from typing import Final

import msgspec
from PIL import Image, ImageDraw, ImageFont

from anabranch import InstanceState, StateMachine
from anabranch_server.deltacloud.documents.states import steps

__all__ = ["states_png"]

_FONT: Final = ImageFont.load_default(16)
_ROW: Final = tuple(state.lower() for state in InstanceState)
_WHITE: Final = (255, 255, 255)
_INK: Final = (40, 40, 40)
_FILL: Final = (222, 235, 247)
_MARGIN: Final = 24
_HEIGHT: Final = 44
_LANE: Final = 30
_PORT: Final = 20
_HEAD: Final = 9
_DASH: Final = 6
_AUTO: Final = "auto"


class _Arrow(msgspec.Struct):
    """An arrow from one state to another.

    Attributes:
        source: Place of the first in the row.
        target: Place of the second.
        label: The actions that lead there.
        start: Where it leaves the first, pixels from the left.
        end: Where it enters the second.
        lane: Its lane, counted from the row, from 1.
    """

    source: int
    target: int
    label: str
    start: int = 0
    end: int = 0
    lane: int = 0

    @property
    def width(self) -> int:
        """Pixels that its label takes."""
        return round(_FONT.getlength(self.label)) + 12

    @property
    def span(self) -> int:
        """How many places it goes; 0: it leads to where it began."""
        return abs(self.target - self.source)

    @property
    def extent(self) -> tuple[int, int]:
        """Pixels from the left between which it and its label are in its lane."""
        left, right = sorted((self.start, self.end))
        spare = max(0, self.width - (right - left)) // 2
        return left - spare, right + spare


def states_png(machine: StateMachine) -> bytes:
    """Return the states, and what leads from one to another, as PNG; the same bytes each time."""
    found = steps(machine)
    names = sorted(found, key=_ROW.index)
    labels: dict[tuple[int, int], list[str]] = {}
    for name in names:
        for step in found[name]:
            pair = names.index(name), names.index(step.target.lower())
            labels.setdefault(pair, []).append(step.action or _AUTO)
    arrows = [_Arrow(*pair, ", ".join(told)) for pair, told in labels.items()]
    direct = [one for one in arrows if one.target == one.source + 1]
    above = [one for one in arrows if one.target > one.source + 1 or not one.span]
    below = [one for one in arrows if one.target < one.source]
    boxes = _place(names, direct, (above, below))
    for side in (above, below):
        _assign_lanes(side)
    return _draw(names, boxes, direct, above, below)


def _place(
    names: Sequence[str], direct: Iterable[_Arrow], sides: Iterable[list[_Arrow]]
) -> list[tuple[int, int]]:
    """Return where each box begins and ends, and let the arrows of both sides know their ends."""
    gaps = {one.source: one.width + 2 * _HEAD for one in direct}
    boxes: list[tuple[int, int]] = []
    left = _MARGIN
    for place, name in enumerate(names):
        ports = [_ports(place, side) for side in sides]
        widths = [sum(width for *_, width in side) + _PORT for side in ports]
        width = max(round(_FONT.getlength(name)) + 2 * _PORT, *widths)
        for side, used in zip(ports, widths, strict=True):
            at = left + (width - used + _PORT) // 2
            for arrow, leaving, taken in side:
                if leaving:
                    arrow.start = at + taken // 2
                else:
                    arrow.end = at + taken // 2
                at += taken
        boxes.append((left, left + width))
        left += width + max(gaps.get(place, 0), 3 * _PORT)
    return boxes


def _ports(place: int, side: Iterable[_Arrow]) -> list[tuple[_Arrow, bool, int]]:
    """Return where arrows meet one box, from left to right: arrow, whether it leaves, width.

    Those to the left come first, the shortest leftmost; those to the right last, the shortest
    rightmost: so none of them cross. A loop has two ports, and the room that its label takes.
    """
    left: list[tuple[int, _Arrow, bool]] = []
    right: list[tuple[int, _Arrow, bool]] = []
    loops: list[tuple[_Arrow, bool, int]] = []
    for arrow in side:
        if place not in (arrow.source, arrow.target):
            continue
        leaving = arrow.source == place
        if not arrow.span:
            half = max(_PORT, arrow.width // 2)
            loops += [(arrow, True, half), (arrow, False, half)]
        elif (arrow.target if leaving else arrow.source) < place:
            left.append((arrow.span, arrow, leaving))
        else:
            right.append((-arrow.span, arrow, leaving))
    left.sort(key=_first)
    right.sort(key=_first)
    return [
        *((arrow, leaving, _PORT) for _, arrow, leaving in left),
        *loops,
        *((arrow, leaving, _PORT) for _, arrow, leaving in right),
    ]


def _first(one: tuple[int, _Arrow, bool]) -> int:
    return one[0]


def _assign_lanes(side: list[_Arrow]) -> None:
    """Give each arrow the nearest lane that is free where it runs; the short ones choose first."""
    taken: list[list[tuple[int, int]]] = []
    for arrow in sorted(side, key=lambda one: one.extent[1] - one.extent[0]):
        left, right = arrow.extent
        free = (
            lane
            for lane, runs in enumerate(taken)
            if all(right + _PORT < begin or end + _PORT < left for begin, end in runs)
        )
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((left, right))
        arrow.lane = lane + 1


def _draw(
    names: Sequence[str],
    boxes: Sequence[tuple[int, int]],
    direct: Iterable[_Arrow],
    above: Sequence[_Arrow],
    below: Sequence[_Arrow],
) -> bytes:
    top = _MARGIN + _LANE * (max((one.lane for one in above), default=0) + 1)
    bottom = top + _HEIGHT
    height = bottom + _LANE * max((one.lane for one in below), default=0) + _MARGIN
    image = Image.new("RGB", (boxes[-1][1] + _MARGIN if boxes else 2 * _MARGIN, height), _WHITE)
    pen = ImageDraw.Draw(image)
    for side, edge, step in ((above, top, -_LANE), (below, bottom, _LANE)):
        for one in side:
            lane = edge + step * one.lane
            path = [(one.start, edge), (one.start, lane), (one.end, lane), (one.end, edge)]
            _line(pen, path, dashed=one.label == _AUTO)
    middle = top + _HEIGHT // 2
    for one in direct:
        path = [(boxes[one.source][1], middle), (boxes[one.target][0], middle)]
        _line(pen, path, dashed=one.label == _AUTO)
        _label(pen, one.label, sum(x for x, _ in path) // 2, middle)
    for side, edge, step in ((above, top, -_LANE), (below, bottom, _LANE)):
        for one in side:
            _label(pen, one.label, (one.start + one.end) // 2, edge + step * one.lane)
    for name, (left, right) in zip(names, boxes, strict=True):
        pen.rounded_rectangle((left, top, right, bottom), 8, _FILL, _INK, 2)
        pen.text(((left + right) // 2, middle), name, _INK, _FONT, anchor="mm")
    told = BytesIO()
    image.save(told, "PNG")
    return told.getvalue()


def _label(pen: ImageDraw.ImageDraw, label: str, x: int, y: int) -> None:
    left, up, right, down = pen.textbbox((x, y - 5), label, _FONT, anchor="mb")
    pen.rectangle((left - 2, up - 1, right + 2, down), _WHITE)
    pen.text((x, y - 5), label, _INK, _FONT, anchor="mb")


def _line(pen: ImageDraw.ImageDraw, path: Sequence[tuple[int, int]], *, dashed: bool) -> None:
    """Draw an arrow along a path of upright and level lines."""
    for (x1, y1), (x2, y2) in pairwise(path):
        length = max(abs(x2 - x1), abs(y2 - y1))
        across, along = _sign(x2 - x1), _sign(y2 - y1)
        for at in range(0, length, 2 * _DASH if dashed else max(length, 1)):
            end = min(at + _DASH, length) if dashed else length
            ends = [(x1 + across * d, y1 + along * d) for d in (at, end)]
            pen.line(ends, _INK, 2)
    (x1, y1), (x, y) = path[-2:]
    across, along = _sign(x - x1), _sign(y - y1)
    back = (x - across * _HEAD, y - along * _HEAD)
    side = _HEAD // 2 + 1
    corners = [(back[0] + s * along * side, back[1] + s * across * side) for s in (1, -1)]
    pen.polygon([(x, y), *corners], _INK)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
