"""One image plane: which pixels of which file, where they lie, and what sets them apart.

A single-frame file is one plane; a multi-frame file has one for each frame, a mosaic one for
each tile. What sorts and places images works on planes and does not ask where they came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from napari_medlabel.io.dicom.header.instance import Instance


@dataclass(frozen=True, slots=True, repr=False)
class Plane:
    """One slice of pixels and where it lies.

    Parameters
    ----------
    instance : Instance
        The file, as its header was read.
    frame : int
        Zero-based frame in the file's pixel data.
    tile : tuple of int or None
        First row and first column of the part of that frame which is this plane, for mosaics.
    rows, columns : int
        Size of the plane in pixels.
    position_lps, orientation_lps : tuple of float or None
        Image Position and Image Orientation (Patient), PS3.3 C.7.6.2; mm, LPS.
    spacing_mm : tuple of float or None
        Pixel Spacing: distance between rows, distance between columns.
    thickness_mm, between_mm : float or None
        Slice Thickness and Spacing Between Slices.
    slope, intercept : float
        Linear modality rescale of this plane.
    window : tuple of float or None
        Window Center and Window Width.
    kind : tuple of str
        What makes images that lie in one place different scans, in words without identifiers:
        magnitude and phase, stacks. Planes of different kind are never one volume.
    order : tuple of pair of str and float
        What makes images that lie in one place different volumes of one scan, most important
        first: name (``"time"``, ``"echo"``, ``"b-value"``, ...) and value.
    """

    instance: Instance
    frame: int
    tile: tuple[int, int] | None
    rows: int
    columns: int
    position_lps: tuple[float, ...] | None
    orientation_lps: tuple[float, ...] | None
    spacing_mm: tuple[float, ...] | None
    thickness_mm: float | None
    between_mm: float | None
    slope: float
    intercept: float
    window: tuple[float, float] | None
    kind: tuple[str, ...] = ()
    order: tuple[tuple[str, float], ...] = ()

    def __repr__(self) -> str:
        return f"Plane({self.rows}x{self.columns}, frame {self.frame})"


def plane_of(instance: Instance, kind: tuple[str, ...] = ()) -> Plane:
    """Return the one plane of a single-frame file."""
    return Plane(
        instance,
        0,
        None,
        instance.rows,
        instance.columns,
        instance.position_lps,
        instance.orientation_lps,
        instance.spacing_mm,
        instance.thickness_mm,
        instance.between_mm,
        instance.slope,
        instance.intercept,
        instance.window,
        kind,
    )


def table(values: Sequence[tuple[float, ...] | None], width: int) -> npt.NDArray[np.float64]:
    """Return so many numbers of each plane as an array, shape (n, width).

    Planes of a series mostly share one tuple, which is then turned once.

    Raises
    ------
    ValueError
        When one of them is None or of another length.
    """
    first = values[0]
    if first is not None and all(one is first for one in values):
        return np.broadcast_to(np.array(first, dtype=np.float64), (len(values), width))
    flat = chain.from_iterable(one for one in values if one is not None)
    return np.fromiter(flat, np.float64, count=len(values) * width).reshape(-1, width)
