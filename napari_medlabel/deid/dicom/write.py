"""Write a planned file: its new head, then the pixels as they lie; read it back and search."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from napari_medlabel.deid.dicom.plan import Pixels, Plan
from napari_medlabel.deid.dicom.sweep import Identity, in_header, in_pixels
from napari_medlabel.deid.pixels.fragments import clean_frames, fragments_in, item_of
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.errors import SaveError

_CHUNK = 1 << 20
_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
_HINT = "Free some space, or choose a target folder that you can write to."


def content_of(plan: Plan, source: BinaryIO) -> bytes:
    """Return a planned file's bytes, checked as `write_plan` does.

    Raises
    ------
    QuarantineError
        As `write_plan`.
    """
    stream = BytesIO()
    _write(plan, source, stream)
    _check(plan, source, stream)
    return stream.getvalue()


def write_plan(
    plan: Plan, source: BinaryIO, target: Path, *, sync: bool = True, search: bool = True
) -> None:
    """Write a planned file, put it on the disk, read it back and search it.

    Parameters
    ----------
    plan : Plan
        From `plan_file` of the same source.
    source : BinaryIO
        The file as found, open for reading.
    target : Path
        A file that does not exist yet.
    sync : bool
        Whether to wait for the disk; who writes many files can do so once for all.
    search : bool
        Whether to look for the source's identity in what was written. Only a benchmark
        goes without.

    Raises
    ------
    QuarantineError
        When compressed frames cannot be cleaned, or the source's identity is found in what
        was written. No part of the target stays.
    SaveError
        When the target exists, cannot be written or reads back as something else. No part
        of it stays.
    """
    try:
        stream = target.open("x+b", buffering=0)
    except OSError as err:
        raise SaveError(_said("made", err), hint=_HINT) from err
    try:
        with stream:
            _write(plan, source, stream)
            if sync:
                os.fsync(stream.fileno())
            _check(plan, source, stream, search=search)
    except OSError as err:
        target.unlink(missing_ok=True)
        raise SaveError(_said("written", err), hint=_HINT) from err
    except (QuarantineError, SaveError):
        target.unlink(missing_ok=True)
        raise


def _write(plan: Plan, source: BinaryIO, target: BinaryIO) -> None:
    _all(target, plan.head)
    pixels = plan.pixels
    if pixels is None:
        return
    if pixels.shape is None:
        _copy(source, pixels.start, pixels.length, target)
        if pixels.length & 1:
            _all(target, b"\0")
        return
    _all(target, item_of(b""))
    last = b""
    for content, plain in clean_frames(_fragments(source, pixels.start), pixels.shape):
        if plain != last and in_header(plan.identity, plain):
            raise QuarantineError(Reason.IDENTITY_LEFT)
        last = plain
        _all(target, item_of(content))
    _all(target, _END)


def _fragments(source: BinaryIO, start: int) -> Iterator[bytes]:
    try:
        yield from fragments_in(source, start)
    except OSError as err:
        raise QuarantineError(Reason.UNREADABLE) from err


def _part(source: BinaryIO, length: int) -> bytes:
    """Read from where the source stands: nothing of the target's is at fault when it fails."""
    try:
        return source.read(min(_CHUNK, length))
    except OSError as err:
        raise QuarantineError(Reason.UNREADABLE) from err


def _all(target: BinaryIO, content: bytes) -> None:
    """Write all of some bytes; a file without a buffer may take a part only."""
    view = memoryview(content)
    while view:
        view = view[target.write(view) :]


def _copy(source: BinaryIO, start: int, length: int, target: BinaryIO) -> None:
    """Copy a part of a file to where another ends, by the kernel where it can."""
    done = 0
    for by_kernel in _kernel_copies(source, target):
        try:
            while done < length:
                count = by_kernel(start + done, length - done)
                if not count:
                    break
                done += count
        except OSError:
            continue
        if done == length:
            return
    target.seek(0, 2)
    source.seek(start + done)
    while done < length:
        content = _part(source, length - done)
        if not content:
            raise QuarantineError(Reason.PIXELS_INCOMPLETE)
        _all(target, content)
        done += len(content)


def _kernel_copies(source: BinaryIO, target: BinaryIO) -> Iterator[Callable[[int, int], int]]:
    """Ways to let the kernel copy, best first; none between buffers in memory."""
    if isinstance(target, BytesIO) or isinstance(source, BytesIO):
        return
    inside, outside = source.fileno(), target.fileno()
    if hasattr(os, "copy_file_range"):
        yield lambda start, count: os.copy_file_range(inside, outside, count, start)
    if hasattr(os, "sendfile"):
        yield lambda start, count: os.sendfile(outside, inside, start, count)


def _check(plan: Plan, source: BinaryIO, written: BinaryIO, *, search: bool = True) -> None:
    """Read back what was written: head, marks and pixels are there, the identity is not."""
    written.seek(0)
    head = written.read(len(plan.head))
    if head != plan.head:
        raise _unequal()
    _check_marks(plan, head)
    if not search:
        return
    if in_header(plan.identity, head):
        raise QuarantineError(Reason.IDENTITY_LEFT)
    if plan.pixels is None:
        return
    same = source if plan.pixels.shape is None else None
    for part in _chunks(plan.pixels, written, len(plan.head), same, plan.identity):
        if in_pixels(plan.identity, part):
            raise QuarantineError(Reason.IDENTITY_LEFT)


def _check_marks(plan: Plan, head: bytes) -> None:
    """Find each mark, as it must be and in the order of tags."""
    position = 0
    for tag in sorted(plan.marks):
        position = head.find(plan.marks[tag], position)
        if position < 0:
            raise QuarantineError(Reason.IDENTITY_LEFT)
        position += len(plan.marks[tag])


def _chunks(
    pixels: Pixels, written: BinaryIO, start: int, source: BinaryIO | None, identity: Identity
) -> Iterator[bytes]:
    """Parts of the written pixels that overlap by a token, compared with the source."""
    overlap = max(map(len, identity.anywhere), default=1)
    tail = b""
    written.seek(start)
    if source is not None:
        source.seek(pixels.start)
    left = pixels.length
    while True:
        part = written.read(_CHUNK)
        if not part:
            break
        if source is not None:
            wanted = min(len(part), left)
            if _part(source, wanted) != part[:wanted]:
                raise _unequal()
            left -= wanted
        yield tail + part if tail else part
        tail = part[-overlap:]
    if source is not None and left:
        raise _unequal()


def _unequal() -> SaveError:
    return SaveError(
        "A file of the target did not read back as it was written.",
        hint="The disk may be failing; choose another target.",
    )


def _said(what: str, err: OSError) -> str:
    return f"The target folder or a file in it could not be {what} ({err.strerror})."
