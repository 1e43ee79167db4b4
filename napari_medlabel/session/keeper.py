"""The keeper: a thread that writes changed slices to the recovery journal."""

from __future__ import annotations

import secrets
import threading
import time as clock
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.edit.journal import Journal, JournalHead
from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.errors import MedlabelError, SaveError
from napari_medlabel.io.files import make_folder

IDLE_S: Final = 2.0
BUSY_S: Final = 10.0
"""Write after 2 s without an edit, or after 10 s of steady painting: with the time that the
writing takes, less than the 20 s that may be lost."""

_COMPACT_ABOVE: Final = 64 << 20  # bytes


class Keeper:
    """Keeps a mask's unsaved changes on the disk.

    It does not rely on being told what changed: a checksum of each slice tells, so edits that
    no event announces are kept too. Painting never waits for it and never stops because of it.

    Parameters
    ----------
    folder : Path
        Where journals lie; made with mode 0700.
    array : ndarray, shape (i, j, k)
        The live labels; read, never written.
    head : callable
        Makes the head of a new journal from the base's content id.
    landmarks : callable
        Returns the landmarks as plain data.
    now : callable
        Returns now as ISO 8601 in UTC.
    idle_s, busy_s : float
        Seconds, see `IDLE_S` and `BUSY_S`.
    """

    def __init__(
        self,
        folder: Path,
        array: LabelArray,
        *,
        head: Callable[[str], JournalHead],
        landmarks: Callable[[], Any],
        now: Callable[[], str],
        idle_s: float = IDLE_S,
        busy_s: float = BUSY_S,
    ) -> None:
        self.problem: MedlabelError | None = None
        self.last_written = ""
        self._folder = folder
        self._array = array
        self._head, self._landmarks, self._now = head, landmarks, now
        self._idle_s, self._busy_s = idle_s, busy_s
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._touched_at = self._first_touch = 0.0
        self._journal: Journal | None = None
        self._base = ""
        self._sums: list[int] = []
        self._marks: Any = None
        self._kept: set[int] = set()
        self.origins: Callable[[], dict[int, LabelArray]] | None = None
        """Returns slices (j, i) of the provenance map by k; None where nobody follows it."""
        self._origin_sums: dict[int, int] = {}
        self._thread: threading.Thread | None = None

    def start(
        self,
        base: str,
        state: LabelArray,
        landmarks: Any,
        origins: Mapping[int, int] | None = None,
    ) -> None:
        """Begin, or begin anew after a save: what is in ``state`` needs no keeping.

        Parameters
        ----------
        base : str
            Content id of the mask on the disk.
        state : ndarray, shape (i, j, k)
            What that mask holds.
        landmarks : object
            Plain data of the landmarks on the disk.
        origins : mapping of int to int, optional
            Checksums of the slices of the provenance map on the disk, as `plane_sums` counts.
        """
        sums = [_checksum(plane) for plane in state.T]
        with self._lock:
            old, self._journal = self._journal, None
            self._base, self._sums, self._marks, self._kept = base, sums, landmarks, set()
            self._origin_sums = dict(origins or {})
            if old is not None:
                old.discard()
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="medlabel-journal", daemon=True
            )
            self._thread.start()

    def touch(self) -> None:
        """Say that something changed; cheap, from any thread."""
        moment = clock.monotonic()
        if not self._wake.is_set():
            self._first_touch = moment
        self._touched_at = moment
        self._wake.set()

    def sweep(self) -> bool:
        """Write what changed since the last sweep; return whether there was anything."""
        with self._lock:
            try:
                wrote = self._sweep()
            except MedlabelError as err:
                self.problem = err
                return False
            self.problem = None
            return wrote

    def _sweep(self) -> bool:
        changed: list[tuple[int, LabelArray]] = []
        for k, plane in enumerate(self._array.T):
            if _checksum(plane) != self._sums[k]:
                changed.append((k, plane.copy()))
        marks = self._landmarks()
        new_marks = marks if marks != self._marks else None
        origins, sums = self._changed_origins()
        if not changed and not origins and new_marks is None:
            return False
        journal = self._journal or self._open()
        if journal.nbytes > _COMPACT_ABOVE:
            journal = self._compact(journal, marks)
        now = self._now()
        journal.write(changed, new_marks, time=now, origins=origins)
        self._origin_sums |= sums
        for k, plane in changed:
            self._sums[k] = _checksum(plane)
            self._kept.add(k)
        self._marks = marks
        self.last_written = now
        return True

    def _changed_origins(self) -> tuple[list[tuple[int, LabelArray]], dict[int, int]]:
        """Return slices of the provenance map that changed, and the checksums of all."""
        planes = {} if self.origins is None else self.origins()
        sums = {k: _checksum(plane) for k, plane in planes.items()}
        known = self._origin_sums
        return [(k, one) for k, one in planes.items() if sums[k] != known.get(k)], sums

    def _open(self) -> Journal:
        make_folder(self._folder)
        self._folder.chmod(0o700)
        head = self._head(self._base)
        name = f"{head.case.removeprefix('sha256:')[:24]}-{secrets.token_hex(4)}.journal"
        self._journal = Journal(self._folder / name, head)
        return self._journal

    def _compact(self, old: Journal, marks: Any) -> Journal:
        """Begin a new file with the present state of all kept slices, then drop the old."""
        new = self._open()
        kept = [(k, self._array.T[k].copy()) for k in sorted(self._kept)]
        try:
            planes = {} if self.origins is None else self.origins()
            new.write(kept, marks, time=self._now(), origins=planes.items())
        except SaveError:
            new.discard()
            self._journal = old
            raise
        old.discard()
        return new

    def _run(self) -> None:
        while not self._stop.is_set():
            # Unannounced edits are found by the sweep that nobody asked for.
            self._wake.wait(timeout=self._busy_s)
            while self._wake.is_set() and not self._stop.is_set():
                moment = clock.monotonic()
                idle = moment - self._touched_at >= self._idle_s
                if idle or moment - self._first_touch >= self._busy_s:
                    self._wake.clear()
                else:
                    self._stop.wait(min(0.1, self._idle_s))
            if not self._stop.is_set():
                self.sweep()

    def close(self, *, discard: bool) -> None:
        """Stop. The journal stays unless its work is saved or given up.

        Parameters
        ----------
        discard : bool
            Whether to remove the journal.
        """
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            journal, self._journal = self._journal, None
        if journal is None:
            return
        if discard:
            journal.discard()
        else:
            journal.close()


def plane_sums(array: LabelArray) -> dict[int, int]:
    """Return the checksum of each slice k of an array (i, j, k)."""
    return {k: _checksum(plane) for k, plane in enumerate(array.T)}


def _checksum(plane: LabelArray) -> int:
    return zlib.crc32(np.ascontiguousarray(plane).data)
