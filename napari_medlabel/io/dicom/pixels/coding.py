"""How the pixels of one DICOM file are coded: matrix, bits, samples; and what cannot be read.

Hundreds of files of a series say the same, so what they say is parsed and judged once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.header.instance import (
    ALLOCATED,
    COLUMNS,
    FRAMES,
    HIGH_BIT,
    PHOTOMETRIC,
    PLANAR,
    ROWS,
    SAMPLES,
    SIGNED,
    STORED,
    Instance,
)

GREY: Final = frozenset({"", "MONOCHROME1", "MONOCHROME2"})
PALETTE: Final = "PALETTE COLOR"
HALVED: Final = "YBR_FULL_422"
"""Native pixels of this kind share two colour samples between two neighbours."""
COLOURS: Final = frozenset(
    {"RGB", "YBR_FULL", HALVED, "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_420", "YBR_PARTIAL_422"}
)
RLE: Final = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES: Final = "1.2.840.10008.1.2.8.1"
_NATIVE: Final = frozenset(
    {"", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}
    | {"1.2.840.10008.1.2.1.99"}
)
_VIDEO: Final = frozenset(
    {f"1.2.840.10008.1.2.4.{n}" for n in range(100, 109)}
    | {f"1.2.840.10008.1.2.4.{n}.1" for n in range(100, 109)}
)
_ELSEWHERE: Final = frozenset(
    {f"1.2.840.10008.1.2.4.{n}" for n in (94, 95, 204, 205)}
    | {f"1.2.840.10008.1.2.7.{n}" for n in (1, 2, 3)}
)
_TAGS: Final = (
    ROWS,
    COLUMNS,
    SAMPLES,
    PLANAR,
    PHOTOMETRIC,
    ALLOCATED,
    STORED,
    HIGH_BIT,
    SIGNED,
    FRAMES,
)


@dataclass(frozen=True, slots=True)
class Coding:
    """How pixels are coded, PS3.5 section 8 and PS3.3 C.7.6.3.

    Parameters
    ----------
    syntax : str
        Transfer syntax.
    rows, columns, samples, frames : int
        Matrix, samples of one pixel, frames of the file.
    planar : int
        Planar Configuration: 1 where native samples lie plane by plane.
    photometric : str
        Photometric Interpretation.
    allocated, stored, high_bit : int
        Bits Allocated, Bits Stored, High Bit.
    signed, floats : bool
        Whether values are two's complement; whether they are floating point numbers.
    """

    syntax: str
    rows: int
    columns: int
    samples: int
    frames: int
    planar: int
    photometric: str
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    floats: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of one stored sample, native."""
        if self.floats:
            return np.dtype(f"f{self.allocated // 8}")
        return np.dtype(f"{'i' if self.signed else 'u'}{max(self.allocated, 8) // 8}")

    @property
    def frame_bits(self) -> int:
        """Bits that one native frame takes."""
        samples = 2 if self.photometric == HALVED else self.samples
        return self.rows * self.columns * samples * self.allocated

    @property
    def is_plain(self) -> bool:
        """Whether a native frame can be read straight into an array of numbers."""
        return self.samples == 1 and self.allocated >= 8 and self.photometric in GREY

    @property
    def has_spare_bits(self) -> bool:
        """Whether bits that are no part of the value have to be cleared."""
        if self.floats or self.allocated == 1:
            return False
        return self.stored != self.allocated or self.high_bit != self.stored - 1

    @property
    def ends(self) -> tuple[int, int]:
        """Lowest and highest value that the stored bits can say."""
        if self.signed:
            return -(1 << self.stored - 1), (1 << self.stored - 1) - 1
        return 0, (1 << self.stored) - 1


def coding_of(one: Instance) -> Coding:
    """Say how the pixels of a file are coded.

    Raises
    ------
    InputError
        When they cannot be read, with the reason.
    """
    raw = tuple(map(one.fields.get, _TAGS))
    return _parse(one.transfer_syntax, one.has_float_pixels, raw)


