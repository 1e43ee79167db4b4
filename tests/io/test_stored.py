"""Stored values: at once when small, lazily when large, and the same values either way."""

from __future__ import annotations

import gzip
from hashlib import sha256

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from napari_medlabel.errors import InputError
from napari_medlabel.io import stored, voxels
from napari_medlabel.io.itk import reading as itk
from napari_medlabel.io.nifti import reading as nifti

SHAPE = (4, 5, 6, 7)


@pytest.fixture
def small_limit(monkeypatch):
    for module in (nifti, itk, voxels):
        monkeypatch.setattr(module, "AT_ONCE_BYTES", 1000)


def values(dtype):
    return np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(dtype)


def saved(path, array, order="<", slope=None):
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(array.dtype)
    out = nib.Nifti1Image(array, np.diag([2.0, 3, 4, 1]), header)
    if slope is not None:
        out.header.set_slope_inter(*slope)
    nib.save(out, path)
    return path


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f4", "f8", "c8"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("slope", [None, (0.5, -3.0)])
def test_lazy_and_eager_volumes_hold_the_same(tmp_path, monkeypatch, dtype, order, slope):
    if dtype == "c8" and slope is not None:
        pytest.skip("nibabel does not write complex numbers with a scaling")
    path = saved(tmp_path / "a.nii", values(dtype), order, slope)
    eager = nifti.load(path)
    monkeypatch.setattr(nifti, "AT_ONCE_BYTES", 100)
    lazy = nifti.load(path)
    assert lazy.source.sha256 == eager.source.sha256 != ()
    assert isinstance(eager.further.array, np.ndarray)
    assert not (
        isinstance(lazy.further.array, np.ndarray)
        and not isinstance(lazy.further.array, np.memmap)
    )
    assert lazy.further.array.shape == SHAPE
    np.testing.assert_array_equal(np.asarray(lazy.further.array), eager.further.array)
    part = np.asarray(lazy.further.array[1:3, :, 2, ::2])
    np.testing.assert_array_equal(part, eager.further.array[1:3, :, 2, ::2])
    np.testing.assert_array_equal(lazy.array, eager.array)
    assert lazy.array.dtype == lazy.further.array.dtype == part.dtype
    assert lazy.array.T.flags.c_contiguous


@pytest.mark.usefixtures("small_limit")
def test_a_map_cannot_change_its_file(tmp_path):
    volume = nifti.load(saved(tmp_path / "a.nii", values("i2")))
    with pytest.raises(ValueError, match="read-only"):
        volume.further.array[0, 0, 0, 0] = 1
    volume.array[0, 0, 0] = 1  # a copy of its own


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr", ".mha", ".mhd"])
def test_nrrd_and_metaimage_are_lazy_too(tmp_path, suffix):
    image = sitk.JoinSeries(
        [sitk.GetImageFromArray(values("i2")[..., t].T.copy()) for t in range(SHAPE[3])]
    )
    sitk.WriteImage(image, str(tmp_path / f"a{suffix}"))
    volume = itk.load(tmp_path / f"a{suffix}")
    assert isinstance(volume.further.array, np.memmap)
    np.testing.assert_array_equal(volume.further.array, values("i2"))
    np.testing.assert_array_equal(volume.array, values("i2")[..., 0])
    data = next(file for file in volume.source.files[::-1])
    assert volume.source.sha256[-1] == sha256(data.read_bytes()).hexdigest()
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(InputError, match="cut off"):
        itk.load(tmp_path / f"a{suffix}")


@pytest.mark.usefixtures("small_limit")
def test_a_cut_map_is_refused(tmp_path):
    path = saved(tmp_path / "a.nii", values("i2"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="cut off"):
        nifti.load(path)


@pytest.mark.usefixtures("small_limit")
def test_a_scan_that_is_next_to_nothing_but_one_value_is_refused_and_a_mask_is_not(tmp_path):
    data = saved(tmp_path / "a.nii", np.zeros((64, 64, 64), np.uint8)).read_bytes()
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(data, 9))
    with pytest.raises(InputError, match="more than 500 times its size"):
        nifti.load(path)
    assert not nifti.read_labels_nifti(path)[0].any()


def test_what_progress_raises_ends_the_reading(tmp_path):
    class CancelledError(Exception):
        pass

    def stop(done, whole):
        raise CancelledError

    for name in ("a.nii", "a.nii.gz"):
        with pytest.raises(CancelledError):
            nifti.load(saved(tmp_path / name, values("i2")), progress=stop)


def test_reprs_say_sizes_only(tmp_path):
    lazy = stored.LazyVolumes(values("i2"), (2.0, 0.0), np.dtype("f4"))
    assert repr(lazy) == "LazyVolumes(7 volumes, float32)"
    assert np.asarray(lazy, dtype="f8").dtype == np.float64


def test_scaled_values_that_float32_cannot_reach_are_float64():
    whole = np.arange(4, dtype=np.int16).reshape(1, 1, 2, 2)
    kept, _ = stored.converted(whole, (1e200, 0.0))
    assert kept.dtype == np.float64
    np.testing.assert_array_equal(kept, whole * 1e200)
    assert stored.converted(whole, (2.0, 0.0))[0].dtype == np.float32


def near_empty(path, *, short=0, behind=b"", members=1):
    """Write 160 MB of zeros as a volume, in members of equal size."""
    shape = (400, 500, 400)
    out = nib.Nifti1Image(np.zeros((1, 1, 1), np.int16), np.diag([2.0, 3, 4, 1]))
    out.header.set_data_shape(shape)
    out.header["vox_offset"] = 352
    plain = out.header.binaryblock + bytes(4 + 2 * int(np.prod(shape)) - short)
    step = -(-len(plain) // members)
    parts = (plain[n : n + step] for n in range(0, len(plain), step))
    path.write_bytes(b"".join(gzip.compress(part, 1) for part in parts) + behind)
    return path


def test_a_packed_file_that_is_a_little_short_is_refused_before_memory_fills(
    tmp_path, monkeypatch
):
    filled = []
    read_into = stored.GzipReader.read_into

    def counted(reader, target):
        filled.append(len(target))
        return read_into(reader, target)

    path = near_empty(tmp_path / "a.nii.gz", short=1000)
    monkeypatch.setattr(stored.GzipReader, "read_into", counted)
    with pytest.raises(InputError, match="fewer voxels than its header says"):
        nifti.load(path)
    assert sum(filled) < 1000  # the header


@pytest.mark.parametrize(
    "kind", [{}, {"members": 3}, {"behind": b"behind"}], ids=["plain", "members", "behind"]
)
def test_a_good_file_that_is_next_to_empty_is_read(tmp_path, kind):
    volume = nifti.load(near_empty(tmp_path / "a.nii.gz", **kind))
    assert volume.array.shape == (400, 500, 400)
    assert not volume.array[::50].any()
    assert volume.source.sha256 == (sha256((tmp_path / "a.nii.gz").read_bytes()).hexdigest(),)
