"""NIfTI: geometry by its rule, values exact, masks bit for bit, and what is refused."""

from __future__ import annotations

import gzip
import struct
import tempfile
from hashlib import sha256
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import ORIENTATIONS, orientation_matrix
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io import voxels
from napari_medlabel.io.nifti import reading as nifti
from napari_medlabel.io.registry import find_series, read_mask, read_volume

SHAPE = (4, 5, 6)


def grey(dtype="int16"):
    return np.arange(120).reshape(SHAPE).astype(dtype)


def image(array=None, affine=None, kind=nib.Nifti1Image, codes=(1, 0), **fields):
    array = grey() if array is None else array
    out = kind(array, np.diag([2.0, 3.0, 4.0, 1.0]) if affine is None else affine)
    out.header.set_sform(out.affine, code=codes[0])
    out.header.set_qform(out.affine, code=codes[1])
    for name, value in fields.items():
        out.header[name] = value
    return out


def saved(path, out=None):
    nib.save(image() if out is None else out, path)
    return path


def patched(path, offset, form, *values):
    """Save a file and change its header's bytes, as no library would write them."""
    saved(path)
    data = bytearray(path.read_bytes())
    struct.pack_into("<" + form, data, offset, *values)
    path.write_bytes(bytes(data))
    return path


def turned(codes, spacing, angle):
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ orientation_matrix(codes) @ np.diag(spacing)
    return matrix


@pytest.mark.parametrize("codes", ORIENTATIONS)
@settings(max_examples=3, deadline=None)
@given(
    spacing=st.tuples(*[st.floats(0.1, 8)] * 3),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
    angle=st.floats(-0.7, 0.7),
    form=st.sampled_from(["sform", "qform"]),
    suffix=st.sampled_from([".nii", ".nii.gz"]),
    kind=st.sampled_from([nib.Nifti1Image, nib.Nifti2Image]),
)
def test_all_orientations_read_exactly_and_a_mask_goes_back_bit_for_bit(
    codes, spacing, origin, angle, form, suffix, kind
):
    matrix = turned(codes, spacing, angle)
    matrix[:3, 3] = origin
    forms = (1, 0) if form == "sform" else (0, 1)
    with tempfile.TemporaryDirectory() as name:
        source = image(affine=matrix, kind=kind, codes=forms)
        path = saved(Path(name, "scan" + suffix), source)
        volume = read_volume(path)
        np.testing.assert_array_equal(volume.array, grey())
        truth = nib.load(path).affine
        np.testing.assert_array_equal(volume.grid.affine.matrix, truth)
        corners = Grid(SHAPE, Affine(matrix)).corners_ras()
        # float32 in a NIfTI-1 header rounds; the quaternion of the qform rounds more
        np.testing.assert_allclose(volume.grid.corners_ras(), corners, atol=2e-3)
        mask = (grey() % 3).astype(np.uint8)
        target = Path(name, "mask" + suffix)
        header = volume.source.header
        nifti.write_mask_nifti(
            target, mask, header, volume.source.big_endian, Affine(np.eye(4))
        )
        array, grid = nifti.read_labels_nifti(target)
        assert grid.affine == volume.grid.affine
        assert nib.load(target).affine.tobytes() == truth.tobytes()
        np.testing.assert_array_equal(array, mask)


def test_the_mask_keeps_every_geometric_byte_and_clears_free_texts(tmp_path):
    source = image(
        codes=(4, 2),
        descrip=b"Invented Name",
        aux_file=b"name.txt",
        intent_name=b"x",
        slice_duration=2.5,
        toffset=7.0,
        cal_max=9,
        db_name=b"Invented",
    )
    source.header.set_xyzt_units("mm", "sec")
    source.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"Invented Name"))
    path = saved(tmp_path / "scan.nii", source)
    volume = read_volume(path)
    target = tmp_path / "mask.nii"
    nifti.write_mask_nifti(
        target, grey("uint16"), volume.source.header, False, volume.grid.affine
    )
    old, new = nib.load(path).header, nib.load(target).header
    changed = {name for name in old if old[name].tobytes() != new[name].tobytes()}
    assert changed == {
        "datatype",
        "cal_max",
        "intent_name",
        "descrip",
        "aux_file",
        "db_name",
    }
    assert b"Invented" not in target.read_bytes()


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_big_endian_source_gets_a_big_endian_mask(tmp_path, kind, dtype):
    source = image(kind=kind)
    swapped = kind(grey(">i2"), source.affine, source.header.as_byteswapped(">"))
    path = saved(tmp_path / "big.nii", swapped)
    assert path.read_bytes()[:4] == struct.pack(">i", 348 if kind is nib.Nifti1Image else 540)
    volume = read_volume(path)
    assert volume.source.big_endian
    np.testing.assert_array_equal(volume.array, grey())
    target = tmp_path / "mask.nii"
    mask = grey(dtype) * (300 if dtype == "uint16" else 1)
    nifti.write_mask_nifti(target, mask, volume.source.header, True, volume.grid.affine)
    assert target.read_bytes()[:4] == path.read_bytes()[:4]
    np.testing.assert_array_equal(np.asarray(nib.load(target).dataobj), mask)
    np.testing.assert_array_equal(read_mask(target, volume.grid), mask)


