"""Faces of a batch: head scans found among files, and masks by instance."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage, MRImageStorage

from napari_medlabel.deid.faces.doubt import Doubt
from napari_medlabel.deid.faces.plan import plan_faces
from napari_medlabel.deid.faces.store import FaceStore, Verdict
from napari_medlabel.errors import InputError
from tests.deid.head_phantom import Scanned, as_mr, grid_around, scanned

ROOT = "1.3.6.1.4.1.99999.7."
MakeCt = Callable[..., Dataset]
AsFile = Callable[..., bytes]


@cache
def head() -> Scanned:
    """A head on a grid of LPS axes, as DICOM has it."""
    shape, matrix = grid_around((3.0, 3.0, 4.0))
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    flip[:2, 3] = np.array(shape[:2]) - 1
    return scanned(shape, matrix @ flip)


def placed(
    number: int, k: int, matrix: np.ndarray, shape: tuple[int, ...]
) -> dict[str, object]:
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix
    position = lps[:3, 3] + k * lps[:3, 2]
    return {
        "Rows": shape[1],
        "Columns": shape[0],
        "ImagePositionPatient": [f"{v:.4f}" for v in position],
        "PixelSpacing": ["3", "3"],
        "SliceThickness": "4",
        "BodyPartExamined": "HEAD",
        "BitsStored": 16,
        "HighBit": 15,
        "InstanceNumber": str(number),
    }


@pytest.fixture
def write(tmp_path: Path, ct: MakeCt, as_file: AsFile) -> Callable[..., list[Path]]:
    """Write slices of a scan; keywords overwrite attributes."""
    folder = tmp_path / "in"
    folder.mkdir()

    def make(
        array: np.ndarray, skip: tuple[int, ...] = (), start: int = 0, **changed: object
    ) -> list[Path]:
        paths = []
        for k in range(array.shape[2]):
            if k in skip:
                continue
            attributes = placed(start + k, k, head().matrix, array.shape) | changed
            ds = ct(start + k, **attributes)
            ds.PixelData = array[:, :, k].T.astype("<u2").tobytes()
            paths.append(folder / f"{start + k}.dcm")
            paths[-1].write_bytes(as_file(ds))
        return paths

    return make


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    folder = tmp_path / "staging"
    folder.mkdir()
    return folder


def stored() -> np.ndarray:
    return (head().hu + 1024).astype(np.uint16)


def uid(k: int) -> str:
    return f"{ROOT}4.{k}"


def only(store: FaceStore, paths: list[Path]) -> tuple[Verdict, Doubt | None]:
    """What is said of all slices alike."""
    said = {
        (store.verdict_for(uid(int(p.stem))), store.doubt_for(uid(int(p.stem)))) for p in paths
    }
    assert len(said) == 1
    return said.pop()


def test_a_head_ct_gets_a_mask_for_each_slice(write, staging: Path) -> None:
    told: list[tuple[int, int]] = []
    paths = write(stored())
    before = [p.read_bytes() for p in paths]
    store = plan_faces(paths, staging, progress=lambda *at: told.append(at))
    assert only(store, paths) == (Verdict.DONE, None)
    masks = [store.masks_for(uid(int(p.stem))) for p in paths]
    assert all(mask is not None and mask.shape == (1, *stored().shape[1::-1]) for mask in masks)
    mask = np.stack([m[0].T for m in masks if m is not None], axis=2)
    assert mask[head().parts["nose"]].all()
    assert not mask[head().brain].any()
    assert [p.read_bytes() for p in paths] == before
    assert told[-1] == (2 * len(paths), 2 * len(paths))


def test_slices_in_any_order_of_files_and_position_get_their_own_masks(
    write, staging: Path
) -> None:
    paths = write(stored())
    first = plan_faces(paths, staging)
    wanted = [first.masks_for(uid(int(p.stem))) for p in paths]
    other = staging / "again"
    other.mkdir()
    second = plan_faces(reversed(paths), other)
    for path, mask in zip(paths, wanted, strict=True):
        np.testing.assert_array_equal(second.masks_for(uid(int(path.stem))), mask)


def test_other_parts_and_modalities_are_no_heads(write, staging: Path) -> None:
    paths = write(stored()[:, :, :3], BodyPartExamined="CHEST")
    paths += write(stored()[:, :, :3], start=100, SeriesInstanceUID=ROOT + "9", Modality="US")
    assert only(plan_faces(paths, staging), paths) == (Verdict.NOT_A_HEAD, None)


def test_missing_slices_are_a_doubt(write, staging: Path) -> None:
    paths = write(stored(), skip=(20, 41))
    assert only(plan_faces(paths, staging), paths) == (Verdict.UNSURE, Doubt.MISSING_SLICES)


def test_an_unnamed_trunk_shows_no_face(write, staging: Path) -> None:
    i, j = (np.arange(130) * 3.0 - 195)[:, None], np.arange(100) * 3.0 - 150
    body = np.where((i / 170) ** 2 + (j / 120) ** 2 <= 1, 1064, 24)
    body[60:66, 50:56] = 1700
    trunk = body[:, :, None] * np.ones(8, dtype=np.uint16)
    paths = write(trunk, BodyPartExamined="")
    assert only(plan_faces(paths, staging), paths) == (Verdict.NO_FACE, None)


def test_a_few_slices_show_no_face_unless_others_of_the_patient_do(
    write, staging: Path
) -> None:
    few = write(stored()[:, :, 20:23])
    assert only(plan_faces(few, staging), few) == (Verdict.NO_FACE, None)
    far = write(
        stored()[:, :, 20:22],
        start=100,
        SeriesInstanceUID=ROOT + "9",
        ImagePositionPatient=["0", "0", "300"],
    )
    store = plan_faces(few + far, staging)
    assert store.verdict_for(uid(1)) == Verdict.UNSURE


def test_pictures_without_a_place_are_a_doubt(write, staging: Path) -> None:
    paths = write(stored()[:, :, :1])
    import pydicom

    ds = pydicom.dcmread(paths[0])
    del ds.ImagePositionPatient, ds.ImageOrientationPatient
    ds.save_as(paths[0])
    assert only(plan_faces(paths, staging), paths) == (Verdict.UNSURE, Doubt.NOT_A_VOLUME)


def test_files_that_cannot_be_read_are_a_doubt(write, staging: Path) -> None:
    paths = write(stored())
    for path in paths:
        path.write_bytes(path.read_bytes()[:-40])
    verdict, _ = only(plan_faces(paths, staging), paths)
    assert verdict == Verdict.UNSURE


def test_an_mr_is_done_with_a_mask_and_unsure_without(
    write, staging: Path, tmp_path: Path
) -> None:
    paths = write(
        as_mr(head()), Modality="MR", SOPClassUID=MRImageStorage, RescaleIntercept="0"
    )
    assert only(plan_faces(paths, staging), paths) == (Verdict.UNSURE, Doubt.NEEDS_MASK)
    masks = tmp_path / "masks"
    masks.mkdir()
    nib.save(nib.Nifti1Image(head().brain.astype(np.uint8), head().matrix), masks / "m.nii.gz")
    store = plan_faces(paths, staging, brain_masks=masks)
    assert only(store, paths) == (Verdict.DONE, None)


def test_colours_are_a_doubt(write, staging: Path) -> None:
    grey = stored()[:, :, :8]
    rgb = np.repeat((grey // 16).astype(np.uint8)[..., None], 3, axis=3)
    paths = write(grey)
    import pydicom

    for k, path in enumerate(paths):
        ds = pydicom.dcmread(path)
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 3, "RGB"
        ds.PlanarConfiguration = 0
        ds.BitsAllocated = ds.BitsStored = 8
        ds.HighBit = 7
        ds.PixelData = rgb[:, :, k].transpose(1, 0, 2).tobytes()
        ds.save_as(path)
    assert only(plan_faces(paths, staging), paths) == (Verdict.UNSURE, Doubt.COLOUR)


def test_frames_of_one_file_get_their_own_masks(
    ct: MakeCt, as_file: AsFile, staging: Path, tmp_path: Path
) -> None:
    array = stored()
    shape = array.shape
    ds = ct(1, **placed(1, 0, head().matrix, shape))
    ds.SOPClassUID = EnhancedCTImageStorage
    del ds.ImagePositionPatient, ds.ImageOrientationPatient, ds.PixelSpacing
    del ds.RescaleIntercept, ds.RescaleSlope, ds.SliceThickness
    ds.NumberOfFrames = shape[2]
    shared, frames = Dataset(), []
    orientation, measures, values = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    measures.PixelSpacing, measures.SliceThickness = ["3", "3"], "4"
    values.RescaleIntercept, values.RescaleSlope, values.RescaleType = "-1024", "1", "HU"
    shared.PlaneOrientationSequence = Sequence([orientation])
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PixelValueTransformationSequence = Sequence([values])
    for k in range(shape[2]):
        frame, position = Dataset(), Dataset()
        position.ImagePositionPatient = placed(k, k, head().matrix, shape)[
            "ImagePositionPatient"
        ]
        frame.PlanePositionSequence = Sequence([position])
        frames.append(frame)
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    ds.PixelData = array.T.astype("<u2").tobytes()
    path = tmp_path / "enhanced.dcm"
    path.write_bytes(as_file(copy.deepcopy(ds)))
    store = plan_faces([path], staging)
    assert store.verdict_for(uid(1)) == Verdict.DONE
    masks = store.masks_for(uid(1))
    assert masks is not None
    assert masks.shape == array.T.shape
    assert masks.transpose(2, 1, 0)[head().parts["nose"]].all()
    assert not masks.transpose(2, 1, 0)[head().brain].any()


def test_segmentations_are_no_heads_and_other_files_are_unsure(
    write, staging: Path, tmp_path: Path
) -> None:
    paths = write(
        stored()[:, :, :1], SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4", Modality="SEG"
    )
    text = tmp_path / "a.txt"
    text.write_text("no image")
    store = plan_faces([*paths, text], staging)
    assert only(store, paths) == (Verdict.NOT_A_HEAD, None)
    assert store.verdict_for("1.2") == Verdict.UNSURE


def test_a_part_that_cannot_be_read_may_be_a_head(
    write, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write(stored()[:, :, 20:23], BodyPartExamined="CHEST")

    def broken(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr("pydicom.dcmread", broken)
    assert only(plan_faces(paths, staging), paths) == (Verdict.NO_FACE, None)


def test_a_series_whose_pixels_cannot_be_read_is_unsure(
    write, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write(stored()[:, :, :8])

    def broken(*_: object, **__: object) -> None:
        raise InputError("The pixels are broken.")

    monkeypatch.setattr("napari_medlabel.io.dicom.reading.load", broken)
    assert only(plan_faces(paths, staging), paths) == (Verdict.UNSURE, Doubt.NOT_A_VOLUME)
