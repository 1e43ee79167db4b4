"""The record of an event: one canonical line, and the check that every reader makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.event import (
    MAX_REFS,
    OBJECT_ROLE,
    OBJECT_TYPE,
    REASON,
    ROLE,
    Actor,
    Event,
    ObjectRef,
    Reason,
)
from napari_medlabel.audit.format.kinds import AUTH
from napari_medlabel.audit.format.schema import (
    COUNT,
    DIGEST,
    ROOT,
    SUBJECT,
    USER,
    Field,
    group,
    many,
)
from napari_medlabel.audit.format.seal import to_base64
from napari_medlabel.errors import LogError

CLOCK_TOLERANCE_MS: Final = 2000
"""How far the wall clock may go back unremarked: time servers correct it by small steps."""

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT: Final = Field("text", lambda value: isinstance(value, str))
_REQUIRED: Final[Mapping[str, Field]] = {
    "action": _TEXT,
    "actor": group("actor", {"auth": AUTH, "role": ROLE, "user": USER}),
    "dcm": many(_TEXT),
    "detail": Field("object", lambda value: isinstance(value, dict)),
    "event": _TEXT,
    "mono": COUNT,
    "object": many(
        group("object", {"id": DIGEST, "role": OBJECT_ROLE, "type": OBJECT_TYPE}), MAX_REFS
    ),
    "outcome": COUNT,
    "prev": ROOT,
    "seq": COUNT,
    "subject": many(SUBJECT, MAX_REFS),
    "time": _TEXT,
    "v": Field("1", lambda value: type(value) is int and value == 1),
}
_REASONS: Final = (group("", {"code": REASON}), group("", {"code": REASON, "ref": DIGEST}))
_OPTIONAL: Final[Mapping[str, Field]] = {
    "iso": _TEXT,
    "reason": Field("reason", lambda value: any(form.accepts(value) for form in _REASONS)),
}


def time_text(utc_ms: int) -> str:
    """Return a moment as ``2026-11-22T10:10:32.104Z`` from milliseconds since 1970."""
    return f"{_second_text(utc_ms // 1000)}{utc_ms % 1000:03d}Z"


@lru_cache(maxsize=16)
def _second_text(utc_s: int) -> str:
    moment = _EPOCH + timedelta(seconds=utc_s)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.")


def time_ms(text: str) -> int:
    """Return milliseconds since 1970 of a record's time.

    Raises
    ------
    ValueError
        When the text is not of the form that `time_text` gives.
    """
    if _TIME.fullmatch(text) is None:
        raise ValueError("'time' is not UTC with milliseconds")
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)
    except ValueError as err:
        raise ValueError("'time' is no date and time that exists") from err


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its session a record stands.

    Parameters
    ----------
    seq : int
        Number of events before it.
    prev : bytes
        Leaf hash of the event before it; 32 zero bytes for the first.
    utc_ms : int
        Wall clock, milliseconds since 1970.
    mono_ns : int
        Nanoseconds since the session began, on a clock that nobody sets.
    """

    seq: int
    prev: bytes
    utc_ms: int
    mono_ns: int


def line_of(event: Event, actor: Actor, place: Place) -> bytes:
    """Return the canonical line of an event, without the line feed."""
    record = event.record()
    record["actor"] = actor.record()
    record["mono"] = place.mono_ns
    record["prev"] = to_base64(place.prev)
    record["seq"] = place.seq
    record["time"] = time_text(place.utc_ms)
    return canonical.encode_known(record)


def _event_of(record: Mapping[str, Any]) -> Event:
    reason = Reason(**record["reason"]) if "reason" in record else None
    return Event(
        record["event"],
        tuple(record["subject"]),
        tuple(ObjectRef(**item) for item in record["object"]),
        record["detail"],
        reason,
        record["outcome"],
    )


def check_record(record: Mapping[str, Any]) -> int:
    """Check one record of a log as strictly as it was checked when it was written.

    The values of ``seq`` and ``prev`` are left to whoever knows the lines before.

    Parameters
    ----------
    record : mapping
        Decoded line.

    Returns
    -------
    int
        Its time, in milliseconds since 1970.

    Raises
    ------
    ValueError
        Unknown version, event, key or kind of value, in words that quote no value.
    """
    for key, kind in _REQUIRED.items():
        if key not in record:
            raise ValueError(f"'{key}' is missing")
        if not kind.accepts(record[key]):
            raise ValueError(f"'{key}' is not what the format allows")
    for key in record.keys() - _REQUIRED.keys():
        if key not in _OPTIONAL or not _OPTIONAL[key].accepts(record[key]):
            raise ValueError("a key is unknown, or 'reason' or 'iso' is of another kind")
    try:
        expected = _event_of(record).record()
    except LogError as err:
        raise ValueError(err.message.rstrip(".")) from err
    for key in ("action", "dcm", "iso"):
        if record.get(key) != expected.get(key):
            raise ValueError(f"'{key}' is not what this event has")
    return time_ms(record["time"])
