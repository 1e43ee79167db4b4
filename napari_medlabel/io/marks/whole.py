"""Whether a DICOM file is whole: every element and sequence ends inside it (PS3.5 chapter 7).

pydicom hands back what it found before the end of a file that was cut off, and a structure set
that is short of its last regions looks like any other.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.header.instance import LONG_VR

_UNDEFINED: Final = 0xFFFFFFFF
_ITEM: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_BIG_ENDIAN: Final = b"1.2.840.10008.1.2.2"
_DEEPEST: Final = 64


class _OddError(Exception):
    """The file does not follow the rules by which its end could be found."""


def require_whole(path: Path) -> None:
    """Refuse a file that ends before its last element does.

    Raises
    ------
    InputError
        When it is cut off, or its sequences lie too deep in one another.
    """
    if path.stat().st_size < 16:
        raise _cut_off()
    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        try:
            _Walk(data).through()
        except _OddError:
            return  # what pydicom makes of it is all there is


def _cut_off() -> InputError:
    return InputError(
        "The file is cut off: its last part is missing.",
        hint="Copy or export the file again.",
    )


class _Walk:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._end = len(data)
        self._at = 132 if data[128:132] == b"DICM" else 0
        self._explicit = True
        self._order = "<"

    def through(self) -> None:
        """Step over every element of the file."""
        self._meta()
        while self._end - self._at >= 8:
            if not any(self._data[self._at : self._at + 8]):
                return  # padding that no element announces
            self._element(0)

    def _meta(self) -> None:
        """Step over the meta group, which is explicit little endian, and take the syntax."""
        start = self._at
        while self._end - self._at >= 8 and self._data[self._at : self._at + 2] == b"\x02\0":
            self._element(0)
        head = self._data[start : self._at]
        at = head.find(b"\x02\0\x10\0UI")
        length = int.from_bytes(head[at + 6 : at + 8], "little") if at >= 0 else 0
        if head[at + 8 : at + 8 + length].rstrip(b"\0 ") == _BIG_ENDIAN and length:
            self._order = ">"
        self._explicit = self._data[self._at + 4 : self._at + 6].isalpha()

    def _element(self, depth: int) -> int:
        """Step over one element; return its tag."""
        tag, length, is_unknown = self._header()
        if tag in (_ITEM_END, _SEQUENCE_END):
            return tag
        if length != _UNDEFINED:
            self._skip(length)
        elif is_unknown and self._explicit:
            # A sequence of unknown representation is implicit inside, PS3.5 6.2.2.
            self._explicit = False
            self._sequence(depth + 1)
            self._explicit = True
        else:
            self._sequence(depth + 1)
        return tag

    def _header(self) -> tuple[int, int, bool]:
        if self._at + 8 > self._end:
            raise _cut_off()
        group, element = struct.unpack_from(self._order + "HH", self._data, self._at)
        tag = group << 16 | element
        vr = self._data[self._at + 4 : self._at + 6]
        if group == 0xFFFE or not self._explicit:
            length = struct.unpack_from(self._order + "L", self._data, self._at + 4)[0]
            self._at += 8
        elif vr in LONG_VR:
            if self._at + 12 > self._end:
                raise _cut_off()
            length = struct.unpack_from(self._order + "L", self._data, self._at + 8)[0]
            self._at += 12
        elif vr.isalpha() and vr.isupper():
            length = struct.unpack_from(self._order + "H", self._data, self._at + 6)[0]
            self._at += 8
        else:
            raise _OddError
        return tag, length, vr == b"UN"

    def _skip(self, length: int) -> None:
        self._at += length
        if self._at > self._end:
            raise _cut_off()

    def _sequence(self, depth: int) -> None:
        if depth > _DEEPEST:
            raise InputError(
                "The file's sequences lie too deep in one another to be meant.",
                hint="The file is damaged; export it again from its source.",
            )
        while True:
            tag, length, _ = self._header()
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM:
                raise _OddError
            if length != _UNDEFINED:
                self._skip(length)
                continue
            while self._element(depth) != _ITEM_END:
                pass
