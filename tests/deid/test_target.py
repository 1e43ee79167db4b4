from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_medlabel.deid.target import check_target, place, publish, staged, withdraw, write
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


def test_what_was_staged_is_published_whole(tmp_path):
    target = tmp_path / "a" / "b" / "out"
    with staged(target) as staging:
        write(staging / "1.part", b"scan")
        place(staging / "1.part", staging, ("P", "I.dcm"))
        assert not target.exists()
        publish(staging, target)
    assert (target / "P" / "I.dcm").read_bytes() == b"scan"
    assert [p.name for p in target.parent.iterdir()] == ["out"]
    withdraw(target)
    assert not target.exists()


def test_an_empty_target_is_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    with staged(tmp_path / "out") as staging:
        write(staging / "x", b"scan")
        publish(staging, tmp_path / "out")
    assert (tmp_path / "out" / "x").exists()


def test_a_failure_leaves_nothing_behind(tmp_path):
    def fail() -> None:
        with staged(tmp_path / "a" / "b" / "out") as staging:
            write(staging / "x", b"scan")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_folders_that_others_use_stay(tmp_path):
    def fail() -> None:
        with staged(tmp_path / "a" / "out"):
            (tmp_path / "a" / "other").touch()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (tmp_path / "a" / "other").exists()


def test_a_staging_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(SaveError, match="could not be made"),
        staged(tmp_path / "file" / "out"),
    ):
        pytest.fail("there is no folder to write into")


def test_a_parent_that_was_made_goes_when_the_staging_folder_cannot_be_made(
    tmp_path, monkeypatch
):
    original = Path.mkdir

    def refuse(self, *args, **kwargs):
        if self.name.endswith(".partial"):
            full()
        original(self, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(SaveError, match="No space left"), staged(tmp_path / "a" / "out"):
        pytest.fail("there is no folder to write into")
    assert list(tmp_path.iterdir()) == []


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


def test_placing_and_publishing_on_a_full_disk_is_said(tmp_path, monkeypatch):
    write(tmp_path / "1.part", b"scan")
    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(SaveError, match="written"):
        place(tmp_path / "1.part", tmp_path, ("P", "x"))
    with pytest.raises(SaveError, match="put in place"):
        publish(tmp_path, tmp_path / "out")


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounting a tmpfs needs root"
)
def test_a_real_full_disk_is_said_and_leaves_nothing(tmp_path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this machine does not let a tmpfs be mounted")
    try:
        with pytest.raises(SaveError, match="No space left"), staged(tmp_path / "o") as staging:
            write(staging / "x", bytes(200_000))
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
