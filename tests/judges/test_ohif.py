"""OHIF's own reading code puts each voxel and each contour on the image where ours is.

It runs when ``npm install && npm run build`` was done in ``tests/judges/ohif``: make judges.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.measure import grid_points_in_poly

from napari_medlabel.export.dicom_seg import save_dicom_seg
from napari_medlabel.export.rtstruct import save_rtstruct
from napari_medlabel.model.volume import Volume
from tests.export.leaving import findings, made, organs, series

READER = Path(__file__).parent / "ohif" / "node_modules" / ".judge" / "read.cjs"
SHAPE = (8, 6, 4)
"""Frames of whole bytes: of others it refuses the byte that PS3.5 8.1.1 pads with."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not READER.is_file() or shutil.which("node") is None,
        reason="OHIF's code is not installed: make judges",
    ),
]


def shown(path: Path, scan: Volume) -> Any:
    """Return what it would show of an object over a scan's images."""
    words = ["node", READER, path, *scan.source.files]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr[:2000]
    return json.loads(ran.stdout)


def voxels(found: Any, scan: Volume) -> dict[int, np.ndarray]:
    """Return what it has of each segment, shape (i, j, k), by number."""
    slices = {uid: k for k, uid in enumerate(scan.source.sop_instance_uids)}
    columns, rows, _ = scan.grid.shape
    out = {one["number"]: np.zeros(scan.grid.shape, bool) for one in found["segments"]}
    for uid, data in found["frames"]:
        frame = np.frombuffer(base64.b64decode(data), np.uint8).reshape(rows, columns).T
        for number in np.unique(frame[frame > 0]):
            out[int(number)][:, :, slices[uid]] |= frame == number
    return out


@pytest.mark.parametrize("codes", ["LPS", "RAI", "PIR", "ASL", "oblique"])
def test_a_segmentation_has_every_voxel_on_its_image(codes: str, tmp_path: Path) -> None:
    is_oblique = codes == "oblique"
    letters = "LPS" if is_oblique else codes
    scan = series(tmp_path / "s", letters, oblique=is_oblique, shape=SHAPE)
    mask = organs(scan.grid)
    for kind in ("BINARY", "LABELMAP"):
        saved = save_dicom_seg(tmp_path / f"{kind}.dcm", [mask], scan, made(), kind=kind)
        found = shown(saved.path, scan)
        read = voxels(found, scan)
        names = {one["number"]: one["name"] for one in found["segments"]}
        for label in mask.scheme.labels:
            number = saved.numbers[label.value]
            assert names[number] == label.name
            assert np.array_equal(read[number], mask.array == label.value), (kind, label.value)
        assert not found["overlap"]


def test_segments_that_overlap_are_all_there(tmp_path: Path) -> None:
    scan = series(tmp_path / "s", oblique=True, shape=SHAPE)
    layers = [organs(scan.grid), findings(scan.grid)]
    saved = save_dicom_seg(tmp_path / "m.dcm", layers, scan, made())
    found = shown(saved.path, scan)
    read = voxels(found, scan)
    assert found["overlap"]
    for layer in layers:
        for label in layer.scheme.labels:
            number = saved.numbers[label.value]
            assert np.array_equal(read[number], layer.array == label.value)


@pytest.mark.parametrize("codes", ["LPS", "PIR", "oblique"])
def test_contours_of_a_structure_set_enclose_the_same_voxels(
    codes: str, tmp_path: Path
) -> None:
    is_oblique = codes == "oblique"
    letters = "LPS" if is_oblique else codes
    scan = series(tmp_path / "s", letters, oblique=is_oblique)
    layers = [organs(scan.grid), findings(scan.grid)]
    save_rtstruct(tmp_path / "m.dcm", layers, scan, made())
    slices = {uid: k for k, uid in enumerate(scan.source.sop_instance_uids)}
    found = {one["number"]: one for one in shown(tmp_path / "m.dcm", scan)}
    assert {n: one["name"] for n, one in found.items()} == {
        2: "Liver",
        5: "Right kidney",
        7: "Lesion",
    }
    for number, one in found.items():
        filled = np.zeros(scan.grid.shape, bool)
        for uid, kind, count, numbers in one["contours"]:
            points = np.array(numbers).reshape(-1, 3)
            assert (kind, count) == ("CLOSED_PLANAR", len(points))
            index = scan.grid.affine.to_index(points * (-1, -1, 1))
            k = slices[uid]
            assert np.allclose(index[:, 2], k, atol=1e-4)
            filled[:, :, k] ^= grid_points_in_poly(scan.grid.shape[:2], index[:, :2])
        assert np.array_equal(filled, layers[number == 7].array == number)
