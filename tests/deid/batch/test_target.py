from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from napari_medlabel.deid.batch.target import check_apart, check_target, write
from napari_medlabel.errors import InputError, SaveError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    return folder


def full(*_args: object, **_kwargs: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_new_or_empty_folder_is_accepted(tmp_path, source):
    check_target(source, tmp_path / "new")
    (tmp_path / "empty").mkdir()
    check_target(source, tmp_path / "empty")


@pytest.mark.parametrize("where", ["scans", "scans/inside", "."])
def test_a_target_in_the_source_or_around_it_is_refused(tmp_path, source, where):
    with pytest.raises(InputError, match="outside"):
        check_target(source, tmp_path / where)


def test_a_target_that_holds_files_is_refused(tmp_path, source):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(InputError, match="new or empty"):
        check_target(source, tmp_path / "full")


def test_a_target_that_is_a_file_or_a_broken_link_is_refused(tmp_path, source):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "none")
    for name in ("file", "link"):
        with pytest.raises(InputError, match="must be a folder"):
            check_target(source, tmp_path / name)


def test_a_target_that_cannot_be_looked_into_is_refused(tmp_path, source, monkeypatch):
    (tmp_path / "shut").mkdir()
    monkeypatch.setattr(Path, "iterdir", full)
    with pytest.raises(SaveError, match="looked into"):
        check_target(source, tmp_path / "shut")


def test_a_path_that_is_too_long_is_refused(tmp_path, source):
    long = tmp_path / ("x" * 300)
    with pytest.raises(InputError, match="looked up") as caught:
        check_target(source, long)
    assert os.strerror(errno.ENAMETOOLONG) in caught.value.message
    with pytest.raises(InputError, match="looked up"):
        check_target(long, tmp_path / "out")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=r"looked up|broken link"):
        check_target(source, tmp_path / "loop")


@pytest.mark.parametrize("where", ["scans", "scans/k", "out", "out/deep/k"])
def test_a_key_in_the_source_or_the_target_is_refused(tmp_path, source, where):
    with pytest.raises(InputError, match="outside the source and the target"):
        check_apart(tmp_path / where, source, tmp_path / "out")


def test_a_key_beside_them_is_accepted(tmp_path, source):
    check_apart(tmp_path / "k", source, tmp_path / "out")


def test_a_full_disk_leaves_no_part_of_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="No space left") as caught:
        write(tmp_path / "x", b"scan")
    assert "space" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_reads_back_as_another_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "read_bytes", lambda _self: b"rotten")
    with pytest.raises(SaveError, match="read back"):
        write(tmp_path / "x", b"scan")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(SaveError, match="could not be made"):
        write(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"old"
