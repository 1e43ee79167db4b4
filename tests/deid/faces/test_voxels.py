"""Faces out of NIfTI voxels."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.deid.faces.brain_masks import NO_MASKS, BrainMasks, read_masks
from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.faces.store import Verdict
from napari_medlabel.deid.faces.voxels import Defaced, deface_nifti_voxels
from tests.deid.head_phantom import Scanned, as_mr, grid_around, scanned


@cache
def head() -> Scanned:
    return scanned(*grid_around())


def header_of(
    array: np.ndarray,
    matrix: np.ndarray,
    scaling: tuple[float, float] = (1, 0),
    kind: str = "<",
) -> bytes:
    header = nib.Nifti1Header(endianness=kind)
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header.set_sform(matrix, 1)
    header["pixdim"][1:4] = np.linalg.norm(matrix[:3, :3], axis=0)
    header["scl_slope"], header["scl_inter"] = scaling
    header["xyzt_units"] = 2
    header["magic"] = b"n+1"
    header["vox_offset"] = 352
    return header.binaryblock


def blanked(
    array: np.ndarray,
    masks: BrainMasks = NO_MASKS,
    scaling: tuple[float, float] = (1, 0),
    kind: str = "<",
) -> tuple[Defaced, np.ndarray]:
    header = header_of(array, head().matrix, scaling, kind)
    done = deface_nifti_voxels(header, array.tobytes(order="F"), masks)
    stored = np.frombuffer(done.voxels, array.dtype)
    return done, stored.reshape(array.shape, order="F")


def doubt(array: np.ndarray, matrix: np.ndarray | None = None, **changed: bytes) -> Doubt:
    header = header_of(array, head().matrix if matrix is None else matrix)
    voxels = changed.get("voxels", array.tobytes(order="F"))
    with pytest.raises(FaceUnsure) as caught:
        deface_nifti_voxels(changed.get("header", header), voxels)
    return caught.value.doubt


@pytest.fixture
def masks(tmp_path: Path) -> BrainMasks:
    image = nib.Nifti1Image(head().brain.astype(np.uint8), head().matrix)
    nib.save(image, tmp_path / "brain.nii.gz")
    return read_masks(tmp_path)


@pytest.mark.parametrize("kind", ["<", ">"])
def test_a_ct_is_known_by_its_values_and_filled_with_air(kind: str) -> None:
    scan = head()
    array = scan.hu.astype(f"{kind}i2")
    done, out = blanked(array, kind=kind)
    assert done.verdict == Verdict.DONE
    changed = out != array
    assert (out[changed] == -1000).all()
    assert (out[scan.parts["nose"]] == -1000).all()
    np.testing.assert_array_equal(out[scan.brain], array[scan.brain])


@pytest.mark.parametrize(
    ("dtype", "scaling", "air"),
    [("u2", (1.0, -1024.0), 24), ("f4", (1.0, 0.0), -1000), ("i2", (2.0, -500.0), -250)],
)
def test_scaling_is_kept_and_air_is_stored_by_it(
    dtype: str, scaling: tuple[float, float], air: int
) -> None:
    slope, intercept = scaling
    hu = ((head().hu - intercept) / slope).astype(dtype)
    done, out = blanked(hu, scaling=scaling)
    assert (out[head().parts["nose"]] == air).all()
    assert len(done.voxels) == hu.nbytes


def test_an_mr_needs_a_mask_and_all_its_volumes_are_blanked(masks: BrainMasks) -> None:
    image = as_mr(head())
    assert doubt(image) == Doubt.NEEDS_MASK
    several = np.stack([image, image // 2], axis=3)
    _, out = blanked(several, masks)
    nose = head().parts["nose"]
    assert (out[nose] == 0).all()
    np.testing.assert_array_equal(out[head().brain], several[head().brain])


def test_a_trunk_and_a_thin_slab_pass_as_they_are() -> None:
    i, j = (np.arange(110) * 4.0 - 220)[:, None], np.arange(90) * 4.0 - 180
    body = np.where((i / 170) ** 2 + (j / 120) ** 2 <= 1, 40, -1000)
    body = np.where((i / 20) ** 2 + (j / 20) ** 2 <= 1, 600, body)
    trunk = (body[:, :, None] * np.ones(12)).astype(np.int16)
    matrix = np.diag([4.0, 4.0, 5.0, 1.0])
    header = header_of(trunk, matrix)
    done = deface_nifti_voxels(header, trunk.tobytes(order="F"))
    assert done == Defaced(trunk.tobytes(order="F"), Verdict.NO_FACE)
    slab = as_mr(head())[:, :, 40:44]
    done, out = blanked(slab)
    assert done.verdict == Verdict.NO_FACE
    np.testing.assert_array_equal(out, slab)


def test_what_cannot_be_understood_is_refused() -> None:
    image = as_mr(head())
    assert doubt(image, header=b"no header") == Doubt.NOT_A_VOLUME
    assert doubt(image, voxels=bytes(12)) == Doubt.NOT_A_VOLUME
    assert doubt(image.astype(np.complex64)) == Doubt.NOT_A_VOLUME
    colours = np.zeros((6, 5, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert doubt(colours) == Doubt.COLOUR
    raw = bytearray(header_of(image, head().matrix))
    raw[252:256] = bytes(4)
    assert doubt(image, header=bytes(raw)) == Doubt.NOT_A_VOLUME
