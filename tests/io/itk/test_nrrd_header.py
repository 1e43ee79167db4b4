"""NRRD: every packing and every kind of axis, in its place; what is left open is refused."""

from __future__ import annotations

import bz2
import gzip
import tempfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import ORIENTATIONS, flip_lps_ras, orientation_matrix
from napari_medlabel.io.itk import reading as itk

KJI = np.arange(120, dtype=np.int16).reshape(6, 5, 4)
BODY = KJI.tobytes()
DIRECTIONS = "(2,0,0) (0,3,0) (0,0,4)"
BASE = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "4 5 6",
    "space directions": DIRECTIONS,
    "space origin": "(10,20,30)",
    "endian": "little",
    "encoding": "raw",
}


def written(path, body=BODY, keys=(), **fields):
    """Write a header, each field with its spaces as underscores, and the voxels behind."""
    changes = {name.replace("_", " "): value for name, value in fields.items()}
    lines = [f"{k}: {v}" for k, v in (BASE | changes).items() if v is not None]
    text = "\n".join(["NRRD0005", "# by hand", *lines, *keys])
    path.write_bytes(text.encode() + b"\n\n" + body)
    return path


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("raw", bytes),
        ("gzip", gzip.compress),
        ("gz", gzip.compress),
        ("bzip2", bz2.compress),
        ("bz2", bz2.compress),
        ("ascii", lambda b: " ".join(map(str, np.frombuffer(b, "<i2"))).encode()),
        ("text", lambda b: ",\n".join(map(str, np.frombuffer(b, "<i2"))).encode() + b"\n"),
    ],
)
@pytest.mark.parametrize("is_apart", [False, True])
def test_every_encoding_is_read_attached_and_detached(tmp_path, encoding, pack, is_apart):
    body = pack(KJI.tobytes())
    if is_apart:
        (tmp_path / "a.bin").write_bytes(body)
        path = written(tmp_path / "a.nhdr", b"", encoding=encoding, data_file="a.bin")
    else:
        path = written(tmp_path / "a.nrrd", body, encoding=encoding)
    volume = itk.load(path)
    np.testing.assert_array_equal(volume.array.T, KJI)
    assert len(volume.source.sha256) == len(volume.source.files) == 1 + is_apart
    cut = tmp_path / ("a.bin" if is_apart else "a.nrrd")
    cut.write_bytes(cut.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"cut off|damaged"):
        itk.load(path)


@pytest.mark.parametrize("code", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("order", ["little", "big"])
def test_every_type_in_both_byte_orders(tmp_path, code, order):
    names = {
        "i1": "int8",
        "u1": "unsigned char",
        "i2": "signed short int",
        "u2": "uint16_t",
        "i4": "int",
        "u4": "unsigned int",
        "i8": "long long int",
        "u8": "uint64",
        "f4": "float",
        "f8": "double",
    }
    body = KJI.astype((">" if order == "big" else "<") + code).tobytes()
    path = written(tmp_path / "a.nrrd", body, type=names[code], endian=order)
    volume = itk.load(path)
    np.testing.assert_array_equal(volume.array.T, KJI)
    assert volume.array.dtype.isnative
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), volume.array.T)


@pytest.mark.parametrize("codes", ORIENTATIONS)
@settings(max_examples=2, deadline=None)
@given(
    space=st.sampled_from(
        ["left-posterior-superior", "right-anterior-superior", "left-anterior-superior", "RAS"]
    ),
    spacing=st.tuples(*[st.floats(0.1, 9)] * 3),
    origin=st.tuples(*[st.floats(-400, 400)] * 3),
)
def test_every_space_puts_every_orientation_where_simpleitk_has_it(
    codes, space, spacing, origin
):
    matrix = orientation_matrix(codes) * spacing
    vectors = " ".join("(" + ",".join(map(repr, map(float, v))) + ")" for v in matrix.T)
    place = "(" + ",".join(map(repr, origin)) + ")"
    with tempfile.TemporaryDirectory() as name:
        path = written(
            Path(name, "a.nrrd"), space=space, space_directions=vectors, space_origin=place
        )
        volume = itk.load(path)
        image = sitk.ReadImage(str(path))
    for index in ((0, 0, 0), (3, 0, 5), (3, 4, 5)):
        truth = flip_lps_ras(image.TransformIndexToPhysicalPoint(index))
        np.testing.assert_allclose(volume.grid.affine.apply(index), truth, atol=1e-6)
    assert volume.is_oriented


