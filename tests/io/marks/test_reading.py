"""The door: which reader, several files at once, and input that is none."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.io.marks.reading import kind_of_marks, read_marks
from tests.io.marks_made import (
    LABELMAP_SEG,
    RTSTRUCT,
    SEG,
    SR,
    base,
    contour,
    rtstruct,
    save,
    scan,
    seg_of,
)

ONES = np.ones((9, 7, 5), bool)


@pytest.mark.parametrize(
    ("sop_class", "kind"),
    [
        (SEG, "SEG"),
        (LABELMAP_SEG, "SEG"),
        (RTSTRUCT, "RTSTRUCT"),
        (SR, "SR"),
        ("1.2.840.10008.5.1.4.1.1.88.11", "SR"),
        ("1.2.840.10008.5.1.4.1.1.2", None),
        ("1.2.840.10008.5.1.4.1.1.481.5", None),
        ("1.2.840.10008.5.1.4.1.1.66.1", None),
    ],
)
@pytest.mark.parametrize("with_preamble", [True, False])
def test_the_kind_is_told_from_the_first_bytes(
    sop_class: str, kind: str | None, with_preamble: bool, tmp_path: Path
) -> None:
    path = save(base(sop_class), tmp_path / "marks")
    if not with_preamble:
        raw = path.read_bytes()
        start = 144 + int.from_bytes(raw[140:144], "little")
        path.write_bytes(raw[start:])
    assert kind_of_marks(path) == kind


def test_other_files_are_no_marks(tmp_path: Path) -> None:
    for name, content in (("a", b""), ("b.nii", bytes(400)), ("c.nrrd", b"NRRD0004\n\n")):
        path = tmp_path / name
        path.write_bytes(content)
        assert kind_of_marks(path) is None
    path.write_bytes(b"NRRD0004\nSegment0_Name:=A\n\n")
    assert kind_of_marks(path) == "NRRD segmentation"


def test_several_files_of_marks_are_read_together(tmp_path: Path) -> None:
    volume = scan()
    one = save(seg_of(volume, {1: ONES}), tmp_path / "a.dcm")
    points = volume.grid.affine.apply([(1.0, 1.0, 1.0)])
    regions = {"P": [contour("POINT", points)]}
    two = save(rtstruct(regions), tmp_path / "b.dcm")
    three = save(rtstruct(regions), tmp_path / "c.dcm")
    marks = read_marks([one, two, three], volume)
    assert marks.kind == "SEG and RTSTRUCT"
    assert len(marks.labels) == 1
    assert [mark.name for mark in marks.landmarks] == ["P", "P (2)"]


def test_input_that_is_none_is_refused(tmp_path: Path) -> None:
    volume = scan()
    text = tmp_path / "letter.txt"
    text.write_text("Dear Invented^Name")
    for path, reason in (
        (tmp_path / "none", "there is none of that name"),
        (tmp_path, "there is none of that name"),
        (text, "A file of marks is expected"),
        (save(base("1.2.840.10008.5.1.4.1.1.2"), tmp_path / "ct.dcm"), "holds no marks"),
    ):
        with pytest.raises(InputError, match=reason) as caught:
            read_marks(path, volume)
        assert "Invented" not in caught.value.message + caught.value.hint
    with pytest.raises(InputError, match="at most one label table"):
        read_marks([], volume)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="there is none of that name"):
        read_marks(tmp_path / "pipe", scan())


@pytest.mark.parametrize("depth", [70, 20_000])
def test_sequences_in_sequences_without_end_are_refused(depth: int, tmp_path: Path) -> None:
    path = save(base(RTSTRUCT), tmp_path / "marks.dcm")
    sequence = struct.pack("<HH", 0x3006, 0x0039) + b"SQ\0\0" + b"\xff" * 4
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    path.write_bytes(path.read_bytes() + (sequence + item) * depth)
    start = time.monotonic()
    with pytest.raises(InputError, match="too deep"):
        read_marks(path, scan())
    assert time.monotonic() - start < 2


RAW: dict[str, bytes] = {}


def originals(folder: Path) -> dict[str, bytes]:
    """Return a whole segmentation and a whole structure set, made once."""
    if not RAW:
        volume = scan()
        points = volume.grid.affine.apply([(1.4, 1, 1), (5, 1, 1), (5, 4, 1)])
        drawn = contour("CLOSED_PLANAR", points)
        RAW["seg"] = save(seg_of(volume, {1: ONES}), folder / "seg").read_bytes()
        RAW["rt"] = save(rtstruct({"A": [drawn]}), folder / "rt").read_bytes()
    return RAW


@given(
    st.sampled_from(["seg", "rt"]),
    st.lists(st.tuples(st.integers(200, 3000), st.integers(0, 255)), max_size=6),
)
def test_any_change_of_bytes_gives_marks_or_a_message(
    tmp_path: Path, name: str, changes: list[tuple[int, int]]
) -> None:
    raw = bytearray(originals(tmp_path)[name])
    for at, value in changes:
        raw[at % len(raw)] = value
    path = tmp_path / "marks.dcm"
    path.write_bytes(raw)
    volume, said = scan(), ""
    try:
        marks = read_marks(path, volume)
        assert all(one.grid is volume.grid for one in marks.labels)
    except InputError as err:
        said = err.message + err.hint
    assert "Invented" not in said
