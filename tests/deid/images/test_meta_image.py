from __future__ import annotations

import gzip
import zlib

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.deid.images.meta_image import meta_parts
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Note

WORD = b"Featherstone"
VOXELS = np.arange(24, dtype="<i2").reshape(2, 3, 4)
FIELDS = {
    "ObjectType": "Image",
    "NDims": "3",
    "Comment": "Featherstone",
    "AcquisitionDate": "1947.03.16",
    "Name": "Featherstone",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 0.80000000000000004 0.6 0 -0.6 0.8",
    "Offset": "-90.5 126 -72.25",
    "CenterOfRotation": "0 0 0",
    "AnatomicalOrientation": "RAI",
    "ElementSpacing": "0.9 0.9 3.25",
    "Modality": "MET_MOD_MR",
    "DimSize": "4 3 2",
    "0010|0010": "Featherstone^Millicent",
    "ElementType": "MET_SHORT",
}
CLEAN = (
    b"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
    b"CompressedData = False\nTransformMatrix = 1 0 0 0 0.8 0.6 0 -0.6 0.8\n"
    b"Offset = -90.5 126 -72.25\nCenterOfRotation = 0 0 0\nAnatomicalOrientation = RAI\n"
    b"ElementSpacing = 0.9 0.9 3.25\nModality = MET_MOD_MR\nDimSize = 4 3 2\n"
    b"ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
)


def header(data_file: str = "LOCAL", **changed: str | None) -> bytes:
    fields = FIELDS | changed | {"ElementDataFile": data_file}
    lines = [f"{name} = {value}\n" for name, value in fields.items() if value is not None]
    return "".join(lines).encode()


def written(folder, data: bytes = VOXELS.tobytes(), name: str = "LOCAL", **changed):
    path = folder / ("a.mha" if name == "LOCAL" else "a.mhd")
    path.write_bytes(header(name, **changed) + (data if name == "LOCAL" else b""))
    if name != "LOCAL":
        (folder / name).write_bytes(data)
    return path


def clean(path) -> bytes:
    made = meta_parts(path).whole()
    assert made.suffix == ".mha"
    assert made.report.notes == {Note.FACE}
    assert WORD not in made.content
    return made.content


def voxels(content: bytes) -> bytes:
    head, mark, data = content.partition(b"ElementDataFile = LOCAL\n")
    assert mark
    return zlib.decompress(data) if b"CompressedData = True" in head else data


def test_what_the_keep_list_names_passes_and_nothing_else(tmp_path):
    content = clean(written(tmp_path, VOXELS.tobytes() + WORD))
    assert content == CLEAN + VOXELS.tobytes()


@pytest.mark.parametrize("packed", ["True", "False"])
def test_itk_reads_the_same_image(tmp_path, packed):
    data = zlib.compress(VOXELS.tobytes()) if packed == "True" else VOXELS.tobytes()
    source = written(tmp_path, data, CompressedData=packed, CompressedDataSize=str(len(data)))
    (tmp_path / "b.mha").write_bytes(clean(source))
    before, after = (SimpleITK.ReadImage(str(tmp_path / name)) for name in ("a.mha", "b.mha"))
    assert np.array_equal(SimpleITK.GetArrayFromImage(after), VOXELS)
    assert np.array_equal(
        SimpleITK.GetArrayFromImage(before), SimpleITK.GetArrayFromImage(after)
    )
    assert before.GetOrigin() == after.GetOrigin()
    assert before.GetSpacing() == after.GetSpacing()
    assert before.GetDirection() == after.GetDirection()


@pytest.mark.parametrize("name", ["LOCAL", "Featherstone.raw"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zlib.compress])
def test_every_packing_keeps_the_voxels(tmp_path, name, pack):
    packed = str(pack is not bytes)
    path = written(tmp_path, pack(VOXELS.tobytes()), name, CompressedData=packed)
    assert voxels(clean(path)) == VOXELS.tobytes()


@pytest.mark.parametrize("name", ["LOCAL", "a.raw"])
def test_bytes_in_front_are_skipped(tmp_path, name):
    path = written(tmp_path, WORD + VOXELS.tobytes(), name, HeaderSize=str(len(WORD)))
    assert voxels(clean(path)) == VOXELS.tobytes()
    path = written(tmp_path, WORD + VOXELS.tobytes(), name, HeaderSize="-1")
    assert voxels(clean(path)) == VOXELS.tobytes()


def test_a_list_of_files_becomes_one_file(tmp_path):
    path = tmp_path / "a.mhd"
    path.write_bytes(header("LIST") + b"Featherstone0\nFeatherstone1\n")
    for n in (0, 1):
        (tmp_path / f"Featherstone{n}").write_bytes(VOXELS[n].tobytes())
    assert voxels(clean(path)) == VOXELS.tobytes()


