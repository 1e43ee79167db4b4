"""Check one session's file from its first byte to its last.

What follows from one file alone: every byte before the last good seal is as it was written.
That the end is missing does not follow; for that somebody else must remember the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Final

from napari_medlabel.audit.check.verdict import Anchor, SessionReport
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.audit.format.merkle import NO_LEAF, Frontier, leaf_hash
from napari_medlabel.audit.format.record import CLOCK_TOLERANCE_MS, check_record
from napari_medlabel.audit.format.schema import COUNT, ROOT, SIGNATURE, group
from napari_medlabel.audit.format.seal import Head, SealKey, from_base64, to_base64

MAX_LINE: Final = 1 << 20
"""Longest line that the format allows, in bytes."""

_SEAL: Final = group(
    "seal {from, root, sig, size}",
    {"from": COUNT, "root": ROOT, "sig": SIGNATURE, "size": COUNT},
)
_WHOLE_SEAL: Final = re.compile(
    rb'\{"seal":\{"from":([0-9]{1,16}),"root":"[^"\n]{44}","sig":"[^"\n]{92}","size":[0-9]{1,16}\}\}\n'
)

Seen = Callable[[int, Mapping[str, Any]], None]


class _Checker:
    """The state of the chain while lines come in."""

    def __init__(self, report: SessionReport, seen: Seen | None) -> None:
        self.report = report
        self.tree = Frontier()
        self._prev = NO_LEAF
        self.sealed = 0
        self.closed = False
        self._key: SealKey | None = None
        self._mono = 0
        self._time_ms = 0
        self._waiting: list[tuple[int, Mapping[str, Any]]] = []
        self._seen = seen

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
        record = canonical.decode(line)
        if not isinstance(record, dict):
            raise ValueError("it is not an object")  # noqa: TRY004 - a fact about the file
        if "seal" in record:
            self._seal(record)
        else:
            self._event(number, line, record)

    def _event(self, number: int, line: bytes, record: dict[str, Any]) -> None:
        moment_ms = check_record(record)
        if record["seq"] != self.tree.size:
            raise ValueError(f"event {self.tree.size} was expected, and another number came")
        if record["prev"] != to_base64(self._prev):
            raise ValueError("it does not follow from the event before it")
        if self.closed:
            raise ValueError("an event follows the end of the session")
        if (record["event"] == "session.open") != (self.tree.size == 0):
            raise ValueError("session.open must be the first event and no other")
        self._clocks(number, moment_ms, record["mono"])
        if self.tree.size == 0:
            self._open(record["detail"])
            self.report.first_ms = moment_ms
        self._prev = leaf_hash(line)
        self.tree.add(self._prev)
        self.closed = record["event"] == "session.close"
        self._waiting.append((number, record))

    def _open(self, detail: Mapping[str, Any]) -> None:
        self.report.origin = detail["origin"]
        try:
            public = from_base64(detail["pub"], 32)
            self._key = SealKey.from_bytes(detail["origin"], public)
        except ValueError as err:  # pragma: no cover - any 32 bytes make a key today
            raise ValueError("the session's public key is none") from err

    def _clocks(self, number: int, moment_ms: int, mono_ns: int) -> None:
        if moment_ms < self._time_ms - CLOCK_TOLERANCE_MS or mono_ns < self._mono:
            self.report.add(
                "amber",
                "CLOCK",
                "The clock of the computer was set back here. The order of the events is "
                "certain, their times are not.",
                number,
            )
        self._time_ms, self._mono = moment_ms, mono_ns

    def _seal(self, record: dict[str, Any]) -> None:
        seal = record["seal"]
        if len(record) != 1 or not _SEAL.accepts(seal):
            raise ValueError("the seal is not of the form that the format allows")
        if self._key is None or self.tree.size == self.sealed:
            raise ValueError("a seal comes without an event before it")
        if seal["from"] != self.sealed or seal["size"] != self.tree.size:
            raise ValueError("the seal does not count the events before it")
        head = Head(self.report.origin, self.tree.size, self.tree.root())
        if from_base64(seal["root"], 32) != head.root:
            raise ValueError("the seal does not match the events before it")
        if not self._key.signed(head, from_base64(seal["sig"], 68)):
            raise ValueError("the signature of the seal is wrong")
        self.sealed = head.size
        self.report.sealed = head
        self.report.seals.add(head.size, head.root)
        self.report.last_ms = self._time_ms
        for number, event in self._waiting:
            self._believe(number, event)
        self._waiting.clear()

    def _believe(self, number: int, record: Mapping[str, Any]) -> None:
        """Take over what a sealed event says about other sessions."""
        name, detail = record["event"], record["detail"]
        for key in EVENTS[name].anchors:
            value = detail.get(key, [])
            for item in value if isinstance(value, list) else [value]:
                head = Head(item["origin"], item["size"], from_base64(item["root"], 32))
                holder = f"the session in {self.report.file}, line {number}"
                self.report.anchors.append(Anchor(head, holder, name))
                if key == "prev_session":
                    self.report.previous = head
        if "cert" in detail:
            self.report.add(
                "amber",
                "CERT",
                "This session names a certificate, which this version cannot check: verify "
                "with a newer one.",
                number,
            )
        if name == "tamper.found":
            self.report.add(
                "amber",
                "FOUND",
                "Here the program itself noted that an earlier session had been altered.",
                number,
            )
        if name == "audit.fail":
            self.report.add(
                "note",
                "FAILED",
                "The session before this one could not be written to its end; the log went "
                "on here.",
                number,
            )
        if self._seen is not None:
            self._seen(number, record)


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
        report.add("red", "BROKEN", f"The log was changed here: {why}.", number)
    elif checker.sealed:
        report.add(
            "amber",
            "TAIL",
            f"The last write was cut short ({len(rest)} bytes), as by a crash or a power "
            "cut. It had not been acknowledged.",
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


def check_session(path: Path, file: str, seen: Seen | None = None) -> SessionReport:
    """Verify one session's file by itself.

    Parameters
    ----------
    path : Path
        The file.
    file : str
        How it is called in findings.
    seen : callable, optional
        Called with line number and record for every sealed event, in order.

    Returns
    -------
    SessionReport
        Findings BROKEN (red); TAIL, STILLBORN, CLOCK, FOUND, CERT (amber); FAILED (note).
        Whether it is closed is said by `SessionReport.closed`, without a finding.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    report = SessionReport(file)
    checker = _Checker(report, seen)
    with path.open("rb") as stream:
        for number, raw in zip(count(1), _lines(stream), strict=False):
            report.length += len(raw)
            try:
                checker.take(number, raw)
            except ValueError as err:
                rest = raw + stream.read()
                report.length += len(rest) - len(raw)
                _judge_damage(checker, number, str(err), rest)
                break
        else:
            _judge_end(checker)
    report.closed = checker.closed and checker.sealed == checker.tree.size
    return report
