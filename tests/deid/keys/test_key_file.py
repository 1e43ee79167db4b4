from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from napari_medlabel.deid.keys.key_file import (
    KeyFacts,
    ProjectKey,
    facts_of,
    make_key,
    make_project,
    read_key,
    read_project,
    reseal,
)
from napari_medlabel.deid.keys.key_store import FileStore
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.keys.table import LinkTable
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.secret import passphrase as key_seal

KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with its real parameters is tried elsewhere; here it only costs time."""
    monkeypatch.setattr(key_seal, "MEMORY_KIB", 64)
    monkeypatch.setattr(key_seal, "ITERATIONS", 1)


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
    "text", ["", "[]", "[" * 60000, '{"version": 1}', '{"version":1,"kid":"x","key":"zz"}']
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


def test_a_key_is_made_with_its_link_table(key_file):
    with LinkTable(key_file.with_name("project.key.links"), KEY, os.urandom) as table:
        assert table.key_id == Pseudonyms(KEY).key_id
        assert len(table) == 0


def test_a_key_whose_table_cannot_be_begun_is_not_made(tmp_path):
    (tmp_path / "project.key.links").write_text("something else")
    with pytest.raises(SaveError, match="is there already"):
        make_key(tmp_path / "project.key", os.urandom)
    assert not (tmp_path / "project.key").exists()


def test_a_table_is_not_left_when_the_key_cannot_be_written(tmp_path, monkeypatch):
    def full(_self: FileStore, _text: str) -> None:
        raise SaveError("full")

    monkeypatch.setattr(FileStore, "create", full)
    with pytest.raises(SaveError, match="full"):
        make_key(tmp_path / "project.key", os.urandom)
    assert [path.name for path in tmp_path.iterdir()] == ["project.key.links.lock"]


def test_a_folder_where_nothing_can_be_written_is_refused_before_a_key_is_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="could not be made"):
        make_key(tmp_path / "file" / "project.key", os.urandom)


def test_a_key_of_version_1_is_still_read(key_file):
    document = json.loads(key_file.read_text()) | {"version": 1}
    key_file.write_text(json.dumps(document))
    project = read_project(FileStore(key_file))
    assert (project.key, project.is_before_links) == (KEY, True)
    assert project.key_id == Pseudonyms(KEY).key_id


def test_a_passphrase_is_set_and_removed_and_the_key_stays(key_file):
    store = FileStore(key_file)
    project = read_project(store)
    reseal(store, project, "correct horse", os.urandom)
    assert KEY.hex() not in key_file.read_text()
    assert facts_of(store) == KeyFacts(project.key_id, 2, is_sealed=True)
    found = read_project(store, lambda: "correct horse")
    assert (found.key, found.is_sealed) == (KEY, True)
    assert read_key(key_file, ask=lambda: "correct horse") == KEY
    with pytest.raises(InputError, match="none was given") as caught:
        read_key(key_file)
    assert "MEDLABEL_PASSPHRASE" in caught.value.hint
    reseal(store, found, None, os.urandom)
    assert read_key(key_file) == KEY


def test_a_key_is_made_under_a_passphrase(tmp_path):
    store = FileStore(tmp_path / "a.key")
    made = make_project(store, os.urandom, passphrase="correct horse")  # noqa: S106
    assert made.is_sealed
    assert read_project(store, lambda: "correct horse").key == made.key
    with pytest.raises(InputError, match="at least 8"):
        make_project(FileStore(tmp_path / "b.key"), os.urandom, passphrase="short")  # noqa: S106
    assert not (tmp_path / "b.key").exists()


@pytest.mark.parametrize("sealed", [None, [], {}, "text", {"kdf": "argon2id"}])
def test_a_damaged_seal_is_refused(key_file, sealed):
    document = json.loads(key_file.read_text()) | {"sealed": sealed}
    key_file.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"damaged|another way"):
        read_project(FileStore(key_file), lambda: "correct horse")


def test_a_seal_without_its_box_is_damaged(key_file):
    store = FileStore(key_file)
    reseal(store, read_project(store), "correct horse", os.urandom)
    document = json.loads(key_file.read_text())
    del document["sealed"]["box"]
    key_file.write_text(json.dumps(document))
    with pytest.raises(InputError, match="damaged"):
        read_project(store, lambda: "correct horse")


def test_a_key_id_that_was_changed_is_noticed_under_a_passphrase_too(key_file):
    store = FileStore(key_file)
    reseal(store, read_project(store), "correct horse", os.urandom)
    document = json.loads(key_file.read_text()) | {"kid": "00000000"}
    key_file.write_text(json.dumps(document))
    with pytest.raises(InputError, match="does not open"):
        read_project(store, lambda: "correct horse")


@pytest.mark.parametrize("change", [{"kid": 5}, {"version": "2"}])
def test_a_head_of_other_types_is_no_key(key_file, change):
    document = json.loads(key_file.read_text()) | change
    key_file.write_text(json.dumps(document))
    with pytest.raises(InputError, match="version, kid and key"):
        facts_of(FileStore(key_file))


def test_a_key_is_not_shown():
    assert KEY.hex() not in repr(ProjectKey(KEY))
    assert "bytes" not in repr(ProjectKey(KEY))
