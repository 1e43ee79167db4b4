"""The disk's door: locks, folders, files written once, and the sync of each platform."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from napari_medlabel.audit import disk
from napari_medlabel.audit.disk import (
    SystemClock,
    SystemIo,
    choose_sync,
    is_locked,
    make_folders,
    one_at_a_time,
    place_key,
    share_kind,
    take_lock,
    write_once,
    write_over,
)
from tests.audit.bench import FakeIo, failing


def test_a_lock_is_seen_until_its_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    fd = SystemIo().create(path)
    assert not is_locked(path)
    take_lock(fd)
    assert is_locked(path)
    os.close(fd)
    assert not is_locked(path)


def test_one_at_a_time_keeps_the_others_out(tmp_path: Path) -> None:
    with one_at_a_time(tmp_path / "x"):
        assert is_locked(tmp_path / "x")
    assert not is_locked(tmp_path / "x")


def test_what_is_written_once_stays(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "key"
    assert write_once(SystemIo(), path, b"first") == b"first"
    assert write_once(SystemIo(), path, b"second") == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert [found.name for found in path.parent.iterdir()] == ["key"]


def test_who_comes_second_at_the_same_moment_reads_the_firsts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"first")
    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert write_once(SystemIo(), path, b"second") == b"first"
    assert [found.name for found in tmp_path.iterdir()] == ["key"]


def test_a_failure_leaves_no_half_file(tmp_path: Path) -> None:
    for call in (2, 3):
        io = FakeIo()
        io.fail = failing(call)
        with pytest.raises(OSError, match="error"):
            write_once(io, tmp_path / "key", b"x")
        assert list(tmp_path.iterdir()) == []


def test_folders_made_by_somebody_else_meanwhile_are_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.mkdir

    def twice(self: Path, mode: int = 0o777) -> None:
        real(self, mode)
        raise FileExistsError

    monkeypatch.setattr(Path, "mkdir", twice)
    make_folders(SystemIo(), tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_place_is_known_by_a_digest_of_where_it_really_is(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert place_key(tmp_path / "link") == place_key(tmp_path / "real")
    assert place_key(tmp_path) != place_key(tmp_path / "real")
    assert len(place_key(tmp_path)) == 16


def test_the_clocks_run() -> None:
    clock = SystemClock()
    assert clock.utc_ms() > 1_700_000_000_000
    assert clock.mono_ns() <= clock.mono_ns()


@pytest.mark.skipif(not hasattr(os, "fdatasync"), reason="no fdatasync here")
def test_linux_syncs_the_data() -> None:
    assert choose_sync("linux") is os.fdatasync


def test_without_fdatasync_everything_is_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(disk.os, "fdatasync", raising=False)
    assert choose_sync("win32") is os.fsync


@pytest.mark.skipif(os.name == "nt", reason="no fcntl on Windows")
def test_macos_goes_through_the_drives_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    asked: list[tuple[int, int]] = []
    synced: list[int] = []
    code = 0

    def control(fd: int, request: int) -> None:
        asked.append((fd, request))
        if code:
            raise OSError(code, "no")

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(os, "fsync", synced.append)
    sync = choose_sync("darwin")
    sync(9)
    assert (asked, synced) == ([(9, 51)], [])
    code = errno.ENOTSUP
    sync(9)
    assert synced == [9]
    code = errno.EIO
    with pytest.raises(OSError, match="no"):
        sync(9)
    assert synced == [9]


TABLE = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:35 / /mnt/a\\040b rw shared:9 - nfs4 server:/a rw
41 22 0:36 / /mnt/smb rw - cifs //server/b rw
42 41 0:37 / /mnt/smb/inside rw - ext4 /dev/vdb rw
43 22 0:38 / /mnt/ssh rw - fuse.sshfs host: rw
44 22 0:39 / /mnt/ntfs rw - fuseblk /dev/vdc rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/x", ""),
        ("/mnt/a b/audit", "NFS"),
        ("/mnt/a", ""),
        ("/mnt/smb/audit", "SMB"),
        ("/mnt/smb/inside/audit", ""),
        ("/mnt/ssh", "FUSE"),
        ("/mnt/ntfs/audit", ""),
    ],
)
def test_a_share_is_known_from_the_table_of_mounts(
    tmp_path: Path, path: str, kind: str
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(TABLE)
    assert share_kind(Path(path), table) == kind


def test_without_a_table_of_mounts_no_share_is_known(tmp_path: Path) -> None:
    assert share_kind(Path("/mnt"), tmp_path / "none") == ""


def test_content_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a" / "note"
    write_over(SystemIo(), path, b"first")
    write_over(SystemIo(), path, b"second")
    assert path.read_bytes() == b"second"
    for call in (2, 3):
        io = FakeIo()
        io.fail = failing(call)
        with pytest.raises(OSError, match="error"):
            write_over(io, path, b"third")
        assert path.read_bytes() == b"second"
    assert [found.name for found in path.parent.iterdir()] == ["note"]


def test_what_is_shared_lets_the_group_in_and_nobody_else(tmp_path: Path) -> None:
    disk.write_over(disk.SystemIo(), tmp_path / "a" / "b", b"x", disk.SHARED)
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) & 0o077 == 0o040
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) & 0o077 == 0o050
