"""NIfTI without identity: a header rebuilt from a keep-list, the voxels bit for bit."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report import DeidReport, Note, Reason

GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31
_MAX_DIMENSIONS = 7
_BITS = {
    1: 1, 2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32,
    1024: 64, 1280: 64, 1536: 128, 1792: 128, 2048: 256, 2304: 32,
}  # fmt: skip
_PARAMETERS = {
    2: 1,
    3: 1,
    4: 2,
    6: 1,
    7: 2,
    8: 2,
    9: 2,
    10: 1,
    11: 2,
    12: 3,
    13: 2,
    14: 2,
    15: 2,
    16: 2,
    17: 2,
    18: 3,
    19: 1,
    20: 2,
    21: 2,
    1004: 2,
    1005: 1,
}  # by intent code, from nifti1.h
_PLAUSIBLE = (1e-6, 1e6)


@dataclass(frozen=True)
class _Layout:
    """Where the fields of one NIfTI version are, as struct formats and offsets in bytes."""

    size: int
    offset: int
    magic: tuple[int, bytes, bytes]
    dim: tuple[int, str]
    datatype: int
    pixdim: tuple[int, str]
    vox_offset: tuple[int, str]
    intent_code: tuple[int, str]
    intent_p: tuple[int, str]
    keep: tuple[tuple[int, int], ...]


# dim_info, dim, datatype..slice_start, pixdim, scl_slope..slice_duration, q/sform to srow_z
_NIFTI1 = _Layout(
    size=348,
    offset=352,
    magic=(344, b"n+1\0", b"ni1\0"),
    dim=(40, "8h"),
    datatype=70,
    pixdim=(76, "8f"),
    vox_offset=(108, "f"),
    intent_code=(68, "h"),
    intent_p=(56, "3f"),
    keep=((0, 4), (39, 56), (68, 108), (112, 136), (252, 328)),
)
_NIFTI2 = _Layout(
    size=540,
    offset=544,
    magic=(4, b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"),
    dim=(16, "8q"),
    datatype=12,
    pixdim=(104, "8d"),
    vox_offset=(168, "q"),
    intent_code=(504, "i"),
    intent_p=(80, "3d"),
    keep=((0, 4), (12, 80), (104, 168), (176, 216), (224, 240), (344, 508), (524, 525)),
)


@dataclass(frozen=True)
class CleanNifti:
    """A cleaned NIfTI file.

    Parameters
    ----------
    content : bytes
        The whole single file, compressed when the source was.
    suffix : str
        ``".nii"`` or ``".nii.gz"``.
    report : DeidReport
        Fields that were emptied count as ``X``, kept ones as kept.
    """

    content: bytes
    suffix: str
    report: DeidReport


def layout_of(head: bytes) -> tuple[_Layout, str] | None:
    """Version and byte order from a header's first four bytes; None when it is no NIfTI."""
    for order in "<>":
        for layout in (_NIFTI1, _NIFTI2):
            if head[:4] == struct.pack(f"{order}i", layout.size):
                return layout, order
    return None


def has_magic(head: bytes) -> bool:
    """Whether the bytes of a header say NIfTI; Analyze 7.5 has the same size and no magic."""
    found = layout_of(head)
    if found is None:
        return False
    at, single, pair = found[0].magic
    return head[at : at + len(single)] in (single, pair)


def is_pair(head: bytes) -> bool:
    """Whether the voxels lie in a file of their own (.hdr and .img)."""
    found = layout_of(head)
    if found is None:
        return False
    at, _, pair = found[0].magic
    return head[at : at + len(pair)] == pair


def clean_nifti(content: bytes, voxels: bytes | None = None) -> CleanNifti:
    """Return a NIfTI file with the header fields of the keep-list and nothing else.

    Parameters
    ----------
    content : bytes
        The file as found: NIfTI-1 or -2, either byte order, gzip or not.
    voxels : bytes, optional
        The .img file when the header is one of a pair; the result is a single file.

    Returns
    -------
    CleanNifti
        Dimensions, spacing, data type, scaling, qform and sform with codes, units, slice
        timing, intent code and display range are kept bit for bit. All text is empty, there
        are no extensions, nothing follows the voxels, gzip has no name and no time.

    Raises
    ------
    QuarantineError
        For a broken header or voxels that are fewer than described.
    """
    compressed = content[:2] == GZIP_MAGIC
    plain = _inflated(content)
    found = layout_of(plain)
    if found is None or not has_magic(plain) or len(plain) < found[0].size:
        raise QuarantineError(Reason.NIFTI_BROKEN)
    layout, order = found
    header, emptied = _rebuilt(plain[: layout.size], layout, order)
    start, size = _extent(plain, layout, order)
    body = plain if voxels is None else _inflated(voxels)
    data = body[start : start + size]
    if len(data) < size:
        raise QuarantineError(Reason.NIFTI_INCOMPLETE)
    result = header + bytes(4) + data
    if compressed:
        result = _deflated(result)
    if _inflated(result)[layout.offset :] != data:
        raise QuarantineError(Reason.IDENTITY_LEFT)
    report = DeidReport(
        actions={"X": emptied}, kept=len(layout.keep), notes=frozenset({Note.FACE})
    )
    return CleanNifti(result, ".nii.gz" if compressed else ".nii", report)


