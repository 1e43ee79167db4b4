"""The recovery journal: changed slices on disk every few seconds, whatever happens next.

The file begins with a line of its own, then frames: magic, kind, length, CRC-32, payload. A
tick ends with a commit frame; what comes after the last commit is a write that a crash cut
short and is left out. Nothing identifying is in it: voxels of labels, landmark positions, and
content ids.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import explain_os_error, sync_folder

_FIRST_LINE: Final = b"napari-medlabel recovery journal 1\n"
_FRAME: Final = struct.Struct("<4sBII")
_MAGIC: Final = b"MLJF"
_HEAD, _SLICE, _MARKS, _COMMIT, _ORIGIN = range(5)
_INDEX: Final = struct.Struct("<I")


@dataclass(frozen=True)
class JournalHead:
    """What a journal is about.

    Parameters
    ----------
    case : str
        Content id of the scan.
    base : str
        Content id of the mask that the journal's slices replace parts of.
    shape : tuple of int
        Shape (i, j, k) of the mask.
    dtype : str
        dtype of the mask.
    started : str
        When, as ISO 8601 in UTC.
    """

    case: str
    base: str
    shape: tuple[int, int, int]
    dtype: str
    started: str


@dataclass(frozen=True, eq=False)
class JournalContent:
    """What could be read back from a journal.

    Parameters
    ----------
    head : JournalHead
        What it is about.
    slices : dict
        Slice number k -> labels, shape (j, i), the last committed state of each.
    landmarks : object or None
        Plain data of the landmarks as handed to `Journal.write`, None when unchanged.
    last : str
        When the last commit was made, ISO 8601 in UTC; empty when there was none.
    origins : dict
        Slice number k -> where its voxels come from, bytes of shape (j, i); empty where nobody
        followed that.
    """

    head: JournalHead
    slices: dict[int, LabelArray] = field(default_factory=dict)
    landmarks: Any = None
    last: str = ""
    origins: dict[int, LabelArray] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was committed."""
        return not self.slices and self.landmarks is None

    def onto(self, base: LabelArray) -> LabelArray:
        """Return a copy of a mask, shape (i, j, k), with the journal's slices put in.

        Raises
        ------
        InputError
            When the mask has another shape.
        """
        if base.shape != self.head.shape:
            raise InputError(
                f"The journal is of a mask of shape {self.head.shape}; got {base.shape}.",
                hint="Open the scan that was being annotated.",
            )
        buffer = np.array(base.T, dtype=self.head.dtype, order="C")
        for k, plane in self.slices.items():
            buffer[k] = plane
        return buffer.T


