"""A NIfTI header rebuilt from a keep-list: numbers that are what their field is for."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from typing import Any, Final

from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason

_MAX_DIMENSIONS: Final = 7
_BITS: Final = {
    1: 1, 2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32,
    1024: 64, 1280: 64, 1536: 128, 1792: 128, 2048: 256, 2304: 32,
}  # fmt: skip
_PARAMETERS: Final = {
    2: 1, 3: 1, 4: 2, 6: 1, 7: 2, 8: 2, 9: 2, 10: 1, 11: 2, 12: 3, 13: 2, 14: 2, 15: 2, 16: 2,
    17: 2, 18: 3, 19: 1, 20: 2, 21: 2, 1004: 2, 1005: 1,
}  # fmt: skip
"""How many numbers an intent has in intent_p, by its code, from nifti1.h."""

# From nifti1.h; GIFTI's and FSL's. Those of CIFTI (3000 ...) promise an extension that is gone.
_INTENTS: Final = frozenset({0, *range(2, 25), *range(1001, 1012), *range(2001, 2019)})
_UNITS: Final = 0x3F
_FREQUENCY_PHASE_SLICE: Final = 0x3F
_MOST_CODES: Final = 5
_MOST_SLICE_CODES: Final = 6
_FARTHEST_MM: Final = 1e5
_LARGEST: Final = 1e6
_LATEST: Final = 1e3
_LARGEST_TURN: Final = 1.001
_SMALLEST: Final = 1e-6
_LETTERS: Final = re.compile(rb"[A-Za-z0-9 ^._-]+")
_TEXT: Final = re.compile(rb"[A-Za-z]{8,}|[0-9]{8,}|[A-Za-z0-9 ^._-]{10,}")
_LONGEST_RAW_OFFSET: Final = 2**53


@dataclass(frozen=True)
class Layout:
    """One version of NIfTI: the size of its header, and each kept field's place and type."""

    size: int
    magic: tuple[int, bytes, bytes]
    fields: dict[str, tuple[int, str]]

    @property
    def offset(self) -> int:
        """Where the voxels of a file without extensions begin."""
        return self.size + 4


