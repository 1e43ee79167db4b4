"""Many volumes stay on disk until somebody looks at them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import InputError, MissingPackageError
from napari_medlabel.io.dicom.pixels import lazy as dicom_lazy
from napari_medlabel.io.dicom.pixels.lazy import hash_files, is_lazy, lazy_volumes
from tests.io.coded import encoder, filled, grey, header, pattern, planes_of_file, save
from tests.io.scans import instance

STORED = pattern((6, 16, 8), "i2")


def test_native_frames_of_one_file_are_mapped(tmp_path):
    planes = planes_of_file(save(grey(STORED), tmp_path / "a.dcm"))
    found = lazy_volumes(planes, volumes=2, slices=3)
    assert isinstance(found, np.memmap)
    assert found.shape == (8, 16, 3, 2)
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found.T, STORED.reshape(2, 3, 16, 8))
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0, 0, 0] = 1


@pytest.mark.parametrize("kind", ["compressed", "rescaled", "files", "spare bits", "missing"])
def test_all_else_is_read_volume_by_volume(tmp_path, kind):
    paths, missing, values = [tmp_path / "a.dcm"], (), STORED
    if kind == "compressed":
        codes = [encoder("jpeg-ls")(one.view("u2")) for one in STORED]
        save(grey(STORED, syntax="1.2.840.10008.1.2.4.80", codes=codes), paths[0])
    elif kind == "rescaled":
        save(grey(STORED, RescaleSlope=0.5), paths[0])
        values = STORED * 0.5
    elif kind == "spare bits":
        values = pattern((6, 16, 8), "i2", 12)
        save(grey(values, BitsStored=12, HighBit=11), paths[0])
    elif kind == "missing":
        save(grey(STORED[:4]), paths[0])
        missing = (1,)
    else:
        paths = [save(instance(k, one), tmp_path / f"{k}.dcm") for k, one in enumerate(STORED)]
    planes = [plane for path in paths for plane in planes_of_file(path)]
    found = lazy_volumes(planes, volumes=2, slices=3, missing=missing)
    assert found.chunks[3] == (1, 1)
    whole = filled(paths, volumes=2, slices=3, missing=missing).array
    array = np.asarray(found).T
    assert array.dtype == found.dtype
    if kind == "missing":
        np.testing.assert_array_equal(array[:, [0, 2]], whole[:, [0, 2]])
        assert (array[:, 1] == array[:, [0, 2]].min(axis=(1, 2, 3))[:, None, None]).all()
    else:
        np.testing.assert_array_equal(array, whole)
        np.testing.assert_array_equal(array, np.asarray(values).reshape(2, 3, 16, 8))
    np.testing.assert_array_equal(np.asarray(found[:, :, 2, 1]).T, array[1, 2])


def test_only_the_volume_that_is_looked_at_is_read(tmp_path, monkeypatch):
    paths = [save(instance(k, one), tmp_path / f"{k}.dcm") for k, one in enumerate(STORED)]
    planes = [plane for path in paths for plane in planes_of_file(path)]
    read: list[int] = []
    real = dicom_lazy.fill

    def counted(part, **wishes):
        read.append(planes.index(part[0]))
        return real(part, **wishes)

    monkeypatch.setattr(dicom_lazy, "fill", counted)
    found = lazy_volumes(planes, volumes=3, slices=2)
    assert read == []
    for _ in range(3):
        np.asarray(found[..., 1, 1])
    assert read == [2]


def test_a_damaged_file_is_refused_when_it_is_looked_at(tmp_path):
    paths = [save(instance(k, one), tmp_path / f"{k}.dcm") for k, one in enumerate(STORED)]
    planes = [plane for path in paths for plane in planes_of_file(path)]
    found = lazy_volumes(planes, volumes=2, slices=3)
    paths[4].write_bytes(paths[4].read_bytes()[:-20])
    np.testing.assert_array_equal(np.asarray(found[..., 0]).T, STORED[:3])
    with pytest.raises(InputError, match="ends inside its pixel data"):
        np.asarray(found[..., 1])


def test_without_dask_it_is_said_what_to_install(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "dask", None)
    planes = planes_of_file(save(grey(STORED, RescaleSlope=2), tmp_path / "a.dcm"))
    with pytest.raises(MissingPackageError, match="dask"):
        lazy_volumes(planes, volumes=2, slices=3)


def test_only_large_scans_of_several_volumes_are_lazy(tmp_path, monkeypatch):
    planes = planes_of_file(save(grey(STORED), tmp_path / "a.dcm"))
    assert not is_lazy(planes, 2, 3)
    monkeypatch.setattr(dicom_lazy, "LAZY_BYTES", STORED.nbytes - 1)
    assert is_lazy(planes, 2, 3)
    assert not is_lazy(planes, 1, 6)


def test_hashes_of_files_come_in_order_with_progress(tmp_path: Path):
    paths = [save(instance(k, one), tmp_path / f"{k}.dcm") for k, one in enumerate(STORED)]
    seen: list[tuple[int, int]] = []
    found = hash_files(
        [header(path) for path in paths],
        progress=lambda done, whole: seen.append((done, whole)),
    )
    assert found == tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    assert seen == [(n, 6) for n in range(1, 7)]
