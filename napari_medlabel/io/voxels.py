"""What all formats ask of voxels: that there is room for them, and that labels are labels."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine

_TILT_DEG: Final = 0.3
_OBLIQUE_DEG: Final = 0.1
_SHARE_OF_MEMORY: Final = 0.8
_FARTHEST_MM: Final = 1e9
_LARGEST_SHRINKING: Final = 500
AT_ONCE_BYTES: Final = 512 << 20
"""Several volumes are read at once up to this size, lazily beyond it."""

_LARGEST_LABEL: Final = 65535
ROUNDED: Final = "Some values were rounded: float32 does not hold them exactly."


def memory_bytes() -> int:
    """Physical memory of this computer in bytes; a generous guess where nobody says."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return 64 << 30


def require_room(needed_bytes: int) -> None:
    """Refuse a volume that this computer cannot hold, before anything is allocated.

    Raises
    ------
    InputError
        When it needs more than four fifths of the memory.
    """
    if needed_bytes > _SHARE_OF_MEMORY * memory_bytes():
        raise InputError(
            f"The volume needs {needed_bytes / 1e9:.3g} GB, more than this computer can hold.",
            hint="If that size is absurd, the header is damaged. Else open it on a computer "
            "with more memory.",
        )


def require_promise(needed_bytes: int, file_bytes: int, largest_ratio: int) -> None:
    """Refuse a header that promises more than its file can hold, before allocating.

    Parameters
    ----------
    needed_bytes : int
        What the header promises.
    file_bytes : int
        Size of the file.
    largest_ratio : int
        Bytes that one byte of the file can at most stand for; 1 where it is not compressed.

    Raises
    ------
    InputError
        When the file is too short.
    """
    if needed_bytes > file_bytes * largest_ratio:
        raise InputError(
            "The file is cut off or its header is wrong: it cannot hold as many voxels as the "
            "header says.",
            hint="Copy or export the file again.",
        )


def require_no_bomb(needed_bytes: int, file_bytes: int) -> None:
    """Refuse a compressed scan that is next to nothing but one value, and vast.

    Real scans shrink to a third or a tenth; half a gigabyte out of one is a damaged header or
    a file made to fill memories. Masks, which do shrink so far, are not asked.

    Raises
    ------
    InputError
        When it unpacks to more than 512 MB and more than 500 times its size.
    """
    if needed_bytes > AT_ONCE_BYTES and needed_bytes > _LARGEST_SHRINKING * file_bytes:
        raise InputError(
            f"The compressed file unpacks to {needed_bytes / 1e9:.3g} GB, more than "
            f"{_LARGEST_SHRINKING} times its size: that is no scan.",
            hint="If it is a mask, import it as a mask. Else it is damaged: export it again.",
        )


def sound_affine(matrix: npt.ArrayLike, *, is_lps: bool = False) -> Affine:
    """Return the affine of a header's (4, 4) matrix into RAS mm, or into LPS mm.

    Raises
    ------
    GeometryError
        When it is not finite, spans no volume, or reaches a thousand kilometres.
    """
    values = np.asarray(matrix, dtype=np.float64)
    if not (np.abs(values) < _FARTHEST_MM).all():  # which is True of nan and inf too
        raise GeometryError(
            "The voxel-to-world matrix is not finite, or its numbers are no millimetres.",
            hint="The scan's header is damaged; export it again from its source.",
        )
    return Affine.from_lps(values) if is_lps else Affine(values)


def turned(affine: Affine) -> tuple[str, ...]:
    """Say in words by how much a grid is tilted and oblique; () when it is neither."""
    doubts = []
    if affine.shear_deg > _TILT_DEG:
        tilt_deg = _tilt_deg(affine)
        doubts.append(
            f"The slices are tilted by {tilt_deg:.1f} degrees (gantry tilt): kept as a "
            "sheared grid, nothing was resampled."
            if tilt_deg > _TILT_DEG
            else f"The rows and columns are sheared by {affine.shear_deg:.1f} degrees: kept as "
            "a sheared grid, nothing was resampled."
        )
    if affine.oblique_deg > _OBLIQUE_DEG:
        doubts.append(
            f"Oblique: the axes are turned by {affine.oblique_deg:.1f} degrees against the "
            "patient's."
        )
    return tuple(doubts)


def _tilt_deg(affine: Affine) -> float:
    """Return the angle in degrees between the slice direction and the slices' normal."""
    unit = affine.matrix[:3, :3] / np.array(affine.spacing_mm)
    normal = np.cross(unit[:, 0], unit[:, 1])
    normal /= np.linalg.norm(normal)
    # The length across the normal is the sine, and keeps small angles exact.
    across = np.linalg.norm(unit[:, 2] - (unit[:, 2] @ normal) * normal)
    return float(np.degrees(np.arcsin(np.clip(across, 0.0, 1.0))))


def as_labels(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return values as uint8, or uint16 where one needs it: a new, writable C-ordered array.

    Raises
    ------
    InputError
        When a value is no whole number from 0 to 65535.
    """
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            whole = bool(np.all(values == np.rint(values))) and bool(np.isfinite(values).all())
        if not whole:
            raise InputError(
                "A mask holds whole numbers; this one has fractions or values that are no "
                "numbers.",
                hint="It may be a probability map or a scan: threshold or convert it first.",
            )
    low, high = values.min(), values.max()
    if low < 0 or high > _LARGEST_LABEL:
        raise InputError(
            f"Labels are whole numbers from 0 to {_LARGEST_LABEL}; this mask goes beyond.",
            hint="Renumber the labels; a scan is not a mask.",
        )
    return np.array(values, dtype=np.uint16 if high > 255 else np.uint8, order="C")


def smallest_exact(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Return values of 8 and more bytes in the smallest dtype that holds them, and doubts.

    Whole numbers stay exact; floats become float32, with a warning where that rounds, or
    float64 where float32 does not reach.
    """
    if values.dtype.kind == "f" and values.dtype.itemsize > 4:
        try:
            with np.errstate(over="raise"):
                single = values.astype(np.float32)
        except FloatingPointError:
            return values.astype(np.float64, copy=False), ()
        exact = bool(np.array_equal(single, values, equal_nan=True))
        return single, () if exact else (ROUNDED,)
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        return values.astype(smallest_whole(int(values.min()), int(values.max()))), ()
    return values, ()


def smallest_whole(low: int, high: int) -> np.dtype[Any]:
    """Return the smallest integer dtype that holds all from ``low`` to ``high``."""
    kinds = ("u1", "i1", "u2", "i2", "u4", "i4", "u8")
    for kind in kinds:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return np.dtype(kind)
    return np.dtype(np.int64)


def brightness(colour: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the luma of colours (Rec. 601: 0.299 R + 0.587 G + 0.114 B, rounded).

    Parameters
    ----------
    colour : ndarray of uint8, shape (n, ..., 3)
        Red, green and blue.

    Returns
    -------
    ndarray of uint8, shape (n, ...)
    """
    out = np.empty(colour.shape[:-1], np.uint8)
    for n, part in enumerate(colour):  # the sums need four bytes for a part at a time
        red, green, blue = (part[..., c].astype(np.uint32) for c in range(3))
        out[n] = (299 * red + 587 * green + 114 * blue + 500) // 1000
    return out
