"""A second opinion on a written volume: SimpleITK reads it too, and must find the same.

Reading a file back with the code that knows how it was written proves that the disk is sound.
That another program puts every voxel at the same millimetre is proven by another program.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import SaveError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import SAME_PLACE_MM, Grid
from napari_medlabel.model.volume import Volume

NAME: Final = "SimpleITK"
_SHEAR_DEG: Final = 0.01
_LARGEST_BYTES: Final = 1 << 30


def can_judge(volume: Volume) -> bool:
    """Tell whether SimpleITK can be asked: one grey volume at right angles with known sides.

    It refuses sheared grids, chooses between sform and qform by rules of its own, and would
    need another gigabyte for a very large volume.
    """
    return (
        volume.further is None
        and volume.colour is None
        and volume.is_oriented
        and volume.source.header is None
        and volume.grid.affine.shear_deg < _SHEAR_DEG
        and volume.array.nbytes <= _LARGEST_BYTES
    )


def require_agreement(path: Path, volume: Volume) -> None:
    """Refuse a written file in which SimpleITK finds other values or another place.

    Parameters
    ----------
    path : Path
        A NIfTI file.
    volume : Volume
        What it should hold; one that `can_judge` is true of.

    Raises
    ------
    SaveError
        When it cannot be read, or differs.
    """
    import SimpleITK as sitk  # noqa: N813 - the name everybody knows

    sitk.ProcessObject.SetGlobalWarningDisplay(False)  # its warnings quote paths
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as err:
        raise _disagrees("it cannot read the file") from err
    values = sitk.GetArrayViewFromImage(image)
    if values.shape != volume.grid.shape[::-1]:
        raise _disagrees("the shapes differ")
    apart = Grid(volume.grid.shape, _affine(image)).corners_ras() - volume.grid.corners_ras()
    if not np.linalg.norm(apart, axis=1).max() < SAME_PLACE_MM:
        raise _disagrees("the corners lie elsewhere")
    nan = volume.array.dtype.kind == "f"
    if not np.array_equal(values, volume.array.T, equal_nan=nan):
        raise _disagrees("the values differ")


def _affine(image: Any) -> Affine:
    matrix_lps = np.eye(4)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    matrix_lps[:3, :3] = direction * np.array(image.GetSpacing())
    matrix_lps[:3, 3] = image.GetOrigin()
    return Affine.from_lps(matrix_lps)


def _disagrees(reason: str) -> SaveError:
    return SaveError(
        f"{NAME} does not find in the written file what was written: {reason}.",
        hint="Nothing was kept. This may be a fault in the program; please report it.",
    )
