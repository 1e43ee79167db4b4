from __future__ import annotations

import ctypes
import errno
import os
import sys

import pytest

from napari_medlabel.deid.batch.disk_sync import sync_disk_of, sync_disks_of


@pytest.fixture
def all_disks(monkeypatch):
    """Count how often all disks were waited for."""
    asked: list[int] = []
    monkeypatch.setattr(os, "sync", lambda: asked.append(1), raising=False)
    return asked


def library(monkeypatch, **calls):
    made = type("Library", (), {name: staticmethod(call) for name, call in calls.items()})
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: made)
    monkeypatch.setattr(sys, "platform", "linux")


def test_only_the_disk_of_the_folder_is_waited_for(tmp_path, monkeypatch, all_disks):
    folders = []
    library(monkeypatch, syncfs=lambda handle: folders.append(os.fstat(handle).st_ino) or 0)
    sync_disk_of(tmp_path)
    assert folders == [tmp_path.stat().st_ino]
    assert not all_disks


def test_a_disk_that_takes_nothing_is_an_error(tmp_path, monkeypatch):
    library(monkeypatch, syncfs=lambda _: -1)
    monkeypatch.setattr(ctypes, "get_errno", lambda: errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        sync_disk_of(tmp_path)


def test_without_the_call_all_disks_are_waited_for(tmp_path, monkeypatch, all_disks):
    library(monkeypatch)
    sync_disk_of(tmp_path)
    monkeypatch.setattr(sys, "platform", "darwin")
    sync_disk_of(tmp_path)
    assert len(all_disks) == 2


def test_a_system_without_either_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(os, "sync", raising=False)
    assert sync_disk_of(tmp_path) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has syncfs")
def test_a_real_disk_is_synced(tmp_path, all_disks):
    (tmp_path / "file").write_bytes(b"1")
    sync_disk_of(tmp_path)
    assert not all_disks


def test_each_disk_is_waited_for_once(tmp_path, monkeypatch):
    folders = []
    library(monkeypatch, syncfs=lambda handle: folders.append(os.fstat(handle).st_ino) or 0)
    sync_disks_of([tmp_path, tmp_path / "not" / "there" / "yet"])
    assert folders == [tmp_path.stat().st_ino]
