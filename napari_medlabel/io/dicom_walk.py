"""The fast walk through a little-endian DICOM header, PS3.5 7.1, up to the pixels.

Whatever it does not expect raises `OddFileError`, and pydicom reads that file instead.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from napari_medlabel.io.dicom_header import (
    ALLOCATED,
    COLUMNS,
    DOUBLE_PIXELS,
    EXPLICIT,
    FLOAT_PIXELS,
    FRAMES,
    IMPLICIT,
    LONG_VR,
    NATIVE_LITTLE,
    PIXELS,
    ROWS,
    SAMPLES,
    SHORT_VR,
    WANTED,
    Instance,
    build,
    text,
    whole,
)

_NOT_WALKED: Final = frozenset({"", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"})
_UNDEFINED: Final = 0xFFFFFFFF
_FIRST_BLOCK: Final = 8192
_DEEPEST: Final = 32
_two_shorts = struct.Struct("<HH").unpack_from
_short = struct.Struct("<H").unpack_from
_long = struct.Struct("<I").unpack_from
_Buffer = bytes | mmap.mmap


class OddFileError(Exception):
    """The walk met something it does not expect; pydicom is asked instead."""


class _NeedMoreError(Exception):
    """The first block ends inside the header."""


def walk(path: Path) -> Instance:
    """Read the header of a little-endian file with preamble.

    Raises
    ------
    OddFileError
        When pydicom should read it.
    OSError
        When it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(descriptor).st_size
        head = os.read(descriptor, _FIRST_BLOCK)
        try:
            return _walk_bytes(path, descriptor, head, size)
        except _NeedMoreError:
            pass
        try:
            with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as whole:
                return _walk_bytes(path, descriptor, whole, size)
        except _NeedMoreError as err:
            raise OddFileError("The file ends inside its header.") from err
    except (struct.error, IndexError) as err:
        raise OddFileError("The header cannot be followed.") from err
    finally:
        os.close(descriptor)


def _walk_bytes(path: Path, descriptor: int, data: _Buffer, size: int) -> Instance:
    syntax, at = _read_meta(data)
    explicit = syntax != IMPLICIT
    if explicit != (bytes(data[at + 4 : at + 6]) in SHORT_VR | LONG_VR):
        raise OddFileError("The data set is not encoded as its meta group says.")
    fields: dict[int, bytes] = {}
    at = _walk_until(data, at, 0x00290000, fields, explicit=explicit, size=size)
    offset, length = _find_at_tail(descriptor, fields, syntax, size)
    floats = False
    if offset < 0:
        at = _walk_until(data, at, FLOAT_PIXELS, fields, explicit=explicit, size=size)
        if at < size:
            tag, _, header, length = _element(data, at, explicit=explicit)
            floats = tag in (FLOAT_PIXELS, DOUBLE_PIXELS)
            offset = at + header if tag in (PIXELS, FLOAT_PIXELS, DOUBLE_PIXELS) else -1
    return build(path, size, syntax, fields, pixels=(offset, length), has_float_pixels=floats)


def _read_meta(data: _Buffer) -> tuple[str, int]:
    """Return the transfer syntax and where the data set begins."""
    if bytes(data[128:132]) != b"DICM":
        raise OddFileError("No preamble.")
    at, syntax, start = 132, "", 132
    while at + 8 <= len(data) and _short(data, at)[0] == 2:
        tag, _, header, length = _element(data, at, explicit=True)
        if length == _UNDEFINED:
            raise OddFileError("A meta element without a length.")
        if tag == 0x00020010:
            syntax = text(bytes(data[at + header : at + header + length]))
        at += header + length
    if syntax in _NOT_WALKED or at == start:
        raise OddFileError("A transfer syntax for pydicom.")
    return syntax, at


