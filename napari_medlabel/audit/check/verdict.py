"""What verification says: findings in plain words, a report for each session, a verdict."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from napari_medlabel.audit.format.seal import Head


class Verdict(StrEnum):
    """Green: complete and unaltered. Amber: cannot tell, or unfinished. Red: altered."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"

    @property
    def exit_code(self) -> int:
        """What the command line returns: 0, 4 or 5."""
        return {"green": 0, "amber": 4, "red": 5}[self.value]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Parameters
    ----------
    level : str
        red, amber, or note (worth knowing, changes nothing).
    code : str
        One word, for programs.
    text : str
        A sentence, for people.
    file : str
        Relative to the log's folder, or empty.
    line : int
        From 1; 0 where no line is meant.
    """

    level: Literal["red", "amber", "note"]
    code: str
    text: str
    file: str = ""
    line: int = 0

    def record(self) -> dict[str, object]:
        """Return the finding for ``--json``."""
        return {
            "code": self.code,
            "file": self.file,
            "level": self.level,
            "line": self.line,
            "text": self.text,
        }


class Seals:
    """Every sealed size of a session and its root: 40 bytes each."""

    def __init__(self) -> None:
        self._sizes = array("Q")
        self._roots = bytearray()

    def add(self, size: int, root: bytes) -> None:
        """Add the next seal."""
        self._sizes.append(size)
        self._roots += root

    def root(self, size: int) -> bytes | None:
        """Return the root sealed at a size, or None where nothing was sealed."""
        index = bisect_left(self._sizes, size)
        if index == len(self._sizes) or self._sizes[index] != size:
            return None
        return bytes(self._roots[32 * index : 32 * index + 32])


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that somebody else holds.

    Parameters
    ----------
    head : Head
        What it was.
    holder : str
        Who says so, in words.
    kind : str
        ``memory``, or the event that holds it.
    """

    head: Head
    holder: str
    kind: str


@dataclass(slots=True)
class SessionReport:
    """What one session's file says, and what is wrong with it.

    Attributes
    ----------
    file : str
        Relative to the log's folder.
    origin : str
        As its first line says; empty where there is none.
    sealed : Head or None
        Head of the last good seal.
    closed : bool
        Whether it said good-bye, sealed.
    first_ms, last_ms : int
        Times of the first and last sealed event; milliseconds since 1970.
    length : int
        Bytes read.
    previous : Head or None
        Head of the session before, as ``session.open`` says.
    anchors : list of Anchor
        Heads of other sessions that its sealed events hold.
    seals : Seals
        Every seal.
    findings : list of Finding
        In order of discovery.
    """

    file: str
    origin: str = ""
    sealed: Head | None = None
    closed: bool = False
    first_ms: int = 0
    last_ms: int = 0
    length: int = 0
    previous: Head | None = None
    anchors: list[Anchor] = field(default_factory=list)
    seals: Seals = field(default_factory=Seals)
    findings: list[Finding] = field(default_factory=list)

    @property
    def events(self) -> int:
        """Number of sealed events."""
        return self.sealed.size if self.sealed else 0

    @property
    def writer(self) -> str:
        """Name of the writer, from the place of the file."""
        parts = self.file.split("/")
        return parts[1] if len(parts) > 2 else ""

    def add(
        self, level: Literal["red", "amber", "note"], code: str, text: str, line: int = 0
    ) -> None:
        """Add a finding about this file."""
        self.findings.append(Finding(level, code, text, self.file, line))

    def has(self, *codes: str) -> bool:
        """Return whether a finding has one of these codes."""
        return any(finding.code in codes for finding in self.findings)


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict of findings: the worst level there is."""
    levels = {finding.level for finding in findings}
    if "red" in levels:
        return Verdict.RED
    return Verdict.AMBER if "amber" in levels else Verdict.GREEN


@dataclass(frozen=True, slots=True)
class LogReport:
    """The result of verifying a log.

    Parameters
    ----------
    verdict : Verdict
        The worst of the findings.
    sentence : str
        The result for people.
    findings : tuple of Finding
        Red first.
    sessions : tuple of SessionReport
        By file.
    """

    verdict: Verdict
    sentence: str
    findings: tuple[Finding, ...]
    sessions: tuple[SessionReport, ...]

    @property
    def events(self) -> int:
        """Number of sealed events."""
        return sum(session.events for session in self.sessions)

    def writers(self) -> list[dict[str, Any]]:
        """Return one row of figures for each writer, by name."""
        rows: dict[str, dict[str, Any]] = {}
        for session in self.sessions:
            row = rows.setdefault(
                session.writer,
                {
                    "writer": session.writer,
                    "sessions": 0,
                    "events": 0,
                    "open": 0,
                    "red": 0,
                    "amber": 0,
                },
            )
            row["sessions"] += 1
            row["events"] += session.events
            row["open"] += not session.closed
            for finding in session.findings:
                if finding.level != "note":
                    row[finding.level] += 1
        return [rows[name] for name in sorted(rows)]