def test_the_class_of_the_header_is_kept(tmp_path):
    path = saved(tmp_path / "two.nii", image(kind=nib.Nifti2Image))
    volume = read_volume(path)
    nifti.write_mask_nifti(
        tmp_path / "m.nii", grey("uint8"), volume.source.header, False, volume.grid.affine
    )
    assert isinstance(nib.load(tmp_path / "m.nii"), nib.Nifti2Image)
    assert len(volume.source.header) == 540


@pytest.mark.parametrize("sheared", [False, True])
def test_a_mask_of_another_format_gets_a_header_of_its_affine(tmp_path, sheared):
    matrix = turned("LPS", (0.7, 0.7, 2.5), 0.2)
    matrix[1, 2] += 0.8 * sheared
    affine = Affine(matrix)
    target = tmp_path / "m.nii.gz"
    nifti.write_mask_nifti(target, grey("uint8"), None, False, affine)
    written = nib.load(target)
    np.testing.assert_array_equal(written.affine, matrix.astype(np.float32))
    assert written.get_sform(coded=True)[1] == 1
    assert written.get_qform(coded=True)[1] == (0 if sheared else 1)
    if not sheared:
        np.testing.assert_allclose(written.get_qform(), matrix, atol=1e-4)
    assert written.header.get_xyzt_units()[0] == "mm"
    assert read_mask(target, Grid(SHAPE, affine)).dtype == np.uint8


def test_compressed_masks_are_the_same_bytes_every_time(tmp_path):
    rng = np.random.default_rng(1)
    mask = np.zeros((128, 128, 300), np.uint8)
    mask[20:90, 30:100, 120:250] = rng.integers(0, 3, (70, 70, 130))
    affine = Affine(np.eye(4))
    for name in ("a", "b"):
        nifti.write_mask_nifti(tmp_path / f"{name}.nii.gz", mask, None, False, affine)
    data = (tmp_path / "a.nii.gz").read_bytes()
    assert data == (tmp_path / "b.nii.gz").read_bytes()
    assert data[3:10] == b"\0\0\0\0\0\0\xff"  # no flags, no time, no name
    np.testing.assert_array_equal(np.asarray(nib.load(tmp_path / "a.nii.gz").dataobj), mask)
    gzip.decompress(data)  # checks CRC and size
    nib.save(nib.Nifti1Image(mask, np.eye(4)), tmp_path / "n.nii.gz")
    assert len(data) < 1.05 * (tmp_path / "n.nii.gz").stat().st_size


def test_an_existing_file_is_never_written_over(tmp_path):
    for name in ("a.nii", "a.nii.gz"):
        (tmp_path / name).write_bytes(b"precious")
        with pytest.raises(FileExistsError):
            nifti.write_mask_nifti(
                tmp_path / name, grey("uint8"), None, False, Affine(np.eye(4))
            )
        assert (tmp_path / name).read_bytes() == b"precious"


def test_a_mask_that_does_not_fit_its_header_is_refused(tmp_path):
    header = read_volume(saved(tmp_path / "s.nii")).source.header
    affine = Affine(np.eye(4))
    with pytest.raises(GeometryError, match="shape and the source header's dimensions differ"):
        nifti.write_mask_nifti(
            tmp_path / "m.nii", np.zeros((4, 5, 7), np.uint8), header, False, affine
        )
    with pytest.raises(GeometryError, match="A mask is uint8 or uint16; got float32"):
        nifti.write_mask_nifti(tmp_path / "m.nii", grey("f4"), header, False, affine)
    assert not (tmp_path / "m.nii").exists()


