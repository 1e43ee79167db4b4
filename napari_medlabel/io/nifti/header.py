"""The header of a NIfTI-1 or NIfTI-2 file, or of one half of a pair: checked and understood.

Fields and their meaning: nifti1.h and nifti2.h of the NIfTI Data Format Working Group.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.description import NOT_SCALED, Described, Description
from napari_medlabel.io.nifti.affine import choose_affine
from napari_medlabel.io.voxels import turned
from napari_medlabel.model.volume import Format

NIFTI1_BYTES: Final = 348
NIFTI2_BYTES: Final = 540
AGAIN: Final = "The file is damaged; export or copy it again from its source."
_LARGEST_HEADER: Final = 64 << 20
_MOST_VOLUMES: Final = 100_000
_SINGLE: Final = (b"n+1\0", b"n+2\0")
_HALF: Final = (b"ni1\0", b"ni2\0")
_DTYPES: Final = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    32: "c8",
    64: "f8",
    128: "u1",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
    1536: "f16",
    1792: "c16",
    2048: "c32",
    2304: "u1",
}
_COLOURS: Final = {128: 3, 2304: 4}
_QUAD_DIGITS: Final = 112
_AXES: Final = {
    8: ("time", "s"),
    16: ("time", "ms"),
    24: ("time", "us"),
    32: ("frequency", "Hz"),
    40: ("chemical shift", "ppm"),
    48: ("frequency", "rad/s"),
}


@dataclass(frozen=True)
class NiftiHeader(Described):
    """What a header says, checked.

    Parameters
    ----------
    raw : bytes
        348 (NIfTI-1) or 540 (NIfTI-2) bytes as they stand in the file; for ANALYZE, a NIfTI-1
        header of the same grid that leaves the orientation open.
    big_endian : bool
        Byte order of ``raw``.
    format : str
        ``"nifti"`` or ``"analyze"``.
    is_single : bool
        Whether the voxels follow in the same file.
    said : Description
        Grid, further volumes, scaling and doubts.
    dtype : dtype
        Of the values in the file, in the file's byte order.
    samples : int
        Numbers for each voxel: 1, or 3 or 4 for colours.
    offset : int
        Where the values begin.
    """

    raw: bytes
    big_endian: bool
    format: Format
    is_single: bool
    said: Description
    dtype: np.dtype[Any]
    samples: int
    offset: int

    @property
    def is_colour(self) -> bool:
        """Whether the voxels are colours."""
        return self.samples > 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the stored values: (t, k, j, i), and 3 or 4 behind for colours."""
        return (
            self.said.volumes,
            *self.grid.shape[::-1],
            *((self.samples,) if self.is_colour else ()),
        )

    @property
    def data_bytes(self) -> int:
        """Bytes that the values take."""
        return math.prod(self.shape) * self.dtype.itemsize


def byte_order(head: bytes) -> tuple[int, bool] | None:
    """Return the header's length (348 or 540) and whether it is big endian; None if neither."""
    if len(head) < 4:
        return None
    for order in "<>":
        size = struct.unpack_from(order + "i", head)[0]
        if size in (NIFTI1_BYTES, NIFTI2_BYTES):
            return size, order == ">"
    return None


def magic_of(raw: bytes) -> bytes:
    """Return the four bytes that mark a header as NIfTI."""
    return raw[344:348] if len(raw) == NIFTI1_BYTES else raw[4:8]


def is_nifti(raw: bytes) -> bool:
    """Tell whether a header's mark is NIfTI's; ANALYZE headers have none."""
    return magic_of(raw) in (*_SINGLE, *_HALF)


def parse(raw: bytes) -> NiftiHeader:
    """Check the first 540 (or 348) bytes of a file and understand them.

    Raises
    ------
    InputError
        When they are no NIfTI header, contradict themselves, or describe something that is
        not read.
    """
    found = byte_order(raw)
    if found is None or len(raw) < found[0]:
        raise InputError(
            "A NIfTI file is expected; its first bytes are not those of a NIfTI header.",
            hint=AGAIN,
        )
    size, big_endian = found
    raw = raw[:size]
    if not is_nifti(raw):
        raise InputError(
            "A NIfTI file is expected; the mark (magic) in its header is wrong.",
            hint="It may be an ANALYZE header (those are called .hdr) or damaged; convert or "
            "export it again.",
        )
    is_single = magic_of(raw) in _SINGLE
    header = nibabel_header(raw, big_endian=big_endian)
    warnings: list[str] = []
    shape, axis = dimensions(header, warnings)
    dtype, samples = data_type(header, big_endian=big_endian)
    scaling = _scaling(header, warnings) if samples == 1 else NOT_SCALED
    affine = choose_affine(header, shape, warnings)
    return NiftiHeader(
        raw=raw,
        big_endian=big_endian,
        format="nifti",
        is_single=is_single,
        said=Description(Grid(shape, affine), axis, scaling, (*warnings, *turned(affine))),
        dtype=dtype,
        samples=samples,
        offset=data_offset(header, size if is_single else 0),
    )