@pytest.mark.parametrize(
    ("named", "names"),
    [
        ("LIST", ["s/one.raw", "two.raw", "a third.raw"]),
        ("LIST 2", ["1", "2", "3", "4", "5", "6"]),
        ("s%03d.raw 1 6 1", [f"s{n:03d}.raw" for n in range(1, 7)]),
        ("s%d.raw 6 1 -1 2", [f"s{n}.raw" for n in range(6, 0, -1)]),
        ("s%02i.raw 0 4 2 3", ["s00.raw", "s02.raw", "s04.raw"]),
    ],
)
def test_voxels_in_several_files_are_put_together(tmp_path, named, names):
    (tmp_path / "s").mkdir()
    for name, part in zip(names, np.split(KJI, len(names)), strict=True):
        (tmp_path / name).write_bytes(b"xy" + part.tobytes() + b"behind")
    lines = [f"{k}: {v}" for k, v in BASE.items()]
    if len(names) == 3 and named == "LIST":
        named = "LIST 3"
    tail = "\n".join(
        ["byte skip: 2", f"data file: {named}", *(names if "LIST" in named else [])]
    )
    path = tmp_path / "a.nhdr"
    path.write_text("NRRD0005\n" + "\n".join(lines) + "\n" + tail + "\n")
    volume = itk.load(path)
    np.testing.assert_array_equal(volume.array.T, KJI)
    assert len(volume.source.files) == len(volume.source.sha256) == len(names) + 1
    (tmp_path / names[1]).write_bytes(b"xy")
    with pytest.raises(InputError, match="cannot hold as many voxels"):
        itk.load(path)
    (tmp_path / names[1]).unlink()
    with pytest.raises(InputError, match="names is missing"):
        itk.load(path)


def test_more_or_fewer_files_than_parts_are_refused(tmp_path):
    for n in range(5):
        (tmp_path / f"s{n}").write_bytes(bytes(400))
    path = written(tmp_path / "a.nhdr", b"", data_file="s%d 0 4 1")
    with pytest.raises(InputError, match="names 5 data files, which is not one for each part"):
        itk.inspect(path)


@pytest.mark.parametrize("packing", ["raw", "gzip"])
def test_lines_and_bytes_are_skipped(tmp_path, packing):
    pack = gzip.compress if packing == "gzip" else bytes
    (tmp_path / "a.bin").write_bytes(b"one\ntwo\n" + pack(b"xyz" + KJI.tobytes()))
    path = written(
        tmp_path / "a.nhdr",
        b"",
        encoding=packing,
        data_file="a.bin",
        line_skip="2",
        byte_skip="3",
    )
    np.testing.assert_array_equal(itk.load(path).array.T, KJI)
    (tmp_path / "b.bin").write_bytes(b"any head" + KJI.tobytes())
    path = written(tmp_path / "b.nhdr", b"", data_file="b.bin", byte_skip="-1")
    np.testing.assert_array_equal(itk.load(path).array.T, KJI)


@pytest.mark.parametrize("axis", [0, 1, 3])
@pytest.mark.parametrize("kind", ["list", "time", "vector"])
def test_volumes_along_any_axis_are_an_axis_of_their_own(tmp_path, axis, kind):
    stack = np.stack([KJI, KJI + 1000])  # t, k, j, i
    sizes, vectors = ["4", "5", "6"], DIRECTIONS.split()
    kinds, units = ["space"] * 3, ['"mm"'] * 3
    for rows, word in ((sizes, "2"), (vectors, "none"), (kinds, kind), (units, '"s"')):
        rows.insert(axis, word)
    body = np.moveaxis(stack, 0, 3 - axis).tobytes()
    path = written(
        tmp_path / "a.nrrd",
        body,
        dimension="4",
        sizes=" ".join(sizes),
        space_directions=" ".join(vectors),
        kinds=" ".join(kinds),
        units=" ".join(units),
        spacings=" ".join("2.5" if n == axis else "nan" for n in range(4)),
    )
    volume = itk.load(path)
    np.testing.assert_array_equal(np.asarray(volume.further.array).T, stack)
    assert (volume.further.name, volume.further.values) == ("time", (0.0, 2.5))
    assert itk.inspect(path).further == ("time", "s", 2)
    assert volume.array.T.flags.c_contiguous


def test_diffusion_weighted_volumes_have_b_values(tmp_path):
    stack = np.stack([KJI] * 3)
    path = written(
        tmp_path / "a.nrrd",
        stack.tobytes(),
        dimension="4",
        sizes="4 5 6 3",
        space_directions=DIRECTIONS + " none",
        kinds="space space space list",
        measurement_frame="(1,0,0) (0,1,0) (0,0,1)",
        keys=(
            "modality:=DWMRI",
            "DWMRI_b-value:=1000",
            "DWMRI_gradient_0000:=0 0 0",
            "DWMRI_gradient_0001:=1.0 0 0",
            "DWMRI_gradient_0002:=0 0.5 0",
        ),
    )
    further = itk.load(path).further
    assert (further.name, further.unit, further.values) == ("b-value", "s/mm2", (0, 1000, 250))
    assert itk.inspect(path).keys["DWMRI_b-value"] == "1000"


