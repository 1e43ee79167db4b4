"""Zip files: read like the folder in them, and refused where they are a trap."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io import archive
from napari_medlabel.io.registry import find_series, looks_medical, read_volume
from tests.io.scans import voxels, write_series


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    yield
    archive.remove_unpacked()
    assert list((tmp_path / "temporary").iterdir()) == []


def packed(folder: Path, files: dict[str, bytes], **how) -> Path:
    path = folder / "package.zip"
    with zipfile.ZipFile(path, "w", **how) as package:
        for name, data in files.items():
            package.writestr(name, data)
    return path


@pytest.fixture
def series(tmp_path):
    write_series(tmp_path / "series", voxels(3))
    files = {f"deep/{p.name}": p.read_bytes() for p in (tmp_path / "series").iterdir()}
    return packed(tmp_path, files, compression=zipfile.ZIP_DEFLATED)


def test_a_zip_file_is_read_like_the_folder_in_it(tmp_path, series):
    inside, beside = read_volume(series), read_volume(tmp_path / "series")
    np.testing.assert_array_equal(inside.array, beside.array)
    assert inside.grid == beside.grid
    assert inside.source.sha256 == beside.source.sha256
    assert looks_medical(series)


def test_what_is_unpacked_is_private_unpacked_once_and_goes(series):
    seen = []
    folder = archive.unpack(series, progress=lambda done, whole: seen.append((done, whole)))
    assert archive.unpack(series) == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert seen[-1][0] == seen[-1][1] == sum(f.stat().st_size for f in folder.rglob("*.dcm"))
    archive.remove_unpacked()
    assert not folder.exists()


def test_a_zip_file_in_a_folder_is_not_unpacked(tmp_path, series):
    survey = find_series(tmp_path)
    assert len(survey.series) == 1
    assert survey.skipped == 1
    assert survey.notes == (
        "1 zip file lies in the folder; to read what is in one, give the zip file itself.",
    )
    assert survey.notes[0] not in survey.series[0].warnings


def test_stopping_leaves_nothing(series):
    def stop(done, whole):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive.unpack(series, progress=stop)


@pytest.mark.parametrize(
    "name", ["../out.dcm", "a/../../out.dcm", "/etc/out.dcm", "..\\out.dcm", "C:\\out.dcm"]
)
def test_names_that_lead_out_are_refused(tmp_path, name):
    path = packed(tmp_path, {"good.dcm": b"x", name: b"y"})
    with pytest.raises(InputError, match="1 of 2 names in the zip file lead out of it"):
        find_series(path)
    assert not (tmp_path / "out.dcm").exists()


def test_a_link_is_not_unpacked(tmp_path):
    path = packed(tmp_path, {"a.txt": b"x"})
    with zipfile.ZipFile(path, "a") as package:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        package.writestr(link, "/etc/passwd")
    folder = archive.unpack(path)
    assert [f.name for f in folder.iterdir()] == ["a.txt"]


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = packed(tmp_path, {"a.dcm": b"x"})
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 1 << 31)
    path.write_bytes(data)
    with pytest.raises(InputError, match="no honest package does"):
        find_series(path)


def test_too_little_room_and_too_many_members_are_refused(tmp_path, series, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: os.statvfs_result([0] * 10) and Room)
        with pytest.raises(InputError, match="the disk for temporary files has no room"):
            find_series(series)
    monkeypatch.setattr(archive, "_MOST_MEMBERS", 2)
    with pytest.raises(InputError, match="holds 3 files; at most 2"):
        find_series(series)


class Room:
    free = 10


def test_what_is_encrypted_is_refused(tmp_path):
    path = packed(tmp_path, {"a.dcm": b"x"})
    data = bytearray(path.read_bytes())
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + at] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="is encrypted") as caught:
        find_series(path)
    assert "password" in caught.value.hint
    assert not looks_medical(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d[: len(d) // 2], "damaged"),
        (lambda d: d.replace(b"inner.dcm", b"inner.zip"), "holds another zip file"),
        (lambda d: d.replace(b"PAYLOAD", b"PAYL0AD"), "damaged"),
        (lambda d: d.replace(b"other.dcm", b"inner.dcm"), "share one name"),
    ],
    ids=["cut", "nested", "checksum", "twice"],
)
def test_damaged_and_nested_packages_are_refused(tmp_path, change, message):
    path = packed(tmp_path, {"inner.dcm": b"PAYLOAD" * 50, "other.dcm": b"abc"})
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError, match=message) as caught:
        find_series(path)
    assert caught.value.hint
    assert str(tmp_path) not in caught.value.message + caught.value.hint


def test_an_empty_package_and_one_without_scans_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no file in it"):
        find_and_choose(packed(tmp_path, {}))
    texts = packed(tmp_path, {"a.txt": b"nothing"})
    assert not looks_medical(texts)
    with pytest.raises(InputError, match="No image was found in 1 file"):
        find_and_choose(texts)


def find_and_choose(path):
    return read_volume(path)


@pytest.mark.skipif(os.name == "nt", reason="there, processes cannot be asked for")
def test_what_a_killed_run_left_is_removed(tmp_path, series):
    left = tmp_path / "temporary" / "medlabel-zip-999999999-abc"
    left.mkdir()
    (left / "scan.dcm").write_bytes(b"x")
    runs = tmp_path / "temporary" / f"medlabel-zip-{os.getpid()}-abc"
    runs.mkdir()
    archive.unpack(series)
    assert not left.exists()
    assert runs.exists()
    runs.rmdir()
