"""Dates and times of a PET file, all on the scanner's own clock.

PS3.5 6.2 (DA, TM, DT) and Timezone Offset From UTC (0008,0201), PS3.3 C.12.1. A time that
says its offset from UTC is moved to the clock of those that do not.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

_TIME: Final = re.compile(r"(\d{2})(\d{2})?(\d{2})?(\.\d{1,6})?")
_OFFSET: Final = re.compile(r"([+-])(\d{2})([0-5]\d)")
_MOST_EAST: Final = timedelta(hours=14)
_DAY: Final = timedelta(days=1)
_QUARTER_S: Final = 900


class Zoned(NamedTuple):
    """A date and time as it stands, and the offset from UTC that it says; None without."""

    moment: datetime
    offset: timedelta | None


def offset_of(value: Any) -> timedelta | None:
    """Parse Timezone Offset From UTC (0008,0201), or the end of a DT value."""
    found = _OFFSET.fullmatch(str(value or "").strip("\0 "))
    if found is None:
        return None
    sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if sign == "-" else offset


def zoned(value: Any) -> Zoned | None:
    """Parse a DT value; None where it is none to the hour at least."""
    text = str(value or "").strip("\0 ")
    moment = moment_of(*_halves(re.split(r"[+-]", text)[0]))
    return None if moment is None else Zoned(moment, offset_of(text[-5:]))


def _halves(text: str) -> tuple[str, str]:
    return text[:8], text[8:]


def on_clock(
    value: Zoned | None, scanner: timedelta | None, time_s: float | None = None
) -> datetime | None:
    """Return a moment on the scanner's clock; None where its offset is not that of the clock.

    Parameters
    ----------
    value : Zoned or None
        The moment.
    scanner : timedelta or None
        The scanner's offset from UTC, where the file says it.
    time_s : float, optional
        The same moment on the scanner's clock, in seconds since its midnight. It tells the
        scanner's offset where nothing else does: whole quarters of an hour.
    """
    if value is None or value.offset is None:
        return None if value is None else value.moment
    if scanner is not None:
        return value.moment - value.offset + scanner
    if time_s is None:
        return None
    midnight = value.moment.replace(hour=0, minute=0, second=0, microsecond=0)
    ahead = midnight + timedelta(seconds=time_s) - value.moment
    quarters = round(ahead.total_seconds() / _QUARTER_S)
    if abs(ahead.total_seconds() - quarters * _QUARTER_S) >= 1:
        return None
    # Of the clocks that show this time, the one between 10 hours west and 14 hours east.
    local = (value.offset + timedelta(seconds=quarters * _QUARTER_S)) % _DAY
    local -= _DAY if local > _MOST_EAST else timedelta()
    return value.moment - value.offset + local


def moment_of(date: Any, time: Any) -> datetime | None:
    """Join a DA and a TM value."""
    seconds = seconds_of(time)
    digits = str(date or "").replace(".", "")
    if seconds is None or len(digits) != 8 or not digits.isdigit():
        return None
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    try:
        midnight = datetime(year, month, day)  # noqa: DTZ001
    except ValueError:
        return None
    return midnight + timedelta(seconds=seconds)


def seconds_of(time: Any) -> float | None:
    """Parse a TM value as seconds since midnight."""
    found = _TIME.fullmatch(str(time or "").strip("\0 ").replace(":", ""))
    if found is None:
        return None
    hours, minutes, seconds, fraction = found.groups()
    whole = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole + float(fraction or 0)
