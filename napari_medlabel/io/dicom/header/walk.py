"""The fast walk through a DICOM header, PS3.5 7.1, up to the pixels.

Whatever it does not expect raises `OddFileError`, and `io.dicom_odd` looks closer.
"""

from __future__ import annotations

import mmap
import os
import stat
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from napari_medlabel.io.dicom.header.elements import (
    HEAD,
    LITTLE_EXPLICIT,
    LITTLE_IMPLICIT,
    LONG,
    Buffer,
    Encoding,
    NeedMoreError,
    OddFileError,
    at_end,
    end_of_long,
    walk_until,
)
from napari_medlabel.io.dicom.header.instance import (
    ACQUISITION_MOMENT,
    ACQUISITION_NUMBER,
    ACQUISITION_TIME,
    ALLOCATED,
    COLUMNS,
    CONTENT_TIME,
    DEFLATED,
    DOUBLE_PIXELS,
    EXPLICIT,
    EXPLICIT_BIG,
    FLOAT_PIXELS,
    FRAMES,
    IMPLICIT,
    INSTANCE_NUMBER,
    LONG_VR,
    MODALITY_LUT,
    NATIVE_LITTLE,
    PIXELS,
    POSITION,
    ROWS,
    SAMPLES,
    SHORT_VR,
    SOP_INSTANCE,
    TEMPORAL_POSITION,
    TRANSFER_SYNTAX,
    TRIGGER_TIME,
    WANTED,
    Instance,
    numbers,
    text,
    whole,
)
from napari_medlabel.io.dicom.header.vr import as_wanted

_NOT_WALKED: Final = frozenset({"", EXPLICIT_BIG, DEFLATED})
_META: Final = {TRANSFER_SYNTAX: b"UI"}
_BEHIND_META: Final = 0x00030000
_BEHIND_IMAGE_GROUP: Final = 0x00290000
FIRST_BLOCK: Final = 8192
"""Bytes that a header mostly fits into."""
_PIXELS_TAG: Final = b"\xe0\x7f\x10\x00"
_PIXEL_HEADS: Final = (_PIXELS_TAG + b"OW\0\0", _PIXELS_TAG + b"OB\0\0")
_SIZES: Final = (ROWS, COLUMNS, ALLOCATED, SAMPLES, FRAMES)
_CHANGING: Final = frozenset(
    {SOP_INSTANCE, ACQUISITION_MOMENT, ACQUISITION_TIME, CONTENT_TIME, TRIGGER_TIME}
    | {ACQUISITION_NUMBER, INSTANCE_NUMBER, POSITION, TEMPORAL_POSITION}
    # Instance Creation Time, Exposure, Slice Location, Largest Image Pixel Value
    | {0x00080013, 0x00181152, 0x00201041, 0x00280107}
)
"""Attributes that often differ from slice to slice."""
_META_LENGTH: Final = b"\x02\x00\x00\x00UL\x04\x00"
_SYNTAX_HEAD: Final = b"\x02\x00\x10\x00UI"
_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that nobody writes to must not hold us
)
Memory = dict[int, tuple[bytes, dict[int, bytes]]]
"""Stretches of elements by the tag in front of them: their bytes, and the wanted values."""


def walk(path: Path, memory: Memory | None = None) -> Instance:
    """Read the header of a little-endian file with preamble.

    Parameters
    ----------
    path : Path
        The file.
    memory : dict, optional
        Remembers stretches of headers from file to file: one for all files of a search.

    Raises
    ------
    OddFileError
        When `io.dicom_odd` should read it.
    OSError
        When it cannot be opened, or is a pipe or a device.
    """
    descriptor, size = open_regular(path)
    try:
        head = os.read(descriptor, FIRST_BLOCK)
        return walk_open(
            os.fspath(path), descriptor, head, size, {} if memory is None else memory
        )
    finally:
        os.close(descriptor)


