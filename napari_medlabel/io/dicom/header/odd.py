"""DICOM files that the fast walk cannot follow.

Big endian, deflated, without preamble or meta group, encoded otherwise than the meta group says
are walked here. What is stranger still is read through pydicom.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.header.elements import (
    BIG_EXPLICIT,
    LITTLE_EXPLICIT,
    LITTLE_IMPLICIT,
    UNDEFINED,
    Buffer,
    Encoding,
    NeedMoreError,
    OddFileError,
    walk_until,
)
from napari_medlabel.io.dicom.header.instance import (
    DEFLATED,
    EXPLICIT,
    EXPLICIT_BIG,
    IMPLICIT,
    LONG_VR,
    NATIVE_LITTLE,
    SHORT_VR,
    SOP_CLASS,
    WANTED,
    Instance,
)
from napari_medlabel.io.dicom.header.vr import as_wanted
from napari_medlabel.io.dicom.header.walk import (
    find_pixels,
    finish,
    mapped,
    open_regular,
    read_meta,
)
from napari_medlabel.io.dicom.quiet import failures, quietly
from napari_medlabel.io.voxels import require_room

_ITEM_END: Final = 0xFFFEE00D
_END_OF_ITEM: Final = b"\xfe\xff\x0d\xe0" + bytes(8)
_INFLATED_FIRST: Final = 1 << 20
_LARGEST_RATIO: Final = 1000  # bytes out per byte in, beyond which a deflated file is a bomb
_ALL_VR: Final = SHORT_VR | LONG_VR
_LARGEST_HEADER: Final = 1 << 25
_MOST_READS: Final = 40_000  # by pydicom, of one header: a tenth of a second
_FIRST_BYTES: Final = 132


def read_header(path: Path) -> Instance | None:
    """Read the header of one file; None when it is no DICOM data set after all.

    Raises
    ------
    OSError
        When the file cannot be opened.
    """
    descriptor, size = open_regular(path)
    try:
        if size < _FIRST_BYTES // 2:
            return None
        with mapped(descriptor) as data:
            try:
                found: Instance | None = _walked(path, data, size)
            except zlib.error:
                return None
            except (OddFileError, NeedMoreError, struct.error, IndexError):
                found = None if _is_deflated(data, size) else _by_pydicom(path, data, size)
    finally:
        os.close(descriptor)
    return found if found is not None and SOP_CLASS in found.fields else None


def _is_deflated(data: Buffer, size: int) -> bool:
    try:
        return _start(data, size)[0] == DEFLATED
    except (OddFileError, NeedMoreError, struct.error, IndexError):
        return False


def _walked(path: Path, data: Buffer, size: int) -> Instance:
    syntax, at = _start(data, size)
    if syntax == DEFLATED:
        return _walked_inflated(path, data, at, size)
    encoding = _encoding_at(data, at)
    fields: dict[int, bytes] = {}
    offset, length, floats = find_pixels(data, at, fields, encoding, size)
    if encoding.big:
        syntax = EXPLICIT_BIG
    elif syntax in ("", EXPLICIT_BIG) or syntax in NATIVE_LITTLE:
        # What the file is, not what its meta group says it is.
        syntax = EXPLICIT if encoding.explicit else IMPLICIT
    pixels = (offset, length)
    return finish(
        os.fspath(path), size, syntax, fields, pixels, floats=floats, is_packed=encoding.big
    )


def _start(data: Buffer, size: int) -> tuple[str, int]:
    """Return the transfer syntax, "" where none is named, and where the data set begins."""
    if data[128:132] == b"DICM":
        return read_meta(data, size)
    if data[:4] == b"DICM":
        return read_meta(data, size, start=4)
    if data[:2] == b"\x02\x00":
        return read_meta(data, size, start=0)
    return "", 0


def _encoding_at(data: Buffer, at: int) -> Encoding:
    """Tell from the first element how a data set is written."""
    head = data[at : at + 6]
    is_big = head[0] == 0 and head[1] != 0
    if head[4:6] in _ALL_VR:
        return BIG_EXPLICIT if is_big else LITTLE_EXPLICIT
    if is_big:
        raise OddFileError("Big endian without value representations.")
    return LITTLE_IMPLICIT


def _walked_inflated(path: Path, data: Buffer, at: int, size: int) -> Instance:
    """Walk a deflated data set, PS3.5 A.5."""
    fields: dict[int, bytes] = {}
    offset, length, floats, end = _inflated_header(data[at:], fields)
    if end is not None and offset >= 0:
        length = min(length, end - offset)
    pixels = (offset, length)
    return finish(
        os.fspath(path), size, DEFLATED, fields, pixels, floats=floats, is_packed=True
    )


def _inflated_header(
    body: bytes, fields: dict[int, bytes]
) -> tuple[int, int, bool, int | None]:
    """Inflate as much as the header takes, at most 32 MB; offsets count from the data set.

    Returns
    -------
    tuple
        Offset and length of the pixels, whether they are floats, and where the data set ends
        if that is known.
    """
    room, plain, rest = _INFLATED_FIRST, b"", body
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    while True:
        plain += inflater.decompress(rest, room - len(plain))
        rest = inflater.unconsumed_tail
        end = None if rest else len(plain)
        fields.clear()
        try:
            found = find_pixels(
                plain, 0, fields, _encoding_at(plain, 0), UNDEFINED if end is None else end
            )
        except NeedMoreError:
            if end is not None or room >= _LARGEST_HEADER:
                raise
            room = min(8 * room, _LARGEST_HEADER)
            continue
        return (*found, end)


def read_more(path: Path, wanted: Mapping[int, bytes]) -> Mapping[int, bytes]:
    """Return further attributes of one file, raw; {} where they cannot be walked to.

    Parameters
    ----------
    path : Path
        The file.
    wanted : mapping of int to bytes
        Tags, and the VR in which their values are wanted.
    """
    fields: dict[int, bytes] = {}
    try:
        descriptor, size = open_regular(path)
    except OSError:
        return {}
    try:
        with mapped(descriptor) as data:
            syntax, at = _start(data, size)
            if syntax != DEFLATED:
                encoding = _encoding_at(data, at)
                walk_until(data, at, max(wanted) + 1, fields, encoding, size, wanted)
    except (OddFileError, NeedMoreError, OSError, struct.error, IndexError, ValueError):
        return {}
    finally:
        os.close(descriptor)
    return fields


def items_of(
    raw: bytes, wanted: Mapping[int, bytes], encoding: Encoding
) -> list[dict[int, bytes]]:
    """Return attributes of each item of a sequence; [] where it is encoded otherwise."""
    found: list[dict[int, bytes]] = []
    at = 0
    try:
        while at + 8 <= len(raw) and raw[at : at + 4] == b"\xfe\xff\x00\xe0":
            length = int.from_bytes(raw[at + 4 : at + 8], "little")
            at += 8
            fields: dict[int, bytes] = {}
            body = raw[at:] if length == UNDEFINED else raw[at : at + length]
            body += _END_OF_ITEM
            done = walk_until(body, 0, _ITEM_END, fields, encoding, len(body), wanted)
            found.append(fields)
            at += done + 8 if length == UNDEFINED else length
    except (OddFileError, NeedMoreError, struct.error):
        return []
    return found


def inflated(data: bytes | memoryview) -> bytes:
    """Return a deflated file's bytes as those of an explicit little-endian file.

    What follows the pixels is left out.

    Raises
    ------
    InputError
        When it is damaged, or its header is far larger than a header can be.
    """
    try:
        _, at = _start(bytes(data[: 1 << 16]), len(data))
        body = bytes(data[at:])
        offset, length, _, _ = _inflated_header(body, {})
        wanted = _INFLATED_FIRST if offset < 0 or length == UNDEFINED else offset + length
        if wanted > len(body) * _LARGEST_RATIO + _INFLATED_FIRST:
            raise _damaged()
        require_room(2 * wanted)
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        plain = inflater.decompress(body, wanted)
    except (OddFileError, NeedMoreError, struct.error, IndexError, zlib.error) as err:
        raise _damaged() from err
    if len(plain) < wanted and (offset >= 0 or not inflater.eof):
        raise _damaged()
    syntax = EXPLICIT.encode() + b"\0"
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    length_of_meta = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta))
    return b"".join([b"\0" * 128 + b"DICM", length_of_meta, meta, plain])


def _damaged() -> InputError:
    return InputError(
        "The deflated file is cut off or damaged.",
        hint="Copy or export the file again.",
    )


def _by_pydicom(path: Path, data: Buffer, size: int) -> Instance | None:
    """Let pydicom read the header, where its rules are wider than ours."""
    import pydicom

    with quietly():
        stream = _Window(data)
        try:
            dataset = pydicom.dcmread(stream, force=True, stop_before_pixels=True)
            fields = _raw_fields(dataset)
            syntax = str(dataset.file_meta.get("TransferSyntaxUID", "")) or IMPLICIT
            implicit, little = dataset.original_encoding
        except failures():
            return None
    encoding = Encoding(explicit=not implicit, big=not little)
    offset, length, floats = -1, 0, False
    try:
        if syntax != DEFLATED and encoding != Encoding(explicit=False, big=True):
            offset, length, floats = find_pixels(data, stream.tell(), {}, encoding, size)
    except (OddFileError, NeedMoreError, struct.error):
        offset, length, floats = -1, 0, False
    pixels = (offset, length)
    return finish(str(path), size, syntax, fields, pixels, floats=floats, is_packed=True)


class _Window(io.RawIOBase):
    """A file in memory, read without copying the whole of it.

    Whoever reads it too often is stopped: millions of empty elements are no header.
    """

    def __init__(self, data: Buffer) -> None:
        super().__init__()
        self._data = data
        self._at = 0
        self._reads = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        self._reads += 1
        if self._reads > _MOST_READS:
            raise OSError("A header of too many elements.")
        end = len(self._data) if size is None or size < 0 else self._at + size
        piece = self._data[self._at : end]
        self._at += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._data)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at


def _raw_fields(dataset: Any) -> dict[int, bytes]:
    """Return the wanted values as little-endian bytes, without asking pydicom to parse them."""
    from pydicom.dataelem import RawDataElement

    fields: dict[int, bytes] = {}
    for tag, vr in WANTED.items():
        if tag not in dataset:
            continue
        element = dataset.get_item(tag)
        if vr == b"SQ":
            fields[tag] = b""
        elif isinstance(element, RawDataElement):
            found = (element.VR or vr.decode()).encode()
            big = not element.is_little_endian
            fields[tag] = as_wanted(bytes(element.value or b""), found, vr, big=big)
        else:
            value = element.value
            many = (
                value
                if isinstance(value, list | tuple) or hasattr(value, "append")
                else [value]
            )
            joined = "\\".join(str(part) for part in many).encode("utf-8")
            fields[tag] = as_wanted(joined, b"DS", vr, big=False)
    return fields
