"""Saving a mask: with all safety, and the bare writing, against nibabel.save."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _measure import Side, Work, main

from napari_medlabel import samples
from napari_medlabel.io.nifti.reading import read_labels_nifti
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Source

TIME = "2026-01-01T00:00:00Z"
LARGE = (512, 512, 400)


def mask(name: str) -> LabelMap:
    """Return the truth mask of the sample CT, or one of 512x512x400 made of its slices."""
    from napari_medlabel.geometry.grid import Grid

    array, grid = read_labels_nifti(samples.truth("ct_abdomen_mask.nii.gz"))
    values = [value for value in range(256) if (array == value).any()]
    if name == "large":
        planes = np.linspace(0, grid.shape[2] - 1, LARGE[2]).round().astype(int)
        array, grid = array.T[planes].T, Grid(LARGE, grid.affine)
    scheme = presets.scheme("abdomen").with_unnamed(values)
    return LabelMap(grid, array, scheme)


def safe(name: str, folder: Path) -> Side:
    """Write aside, sync, read back, compare, hash, sidecar, rename, sync the folder."""
    from napari_medlabel.export.mask import save_mask

    labels = mask(name)
    target = folder / f"safe-{name}"
    target.mkdir(exist_ok=True)
    source = Source("dicom", ())

    def run(_number: int) -> None:
        save_mask(target / "mask.nii.gz", labels, source, time=TIME)

    return Side(run)


def bare(name: str, folder: Path) -> Side:
    """Only write the file."""
    from napari_medlabel.io.nifti.write import write_mask_nifti

    labels = mask(name)
    path = folder / f"bare-{name}.nii.gz"

    def run(_number: int) -> None:
        write_mask_nifti(path, labels.array, None, False, labels.grid.affine)

    return Side(run, before=lambda _: path.unlink(missing_ok=True))


def whole(folder: Path) -> Side:
    """Do what the key F2 does: snapshot, version, mask, landmarks and the line in the log."""
    from tempfile import mkdtemp

    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.opening import Wishes, open_case
    from napari_medlabel.session.saving import save

    own = Path(mkdtemp(dir=folder))
    desk = open_desk(own / "audit", state=own / "state")
    wishes = Wishes(
        presets.scheme("abdomen"),
        presets.template("abdomen"),
        folder=own / "case",
        mask=samples.truth("ct_abdomen_mask.nii.gz"),
        landmarks=samples.truth("ct_abdomen_landmarks.mrk.json"),
    )
    session = open_case([samples.path("ct_abdomen")], desk, wishes, fallback=own)

    def change(number: int) -> None:
        value = np.uint8(1 + number % 2)
        box = (slice(200, 240), slice(200, 240), slice(20, 22))
        session.edit(box, np.full((40, 40, 2), value), name="Paint")

    def done() -> None:
        session.close(discard=True)
        desk.log.close()

    return Side(lambda _: _drop(save(session)), change, done)


def _drop(_result: object) -> None:
    """Let go of a report: a side returns seconds or nothing."""


def nibabel_save(name: str, folder: Path) -> Side:
    """Save as people do: replaced in place, not synced, not read back."""
    import nibabel as nib

    labels = mask(name)
    path = folder / f"nibabel-{name}.nii.gz"
    affine: Any = labels.grid.affine.matrix

    def run(_number: int) -> None:
        nib.save(nib.Nifti1Image(labels.array, affine), path)

    return Side(run, before=lambda _: path.unlink(missing_ok=True))


def _work(words: str, ours: Any, name: str, goal: float, repeats: int) -> Work:
    return Work(words, ours, "nibabel.save", partial(nibabel_save, name), goal, repeats)


SAMPLE, PHANTOM = "512x512x48, .nii.gz", "512x512x400, .nii.gz"
WORKS = (
    _work(f"bare writing, {SAMPLE}", partial(bare, "sample"), "sample", 3, 7),
    _work(f"bare writing, {PHANTOM}", partial(bare, "large"), "large", 3, 3),
    _work(f"saving with all safety, {SAMPLE}", partial(safe, "sample"), "sample", 0.33, 7),
    _work(f"saving with all safety, {PHANTOM}", partial(safe, "large"), "large", 0.33, 3),
    _work(
        f"the whole of F2: also versions, log, landmarks, {SAMPLE}", whole, "sample", 0.33, 7
    ),
)

if __name__ == "__main__":
    main(__file__, WORKS)