def walk_open(file: str, descriptor: int, head: bytes, size: int, memory: Memory) -> Instance:
    """Do what `walk` does, with an open file of known size and its first bytes.

    Raises
    ------
    OddFileError
        When `io.dicom_odd` should read it.
    """
    try:
        try:
            return _walk_bytes(file, descriptor, head, size, memory)
        except NeedMoreError:
            if size <= len(head):
                raise OddFileError("The file ends inside its header.") from None
        with mapped(descriptor) as data:
            return _walk_bytes(file, descriptor, data, size, {})
    except (struct.error, IndexError, NeedMoreError) as err:
        raise OddFileError("The header cannot be followed.") from err


def open_regular(path: Path) -> tuple[int, int]:
    """Open a regular file; return its descriptor and size in bytes.

    Raises
    ------
    OSError
        When it cannot be opened, or is something else.
    """
    descriptor = os.open(path, _OPEN_FLAGS)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise OSError("A regular file is expected.")
    return descriptor, status.st_size


@contextmanager
def mapped(descriptor: int) -> Iterator[mmap.mmap]:
    """Map a file that is not empty into memory."""
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
        yield data


def _walk_bytes(
    file: str, descriptor: int, data: Buffer, size: int, memory: Memory
) -> Instance:
    syntax, at = read_meta(data, size)
    if syntax in _NOT_WALKED:
        raise OddFileError("A transfer syntax that is not walked.")
    explicit = syntax != IMPLICIT
    if explicit != (data[at + 4 : at + 6] in SHORT_VR | LONG_VR):
        raise OddFileError("The data set is not encoded as its meta group says.")
    encoding = LITTLE_EXPLICIT if explicit else LITTLE_IMPLICIT
    fields: dict[int, bytes] = {}
    if explicit and isinstance(data, bytes):
        at = _walk_alike(data, at, fields, size, memory)
    else:
        at = walk_until(data, at, _BEHIND_IMAGE_GROUP, fields, encoding, size)
    if explicit and data[at : at + 8] in _PIXEL_HEADS and at + 12 <= len(data):
        length = LONG[False](data, at + 8)[0]
        return finish(file, size, syntax, fields, (at + 12, length))
    if data[at : at + 4] != _PIXELS_TAG:
        offset, length = _find_at_tail(descriptor, fields, syntax, size)
        if offset >= 0:
            return finish(file, size, syntax, fields, (offset, length))
    offset, length, floats = find_pixels(data, at, fields, encoding, size)
    return finish(file, size, syntax, fields, (offset, length), floats=floats)


def finish(
    file: str,
    size: int,
    syntax: str,
    fields: dict[int, bytes],
    pixels: tuple[int, int],
    *,
    floats: bool = False,
    is_packed: bool = False,
) -> Instance:
    """Make the Instance; that there is a modality LUT is kept, its bytes are not."""
    if MODALITY_LUT in fields:
        fields[MODALITY_LUT] = b""
    offset = None if is_packed or pixels[0] < 0 else pixels[0]
    return Instance(file, size, syntax, offset, pixels[1], pixels[0] >= 0, floats, fields)


def find_pixels(
    data: Buffer, at: int, fields: dict[int, bytes], encoding: Encoding, size: int
) -> tuple[int, int, bool]:
    """Walk on to the pixels: offset (-1: there are none), length, whether they are floats."""
    at = walk_until(data, at, FLOAT_PIXELS, fields, encoding, size)
    if at + 12 > size:
        return -1, 0, False
    if at + 12 > len(data):
        raise NeedMoreError
    group, element = HEAD[encoding](data, at)[:2]
    tag = group << 16 | element
    if tag not in (PIXELS, FLOAT_PIXELS, DOUBLE_PIXELS):
        return -1, 0, False
    start, length = at + 8, LONG[encoding.big](data, at + 4)[0]
    if encoding.explicit:
        start, length = at + 12, LONG[encoding.big](data, at + 8)[0]
    return start, length, tag != PIXELS


def read_meta(data: Buffer, size: int, start: int = 132) -> tuple[str, int]:
    """Return the transfer syntax and where the data set begins.

    Raises
    ------
    OddFileError
        When there is no preamble or no meta group.
    """
    if start == 132 and data[128:132] != b"DICM":
        raise OddFileError("No preamble.")
    quick = _quick_meta(data, start + 12)
    if quick is not None:
        return quick
    meta: dict[int, bytes] = {}
    at = walk_until(data, start, _BEHIND_META, meta, LITTLE_EXPLICIT, size, _META)
    return text(meta.get(TRANSFER_SYNTAX, b"")), at


