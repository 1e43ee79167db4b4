from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from napari_medlabel.deid.keys import make_key, read_key
from napari_medlabel.deid.pseudonyms import Pseudonyms
from napari_medlabel.errors import InputError, SaveError

KEY = bytes(range(32))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "project.key"
    make_key(path, lambda count: KEY[:count])
    return path


def test_a_key_that_was_made_is_read_again(key_file):
    assert read_key(key_file) == KEY


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_key_file_is_for_its_owner_alone(key_file):
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_a_key_file_names_its_version_and_key_id(key_file):
    document = json.loads(key_file.read_text())
    assert document["version"] == 2
    assert document["kid"] == Pseudonyms(KEY).key_id


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_that_others_can_read_is_refused(key_file, mode):
    key_file.chmod(mode)
    with pytest.raises(InputError, match="owner alone") as caught:
        read_key(key_file)
    assert "chmod 600" in caught.value.hint
    assert read_key(key_file, posix=False) == KEY


def test_an_existing_key_is_never_overwritten(key_file):
    before = key_file.read_bytes()
    with pytest.raises(SaveError, match="could not be made"):
        make_key(key_file, os.urandom)
    assert key_file.read_bytes() == before


def test_a_missing_key_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="could not be read"):
        read_key(tmp_path / "none")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 1}', '{"version":1,"kid":"x","key":"zz"}']
)
def test_a_file_that_is_no_key_is_refused(key_file, text):
    key_file.write_text(text)
    with pytest.raises(InputError, match="version, kid and key"):
        read_key(key_file)


@pytest.mark.parametrize(
    "change", [{"version": 3}, {"kid": "00000000"}, {"key": "00" * 31}, {"key": "00" * 32}]
)
def test_a_damaged_key_is_refused(key_file, change):
    document = json.loads(key_file.read_text()) | change
    key_file.write_text(json.dumps(document))
    with pytest.raises(InputError, match="damaged"):
        read_key(key_file)


def test_a_key_file_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="disk is full"):
        make_key(tmp_path / "project.key", os.urandom)
    assert [path.name for path in tmp_path.iterdir()] == ["project.key.links.lock"]


def test_what_is_no_small_file_is_not_read(tmp_path):
    with pytest.raises(InputError, match="or no file"):
        read_key(Path(os.devnull))
    with pytest.raises(InputError, match="or no file"):
        read_key(tmp_path)
    large = tmp_path / "large"
    large.write_bytes(bytes(64 * 1024 + 1))
    large.chmod(0o600)
    with pytest.raises(InputError, match="or no file"):
        read_key(large)


def test_a_key_that_is_no_text_is_refused(key_file):
    key_file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="could not be read"):
        read_key(key_file)