class Journal:
    """An open journal file.

    Parameters
    ----------
    path : Path
        A file that does not exist yet; readable by its owner only.
    head : JournalHead
        Written first.

    Raises
    ------
    SaveError
        When the file cannot be made.
    """

    def __init__(self, path: Path, head: JournalHead) -> None:
        self.path = path
        self.head = head
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            self._file: BinaryIO = os.fdopen(descriptor, "r+b", buffering=0)
            _lock(self._file)
            self._put(_FIRST_LINE + _frame(_HEAD, json.dumps(head.__dict__).encode()))
            sync_folder(path.parent)
        except OSError as err:
            raise explain_os_error(err) from err

    @property
    def nbytes(self) -> int:
        """Size of the file."""
        return self._file.tell()

    def write(
        self,
        slices: Iterable[tuple[int, LabelArray]],
        landmarks: Any,
        *,
        time: str,
        origins: Iterable[tuple[int, LabelArray]] = (),
    ) -> None:
        """Append one tick and return when it is on the disk.

        Parameters
        ----------
        slices : iterable of (int, ndarray)
            Slice number k and its labels, shape (j, i).
        landmarks : object
            Plain data for JSON, or None when the landmarks did not change.
        time : str
            Now, ISO 8601 in UTC.
        origins : iterable of (int, ndarray)
            Slice number k and where its voxels come from, bytes of shape (j, i).

        Raises
        ------
        SaveError
            When it cannot be written.
        """
        parts = [
            _frame(kind, _INDEX.pack(k) + zlib.compress(np.ascontiguousarray(plane).data, 1))
            for kind, planes in ((_SLICE, slices), (_ORIGIN, origins))
            for k, plane in planes
        ]
        if landmarks is not None:
            parts.append(_frame(_MARKS, json.dumps(landmarks, allow_nan=False).encode()))
        parts.append(_frame(_COMMIT, time.encode()))
        try:
            self._put(b"".join(parts))
        except OSError as err:
            raise explain_os_error(err) from err

    def _put(self, data: bytes) -> None:
        start, rest = self._file.tell(), memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
            os.fsync(self._file.fileno())
        except OSError:
            # A later tick must not follow a torn one: readers stop at the first bad frame.
            self._file.seek(start)
            self._file.truncate()
            raise

    def close(self) -> None:
        """Close the file and leave it where it is."""
        self._file.close()

    def discard(self) -> None:
        """Close the file and remove it: its work is saved elsewhere."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def is_held(path: Path) -> bool:
    """Return whether a running program keeps a journal; False where it cannot be opened."""
    try:
        with path.open("r+b") as stream:
            return not _try_lock(stream)
    except OSError:
        return False


def read_journal(path: Path) -> JournalContent | None:
    """Read what was committed.

    Returns
    -------
    JournalContent or None
        None when the file is in use by a running program, or has no readable head.
    """
    try:
        with path.open("r+b") as stream:
            if not _try_lock(stream):
                return None
            data = stream.read()
    except OSError:
        # Unreadable is as good as not there: nothing is deleted because of it.
        return None
    if not data.startswith(_FIRST_LINE):
        return None
    frames = _frames(data, len(_FIRST_LINE))
    kind, payload = next(frames, (None, b""))
    if kind != _HEAD:
        return None
    return _collect(_head(payload), frames)


def _head(payload: bytes) -> JournalHead:
    data = json.loads(payload)
    i, j, k = data["shape"]
    return JournalHead(
        data["case"], data["base"], (i, j, k), data["dtype"], str(data["started"])
    )


def _collect(head: JournalHead, frames: Iterator[tuple[int, bytes]]) -> JournalContent:
    slices: dict[int, LabelArray] = {}
    pending: dict[int, LabelArray] = {}
    origins: dict[int, LabelArray] = {}
    pending_origins: dict[int, LabelArray] = {}
    marks, pending_marks, last = None, None, ""
    for kind, payload in frames:
        if kind == _SLICE:
            pending |= _plane(payload, head, head.dtype)
        elif kind == _ORIGIN:
            pending_origins |= _plane(payload, head, "u1")
        elif kind == _MARKS:
            pending_marks = json.loads(payload)
        elif kind == _COMMIT:
            slices |= pending
            origins |= pending_origins
            pending, pending_origins = {}, {}
            marks = marks if pending_marks is None else pending_marks
            pending_marks, last = None, payload.decode()
    return JournalContent(head, slices, marks, last, origins)


def _plane(payload: bytes, head: JournalHead, dtype: str) -> dict[int, LabelArray]:
    (k,) = _INDEX.unpack_from(payload)
    raw = zlib.decompress(payload[_INDEX.size :])
    return {k: np.frombuffer(raw, dtype).reshape(head.shape[1::-1])}


def _frame(kind: int, payload: bytes) -> bytes:
    return _FRAME.pack(_MAGIC, kind, len(payload), zlib.crc32(payload)) + payload


def _frames(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield whole frames and stop at the first that a crash cut short or bent."""
    while at + _FRAME.size <= len(data):
        magic, kind, length, crc = _FRAME.unpack_from(data, at)
        payload = data[at + _FRAME.size : at + _FRAME.size + length]
        if magic != _MAGIC or len(payload) != length or zlib.crc32(payload) != crc:
            return
        yield kind, payload
        at += _FRAME.size + length


if sys.platform == "win32":  # pragma: no cover - the other branch runs where the tests do
    import msvcrt

    def _try_lock(stream: BinaryIO) -> bool:
        try:
            # A byte far behind the end: Windows locks bytes, not files.
            stream.seek(1 << 40)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            stream.seek(0)
        return True
else:
    import fcntl

    def _try_lock(stream: BinaryIO) -> bool:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def _lock(stream: BinaryIO) -> None:
    """Hold the file while the program lives; the system lets go when it dies."""
    if not _try_lock(stream):
        raise OSError
