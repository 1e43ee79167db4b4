"""Scans and masks as training sets want them: one grid, plain NIfTI, labels 1, 2, 3, ...

Each file is written with the header of its own scan, read back and compared; image and mask end
with the same affine, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.export.naming import require_token
from napari_medlabel.export.read_back import not_the_same
from napari_medlabel.export.segments import renumbered
from napari_medlabel.export.volume import compare_with_file
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import Staging
from napari_medlabel.io.nifti.reading import inspect, read_labels_nifti
from napari_medlabel.io.nifti.write import write_mask_nifti, write_volume_nifti
from napari_medlabel.model.labelmap import LabelMap, LabelScheme
from napari_medlabel.model.volume import Volume

ENDING: Final = ".nii.gz"
IMAGES, LABELS, TESTS, TEST_LABELS = "imagesTr", "labelsTr", "imagesTs", "labelsTs"


@dataclass(frozen=True, eq=False)
class TrainingCase:
    """A scan on its way into a training set.

    Parameters
    ----------
    name : str
        Letters, digits, dash and underscore; never a patient's name.
    channels : tuple of Volume
        The scan, or several on one grid, always in the same order.
    labels : LabelMap or None
        The mask; None only of a test case.
    unresolved : ndarray of bool, shape (i, j, k), or None
        Voxels of which nobody knows what they are.
    is_test : bool
        Whether it is kept apart for the test.
    fold : int or None
        Which fold of a cross-validation it belongs to, from 0.
    """

    name: str
    channels: tuple[Volume, ...]
    labels: LabelMap | None = None
    unresolved: npt.NDArray[np.bool_] | None = None
    is_test: bool = False
    fold: int | None = None


@dataclass(frozen=True)
class Numbers:
    """Which number each label has in a training set.

    Parameters
    ----------
    of : dict of int to int
        From 1 without a gap, in the scheme's order, for each value of the scheme.
    names : dict of str to int
        The same by name, ``background`` first.
    ignore : int
        The number after the last: voxels that do not count.
    """

    of: dict[int, int]
    names: dict[str, int]
    ignore: int


def consecutive(scheme: LabelScheme) -> Numbers:
    """Return the numbers of a scheme's labels in a training set.

    Parameters
    ----------
    scheme : LabelScheme
        All labels, also those that no case has.

    Raises
    ------
    InputError
        When there are none, or one has a name that the format keeps for itself.
    """
    if not scheme.labels:
        raise InputError("The scheme has no labels.", hint="Choose another scheme.")
    names = {"background": 0}
    for n, label in enumerate(scheme.labels, 1):
        if label.name in ("background", "ignore"):
            raise InputError(
                "Labels of a training set are not called background or ignore: these words "
                "have a meaning there.",
                hint="Rename the label.",
            )
        names[label.name] = n
    of = {label.value: n for n, label in enumerate(scheme.labels, 1)}
    return Numbers(of, names, len(scheme.labels) + 1)


def require_case(case: TrainingCase, numbers: Numbers, channels: int) -> None:
    """Refuse a case that a training set cannot hold.

    Parameters
    ----------
    case : TrainingCase
        The case.
    numbers : Numbers
        Of the set.
    channels : int
        How many channels each case has.

    Raises
    ------
    InputError
        When channels or labels are missing, not finite, or not in the scheme.
    GeometryError
        When channels and mask lie on different grids.
    """
    require_token(case.name, "case")
    if len(case.channels) != channels:
        raise InputError(
            f"Each case has {channels} channels; one has {len(case.channels)}.",
            hint="Give every case the same channels in the same order.",
        )
    first = case.channels[0]
    place = Grid(first.grid.shape, first.grid.affine)
    for one in case.channels:
        _require_plain(one)
        place.require_same(Grid(one.grid.shape, one.grid.affine), what="channel")
    if case.labels is None:
        if case.is_test:
            return
        raise InputError("A training case has no mask.", hint="Make it a test case.")
    place.require_same(Grid(case.labels.grid.shape, case.labels.grid.affine), what="mask")
    strange = set(case.labels.voxel_counts()) - set(numbers.of)
    if strange:
        raise InputError(
            f"{len(strange)} values of a mask are not in the scheme.",
            hint="Export with the scheme that the masks were made with.",
        )
    if case.unresolved is not None and case.unresolved.shape != place.shape:
        raise InputError(
            "The unresolved voxels have another shape than the mask.",
            hint="Make them on the mask's grid.",
        )


def _require_plain(volume: Volume) -> None:
    if volume.further is not None or volume.colour is not None:
        raise InputError(
            "A channel is a volume of single numbers; this one has several volumes or colours.",
            hint="Give each volume as a channel of its own.",
        )
    if volume.array.dtype.kind == "f" and not np.isfinite(volume.array).all():
        raise InputError(
            "A scan holds values that are no finite numbers, which a training cannot use.",
            hint="Replace them in the scan first.",
        )


def write_channel(path: Path, volume: Volume) -> None:
    """Write one channel, whole or not at all, and compare it with what it reads back.

    Raises
    ------
    SaveError
        When it cannot be written or reads back otherwise.
    """
    _write(
        path,
        lambda aside: write_volume_nifti(aside, volume),
        lambda aside: compare_with_file(aside, volume),
    )


def training_array(case: TrainingCase, numbers: Numbers) -> npt.NDArray[Any]:
    """Return a case's mask (i, j, k) in a set's numbers, unresolved voxels as ``ignore``."""
    if case.labels is None:
        raise InputError("The case has no mask.", hint="Make it a test case.")
    out = renumbered(case.labels, numbers.of)
    if case.unresolved is not None and case.unresolved.any():
        if numbers.ignore > np.iinfo(out.dtype).max:
            out = np.array(out.T, dtype=np.uint16, order="C").T
        out[case.unresolved] = numbers.ignore
    return out


def write_labels(path: Path, array: npt.NDArray[Any], scan: Volume) -> None:
    """Write a mask on its scan's own header, and compare it with what it reads back.

    Parameters
    ----------
    path : Path
        A NIfTI file.
    array : ndarray of uint8 or uint16, shape (i, j, k)
        The mask.
    scan : Volume
        The first channel.

    Raises
    ------
    SaveError
        When it cannot be written or reads back otherwise.
    """

    def check(aside: Path) -> None:
        try:
            back, grid = read_labels_nifti(aside)
        except InputError as err:
            raise not_the_same("mask") from err
        place = Grid(scan.grid.shape, scan.grid.affine)
        if place.difference(grid) or not np.array_equal(back.T, array.T):
            raise not_the_same("mask")

    source = scan.source
    _write(
        path,
        lambda aside: write_mask_nifti(
            aside, array, source.header, source.big_endian, scan.grid.affine
        ),
        check,
    )


def require_equal_places(image: Path, mask: Path) -> None:
    """Compare the headers of an image and its mask.

    Raises
    ------
    SaveError
        When their shapes or affines are not equal bit for bit.
    """
    one, other = inspect(image).grid, inspect(mask).grid
    if one.shape != other.shape or one.affine != other.affine:
        raise not_the_same("mask")


def _write(path: Path, write: Callable[[Path], None], check: Callable[[Path], None]) -> None:
    with Staging() as staging:
        staging.add(path, write, check=check)
        staging.publish()
