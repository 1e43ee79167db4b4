"""Reading and writing compressed NIfTI, against nibabel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import series_factory as factory
from _measure import Side, Work, main

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.nifti.reading import read_labels_nifti
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.io.registry import read_volume
from napari_medlabel.samples import truth

SHAPE = (512, 512, 200)
AFFINE = np.diag([0.7, 0.7, 1.5, 1.0])


def scan() -> np.ndarray:
    """Return a CT-like phantom, int16, (i, j, k)."""
    different = np.stack(list(factory.planes(40, SHAPE[1], SHAPE[0]))).astype(np.int16)
    return different[np.arange(SHAPE[2]) % len(different)].T


def mask() -> np.ndarray:
    """Return the truth mask of the sample CT, its slices repeated, uint8, (i, j, k)."""
    array, _grid = read_labels_nifti(truth("ct_abdomen_mask.nii.gz"))
    chosen = np.linspace(0, array.shape[2] - 1, SHAPE[2]).round().astype(int)
    return np.ascontiguousarray(array.T[chosen]).T


def prepare(folder: Path) -> None:
    """Write the phantom as nibabel does, and compare what both read."""
    import nibabel as nib

    nib.save(nib.Nifti1Image(scan(), AFFINE), folder / "scan.nii.gz")
    if not np.array_equal(read_volume(folder / "scan.nii.gz").array, scan()):
        raise SystemExit("The readers disagree about the voxels.")


def ours_read(hashes: bool, folder: Path) -> Side:
    path = folder / "scan.nii.gz"
    return Side(lambda _: _drop(read_volume(path, hashes=hashes).array))


def nibabel_read(folder: Path) -> Side:
    """Read the stored numbers; get_fdata would turn them into 64 bits as well."""
    import nibabel as nib

    return Side(lambda _: _drop(np.asarray(nib.load(folder / "scan.nii.gz").dataobj)))


def ours_written(folder: Path) -> tuple[Path, Callable[[int], None]]:
    """Return the path, and what writes the mask there."""
    path, array, affine = folder / "ours.nii.gz", mask(), Affine(AFFINE)
    return path, lambda _: write_mask_nifti(path, array, None, False, affine)


def nibabel_written(folder: Path) -> tuple[Path, Callable[[int], None]]:
    """Return the path, and what writes the mask there."""
    import nibabel as nib

    path, array = folder / "theirs.nii.gz", mask()
    return path, lambda _: nib.save(nib.Nifti1Image(array, AFFINE), path)


Written = Callable[[Path], tuple[Path, Callable[[int], None]]]


def timed(written: Written, folder: Path) -> Side:
    path, run = written(folder)
    return Side(run, before=lambda _: path.unlink(missing_ok=True))


def sized(written: Written, folder: Path) -> Side:
    """Measure kilobytes instead of seconds."""
    path, write = written(folder)

    def run(number: int) -> float:
        path.unlink(missing_ok=True)
        write(number)
        return path.stat().st_size / 1e3

    return Side(run)


def _drop(_result: object) -> None:
    """Let go of what was read: a side returns seconds or nothing."""


SIZE = "x".join(map(str, SHAPE))
MASK = f"mask of {SIZE}, .nii.gz"
WORKS = (
    Work(
        f"reading {SIZE}, 16 bit, .nii.gz",
        partial(ours_read, False),
        "nibabel",
        nibabel_read,
        2,
        4,
    ),
    Work(
        f"reading {SIZE}, 16 bit, .nii.gz, with SHA-256",
        partial(ours_read, True),
        "nibabel",
        nibabel_read,
        None,
        3,
    ),
    Work(
        f"writing a {MASK}",
        partial(timed, ours_written),
        "nibabel.save",
        partial(timed, nibabel_written),
        4,
        5,
    ),
    Work(
        f"size of a {MASK}",
        partial(sized, ours_written),
        "nibabel.save",
        partial(sized, nibabel_written),
        1,
        1,
        unit="kB",
    ),
)

if __name__ == "__main__":
    main(__file__, WORKS, prepare)
