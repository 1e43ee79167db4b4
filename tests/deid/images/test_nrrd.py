from __future__ import annotations

import bz2
import gzip
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.deid.images.nrrd import nrrd_parts
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Note

WORD = b"Featherstone"
VOXELS = np.arange(24, dtype="<i2").reshape(2, 3, 4)
FIELDS = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "4 3 2",
    "space directions": "(0.9,0,0) (0,0.9,0) (0,0.10000000000000001,3.25)",
    "kinds": "domain domain domain",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(-90.5,-126.25,-72)",
}
PLANTED = [
    "# written by Featherstone",
    "content: Featherstone",
    'sample units: "Featherstone"',
    'labels: "Featherstone" "b" "c"',
    "number: 4711",
    "PatientName:=Featherstone^Millicent",
    "Featherstone:=1",
]


def header(lines: list[str], **changed: str | None) -> bytes:
    """The lines of a header; names have _ for a blank, None leaves a field out."""
    fields = FIELDS | {name.replace("_", " "): value for name, value in changed.items()}
    said = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\n".join(["NRRD0004", *said, *lines]).encode() + b"\n"


def written(
    folder: Path, lines: list[str] = PLANTED, data: bytes | None = None, **changed: str | None
) -> Path:
    path = folder / "a.nrrd"
    body = VOXELS.tobytes() if data is None else data
    path.write_bytes(header(lines, **changed) + b"\n" + body)
    return path


def clean(path: Path) -> bytes:
    made = nrrd_parts(path).whole()
    assert made.suffix == ".nrrd"
    assert made.report.notes == {Note.FACE}
    assert WORD not in made.content
    return made.content


def voxels(content: bytes) -> bytes:
    head, _, data = content.partition(b"\n\n")
    return gzip.decompress(data) if b"encoding: gzip" in head else data


def test_what_the_keep_list_names_passes_and_nothing_else(tmp_path):
    content = clean(written(tmp_path, data=VOXELS.tobytes() + WORD))
    assert content == (
        b"NRRD0004\ntype: short\ndimension: 3\nsizes: 4 3 2\n"
        b"space: left-posterior-superior\n"
        b"space directions: (0.9,0,0) (0,0.9,0) (0,0.1,3.25)\n"
        b"space origin: (-90.5,-126.25,-72)\nkinds: domain domain domain\n"
        b"endian: little\nencoding: raw\n\n" + VOXELS.tobytes()
    )


@pytest.mark.parametrize(("encoding", "pack"), [("raw", bytes), ("gzip", gzip.compress)])
def test_itk_reads_the_same_image(tmp_path, encoding, pack):
    source = written(tmp_path, data=pack(VOXELS.tobytes()), encoding=encoding)
    (tmp_path / "b.nrrd").write_bytes(clean(source))
    before, after = (SimpleITK.ReadImage(str(tmp_path / name)) for name in ("a.nrrd", "b.nrrd"))
    assert np.array_equal(
        SimpleITK.GetArrayFromImage(before), SimpleITK.GetArrayFromImage(after)
    )
    assert before.GetOrigin() == after.GetOrigin()
    assert before.GetSpacing() == after.GetSpacing()
    assert before.GetDirection() == after.GetDirection()
    assert not [key for key in after.GetMetaDataKeys() if key.startswith("Patient")]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("raw", bytes), ("gzip", gzip.compress), ("gz", gzip.compress), ("bzip2", bz2.compress),
     ("ASCII", lambda data: b" ".join(b"%d" % n for n in np.frombuffer(data, "<i2")))],
)  # fmt: skip
@pytest.mark.parametrize("detached", [False, True])
def test_every_encoding_keeps_the_voxels(tmp_path, encoding, pack, detached):
    data = pack(VOXELS.tobytes())
    if detached:
        path = tmp_path / "a.nhdr"
        path.write_bytes(header(PLANTED, encoding=encoding) + b"data file: deep/a.raw\n")
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "a.raw").write_bytes(data)
    else:
        path = written(tmp_path, data=data, encoding=encoding)
    assert voxels(clean(path)) == VOXELS.tobytes()


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_type_keeps_its_bytes(tmp_path, dtype, order):
    data = VOXELS.astype(order + dtype)
    names = {"u1": "uchar", "i1": "int8", "u2": "unsigned short", "i4": "int", "u4": "uint32",
             "i8": "long long", "u8": "uint64_t", "f4": "float", "f8": "double"}  # fmt: skip
    endian = "little" if order == "<" else "big"
    content = clean(written(tmp_path, data=data.tobytes(), type=names[dtype], endian=endian))
    assert voxels(content) == data.tobytes()
    assert (f"endian: {endian}".encode() in content) == (data.itemsize > 1)