def test_big_endian_and_several_channels_pass(tmp_path):
    data = VOXELS.astype(">f8").tobytes() * 2
    path = written(
        tmp_path,
        data,
        ElementType="MET_DOUBLE_ARRAY",
        BinaryDataByteOrderMSB=None,
        ElementByteOrderMSB="1",
        ElementNumberOfChannels="2",
    )
    content = clean(path)
    assert voxels(content) == data
    assert b"\nBinaryDataByteOrderMSB = True\n" in content
    assert b"\nElementNumberOfChannels = 2\n" in content
    assert b"\nElementType = MET_DOUBLE\n" in content


def test_text_becomes_numbers(tmp_path):
    text = " ".join(map(str, VOXELS.ravel())).encode()
    content = clean(written(tmp_path, text, BinaryData="False", BinaryDataByteOrderMSB="True"))
    assert content == CLEAN + VOXELS.tobytes()


def test_hints_that_are_none_go_alone(tmp_path):
    content = clean(
        written(
            tmp_path,
            AnatomicalOrientation="Featherstone",
            Modality="Featherstone",
            CenterOfRotation="1947031600 0 0",
            ElementMin="0",
            ElementMax="4e9",
            DistanceUnits="Featherstone",
        )
    )
    assert b"ElementMin = 0" in content
    hints = (b"Modality", b"AnatomicalOrientation", b"CenterOfRotation", b"ElementMax")
    for gone in (*hints, b"DistanceUnits"):
        assert gone not in content
    assert b"DistanceUnits = mm" in clean(written(tmp_path, DistanceUnits="mm"))


@pytest.mark.parametrize(
    "changed",
    [
        {"ObjectType": "Tube"},
        {"NDims": None},
        {"NDims": "11"},
        {"DimSize": None},
        {"DimSize": "4 3"},
        {"DimSize": "4 3 -2"},
        {"ElementType": "MET_STRING"},
        {"ElementType": None},
        {"Offset": "0 0"},
        {"Offset": "0 0 1947031600"},
        {"ElementSpacing": "1 1 Featherstone"},
        {"TransformMatrix": "1 0 0"},
        {"ElementNumberOfChannels": "0"},
        {"HeaderSize": "-2"},
        {"data_file": ""},
    ],
)
def test_a_header_that_is_not_understood_is_refused(tmp_path, changed):
    (tmp_path / "a.mha").write_bytes(header(**changed) + VOXELS.tobytes())
    with pytest.raises(QuarantineError, match="image header is broken"):
        meta_parts(tmp_path / "a.mha")


def test_a_header_without_data_is_refused(tmp_path):
    (tmp_path / "a.mha").write_bytes(b"ObjectType = Image\nNDims = 3\n")
    with pytest.raises(QuarantineError, match="image header is broken"):
        meta_parts(tmp_path / "a.mha")


@pytest.mark.parametrize("changed", [{}, {"HeaderSize": "-1"}, {"name": "a.raw"}])
def test_missing_voxels_are_refused(tmp_path, changed):
    with pytest.raises(QuarantineError, match="voxels shorter"):
        meta_parts(written(tmp_path, VOXELS.tobytes()[:-1], **changed))


def test_voxels_that_lie_elsewhere_are_refused(tmp_path):
    (tmp_path / "a.mhd").write_bytes(header("/etc/hostname"))
    with pytest.raises(QuarantineError, match="voxels shorter"):
        meta_parts(tmp_path / "a.mhd")


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 700), st.sampled_from([WORD, b"\n" + WORD + b" = " + WORD + b"\n"]))
def test_a_word_at_any_place_does_not_pass(tmp_path_factory, at, word):
    path = tmp_path_factory.mktemp("a") / "a.mha"
    content = bytearray(header() + VOXELS.tobytes() + WORD)
    at = min(at, len(header()))
    content[at:at] = word
    path.write_bytes(content)
    try:
        made = meta_parts(path).whole().content
    except QuarantineError:
        return
    head = made[: made.index(b"LOCAL\n")]
    assert WORD not in head
    assert len(voxels(made)) == VOXELS.nbytes


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 200))
def test_any_bytes_are_cleaned_or_refused(tmp_path_factory, noise, at):
    path = tmp_path_factory.mktemp("a") / "a.mha"
    content = bytearray(header() + VOXELS.tobytes())
    content[at : at + len(noise)] = noise
    path.write_bytes(content)
    try:
        assert meta_parts(path).whole().content.startswith(b"ObjectType = Image\n")
    except QuarantineError:
        return