@lru_cache(maxsize=512)
def _parse(syntax: str, floats: bool, raw: tuple[bytes | None, ...]) -> Coding:
    fields: Mapping[int, bytes] = {
        tag: value for tag, value in zip(_TAGS, raw, strict=True) if value is not None
    }
    allocated = _whole(fields, ALLOCATED, 16)
    stored = allocated if floats else _whole(fields, STORED, allocated)
    coding = Coding(
        syntax=syntax,
        rows=_whole(fields, ROWS, 0),
        columns=_whole(fields, COLUMNS, 0),
        samples=_whole(fields, SAMPLES, 1),
        frames=_frames(fields),
        planar=_whole(fields, PLANAR, 0),
        photometric=fields.get(PHOTOMETRIC, b"").decode("latin-1").strip("\0 ").upper(),
        allocated=allocated,
        stored=stored,
        high_bit=stored - 1 if floats else _whole(fields, HIGH_BIT, stored - 1),
        signed=not floats and _whole(fields, SIGNED, 0) == 1,
        floats=floats,
    )
    _require_syntax(coding)
    _require_bits(coding)
    _require_samples(coding)
    return coding


def _whole(fields: Mapping[int, bytes], tag: int, default: int) -> int:
    raw = fields.get(tag, b"")
    return int.from_bytes(raw[:2], "little") if len(raw) >= 2 else default


def _frames(fields: Mapping[int, bytes]) -> int:
    try:
        return max(1, int(float(fields.get(FRAMES, b"1").split(b"\\")[0].strip(b"\0 ") or 1)))
    except (ValueError, OverflowError) as err:
        raise InputError(
            "Number of Frames is not a number.",
            hint="Export the series again from its source.",
        ) from err


def is_native(coding: Coding) -> bool:
    """Tell whether the transfer syntax keeps pixels uncompressed."""
    return coding.syntax in _NATIVE


def _require_syntax(coding: Coding) -> None:
    if coding.syntax in _VIDEO:
        raise InputError(
            "The pixels are a video stream (MPEG or HEVC), which has no exact single images.",
            hint="Export the clip again as single frames, uncompressed or as JPEG.",
        )
    if coding.syntax in _ELSEWHERE:
        raise InputError(
            "The file holds only a reference: its pixels are on a server.",
            hint="Export the series again with its pixels.",
        )


def _require_bits(coding: Coding) -> None:
    allowed = (32, 64) if coding.floats else (1, 8, 16, 32)
    if coding.allocated not in allowed:
        raise InputError(
            f"Bits Allocated must be {', '.join(str(n) for n in allowed[:-1])} or "
            f"{allowed[-1]}; this file has {coding.allocated}"
            + (" (packed pixels, retired from DICOM)." if coding.allocated == 12 else "."),
            hint="Export the series again in a current encoding.",
        )
    if not 1 <= coding.stored <= coding.high_bit + 1 <= coding.allocated:
        raise InputError(
            f"Bits Allocated ({coding.allocated}), Bits Stored ({coding.stored}) and High Bit "
            f"({coding.high_bit}) contradict each other.",
            hint="The header is damaged; export the series again from its source.",
        )


def _require_samples(coding: Coding) -> None:
    if coding.rows < 1 or coding.columns < 1:
        raise InputError(
            "Rows and Columns must be at least 1.",
            hint="The header is damaged; export the series again from its source.",
        )
    single = coding.photometric in GREY or coding.photometric == PALETTE
    if coding.samples == (1 if single else 3) and (single or coding.photometric in COLOURS):
        return
    if coding.samples == 3 and coding.photometric == "":
        return
    raise InputError(
        f"Samples per Pixel ({coding.samples}) and Photometric Interpretation do not go "
        "together, or the colours are of a retired kind.",
        hint="Export the series again as grey values or RGB.",
    )