@pytest.mark.parametrize(
    ("array", "fields", "dtype", "warning"),
    [
        (grey("uint8"), {}, "uint8", ""),
        (grey("int32"), {}, "int32", ""),
        (grey("int64") - 5, {}, "int8", ""),
        (grey("int64") * 70000 - 5, {}, "int32", ""),
        (grey("float32") / 7, {}, "float32", ""),
        (grey("float64"), {}, "float32", ""),
        (grey("float64") / 7, {}, "float32", "rounded"),
    ],
)
def test_values_keep_the_smallest_exact_type(tmp_path, array, fields, dtype, warning):
    volume = read_volume(
        saved(
            tmp_path / "a.nii.gz",
            nib.Nifti1Image(array, np.diag([2.0, 3, 4, 1]), dtype=array.dtype),
        )
    )
    assert volume.array.dtype == dtype
    np.testing.assert_allclose(volume.array, array, rtol=1e-6)
    assert any(warning in text for text in volume.warnings) == bool(warning)


@pytest.mark.parametrize(
    ("slope", "intercept", "scaled"), [(0, 5, False), (1, 0, False), (0.5, -3, True)]
)
def test_slope_zero_means_no_scaling(tmp_path, slope, intercept, scaled):
    path = patched(tmp_path / "a.nii", 112, "2f", slope, intercept)
    volume = read_volume(path)
    expected = grey() * 0.5 - 3 if scaled else grey()
    np.testing.assert_array_equal(volume.array, expected)
    assert volume.array.dtype == (np.float32 if scaled else np.int16)


def test_hash_progress_and_header_are_kept(tmp_path):
    path = saved(tmp_path / "a.nii.gz")
    seen = []
    volume = read_volume(path, progress=lambda done, whole: seen.append((done, whole)))
    size = path.stat().st_size
    assert seen[-1] == (size, size)
    assert volume.source.sha256 == (sha256(path.read_bytes()).hexdigest(),)
    assert volume.source.header == gzip.decompress(path.read_bytes())[:348]
    assert read_volume(path, hashes=False).source.sha256 == ()


@pytest.mark.parametrize("row", [0.0, 1.0, float("nan")])
def test_a_damaged_sform_leaves_the_word_to_a_good_qform(tmp_path, row):
    good = np.diag([2.0, 3, 4, 1])
    out = nib.Nifti1Image(np.zeros((3, 4, 5), np.int16), good)
    out.header.set_qform(good, code=1)
    nib.save(out, tmp_path / "a.nii")
    data = bytearray((tmp_path / "a.nii").read_bytes())
    struct.pack_into("<2h", data, 252, 1, 1)
    struct.pack_into("<12f", data, 280, *[row] * 12)
    (tmp_path / "b.nii").write_bytes(data)
    volume = nifti.load(tmp_path / "b.nii")
    np.testing.assert_allclose(volume.grid.affine.matrix, good)
    assert "The sform is damaged; the qform was used." in volume.warnings
    struct.pack_into("<3f", data, 80, 0, 0, 0)
    (tmp_path / "b.nii").write_bytes(data)
    with pytest.raises(InputError, match="not finite or spans no volume"):
        nifti.load(tmp_path / "b.nii")


def test_sform_goes_before_qform_and_a_difference_is_said(tmp_path):
    out = image(codes=(2, 1))
    other = out.affine.copy()
    other[0, 3] += 5
    out.header.set_qform(other, code=1)
    volume = read_volume(saved(tmp_path / "a.nii", out))
    np.testing.assert_array_equal(volume.grid.affine.matrix, out.affine)
    assert any(
        "sform and qform place the corners up to 5 mm apart" in w for w in volume.warnings
    )


def test_without_codes_the_orientation_is_unknown_and_said(tmp_path):
    volume = read_volume(patched(tmp_path / "a.nii", 252, "2h", 0, 0))
    assert volume.grid.affine.spacing_mm == (2.0, 3.0, 4.0)
    assert "Orientation unknown: left and right cannot be told." in volume.warnings


@pytest.mark.parametrize(("code", "factor", "name"), [(1, 1000, "metres"), (3, 0.001, "micro")])
def test_other_units_become_millimetres(tmp_path, code, factor, name):
    path = patched(tmp_path / "a.nii", 123, "B", code)
    volume = read_volume(path)
    assert volume.grid.affine.spacing_mm == pytest.approx((2 * factor, 3 * factor, 4 * factor))
    assert any(name in text for text in volume.warnings)
    nifti.write_mask_nifti(
        tmp_path / "m.nii", grey("uint8"), volume.source.header, False, volume.grid.affine
    )
    assert nifti.read_labels_nifti(tmp_path / "m.nii")[1].affine == volume.grid.affine