def _element(data: _Buffer, at: int, *, explicit: bool) -> tuple[int, bytes, int, int]:
    """Return tag, VR, length of the element's header and of its value."""
    if at + 12 > len(data):
        raise _NeedMoreError
    group, element = _two_shorts(data, at)
    if not explicit:
        return group << 16 | element, b"", 8, _long(data, at + 4)[0]
    vr = bytes(data[at + 4 : at + 6])
    if vr in SHORT_VR:
        return group << 16 | element, vr, 8, _short(data, at + 6)[0]
    if vr not in LONG_VR:
        raise OddFileError("An unknown value representation.")
    return group << 16 | element, vr, 12, _long(data, at + 8)[0]


def _walk_until(
    data: _Buffer,
    at: int,
    stop: int,
    fields: dict[int, bytes],
    *,
    explicit: bool,
    size: int,
) -> int:
    """Collect wanted elements from ``at`` up to the first tag that is not below ``stop``."""
    last = -1
    while at < size:
        tag, vr, header, length = _element(data, at, explicit=explicit)
        if tag >= stop:
            return at
        if tag <= last:
            raise OddFileError("Elements are not in ascending order.")
        last = tag
        start, end = at + header, at + header + length
        if length == _UNDEFINED:
            if vr not in (b"SQ", b""):
                raise OddFileError("An undefined length outside of a sequence.")
            end = _skip_items(data, start, explicit=explicit, depth=0)
        at = end
        if tag in WANTED:
            if explicit and vr != WANTED[tag]:
                raise OddFileError("An attribute with another value representation.")
            if end > len(data):
                raise _NeedMoreError
            fields[tag] = bytes(data[start:end])
    if at > size:
        raise OddFileError("The file ends inside an element.")
    return at


def _skip_items(data: _Buffer, at: int, *, explicit: bool, depth: int) -> int:
    """Skip the items of a sequence of undefined length, its delimiter included."""
    if depth > _DEEPEST:
        raise OddFileError("Sequences are nested too deeply.")
    while True:
        if at + 8 > len(data):
            raise _NeedMoreError
        group, element = _two_shorts(data, at)
        length = _long(data, at + 4)[0]
        at += 8
        if group != 0xFFFE:
            raise OddFileError("An item is expected in a sequence.")
        if element == 0xE0DD:
            return at
        if element != 0xE000:
            raise OddFileError("An item is expected in a sequence.")
        at = (
            _skip_item(data, at, explicit=explicit, depth=depth)
            if length == _UNDEFINED
            else at + length
        )


def _skip_item(data: _Buffer, at: int, *, explicit: bool, depth: int) -> int:
    while True:
        if at + 8 > len(data):
            raise _NeedMoreError
        if _two_shorts(data, at) == (0xFFFE, 0xE00D):
            return at + 8
        _, vr, header, length = _element(data, at, explicit=explicit)
        at += header
        if length != _UNDEFINED:
            at += length
        elif vr in (b"SQ", b""):
            at = _skip_items(data, at, explicit=explicit, depth=depth + 1)
        else:
            raise OddFileError("An undefined length outside of a sequence.")


def _find_at_tail(
    descriptor: int, fields: Mapping[int, bytes], syntax: str, size: int
) -> tuple[int, int]:
    """Find native pixels from the file's end, so that private groups need not be walked."""
    if syntax not in NATIVE_LITTLE or FRAMES in fields:
        return -1, 0
    counts = [whole(fields, tag, 0) for tag in (ROWS, COLUMNS, ALLOCATED)]
    length = counts[0] * counts[1] * counts[2] // 8 * whole(fields, SAMPLES, 1)
    header = 12 if syntax == EXPLICIT else 8
    if length <= 0 or size - length - header <= 132:
        return -1, 0
    os.lseek(descriptor, size - length - header, os.SEEK_SET)
    tail = os.read(descriptor, header)
    if tail[:4] != b"\xe0\x7f\x10\x00" or _long(tail, header - 4)[0] != length:
        return -1, 0
    if syntax == EXPLICIT and tail[4:6] not in (b"OW", b"OB"):
        return -1, 0
    return size - length, length
