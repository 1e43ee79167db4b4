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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.io.dicom_header import (
    ALLOCATED,
    COLUMNS,
    DEFLATED,
    DOUBLE_PIXELS,
    EXPLICIT,
    EXPLICIT_BIG,
    FLOAT_PIXELS,
    FRAMES,
    IMPLICIT,
    LONG_VR,
    MODALITY_LUT,
    NATIVE_LITTLE,
    PIXELS,
    ROWS,
    SAMPLES,
    SHORT_VR,
    TRANSFER_SYNTAX,
    WANTED,
    Instance,
    build,
    numbers,
    text,
    whole,
)
from napari_medlabel.io.dicom_vr import as_wanted

_NOT_WALKED: Final = frozenset({"", EXPLICIT_BIG, DEFLATED})
_META: Final = {TRANSFER_SYNTAX: b"UI"}
_UNDEFINED: Final = 0xFFFFFFFF
_BEHIND_META: Final = 0x00030000
_BEHIND_IMAGE_GROUP: Final = 0x00290000
_FIRST_BLOCK: Final = 8192
_DEEPEST: Final = 32
_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that nobody writes to must not hold us
)
Buffer = bytes | mmap.mmap


class OddFileError(Exception):
    """The walk met something it does not expect."""


class NeedMoreError(Exception):
    """The bytes at hand end inside the header."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the elements of a data set are written.

    Parameters
    ----------
    explicit : bool
        Whether each element names its value representation.
    big : bool
        Whether numbers are big endian.
    """

    explicit: bool
    big: bool = False


LITTLE_EXPLICIT: Final = Encoding(explicit=True)
LITTLE_IMPLICIT: Final = Encoding(explicit=False)
BIG_EXPLICIT: Final = Encoding(explicit=True, big=True)

_Unpack = Any  # bound Struct.unpack_from: mypy has no name for it
_HEAD: Final[Mapping[Encoding, _Unpack]] = {
    LITTLE_EXPLICIT: struct.Struct("<HH2sH").unpack_from,
    LITTLE_IMPLICIT: struct.Struct("<HHI").unpack_from,
    BIG_EXPLICIT: struct.Struct(">HH2sH").unpack_from,
}
_LONG: Final[Mapping[bool, _Unpack]] = {
    False: struct.Struct("<I").unpack_from,
    True: struct.Struct(">I").unpack_from,
}
_ITEM: Final[Mapping[bool, _Unpack]] = {
    False: struct.Struct("<HHI").unpack_from,
    True: struct.Struct(">HHI").unpack_from,
}


def walk(path: Path) -> Instance:
    """Read the header of a little-endian file with preamble.

    Raises
    ------
    OddFileError
        When `io.dicom_odd` should read it.
    OSError
        When it cannot be opened, or is a pipe or a device.
    """
    descriptor, size = open_regular(path)
    try:
        head = os.read(descriptor, _FIRST_BLOCK)
        try:
            return _walk_bytes(path, descriptor, head, size)
        except NeedMoreError:
            if size <= len(head):
                raise OddFileError("The file ends inside its header.") from None
        with mapped(descriptor) as data:
            return _walk_bytes(path, descriptor, data, size)
    except (struct.error, IndexError, NeedMoreError) as err:
        raise OddFileError("The header cannot be followed.") from err
    finally:
        os.close(descriptor)


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


def _walk_bytes(path: Path, descriptor: int, data: Buffer, size: int) -> Instance:
    syntax, at = read_meta(data, size)
    if syntax in _NOT_WALKED:
        raise OddFileError("A transfer syntax that is not walked.")
    explicit = syntax != IMPLICIT
    if explicit != (data[at + 4 : at + 6] in SHORT_VR | LONG_VR):
        raise OddFileError("The data set is not encoded as its meta group says.")
    encoding = LITTLE_EXPLICIT if explicit else LITTLE_IMPLICIT
    fields: dict[int, bytes] = {}
    at = walk_until(data, at, _BEHIND_IMAGE_GROUP, fields, encoding, size)
    offset, length = _find_at_tail(descriptor, fields, syntax, size)
    if offset >= 0:
        return finish(path, size, syntax, fields, (offset, length))
    offset, length, floats = find_pixels(data, at, fields, encoding, size)
    return finish(path, size, syntax, fields, (offset, length), floats=floats)