def test_an_unknown_unit_is_said(tmp_path):
    volume = read_volume(patched(tmp_path / "a.nii", 123, "B", 5))
    assert any("unit of length is unknown" in text for text in volume.warnings)


def test_a_trailing_single_dimension_is_accepted_and_kept_in_the_mask(tmp_path):
    volume = read_volume(saved(tmp_path / "a.nii", image(grey()[..., None])))
    assert volume.grid.shape == SHAPE
    nifti.write_mask_nifti(
        tmp_path / "m.nii", grey("uint8"), volume.source.header, False, volume.grid.affine
    )
    assert nib.load(tmp_path / "m.nii").shape == (*SHAPE, 1)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.nii", volume.grid), grey())


def test_a_single_slice_is_a_volume_of_one(tmp_path):
    volume = read_volume(saved(tmp_path / "a.nii", image(grey()[:, :, 0])))
    assert volume.grid.shape == (4, 5, 1)


MALFORMED = {
    "magic": ((344, "4s", b"xx1\0"), r"mark \(magic\) in its header is wrong"),
    "pair": ((344, "4s", b"ni1\0"), r"one half of a pair of files, and it is not called"),
    "size of header": ((0, "i", 999), "not those of a NIfTI header"),
    "no dimensions": ((40, "h", 0), "number of dimensions is not one of 1 to 7"),
    "too many dimensions": ((40, "h", 9), "number of dimensions is not one of 1 to 7"),
    "one dimension": ((40, "h", 1), "one dimension"),
    "dimension 0": ((42, "h", 0), "dimension of size zero or less"),
    "dimension < 0": ((44, "h", -5), "dimension of size zero or less"),
    "volumes": ((40, "8h", 7, 4, 5, 6, 99, 99, 99, 99), "100000 at most are read"),
    "a voxel": ((40, "5h", 4, 1, 1, 1, 120), "a single voxel in space"),
    "huge": ((40, "4h", 3, 30000, 30000, 30000), "cannot hold as many voxels"),
    "unknown type": ((70, "h", 7), "data type is not one that NIfTI knows"),
    "bits packed": ((70, "2h", 1, 1), "packed bits"),
    "colours cut": ((70, "2h", 128, 24), "cannot hold as many voxels|cut off"),
    "complex cut": ((70, "2h", 32, 64), "cannot hold as many voxels|cut off"),
    "colours of wrong size": ((70, "2h", 128, 32), "bits per voxel disagree"),
    "bits": ((72, "h", 64), "bits per voxel disagree"),
    "offset past the end": ((108, "f", 1e6), "cannot hold as many voxels"),
    "offset in the header": ((108, "f", 12), "begin outside of the file"),
    "offset nan": ((108, "f", float("nan")), "begin outside of the file"),
    "offset absurd": ((108, "f", 1e15), "begin outside of the file"),
    "slope inf": ((112, "f", float("inf")), "scaling"),
    "intercept inf": ((112, "2f", 2, float("-inf")), "scaling"),
    "sform nan": ((280, "f", float("nan")), "not finite or spans no volume"),
    "sform singular": ((280, "12f", *[1] * 12), "not finite or spans no volume"),
}


@pytest.mark.parametrize("case", MALFORMED)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_broken_header_is_refused_with_its_reason(tmp_path, case, suffix):
    change, message = MALFORMED[case]
    path = patched(tmp_path / "a.nii", *change)
    if suffix == ".nii.gz":
        data = path.read_bytes()
        path = tmp_path / "a.nii.gz"
        path.write_bytes(gzip.compress(data, mtime=0))
    with pytest.raises(InputError, match=message) as caught:
        read_volume(path)
    assert caught.value.hint
    if not any(word in message for word in ("cannot hold", "pair")):
        assert find_series(path).series[0].problem == caught.value.message


def test_a_damaged_quaternion_is_refused_or_said(tmp_path):
    out = image(codes=(0, 1))
    path = saved(tmp_path / "q.nii", out)
    data = bytearray(path.read_bytes())
    struct.pack_into("<3f", data, 256, 3.0, 3.0, 3.0)
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="qform is damaged"):
        read_volume(path)
    struct.pack_into("<2h", data, 252, 1, 1)  # with an sform the qform is not needed
    path.write_bytes(bytes(data))
    assert read_volume(path).grid.affine.spacing_mm == (2.0, 3.0, 4.0)


