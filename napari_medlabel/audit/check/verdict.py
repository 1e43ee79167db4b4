"""What verification says: findings in plain words, a report for each session, a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from napari_medlabel.audit.check.columns import Anchor, Held, Replaced, Seals
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.format.seal import Head

TRUST: Final = frozenset({"UNCERTIFIED", "TOFU", "REVOKED", "CERT", "SITE", "STALE", "UNSEEN"})
"""Codes of findings about who wrote, not about what stands there."""


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
class Opening:
    """What a session's first event says of who writes it.

    Parameters
    ----------
    public : bytes
        Public key of the session, 32 bytes.
    previous : Head or None
        End of the session before.
    install : bytes or None
        Public key of the workstation.
    cert : bytes or None
        The workstation's signature over the session's key, 68 bytes.
    policy : str
        Digest of the ``site.json`` that was in force, or empty.
    spool : bool
        Whether it was written on the computer itself because the log's folder was away.
    role : str
        Role of who acted.
    user : str
        Token of who acted.
    tool, validation : str
        Version of this software, and whether the site had validated it; or empty.
    """

    public: bytes
    previous: Head | None = None
    install: bytes | None = None
    cert: bytes | None = None
    policy: str = ""
    spool: bool = False
    role: str = ""
    user: str = ""
    tool: str = ""
    validation: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a session says of the sessions of its workers.

    Parameters
    ----------
    line : int
        Of the event.
    closed : bool
        True for ``batch.close``, False for ``batch.open``.
    expected, actual : tuple of Head
        Ends that the workers reported, and those that were found; for ``batch.open`` the
        workers' beginnings in `expected`.
    """

    line: int
    closed: bool
    expected: tuple[Head, ...]
    actual: tuple[Head, ...] = ()


@dataclass(frozen=True, slots=True)
class Pruning:
    """What a session says was deleted because its time was over.

    Parameters
    ----------
    line : int
        Of the event.
    heads : tuple of Head
        Ends of the deleted sessions.
    days : int
        Days for which the policy keeps sessions.
    signature : bytes or None
        The officer's, 68 bytes.
    """

    line: int
    heads: tuple[Head, ...]
    days: int
    signature: bytes | None


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
    opening : Opening or None
        What its first event says, once that is sealed.
    signature : bytes
        Key id and signature of the last good seal; empty where there is none.
    vouched : bool
        Whether a certified session stands for this one, which has no certificate itself.
    anchors : Held
        Heads of other sessions that its sealed events hold.
    seals : Seals
        Every seal.
    replaced : Replaced
        Masks in whose place it put others.
    batches : list of Batch
        What it says of its workers' sessions.
    prunings : list of Pruning
        What it says was deleted.
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
    opening: Opening | None = None
    signature: bytes = b""
    vouched: bool = False
    anchors: Held = field(init=False)
    seals: Seals = field(default_factory=Seals)
    replaced: Replaced = field(default_factory=Replaced)
    batches: list[Batch] = field(default_factory=list)
    prunings: list[Pruning] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.anchors = Held(self.file, self.writer)

    @property
    def previous(self) -> Head | None:
        """Head of the session before, as ``session.open`` says."""
        return self.opening.previous if self.opening else None

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
    outside : tuple of Anchor
        Heads that others hold besides the sessions themselves: this computer's memory,
        published heads, witnesses, receipts, the code on paper.
    """

    verdict: Verdict
    sentence: str
    findings: tuple[Finding, ...]
    sessions: tuple[SessionReport, ...]
    outside: tuple[Anchor, ...] = ()

    @property
    def whole(self) -> Verdict:
        """The verdict about what stands there, apart from who wrote it and who answers."""
        return worst(finding for finding in self.findings if finding.code not in TRUST)

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
