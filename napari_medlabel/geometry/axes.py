"""Anatomical axes: letters, nearest axes of a matrix, and the only LPS <-> RAS flip.

In RAS+ millimetres x grows towards the patient's right hand, y towards the front (anterior), z
towards the head (superior). DICOM, ITK and Slicer files count x towards the left and y towards
the back (LPS, PS3.3 C.7.6.2.1.1); they are turned here and nowhere else.
"""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError

FloatArray = npt.NDArray[np.float64]

POSITIVE: Final = ("R", "A", "S")
NEGATIVE: Final = ("L", "P", "I")
OPPOSITE: Final = dict(zip("RASLPI", "LPIRAS", strict=True))


def _all_orientations() -> tuple[str, ...]:
    pairs = (("R", "L"), ("A", "P"), ("S", "I"))
    return tuple(
        "".join(letters)
        for order in itertools.permutations(pairs)
        for letters in itertools.product(*order)
    )


ORIENTATIONS: Final = _all_orientations()
"""The 48 ways in which voxel axes can lie along the patient's, for instance ``"LPS"``."""


def flip_lps_ras(points: npt.ArrayLike) -> FloatArray:
    """Turn LPS points into RAS, or RAS into LPS: the same sum both ways.

    Parameters
    ----------
    points : array_like, shape (..., 3)
        Points or vectors in mm.

    Returns
    -------
    ndarray, shape (..., 3)
        The same points in the other frame, as float64.
    """
    out = np.array(points, dtype=np.float64)
    out[..., :2] *= -1.0
    # 0.0 * -1 is -0.0, which prints as "-0.0" in every file we write.
    return out + 0.0


def flip_affine_lps_ras(matrix: npt.ArrayLike) -> FloatArray:
    """Turn a (4, 4) voxel-to-LPS matrix into voxel-to-RAS, or back."""
    out = np.array(matrix, dtype=np.float64)
    out[:2] *= -1.0
    return out + 0.0


def nearest_axes(
    directions: npt.ArrayLike,
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Match each voxel axis with the nearest patient axis, one to one.

    The nearest rotation (polar decomposition) is matched greedily, largest cosine first, so a
    sheared or steeply oblique grid still gives a permutation.

    Parameters
    ----------
    directions : array_like, shape (3, 3)
        Columns are the voxel axes i, j, k in RAS, of any positive length.

    Returns
    -------
    world_axis : tuple of int
        For each voxel axis the world axis it lies along (0 = R, 1 = A, 2 = S).
    sign : tuple of int
        +1 where the voxel axis grows with the world axis, -1 where against it.

    Raises
    ------
    GeometryError
        When the columns are not three independent, finite directions.
    """
    matrix = np.asarray(directions, dtype=np.float64)
    length = np.linalg.norm(matrix, axis=0)
    if not np.all(np.isfinite(matrix)) or np.any(length <= 0):
        raise GeometryError(
            "The voxel axes must be finite and longer than zero.",
            hint="The scan's header is damaged; export it again from its source.",
        )
    u, _, vt = np.linalg.svd(matrix / length)
    rotation = u @ vt
    cosine = np.abs(rotation)
    world = [-1, -1, -1]
    for _ in range(3):
        row, column = np.unravel_index(int(np.argmax(cosine)), (3, 3))
        world[int(column)] = int(row)
        cosine[row, :] = -1.0
        cosine[:, column] = -1.0
    sign = tuple(1 if rotation[w, axis] >= 0 else -1 for axis, w in enumerate(world))
    return (world[0], world[1], world[2]), (sign[0], sign[1], sign[2])


def axis_codes(directions: npt.ArrayLike) -> str:
    """Name the side towards which each voxel axis grows, for instance ``"LPS"``.

    Parameters
    ----------
    directions : array_like, shape (3, 3)
        Columns are the voxel axes i, j, k in RAS.

    Returns
    -------
    str
        Three letters out of R L A P S I, for i, j and k.
    """
    world, sign = nearest_axes(directions)
    return "".join(
        (POSITIVE if s > 0 else NEGATIVE)[w] for w, s in zip(world, sign, strict=True)
    )


def orientation_matrix(codes: str) -> FloatArray:
    """Return the (3, 3) signed permutation whose columns point where the letters say (RAS).

    Raises
    ------
    GeometryError
        When the letters are not one of the 48 orientations.
    """
    if codes not in ORIENTATIONS:
        raise GeometryError(
            f"An orientation is three letters out of R/L, A/P and S/I; got {codes!r}.",
            hint="For example 'RAS' or 'LPS'.",
        )
    matrix = np.zeros((3, 3))
    for axis, letter in enumerate(codes):
        if letter in POSITIVE:
            matrix[POSITIVE.index(letter), axis] = 1.0
        else:
            matrix[NEGATIVE.index(letter), axis] = -1.0
    return matrix
