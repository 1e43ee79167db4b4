"""Which sessions have been kept for as long as the site asks, and may be deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from napari_medlabel.audit.check.verdict import LogReport, SessionReport
from napari_medlabel.audit.format.seal import Head

_DAY_MS: Final = 86_400_000


def overdue(report: LogReport, days: int, now_ms: int) -> tuple[Head, ...]:
    """Return the ends of the sessions whose time is over, oldest first.

    The last session of each workstation stays, whatever its age: the next one names it.

    Parameters
    ----------
    report : LogReport
        Of the log; not red.
    days : int
        For how many days a session is kept after its last event.
    now_ms : int
        Now, milliseconds since 1970.
    """
    latest: dict[str, SessionReport] = {}
    for session in report.sessions:
        latest[session.writer] = session
    return tuple(
        session.sealed
        for session in report.sessions
        if session.sealed is not None
        and session is not latest[session.writer]
        and session.last_ms < now_ms - days * _DAY_MS
        and (session.closed or session.has("RECOVERED"))
    )


def in_lots(heads: Sequence[Head], most: int) -> list[tuple[Head, ...]]:
    """Return heads in lots of as many as one event may name."""
    return [tuple(heads[first : first + most]) for first in range(0, len(heads), most)]