def test_text_becomes_numbers(tmp_path):
    data = b"1.5, 2 -3e2 4\n" + b"0 " * 20
    content = clean(written(tmp_path, data=data, type="float", encoding="text", endian="big"))
    assert np.frombuffer(voxels(content), "<f4")[:4].tolist() == [1.5, 2, -300, 4]
    assert b"endian: little\nencoding: raw\n" in content


def test_a_list_of_files_becomes_one_file(tmp_path):
    path = tmp_path / "a.nhdr"
    path.write_bytes(header(PLANTED) + b"data file: LIST 2\nFeatherstone1\nFeatherstone2\n")
    for n in (0, 1):
        (tmp_path / f"Featherstone{n + 1}").write_bytes(VOXELS[n].tobytes())
    assert voxels(clean(path)) == VOXELS.tobytes()
    path.write_bytes(header(PLANTED) + b"data file: Featherstone%d 1 2 1\n")
    assert voxels(clean(path)) == VOXELS.tobytes()


def test_lines_and_bytes_in_front_are_skipped(tmp_path):
    data = b"Featherstone\nline\n" + b"12" + VOXELS.tobytes()
    path = written(tmp_path, data=data, **{"line skip": "2", "byteskip": "2"})
    assert voxels(clean(path)) == VOXELS.tobytes()
    (tmp_path / "a.raw").write_bytes(data)
    path = tmp_path / "a.nhdr"
    path.write_bytes(header([], line_skip="1", byte_skip="-1") + b"data file: a.raw\n")
    assert voxels(clean(path)) == VOXELS.tobytes()


def test_fields_of_other_axes_and_spaces_pass(tmp_path):
    content = clean(
        written(
            tmp_path,
            [
                "measurement frame: (1,0,0) (0,-1,0) (0,0,1)",
                'space units: "mm" "Featherstone" "cm"',
                'units: "mm" "Featherstone" ""',
                "centerings: cell cell Featherstone",
                "thicknesses: NaN 1 nan",
                "old min: 4e9",
                "old max: 255",
                "space dimension: 3",
                "no field",
            ],
            kinds="domain Featherstone time",
            space="RAS",
            space_directions="(1,0,0) none (nan,nan,nan)",
        )
    )
    for line in (
        "space: RAS",
        "space directions: (1,0,0) none none",
        "measurement frame: (1,0,0) (0,-1,0) (0,0,1)",
        'space units: "mm" "" "cm"',
        'units: "mm" "" ""',
        "centers: cell cell ???",
        "kinds: domain ??? time",
        "thicknesses: nan 1 nan",
        "old max: 255",
    ):
        assert f"\n{line}\n".encode() in content
    assert b"old min" not in content
    assert b"space dimension" not in content


def test_voxel_sizes_without_a_space_pass(tmp_path):
    none = dict.fromkeys(("space", "space_directions", "space_origin"))
    lines = ["spacings: 0.5 0.5 nan", "axis mins: 0 0 1", "axismaxs: 2 1.5 3"]
    content = clean(written(tmp_path, lines, **none))
    assert b"\nspacings: 0.5 0.5 nan\naxis mins: 0 0 1\naxis maxs: 2 1.5 3\n" in content
    content = clean(written(tmp_path, ["space dimension: 3"], space=None))
    assert b"\nspace dimension: 3\nspace directions: " in content


@pytest.mark.parametrize(
    "changed",
    [
        {"dimension": None},
        {"dimension": "3.5"},
        {"dimension": "17"},
        {"sizes": "4 3"},
        {"sizes": "4 3 0"},
        {"type": "block"},
        {"endian": None},
        {"encoding": "hex"},
        {"encoding": None},
        {"space": "Featherstone"},
        {"space_directions": "(1,0,0) (0,1,0)"},
        {"space_directions": "(1,0,0) (0,1,0) Featherstone (0,0,1)"},
        {"space_directions": "(1,0,0) (0,1,0) (0,0,Featherstone)"},
        {"space_origin": "(1,2,1947031600)"},
        {"space_origin": f"({','.join('1' * 17)})"},
        {"space_origin": "Featherstone"},
        {"spacings": "1 1"},
        {"kinds": "domain"},
        {"line_skip": "-1"},
        {"line_skip": "99"},
        {"byte_skip": "-2"},
        {"encoding": "gzip", "byte_skip": "-1"},
    ],
)
def test_a_header_that_is_not_understood_is_refused(tmp_path, changed):
    with pytest.raises(QuarantineError, match="image header is broken"):
        nrrd_parts(written(tmp_path, **changed))


