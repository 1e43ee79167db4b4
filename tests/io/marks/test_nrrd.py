"""Slicer's segmentations: layers, names, colours and codes on their scan."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.io.marks.reading import kind_of_marks, read_marks
from napari_medlabel.model.volume import Volume
from tests.io.marks_made import scan

TAGS = (
    "Segmentation.Status:inprogress|TerminologyEntry:General~SCT^123037004^Anatomical~"
    "SCT^10200004^Liver~^^~Anatomic codes~^^~^^|"
)
PACK = {"raw": bytes, "gzip": gzip.compress, "bzip2": bz2.compress}


def write(
    path: Path,
    volume: Volume,
    layers: list[np.ndarray],
    segments: list[dict[str, Any]],
    *,
    encoding: str = "gzip",
    start: tuple[int, int, int] = (0, 0, 0),
    **fields: str,
) -> Path:
    """Write layers (i, j, k) as 3D Slicer does, beginning at a voxel of the scan."""
    lps = volume.grid.affine.lps
    origin = lps[:3, :3] @ start + lps[:3, 3]
    vectors = " ".join(f"({','.join(repr(float(v)) for v in lps[:3, n])})" for n in range(3))
    sizes = " ".join(str(n) for n in layers[0].shape)
    many = len(layers) > 1
    head = {
        "type": {"u1": "unsigned char", "u2": "unsigned short", "i2": "short"}[
            layers[0].dtype.str[1:]
        ],
        "dimension": "4" if many else "3",
        "space": "left-posterior-superior",
        "sizes": f"{len(layers)} {sizes}" if many else sizes,
        "space directions": f"none {vectors}" if many else vectors,
        "kinds": ("list " if many else "") + "domain domain domain",
        "endian": "little",
        "encoding": encoding,
        "space origin": f"({','.join(repr(float(v)) for v in origin)})",
        **{key.replace("_", " "): value for key, value in fields.items()},
    }
    lines = ["NRRD0004", "# Complete NRRD file format specification at:"]
    lines += [f"{key}: {value}" for key, value in head.items() if value]
    for n, segment in enumerate(segments):
        lines += [f"Segment{n}_{key}:={value}" for key, value in segment.items()]
    lines.append("Segmentation_MasterRepresentation:=Binary labelmap")
    data = np.stack(layers).transpose(3, 2, 1, 0) if many else layers[0].T
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + PACK[encoding](data.tobytes()))
    return path


def segment(value: int, layer: int = 0, **extra: Any) -> dict[str, Any]:
    return {"Name": f"Part {value}", "LabelValue": value, "Layer": layer, **extra}


def numbers(volume: Volume, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, volume.grid.shape).astype(np.uint8)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_one_layer_is_read_with_names_colours_and_codes(
    encoding: str, dtype: str, tmp_path: Path
) -> None:
    volume = scan("RAI")
    array = numbers(volume).astype(dtype)
    segments = [segment(1, Color="1 0.5 0", Tags=TAGS), segment(2)]
    path = write(tmp_path / "a.seg.nrrd", volume, [array], segments, encoding=encoding)
    marks = read_marks(path, volume)
    (labels,) = marks.labels
    assert marks.kind == kind_of_marks(path) == "NRRD segmentation"
    assert np.array_equal(labels.array, array)
    assert labels.array.dtype == np.uint8
    assert labels.scheme[1].colour == "#ff8000"
    assert labels.scheme[1].code is not None
    assert (labels.scheme[1].code.value, labels.scheme[2].code) == ("10200004", None)
    assert marks.warnings == ()


def test_layers_that_overlap_stay_apart_and_equal_values_are_renumbered(tmp_path: Path) -> None:
    volume = scan()
    one, two = (numbers(volume, n) for n in (1, 2))
    segments = [segment(1, 0, Name="A"), segment(2, 0, Name="B"), segment(1, 1, Name="C")]
    two[two == 2] = 0
    path = write(tmp_path / "a.seg.nrrd", volume, [one, two], segments)
    marks = read_marks(path, volume)
    first, second = marks.labels
    assert np.array_equal(first.array, one)
    assert np.array_equal(second.array == 3, two == 1)
    assert [label.name for label in second.scheme.labels] == ["C"]
    assert "overlap" in marks.warnings[0]


def test_layers_that_do_not_overlap_become_one(tmp_path: Path) -> None:
    volume = scan()
    one = numbers(volume)
    two = np.where(one == 0, 5, 0).astype(np.uint8)
    segments = [segment(1), segment(2), segment(5, 1)]
    path = write(tmp_path / "a.seg.nrrd", volume, [one, two], segments)
    (labels,) = read_marks(path, volume).labels
    assert np.array_equal(labels.array, one + two)


def test_old_files_have_a_layer_for_each_segment(tmp_path: Path) -> None:
    volume = scan()
    one = (numbers(volume) == 1).astype(np.uint8)
    path = write(tmp_path / "a.seg.nrrd", volume, [one, one], [{"Name": "A"}, {"Name": "B"}])
    first, second = read_marks(path, volume).labels
    assert np.array_equal(first.array == 1, one == 1)
    assert np.array_equal(second.array == 2, one == 1)


def test_a_cropped_segmentation_is_placed_and_strange_values_are_named(tmp_path: Path) -> None:
    volume = scan("SAL")
    block = np.full((3, 2, 2), 7, np.uint8)
    path = write(tmp_path / "a.seg.nrrd", volume, [block], [segment(1)], start=(4, 3, 1))
    marks = read_marks(path, volume)
    assert (marks.labels[0].array[4:7, 3:5, 1:3] == 7).all()
    assert marks.labels[0].voxel_counts() == {7: 12}
    assert marks.labels[0].scheme[7].name == "Label 7"
    assert len(marks.warnings) == 2


def test_another_grid_is_refused(tmp_path: Path) -> None:
    volume = scan()
    other = scan(spacing=(0.8, 0.9, 2.9))
    path = write(tmp_path / "a.seg.nrrd", other, [numbers(other)], [segment(1)])
    with pytest.raises(GeometryError, match="segmentation does not lie on this scan"):
        read_marks(path, volume)
    path = write(tmp_path / "a.seg.nrrd", volume, [numbers(volume)], [], start=(1, 0, 0))
    with pytest.raises(GeometryError, match="reaches out of it"):
        read_marks(path, volume)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"sizes": "30000 30000 30000"}, "cannot hold|than this computer"),
        ({"sizes": "0 7 5"}, "three axes"),
        ({"type": "float"}, "three axes"),
        ({"encoding": "ascii"}, "three axes"),
        ({"space": ""}, "does not say where"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,0,0)"}, "span no volume"),
        ({"space_directions": "(1,0,0) (0,1) (0,0,1)"}, "not three numbers"),
        ({"space_origin": "(nan,0,0)"}, "not finite"),
        ({"data_file": "../elsewhere.raw"}, "not beside it"),
        ({"line_skip": "3"}, "skips bytes"),
    ],
)
def test_a_damaged_header_is_refused(
    fields: dict[str, str], reason: str, tmp_path: Path
) -> None:
    volume = scan()
    path = tmp_path / "a.seg.nrrd"
    packed = fields.pop("encoding", "gzip")
    write(path, volume, [numbers(volume)], [segment(1)], **fields)
    if packed == "ascii":
        path.write_bytes(path.read_bytes().replace(b"encoding: gzip", b"encoding: ascii"))
    with pytest.raises(InputError, match=reason):
        read_marks(path, volume)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
def test_a_cut_off_file_is_refused(encoding: str, tmp_path: Path) -> None:
    volume = scan()
    path = tmp_path / "a.seg.nrrd"
    write(path, volume, [numbers(volume)], [segment(1)], encoding=encoding)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="cut off"):
        read_marks(path, volume)


def test_segments_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    volume = scan()
    path = tmp_path / "a.seg.nrrd"
    write(path, volume, [numbers(volume)], [segment(1), segment(1)])
    with pytest.raises(InputError, match="share a layer and a label value"):
        read_marks(path, volume)
    write(path, volume, [numbers(volume)], [segment(1, LabelValue="Invented")])
    with pytest.raises(InputError, match="no layer or no label value"):
        read_marks(path, volume)
