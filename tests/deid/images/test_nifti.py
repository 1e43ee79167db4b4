from __future__ import annotations

import gzip
import struct
import warnings
from io import BytesIO

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.deid.images.nifti import clean_nifti, has_magic, is_pair, layout_of
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Note

WORD = b"QUINCY"
AFFINE = np.array(
    [[-0.9, 0.1, 0, 80], [0.1, 0.9, 0.2, -99], [0, -0.2, 1.5, 11.25], [0, 0, 0, 1]]
)
TYPES = ("u1", "i2", "i4", "f4", "c8", "f8", "i1", "u2", "u4", "i8", "u8")


def image(kind: type, dtype: str, order: str, shape: tuple[int, ...] = (5, 4, 3)) -> bytes:
    """A NIfTI file with words in every text field, an extension and bytes at the end."""
    header = kind.header_class(endianness=order)
    data = np.arange(np.prod(shape)).reshape(shape).astype(np.dtype(dtype))
    scan = kind(data, None, header, dtype=np.dtype(dtype))
    scan.header.set_data_dtype(np.dtype(dtype))
    scan.header.set_qform(AFFINE, 1)
    scan.header.set_sform(AFFINE, 4)
    scan.header.set_xyzt_units("mm", "sec")
    scan.header["descrip"] = b"scan of QUINCY"
    scan.header["aux_file"] = b"QUINCY.txt"
    scan.header["intent_name"] = b"QUINCY"
    if kind is nib.Nifti1Image:
        scan.header["db_name"] = b"QUINCY"
        scan.header["data_type"] = b"QUINCY"
    scan.header["cal_max"] = 1500
    scan.header["slice_duration"] = 0.25
    scan.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"QUINCY, Jack"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return scan.to_bytes() + b"after QUINCY"


def loaded(content: bytes) -> nib.Nifti1Image:
    plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    kind = (
        nib.Nifti2Image
        if 540 in struct.unpack("<i", plain[:4]) + struct.unpack(">i", plain[:4])
        else nib.Nifti1Image
    )
    return kind.from_bytes(plain)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_voxels_and_geometry_are_kept_bit_for_bit(kind, order, dtype):
    source = image(kind, dtype, order)
    result = clean_nifti(source)
    before, after = loaded(source), loaded(result.content)
    assert WORD not in result.content
    start = before.dataobj.offset
    count = before.dataobj.shape[0] * 12 * np.dtype(dtype).itemsize
    assert result.content[-count:] == source[start : start + count]
    for field in (
        "dim", "pixdim", "datatype", "bitpix", "qform_code", "sform_code", "quatern_b",
        "qoffset_x", "srow_x", "srow_y", "srow_z", "xyzt_units", "cal_max", "slice_duration",
        "intent_code", "dim_info", "slice_code",
    ):  # fmt: skip
        assert np.array_equal(before.header[field], after.header[field]), field
    assert np.array_equal(
        [before.header["scl_slope"]], [after.header["scl_slope"]], equal_nan=True
    )
    assert after.header.endianness == order
    assert not after.header.extensions
    assert result.suffix == ".nii"


def test_a_compressed_file_has_no_name_and_no_time():
    plain = image(nib.Nifti1Image, "i2", "<")
    stream = BytesIO()
    with gzip.GzipFile("QUINCY.nii", "wb", fileobj=stream, mtime=1234567890) as out:
        out.write(plain)
    result = clean_nifti(stream.getvalue() + b"QUINCY")
    assert result.suffix == ".nii.gz"
    assert result.content[3] == 0
    assert result.content[4:8] == bytes(4)
    assert WORD not in gzip.decompress(result.content)
    assert result == clean_nifti(gzip.compress(plain))


def test_members_of_gzip_that_follow_each_other_are_one_file():
    plain = image(nib.Nifti1Image, "i2", "<")
    twice = gzip.compress(plain[:400]) + gzip.compress(plain[400:])
    assert clean_nifti(twice) == clean_nifti(gzip.compress(plain))


def test_parameters_of_an_intent_stay_only_where_the_intent_has_them():
    source = bytearray(image(nib.Nifti1Image, "f4", "<"))
    source[56:68] = b"QUINCYQUINCY"
    assert WORD not in clean_nifti(bytes(source)).content
    struct.pack_into("<h", source, 68, 3)  # t test with its degrees of freedom
    assert struct.unpack_from("<3f", clean_nifti(bytes(source)).content, 56) == (0, 0, 0)
    struct.pack_into("<3f", source, 56, 12.0, 4711.0, 815.0)
    assert struct.unpack_from("<3f", clean_nifti(bytes(source)).content, 56) == (12.0, 0, 0)
    struct.pack_into("<h", source, 68, 4)  # F test with both
    assert struct.unpack_from("<3f", clean_nifti(bytes(source)).content, 56) == (12, 4711, 0)
    struct.pack_into("<h", source, 68, 22)  # a p value has none
    assert struct.unpack_from("<3f", clean_nifti(bytes(source)).content, 56) == (0, 0, 0)


def test_sizes_beyond_the_last_dimension_hide_nothing():
    source = bytearray(image(nib.Nifti1Image, "f4", "<"))
    struct.pack_into("<h", source, 40, 3)
    source[48:56] = b"QUINCY12"
    source[92:108] = b"QUINCYQUINCYQUIN"
    assert WORD not in clean_nifti(bytes(source)).content


