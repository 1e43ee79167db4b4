"""What a run has finished, line by line beside its files: after a kill the next goes on."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from napari_medlabel.deid.batch.disk_sync import sync_disk_of
from napari_medlabel.deid.batch.kinds import Kind
from napari_medlabel.deid.batch.one_file import Outcome, Stamp
from napari_medlabel.deid.report.counts import DeidReport, Look, Note, PixelWork, Reason, Skip
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.errors import SaveError

_VERSION = 1
_SYNC_S = 300.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_RESULTS: dict[str, type[Kind | Reason | Skip]] = {"k": Kind, "r": Reason, "s": Skip}
_LETTERS = {of: letter for letter, of in _RESULTS.items()}
_HINT = "Free some space, or choose a target folder that you can write to."


class Journal:
    """A file that grows by one line for each file that has got, or is about to get, its name.

    A line is written before the file is moved to its name: a line without a file tells that
    the file is to be made again, and never is there a file without a line. Lines hold keyed
    tokens, codes and counts.

    Parameters
    ----------
    path : Path
        Where; made when it does not exist.
    settings : str
        Everything that the result depends on, as a hash.
    boot : str
        Which start of the computer this is. After another one (a power cut, say) only lines
        before the last wait for the disk count.
    clock : callable
        Seconds that only grow.
    before_sync : callable
        Called before it waits for the disk, such as to bring a link table there first: what
        counts after a power cut must not carry codes that the table has lost.

    Raises
    ------
    SaveError
        When it cannot be written.
    """

    def __init__(
        self,
        path: Path,
        settings: str,
        *,
        boot: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        before_sync: Callable[[], None] = lambda: None,
    ) -> None:
        self._path, self._clock, self._before_sync = path, clock, before_sync
        self._head = {"version": _VERSION, "settings": settings}
        self._boot = _boot_id() if boot is None else boot
        self._synced = clock()
        self._stream: BinaryIO | None = None

    def fits(self) -> bool:
        """Whether it was begun by a run with the same settings."""
        return next(self._lines(), (0, None))[1] == self._head

    def finished(self) -> Iterator[Outcome]:
        """Yield what is known of files, in their order; positions are 0."""
        for _, line in self._lines():
            if isinstance(line, list):
                yield _outcome(line)

    def reliable(self) -> int:
        """Return how many of the first files can be relied on after a kill."""
        files = synced = 0
        boot = ""
        for _, line in self._lines():
            if isinstance(line, list):
                files += 1
            elif "synced" in line:
                synced = files
            else:
                boot = line.get("boot", boot)
        return files if boot and boot == self._boot else synced

    def begin(self, keep: int = 0) -> Iterable[tuple[str, ...]]:
        """Keep the first lines, drop all others, and be ready for more.

        Returns
        -------
        iterable of tuple of str
            Names of the files that the dropped lines tell of.
        """
        end, dropped, count = 0, [], 0
        for after, line in self._lines():
            if isinstance(line, list):
                count += 1
                if count > keep:
                    dropped.append(tuple(line[3]))
                    continue
            if count <= keep:
                end = after
        try:
            self._stream = self._path.open("r+b" if end else "wb", buffering=0)
            self._stream.truncate(end)
            self._stream.seek(end)
        except OSError as err:
            raise _unwritten(err) from err
        if not end:
            self._write(self._head)
        self._write({"boot": self._boot})
        return [name for name in dropped if name]

    def add(self, outcome: Outcome) -> None:
        """Write one line, before the file gets its name.

        Raises
        ------
        SaveError
            When the disk is full.
        """
        self._write(_line(outcome))
        if self._clock() - self._synced > _SYNC_S:
            self._before_sync()
            sync_disk_of(self._path.parent)
            self._write({"synced": True})
            self._synced = self._clock()

    def close(self) -> None:
        """Let go of the file."""
        if self._stream is not None:
            self._stream.close()

    def _write(self, document: object) -> None:
        line = json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"
        if self._stream is None:
            return
        try:
            written = self._stream.write(line)
        except OSError as err:
            raise _unwritten(err) from err
        if written != len(line):  # what is written so far is a torn line, which ends the list
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise _unwritten(full) from full

    def _lines(self) -> Iterator[tuple[int, Any]]:
        """Where each whole line ends, and what it says; a torn one ends them."""
        end = 0
        try:
            stream = self._path.open("rb")
        except OSError:
            return
        with stream:
            for line in stream:
                end += len(line)
                try:
                    document = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    return
                if document is None:
                    return
                yield end, document


def _boot_id() -> str:
    """Return what names this start of the computer; empty where the system does not tell."""
    try:
        return _BOOT.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _unwritten(err: OSError) -> SaveError:
    return SaveError(
        f"The journal of the run could not be written ({err.strerror}).", hint=_HINT
    )


def _line(outcome: Outcome) -> list[object]:
    """Return an outcome as a line."""
    report, result = outcome.report, outcome.result
    work = report.pixels
    pixels = None
    if work is not None:
        pixels = [
            sorted(work.done),
            work.frames,
            work.changed,
            dict(work.regions),
            sorted(work.look),
        ]
    return [
        outcome.token,
        [outcome.stamp.size, outcome.stamp.mtime_ns],
        [_LETTERS[type(result)], result.value],
        outcome.name,
        outcome.size,
        [dict(report.actions), report.kept, sorted(report.notes)],
        [report.patient_code, report.subject, dict(report.options)],
        pixels,
    ]


def _outcome(line: list[Any]) -> Outcome:
    """Return what `_line` wrote."""
    token, stamp, (letter, value), name, size, counts, whose, pixels = line
    work = None
    if pixels is not None:
        done, frames, changed, regions, look = pixels
        work = PixelWork(
            frozenset(map(Option, done)), frames, changed, regions, frozenset(map(Look, look))
        )
    actions, kept, notes = counts
    code, subject, options = whose
    report = DeidReport(
        actions, kept, frozenset(map(Note, notes)), code, subject, options, work
    )
    result = _RESULTS[letter](value)
    return Outcome(0, token, result, tuple(name), report, size=size, stamp=Stamp(*stamp))
