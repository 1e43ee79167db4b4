"""MINC 1 and 2: real values, MINC's own world, and what is refused."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from nibabel.externals.netcdf import netcdf_file

from napari_medlabel.errors import InputError, MissingPackageError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io import minc

STORED = np.arange(2 * 6 * 5 * 4, dtype=np.uint8).reshape(2, 6, 5, 4)
SPACE = {"zspace": (3.0, -30.0), "yspace": (-2.0, 20.0), "xspace": (1.5, -10.0)}


def about(name, *, spacing=b"regular__", turn=0.0):
    """Return the attributes of a dimension; `turn` (radians) about z."""
    if name == "time":
        return {"spacing": spacing, "start": 1.0, "step": 2.5, "units": b"s"}
    step, start = SPACE[name]
    c, s = np.cos(turn), np.sin(turn)
    cosines = {"xspace": (c, s, 0.0), "yspace": (-s, c, 0.0), "zspace": (0.0, 0.0, 1.0)}
    return {
        "spacing": spacing,
        "step": step,
        "start": start,
        "direction_cosines": np.array(cosines[name]),
        "units": b"mm",
    }


def minc1(path, stored, names, *, limits=(0.0, 510.0), **options):
    with netcdf_file(str(path), "w") as file:
        for name, size in zip(names, stored.shape, strict=True):
            file.createDimension(name, size)
            dim = file.createVariable(name, np.dtype("i4"), ())
            for key, value in about(name, **options).items():
                setattr(dim, key, value)
        image = file.createVariable("image", np.dtype("i1"), tuple(names))
        image.signtype = b"unsigned"
        image.valid_range = np.array([0.0, 255.0])
        image[:] = stored.view(np.int8)
        for name, value in zip(("image-min", "image-max"), limits, strict=True):
            file.createVariable(name, np.dtype("f8"), (names[0],))[:] = np.full(
                stored.shape[0], value
            )
    return path


def minc2(path, stored, names, *, limits=(0.0, 510.0), **options):
    h5py = pytest.importorskip("h5py", reason="MINC 2 needs the extra 'minc'")
    with h5py.File(path, "w") as file:
        dimensions = file.create_group("minc-2.0/dimensions")
        for name, size in zip(names, stored.shape, strict=True):
            dim = dimensions.create_dataset(name, data=0)
            dim.attrs["length"] = np.uint32(size)
            for key, value in about(name, **options).items():
                dim.attrs[key] = np.bytes_(value) if isinstance(value, bytes) else value
        group = file.create_group("minc-2.0/image/0")
        image = group.create_dataset("image", data=stored)
        image.attrs["dimorder"] = np.bytes_(",".join(names))
        image.attrs["valid_range"] = np.array([0.0, 255.0])
        for name, value in zip(("image-min", "image-max"), limits, strict=True):
            scale = group.create_dataset(name, data=np.full(stored.shape[0], value))
            scale.attrs["dimorder"] = np.bytes_(names[0])
    return path


NAMES = ["zspace", "yspace", "xspace"]
WRITERS = [minc1, minc2]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_values_are_real_and_lie_where_minc_says(tmp_path, write, turn):
    path = write(tmp_path / "a.mnc", STORED[0], NAMES, turn=turn)
    volume = minc.load(path)
    np.testing.assert_allclose(volume.array.T, STORED[0] * 2.0)
    assert volume.array.dtype == np.float32
    c, s = np.cos(turn), np.sin(turn)
    x, y, z = -10.0 + 1.5 * 3, 20.0 - 2.0 * 2, -30.0 + 3.0 * 5
    expected = (c * x - s * y, s * x + c * y, z)
    np.testing.assert_allclose(volume.grid.affine.apply((3, 2, 5)), expected, atol=1e-9)
    assert volume.grid.affine.axis_codes == "RPS"
    assert volume.is_oriented
    assert minc.inspect(path).grid == volume.grid
    assert minc.inspect(path).further is None
    assert volume.source.sha256 == (sha256(path.read_bytes()).hexdigest(),)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
def test_any_order_of_axes_keeps_each_voxel_in_its_place(tmp_path, write, order):
    names = [NAMES[n] for n in order]
    volume = minc.load(write(tmp_path / "a.mnc", STORED[0].transpose(order).copy(), names))
    straight = minc.load(write(tmp_path / "b.mnc", STORED[0], NAMES))
    point = straight.grid.affine.apply((3, 1, 4))
    i, j, k = np.rint(volume.grid.affine.to_index(point)).astype(int)
    assert volume.array[i, j, k] == straight.array[3, 1, 4] == STORED[0][4, 1, 3] * 2


@pytest.mark.parametrize("write", WRITERS)
def test_times_are_an_axis(tmp_path, write):
    path = write(tmp_path / "a.mnc", STORED, ["time", *NAMES])
    volume = minc.load(path)
    assert minc.inspect(path).further == ("time", "s", 2)
    assert volume.further.values == (1.0, 3.5)
    np.testing.assert_allclose(np.asarray(volume.further.array).T, STORED * 2.0)


@pytest.mark.parametrize("write", WRITERS)
def test_what_cannot_be_trusted_is_refused(tmp_path, write):
    path = write(tmp_path / "a.mnc", STORED[0], NAMES, spacing=b"irregular")
    with pytest.raises(InputError, match="irregularly spaced"):
        minc.load(path)
    path = write(tmp_path / "b.mnc", STORED, ["time", *NAMES])
    data = path.read_bytes()
    for length in (0, 5, 40, len(data) // 2):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match=r"cut off|neither netCDF nor HDF5") as caught:
            minc.load(path)
        assert caught.value.hint


def test_flat_files_are_no_volume(tmp_path):
    path = minc1(tmp_path / "a.mnc", STORED[0, 0], ["yspace", "xspace"])
    with pytest.raises(InputError, match="Three axes of space"):
        minc.inspect(path)


def test_a_damaged_affine_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(SPACE, "yspace", (0.0, 20.0))
    with pytest.raises(InputError, match="spans no volume"):
        minc.inspect(minc1(tmp_path / "a.mnc", STORED[0], NAMES))


def test_minc_2_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "a.mnc"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(MissingPackageError, match="h5py") as caught:
        minc.inspect(path)
    assert "[minc]" in caught.value.hint


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        minc.inspect(tmp_path / "a.mnc")


def test_an_affine_is_kept_exactly(tmp_path):
    grid = minc.inspect(minc1(tmp_path / "a.mnc", STORED[0], NAMES)).grid
    expected = np.diag([1.5, -2.0, 3.0, 1.0])
    expected[:3, 3] = (-10, 20, -30)
    assert grid.affine == Affine(expected)