@pytest.mark.parametrize("cut", [3, 20, 200])
def test_cut_files_are_refused(tmp_path, cut):
    path = saved(tmp_path / "a.nii")
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(InputError, match="cut off"):
        read_volume(path)
    packed = saved(
        tmp_path / "b.nii.gz", image(np.random.default_rng(0).integers(0, 9, SHAPE, np.int16))
    )
    packed.write_bytes(packed.read_bytes()[: -min(cut, 120)])
    with pytest.raises(InputError, match="cut off"):
        read_volume(packed)


def test_a_changed_byte_in_a_compressed_file_is_found(tmp_path):
    path = saved(tmp_path / "a.nii.gz")
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF  # the check sum
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="damaged: its check sum"):
        read_volume(path)


def test_a_header_alone_is_refused(tmp_path):
    path = saved(tmp_path / "a.nii")
    for length in (0, 3, 100, 347, 352):
        path.write_bytes(path.read_bytes()[:352][:length])
        with pytest.raises(InputError):
            read_volume(path)
        saved(path)


def test_a_bomb_is_refused_before_anything_is_allocated(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.nii.gz", image(np.zeros((64, 64, 64), np.int16)))
    monkeypatch.setattr(voxels, "memory_bytes", lambda: 100_000)
    monkeypatch.setattr(np, "empty", lambda *_: pytest.fail("allocated"))
    with pytest.raises(
        InputError, match=r"needs 0.000524 GB, more than this computer can hold"
    ):
        read_volume(path)


def test_several_gzip_members_are_one_file(tmp_path):
    path = saved(tmp_path / "a.nii")
    data = path.read_bytes()
    packed = tmp_path / "b.nii.gz"
    packed.write_bytes(gzip.compress(data[:400]) + gzip.compress(data[400:]))
    np.testing.assert_array_equal(read_volume(packed).array, grey())
    packed.write_bytes(gzip.compress(data) + b"\0" * 512)  # tape padding
    np.testing.assert_array_equal(read_volume(packed).array, grey())


def mask_file(path, array, **options):
    nib.save(nib.Nifti1Image(array, np.diag([2.0, 3, 4, 1]), **options), path)
    return path


GRID = Grid(SHAPE, Affine(np.diag([2.0, 3.0, 4.0, 1.0])))


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (grey("uint8"), "uint8"),
        (grey("int16"), "uint8"),
        (grey("float32"), "uint8"),
        (grey("uint16") * 300, "uint16"),
        (grey("float64") * 300, "uint16"),
    ],
)
def test_masks_of_whole_numbers_become_small_writable_arrays(tmp_path, array, dtype):
    mask = read_mask(mask_file(tmp_path / "m.nii.gz", array), GRID)
    assert mask.dtype == dtype
    assert mask.flags.writeable
    assert mask.T.flags.c_contiguous
    np.testing.assert_array_equal(mask, array)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (grey("float32") + 0.5, "has fractions"),
        (grey("float32") * np.nan, "has fractions or values that are no numbers"),
        (grey("int16") - 1, "from 0 to 65535; this mask goes beyond"),
        (grey("int32") * 1000, "from 0 to 65535; this mask goes beyond"),
    ],
)
def test_masks_that_hold_no_labels_are_refused(tmp_path, array, message):
    with pytest.raises(InputError, match=message):
        read_mask(mask_file(tmp_path / "m.nii", array), GRID)


def test_a_mask_of_another_grid_is_refused(tmp_path):
    path = mask_file(tmp_path / "m.nii", grey("uint8"))
    moved = Grid(SHAPE, Affine.from_spacing((2, 3, 4), (0.5, 0, 0)))
    with pytest.raises(
        GeometryError, match="mask does not lie on this scan: corners lie up to 0"
    ):
        read_mask(path, moved)
    with pytest.raises(GeometryError, match="4 x 5 x 7 voxels are expected, 4 x 5 x 6 came"):
        read_mask(path, Grid((4, 5, 7), GRID.affine))


def test_a_file_that_is_no_mask_is_refused(tmp_path):
    (tmp_path / "m.txt").write_text("no mask")
    for name in ("m.txt", "missing.nii.gz"):
        with pytest.raises(InputError, match="A mask is expected"):
            read_mask(tmp_path / name, GRID)