def finish(
    path: Path,
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
    return build(
        path,
        size,
        syntax,
        fields,
        pixels=pixels,
        has_float_pixels=floats,
        is_packed=is_packed,
    )


def find_pixels(
    data: Buffer, at: int, fields: dict[int, bytes], encoding: Encoding, size: int
) -> tuple[int, int, bool]:
    """Walk on to the pixels: offset (-1: there are none), length, whether they are floats."""
    at = walk_until(data, at, FLOAT_PIXELS, fields, encoding, size)
    if at + 12 > size:
        return -1, 0, False
    if at + 12 > len(data):
        raise NeedMoreError
    group, element = _HEAD[encoding](data, at)[:2]
    tag = group << 16 | element
    if tag not in (PIXELS, FLOAT_PIXELS, DOUBLE_PIXELS):
        return -1, 0, False
    start, length = at + 8, _LONG[encoding.big](data, at + 4)[0]
    if encoding.explicit:
        start, length = at + 12, _LONG[encoding.big](data, at + 8)[0]
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
    meta: dict[int, bytes] = {}
    at = walk_until(data, start, _BEHIND_META, meta, LITTLE_EXPLICIT, size, _META)
    return text(meta.get(TRANSFER_SYNTAX, b"")), at


def walk_until(
    data: Buffer,
    at: int,
    stop: int,
    fields: dict[int, bytes],
    encoding: Encoding,
    size: int,
    wanted: Mapping[int, bytes] = WANTED,
) -> int:
    """Collect wanted elements from ``at`` up to the first tag that is not below ``stop``.

    Parameters
    ----------
    data : bytes or mmap
        The file from its first byte; may be shorter than the file.
    at : int
        Where an element begins.
    stop : int
        Tag.
    fields : dict of int to bytes
        Takes the raw values, little endian, by tag.
    encoding : Encoding
        Of the data set.
    size : int
        Length of the file.
    wanted : mapping of int to bytes
        Tags, and the VR in which their values are wanted.

    Returns
    -------
    int
        Where that tag begins, or the file's size.

    Raises
    ------
    NeedMoreError
        When ``data`` ends before the header does.
    OddFileError
        When the elements make no sense.
    """
    if not encoding.explicit:
        return _walk_implicit(data, at, stop, fields, size, wanted)
    head, expected_of = _HEAD[encoding], wanted.get
    here, limit, last = len(data), len(data) - 12, -1
    while at <= limit:
        group, element, vr, length = head(data, at)
        tag = group << 16 | element
        if tag >= stop:
            return at
        if tag <= last:
            raise OddFileError("Elements are not in ascending order.")
        last = tag
        start = at + 8
        if vr in SHORT_VR:
            at = start + length
        else:
            start += 4
            at = _end_of_long(data, start, vr, encoding)
        expected = expected_of(tag)
        if expected is not None:
            if at > here:
                raise NeedMoreError
            value = data[start:at]
            if vr != expected or encoding.big:
                value = as_wanted(value, vr, expected, big=encoding.big)
            fields[tag] = value
    return _at_end(at, here, size)


def _walk_implicit(
    data: Buffer,
    at: int,
    stop: int,
    fields: dict[int, bytes],
    size: int,
    wanted: Mapping[int, bytes],
) -> int:
    head, here, limit, last = _HEAD[LITTLE_IMPLICIT], len(data), len(data) - 12, -1
    while at <= limit:
        group, element, length = head(data, at)
        tag = group << 16 | element
        if tag >= stop:
            return at
        if tag <= last:
            raise OddFileError("Elements are not in ascending order.")
        last = tag
        start = at + 8
        at = start + length
        if length == _UNDEFINED:
            at = _skip_items(data, start, LITTLE_IMPLICIT, 0)
        if tag in wanted:
            if at > here:
                raise NeedMoreError
            fields[tag] = data[start:at]
    return _at_end(at, here, size)


def _at_end(at: int, here: int, size: int) -> int:
    if at > size:
        raise OddFileError("The file ends inside an element.")
    if here < size and at < size:
        raise NeedMoreError
    if 0 < size - at < 8:
        raise OddFileError("The file ends inside an element.")
    return size


def _end_of_long(data: Buffer, start: int, vr: bytes, encoding: Encoding) -> int:
    """Return where the value of an element with a 32-bit length ends."""
    if vr not in LONG_VR:
        raise OddFileError("An unknown value representation.")
    length: int = _LONG[encoding.big](data, start - 4)[0]
    if length != _UNDEFINED:
        return start + length
    if vr == b"SQ":
        return _skip_items(data, start, encoding, 0)
    if vr == b"UN":  # PS3.5 6.2.2 note 5: such a sequence is implicit, little endian
        return _skip_items(data, start, LITTLE_IMPLICIT, 0)
    raise OddFileError("An undefined length outside of a sequence.")


def _skip_items(data: Buffer, at: int, encoding: Encoding, depth: int) -> int:
    """Skip the items of a sequence of undefined length, its delimiter included."""
    if depth > _DEEPEST:
        raise OddFileError("Sequences are nested too deeply.")
    item = _ITEM[encoding.big]
    while True:
        if at + 8 > len(data):
            raise NeedMoreError
        group, element, length = item(data, at)
        at += 8
        if group == 0xFFFE and element == 0xE0DD:
            return at
        if group != 0xFFFE or element != 0xE000:
            raise OddFileError("An item is expected in a sequence.")
        if length == _UNDEFINED:
            at = _skip_item(data, at, encoding, depth)
        else:
            at += length


def _skip_item(data: Buffer, at: int, encoding: Encoding, depth: int) -> int:
    head, item = _HEAD[encoding], _ITEM[encoding.big]
    while True:
        if at + 12 > len(data):
            # The delimiter of the sequence follows, so there are 12 bytes in a whole file.
            raise NeedMoreError
        group, element, length = item(data, at)
        if group == 0xFFFE and element == 0xE00D:
            return at + 8
        at += 8
        if not encoding.explicit:
            if length == _UNDEFINED:
                at = _skip_items(data, at, encoding, depth + 1)
            else:
                at += length
            continue
        _, _, vr, short = head(data, at - 8)
        if vr in SHORT_VR:
            at += short
        else:
            at = _end_within(data, at + 4, vr, encoding, depth)


def _end_within(data: Buffer, start: int, vr: bytes, encoding: Encoding, depth: int) -> int:
    """Do as `_end_of_long` does, deeper down."""
    length: int = _LONG[encoding.big](data, start - 4)[0]
    if length != _UNDEFINED or vr not in (b"SQ", b"UN"):
        return _end_of_long(data, start, vr, encoding)
    inner = encoding if vr == b"SQ" else LITTLE_IMPLICIT
    return _skip_items(data, start, inner, depth + 1)


def _find_at_tail(
    descriptor: int, fields: Mapping[int, bytes], syntax: str, size: int
) -> tuple[int, int]:
    """Find native pixels from the file's end, so that private groups need not be walked."""
    if syntax not in NATIVE_LITTLE:
        return -1, 0
    length = (
        whole(fields, ROWS, 0)
        * whole(fields, COLUMNS, 0)
        * whole(fields, ALLOCATED, 0)
        // 8
        * whole(fields, SAMPLES, 1)
    )
    if FRAMES in fields:
        length *= int((numbers(fields[FRAMES]) or (1,))[0])
    length += length % 2
    header = 12 if syntax == EXPLICIT else 8
    if length <= 0 or size - length - header <= 132:
        return -1, 0
    os.lseek(descriptor, size - length - header, os.SEEK_SET)
    tail = os.read(descriptor, header)
    if tail[:4] != b"\xe0\x7f\x10\x00" or _LONG[False](tail, header - 4)[0] != length:
        return -1, 0
    if syntax == EXPLICIT and tail[4:6] not in (b"OW", b"OB"):
        return -1, 0
    return size - length, length