def nibabel_header(raw: bytes, *, big_endian: bool) -> Any:
    """Return nibabel's view on a header, unchecked."""
    import nibabel as nib

    kind = nib.Nifti1Header if len(raw) == NIFTI1_BYTES else nib.Nifti2Header
    return kind(raw, endianness=">" if big_endian else "<", check=False)


def data_offset(header: Any, smallest: int) -> int:
    """Return where the values begin.

    Raises
    ------
    InputError
        When that is no place in a file.
    """
    offset = float(header["vox_offset"])
    if not (math.isfinite(offset) and smallest <= offset <= _LARGEST_HEADER):
        raise InputError(
            "The header says that the voxels begin outside of the file.", hint=AGAIN
        )
    return int(offset)


def dimensions(
    header: Any, warnings: list[str]
) -> tuple[tuple[int, int, int], tuple[str, str, tuple[float, ...]] | None]:
    """Return voxels along i, j and k, and what further volumes differ in.

    Raises
    ------
    InputError
        When the dimensions are none of a volume.
    """
    dim = [int(n) for n in header["dim"]]
    if not 1 <= dim[0] <= 7:
        raise InputError("The header's number of dimensions is not one of 1 to 7.", hint=AGAIN)
    sizes = dim[1 : dim[0] + 1]
    if min(sizes) <= 0:
        raise InputError("The header has a dimension of size zero or less.", hint=AGAIN)
    if len(sizes) < 2:
        raise InputError("A volume is expected; the header has one dimension.", hint=AGAIN)
    i, j, k = (*sizes[:3], 1)[:3]
    count = math.prod(sizes[3:])
    if count == 1:
        return (i, j, k), None
    if i * j * k == 1:
        raise InputError(
            "A volume is expected; this file has a single voxel in space and its numbers in "
            "other dimensions, as CIFTI files and time courses have.",
            hint="Open it in a program for such data, or map it to a volume first.",
        )
    if count > _MOST_VOLUMES:
        raise InputError(
            f"The header promises {count} volumes; {_MOST_VOLUMES} at most are read.",
            hint=AGAIN,
        )
    return (i, j, k), _axis(header, sizes, count, warnings)


def _axis(
    header: Any, sizes: list[int], count: int, warnings: list[str]
) -> tuple[str, str, tuple[float, ...]]:
    plain = ("volume", "", tuple(float(n) for n in range(count)))
    if sizes[3] != count:
        warnings.append(
            f"Each voxel holds {count} numbers: they are shown as {count} volumes."
            if sizes[3] == 1
            else f"{count} volumes in {len(sizes) - 3} further dimensions are shown one after "
            "the other."
        )
        return plain
    code = int(header["xyzt_units"]) & 0x38
    # As decimals: 2.2 s in float32 is meant, not 2.2000000477.
    step, start = (float(str(value)) for value in (header["pixdim"][4], header["toffset"]))
    if code not in _AXES or not (math.isfinite(step) and step > 0):
        return plain
    start = start if math.isfinite(start) else 0.0
    name, unit = _AXES[code]
    return name, unit, tuple(round(start + n * step, 9) for n in range(count))


def data_type(header: Any, *, big_endian: bool) -> tuple[np.dtype[Any], int]:
    """Return the dtype of one number in the file, and how many of them a voxel has.

    Raises
    ------
    InputError
        When the code is unknown, or this computer has no such numbers.
    """
    code = int(header["datatype"])
    if code == 1:
        raise InputError(
            "The file holds packed bits, which are not read.", hint="Convert it to bytes."
        )
    if code not in _DTYPES:
        raise InputError("The header's data type is not one that NIfTI knows.", hint=AGAIN)
    if code in (1536, 2048) and np.finfo(np.longdouble).nmant != _QUAD_DIGITS:
        raise InputError(
            "The file holds numbers of 128 bits, which this computer does not have.",
            hint="Convert it to float64 or float32.",
        )
    dtype = np.dtype((">" if big_endian else "<") + _DTYPES[code])
    samples = _COLOURS.get(code, 1)
    if int(header["bitpix"]) not in (0, dtype.itemsize * samples * 8):
        raise InputError("The header's data type and bits per voxel disagree.", hint=AGAIN)
    return dtype, samples


def _scaling(header: Any, warnings: list[str]) -> tuple[float, float]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0.0:  # the standard: no scaling, whatever the intercept
        return NOT_SCALED
    if math.isnan(slope) or math.isnan(intercept):
        warnings.append(
            "The header's scaling (scl_slope, scl_inter) is not a number and was ignored."
        )
        return NOT_SCALED
    if math.isinf(slope) or math.isinf(intercept):
        raise InputError(
            "The header's scaling (scl_slope, scl_inter) is not a finite number: the values "
            "are unknown.",
            hint="Export the file again from its source.",
        )
    return slope, intercept
