"""Make the pictures of docs/concepts/faces.md from an invented head: before and after.

Run ``python docs/make_face_pictures.py``. The surfaces are drawn with NumPy: rays from a
camera, the depth at which each meets the skin, and light from its slope.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parents[1]))

from napari_medlabel.deid.faces.finding import AIR_HU, find_face
from tests.deid.head_phantom import grid_around, scanned, with_headrest

Floats = npt.NDArray[np.float64]
PICTURE: Final = Path(__file__).parent / "pictures" / "faces.png"
TURNS_DEG: Final = (0, 45, 90)
SIZE: Final = 300
SKIN_HU: Final = -300.0
_NEAR_MM, _FAR_MM = 150.0, -130.0


def main() -> None:
    """Write docs/pictures/faces.png: above as scanned, below without the face."""
    scan = with_headrest(scanned(*grid_around((1.5, 1.5, 1.5))))
    mask = find_face(scan.hu, scan.matrix, modality="CT").mask()
    before = scan.hu.astype(np.float32)
    after = np.where(mask, np.float32(AIR_HU), before)
    lines = [
        np.hstack([shaded(depth_of(array, scan.matrix, turn)) for turn in TURNS_DEG])
        for array in (before, after)
    ]
    Image.fromarray(np.vstack(lines)).save(PICTURE, optimize=True)


def depth_of(hu: npt.NDArray[np.float32], matrix: Floats, turn_deg: float) -> Floats:
    """Return how near the skin is to a camera in front, turned towards the right hand.

    Parameters
    ----------
    hu : ndarray of float32, shape (i, j, k)
        Hounsfield units.
    matrix : ndarray, shape (4, 4)
        Voxel index to RAS mm.
    turn_deg : float
        0 looks at the face, 90 at the right ear.

    Returns
    -------
    ndarray, shape (rows, columns)
        Millimetres towards the camera; not a number where a ray meets nothing.
    """
    turn = np.deg2rad(turn_deg)
    ahead = np.array([np.sin(turn), np.cos(turn), 0.0])
    aside = np.array([-np.cos(turn), np.sin(turn), 0.0])
    step = 270.0 / SIZE
    across = (np.arange(SIZE) - SIZE / 2) * step
    up = np.array([0.0, 0.0, 1.0])
    start = (
        aside[:, None, None] * across
        + up[:, None, None] * -across[:, None]
        - up[:, None, None] * 20
    )
    inverse = np.linalg.inv(matrix)
    depth = np.full((SIZE, SIZE), np.nan)
    for near in np.arange(_NEAR_MM, _FAR_MM, -step):
        points = start + ahead[:, None, None] * near
        at = np.tensordot(inverse[:3, :3], points, 1) + inverse[:3, 3][:, None, None]
        values = ndimage.map_coordinates(hu, at, order=1, cval=AIR_HU, prefilter=False)
        depth[np.isnan(depth) & (values > SKIN_HU)] = near
    return depth


def shaded(depth: Floats) -> npt.NDArray[np.uint8]:
    """Return a picture of a surface, lit from the upper left."""
    there = np.isfinite(depth)
    smooth = ndimage.gaussian_filter(np.where(there, depth, _FAR_MM), 1.0)
    down, right = np.gradient(smooth, 270.0 / SIZE)
    slope = 1 / np.sqrt(1 + down**2 + right**2)
    light = np.clip(0.75 * slope + 0.45 * slope * (right * 0.4 + down * 0.6), 0, 1)
    return np.where(there, 40 + 215 * light, 0).astype(np.uint8)


if __name__ == "__main__":
    main()
