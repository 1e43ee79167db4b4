"""The frames of a segmentation's pixel data: packed bits, bytes and words, every packing.

A frame is decoded when it is asked for, and never before its size was compared with what the
header says.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.marks.dicom import AGAIN, transfer_syntax, whole

Array = npt.NDArray[Any]
_RLE: Final = "1.2.840.10008.1.2.5"
_DEFLATED_FRAMES: Final = "1.2.840.10008.1.2.8.1"
_JPEG: Final = frozenset(
    {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"}
)
_JPEG_LS: Final = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
_JPEG_2000: Final = frozenset({f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203)})
_SIZED: Final = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}


class Frames:
    """The frames of one data set with Pixel Data.

    Parameters
    ----------
    dataset : pydicom Dataset
        With its pixel data.

    Raises
    ------
    InputError
        When the pixel data is missing, shorter than promised, or packed in an unknown way.
    """

    def __init__(self, dataset: Any) -> None:
        self.rows = whole(dataset, "Rows", 0)
        self.columns = whole(dataset, "Columns", 0)
        self.count = whole(dataset, "NumberOfFrames", 1)
        self.bits = whole(dataset, "BitsAllocated", 0)
        if min(self.rows, self.columns, self.count) < 1 or self.bits not in (1, 8, 16):
            raise InputError(
                "A segmentation has rows, columns and frames of 1, 8 or 16 bits; the header "
                "says otherwise.",
                hint=AGAIN,
            )
        if whole(dataset, "SamplesPerPixel", 1) != 1:
            raise InputError("A segmentation has one sample per pixel; this has more.")
        if "PixelData" not in dataset:
            raise InputError("The segmentation holds no pixel data.", hint=AGAIN)
        self._syntax = transfer_syntax(dataset)
        element = dataset["PixelData"]
        self._parts: list[bytes] | None = None
        if self._is_encapsulated(element):
            self._parts = self._fragments(element.value)
        else:
            self._stored = self._native(dataset, element)

    @property
    def pixels(self) -> int:
        """Pixels of one frame."""
        return self.rows * self.columns

    def frame(self, number: int) -> Array:
        """Return a frame, counted from 0: uint8 or uint16, shape (rows, columns).

        Raises
        ------
        InputError
            When it is damaged.
        """
        if self._parts is None:
            flat = self._slice_of_native(number)
        else:
            flat = self._decode(self._parts[number], number)
        return flat.reshape(self.rows, self.columns)

    def _is_encapsulated(self, element: Any) -> bool:
        native = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
        if self._syntax in (*native, "1.2.840.10008.1.2.1.99", ""):
            return bool(element.is_undefined_length)
        known = {_RLE, _DEFLATED_FRAMES} | _JPEG | _JPEG_LS | _JPEG_2000
        if self._syntax not in known:
            raise InputError(
                "The segmentation is compressed in a way that is not read.",
                hint="Export it again, uncompressed or as RLE or JPEG 2000.",
            )
        return True

    def _native(self, dataset: Any, element: Any) -> Array:
        value = element.value or b""
        needed = (self.count * self.pixels * self.bits + 7) // 8
        if len(value) < needed:
            raise InputError(
                "The segmentation is cut off or its header is wrong: it holds fewer frames "
                "than it says.",
                hint="Copy or export the file again.",
            )
        is_big = not dataset.original_encoding[1]
        if self.bits == 16:
            words = np.frombuffer(value, ">u2" if is_big else "<u2", count=needed // 2)
            return words.astype(np.uint16, copy=False)
        stored = np.frombuffer(value, np.uint8)
        if is_big and element.VR == "OW":
            # Bytes lie in 16-bit words, PS3.5 8.1.1: those of big endian are swapped.
            even = np.frombuffer(value + b"\0" * (len(value) % 2), "<u2").byteswap()
            stored = even.view(np.uint8)
        return stored

    def _slice_of_native(self, number: int) -> Array:
        start = number * self.pixels
        if self.bits != 1:
            return self._stored[start : start + self.pixels]
        # Frames follow each other bit by bit, PS3.5 8.1.1: they need not begin at a byte.
        whole_bytes = self._stored[start // 8 : -(-(start + self.pixels) // 8)]
        bits = np.unpackbits(whole_bytes, bitorder="little")
        return bits[start % 8 : start % 8 + self.pixels]

    def _fragments(self, value: bytes) -> list[bytes]:
        from pydicom.encaps import generate_frames

        try:
            parts = list(generate_frames(value or b"", number_of_frames=self.count))
        except (ValueError, EOFError, struct.error, IndexError) as err:
            raise InputError("The compressed frames are damaged.", hint=AGAIN) from err
        if len(parts) != self.count:
            raise InputError(
                f"The segmentation holds {len(parts)} compressed frames; its header says "
                f"{self.count}.",
                hint=AGAIN,
            )
        return parts

    def _decode(self, part: bytes, number: int) -> Array:
        try:
            if self._syntax == _RLE:
                return self._unpacked(self._rle(part))
            if self._syntax == _DEFLATED_FRAMES:
                return self._unpacked(self._inflated(part))
            return self._image(part)
        except (ValueError, RuntimeError, IndexError, struct.error, zlib.error) as err:
            raise InputError(
                f"Frame {number + 1} of {self.count} is damaged and cannot be decoded.",
                hint=AGAIN,
            ) from err

    @property
    def _frame_bytes(self) -> int:
        return (self.pixels * self.bits + 7) // 8

    def _unpacked(self, raw: bytes) -> Array:
        if len(raw) < self._frame_bytes:
            raise ValueError
        if self.bits == 16:
            return np.frombuffer(raw, "<u2", count=self.pixels).astype(np.uint16, copy=False)
        stored = np.frombuffer(raw, np.uint8)
        if self.bits == 1:
            return np.unpackbits(stored, count=self.pixels, bitorder="little")
        return stored[: self.pixels]

    def _inflated(self, part: bytes) -> bytes:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(part, self._frame_bytes)

    def _rle(self, part: bytes) -> bytes:
        """Decode PS3.5 Annex G: a segment for each byte of a pixel, most significant first."""
        import imagecodecs

        needed = self._frame_bytes if self.bits < 16 else self.pixels
        count, *offsets = struct.unpack("<16L", part[:64])
        if count != (2 if self.bits == 16 else 1):
            raise ValueError
        ends = [*offsets[1:count], len(part)]
        planes = []
        for start, end in zip(offsets[:count], ends, strict=True):
            if not 64 <= start < end or end - start > 2 * needed + 64:
                raise ValueError
            plane = bytes(imagecodecs.packbits_decode(part[start:end]))
            if len(plane) < needed:
                raise ValueError
            planes.append(np.frombuffer(plane, np.uint8, count=needed))
        return np.stack(planes[::-1], axis=-1).tobytes()

    def _image(self, part: bytes) -> Array:
        import imagecodecs

        if _declared_size(part) != (self.rows, self.columns):
            raise ValueError
        if self._syntax in _JPEG_2000:
            decoded = imagecodecs.jpeg2k_decode(part)
        elif self._syntax in _JPEG_LS:
            decoded = imagecodecs.jpegls_decode(part)
        else:
            decoded = imagecodecs.jpeg_decode(part)
        out = np.asarray(decoded)
        if out.size != self.pixels or out.dtype.kind not in "iub":
            raise ValueError
        return out.astype(np.uint16 if self.bits == 16 else np.uint8)


def _declared_size(code: bytes) -> tuple[int, int] | None:
    """Return rows and columns that a JPEG family code stream says, before it is decoded."""
    # JPEG 2000: SOC, SIZ; some writers leave the boxes of a .jp2 file in front.
    soc = code.find(b"\xff\x4f\xff\x51", 0, 4096) if code[4:6] == b"jP" else 0
    if soc >= 0 and code[soc : soc + 4] == b"\xff\x4f\xff\x51":
        x, y, x0, y0 = struct.unpack_from(">4L", code, soc + 8)
        return y - y0, x - x0
    if code[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(code) and code[at] == 0xFF:
        marker = code[at + 1]
        if marker in _SIZED:
            rows, columns = struct.unpack_from(">2H", code, at + 5)
            return rows, columns
        at += 2 + int.from_bytes(code[at + 2 : at + 4], "big") if marker != 0xFF else 1
    return None
