"""The scan of a saved mask is found again by its hashes, and only that one counts."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.session import mask_scan
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.mask_scan import values_under
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.saved_mask import MaskFile, find_mask
from napari_medlabel.session.saving import save
from tests.io.scans import voxels, write_series


@pytest.fixture
def mask(desk: Desk, tmp_path: Path) -> MaskFile:
    """Return a mask on a DICOM series, saved where nobody said otherwise."""
    write_series(tmp_path / "scans" / "ct", voxels(3))
    opened = open_case([tmp_path / "scans" / "ct"], desk, Wishes(), fallback=tmp_path)
    box = (slice(1, 3), slice(2, 4), slice(0, 1))
    opened.edit(box, np.ones((2, 2, 1), np.uint8), name="Square")
    save(opened)
    opened.close()
    return find_mask(opened.place.folder)


def test_the_scan_beside_a_mask_is_found(mask: MaskFile, tmp_path: Path) -> None:
    found = values_under(mask)
    assert found
    assert found == values_under(mask, tmp_path / "scans" / "ct")
    one = sorted((tmp_path / "scans" / "ct").iterdir())[1]
    assert set(values_under(mask, one)) == set(found)


def test_another_scan_does_not_count(mask: MaskFile, scan: Path, tmp_path: Path) -> None:
    for elsewhere in (scan, tmp_path / "nothing"):
        with pytest.raises(InputError, match="was not found there"):
            values_under(mask, elsewhere)


def test_a_scan_that_lies_elsewhere_must_be_named(mask: MaskFile, tmp_path: Path) -> None:
    (tmp_path / "scans" / "ct").rename(tmp_path / "away")
    with pytest.raises(InputError, match="was not found") as caught:
        values_under(mask)
    assert "--scan" in caught.value.hint
    assert values_under(mask, tmp_path / "away")
    moved = tmp_path / "alone"
    shutil.copytree(mask.path.parent, moved)
    with pytest.raises(InputError, match="was not found"):
        values_under(find_mask(moved))


def test_only_so_many_files_are_looked_at_unasked(
    mask: MaskFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scans" / "a").write_bytes(b"1")
    monkeypatch.setattr(mask_scan, "_MOST", 1)
    with pytest.raises(InputError, match="was not found"):
        values_under(mask)
    assert values_under(mask, tmp_path / "scans")


def test_formats_without_such_fields_need_no_scan(scan: Path, mask: MaskFile) -> None:
    mask.sidecar["source"]["format"] = "nifti"
    assert values_under(mask) == ()
