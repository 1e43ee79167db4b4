"""Masks as files: on the scan's grid, named, compared, refused elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError, InputError, SaveError
from napari_medlabel.export.mask import (
    compare_with_file,
    load_mask,
    save_mask,
    sidecar_path,
)
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import ORIENTATIONS
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Source, Volume

SOURCE = Source("dicom", (Path("a"),), sha256=("00" * 32,))


def filled(grid: Grid, seed: int = 1) -> LabelMap:
    labels = LabelMap.empty(grid, presets.scheme("abdomen"))
    rng = np.random.default_rng(seed)
    labels.array[...] = rng.integers(0, 5, grid.shape, dtype=np.uint8)
    return labels


@given(codes=st.sampled_from(ORIENTATIONS), suffix=st.sampled_from([".nii", ".nii.gz"]))
def test_a_mask_comes_back_in_all_48_orientations(
    codes: str, suffix: str, make_grid: Callable[..., Grid], tmp_path_factory
) -> None:
    path = tmp_path_factory.mktemp("m") / f"mask{suffix}"
    labels = filled(make_grid(codes))
    save_mask(path, labels, SOURCE, time="t")
    again = load_mask(path, labels.grid, scheme=presets.scheme("regions"))
    assert np.array_equal(again.array, labels.array)
    # Independent of our reader: nibabel puts each corner at the same millimetre.
    image = nib.load(path)
    assert np.array_equal(np.asarray(image.dataobj), labels.array)
    apart = nib.affines.apply_affine(
        image.affine, [(0, 0, 0), (11, 9, 5)]
    ) - labels.grid.affine.apply([(0, 0, 0), (11, 9, 5)])
    assert np.abs(apart).max() < 1e-4


def test_the_scheme_comes_from_the_sidecar(tmp_path: Path, volume: Volume) -> None:
    labels = filled(volume.grid)
    save_mask(tmp_path / "m.nii.gz", labels, volume.source, time="t")
    again = load_mask(tmp_path / "m.nii.gz", volume.grid, scheme=presets.scheme("regions"))
    assert again.scheme == labels.scheme


def test_a_foreign_mask_gets_names_for_every_value(tmp_path: Path, volume: Volume) -> None:
    array = np.zeros(volume.grid.shape, np.int32)
    array[1, 1, 1], array[2, 2, 2] = 2, 77
    nib.save(nib.Nifti1Image(array, volume.grid.affine.matrix), tmp_path / "m.nii.gz")
    labels = load_mask(tmp_path / "m.nii.gz", volume.grid, scheme=presets.scheme("regions"))
    assert labels.scheme[77].name == "Label 77"
    assert labels.scheme[2].name == "Region 2"
    assert labels.array.dtype == np.uint8


def test_values_above_255_become_uint16(tmp_path: Path, volume: Volume) -> None:
    array = np.zeros(volume.grid.shape, np.int16)
    array[1, 1, 1] = 300
    nib.save(nib.Nifti1Image(array, volume.grid.affine.matrix), tmp_path / "m.nii")
    labels = load_mask(tmp_path / "m.nii", volume.grid, scheme=presets.scheme("regions"))
    assert labels.array.dtype == np.uint16
    assert labels.voxel_counts() == {300: 1}


def test_a_loaded_mask_is_a_copy_that_can_be_painted(tmp_path: Path, volume: Volume) -> None:
    save_mask(tmp_path / "m.nii", filled(volume.grid), volume.source, time="t")
    labels = load_mask(tmp_path / "m.nii", volume.grid, scheme=presets.scheme("regions"))
    labels.array[...] = 0
    save_mask(tmp_path / "m.nii", labels, volume.source, time="t")
    assert load_mask(tmp_path / "m.nii", volume.grid, scheme=labels.scheme).voxel_counts() == {}


def test_a_mask_of_another_place_is_refused(tmp_path: Path, volume: Volume) -> None:
    moved = volume.grid.affine.matrix.copy()
    moved[2, 3] += 0.5
    save_mask(
        tmp_path / "m.nii.gz", filled(Grid(volume.grid.shape, Affine(moved))), SOURCE, time="t"
    )
    with pytest.raises(GeometryError, match=r"corners lie up to 0\.5 mm apart"):
        load_mask(tmp_path / "m.nii.gz", volume.grid, scheme=presets.scheme("regions"))


def test_a_damaged_sidecar_is_said(tmp_path: Path, volume: Volume) -> None:
    save_mask(tmp_path / "m.nii.gz", filled(volume.grid), volume.source, time="t")
    (tmp_path / "m.json").write_text("{")
    with pytest.raises(InputError, match="sidecar"):
        load_mask(tmp_path / "m.nii.gz", volume.grid, scheme=presets.scheme("regions"))


def test_a_json_file_of_somebody_else_is_left_alone(tmp_path: Path, volume: Volume) -> None:
    save_mask(tmp_path / "m.nii.gz", filled(volume.grid), volume.source, time="t")
    (tmp_path / "m.json").write_text(json.dumps({"RepetitionTime": 2}))
    labels = load_mask(tmp_path / "m.nii.gz", volume.grid, scheme=presets.scheme("regions"))
    assert labels.scheme.name == "Regions 1 to 6"


@pytest.mark.parametrize("name", ["mask.nrrd", "mask", ".nii.gz", "mask.gz"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"\.nii\.gz or \.nii"):
        sidecar_path(Path(name))


@pytest.mark.parametrize("what", ["voxel", "place", "garbage"])
def test_each_way_of_not_reading_back_is_found(
    tmp_path: Path, volume: Volume, what: str
) -> None:
    labels = filled(volume.grid)
    path = tmp_path / "m.nii.gz"
    array, matrix = labels.array.copy(), volume.grid.affine.matrix.copy()
    if what == "voxel":
        array[3, 3, 3] ^= 1
    if what == "place":
        matrix[0, 3] += 1
    nib.save(nib.Nifti1Image(array, matrix), path)
    if what == "garbage":
        path.write_bytes(b"nothing")
    with pytest.raises(SaveError, match="read back"):
        compare_with_file(path, labels)


def test_a_wide_mask_with_small_values_reads_back(tmp_path: Path, volume: Volume) -> None:
    labels = LabelMap(
        volume.grid, filled(volume.grid).array.astype(np.uint16), presets.scheme("regions")
    )
    save_mask(tmp_path / "m.nii.gz", labels, volume.source, time="t")
    assert nib.load(tmp_path / "m.nii.gz").get_data_dtype() == np.uint16


def test_the_sidecar_tells_frames_where_a_file_holds_several(
    tmp_path: Path, volume: Volume
) -> None:
    planes = tuple((0, k) for k in range(volume.grid.shape[2]))
    one_file = replace(volume.source, planes=planes)
    save_mask(tmp_path / "m.nii.gz", filled(volume.grid), one_file, time="t")
    source = json.loads((tmp_path / "m.json").read_text())["source"]
    assert source["file_and_frame_of_slices"] == [list(plane) for plane in planes]
    slice_by_slice = replace(volume.source, planes=tuple((k, 0) for k, _ in enumerate(planes)))
    save_mask(tmp_path / "n.nii.gz", filled(volume.grid), slice_by_slice, time="t")
    source = json.loads((tmp_path / "n.json").read_text())["source"]
    assert "file_and_frame_of_slices" not in source


def test_pictures_are_not_measured_in_millilitres(tmp_path: Path, volume: Volume) -> None:
    labels = filled(volume.grid)
    save_mask(tmp_path / "m.nii.gz", labels, volume.source, time="t", slices="pictures")
    measured = json.loads((tmp_path / "m.json").read_text())["measured"]
    assert [row["volume_ml"] for row in measured] == [None] * len(measured)
    assert sum(row["voxels"] for row in measured) == np.count_nonzero(labels.array)
