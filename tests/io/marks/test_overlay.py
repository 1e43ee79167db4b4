"""Overlays of a scan's own files as masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.marks.reading import read_overlays
from napari_medlabel.model.volume import Source, Volume
from tests.io.marks_made import ROOT, base, save, scan

CT = "1.2.840.10008.5.1.4.1.1.2"


def image(
    k: int, rows: int = 7, columns: int = 9, dtype: str = "<u2", frames: int = 1
) -> pydicom.Dataset:
    ds = base(CT)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = f"{ROOT}1.{k + 1}"
    ds.Rows, ds.Columns = rows, columns
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.PixelData = np.zeros(rows * columns * frames, dtype).tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def overlay(
    ds: pydicom.Dataset, bits: np.ndarray, group: int = 0x6000, **extra: Any
) -> pydicom.Dataset:
    """Add an overlay of bits (rows, columns) or (frames, rows, columns)."""
    shape = bits.shape[-2:]
    ds.add_new((group, 0x0010), "US", shape[0])
    ds.add_new((group, 0x0011), "US", shape[1])
    ds.add_new((group, 0x0040), "CS", extra.get("kind", "R"))
    ds.add_new((group, 0x0050), "SS", list(extra.get("origin", (1, 1))))
    ds.add_new((group, 0x0100), "US", 1)
    ds.add_new((group, 0x0102), "US", 0)
    if bits.ndim == 3:
        ds.add_new((group, 0x0015), "IS", len(bits))
        ds.add_new((group, 0x0051), "US", extra.get("first", 1))
    if "label" in extra:
        ds.add_new((group, 0x1500), "LO", extra["label"])
    raw = np.packbits(bits.ravel(), bitorder="little").tobytes()
    ds.add_new((group, 0x3000), "OW", raw + b"\0" * (len(raw) % 2))
    return ds


def scan_of(files: list[pydicom.Dataset], folder: Path, planes: Any = None) -> Volume:
    paths = tuple(save(ds, folder / f"{n}.dcm") for n, ds in enumerate(files))
    planes = planes or tuple((n, 0) for n in range(len(paths)))
    volume = scan(shape=(9, 7, len(planes)))
    return replace(volume, source=Source("dicom", paths, planes=planes))


def bits(seed: int = 0, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).random(shape or (7, 9)) > 0.5


def test_an_overlay_becomes_a_label_on_its_slice(tmp_path: Path) -> None:
    drawn = bits()
    files = [image(0), overlay(image(1), drawn, label="Lesion"), image(2)]
    marks = read_overlays(scan_of(files, tmp_path))
    (labels,) = marks.labels
    assert marks.kind == "overlay"
    assert labels.scheme[1].name == "Lesion"
    assert np.array_equal(labels.array[:, :, 1] == 1, drawn.T)
    assert labels.voxel_counts() == {1: int(drawn.sum())}
    assert marks.warnings == ()


def test_a_scan_without_overlays_or_not_of_dicom_has_none(tmp_path: Path) -> None:
    volume = scan_of([image(0)], tmp_path)
    assert read_overlays(volume).labels == ()
    nifti = replace(volume, source=Source("nifti", volume.source.files))
    assert read_overlays(nifti).labels == ()


def test_two_overlays_that_overlap_are_two_layers_and_drawings_are_said(tmp_path: Path) -> None:
    ds = overlay(image(0), bits(1))
    overlay(ds, bits(2), 0x6002, kind="G")
    marks = read_overlays(scan_of([ds], tmp_path))
    assert [one.scheme.labels[0].name for one in marks.labels] == [
        "Overlay 1 (region)",
        "Overlay 2 (graphics)",
    ]
    assert np.array_equal(marks.labels[1].array[:, :, 0] == 2, bits(2).T)
    assert any("drawings" in w for w in marks.warnings)


@pytest.mark.parametrize("origin", [(2, 3), (-1, 0), (6, 8)])
def test_an_overlay_with_an_origin_is_moved_and_cut_at_the_border(
    origin: tuple[int, int], tmp_path: Path
) -> None:
    drawn = np.ones((4, 5), bool)
    marks = read_overlays(scan_of([overlay(image(0), drawn, origin=origin)], tmp_path))
    expected = np.zeros((20, 20), bool)
    row, column = origin[0] - 1 + 5, origin[1] - 1 + 5
    expected[row : row + 4, column : column + 5] = True
    assert np.array_equal(marks.labels[0].array[:, :, 0] == 1, expected[5:12, 5:14].T)
    reaches_out = origin != (2, 3)
    assert any(" out of its image; " in w for w in marks.warnings) == reaches_out


def test_an_overlay_in_unused_bits_of_the_pixels_is_found(tmp_path: Path) -> None:
    drawn = bits(4)
    ds = image(0)
    values = np.arange(63, dtype="<u2").reshape(7, 9) | (drawn.astype("<u2") << 14)
    ds.PixelData = values.tobytes()
    overlay(ds, drawn)
    del ds[0x60003000]
    ds[0x60000100].value, ds[0x60000102].value = 16, 14
    marks = read_overlays(scan_of([ds], tmp_path))
    assert np.array_equal(marks.labels[0].array[:, :, 0] == 1, drawn.T)


def test_an_overlay_that_is_announced_and_not_there_is_an_empty_label(tmp_path: Path) -> None:
    ds = overlay(image(0), bits())
    del ds[0x60003000]
    (labels,) = read_overlays(scan_of([ds], tmp_path)).labels
    assert (labels.voxel_counts(), labels.scheme.values) == ({}, (1,))


def test_overlays_of_some_frames_lie_on_those_slices(tmp_path: Path) -> None:
    drawn = bits(5, 2, 7, 9)
    ds = overlay(image(0, frames=4), drawn, first=2)
    planes = ((0, 3), (0, 2), (0, 1), (0, 0))
    array = read_overlays(scan_of([ds], tmp_path, planes)).labels[0].array
    assert np.array_equal(array[:, :, 1] == 1, drawn[1].T)
    assert np.array_equal(array[:, :, 2] == 1, drawn[0].T)
    assert not array[:, :, [0, 3]].any()


def test_a_damaged_overlay_is_refused_and_names_its_file_by_number(tmp_path: Path) -> None:
    ds = overlay(image(1), bits())
    ds[0x60003000].value = b"\1\2"
    with pytest.raises(InputError, match=r"overlay of file 2 of 2 is cut off"):
        read_overlays(scan_of([image(0), ds], tmp_path))
    ds = overlay(image(0), bits())
    ds[0x60000010].value = 0
    with pytest.raises(InputError, match=r"overlay of file 1 of 1 is damaged"):
        read_overlays(scan_of([ds], tmp_path))


def test_an_overlay_on_the_sheet_of_a_mosaic_is_left_out_and_said(tmp_path: Path) -> None:
    ds = overlay(image(0, rows=14), bits())
    marks = read_overlays(scan_of([ds], tmp_path))
    assert marks.labels == ()
    assert marks.warnings[0].startswith("Overlays of 1 files lie on images that are no slices")


def test_missing_slices_and_cancelling_are_minded(tmp_path: Path) -> None:
    volume = scan_of([overlay(image(0), bits())], tmp_path, ((0, 0), (-1, -1)))
    told: list[tuple[int, int]] = []
    marks = read_overlays(volume, progress=lambda *args: told.append(args))
    assert not marks.labels[0].array[:, :, 1].any()
    assert told == [(1, 2), (2, 2)]
