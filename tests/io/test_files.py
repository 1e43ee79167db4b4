"""Files are whole or not there, whatever happens while they are written."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_medlabel.errors import SaveError
from napari_medlabel.io import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_sha256_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 3_000_001)
    assert files.sha256_file(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_written_file_is_there_and_nothing_else(tmp_path):
    files.write_bytes_aside(tmp_path / "a", b"new", mode=0o600)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert names(tmp_path) == ["a"]
    if os.name != "nt":
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_an_earlier_file_stays_when_writing_fails(tmp_path):
    (tmp_path / "a").write_bytes(b"old")

    def write(path):
        path.write_bytes(b"half")
        raise OSError(errno.EIO, "broken")

    with pytest.raises(SaveError, match=r"could not be written \(error EIO\)"):
        files.write_aside(tmp_path / "a", write)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_what_the_check_refuses_never_takes_the_name(tmp_path):
    def check(path):
        assert path.name.endswith("a.nii.gz")
        raise SaveError("differs")

    with pytest.raises(SaveError, match="differs"):
        files.write_aside(
            tmp_path / "a.nii.gz", lambda path: path.write_bytes(b"x"), check=check
        )
    assert names(tmp_path) == []


def test_bytes_that_read_back_differently_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "read_bytes", lambda self: b"other")
    with pytest.raises(SaveError, match="did not read back as it was written"):
        files.write_bytes_aside(tmp_path / "a", b"data")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("err", "message"),
    [
        (OSError(errno.ENOSPC, "x"), "The disk is full; nothing was written"),
        (OSError(errno.EACCES, "x"), "permission denied or read-only"),
        (OSError(errno.EROFS, "x"), "permission denied or read-only"),
        (OSError(errno.EPERM, "x"), "permission denied or read-only"),
        (OSError(errno.ENOTDIR, "x"), "A folder is expected where there is a file"),
        (OSError(errno.EEXIST, "x"), "A folder is expected where there is a file"),
        (OSError(errno.EIO, "x"), "error EIO"),
        (OSError("no number"), "error OSError"),
        (OSError(99999, "x"), "error unknown"),
    ],
)
def test_errors_of_the_system_are_said_in_our_words_without_a_path(err, message):
    err.filename = "/somewhere/Invented^Name"
    said = files.explain_os_error(err)
    assert message in said.message
    assert said.hint
    assert "Invented" not in said.message + said.hint


def test_folders_are_made_and_probed(tmp_path):
    files.probe_writable(tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SaveError, match="A folder is expected"):
        files.make_folder(tmp_path / "file")
    with pytest.raises(SaveError, match="A folder is expected"):
        files.make_folder(tmp_path / "file" / "below")


def test_a_read_only_folder_is_found_before_work_begins(tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SaveError, match="permission denied"):
        files.probe_writable(tmp_path)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KB."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small file system can be mounted by root on Linux only")
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_said_and_leaves_the_earlier_file(small_disk):
    files.write_bytes_aside(small_disk / "a", b"old")
    with pytest.raises(SaveError, match="The disk is full; nothing was written"):
        files.write_bytes_aside(small_disk / "a", b"x" * 1_000_000)
    assert names(small_disk) == ["a"]
    assert (small_disk / "a").read_bytes() == b"old"


WRITER = """
import sys
from pathlib import Path
from napari_medlabel.io.files import write_bytes_aside
path = Path(sys.argv[1])
print("ready", flush=True)
n = 0
while True:
    n += 1
    write_bytes_aside(path, bytes([n % 251]) * 400_000)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a thing of POSIX")
@pytest.mark.parametrize("wait_s", [0.0, 0.004, 0.011, 0.023])
def test_a_writer_killed_at_any_moment_leaves_a_whole_file(tmp_path, wait_s):
    path = tmp_path / "a"
    files.write_bytes_aside(path, b"\xff" * 400_000)
    root = str(Path(files.__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        cwd=root,
    ) as writer:
        writer.stdout.readline()
        time.sleep(wait_s)
        writer.send_signal(signal.SIGKILL)
    data = path.read_bytes()
    assert len(data) == 400_000
    assert len(set(data)) == 1


def test_numbered_folders_are_never_shared(tmp_path: Path) -> None:
    assert files.make_numbered_folder(tmp_path / "a", "run").name == "run-001"
    assert files.make_numbered_folder(tmp_path / "a", "run").name == "run-002"


def test_a_file_in_the_way_of_numbered_folders_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="folder is expected"):
        files.make_numbered_folder(tmp_path / "file", "run")
