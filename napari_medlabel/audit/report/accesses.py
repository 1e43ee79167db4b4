"""Who saw what, and why it is no surprise: explained by work, or listed first.

Most accesses are explained by simple facts: the scan was assigned, or its user worked on
it. What is left is short enough to be read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import replace
from typing import Final

from napari_medlabel.audit.report.deeds import AccessFact
from napari_medlabel.audit.report.facts import Hours
from napari_medlabel.audit.report.seen import Line

ASSIGNED: Final = "it was on the user's worklist"
SUBMITTED: Final = "a colleague had submitted it for review"
BEFORE: Final = "the user had worked on it before"
KNOWN: Final = "an earlier opening by the user is explained"

_WORK: Final = {
    "mask.create": "the user saved a mask of it that day",
    "mask.save": "the user saved a mask of it that day",
    "mask.restore": "the user restored a mask of it that day",
    "mask.delete": "the user deleted a mask of it that day",
    "landmark.save": "the user saved landmarks of it that day",
    "autosave.recover": "the user recovered work on it that day",
    "assist.run": "the user worked on it that day",
    "review.submit": "the user submitted it that day",
    "review.reject": "the user reviewed it that day",
    "review.approve": "the user reviewed it that day",
    "review.unlock": "the user reviewed it that day",
    "sign.apply": "the user signed it that day",
    "export.done": "the user exported it that day",
    "deid.run": "the user exported it that day",
    "import.convert": "the user imported it that day",
}
_SEEN: Final = (
    "volume.open", "volume.open.denied", "header.view", "deid.preview", "import.convert",
    "reid.lookup", "reid.export",
)  # fmt: skip
_ALWAYS_ASKED: Final = {"reid.lookup", "reid.export"}
_SERIOUS: Final = 8
_MINUTE_MS, _DAY_MIN = 60_000, 1440
_THURSDAY: Final = 3  # the first of January 1970


class Accesses:
    """Collects accesses and the work that explains them.

    Parameters
    ----------
    hours : Hours
        When people work here; days are those of the site's clocks.
    """

    events: Final = (*_SEEN, *(name for name in _WORK if name not in _SEEN))

    def __init__(self, hours: Hours) -> None:
        self._hours = hours
        self._seen: list[AccessFact] = []
        self._assigned: set[tuple[str, int]] = set()
        self._work: dict[tuple[str, str, int], str] = {}
        self._first_day: dict[tuple[str, str], int] = {}
        self._rounds: dict[str, list[tuple[int, str, str]]] = defaultdict(list)

    def take(self, line: Line) -> None:
        """Take the next event that concerns it."""
        event = line.event
        if event in _WORK and line.outcome < _SERIOUS:
            self._worked(line, event)
        if event == "deid.preview" and not line.detail.get("values_shown"):
            return  # the rules alone, nobody's values
        if event in _SEEN:
            self._saw(line, event)

    def _worked(self, line: Line, event: str) -> None:
        day = self._day(line.at_ms)
        for subject in line.subjects:
            self._work.setdefault((line.user, subject, day), _WORK[event])
            key = (line.user, subject)
            self._first_day[key] = min(day, self._first_day.get(key, day))
            if event.startswith("review."):
                self._rounds[subject].append((line.at_ms, event, line.user))

    def _saw(self, line: Line, event: str) -> None:
        if "assignment" in line.detail:
            self._assigned.add((line.file, line.number))
        off = self._is_off(line.at_ms)
        for subject in line.subjects or [""]:
            self._seen.append(
                AccessFact(
                    line.at_ms,
                    line.user,
                    event,
                    subject,
                    line.outcome,
                    "",
                    off,
                    line.file,
                    line.number,
                    line.role,
                )
            )

    def _minutes(self, at_ms: int) -> int:
        """Return minutes since 1970 on the site's clocks."""
        return at_ms // _MINUTE_MS + self._hours.utc_offset_minutes

    def _day(self, at_ms: int) -> int:
        """Return days since 1970 on the site's clocks."""
        return self._minutes(at_ms) // _DAY_MIN

    def _is_off(self, at_ms: int) -> bool:
        hours, weekday = self._hours, (self._day(at_ms) + _THURSDAY) % 7
        hour = self._minutes(at_ms) % _DAY_MIN // 60
        at_work = hours.work_from <= hour < hours.work_to
        return weekday not in hours.work_days or not at_work

    def _explain(self, fact: AccessFact) -> str:
        if fact.event in _ALWAYS_ASKED or not fact.subject:
            return ""  # whose identity was looked up, somebody must ask about
        if (fact.file, fact.line) in self._assigned:
            return ASSIGNED
        day = self._day(fact.at_ms)
        worked = self._work.get((fact.user, fact.subject, day))
        if worked:
            return worked
        first = self._first_day.get((fact.user, fact.subject))
        if first is not None and first < day:
            return BEFORE
        return SUBMITTED if self._awaits_review(fact) else ""

    def _awaits_review(self, fact: AccessFact) -> bool:
        """Return whether a colleague's case waited for a reviewer, and one came."""
        rounds = self._rounds.get(fact.subject, [])
        place = bisect_right(rounds, fact.at_ms, key=lambda item: item[0])
        if fact.role != "reviewer" or not place:
            return False
        _, event, user = rounds[place - 1]
        return event == "review.submit" and user != fact.user

    def facts(self) -> list[AccessFact]:
        """Return every access: unexplained first, then off hours, then by time."""
        for rounds in self._rounds.values():
            rounds.sort()
        known: set[tuple[str, str]] = set()
        told = []
        for fact in sorted(self._seen, key=lambda one: (one.at_ms, one.file, one.line)):
            key = (fact.user, fact.subject)
            why = self._explain(fact)
            if why:
                known.add(key)
            elif key in known and fact.event not in _ALWAYS_ASKED:
                why = KNOWN
            told.append(replace(fact, explained=why) if why else fact)
        told.sort(key=lambda one: (bool(one.explained), not one.off_hours))  # stable
        return told
