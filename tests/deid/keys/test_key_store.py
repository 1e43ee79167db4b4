from __future__ import annotations

import os
import stat
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from napari_medlabel.deid.keys.key_file import facts_of, make_project, read_project, reseal
from napari_medlabel.deid.keys.key_store import FileStore, RingStore, store_for
from napari_medlabel.errors import InputError, MissingPackageError, SaveError
from napari_medlabel.secret import passphrase as key_seal


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, *, is_locked: bool = False, spoils: bool = False) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = is_locked
        self.spoils = spoils

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked("secret words of the backend")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.is_locked:
            raise KeyringLocked("secret words of the backend")
        self.kept[service, username] = "x" if self.spoils else password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with its real parameters is tried elsewhere; here it only costs time."""
    monkeypatch.setattr(key_seal, "MEMORY_KIB", 64)
    monkeypatch.setattr(key_seal, "ITERATIONS", 1)


@pytest.fixture
def ring():
    before = keyring.get_keyring()
    ours = Ring()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


def test_a_key_in_the_keyring_has_its_links_in_the_users_folder(ring, tmp_path):
    store = store_for("keyring:trial-7", tmp_path / "keys")
    made = make_project(store, os.urandom)
    assert store.links == tmp_path / "keys" / "trial-7.links"
    assert store.links.exists()
    assert read_project(store).key == made.key
    assert [name for _, name in ring.kept] == ["trial-7"]
    assert not (tmp_path / "keys" / "trial-7").exists()


def test_a_key_in_the_keyring_can_have_a_passphrase_too(ring, tmp_path):
    store = RingStore("trial", tmp_path)
    made = make_project(store, os.urandom)
    reseal(store, made, "correct horse", os.urandom)
    assert facts_of(store).is_sealed
    assert read_project(store, lambda: "correct horse").key == made.key


def test_a_key_in_the_keyring_is_never_overwritten(ring, tmp_path):
    store = RingStore("trial", tmp_path)
    make_project(store, os.urandom)
    before = dict(ring.kept)
    with pytest.raises(SaveError, match="has one of this name"):
        make_project(store, os.urandom)
    assert ring.kept == before


def test_a_keyring_without_the_key_is_said(ring, tmp_path):
    with pytest.raises(InputError, match="has none of this name"):
        read_project(RingStore("trial", tmp_path))


def test_a_locked_keyring_is_said_in_our_words(ring, tmp_path):
    ring.is_locked = True
    store = RingStore("trial", tmp_path)
    with pytest.raises(InputError, match="locked") as caught:
        read_project(store)
    assert "backend" not in caught.value.message
    with pytest.raises(SaveError, match="did not take the key"):
        store.create("text")


def test_a_keyring_that_gives_something_else_back_is_refused(ring, tmp_path):
    ring.spoils = True
    with pytest.raises(SaveError, match="something else"):
        make_project(RingStore("trial", tmp_path), os.urandom)
    assert not (tmp_path / "trial.links").exists()


@pytest.mark.parametrize("name", ["", "../a", ".a", "a b", "a/b", "x" * 65])
def test_a_name_that_could_be_a_path_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="1 to 64 letters"):
        store_for(f"keyring:{name}", tmp_path)


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    def missing(*_: object, **__: object) -> None:
        raise MissingPackageError("no", hint="napari-medlabel[keyring]")

    monkeypatch.setattr("napari_medlabel.secret.ring.require", missing)
    with pytest.raises(MissingPackageError):
        store_for("keyring:trial", tmp_path)


def test_anything_else_is_a_file(tmp_path):
    store = store_for(str(tmp_path / "a.key"), tmp_path)
    assert store == FileStore(tmp_path / "a.key")
    assert store.links == tmp_path / "a.key.links"


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_no_other_user_can_read_a_key_file_at_any_moment(tmp_path, monkeypatch):
    modes = []
    real = os.fsync

    def watch(handle: int) -> None:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        real(handle)

    monkeypatch.setattr(os, "fsync", watch)
    before = os.umask(0)
    try:
        store = FileStore(tmp_path / "a.key")
        store.create("one")
        store.replace("two")
    finally:
        os.umask(before)
    assert modes == [0o600, 0o600]
    assert store.read() == "two"


def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path):
    store = FileStore(tmp_path / "a.key")
    store.create("one")
    with pytest.raises(SaveError, match="File exists"):
        store.create("two")
    assert store.read() == "one"


def test_a_folder_that_cannot_be_made_or_written_to_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="could not be made"):
        FileStore(tmp_path / "file" / "a.key").prepare()
    with pytest.raises(SaveError, match="could not be made"):
        FileStore(tmp_path / "none" / "a.key").create("one")


def test_a_full_disk_leaves_the_old_key(tmp_path, monkeypatch):
    store = FileStore(tmp_path / "a.key")
    store.create("one")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="No space left"):
        store.replace("two")
    assert [path.name for path in tmp_path.iterdir()] == ["a.key"]
    assert store.read() == "one"


def test_a_link_to_a_key_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    FileStore(tmp_path / "there" / "a.key").create("one")
    link = tmp_path / "a.key"
    try:
        link.symlink_to(tmp_path / "there" / "a.key")
    except OSError:
        pytest.skip("no links here")
    assert FileStore(link).links == tmp_path.resolve() / "there" / "a.key.links"
    FileStore(link).replace("two")
    assert link.is_symlink()
    assert Path(tmp_path / "there" / "a.key").read_text() == "two"


def test_links_in_a_circle_are_no_fault_of_ours(tmp_path):
    link = tmp_path / "a.key"
    try:
        link.symlink_to(link)
    except OSError:
        pytest.skip("no links here")
    assert FileStore(link).links.name == "a.key.links"
    with pytest.raises(InputError, match="could not be read"):
        FileStore(link).read()
