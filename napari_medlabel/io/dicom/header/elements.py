"""Elements of a DICOM data set, PS3.5 7.1 and 7.5, one after the other, in any encoding.

Values that are wanted are collected, sequences are skipped. Whatever makes no sense raises
`OddFileError`.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from napari_medlabel.io.dicom.header.instance import LONG_VR, SHORT_VR, WANTED
from napari_medlabel.io.dicom.header.vr import as_wanted

UNDEFINED: Final = 0xFFFFFFFF
_DEEPEST: Final = 32
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
HEAD: Final[Mapping[Encoding, _Unpack]] = {
    LITTLE_EXPLICIT: struct.Struct("<HH2sH").unpack_from,
    LITTLE_IMPLICIT: struct.Struct("<HHI").unpack_from,
    BIG_EXPLICIT: struct.Struct(">HH2sH").unpack_from,
}
LONG: Final[Mapping[bool, _Unpack]] = {
    False: struct.Struct("<I").unpack_from,
    True: struct.Struct(">I").unpack_from,
}
ITEM: Final[Mapping[bool, _Unpack]] = {
    False: struct.Struct("<HHI").unpack_from,
    True: struct.Struct(">HHI").unpack_from,
}


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
    head, expected_of = HEAD[encoding], wanted.get
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
            at = end_of_long(data, start, vr, encoding)
        expected = expected_of(tag)
        if expected is not None:
            if at > here:
                raise NeedMoreError
            value = data[start:at]
            if vr != expected or encoding.big:
                value = as_wanted(value, vr, expected, big=encoding.big)
            fields[tag] = value
    return at_end(at, here, size)


def _walk_implicit(
    data: Buffer,
    at: int,
    stop: int,
    fields: dict[int, bytes],
    size: int,
    wanted: Mapping[int, bytes],
) -> int:
    head, here, limit, last = HEAD[LITTLE_IMPLICIT], len(data), len(data) - 12, -1
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
        if length == UNDEFINED:
            at = _skip_items(data, start, LITTLE_IMPLICIT, 0)
        if tag in wanted:
            if at > here:
                raise NeedMoreError
            fields[tag] = data[start:at]
    return at_end(at, here, size)


def at_end(at: int, here: int, size: int) -> int:
    """Return the file's size where a walk ends at its last byte.

    Raises
    ------
    NeedMoreError
        When only the bytes at hand end there.
    OddFileError
        When it ends inside an element.
    """
    if at > size:
        raise OddFileError("The file ends inside an element.")
    if here < size and at < size:
        raise NeedMoreError
    if 0 < size - at < 8:
        raise OddFileError("The file ends inside an element.")
    return size


def end_of_long(data: Buffer, start: int, vr: bytes, encoding: Encoding) -> int:
    """Return where the value of an element with a 32-bit length ends."""
    if vr not in LONG_VR:
        raise OddFileError("An unknown value representation.")
    length: int = LONG[encoding.big](data, start - 4)[0]
    if length != UNDEFINED:
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
    item = ITEM[encoding.big]
    while True:
        if at + 8 > len(data):
            raise NeedMoreError
        group, element, length = item(data, at)
        at += 8
        if group == 0xFFFE and element == 0xE0DD:
            return at
        if group != 0xFFFE or element != 0xE000:
            raise OddFileError("An item is expected in a sequence.")
        if length == UNDEFINED:
            at = _skip_item(data, at, encoding, depth)
        else:
            at += length


def _skip_item(data: Buffer, at: int, encoding: Encoding, depth: int) -> int:
    head, item = HEAD[encoding], ITEM[encoding.big]
    while True:
        if at + 12 > len(data):
            # The delimiter of the sequence follows, so there are 12 bytes in a whole file.
            raise NeedMoreError
        group, element, length = item(data, at)
        if group == 0xFFFE and element == 0xE00D:
            return at + 8
        at += 8
        if not encoding.explicit:
            if length == UNDEFINED:
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
    """Do as `end_of_long` does, deeper down."""
    length: int = LONG[encoding.big](data, start - 4)[0]
    if length != UNDEFINED or vr not in (b"SQ", b"UN"):
        return end_of_long(data, start, vr, encoding)
    inner = encoding if vr == b"SQ" else LITTLE_IMPLICIT
    return _skip_items(data, start, inner, depth + 1)