_NIFTI1: Final = Layout(
    348,
    (344, b"n+1\0", b"ni1\0"),
    {
        "sizeof_hdr": (0, "i"), "dim_info": (39, "B"), "dim": (40, "8h"),
        "intent_p": (56, "3f"), "intent_code": (68, "h"), "datatype": (70, "h"),
        "bitpix": (72, "h"), "slice_start": (74, "h"), "pixdim": (76, "8f"),
        "vox_offset": (108, "f"), "scl": (112, "2f"), "slice_end": (120, "h"),
        "slice_code": (122, "b"), "xyzt_units": (123, "B"), "cal": (124, "2f"),
        "slice_duration": (132, "f"), "toffset": (136, "f"), "codes": (252, "2h"),
        "quatern": (256, "3f"),
        "qoffset": (268, "3f"), "srow": (280, "12f"),
    },
)  # fmt: skip
_NIFTI2: Final = Layout(
    540,
    (4, b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"),
    {
        "sizeof_hdr": (0, "i"), "datatype": (12, "h"), "bitpix": (14, "h"), "dim": (16, "8q"),
        "intent_p": (80, "3d"), "pixdim": (104, "8d"), "vox_offset": (168, "q"),
        "scl": (176, "2d"), "cal": (192, "2d"), "slice_duration": (208, "d"),
        "toffset": (216, "d"),
        "slice_start": (224, "q"), "slice_end": (232, "q"), "codes": (344, "2i"),
        "quatern": (352, "3d"), "qoffset": (376, "3d"), "srow": (400, "12d"),
        "slice_code": (496, "i"), "xyzt_units": (500, "i"), "intent_code": (504, "i"),
        "dim_info": (524, "B"),
    },
)  # fmt: skip


@dataclass(frozen=True)
class CleanHeader:
    """A header without identity, and what the old one said about the voxels.

    Parameters
    ----------
    content : bytes
        The new header of a single file, and four zeros: no extensions.
    start, size : int
        Where the voxels begin in the source, and how many bytes they have.
    frames : int
        Slices of all volumes.
    emptied, kept : int
        Bytes that were not zero and are now; fields that are kept.
    """

    content: bytes
    start: int
    size: int
    frames: int
    emptied: int
    kept: int


def layout_of(head: bytes) -> tuple[Layout, str] | None:
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


def clean_header(header: bytes) -> CleanHeader:
    """Return a header that holds the fields of the keep-list and nothing else.

    Parameters
    ----------
    header : bytes
        The old one, of NIfTI-1 or -2, in either byte order; longer is no harm.

    Returns
    -------
    CleanHeader
        Sizes, data type, scaling, spacing, qform and sform with their codes, units, slice
        timing, intent code and display range, bit for bit where they are such. What a field
        cannot mean (sizes beyond the last dimension, letters in a display range) is empty.
        ``glmax``, ``glmin`` and every text are not passed on.

    Raises
    ------
    QuarantineError
        When it is no header, contradicts itself, or its geometry is no numbers of
        millimetres.
    """
    found = layout_of(header)
    if found is None or not has_magic(header) or len(header) < found[0].size:
        raise QuarantineError(Reason.NIFTI_BROKEN)
    layout, order = found
    header = header[: layout.size]
    values = {
        name: struct.unpack_from(order + kind, header, at)
        for name, (at, kind) in layout.fields.items()
    }
    start, size = _extent(values, 0 if is_pair(header) else layout.size)
    kind = layout.fields["cal"][1][-1]
    _judge_numbers(values, kind)
    _judge_geometry(values, kind)
    values["vox_offset"] = (layout.offset,)
    new = bytearray(layout.offset)
    for name, (at, kind) in layout.fields.items():
        struct.pack_into(order + kind, new, at, *values[name])
    if _TEXT.search(new):
        raise QuarantineError(Reason.NIFTI_BROKEN)
    at, single, _ = layout.magic
    new[at : at + len(single)] = single
    emptied = sum(1 for old, now in zip(header, new, strict=False) if old and not now)
    frames = math.prod(values["dim"][3 : values["dim"][0] + 1])
    return CleanHeader(bytes(new), start, size, frames, emptied, len(layout.fields))


def _extent(values: dict[str, tuple[Any, ...]], lowest: int) -> tuple[int, int]:
    """Where the voxels start and how many bytes they have."""
    dims = values["dim"]
    count = dims[0]
    if not 1 <= count <= _MAX_DIMENSIONS or min(dims[1 : count + 1]) < 1:
        raise QuarantineError(Reason.NIFTI_BROKEN)
    (datatype,), (bits,), (start,) = values["datatype"], values["bitpix"], values["vox_offset"]
    if _BITS.get(datatype) != bits:
        raise QuarantineError(Reason.NIFTI_BROKEN)
    if not math.isfinite(start) or not lowest <= start < _LONGEST_RAW_OFFSET:
        raise QuarantineError(Reason.NIFTI_BROKEN)
    return int(start), (math.prod(dims[1 : count + 1]) * bits + 7) // 8


def _judge_numbers(values: dict[str, tuple[Any, ...]], kind: str) -> None:
    """Empty what a field of no geometry cannot mean, in place."""
    count = values["dim"][0]
    beyond = (size if size in (0, 1) else 1 for size in values["dim"][count + 1 :])
    values["dim"] = (*values["dim"][: count + 1], *beyond)
    slices = max(values["dim"][1 : count + 1])
    (intent,) = values["intent_code"]
    parameters = _PARAMETERS.get(intent, 0)
    kept = (_hint(number, kind) for number in values["intent_p"][:parameters])
    values["intent_p"] = (*kept, *[0.0] * (3 - parameters))
    values["intent_code"] = (intent if intent in _INTENTS else 0,)
    values["dim_info"] = (values["dim_info"][0] & _FREQUENCY_PHASE_SLICE,)
    values["xyzt_units"] = (values["xyzt_units"][0] & _UNITS,)
    values["slice_duration"] = (_hint(values["slice_duration"][0], kind),)
    values["toffset"] = (_start(values["toffset"][0], values["dim"], kind),)
    values["cal"] = tuple(_hint(number, kind) for number in values["cal"])
    _bound(values, "slice_code", _MOST_SLICE_CODES)
    _bound(values, "slice_start", slices - 1)
    _bound(values, "slice_end", slices - 1)
    values["scl"] = _scaling(values["scl"], kind)


def _bound(values: dict[str, tuple[Any, ...]], name: str, most: int) -> None:
    (value,) = values[name]
    values[name] = (value if 0 <= value <= most else 0,)


def _scaling(scaling: tuple[Any, ...], kind: str) -> tuple[float, float]:
    """Return slope and intercept; without a slope nobody reads the intercept."""
    slope, intercept = scaling
    if not math.isfinite(slope):
        return math.nan, math.nan
    if slope == 0:
        return 0.0, 0.0
    if not math.isfinite(intercept) or _is_text(slope, kind) or _is_text(intercept, kind):
        raise QuarantineError(Reason.NIFTI_BROKEN)
    return slope, intercept


def _judge_geometry(values: dict[str, tuple[Any, ...]], kind: str) -> None:
    """Empty a geometry that no reader uses and is none; refuse one that is used and is none."""
    spacing = values["pixdim"]
    used = 1 + min(values["dim"][0], 3)
    side = spacing[0]
    if not set(map(_is_length, spacing[1:used])) <= {True}:
        raise QuarantineError(Reason.NIFTI_BROKEN)
    values["pixdim"] = (
        side if side in (-1.0, 0.0, 1.0) else math.copysign(1.0, side),
        *spacing[1:used],
        *(_hint(number, kind) for number in spacing[used:]),
    )
    codes = values["codes"]
    values["codes"] = tuple(
        code if 0 <= code <= _MOST_CODES else int(code > 0) for code in codes
    )
    for code, name in ((codes[0], "quatern"), (codes[0], "qoffset"), (codes[1], "srow")):
        are_sound = all(map(_is_turn if name == "quatern" else _is_length, values[name]))
        if code > 0 and not are_sound:
            raise QuarantineError(Reason.NIFTI_BROKEN)
        if not are_sound or (code <= 0 and any(_is_text(n, kind) for n in values[name])):
            values[name] = (0.0,) * len(values[name])


def _is_length(number: float) -> bool:
    """Whether a number can be millimetres of a scan; nan and inf are none."""
    return abs(number) < _FARTHEST_MM


def _is_turn(number: float) -> bool:
    return abs(number) < _LARGEST_TURN


def _hint(number: float, kind: str) -> float:
    """Return a number that a person or scanner would write; 0 for others, and for letters."""
    if not _SMALLEST < abs(number) < _LARGEST or _is_text(number, kind):
        return 0.0
    return number


def _start(number: float, dims: tuple[int, ...], kind: str) -> float:
    """Return where the time axis begins; 0 without one, and for what may be a time of day."""
    has_times = dims[0] > 3 and dims[4] > 1
    return _hint(number, kind) if has_times and abs(number) < _LATEST else 0.0


def _is_text(number: float, kind: str) -> bool:
    """Whether the bytes of a finite number are letters and digits alone."""
    return _LETTERS.fullmatch(struct.pack("<" + kind, number)) is not None