def _rebuilt(header: bytes, layout: _Layout, order: str) -> tuple[bytes, int]:
    """Return a new header, and how many bytes that were not zero are gone."""
    new = bytearray(layout.size)
    for start, end in layout.keep:
        new[start:end] = header[start:end]
    at, single, _ = layout.magic
    new[at : at + len(single)] = single
    at, kind = layout.vox_offset
    struct.pack_into(order + kind, new, at, layout.offset)
    at, kind = layout.intent_code
    count = _PARAMETERS.get(struct.unpack_from(order + kind, header, at)[0], 0)
    at, kind = layout.intent_p
    found = struct.unpack_from(order + kind, header, at)[:count]
    kept = [number if _is_plausible(number) else 0.0 for number in found]
    struct.pack_into(order + kind, new, at, *kept, *[0.0] * (3 - count))
    _drop_unused(new, layout, order)
    emptied = sum(1 for old, now in zip(header, new, strict=True) if old and not now)
    return bytes(new), emptied


def _drop_unused(new: bytearray, layout: _Layout, order: str) -> None:
    """Clear sizes and spacings beyond the last dimension, where text could hide."""
    at, kind = layout.dim
    dims = list(struct.unpack_from(order + kind, new, at))
    count = _dimension_count(dims)
    struct.pack_into(
        order + kind, new, at, *dims[: count + 1], *[1] * (_MAX_DIMENSIONS - count)
    )
    at, kind = layout.pixdim
    spacing = list(struct.unpack_from(order + kind, new, at))
    for axis in range(count + 1, _MAX_DIMENSIONS + 1):
        if not _is_plausible(spacing[axis]):
            spacing[axis] = 0.0
    struct.pack_into(order + kind, new, at, *spacing)


def _is_plausible(number: float) -> bool:
    """Whether a number is one that a person would write, rather than letters."""
    low, high = _PLAUSIBLE
    return math.isfinite(number) and low < abs(number) < high


def _dimension_count(dims: list[int]) -> int:
    count = dims[0]
    if not 1 <= count <= _MAX_DIMENSIONS or min(dims[1 : count + 1]) < 1:
        raise QuarantineError(Reason.NIFTI_BROKEN)
    return count


def _extent(plain: bytes, layout: _Layout, order: str) -> tuple[int, int]:
    """Where the voxels start and how many bytes they have."""
    dims = list(struct.unpack_from(order + layout.dim[1], plain, layout.dim[0]))
    datatype, bits = struct.unpack_from(order + "2h", plain, layout.datatype)
    if _BITS.get(datatype) != bits:
        raise QuarantineError(Reason.NIFTI_BROKEN)
    voxels = math.prod(dims[1 : dims[0] + 1])
    raw_start = struct.unpack_from(order + layout.vox_offset[1], plain, layout.vox_offset[0])[0]
    lowest = 0 if is_pair(plain) else layout.size
    if not math.isfinite(raw_start) or not lowest <= raw_start < 2**53:
        raise QuarantineError(Reason.NIFTI_BROKEN)
    return int(raw_start), (voxels * bits + 7) // 8


def _inflated(content: bytes) -> bytes:
    """Return the bytes inside gzip, or the bytes themselves."""
    if content[:2] != GZIP_MAGIC:
        return content
    result, rest = b"", content
    try:
        while rest[:2] == GZIP_MAGIC:  # members may follow each other; other bytes are dropped
            member = zlib.decompressobj(_GZIP_WINDOW)
            result += member.decompress(rest)
            rest = member.unused_data
    except zlib.error as err:
        raise QuarantineError(Reason.UNREADABLE) from err
    return result


def _deflated(content: bytes) -> bytes:
    """Gzip with an empty name and time zero: the same bytes for the same voxels."""
    stream = BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0, compresslevel=6) as out:
        out.write(content)
    return stream.getvalue()