def test_a_sequence_of_slicer_keeps_its_times(tmp_path):
    body = np.moveaxis(np.stack([KJI] * 2), 0, -1).tobytes()
    path = written(
        tmp_path / "a.nrrd",
        body,
        dimension="4",
        sizes="2 4 5 6",
        kinds="list domain domain domain",
        space_directions="none " + DIRECTIONS,
        units='"s" "" "" ""',
        keys=("axis 0 index type:=numeric", "axis 0 index values:=0 1.5"),
    )
    further = itk.load(path).further
    assert (further.name, further.unit, further.values) == ("time", "s", (0.0, 1.5))


@pytest.mark.parametrize(
    ("kind", "count"), [("RGB-color", 3), ("vector", 3), ("RGBA-color", 4)]
)
@pytest.mark.parametrize("is_first", [True, False])
def test_bytes_of_three_are_colours(tmp_path, kind, count, is_first):
    raw = np.random.default_rng(0).integers(0, 256, (6, 5, 4, count), np.uint8)
    body = (raw if is_first else np.moveaxis(raw, -1, 0)).tobytes()

    def join(one, others):
        return f"{one} {others}" if is_first else f"{others} {one}"

    path = written(
        tmp_path / "a.nrrd",
        body,
        type="uchar",
        dimension="4",
        sizes=join(count, "4 5 6"),
        space_directions=join("none", DIRECTIONS),
        kinds=join(kind, "domain domain domain"),
    )
    volume = itk.load(path)
    np.testing.assert_array_equal(volume.colour.transpose(2, 1, 0, 3), raw[..., :3])
    assert itk.inspect(path).is_colour
    assert volume.array.dtype == np.uint8


def test_other_numbers_for_each_voxel(tmp_path):
    image = sitk.GetImageFromArray(
        np.random.default_rng(0).normal(size=(6, 5, 4, 3)).astype("f4"), isVector=True
    )
    sitk.WriteImage(image, str(tmp_path / "v.nrrd"))
    volume = itk.load(tmp_path / "v.nrrd")
    truth = sitk.GetArrayFromImage(image)
    np.testing.assert_array_equal(np.asarray(volume.further.array).transpose(2, 1, 0, 3), truth)
    assert any("Each voxel holds 3 numbers" in text for text in volume.warnings)
    pair = np.stack([KJI, KJI + 1], axis=-1).astype("<f4")
    path = written(
        tmp_path / "c.nrrd",
        pair.tobytes(),
        type="float",
        dimension="4",
        sizes="2 4 5 6",
        kinds="complex space space space",
        space_directions="none " + DIRECTIONS,
    )
    volume = itk.load(path)
    np.testing.assert_allclose(volume.array.T, np.hypot(pair[..., 0], pair[..., 1]), 1e-6)
    assert any("magnitude" in text for text in volume.warnings)


@pytest.mark.parametrize(
    ("units", "factor", "doubt"),
    [
        ('"mm" "mm" "mm"', 1, ""),
        ('"um" "um" "um"', 1e-3, "another unit"),
        ('"cm" "cm" "cm"', 10, "another unit"),
        ('"ell" "ell" "ell"', 1, "unit of length is unknown"),
    ],
)
def test_units_become_millimetres(tmp_path, units, factor, doubt):
    volume = itk.load(written(tmp_path / "a.nrrd", space_units=units))
    assert volume.grid.affine.spacing_mm == pytest.approx((2 * factor, 3 * factor, 4 * factor))
    np.testing.assert_allclose(volume.grid.affine.origin_ras, np.array([-10, -20, 30]) * factor)
    assert bool(volume.warnings) == bool(doubt)
    assert doubt in " ".join(volume.warnings)


def test_without_a_space_sides_are_unknown(tmp_path):
    plain = {"space": None, "space_directions": None, "space_origin": None}
    volume = itk.load(written(tmp_path / "a.nrrd", spacings="2 3 4", **plain))
    assert not volume.is_oriented
    assert volume.grid.affine.spacing_mm == (2, 3, 4)
    bare = itk.load(written(tmp_path / "b.nrrd", **plain))
    assert any("1 mm is assumed" in text for text in bare.warnings)
    scanner = itk.load(written(tmp_path / "c.nrrd", space="scanner-xyz"))
    assert not scanner.is_oriented


