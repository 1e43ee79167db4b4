"""A secret's file: for its owner alone, whole or not there, refused in words."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.secret.private_file import LARGEST, Hints, PrivateFile


def test_what_is_written_is_read_and_for_the_owner_alone(tmp_path: Path) -> None:
    file = PrivateFile(tmp_path / "folder" / "a.key")
    assert not file.exists()
    file.prepare()
    file.create("one")
    file.replace("two")
    assert file.read() == "two"
    assert os.name == "nt" or stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_nothing_is_overwritten_by_making(tmp_path: Path) -> None:
    file = PrivateFile(tmp_path / "a.key")
    file.create("one")
    with pytest.raises(SaveError, match="File exists") as caught:
        file.prepare()
    assert "never overwritten" in caught.value.hint
    with pytest.raises(SaveError, match="File exists"):
        file.create("two")
    assert file.read() == "one"


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = PrivateFile(tmp_path / "a.key", posix=True, hints=Hints(exposed="Do this."))
    file.create("one")
    file.path.chmod(0o640)
    with pytest.raises(InputError, match="its mode is 640") as caught:
        file.read()
    assert caught.value.hint == "Do this."
    assert PrivateFile(file.path, posix=False).read() == "one"


def test_what_is_no_text_file_of_a_few_bytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be read as text"):
        PrivateFile(tmp_path / "none").read()
    with pytest.raises(InputError, match="or no file"):
        PrivateFile(tmp_path).read()
    large = PrivateFile(tmp_path / "large")
    large.create("x" * (LARGEST + 1))
    with pytest.raises(InputError, match="this is larger"):
        large.read()
    (tmp_path / "bytes").write_bytes(b"\xff")
    (tmp_path / "bytes").chmod(0o600)
    with pytest.raises(InputError, match="could not be read as text"):
        PrivateFile(tmp_path / "bytes").read()


def test_where_nothing_can_be_written_it_is_said_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="could not be made"):
        PrivateFile(tmp_path / "file" / "a.key").prepare()
    with pytest.raises(SaveError, match="could not be made"):
        PrivateFile(tmp_path / "none" / "a.key").create("one")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="No space left"):
        PrivateFile(tmp_path / "a.key").create("one")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
