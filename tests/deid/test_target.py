from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_medlabel.deid import target as target_module
from napari_medlabel.deid.target import (
    check_apart,
    check_target,
    place,
    publish,
    remove_leftovers,
    staged,
    withdraw,
    write,
)
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
    withdraw(staging, target)
    assert not target.exists()


@pytest.mark.parametrize("linked", [False, True])
def test_a_folder_that_is_there_is_filled(tmp_path, linked):
    (tmp_path / "disk").mkdir()
    target = tmp_path / "disk"
    if linked:
        target = tmp_path / "out"
        target.symlink_to("disk")
    with staged(target) as staging:
        assert staging.parent == target
        for name in ("b", "report", "z"):
            write(staging / name, b"scan")
        (staging / "P").mkdir()
        publish(staging, target, last="report")
    assert sorted(path.name for path in target.iterdir()) == ["P", "b", "report", "z"]
    with staged(tmp_path / "disk") as staging:
        withdraw(staging, tmp_path / "disk")
    assert list((tmp_path / "disk").iterdir()) == []


def test_a_folder_that_is_there_gets_all_or_nothing(tmp_path, monkeypatch):
    original, moved = Path.rename, []

    def once(self, to):
        if moved:
            full()
        moved.append(self.name)
        return original(self, to)

    with staged(tmp_path) as staging:
        write(staging / "report", b"scan")
        write(staging / "a", b"scan")
        monkeypatch.setattr(Path, "rename", once)
        with pytest.raises(SaveError, match="No space left"):
            publish(staging, tmp_path, last="report")
    assert moved == ["a"]
    assert list(tmp_path.iterdir()) == []


def test_what_came_into_the_target_meanwhile_is_not_mixed_with(tmp_path):
    with staged(tmp_path) as staging:
        (tmp_path / "other").touch()
        with pytest.raises(SaveError, match="come to hold"):
            publish(staging, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


@pytest.mark.parametrize("exists", [False, True])
def test_what_a_killed_run_left_is_removed(tmp_path, source, exists):
    fcntl = pytest.importorskip("fcntl", reason="locks are POSIX")
    target = tmp_path / "out"
    holder = target if exists else tmp_path
    holder.mkdir(exist_ok=True)
    left = holder / ".out.4711.partial"
    (left / "P").mkdir(parents=True)
    check_target(source, target)
    handle = os.open(left, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert remove_leftovers(target) == 0  # its run goes on
    os.close(handle)
    for name in (".out.x.partial", ".other.1.partial"):
        (tmp_path / name).mkdir()
    assert remove_leftovers(target) == 1
    assert not left.exists()
    assert (tmp_path / ".other.1.partial").exists()


def test_a_run_locks_its_own_folder(tmp_path):
    with staged(tmp_path / "out") as staging:
        assert remove_leftovers(tmp_path / "out") == 0
        assert staging.exists()


def test_without_locks_leftovers_stay(tmp_path, monkeypatch):
    (tmp_path / ".out.4711.partial").mkdir()

    def none(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(target_module.importlib, "import_module", none)
    assert remove_leftovers(tmp_path / "out") == 0
    with staged(tmp_path / "out") as staging:
        assert staging.exists()
    monkeypatch.undo()
    monkeypatch.setattr(os, "open", full)
    assert remove_leftovers(tmp_path / "out") == 0


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


def test_a_long_name_leaves_room_for_the_hidden_folders(tmp_path):
    with staged(tmp_path / ("x" * 250)) as staging:
        assert len(staging.name) < 70


@pytest.mark.parametrize("where", ["scans", "scans/k", "out", "out/deep/k"])
def test_a_key_in_the_source_or_the_target_is_refused(tmp_path, source, where):
    with pytest.raises(InputError, match="outside the source and the target"):
        check_apart(tmp_path / where, source, tmp_path / "out")


def test_a_key_beside_them_is_accepted(tmp_path, source):
    check_apart(tmp_path / "k", source, tmp_path / "out")


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


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounting a tmpfs needs root"
)
def test_a_mounted_disk_is_filled(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine does not let a tmpfs be mounted")
    try:
        with staged(disk) as staging:
            write(staging / "x", b"scan")
            publish(staging, disk)
        assert [path.name for path in disk.iterdir()] == ["x"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