def test_one_slice_in_space_and_one_picture(tmp_path):
    sliced = itk.load(
        written(
            tmp_path / "a.nrrd",
            KJI[0].tobytes(),
            dimension="2",
            sizes="4 5",
            space_directions="(2,0,0) (0,0,3)",
        )
    )
    assert sliced.grid.shape == (4, 5, 1)
    np.testing.assert_allclose(sliced.grid.affine.lps[:3, 2], (0, -1, 0))
    assert sliced.slices == "places"
    picture = itk.load(
        written(
            tmp_path / "b.nrrd",
            KJI[0].tobytes(),
            dimension="2",
            sizes="4 5",
            space=None,
            space_directions=None,
            space_origin=None,
            spacings="2 3",
        )
    )
    assert picture.slices == "pictures"
    assert picture.grid.affine.spacing_mm == (2, 3, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dimension": "x"}, "number of dimensions is not a whole number"),
        ({"dimension": "40"}, "not one of 1 to 16"),
        (
            {"dimension": "1", "sizes": "120"},
            "not one for each of its axes|Three axes of space",
        ),
        ({"dimension": None}, "lacks dimension, sizes"),
        ({"sizes": "4 5"}, "sizes are 2 numbers; 3 are expected"),
        ({"sizes": "4 5 six"}, "sizes are not numbers"),
        ({"sizes": "4 5 0"}, "not positive whole numbers"),
        ({"sizes": "4 5 nan"}, "not positive whole numbers"),
        ({"sizes": "4000000000 4000000000 4000000000"}, "larger than any computer"),
        ({"sizes": "40000 40000 40000"}, "cannot hold as many voxels|more than this computer"),
        ({"type": "block"}, "type of voxels is not one"),
        ({"endian": None}, "does not say the order of bytes"),
        ({"encoding": "hex"}, "encoding is not raw, gzip, bzip2 or text"),
        ({"encoding": None}, "lacks dimension, sizes"),
        ({"space": "elsewhere"}, "space is not one that NRRD knows"),
        ({"space": None}, "no space of two, three or four"),
        ({"space_directions": "(1,0,0) (0,1,0)"}, "not one for each of its axes"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,1,0)"}, "spans no volume"),
        ({"space_directions": "(nan,0,0) (0,1,0) (0,0,1)"}, "not finite"),
        ({"space_directions": "(a,0,0) (0,1,0) (0,0,1)"}, "are not numbers"),
        ({"space_directions": "(1,0) (0,1,0) (0,0,1)"}, "are 2 numbers; 3 are expected"),
        ({"space_origin": "(1,2)"}, "origin are 2 numbers"),
        ({"kinds": "space space"}, "kinds are not one for each"),
        ({"data_file": "/etc/hosts"}, "in another folder"),
        ({"data_file": "s/../../a"}, "in another folder"),
        ({"data_file": "C:/a"}, "in another folder"),
        ({"data_file": "missing.raw"}, "is missing"),
        ({"data_file": "s%d 1"}, "pattern of data files is incomplete"),
        ({"data_file": "s%d%s 1 2 1"}, "pattern of data files is not understood"),
        ({"data_file": "s%d 1 9 0"}, "pattern of data files is incomplete"),
        ({"data_file": "s%d 1 900000000 1"}, "pattern of data files is not understood"),
        ({"line_skip": "99999"}, "skips more lines than there are"),
        ({"line_skip": "-1"}, "negative number of lines"),
        ({"byte_skip": "9"}, "cannot hold|cut off"),
    ],
)
def test_a_header_that_lies_or_leaves_open_is_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message) as caught:
        itk.load(written(tmp_path / "a.nrrd", **change))
    assert caught.value.hint


def test_axes_that_are_left_open_are_refused(tmp_path):
    plain = {"space": None, "space_directions": None, "space_origin": None}
    path = written(tmp_path / "a.nrrd", bytes(480), dimension="4", sizes="4 5 6 2", **plain)
    with pytest.raises(InputError, match="does not say which of its 4 axes are those of space"):
        itk.inspect(path)
    two = {"dimension": "5", "sizes": "2 2 4 5 6", "kinds": "list list space space space"}
    path = written(tmp_path / "b.nrrd", space_directions="none none " + DIRECTIONS, **two)
    with pytest.raises(
        InputError, match="at most one other are expected; the file has 3 and 2"
    ):
        itk.inspect(path)
    path = written(
        tmp_path / "c.nrrd",
        dimension="4",
        sizes="3 4 5 6",
        kinds="HSV-color space space space",
        space_directions="none " + DIRECTIONS,
    )
    with pytest.raises(InputError, match="not red, green and blue"):
        itk.inspect(path)


def test_text_that_is_no_number_is_refused(tmp_path):
    words = " ".join(["1"] * 119 + ["one"]).encode()
    with pytest.raises(InputError, match="some are no numbers of the header's type"):
        itk.load(written(tmp_path / "a.nrrd", words, encoding="ascii"))
    words = " ".join(["1"] * 119 + ["99999"]).encode()
    with pytest.raises(InputError, match="some are no numbers of the header's type"):
        itk.load(written(tmp_path / "b.nrrd", words, encoding="ascii"))