def test_a_repetition_time_beyond_the_last_dimension_stays():
    source = bytearray(image(nib.Nifti1Image, "f4", "<"))
    struct.pack_into("<f", source, 92, 2.5)
    assert struct.unpack_from("<f", clean_nifti(bytes(source)).content, 92) == (2.5,)


def test_a_pair_becomes_one_file():
    source = bytearray(image(nib.Nifti1Image, "i2", "<"))
    voxels = bytes(source[loaded(bytes(source)).dataobj.offset :])
    source[344:348] = b"ni1\0"
    struct.pack_into("<f", source, 108, 0)
    result = clean_nifti(bytes(source[:348]), voxels)
    assert result.content[344:348] == b"n+1\0"
    assert result.content[352:] == voxels[:120]
    assert is_pair(bytes(source))


def test_a_face_is_noted():
    report = clean_nifti(image(nib.Nifti1Image, "i2", "<")).report
    assert report.notes == {Note.FACE}
    assert report.actions["X"] > 0


def test_what_is_no_nifti_is_known():
    assert layout_of(b"QUINCY") is None
    assert not has_magic(b"QUINCY")
    assert not is_pair(b"QUINCY")
    analyze = bytearray(image(nib.Nifti1Image, "i2", "<"))
    analyze[344:348] = bytes(4)
    assert layout_of(bytes(analyze)) is not None
    assert not has_magic(bytes(analyze))


@pytest.mark.parametrize(
    ("at", "kind", "value"),
    [
        (0, "<i", 999),
        (40, "<h", 0),
        (40, "<h", 8),
        (42, "<h", -1),
        (70, "<h", 77),
        (72, "<h", 64),
        (108, "<f", float("nan")),
        (108, "<f", -1.0),
        (108, "<f", 12.0),
        (344, "4s", b"QUIN"),
    ],
)
def test_a_broken_header_is_refused(at, kind, value):
    source = bytearray(image(nib.Nifti1Image, "i2", "<"))
    struct.pack_into(kind, source, at, value)
    with pytest.raises(QuarantineError, match="header is broken"):
        clean_nifti(bytes(source))


def test_missing_voxels_are_refused():
    source = image(nib.Nifti1Image, "i2", "<")
    with pytest.raises(QuarantineError, match="voxels shorter"):
        clean_nifti(source[:400])
    with pytest.raises(QuarantineError, match="header is broken"):
        clean_nifti(source[:347])


def test_broken_gzip_is_refused():
    broken = bytearray(gzip.compress(image(nib.Nifti1Image, "i2", "<")))
    broken[20:40] = bytes(20)
    with pytest.raises(QuarantineError, match="unreadable"):
        clean_nifti(bytes(broken))


CODES = {
    1: 1, 2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32,
    1024: 64, 1280: 64, 1536: 128, 1792: 128, 2048: 256, 2304: 32,
}  # fmt: skip


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("code", CODES)
def test_every_data_type_passes_bit_for_bit(code, version, order):
    bits, size, start = CODES[code], (348, 540)[version - 1], 4096
    header = bytearray(size)
    struct.pack_into(order + "i", header, 0, size)
    place = {1: (40, "8h", 70, 108, "f", 344), 2: (16, "8q", 12, 168, "q", 4)}[version]
    dim, kind, datatype, offset, real, magic = place
    struct.pack_into(order + kind, header, dim, 7, 3, 5, 2, 2, 1, 3, 1)
    struct.pack_into(order + "2h", header, datatype, code, bits)
    struct.pack_into(order + real, header, offset, start)
    header[magic : magic + 8] = b"n+1\0" if version == 1 else b"n+2\0\r\n\x1a\n"
    header = header[:size]
    count = (180 * bits + 7) // 8
    voxels = np.random.default_rng(code).bytes(count)
    source = bytes(header).ljust(start, b"Q") + voxels + WORD
    for content in (source, gzip.compress(source)):
        made = clean_nifti(content).content
        made = gzip.decompress(made) if content is not source else made
        assert made[size + 4 :] == voxels
        assert made[: size + 4].count(b"Q") == 0


@pytest.mark.parametrize("packs", [(bytes, gzip.compress), (gzip.compress, bytes)])
def test_either_file_of_a_pair_may_be_compressed(packs):
    source = bytearray(image(nib.Nifti1Image, "i2", "<"))
    voxels = bytes(source[loaded(bytes(source)).dataobj.offset :])
    source[344:348] = b"ni1\0"
    struct.pack_into("<f", source, 108, 16)
    made = clean_nifti(packs[0](bytes(source[:348])), packs[1](b"Q" * 16 + voxels))
    assert made.suffix == (".nii" if packs[0] is bytes else ".nii.gz")
    plain = made.content if packs[0] is bytes else gzip.decompress(made.content)
    assert plain[352:] == voxels[:120]


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 700), st.binary(min_size=1, max_size=40), st.booleans())
def test_a_file_with_any_bytes_changed_is_cleaned_or_refused(at, noise, is_packed):
    source = bytearray(image(nib.Nifti1Image, "i2", "<"))
    source[at : at + len(noise)] = noise
    content = gzip.compress(source) if is_packed else bytes(source)
    if not is_packed or at > 300:  # and what is packed, spoilt as well
        content = bytearray(content)
        content[at % len(content)] ^= noise[0]
        content = bytes(content)
    try:
        made = clean_nifti(content)
    except QuarantineError:
        return
    plain = gzip.decompress(made.content) if made.suffix == ".nii.gz" else made.content
    assert plain[4:39] == bytes(35)
    assert plain[140:252] == bytes(112)