@pytest.mark.parametrize(
    "content", [b"", b"NRRD0009\n\n", b"NRRD", header([]), b"NRRD0004\n\xff\xfe\n\n"]
)
def test_bytes_that_are_no_header_are_refused(tmp_path, content):
    (tmp_path / "a.nrrd").write_bytes(content)
    with pytest.raises(QuarantineError, match="image header is broken"):
        nrrd_parts(tmp_path / "a.nrrd")


@pytest.mark.parametrize(
    ("changed", "data"),
    [
        ({}, VOXELS.tobytes()[:-1]),
        ({"byte_skip": "-1"}, b""),
        ({"encoding": "ascii"}, b"1 2 3"),
        ({"encoding": "ascii"}, b"1" * 99),
    ],
)
def test_missing_voxels_are_refused(tmp_path, changed, data):
    with pytest.raises(QuarantineError, match="voxels shorter"):
        nrrd_parts(written(tmp_path, data=data, **changed)).whole()


@pytest.mark.parametrize("name", ["../a.raw", "gone.raw", "link.raw"])
def test_voxels_that_lie_elsewhere_are_refused(tmp_path, name):
    (tmp_path / "a.raw").write_bytes(VOXELS.tobytes())
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "link.raw").symlink_to(tmp_path / "a.raw")
    (folder / "a.nhdr").write_bytes(header([]) + f"data file: {name}\n".encode())
    with pytest.raises(QuarantineError, match="voxels shorter"):
        nrrd_parts(folder / "a.nhdr")


def test_files_of_unequal_parts_are_refused(tmp_path):
    path = tmp_path / "a.nhdr"
    path.write_bytes(header([]) + b"data file: %d.raw 1 5 1\n")
    for n in range(1, 6):
        (tmp_path / f"{n}.raw").write_bytes(VOXELS.tobytes())
    with pytest.raises(QuarantineError, match="image header is broken"):
        nrrd_parts(path)


def test_a_file_that_is_named_twice_is_refused(tmp_path):
    path = tmp_path / "a.nhdr"
    path.write_bytes(header([]) + b"data file: LIST\na.raw\na.raw\n")
    (tmp_path / "a.raw").write_bytes(VOXELS.tobytes())
    with pytest.raises(QuarantineError, match="image header is broken"):
        nrrd_parts(path)


@pytest.mark.parametrize("data", [b"1 x " + b"1 " * 40, b"99999 " * 24])
def test_text_that_is_no_numbers_of_the_type_is_refused(tmp_path, data):
    with pytest.raises(QuarantineError, match="image header is broken"):
        nrrd_parts(written(tmp_path, data=data, encoding="ascii")).whole()


def test_endless_text_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_medlabel.deid.images.text_header._LONGEST_TEXT", 10)
    with pytest.raises(QuarantineError, match="image header is broken"):
        nrrd_parts(written(tmp_path, data=b"1 " * 24, encoding="ascii")).whole()


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 900), st.sampled_from([b"Featherstone", b"\n# Featherstone\n", b":="]))
def test_a_word_at_any_place_does_not_pass(tmp_path_factory, at, word):
    path = tmp_path_factory.mktemp("a") / "a.nrrd"
    content = bytearray(header(PLANTED) + b"\n" + VOXELS.tobytes() + WORD)
    end = content.index(b"\n\n") + 2
    at = min(at, end)
    content[at:at] = word
    path.write_bytes(content)
    try:
        made = nrrd_parts(path).whole().content
    except QuarantineError:
        return
    head, _, data = made.partition(b"\n\n")
    assert WORD not in head
    assert len(data) == VOXELS.nbytes


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 200))
def test_any_bytes_are_cleaned_or_refused(tmp_path_factory, noise, at):
    path = tmp_path_factory.mktemp("a") / "a.nrrd"
    content = bytearray(header(PLANTED) + b"\n" + VOXELS.tobytes())
    content[at : at + len(noise)] = noise
    path.write_bytes(content)
    try:
        assert BytesIO(nrrd_parts(path).whole().content).read(7) == b"NRRD000"
    except QuarantineError:
        return
