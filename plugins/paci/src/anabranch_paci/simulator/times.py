"""Times: written as PACI writes them in documents, read as clients write them in paths."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from anabranch_paci.simulator.wire import Refusal, bad_request

__all__ = ["moment", "timestamp"]

_PATH_TIME = re.compile(
    r"""(?P<day>\d{4}-\d\d-\d\d)\ (?P<time>\d\d:\d\d)(?::\d\d)?
        (?:\ (?:(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?|[A-Z]{1,5}))?""",
    re.VERBOSE,
)


def timestamp(at: float) -> str:
    """A time as documents have it: `2013-09-01 19:19:17.84091+00`, without trailing zeros.

    The zone is written with `+`, because pacicli reads no other.
    """
    when = datetime.fromtimestamp(at, UTC)
    fraction = f".{when.microsecond:06}".rstrip("0").rstrip(".")
    return f"{when:%Y-%m-%d %H:%M:%S}{fraction}+00"


def moment(text: str) -> float:
    """Read a time of a path, `YYYY-MM-DD HH:MM ZONE`, as seconds since the epoch.

    The zone is an offset; a name of a zone is taken for UTC, and so is none.

    Raises:
        Refusal: 400, it is not such a time.
    """
    match = _PATH_TIME.fullmatch(text)
    if match is None:
        raise _no_time(text)
    offset = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    try:
        zone = timezone(-offset if match["sign"] == "-" else offset)
        day = datetime.fromisoformat(f"{match['day']} {match['time']}")
        return day.replace(tzinfo=zone).timestamp()
    except (ValueError, OverflowError):  # the 31st of February, a zone of 99 hours
        raise _no_time(text) from None


def _no_time(text: str) -> Refusal:
    return bad_request(f"{text!r} is not a time: write YYYY-MM-DD HH:MM ZONE")
