"""Events as those who gather facts see them, made without a log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from napari_medlabel.audit.format.event import Actor, Event, ObjectRef, Reason
from napari_medlabel.audit.report.seen import Line

ANNA = "u1-" + "a" * 16
BEN = "u1-" + "b" * 16
PATIENT = "s1-" + "3b" * 16
OTHER = "s1-" + "4c" * 16
FILE = "writers/w0123456789abcdef/2026/11/20261123T080000Z-01KB00000000000000000000AA.jsonl"
CASE = "sha256:" + "ca" * 32
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def at(hour: int, minute: int = 0, *, day: int = 0) -> int:
    """Return a moment, in days after a Monday."""
    return int(MONDAY.timestamp() * 1000) + ((day * 24 + hour) * 60 + minute) * 60_000


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def mask(number: int, role: str = "new", kind: str = "mask") -> ObjectRef:
    return ObjectRef(digest(number), role, kind)


def line(
    event: str, at_ms: int, *, user: str = ANNA, role: str = "annotator", **more: Any
) -> Line:
    """Return an event that the log would take."""
    place = {"file": more.pop("file", FILE), "number": more.pop("number", 2)}
    reason = more.pop("reason", "")
    subject = more.pop("subject", PATIENT)
    made = Event(
        event,
        subject=(subject,) if isinstance(subject, str) else tuple(subject),
        reason=Reason(reason) if reason else None,
        **more,
    )
    record = {**made.record(), "actor": Actor(user, role).record()}
    return Line(place["file"], place["number"], at_ms, record)
