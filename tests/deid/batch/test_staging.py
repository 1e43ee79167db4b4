from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_medlabel.deid.batch import staging as staging_module
from napari_medlabel.deid.batch.staging import (
    publish,
    remove_leftovers,
    staged,
    withdraw,
)
from napari_medlabel.deid.batch.target import check_target, write
from napari_medlabel.errors import SaveError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    return folder


def full(*_args: object, **_kwargs: object) -> None:
    raise OSError(28, "No space left on device")


def test_what_was_staged_is_published_whole(tmp_path):
    target = tmp_path / "a" / "b" / "out"
    with staged(target) as staging:
        write(staging.parts / "1.part", b"scan")
        staging.place(staging.parts / "1.part", ("P", "I.dcm"))
        assert not target.exists()
        publish(staging, target)
    assert (target / "P" / "I.dcm").read_bytes() == b"scan"
    assert [p.name for p in target.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("exists", [False, True])
def test_what_was_published_can_be_taken_back(tmp_path, exists):
    target = tmp_path / "a" / "out"
    if exists:
        target.mkdir(parents=True)
    with staged(target) as staging:
        write(staging.tree / "report", b"scan")
        publish(staging, target, last="report")
        assert (target / "report").exists()
        withdraw(staging, target)
        withdraw(staging, target)
    assert list(tmp_path.rglob("*")) == ([target.parent, target] if exists else [])


@pytest.mark.parametrize("linked", [False, True])
def test_a_folder_that_is_there_is_filled(tmp_path, linked):
    (tmp_path / "disk").mkdir()
    target = tmp_path / "disk"
    if linked:
        target = tmp_path / "out"
        target.symlink_to("disk")
    with staged(target) as staging:
        assert staging.folder.parent == target
        for name in ("b", "report", "z"):
            write(staging.tree / name, b"scan")
        (staging.tree / "P").mkdir()
        publish(staging, target, last="report")
    assert sorted(path.name for path in target.iterdir()) == ["P", "b", "report", "z"]


def test_a_folder_that_is_there_gets_all_or_nothing(tmp_path, monkeypatch):
    original, moved = Path.rename, []

    def once(self, to):
        if moved:
            full()
        moved.append(self.name)
        return original(self, to)

    with staged(tmp_path) as staging:
        write(staging.tree / "report", b"scan")
        write(staging.tree / "a", b"scan")
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
        assert staging.folder.exists()


def test_without_locks_leftovers_stay(tmp_path, monkeypatch):
    (tmp_path / ".out.4711.partial").mkdir()

    def none(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(staging_module.importlib, "import_module", none)
    assert remove_leftovers(tmp_path / "out") == 0
    with staged(tmp_path / "out") as staging:
        assert staging.folder.exists()
    monkeypatch.undo()
    monkeypatch.setattr(os, "open", full)
    assert remove_leftovers(tmp_path / "out") == 0


def test_a_long_name_leaves_room_for_the_hidden_folders(tmp_path):
    with staged(tmp_path / ("x" * 250)) as staging:
        assert len(staging.folder.name) < 70


def test_a_failure_leaves_nothing_behind(tmp_path):
    def fail() -> None:
        with staged(tmp_path / "a" / "b" / "out") as staging:
            write(staging.tree / "x", b"scan")
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


def test_placing_and_publishing_on_a_full_disk_is_said(tmp_path, monkeypatch):
    with staged(tmp_path / "out") as staging:
        write(staging.parts / "1.part", b"scan")
        monkeypatch.setattr(Path, "rename", full)
        with pytest.raises(SaveError, match="written"):
            staging.place(staging.parts / "1.part", ("P", "x"))
        with pytest.raises(SaveError, match="put in place"):
            publish(staging, tmp_path / "out")


@pytest.mark.parametrize("is_full", [False, True])
def test_a_part_on_another_disk_is_copied(tmp_path, monkeypatch, is_full):
    original = Path.rename

    def apart(self, to):
        if self.parent == tmp_path:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return original(self, to)

    write(tmp_path / "1.part", b"scan")
    with staged(tmp_path / "out") as staging:
        monkeypatch.setattr(Path, "rename", apart)
        if is_full:
            monkeypatch.setattr(staging_module.shutil, "copyfile", full)
            with pytest.raises(SaveError, match="No space left"):
                staging.place(tmp_path / "1.part", ("P", "x"))
            return
        staging.place(tmp_path / "1.part", ("P", "x"))
        assert (staging.tree / "P" / "x").read_bytes() == b"scan"
        assert list(staging.parts.iterdir()) == []
    assert not (tmp_path / "1.part").exists()


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
            write(staging.tree / "x", bytes(200_000))
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
            write(staging.tree / "x", b"scan")
            publish(staging, disk)
        assert [path.name for path in disk.iterdir()] == ["x"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
