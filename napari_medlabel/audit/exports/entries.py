"""What an export is made of: the sealed events of a log, each with the session it stands in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.check.verdict import LogReport
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.errors import InputError

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Session:
    """The session that an event stands in.

    Parameters
    ----------
    origin : str
        ``medlabel.local/<site>/<writer>/<session>``.
    tool : str
        Version of the program that wrote it, or empty.
    """

    origin: str
    tool: str = ""

    @property
    def site(self) -> str:
        """Name of the site."""
        return self.origin.split("/")[1]

    @property
    def writer(self) -> str:
        """Who wrote: the name of the workstation in the log."""
        return self.origin.split("/")[2]

    @property
    def ulid(self) -> str:
        """The 26 letters that only this session has."""
        return self.origin.rsplit("-", 1)[1]


@dataclass(frozen=True, slots=True)
class Entry:
    """One sealed event.

    Parameters
    ----------
    file : str
        Its file, relative to the log's folder.
    line : int
        From 1.
    session : Session
        Where it stands.
    record : mapping
        The event as it was written.
    """

    file: str
    line: int
    session: Session
    record: Mapping[str, Any]

    @property
    def event(self) -> str:
        """Name of the event."""
        return str(self.record["event"])

    @property
    def detail(self) -> Mapping[str, Any]:
        """What the event says beyond what every event says."""
        detail: Mapping[str, Any] = self.record["detail"]
        return detail

    @property
    def subjects(self) -> tuple[str, ...]:
        """Tokens of the patients concerned."""
        return tuple(self.record["subject"])

    @property
    def user(self) -> str:
        """Token of who acted."""
        return str(self.record["actor"]["user"])

    @property
    def reason(self) -> str:
        """Code of the reason, or empty."""
        return str(self.record.get("reason", {}).get("code", ""))

    @property
    def id(self) -> str:
        """A name that only this event has: the session's letters and the number in it."""
        return f"{self.session.ulid}-{self.record['seq']}"


Take = Callable[[Entry], None]


@dataclass(frozen=True, slots=True)
class Period:
    """Days, in UTC, both of them included.

    Parameters
    ----------
    first, last : str
        ``YYYY-MM-DD``.
    """

    first: str = "0000-00-00"
    last: str = "9999-99-99"

    def holds(self, time: str) -> bool:
        """Return whether a record's time is in it."""
        return self.first <= time[:10] <= self.last

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self == Period()


def period_of(first: str | None, last: str | None) -> Period:
    """Return the period between two days.

    Parameters
    ----------
    first, last : str or None
        ``YYYY-MM-DD``; None for no bound.

    Raises
    ------
    InputError
        When one is no day, or the first comes after the last.
    """
    for given in (first, last):
        if given is not None and not _is_day(given):
            raise InputError(
                "A day such as 2026-11-22 was expected, and something else came.",
                hint="Write year, month and day with hyphens; days are counted in UTC.",
            )
    period = Period(first or Period().first, last or Period().last)
    if period.first > period.last:
        raise InputError(
            "The first day of the period was expected before the last, and comes after it.",
            hint="Exchange --from and --to.",
        )
    return period


def _is_day(text: str) -> bool:
    if _DAY.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


@dataclass(slots=True)
class Reader:
    """Passes on the events of a period, each with its session, and counts them.

    Parameters
    ----------
    take : callable
        Receives every entry, in the order of the files.
    period : Period
        What is passed on.
    """

    take: Take
    period: Period = field(default_factory=Period)
    count: int = 0
    _session: Session = field(default_factory=lambda: Session("///-"))

    def seen(self, file: str, line: int, record: Mapping[str, Any]) -> None:
        """Receive an event as verification passes it on."""
        if record["event"] == "session.open":
            detail = record["detail"]
            self._session = Session(detail["origin"], detail.get("tool", ""))
        if self.period.holds(record["time"]):
            self.count += 1
            self.take(Entry(file, line, self._session, record))


def read_entries(
    root: Path, *, state: Path | None, take: Take, period: Period | None = None
) -> tuple[LogReport, int]:
    """Verify a log and pass on its events on the way.

    Parameters
    ----------
    root : Path
        Folder of the log.
    state : Path or None
        Folder of this computer's own memory.
    take : callable
        Receives every sealed event of the period.
    period : Period, optional
        Everything by default.

    Returns
    -------
    report : LogReport
        What the events are worth.
    count : int
        How many were passed on.

    Raises
    ------
    InputError
        When there is no log, or a file cannot be read.
    """
    reader = Reader(take, period or Period())
    report = verify_log(root, state=state, seen=reader.seen)
    return report, reader.count
