"""MetaImage: packings, channels, volumes and lists of files; what is not known is refused."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from napari_medlabel.errors import InputError
from napari_medlabel.io.itk import reading as itk

KJI = np.arange(120, dtype=np.int16).reshape(6, 5, 4)
BODY = KJI.tobytes()
BASE = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "10 20 30",
    "CenterOfRotation": "0 0 0",
    "AnatomicalOrientation": "RAI",
    "ElementSpacing": "2 3 4",
    "DimSize": "4 5 6",
    "ElementType": "MET_SHORT",
    "ElementDataFile": "LOCAL",
}


def written(path, body=BODY, **fields):
    rows = BASE | fields
    rows["ElementDataFile"] = rows.pop("ElementDataFile")
    text = "\n".join(f"{name} = {value}" for name, value in rows.items() if value is not None)
    path.write_bytes(text.encode() + b"\n" + body)
    return path


@pytest.mark.parametrize(
    ("fields", "pack"),
    [
        ({}, bytes),
        ({"CompressedData": "True"}, zlib.compress),
        ({"CompressedData": "True"}, lambda b: zlib.compress(b, wbits=31)),
        ({"BinaryData": "False"}, lambda b: " ".join(map(str, KJI.ravel())).encode()),
        ({"BinaryDataByteOrderMSB": "True"}, lambda b: KJI.astype(">i2").tobytes()),
        ({"HeaderSize": "-1"}, lambda b: b"anything" + b),
        ({"HeaderSize": "3"}, lambda b: b"abc" + b),
    ],
)
@pytest.mark.parametrize("is_apart", [False, True])
def test_every_packing_is_read_attached_and_detached(tmp_path, fields, pack, is_apart):
    body = pack(BODY)
    if is_apart:
        (tmp_path / "a.raw").write_bytes(body)
        path = written(tmp_path / "a.mhd", b"", ElementDataFile="a.raw", **fields)
    else:
        path = written(tmp_path / "a.mha", body, **fields)
    volume = itk.load(path)
    np.testing.assert_array_equal(volume.array.T, KJI)
    assert volume.source.format == "mha"
    if fields != {"HeaderSize": "-1"} or is_apart:
        cut = tmp_path / ("a.raw" if is_apart else "a.mha")
        cut.write_bytes(cut.read_bytes()[: -len(body) + 4])
        with pytest.raises(InputError, match=r"cut off|damaged"):
            itk.load(path)


@pytest.mark.parametrize(
    ("named", "names"),
    [
        ("LIST", [f"slice {n}.raw" for n in range(6)]),
        ("LIST 2D", [f"{n}.raw" for n in range(6)]),
        ("LIST 3D", ["a.raw", "b.raw", "c.raw"]),
        ("s%03d.raw 1 6", [f"s{n:03d}.raw" for n in range(1, 7)]),
        ("s%03d.raw 2 12 2", [f"s{n:03d}.raw" for n in range(2, 13, 2)]),
    ],
)
def test_voxels_in_several_files_are_put_together(tmp_path, named, names):
    for name, part in zip(names, np.split(KJI, len(names)), strict=True):
        (tmp_path / name).write_bytes(part.tobytes())
    tail = "\n".join(names).encode() if "LIST" in named else b""
    path = written(tmp_path / "a.mhd", tail, ElementDataFile=named)
    np.testing.assert_array_equal(itk.load(path).array.T, KJI)
    (tmp_path / names[-1]).unlink()
    with pytest.raises(InputError, match="names is missing"):
        itk.load(path)


@pytest.mark.parametrize("compress", [False, True])
def test_four_dimensions_are_volumes(tmp_path, compress):
    stack = np.stack([KJI, KJI + 1000])
    image = sitk.JoinSeries([sitk.GetImageFromArray(one) for one in stack], 0.0, 2.5)
    image.SetSpacing((2.0, 3.0, 4.0, 2.5))
    sitk.WriteImage(image, str(tmp_path / "a.mha"), compress)
    volume = itk.load(tmp_path / "a.mha")
    np.testing.assert_array_equal(np.asarray(volume.further.array).T, stack)
    assert (volume.further.name, volume.further.values) == ("volume", (0.0, 1.0))
    assert volume.grid.affine.spacing_mm == (2, 3, 4)
    assert itk.inspect(tmp_path / "a.mha").further == ("volume", "", 2)


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["u1", "f4"])
def test_channels_are_colours_or_volumes(tmp_path, channels, dtype):
    raw = np.random.default_rng(0).integers(0, 256, (6, 5, 4, channels)).astype(dtype)
    sitk.WriteImage(sitk.GetImageFromArray(raw, isVector=True), str(tmp_path / "a.mha"))
    volume = itk.load(tmp_path / "a.mha")
    if dtype == "u1" and channels > 2:
        np.testing.assert_array_equal(volume.colour.transpose(2, 1, 0, 3), raw[..., :3])
        assert volume.further is None
    else:
        found = np.asarray(volume.further.array).transpose(2, 1, 0, 3)
        np.testing.assert_array_equal(found, raw)
        assert any(f"holds {channels} numbers" in text for text in volume.warnings)


def test_a_turned_image_lies_where_simpleitk_puts_it(tmp_path):
    path = written(tmp_path / "a.mha", TransformMatrix="0.6 0.8 0 -0.8 0.6 0 0 0 -1")
    image, affine = sitk.ReadImage(str(path)), itk.load(path).grid.affine
    for index in ((0, 0, 0), (3, 4, 5), (1, 0, 2)):
        lps = image.TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose(affine.lps[:3, :3] @ index + affine.lps[:3, 3], lps)


def test_one_picture_has_no_place(tmp_path):
    path = written(
        tmp_path / "a.mha",
        KJI[0].tobytes(),
        NDims="2",
        DimSize="4 5",
        ElementSpacing="2 3",
        Offset="0 0",
        TransformMatrix="1 0 0 1",
    )
    volume = itk.load(path)
    assert (volume.slices, volume.is_oriented, volume.grid.shape) == (
        "pictures",
        False,
        (4, 5, 1),
    )


@pytest.mark.parametrize(
    ("unit", "factor", "doubt"),
    [("mm", 1, ""), ("um", 1e-3, "another unit"), ("furlong", 1, "unit of length is unknown")],
)
def test_units_become_millimetres(tmp_path, unit, factor, doubt):
    volume = itk.load(written(tmp_path / "a.mha", DistanceUnits=unit))
    assert volume.grid.affine.spacing_mm == pytest.approx((2 * factor, 3 * factor, 4 * factor))
    assert doubt in " ".join(volume.warnings)


def test_what_is_missing_is_said(tmp_path):
    volume = itk.load(
        written(tmp_path / "a.mha", TransformMatrix=None, Offset=None, ElementSpacing=None)
    )
    assert not volume.is_oriented
    assert any("1 mm is assumed" in text for text in volume.warnings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ObjectType": "Mesh"}, "another object of MetaIO"),
        ({"NDims": None}, "lacks sizes, type or data file"),
        ({"NDims": "1", "DimSize": "120"}, "not one of 2 to 10"),
        ({"NDims": "many"}, "not a whole number"),
        ({"DimSize": "4 5"}, "sizes are 2 numbers"),
        ({"DimSize": "4 5 -6"}, "not positive whole numbers"),
        ({"DimSize": "40000 40000 40000"}, "cannot hold as many|more than this computer"),
        ({"ElementType": "MET_STRING"}, "type of voxels is not one"),
        ({"ElementSpacing": "2 0 4"}, "spans no volume"),
        ({"ElementSpacing": "2 nan 4"}, "not finite"),
        ({"ElementSpacing": "2 3"}, "voxel sizes are 2 numbers"),
        ({"Offset": "a b c"}, "positions are not numbers"),
        ({"TransformMatrix": "1 0 0 1"}, "directions are 4 numbers"),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "spans no volume"),
        ({"ElementToIntensityFunctionSlope": "2"}, "intensity function"),
        ({"ElementNumberOfChannels": "0"}, "less than one"),
        ({"HeaderSize": "x"}, "skip is not a whole number"),
        ({"ElementDataFile": "../a.raw"}, "in another folder"),
        ({"ElementDataFile": "a.raw"}, "is missing"),
        ({"ElementDataFile": "LIST"}, "is missing|in another folder|names"),
        ({"CompressedData": "True"}, "damaged|cut off"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message) as caught:
        itk.load(written(tmp_path / "a.mha", **change))
    assert caught.value.hint


def test_more_than_four_dimensions_or_two_kinds_are_refused(tmp_path):
    five = {
        "NDims": "5",
        "DimSize": "2 3 4 5 1",
        "ElementSpacing": "1 1 1 1 1",
        "Offset": "0 0 0 0 0",
        "TransformMatrix": None,
    }
    assert itk.load(written(tmp_path / "a.mha", **five)).further.array.shape == (2, 3, 4, 5)
    with pytest.raises(InputError, match="At most four dimensions"):
        itk.load(written(tmp_path / "b.mha", **(five | {"DimSize": "2 3 4 1 5"})))
    with pytest.raises(InputError, match="Several numbers for each voxel and several volumes"):
        itk.load(written(tmp_path / "c.mha", ElementNumberOfChannels="2", **five))
    turned = " ".join(map(str, np.roll(np.eye(4), 1, axis=0).ravel()))
    four = five | {"NDims": "4", "DimSize": "2 3 4 5", "ElementSpacing": "1 1 1 1"}
    with pytest.raises(InputError, match="turns space into another dimension"):
        itk.load(
            written(
                tmp_path / "d.mha", **(four | {"Offset": "0 0 0 0", "TransformMatrix": turned})
            )
        )
