"""One compressed frame -> stored values: JPEG and kin by imagecodecs, the rest by pydicom.

imagecodecs lets other threads run while it decodes. Where its result disagrees with the header
in kind or shape, pydicom decodes the frame again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom_header import Instance
from napari_medlabel.io.dicom_odd import decode

Array = npt.NDArray[Any]
_UNDEFINED: Final = 0xFFFFFFFF
_JPEG: Final = tuple(f"1.2.840.10008.1.2.4.{n}" for n in ("50", "51", "57", "70"))
_JPEG_LS: Final = tuple(f"1.2.840.10008.1.2.4.{n}" for n in ("80", "81"))
_JPEG_2000: Final = tuple(f"1.2.840.10008.1.2.4.{n}" for n in ("90", "91"))
_HTJ2K: Final = tuple(f"1.2.840.10008.1.2.4.{n}" for n in ("201", "202", "203"))
_item = struct.Struct("<HHI").unpack_from


def decode_frame(one: Instance, data: memoryview, dtype: np.dtype[Any], where: str) -> Array:
    """Decode the only frame of a file.

    Parameters
    ----------
    one : Instance
        What its header says.
    data : memoryview
        The whole file.
    dtype : dtype
        Of the stored values, by Bits Allocated and Pixel Representation.
    where : str
        Names the slice in messages.

    Returns
    -------
    ndarray, shape (rows, columns)
        Stored values; bits outside of Bits Stored are not yet cleared.

    Raises
    ------
    InputError
        When the frame is cut off, or nothing installed can decode it.
    """
    codec = _codec(one.transfer_syntax)
    frame: Array | None = None
    if one.pixel_offset is not None and one.pixel_length == _UNDEFINED:
        code = join_fragments(data, one.pixel_offset, where)
        if codec is not None:
            _require_end(code, where)
            frame = _matching(_try(codec, code), one, code, dtype)
    if frame is None:
        frame = decode(bytes(data))
        if frame.shape != (one.rows, one.columns) or frame.dtype.itemsize != dtype.itemsize:
            raise InputError(
                f"The decoded pixels of {where} have another shape or type than the header "
                "says.",
                hint="Export the series again, uncompressed if the archive allows it.",
            )
        frame = frame.view(dtype)
    return frame


def join_fragments(data: memoryview, at: int, where: str) -> bytes:
    """Join the fragments of an encapsulated frame, PS3.5 A.4, without the offset table."""
    parts: list[memoryview] = []
    while at + 8 <= len(data):
        group, element, length = _item(data, at)
        at += 8
        if (group, element) == (0xFFFE, 0xE0DD):
            return b"".join(parts[1:])
        if (group, element) != (0xFFFE, 0xE000) or at + length > len(data):
            break
        parts.append(data[at : at + length])
        at += length
    raise InputError(
        f"The series is damaged: the compressed pixels of {where} are cut off.",
        hint="Copy or export the series again.",
    )


def _require_end(code: bytes, where: str) -> None:
    # Every format of the family ends in EOI or EOC, perhaps with a byte of padding behind.
    if not code[-64:].rstrip(b"\0").endswith(b"\xff\xd9"):
        raise InputError(
            f"The series is damaged: the compressed image of {where} has no end.",
            hint="Copy or export the series again.",
        )


def _codec(syntax: str) -> Callable[[bytes], Array] | None:
    import imagecodecs

    codecs = (
        (_JPEG, imagecodecs.jpeg_decode),
        (_JPEG_LS, imagecodecs.jpegls_decode),
        (_JPEG_2000, imagecodecs.jpeg2k_decode),
        (_HTJ2K, imagecodecs.jpeg2k_decode),
    )
    return next((codec for syntaxes, codec in codecs if syntax in syntaxes), None)


def _try(codec: Callable[[bytes], Array], code: bytes) -> Array | None:
    try:
        return np.asarray(codec(code))
    except (RuntimeError, ValueError, TypeError, IndexError, MemoryError):
        return None  # pydicom is asked, and says it when it cannot either


def _matching(
    frame: Array | None, one: Instance, code: bytes, dtype: np.dtype[Any]
) -> Array | None:
    """Return the frame as stored values where that is certain, else None."""
    if frame is None or frame.shape != (one.rows, one.columns):
        return None
    bits = one.stored
    if code.startswith(b"\xff\x4f\xff\x51"):  # JPEG 2000: SOC, SIZ, then Ssiz at byte 42
        bits = (code[42] & 0x7F) + 1
    if bits > dtype.itemsize * 8 or frame.dtype.kind not in "iu":
        return None
    if frame.dtype.itemsize < dtype.itemsize:
        frame = frame.astype(dtype)
    elif frame.dtype.itemsize > dtype.itemsize:
        return None
    frame = frame.view(dtype)
    if bits != one.stored and dtype.kind == "i":
        # The code stream's own precision says where the sign is (PS3.5 8.2.4).
        shift = dtype.itemsize * 8 - bits
        frame = (frame << shift) >> shift
    return frame
