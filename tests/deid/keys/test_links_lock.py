from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from napari_medlabel.deid.keys import links_lock
from napari_medlabel.deid.keys.links_lock import WriterLock
from napari_medlabel.errors import SaveError


class Windows:
    """What `msvcrt` offers of locks."""

    LK_NBLCK = 2

    def __init__(self, error: int = 0) -> None:
        self.error = error
        self.calls: list[tuple[int, int]] = []

    def locking(self, handle: int, mode: int, count: int) -> None:
        self.calls.append((mode, count))
        if self.error:
            raise OSError(self.error, "no")


def use(monkeypatch, **modules: object) -> None:
    def find(name: str) -> object:
        if name not in modules:
            raise ImportError(name)
        return modules[name]

    monkeypatch.setattr(links_lock, "importlib", SimpleNamespace(import_module=find))


def test_one_at_a_time_and_again_after_release(tmp_path):
    lock = WriterLock(tmp_path / "a.lock")
    with pytest.raises(SaveError, match="one at a time"):
        WriterLock(tmp_path / "a.lock")
    lock.release()
    WriterLock(tmp_path / "a.lock").release()
    assert (tmp_path / "a.lock").exists()


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path):
    with pytest.raises(SaveError, match="ENOENT"):
        WriterLock(tmp_path / "none" / "a.lock")


def test_windows_locks_with_what_it_has(tmp_path, monkeypatch):
    windows = Windows()
    use(monkeypatch, msvcrt=windows)
    WriterLock(tmp_path / "a.lock").release()
    assert windows.calls == [(2, 1)]
    use(monkeypatch, msvcrt=Windows(errno.EACCES))
    with pytest.raises(SaveError, match="one at a time"):
        WriterLock(tmp_path / "a.lock")


def test_a_system_without_locks_is_refused(tmp_path, monkeypatch):
    use(monkeypatch)
    with pytest.raises(SaveError, match="knows no locks"):
        WriterLock(tmp_path / "a.lock")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_network_disk_without_locks_is_refused(tmp_path, monkeypatch, number):
    def refuse(_handle: int, _mode: int) -> None:
        raise OSError(number, "no")

    use(monkeypatch, fcntl=SimpleNamespace(flock=refuse, LOCK_EX=2, LOCK_NB=4))
    with pytest.raises(SaveError, match="knows no locks") as caught:
        WriterLock(tmp_path / "a.lock")
    assert "local disk" in caught.value.hint


def test_the_lock_goes_with_its_process(tmp_path: Path):
    path = tmp_path / "a.lock"
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    child = os.fork()
    if child == 0:
        WriterLock(path)
        os._exit(0)
    os.waitpid(child, 0)
    WriterLock(path).release()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_read_only_folder_of_the_key_is_said_before_anything_happens(
    tmp_path, monkeypatch, number
):
    def refuse(*_: object) -> int:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SaveError, match="folder of the key cannot be written") as caught:
        WriterLock(tmp_path / "a.lock")
    assert ".links" in caught.value.hint
