"""A volume as NIfTI, exactly where it lies: written aside, read back, compared."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.export import second_reader
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import Staging, sha256_file
from napari_medlabel.io.nifti import reading as nifti
from napari_medlabel.io.nifti import write as nifti_write
from napari_medlabel.model.volume import Volume

_SUFFIXES: Final = (".nii.gz", ".nii")


@dataclass(frozen=True)
class SavedVolume:
    """A volume that is on the disk and was read back.

    Parameters
    ----------
    path : Path
        The NIfTI file.
    sha256 : str
        Hex digest of its bytes.
    bytes : int
        Its length.
    second_reader : str or None
        Name of the other program that read it and found the same; None where none can judge.
    """

    path: Path
    sha256: str
    bytes: int
    second_reader: str | None


def require_new(path: Path) -> None:
    """Refuse a target that exists or has a name that is not that of a NIfTI file.

    Raises
    ------
    InputError
        When it ends otherwise than in .nii or .nii.gz, or its folder does not exist.
    SaveError
        When it exists: nothing is overwritten.
    """
    name = path.name.lower()
    if not any(name.endswith(end) and len(name) > len(end) for end in _SUFFIXES):
        raise InputError(
            "A volume is written as a NIfTI file, .nii.gz or .nii; the name given ends "
            "otherwise.",
            hint="For example: scan.nii.gz",
        )
    if os.path.lexists(path):
        raise SaveError(
            "The target exists already, and nothing is overwritten.",
            hint="Choose another name, or move the file away.",
        )
    if not path.parent.is_dir():
        raise InputError(
            "The folder of the target does not exist.", hint="Make it first, or choose another."
        )


def pick_volume(volume: Volume, number: int) -> Volume:
    """Return one of several volumes on one grid.

    Parameters
    ----------
    volume : Volume
        With a further axis, or a single one.
    number : int
        Which one, counted from 1.

    Raises
    ------
    InputError
        When there is no such one.
    """
    count = 1 if volume.further is None else len(volume.further.values)
    if not 1 <= number <= count:
        raise InputError(
            f"There is no volume {number}: the series has {count}.",
            hint=f"Choose one from 1 to {count}.",
        )
    if volume.further is None:
        return volume
    array = np.asarray(volume.further.array[..., number - 1])
    return replace(volume, array=array, further=None)


def save_volume(path: Path, volume: Volume) -> SavedVolume:
    """Write a volume, read it back, compare it, and only then let it take its name.

    Parameters
    ----------
    path : Path
        ``*.nii.gz`` or ``*.nii`` that does not exist.
    volume : Volume
        One volume, several on one grid, or colours.

    Raises
    ------
    InputError, SaveError
        When the target is not acceptable, cannot be written, or does not read back the same.
    """
    require_new(path)
    found: list[tuple[str, int]] = []
    judged = second_reader.can_judge(volume)

    def check(aside: Path) -> None:
        compare_with_file(aside, volume)
        if judged:
            second_reader.require_agreement(aside, volume)
        found.append((sha256_file(aside), aside.stat().st_size))

    def write(aside: Path) -> None:
        nifti_write.write_volume_nifti(aside, volume)

    with Staging() as staging:
        staging.add(path, write, check=check)
        require_new(path)
        staging.publish()
    return SavedVolume(path, *found[0], second_reader.NAME if judged else None)


def compare_with_file(path: Path, volume: Volume) -> None:
    """Read a file and compare it with the volume it should hold.

    Raises
    ------
    SaveError
        When voxels or place differ.
    """
    try:
        back = nifti.load(path, hashes=False)
    except InputError as err:
        raise SaveError(
            "The volume could not be read back after writing.",
            hint="The disk or the network drive is faulty; save somewhere else.",
        ) from err
    place, there = (Grid(v.grid.shape, v.grid.affine) for v in (volume, back))
    reason = place.difference(there) or _difference(volume, back)
    if reason:
        raise SaveError(
            f"The volume did not read back as it was written: {reason}.",
            hint="The disk or the network drive is faulty; save somewhere else.",
        )


def _difference(volume: Volume, back: Volume) -> str:
    if volume.colour is not None:
        same = back.colour is not None and np.array_equal(volume.colour, back.colour)
        return "" if same else "colours differ"
    if volume.further is None:
        return "" if _same(volume.array, back.array) else "values differ"
    count = len(volume.further.values)
    if count == 1:
        return "" if _same(volume.further.array[..., 0], back.array) else "values differ"
    if back.further is None or len(back.further.values) != count:
        return "the number of volumes differs"
    pairs = ((volume.further.array[..., t], back.further.array[..., t]) for t in range(count))
    return "" if all(_same(one, other) for one, other in pairs) else "values differ"


def _same(one: Any, other: Any) -> bool:
    first, second = np.asarray(one), np.asarray(other)
    nan = first.dtype.kind == "f" and second.dtype.kind == "f"
    return bool(np.array_equal(first.T, second.T, equal_nan=nan))
