"""NRRD and MetaImage: geometry as SimpleITK has it, voxels whole or refused."""

from __future__ import annotations

import tempfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.axes import ORIENTATIONS, flip_lps_ras, orientation_matrix
from napari_medlabel.io.registry import find_series, read_mask, read_volume

KJI = np.arange(120, dtype=np.int16).reshape(6, 5, 4)
SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")


def image(codes="LPS", array=KJI, spacing=(0.7, 0.8, 2.5), origin=(1.0, 2.0, 3.0)):
    out = sitk.GetImageFromArray(array)
    lps = np.diag([-1.0, -1.0, 1.0]) @ orientation_matrix(codes)
    out.SetDirection(lps.ravel().tolist())
    out.SetSpacing(spacing)
    out.SetOrigin(origin)
    return out


def saved(path, out=None, compress=False):
    sitk.WriteImage(image() if out is None else out, str(path), compress)
    return path


@pytest.mark.parametrize("codes", ORIENTATIONS)
@settings(max_examples=2, deadline=None)
@given(
    suffix=st.sampled_from(SUFFIXES),
    compress=st.booleans(),
    spacing=st.tuples(*[st.floats(0.1, 9)] * 3),
    origin=st.tuples(*[st.floats(-400, 400)] * 3),
)
def test_all_orientations_lie_where_simpleitk_puts_them(
    codes, suffix, compress, spacing, origin
):
    out = image(codes, spacing=spacing, origin=origin)
    with tempfile.TemporaryDirectory() as name:
        volume = read_volume(saved(Path(name, "a" + suffix), out, compress))
    assert volume.grid.affine.axis_codes == codes
    for index in ((0, 0, 0), (3, 0, 5), (3, 4, 5)):
        truth = flip_lps_ras(out.TransformIndexToPhysicalPoint(index))
        np.testing.assert_allclose(volume.grid.affine.apply(index), truth, atol=1e-4)
        assert volume.array[index] == out[index]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("compress", [False, True])
def test_a_cut_file_is_refused_where_simpleitk_would_fill_in_zeros(tmp_path, suffix, compress):
    array = np.random.default_rng(0).integers(0, 99, (6, 5, 4), np.int16)
    saved(tmp_path / f"a{suffix}", image(array=array), compress)
    largest = max(tmp_path.iterdir(), key=lambda p: p.stat().st_size)
    data = next((p for p in tmp_path.iterdir() if "raw" in p.name), largest)
    whole = data.read_bytes()
    for cut in (1, 60):
        data.write_bytes(whole[:-cut])
        with pytest.raises(InputError, match="cut off"):
            read_volume(tmp_path / f"a{suffix}")


def test_both_files_of_a_pair_are_named_and_hashed(tmp_path):
    path = saved(tmp_path / "a.mhd")
    volume = read_volume(path)
    assert [p.name for p in volume.source.files] == ["a.mhd", "a.raw"]
    assert volume.source.sha256 == tuple(
        sha256(p.read_bytes()).hexdigest() for p in volume.source.files
    )
    assert read_volume(path, hashes=False).source.sha256 == ()
    assert volume.source.format == "mha"


def test_progress_reaches_the_end(tmp_path):
    path, seen = saved(tmp_path / "a.nrrd"), []
    read_volume(path, progress=lambda done, whole: seen.append((done, whole)))
    assert seen[-1] == (path.stat().st_size,) * 2


def test_a_big_endian_file_is_turned(tmp_path):
    path = saved(tmp_path / "a.nrrd")
    head, body = path.read_bytes().split(b"\n\n", 1)
    swapped = np.frombuffer(body, "<i2").astype(">i2").tobytes()
    path.write_bytes(head.replace(b"endian: little", b"endian: big") + b"\n\n" + swapped)
    np.testing.assert_array_equal(read_volume(path).array.T, KJI)


def test_text_voxels_are_read(tmp_path):
    path = saved(tmp_path / "a.nrrd")
    head = path.read_bytes().split(b"\n\n", 1)[0].replace(b"encoding: raw", b"encoding: ascii")
    path.write_bytes(head + b"\n\n" + " ".join(map(str, KJI.ravel())).encode())
    np.testing.assert_array_equal(read_volume(path).array.T, KJI)


@pytest.mark.parametrize(
    ("dtype", "kept"), [("int64", "uint8"), ("float64", "float32"), ("uint16", "uint16")]
)
def test_values_keep_the_smallest_exact_type(tmp_path, dtype, kept):
    volume = read_volume(saved(tmp_path / "a.mha", image(array=KJI.astype(dtype))))
    assert volume.array.dtype == kept
    np.testing.assert_array_equal(volume.array.T, KJI)


def test_an_unoriented_file_is_doubted(tmp_path):
    path = saved(tmp_path / "a.nrrd")
    lines = path.read_bytes().split(b"\n\n", 1)
    kept = [
        line
        for line in lines[0].split(b"\n")
        if not line.startswith((b"space:", b"space directions", b"space origin", b"kinds"))
    ]
    path.write_bytes(b"\n".join([*kept, b"spacings: 1 1 2"]) + b"\n\n" + lines[1])
    volume = read_volume(path)
    assert "Orientation unknown: left and right cannot be told." in volume.warnings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            (b"space directions: (", b"space directions: (nan,"),
            "they are|not one for each|are 4 numbers",
        ),
        (
            (b"sizes: 4 5 6", b"sizes: 4 5 60000000"),
            "cannot hold as many voxels|more than this",
        ),
        ((b"sizes: 4 5 6", b"sizes: 4 5 -6"), "not positive whole numbers"),
        ((b"type: short", b"type: elephant"), "type of voxels is not one"),
        ((b"encoding: raw", b"encoding: gzip"), "damaged|cut off"),
        ((b"encoding: raw", b"byte skip: x\nencoding: raw"), "skip is not a whole number"),
        ((b"encoding: raw", b"encoding: raw\ndata file: ../other.raw"), "in another folder"),
        ((b"encoding: raw", b"encoding: raw\ndata file: other.raw"), "is missing"),
        (
            (b"encoding: raw", b"encoding: raw\ndata file: LIST"),
            "names 0 data files|in another folder",
        ),
    ],
)
def test_a_broken_nrrd_is_refused(tmp_path, change, message):
    path = saved(tmp_path / "a.nrrd")
    data = path.read_bytes()
    assert change[0] in data
    path.write_bytes(data.replace(*change))
    with pytest.raises(InputError, match=message) as caught:
        read_volume(path)
    assert caught.value.hint


def test_headers_that_are_none_are_refused(tmp_path):
    for name, text in (
        ("a.nrrd", b"no"),
        ("b.mha", b"no"),
        ("c.nrrd", b"NRRD0004\ntype: short"),
    ):
        (tmp_path / name).write_bytes(text)
        with pytest.raises(InputError):
            read_volume(tmp_path / name)
        assert find_series(tmp_path / name).series[0].problem


def test_masks_are_read_and_held_against_the_grid(tmp_path):
    grid = read_volume(saved(tmp_path / "scan.nrrd")).grid
    labels = image(array=(KJI % 3).astype(np.uint8))
    for suffix in SUFFIXES:
        mask = read_mask(saved(tmp_path / f"m{suffix}", labels, compress=True), grid)
        np.testing.assert_array_equal(mask.T, KJI % 3)
        assert mask.flags.writeable
    moved = image(array=(KJI % 3).astype(np.uint8), origin=(9.0, 2.0, 3.0))
    with pytest.raises(GeometryError, match="corners lie up to 8 mm apart"):
        read_mask(saved(tmp_path / "x.mha", moved), grid)
