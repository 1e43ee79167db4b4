"""Masks of slices as COCO: back on the scan's grid, or refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError, InputError, SaveError
from napari_medlabel.export import coco
from napari_medlabel.export.coco import ANNOTATIONS, SliceCase, picture_name, save_coco
from napari_medlabel.export.read_back import as_scan
from napari_medlabel.geometry.axes import ORIENTATIONS
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.reading import kind_of_marks, read_marks
from napari_medlabel.model.boxes import Box3D
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.model.volume import Source, Volume
from tests.export.leaving import FINDINGS, ORGANS, TIME, findings, organs


@pytest.fixture
def written(make_grid: Callable[..., Grid], tmp_path: Path) -> tuple[Path, list[LabelMap]]:
    grid = make_grid("LPS", (6, 5, 4))
    layers = [organs(grid), findings(grid)]
    layers[0].array[:, :, 1] = 0
    layers[1].array[:, :, 1] = 0
    save_coco(tmp_path / "c", [SliceCase("a", tuple(layers))], time=TIME)
    return tmp_path / "c" / ANNOTATIONS, layers


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))
    return path


@given(
    codes=st.sampled_from(ORIENTATIONS),
    packing=st.sampled_from(["compressed", "uncompressed"]),
    each=st.booleans(),
)
@settings(max_examples=15)
def test_two_layers_come_back_in_all_orientations(
    codes: str, packing: str, each: bool, make_grid: Callable[..., Grid], tmp_path_factory
) -> None:
    grid = make_grid(codes, (5, 4, 3))
    layers = (organs(grid), findings(grid))
    folder = tmp_path_factory.mktemp("c") / "c"
    save_coco(folder, [SliceCase("a", layers)], time=TIME, packing=packing, each_part=each)
    first, second = read_marks(folder / ANNOTATIONS, as_scan(layers[0])).labels
    assert np.array_equal(first.array, layers[0].array)
    assert np.array_equal(second.array, layers[1].array)
    assert first.scheme.labels == tuple(replace(one, code=None) for one in ORGANS.labels[:2])


def test_a_box_has_an_empty_mask_on_each_of_its_slices_and_a_category(
    make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    labels, kind = organs(make_grid("LPS", (6, 5, 4))), Label(40, "Cyst", "#e69f00")
    box = Box3D(3, "cyst", (1, 2, 1), (4, 5, 3))
    case = SliceCase("a", (labels,), boxes=((box, kind),))
    save_coco(tmp_path / "c", [case], time=TIME)
    document = json.loads((tmp_path / "c" / ANNOTATIONS).read_bytes())
    found = [one for one in document["annotations"] if one["category_id"] == 40]
    assert [(one["image_id"], one["bbox"]) for one in found] == [
        (2, [1, 2, 3, 3]),
        (3, [1, 2, 3, 3]),
    ]
    (back,) = read_marks(tmp_path / "c" / ANNOTATIONS, as_scan(labels)).labels
    assert np.array_equal(back.array, labels.array)
    assert 40 not in back.scheme.values
    for wrong, words in (((box, Label(2, "Cyst", "#e69f00")), "different things"),
                         ((replace(box, stop=(9, 5, 3)), kind), "reaches out")):  # fmt: skip
        with pytest.raises((InputError, GeometryError), match=words):
            save_coco(tmp_path / "d", [replace(case, boxes=(wrong,))], time=TIME)


def test_every_slice_is_a_picture_and_spacing_stands_in_the_info(
    written: tuple[Path, list[LabelMap]],
) -> None:
    path, layers = written
    document = json.loads(path.read_bytes())
    case = document["info"]["medlabel"]["cases"]["a"]
    assert case["spacing_mm"] == pytest.approx([0.8, 0.9, 3.0])
    assert [one["medlabel"]["slice"] for one in document["images"]] == [0, 1, 2, 3]
    assert {(one["width"], one["height"]) for one in document["images"]} == {(6, 5)}
    assert not [one for one in document["annotations"] if one["image_id"] == 2]
    assert [one["id"] for one in document["categories"]] == [2, 5, 9, 7]
    for one in document["annotations"]:
        layer = next(m for m in layers if one["category_id"] in m.scheme.values)
        plane = layer.array[:, :, one["image_id"] - 1] == one["category_id"]
        i, j = np.nonzero(plane)
        assert one["area"] == len(i)
        assert one["bbox"] == [i.min(), j.min(), np.ptp(i) + 1, np.ptp(j) + 1]


def test_each_part_is_an_annotation_of_its_own(
    make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    labels = LabelMap.empty(make_grid(), FINDINGS)
    labels.array[1, 1, 0] = labels.array[2, 2, 0] = labels.array[7, 7, 0] = 7
    for each, count in ((False, 1), (True, 3)):
        folder = tmp_path / f"c{count}"
        case = SliceCase("a", (labels,))
        assert save_coco(folder, [case], time=TIME, each_part=each) == count


def test_pictures_are_windowed_slices_as_they_are_stored(
    make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    labels = organs(make_grid("LPS", (6, 5, 4)))
    stored = np.linspace(-200, 300, labels.grid.size, dtype=np.float32)
    scan = Volume(labels.grid, stored.reshape(4, 5, 6).T, Source("nifti", ()))
    save_coco(tmp_path / "c", [SliceCase("a", (labels,), scan, (-100.0, 100.0))], time=TIME)
    picture = imagecodecs.png_decode((tmp_path / "c" / picture_name("a", 2)).read_bytes())
    share = (scan.array[:, :, 2].T.astype(float) + 100) / 200
    assert np.array_equal(picture, np.rint(255 * share.clip(0, 1)))
    flat = replace(scan, array=np.zeros_like(scan.array))
    save_coco(tmp_path / "d", [SliceCase("a", (labels,), flat)], time=TIME)


def test_of_several_cases_the_one_on_this_scan_comes_back(
    make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    cases = [
        SliceCase(codes, (organs(make_grid(codes), n),))
        for n, codes in enumerate(("LPS", "RAS"))
    ]
    save_coco(tmp_path / "c", iter(cases), time=TIME)
    path = tmp_path / "c" / ANNOTATIONS
    for case in cases:
        back = read_marks(path, as_scan(case.layers[0])).labels[0]
        assert np.array_equal(back.array, case.layers[0].array)
    with pytest.raises(GeometryError, match="None of the 2 cases"):
        read_marks(path, as_scan(organs(make_grid("PIR"))))
    twins = [SliceCase(name, (organs(make_grid(), n),)) for n, name in enumerate("ab")]
    save_coco(tmp_path / "d", twins, time=TIME)
    with pytest.raises(InputError, match="which of them is meant"):
        read_marks(tmp_path / "d" / ANNOTATIONS, as_scan(twins[0].layers[0]))


def called(labels: LabelMap, name: str) -> Volume:
    """Return the scan of a mask, in a file of that name."""
    scan = as_scan(labels)
    return replace(scan, source=replace(scan.source, files=(Path(f"{name}.nii.gz"),)))


def test_of_several_cases_on_one_grid_the_one_of_the_scan_s_name_comes_back(
    make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    grid = make_grid("LPS", (6, 5, 4))
    one, two = organs(grid), organs(grid)
    two.array[:] = np.flip(one.array, 0)
    cases = [SliceCase("sub-001_ct", (one,)), SliceCase("sub-002_ct", (two,))]
    save_coco(tmp_path / "c", cases, time=TIME)
    file = tmp_path / "c" / ANNOTATIONS
    for name, mask in (("sub-001_ct", one), ("sub-002_ct", two)):
        for found in (
            read_marks(file, called(one, name)),
            read_marks(file, called(one, "scan"), case=name),
        ):
            assert np.array_equal(found.labels[0].array, mask.array)
            assert found.warnings == ()
    with pytest.raises(InputError, match="2 cases of the COCO file lie on a grid like"):
        read_marks(file, called(one, "scan"))


def test_a_case_of_another_name_is_refused_though_it_lies_on_the_same_grid(
    make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    labels = organs(make_grid("LPS", (6, 5, 4)))
    save_coco(tmp_path / "c", [SliceCase("sub-001_ct", (labels,))], time=TIME)
    file = tmp_path / "c" / ANNOTATIONS
    with pytest.raises(InputError, match="has the name of this one") as refused:
        read_marks(file, called(labels, "sub-002_ct"))
    assert "--from-case NAME" in refused.value.hint
    assert "sub-001" not in str(refused.value)
    with pytest.raises(InputError, match="has the name of this one"):
        read_marks(file, called(labels, "scan"), case="sub-002_ct")
    (words,) = read_marks(file, called(labels, "scan")).warnings
    assert "calls its case otherwise" in words
    elsewhere = organs(make_grid("LPS", (6, 5, 5)))
    with pytest.raises(GeometryError, match="case of that name"):
        read_marks(file, called(elsewhere, "sub-001_ct"))


def test_it_is_known_by_its_content_and_is_no_label_table(
    written: tuple[Path, list[LabelMap]], tmp_path: Path
) -> None:
    path, layers = written
    assert kind_of_marks(path) == "COCO"
    (tmp_path / "x.json").write_text('{"labels": {"background": 0, "images": 1}}')
    assert kind_of_marks(tmp_path / "x.json") is None
    (tmp_path / "y.json").write_text('{"images": [], "annotations": [], "categories": []}')
    assert kind_of_marks(tmp_path / "y.json") == "COCO"
    marks = read_marks([path, tmp_path / "x.json"], as_scan(layers[0]))
    assert marks.kind == "COCO"


def test_a_foreign_file_another_scan_and_polygons_are_refused(
    written: tuple[Path, list[LabelMap]], make_grid: Callable[..., Grid]
) -> None:
    path, layers = written
    scan = as_scan(layers[0])
    with pytest.raises(GeometryError, match="does not lie on this scan"):
        read_marks(path, as_scan(organs(make_grid("LPS", (6, 5, 5)))))
    changed(path, lambda d: d["annotations"][0].update(segmentation=[[0, 0, 1, 0, 1, 1]]))
    with pytest.raises(InputError, match="polygons"):
        read_marks(path, scan)
    changed(path, lambda d: d["info"].pop("medlabel"))
    with pytest.raises(GeometryError, match="on which slices of which scan"):
        read_marks(path, scan)


DAMAGE = {
    "a slice twice": (lambda d: d["images"][1]["medlabel"].update(slice=0), "stands twice"),
    "a slice beyond": (lambda d: d["images"][1]["medlabel"].update(slice=4), "no slice"),
    "another size": (lambda d: d["images"][1].update(width=7), "no slice"),
    "no counts": (lambda d: d["annotations"][0].update(segmentation={}), "lacks what"),
    "no pictures": (lambda d: d.pop("images"), "lacks what"),
    "a strange category": (lambda d: d["annotations"][0].update(category_id=77), "described"),
    "a category twice": (lambda d: d["categories"][0].update(id=5), "same number"),
    "a grid that is none": (
        lambda d: d["info"]["medlabel"]["cases"]["a"].update(shape_ijk="x"),
        "grid|damaged",
    ),
    "short counts": (
        lambda d: d["annotations"][0].update(segmentation={"counts": [3, 4]}),
        "run lengths",
    ),
    "counts of words": (
        lambda d: d["annotations"][0].update(segmentation={"counts": ["a"]}),
        "run lengths",
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_file_is_refused(what: str, written: tuple[Path, list[LabelMap]]) -> None:
    change, words = DAMAGE[what]
    path, layers = written
    changed(path, change)
    with pytest.raises(InputError, match=words):
        read_marks(path, as_scan(layers[0]))


def test_a_file_cut_off_is_refused(written: tuple[Path, list[LabelMap]]) -> None:
    path, layers = written
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="cut off"):
        read_marks(path, as_scan(layers[0]))


def test_what_cannot_be_written_leaves_nothing(
    make_grid: Callable[..., Grid], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = organs(make_grid())
    case = SliceCase("a", (labels,))
    with pytest.raises(InputError, match="stands twice"):
        save_coco(tmp_path / "c", [case, case], time=TIME)
    with pytest.raises(InputError, match="letters, digits"):
        save_coco(tmp_path / "c", [replace(case, name="../x")], time=TIME)
    other = LabelMap(
        labels.grid,
        labels.array,
        LabelScheme("x", (Label(2, "Else", "#000000"), Label(5, "b", "#000000"))),
    )
    with pytest.raises(InputError, match="means different things"):
        save_coco(tmp_path / "c", [case, SliceCase("b", (other,))], time=TIME)
    with pytest.raises(InputError, match="no case"):
        save_coco(tmp_path / "c", [], time=TIME)
    with pytest.raises(InputError, match="folder of the target"):
        save_coco(tmp_path / "no" / "c", [case], time=TIME)
    monkeypatch.setattr(coco, "pack", lambda counts: "")
    with pytest.raises(SaveError, match="did not read back"):
        save_coco(tmp_path / "c", [case], time=TIME)
    monkeypatch.undo()
    assert [one for one in tmp_path.iterdir() if "own-" not in one.name] == []
    (tmp_path / "c").mkdir()
    with pytest.raises(SaveError, match="exists already"):
        save_coco(tmp_path / "c", [case], time=TIME)
