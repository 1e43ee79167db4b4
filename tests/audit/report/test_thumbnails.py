"""Pictures of versions: small, colours of labels alone, and what one version alone tells."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.format.layout import object_file
from napari_medlabel.audit.report.deeds import LateChange
from napari_medlabel.audit.report.thumbnails import MOST_SLICES, pictures, with_pictures
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.nifti.write import write_mask_nifti
from tests.audit.report.lines import ANNA, PATIENT, at, digest

SHAPE = (30, 20, 8)


def _labels(*boxes: tuple[int, int, int]) -> np.ndarray:
    """Return labels with a block of a value on a slice, for each (slice, value, width)."""
    array = np.zeros(SHAPE, dtype=np.uint8)
    for k, value, width in boxes:
        array[5 : 5 + width, 4:10, k] = value
    return array


def _change(old: int, new: int, **more: object) -> LateChange:
    given: dict[str, object] = {
        "voxels_added": 30,
        "voxels_removed": 0,
        "event": "mask.save",
        "old": digest(old) if old else "",
        "new": digest(new) if new else "",
    }
    return LateChange(
        at_ms=at(9),
        user=ANNA,
        subject=PATIENT,
        case="",
        before=None,
        after=None,
        dice_milli=None,
        reason="",
        reapproved=False,
        **{**given, **more},  # type: ignore[arg-type]
    )


def _keep(
    root: Path, number: int, array: np.ndarray, steps: tuple[float, ...] = (1.0, 1.0, 2.0, 1.0)
) -> None:
    path = root / object_file(digest(number))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_mask_nifti(path, array, None, False, Affine(np.diag(steps)))


def _image(uri: str) -> np.ndarray:
    from PIL import Image

    prefix = "data:image/png;base64,"
    assert uri.startswith(prefix)
    with Image.open(io.BytesIO(base64.b64decode(uri.removeprefix(prefix)))) as image:
        return np.array(image.convert("RGB"))


def test_two_versions_give_counts_overlap_and_pictures(tmp_path: Path) -> None:
    _keep(tmp_path, 1, _labels((2, 1, 5)))
    _keep(tmp_path, 2, _labels((2, 1, 10)))
    fact = with_pictures(_change(1, 2), tmp_path)
    assert (fact.before, fact.after) == (30, 60)
    assert fact.dice_milli == 2000 * 30 // 90
    (uri,) = fact.thumbnails
    assert len(uri) < 2000


def test_another_label_at_the_same_place_is_no_overlap(tmp_path: Path) -> None:
    _keep(tmp_path, 1, _labels((2, 1, 5)))
    _keep(tmp_path, 2, _labels((2, 3, 5)))
    assert with_pictures(_change(1, 2), tmp_path).dice_milli == 0


def test_two_empty_versions_overlap_wholly(tmp_path: Path) -> None:
    _keep(tmp_path, 1, _labels())
    _keep(tmp_path, 2, _labels())
    fact = with_pictures(_change(1, 2), tmp_path)
    assert (fact.dice_milli, fact.thumbnails) == (1000, ())


@pytest.mark.parametrize(("kept", "before", "after"), [(1, 30, 60), (2, 0, 30)])
def test_one_version_alone_tells_both_counts(
    tmp_path: Path, kept: int, before: int, after: int
) -> None:
    _keep(tmp_path, kept, _labels((2, 1, 5)))
    fact = with_pictures(_change(1, 2), tmp_path)
    assert (fact.before, fact.after, fact.dice_milli) == (before, after, None)
    assert fact.thumbnails == ()


def test_one_version_and_all_counts_tell_the_overlap_too(tmp_path: Path) -> None:
    before, after = _labels((2, 1, 5), (3, 1, 5)), _labels((2, 1, 7), (3, 2, 3))
    counts = {
        "voxels_added": int(np.count_nonzero((before == 0) & (after > 0))),
        "voxels_removed": int(np.count_nonzero((before > 0) & (after == 0))),
        "voxels_changed": int(np.count_nonzero(before != after)),
    }
    _keep(tmp_path, 1, before)
    told = with_pictures(_change(1, 2, **counts), tmp_path)
    _keep(tmp_path, 2, after)
    compared = with_pictures(_change(1, 2), tmp_path)
    assert told.dice_milli == compared.dice_milli == 2000 * 30 // 120


def test_a_deleted_mask_has_nothing_after(tmp_path: Path) -> None:
    _keep(tmp_path, 1, _labels((2, 1, 5)))
    fact = with_pictures(_change(1, 0, event="mask.delete", voxels_added=0), tmp_path)
    assert (fact.before, fact.after) == (30, 0)


def test_without_versions_or_with_a_damaged_one_nothing_is_said(tmp_path: Path) -> None:
    change = _change(1, 2)
    assert with_pictures(change, tmp_path) == change
    path = tmp_path / object_file(digest(1))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no mask")
    assert with_pictures(change, tmp_path) == change


def test_versions_of_different_shape_are_counted_and_not_compared(tmp_path: Path) -> None:
    _keep(tmp_path, 1, _labels((2, 1, 5)))
    _keep(tmp_path, 2, _labels((2, 1, 10))[:, :, :4])
    fact = with_pictures(_change(1, 2), tmp_path)
    assert (fact.before, fact.after, fact.dice_milli) == (30, 60, None)


def test_landmarks_have_no_pictures(tmp_path: Path) -> None:
    change = _change(1, 2, event="landmark.save")
    assert with_pictures(change, tmp_path) is change


def test_the_slices_that_changed_most_are_shown_in_order() -> None:
    before = _labels()
    after = _labels((1, 1, 2), (3, 1, 9), (5, 1, 4), (7, 1, 6))
    shown = pictures(before, after)
    assert len(shown) == MOST_SLICES
    widths = [np.count_nonzero((_image(uri) == (86, 180, 233)).all(axis=2)) for uri in shown]
    assert widths[0] > widths[2] > widths[1]  # slices 3, 5, 7, each scaled to its box


def test_a_picture_has_before_left_and_after_right() -> None:
    (uri,) = pictures(_labels((2, 1, 5)), _labels((2, 2, 5)))
    image = _image(uri)
    half = image.shape[1] // 2
    assert (86, 180, 233) in {tuple(map(int, one)) for one in image[:, :half].reshape(-1, 3)}
    assert (230, 159, 0) in {tuple(map(int, one)) for one in image[:, half:].reshape(-1, 3)}
    assert (image[:, half] == 255).all()


def test_a_large_slice_is_made_small_and_high_values_have_colours() -> None:
    before = np.zeros((600, 500, 1), dtype=np.uint16)
    after = before.copy()
    after[10:590, 10:490, 0] = 300
    (uri,) = pictures(before, after)
    assert max(_image(uri).shape) <= 2 * 120 + 4


@pytest.mark.parametrize("steps", [(1.0, 1.0), (-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0)])
def test_however_a_mask_is_stored_the_patients_right_is_on_the_left(
    tmp_path: Path, steps: tuple[float, float]
) -> None:
    marks = np.zeros(SHAPE, dtype=np.uint8)
    marks[2, 2, 3] = 1  # right and back
    marks[20, 15, 3] = 2  # left and front
    stored = marks[:: -1 if steps[0] > 0 else 1, :: 1 if steps[1] > 0 else -1]
    _keep(tmp_path, 1, np.zeros(SHAPE, dtype=np.uint8), (*steps, 2.0, 1.0))
    _keep(tmp_path, 2, np.ascontiguousarray(stored), (*steps, 2.0, 1.0))
    (uri,) = with_pictures(_change(1, 2), tmp_path).thumbnails
    image = _image(uri)
    right = np.argwhere((image == (86, 180, 233)).all(axis=2)).mean(axis=0)
    left = np.argwhere((image == (230, 159, 0)).all(axis=2)).mean(axis=0)
    assert right[1] < left[1]  # the patient's right is on the left
    assert right[0] > left[0]  # the back is below
