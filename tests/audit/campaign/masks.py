"""Kill, or cut the power of, a program that saves a mask over its earlier version."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from napari_medlabel.export.mask import save_mask
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import LabelMap, LabelScheme
from napari_medlabel.model.volume import Source
from tests.audit.campaign.figure import Figure
from tests.audit.campaign.kill import killed
from tests.audit.campaign.power import Disk, Told, acknowledged_before

SHAPE = (64, 64, 24)
_SCHEME = LabelScheme("Labels", ()).with_unnamed(range(1, 202))
Save = Callable[[Path, int], None]


def numbered(number: int) -> np.ndarray:
    """Return a mask that carries its number, shape `SHAPE`."""
    array = np.zeros(SHAPE, np.uint8)
    array[number % 64, number // 64 % 64] = 1 + number % 200
    array[0, 0, :2] = number & 255, number >> 8
    return array


def save(path: Path, number: int) -> None:
    """Save as the program does: aside, synced, read back, renamed."""
    labels = LabelMap(Grid(SHAPE, Affine(np.eye(4))), numbered(number).T.copy().T, _SCHEME)
    save_mask(path, labels, Source("nrrd", (), ()), time="2026-11-22T12:00:00Z")


def save_plain(path: Path, number: int) -> None:
    """Save over the file itself: what must not be done."""
    nib.save(nib.Nifti1Image(numbered(number), np.eye(4)), path)


def _is_lost(path: Path, told: int) -> bool:
    """Return whether the file is broken, or older than what was promised."""
    try:
        found = np.asanyarray(nib.load(path).dataobj)
    except (OSError, EOFError, ValueError, nib.filebasedimages.ImageFileError):
        return True
    number = int(found[0, 0, 0]) | int(found[0, 0, 1]) << 8
    return number < told or not np.array_equal(found, numbered(number))


def _saving(path: Path, how: Save) -> Callable[[Told], None]:
    def act(told: Told) -> None:
        number = 0
        while True:
            number += 1
            how(path, number)
            told(number)

    return act


def kills(folder: Path, count: int, how: Save = save, *, control: bool = False) -> Figure:
    """Kill `count` programs that save."""
    what = "kill -9 while a mask is saved over its earlier version"
    result = Figure(f"control: {what}, without writing aside" if control else what, control)
    rng, begun = random.Random(3), time.perf_counter()  # noqa: S311 - times to wait
    folder.mkdir(parents=True)
    for number in range(count):
        path = folder / f"{number}.nii.gz"
        how(path, 0)
        told = killed(_saving(path, how), 0.01 + rng.random() * 0.08)
        result.runs += 1
        result.acknowledged += told
        result.lost += _is_lost(path, told)
        for left in folder.iterdir():
            left.unlink()
    result.seconds = time.perf_counter() - begun
    return result


def cuts(folder: Path, count: int, how: Save = save, *, control: bool = False) -> Figure:
    """Cut the power of `count` programs that save."""
    what = "power cut while a mask is saved over its earlier version (ext4)"
    result = Figure(f"control: {what}, without sync" if control else what, control)
    rng, begun = random.Random(5), time.perf_counter()  # noqa: S311 - times to wait
    disk = Disk(folder)
    try:
        for _ in range(count):
            disk.empty()
            path = disk.mount / "mask.nii.gz"
            save(path, 0)
            told = acknowledged_before(disk, _saving(path, how), 0.03 + rng.random() * 0.12)
            result.runs += 1
            result.acknowledged += told
            result.lost += _is_lost(path, told)
    finally:
        disk.detach()
    result.seconds = time.perf_counter() - begun
    return result
