"""Invented scans and masks that leave: a DICOM series in any orientation, two layers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from napari_medlabel.export.dicom_parts import Made
from napari_medlabel.geometry.axes import orientation_matrix
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model.labelmap import Code, Label, LabelMap, LabelScheme
from napari_medlabel.model.volume import Volume
from tests.io.scans import orientation_of, write_series

TIME = datetime(2026, 11, 22, 12, 30, 15, tzinfo=UTC)
ORGANS = LabelScheme(
    "Organs",
    (
        Label(2, "Liver", "#d65f5f", Code("SCT", "10200004", "Liver")),
        Label(5, "Right kidney", "#00ff12", Code("SCT", "64033007", "Kidney", "right")),
        Label(9, "Nothing there", "#112233"),
    ),
)
FINDINGS = LabelScheme(
    "Findings", (Label(7, "Lesion", "#ffee00", Code("SCT", "52988006", "Lesion")),)
)
# What a real series has besides: without these no writer could be blamed for their lack.
HEADER = {
    "StudyDate": "20260101",
    "StudyTime": "120000",
    "AccessionNumber": "",
    "PatientSex": "O",
    "PatientBirthDate": "",
    "StudyID": "1",
    "ReferringPhysicianName": "",
    "Manufacturer": "",
    "PositionReferenceIndicator": "",
    "SliceThickness": 2.5,
}
OBLIQUE = (0.9, 0.43588989, 0.0, -0.43588989, 0.9, 0.0)


def made(number: int = 1) -> Made:
    """Return names and time of a new object."""
    return Made(f"2.25.{1000 + number}", f"2.25.{2000 + number}", TIME)


def series(
    folder: Path,
    codes: str = "LPS",
    *,
    oblique: bool = False,
    shape: tuple[int, int, int] = (7, 6, 4),
) -> Volume:
    """Write and read a series of noise whose i and j grow as the letters say."""
    columns, rows, slices = shape
    stored = np.random.default_rng(3).integers(-900, 900, (slices, rows, columns), np.int16)
    orientation = OBLIQUE if oblique else orientation_of(codes)
    step = None
    if not oblique:
        step = 2.5 * np.array([-1.0, -1.0, 1.0]) * orientation_matrix(codes)[:, 2]
    write_series(folder, stored, orientation=orientation, step=step, **HEADER)
    return read_volume(folder)


def organs(grid: Grid, seed: int = 1) -> LabelMap:
    """Return a noisy mask: every kind of hole, corner and island."""
    labels = LabelMap.empty(grid, ORGANS)
    rng = np.random.default_rng(seed)
    labels.array[...] = rng.choice(np.array([0, 0, 2, 2, 5], np.uint8), grid.shape)
    return labels


def findings(grid: Grid, seed: int = 2) -> LabelMap:
    """Return a mask that overlaps the organs."""
    labels = LabelMap.empty(grid, FINDINGS)
    rng = np.random.default_rng(seed)
    labels.array[...] = rng.choice(np.array([0, 7, 7], np.uint8), grid.shape)
    return labels
