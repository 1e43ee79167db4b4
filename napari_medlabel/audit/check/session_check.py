"""Check one session's file from its first byte to its last.

What follows from one file alone: every byte before the last good seal is as it was written.
That the end is missing does not follow; for that somebody else must remember the end.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Final

from napari_medlabel.audit.check.plural import counted
from napari_medlabel.audit.check.sealed import KEPT, TOLD, believe, replace
from napari_medlabel.audit.check.verdict import SessionReport
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.fast_line import FastLines, LineFacts, facts_of_record
from napari_medlabel.audit.format.merkle import NO_LEAF, Frontier, leaf_hash
from napari_medlabel.audit.format.record import CLOCK_TOLERANCE_MS, check_record
from napari_medlabel.audit.format.schema import COUNT, ROOT, SIGNATURE
from napari_medlabel.audit.format.seal import Head, SealKey, from_base64

MAX_LINE: Final = 1 << 20
"""Longest line that the format allows, in bytes."""

_STEP: Final = 2048  # lines after which progress is told
_RARE: Final = 64  # lines of an event whose full check costs less than what reads them at once

_WHOLE_SEAL: Final = re.compile(
    rb'\{"seal":\{"from":([0-9]{1,16}),"root":"[^"\n]{44}","sig":"[^"\n]{92}","size":[0-9]{1,16}\}\}\n'
)
_FAST_SEAL: Final = re.compile(
    rb'\{"seal":\{"from":(%b),"root":(%b),"sig":(%b),"size":(%b)\}\}'
    % tuple(field.pattern or b"" for field in (COUNT, ROOT, SIGNATURE, COUNT))
)

Seen = Callable[[int, Mapping[str, Any]], None]


def _read_seal(line: bytes) -> tuple[int, bytes, bytes, int]:
    """Return from, root, signature and size of a seal.

    Raises
    ------
    ValueError
        When it is not canonical, or not a seal.
    """
    match = _FAST_SEAL.fullmatch(line)
    if match is not None:
        start, root, signature, size = match.groups()
        return int(start), a2b_base64(root[1:-1]), a2b_base64(signature[1:-1]), int(size)
    canonical.decode(line)  # which may have more to say
    raise ValueError("the seal is not of the form that the format allows")


class _Checker:
    """The state of the chain while lines come in."""

    def __init__(self, report: SessionReport, seen: Seen | None, *, quick: bool) -> None:
        self.report = report
        self.tree = Frontier()
        self.closed = False
        self._fast = FastLines(after=_RARE)
        self._prev = b2a_base64(NO_LEAF, newline=False)
        self._key: SealKey | None = None
        self._mono = 0
        self._time_ms = 0
        self._waiting: list[tuple[int, str, bytes, dict[str, Any] | None]] = []
        self._seen = seen
        self._quick = quick
        self._last = 0

    @property
    def sealed(self) -> int:
        """Number of sealed events."""
        return self.report.events

    def take(self, number: int, raw: bytes) -> None:
        """Take one line, with its line feed.

        Raises
        ------
        ValueError
            When it is not what must follow.
        """
        if not raw.endswith(b"\n"):
            raise ValueError("the line is not finished")
        line = raw[:-1]
        facts = self._fast.read(line)
        if facts is not None:
            self._event(number, facts, line, None)
        elif line.startswith(b'{"seal":'):
            self._seal(number, line)
        else:
            record = canonical.decode(line)
            if not isinstance(record, dict):
                raise ValueError("it is not an object")
            moment_ms = check_record(record)
            self._event(number, facts_of_record(record, moment_ms), line, record)

    def _event(
        self, number: int, facts: LineFacts, line: bytes, record: dict[str, Any] | None
    ) -> None:
        size = self.tree.size
        if facts.seq != size:
            raise ValueError(f"event {size} was expected, and another number came")
        if facts.prev != self._prev:
            raise ValueError("it does not follow from the event before it")
        if self.closed:
            raise ValueError("an event follows the end of the session")
        if (facts.event == "session.open") != (size == 0):
            raise ValueError("session.open must be the first event and no other")
        if facts.utc_ms < self._time_ms - CLOCK_TOLERANCE_MS or facts.mono < self._mono:
            self._clock_went_back(number)
        self._time_ms, self._mono = facts.utc_ms, facts.mono
        if size == 0:
            self._open(record or json.loads(line))
            self.report.first_ms = facts.utc_ms
        leaf = leaf_hash(line)
        self._prev = b2a_base64(leaf, newline=False)
        self.tree.add(leaf)
        self.closed = facts.event == "session.close"
        if self._seen is not None or facts.event in TOLD or facts.event in KEPT:
            self._waiting.append((number, facts.event, line, record))

    def _open(self, record: Mapping[str, Any]) -> None:
        detail = record["detail"]
        self.report.origin = detail["origin"]
        try:
            public = from_base64(detail["pub"], 32)
            self._key = SealKey.from_bytes(detail["origin"], public)
        except ValueError as err:  # pragma: no cover - any 32 bytes make a key today
            raise ValueError("the session's public key is none") from err

    def _clock_went_back(self, number: int) -> None:
        self.report.add(
            "amber",
            "CLOCK",
            "The clock of the computer was set back here. The order of the events is "
            "certain, their times are not.",
            number,
        )

    def _seal(self, number: int, line: bytes) -> None:
        start, root, signature, size = _read_seal(line)
        if self._key is None or self.tree.size == self.sealed:
            raise ValueError("a seal comes without an event before it")
        if start != self.sealed or size != self.tree.size:
            raise ValueError("the seal does not count the events before it")
        if root != self.tree.root():
            raise ValueError("the seal does not match the events before it")
        head = Head(self.report.origin, size, root)
        if not self._quick and not self._key.signed(head, signature):
            raise ValueError("the signature of the seal is wrong")
        self.report.sealed = head
        self.report.signature = signature
        self.report.seals.add(size, root)
        self.report.last_ms = self._time_ms
        self._last = number
        for waiting in self._waiting:
            self._believe(*waiting)
        self._waiting.clear()

    def _believe(
        self, number: int, event: str, line: bytes, record: dict[str, Any] | None
    ) -> None:
        if event in KEPT:
            replace(self.report, number, line)
        if event in TOLD or self._seen is not None:
            record = record or json.loads(line)
        if event in TOLD and record is not None:
            believe(self.report, number, record)
        if self._seen is not None and record is not None:
            self._seen(number, record)

    def check_last(self, head: Head) -> None:
        """Check the signature of the last good seal, where only that one counts."""
        if self._key is None or not self._key.signed(head, self.report.signature):
            _broken(self.report, "the signature of the seal is wrong", self._last)


def _broken(report: SessionReport, why: str, number: int) -> None:
    report.add("red", "BROKEN", f"The log was changed here: {why}.", number)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.readline(MAX_LINE + 1), b"")


def _judge_damage(checker: _Checker, number: int, why: str, rest: bytes) -> None:
    """Tell a write that a crash cut short from a change.

    One batch is one write with one seal, and the next batch is written only when the disk
    has this one. So a crash damages the last batch alone, and what it leaves of it is a
    part: without its seal, or with zeros where a piece never came.
    """
    report = checker.report
    after = [int(start) for start in _WHOLE_SEAL.findall(rest)]
    over = checker.closed and checker.sealed == checker.tree.size
    whole = bool(after) and b"\0" not in rest
    if over or len(after) > 1 or whole or any(start != checker.sealed for start in after):
        _broken(report, why, number)
    elif checker.sealed:
        report.add(
            "amber",
            "TAIL",
            f"The last write was cut short ({counted(len(rest), 'byte')}), as by a crash or a "
            "power cut. It had not been acknowledged.",
            number,
        )
    _judge_end(checker)


def _judge_end(checker: _Checker) -> None:
    report = checker.report
    if report.has("BROKEN"):
        return
    if not checker.sealed:
        report.add(
            "amber",
            "STILLBORN",
            "The session ended before its first event was down: it holds nothing that had "
            "been acknowledged.",
            1,
        )
    elif checker.tree.size > checker.sealed and not report.has("TAIL"):
        report.add(
            "amber",
            "TAIL",
            "The last write was cut short: events without a seal, which had not been "
            "acknowledged.",
        )


def check_session(
    path: Path,
    file: str,
    seen: Seen | None = None,
    *,
    quick: bool = False,
    reached: Callable[[int], object] | None = None,
) -> SessionReport:
    """Verify one session's file by itself.

    Parameters
    ----------
    path : Path
        The file.
    file : str
        How it is called in findings.
    seen : callable, optional
        Called with line number and record for every sealed event, in order.
    quick : bool
        Check the signature of the last seal only. Its root stands for every event before
        it; what goes unseen is a change of the bytes of an older signature.
    reached : callable, optional
        Called with how many bytes were read, now and then.

    Returns
    -------
    SessionReport
        Findings BROKEN (red); TAIL, STILLBORN, CLOCK, FOUND (amber); FAILED (note).
        Whether it is closed is said by `SessionReport.closed`, without a finding.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    report = SessionReport(file)
    checker = _Checker(report, seen, quick=quick)
    with path.open("rb") as stream:
        for number, raw in zip(count(1), _lines(stream), strict=False):
            report.length += len(raw)
            if reached is not None and number % _STEP == 0:
                reached(report.length)
            try:
                checker.take(number, raw)
            except ValueError as err:
                rest = raw + stream.read()
                report.length += len(rest) - len(raw)
                _judge_damage(checker, number, str(err), rest)
                break
        else:
            _judge_end(checker)
    if quick and report.sealed is not None:
        checker.check_last(report.sealed)
    report.closed = checker.closed and checker.sealed == checker.tree.size
    return report