def _quick_meta(data: Buffer, start: int) -> tuple[str, int] | None:
    """Read the meta group by its length; None where that is not as it should be."""
    if data[start - 12 : start - 4] != _META_LENGTH:
        return None
    end = start + LONG[False](data, start - 4)[0]
    # Nothing but UIDs and two bytes of version stand in front of the transfer syntax.
    at = data.find(_SYNTAX_HEAD, start, end)
    if at < 0 or data[end + 1 : end + 2] != b"\0" or data[end : end + 1] <= b"\x02":
        return None
    length = data[at + 6] | data[at + 7] << 8
    return text(data[at + 8 : at + 8 + length]), end


def _walk_alike(
    data: bytes, at: int, fields: dict[int, bytes], size: int, memory: Memory
) -> int:
    """Do what `walk_until` does, past whole stretches that an earlier file had as well.

    Between the elements that change from slice to slice, files of one series mostly have the
    same bytes. Walking these again would give the same values and end in the same place.
    """
    head, here, last = HEAD[LITTLE_EXPLICIT], len(data), -1
    before, since = 0, at
    known = memory.get(before)
    if known is not None and data.startswith(known[0], at):
        fields.update(known[1])
        at += len(known[0])
    resumed = at
    while at <= here - 12:
        group, element, vr, length = head(data, at)
        tag = group << 16 | element
        changes = tag in _CHANGING or tag >= _BEHIND_IMAGE_GROUP
        if changes and at != resumed:
            memory[before] = data[since:at], _between(fields, before, tag)
        if tag >= _BEHIND_IMAGE_GROUP:
            return at
        if tag <= last:
            raise OddFileError("Elements are not in ascending order.")
        last = tag
        start = at + 8
        if vr in SHORT_VR:
            at = start + length
        else:
            start += 4
            at = end_of_long(data, start, vr, LITTLE_EXPLICIT)
        if tag in WANTED:
            fields[tag] = _value(data, start, at, vr, WANTED[tag])
        if changes:
            before, since, known = tag, at, memory.get(tag)
            if known is not None and data.startswith(known[0], at):
                fields.update(known[1])
                at += len(known[0])
            resumed = at
    return at_end(at, here, size)


def _between(fields: Mapping[int, bytes], after: int, before: int) -> dict[int, bytes]:
    return {tag: value for tag, value in fields.items() if after < tag < before}


def _value(data: bytes, start: int, end: int, vr: bytes, expected: bytes) -> bytes:
    if end > len(data):
        raise NeedMoreError
    value = data[start:end]
    return value if vr == expected else as_wanted(value, vr, expected, big=False)


def _find_at_tail(
    descriptor: int, fields: Mapping[int, bytes], syntax: str, size: int
) -> tuple[int, int]:
    """Find native pixels from the file's end, so that private groups need not be walked."""
    if syntax not in NATIVE_LITTLE:
        return -1, 0
    length = _native_length(tuple(map(fields.get, _SIZES)))
    header = 12 if syntax == EXPLICIT else 8
    if length <= 0 or size - length - header <= 132:
        return -1, 0
    tail = _read_at(descriptor, size - length - header, header)
    if tail[:4] != _PIXELS_TAG or LONG[False](tail, header - 4)[0] != length:
        return -1, 0
    if syntax == EXPLICIT and tail[4:6] not in (b"OW", b"OB"):
        return -1, 0
    return size - length, length


def _read_at(descriptor: int, at: int, length: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, length, at)
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.read(descriptor, length)


@lru_cache(maxsize=256)
def _native_length(raw: tuple[bytes | None, ...]) -> int:
    """Return the length of native pixel data, by the raw values of `_SIZES`."""
    fields = {tag: value for tag, value in zip(_SIZES, raw, strict=True) if value is not None}
    bits = whole(fields, ROWS, 0) * whole(fields, COLUMNS, 0) * whole(fields, ALLOCATED, 0)
    length = bits * whole(fields, SAMPLES, 1)
    if FRAMES in fields:
        length *= int((numbers(fields[FRAMES]) or (1,))[0])
    return (length + 15) // 16 * 2
