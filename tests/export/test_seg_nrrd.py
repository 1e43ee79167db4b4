"""Slicer's segmentations: the same layers, names, codes and places for Slicer, ITK and us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError, InputError, SaveError
from napari_medlabel.export import seg_nrrd
from napari_medlabel.export.read_back import as_scan
from napari_medlabel.export.seg_nrrd import save_seg_nrrd, terminology_entry
from napari_medlabel.export.segments import SegmentCoding, coding_of
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import ORIENTATIONS
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.model.labelmap import Code, Label, LabelMap, LabelScheme
from tests.export.leaving import FINDINGS, ORGANS, findings, organs


@given(codes=st.sampled_from(ORIENTATIONS), oblique=st.booleans())
@settings(max_examples=15)
def test_two_layers_come_back_in_all_orientations_and_itk_agrees(
    codes: str, oblique: bool, make_grid: Callable[..., Grid], tmp_path_factory
) -> None:
    grid = make_grid(codes, (5, 4, 3))
    if oblique:
        turn = np.eye(4)
        turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
        grid = Grid(grid.shape, Affine(turn @ grid.affine.matrix))
    layers = [organs(grid), findings(grid)]
    path = tmp_path_factory.mktemp("n") / "m.seg.nrrd"
    save_seg_nrrd(path, layers)
    first, second = read_marks(path, as_scan(layers[0])).labels
    assert np.array_equal(first.array, layers[0].array)
    assert np.array_equal(second.array, layers[1].array)
    image = SimpleITK.ReadImage(str(path))
    stored = SimpleITK.GetArrayFromImage(image)
    for n, one in enumerate(layers):
        assert np.array_equal(stored[..., n], one.array.T)
    corner = np.array(image.TransformIndexToPhysicalPoint((4, 3, 2))) * (-1, -1, 1)
    assert np.allclose(corner, grid.affine.apply((4, 3, 2)), atol=1e-9)


def test_values_names_colours_codes_and_sides_come_back(
    make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    grid = make_grid()
    odd = Label(300, "Back\\slash\nnot a line", "#010203")
    scheme = LabelScheme("x", (*ORGANS.labels, odd))
    labels = LabelMap.empty(grid, scheme)
    labels.array[1, 2, 3], labels.array[2, 2, 3] = 300, 5
    save_seg_nrrd(tmp_path / "m.seg.nrrd", [labels])
    back = read_marks(tmp_path / "m.seg.nrrd", as_scan(labels)).labels[0]
    assert np.array_equal(back.array, labels.array)
    assert [(one.value, one.colour) for one in back.scheme.labels] == [
        (one.value, one.colour) for one in scheme.labels
    ]
    assert [one.code for one in back.scheme.labels][:2] == [one.code for one in ORGANS.labels][
        :2
    ]
    assert back.scheme[300].name == "Back\\slash not a line"


def test_the_header_says_what_slicer_asks_for(
    make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    labels = organs(make_grid("LPS", (6, 5, 4)))
    labels.array[...] = 0
    labels.array[1:3, 2, 0:4] = 5
    save_seg_nrrd(tmp_path / "m.seg.nrrd", [labels])
    head = (tmp_path / "m.seg.nrrd").read_bytes().split(b"\n\n")[0].decode().splitlines()
    assert "Segment1_Extent:=1 2 2 2 0 3" in head
    assert "Segment0_Extent:=0 -1 0 -1 0 -1" in head
    assert "Segment1_LabelValue:=5" in head
    assert "Segment1_Layer:=0" in head
    assert "Segmentation_MasterRepresentation:=Binary labelmap" in head
    entry = terminology_entry(coding_of(ORGANS[5]))
    assert f"Segment1_Tags:=TerminologyEntry:{entry}|" in head
    assert entry.count("~") == 6
    assert "SCT^64033007^Kidney~SCT^24028007^Right" in entry


def test_signs_of_the_terminology_never_stand_in_a_meaning() -> None:
    code = Code("SCT", "1", "a^b~c|d")
    entry = terminology_entry(SegmentCoding(code, code))
    assert entry.count("~") == 6
    assert "SCT^1^a b c d" in entry


def test_equal_masks_give_equal_bytes(make_grid: Callable[..., Grid], tmp_path: Path) -> None:
    digests = {save_seg_nrrd(tmp_path / f"{n}.seg.nrrd", [organs(make_grid())]) for n in "ab"}
    assert len(digests) == 1


def test_what_cannot_be_written_is_refused(
    make_grid: Callable[..., Grid], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = organs(make_grid())
    path = tmp_path / "m.seg.nrrd"
    with pytest.raises(InputError, match=r"\.seg\.nrrd file"):
        save_seg_nrrd(tmp_path / "m.nrrd", [labels])
    with pytest.raises(InputError, match="none came"):
        save_seg_nrrd(path, [])
    with pytest.raises(GeometryError, match="does not lie on this scan"):
        save_seg_nrrd(path, [labels, findings(make_grid("RAS"))])
    with pytest.raises(InputError, match="occur in two label maps"):
        save_seg_nrrd(path, [labels, labels])
    bare = LabelMap(labels.grid, labels.array, FINDINGS)
    with pytest.raises(InputError, match="2 values of the mask have no label"):
        save_seg_nrrd(path, [bare])
    header = seg_nrrd._header
    monkeypatch.setattr(seg_nrrd, "_header", lambda g, *rest: header(moved(g), *rest))
    with pytest.raises(SaveError, match="did not read back"):
        save_seg_nrrd(path, [labels])
    monkeypatch.undo()
    save_seg_nrrd(path, [labels])
    with pytest.raises(SaveError, match="exists already"):
        save_seg_nrrd(path, [labels])
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["m.seg.nrrd"]


def moved(grid: Grid) -> Grid:
    matrix = grid.affine.matrix.copy()
    matrix[0, 3] += 1.0
    return replace(grid, affine=Affine(matrix))
