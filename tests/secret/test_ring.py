"""The keyring: read, written and read back, and its absence said in our words."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
import pytest
from keyring.backends import fail
from keyring.errors import KeyringError

from napari_medlabel.errors import InputError, MissingPackageError, SaveError
from napari_medlabel.secret import ring as under_test
from napari_medlabel.secret.ring import (
    drop_from_ring,
    from_ring,
    has_ring,
    into_ring,
    require_ring,
)
from tests.secret.rings import Ring


@pytest.fixture(autouse=True)
def ring() -> Iterator[Ring]:
    before = keyring.get_keyring()
    ours = Ring()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


def test_a_secret_is_kept_until_it_is_dropped() -> None:
    require_ring()
    assert has_ring()
    assert from_ring("a") is None
    into_ring("a", "text")
    assert from_ring("a") == "text"
    drop_from_ring("a")
    assert from_ring("a") is None


def test_a_locked_keyring_is_said_without_its_own_words(ring: Ring) -> None:
    ring.is_locked = True
    with pytest.raises(InputError, match="locked") as caught:
        from_ring("a")
    assert "backend" not in caught.value.message + caught.value.hint
    with pytest.raises(SaveError, match="did not take the key"):
        into_ring("a", "text")
    with pytest.raises(SaveError, match="did not remove the key"):
        drop_from_ring("a", hint="Do this.")


def test_a_keyring_that_gives_something_else_back_is_refused(ring: Ring) -> None:
    ring.spoils = True
    with pytest.raises(SaveError, match="something else"):
        into_ring("a", "text")


def test_a_placeholder_is_no_keyring() -> None:
    keyring.set_keyring(fail.Keyring())
    assert not has_ring()


def test_a_keyring_that_cannot_start_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise KeyringError("no bus")

    monkeypatch.setattr(keyring, "get_keyring", broken)
    assert not has_ring()


def test_without_the_package_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise MissingPackageError("no", hint="napari-medlabel[keyring]")

    monkeypatch.setattr(under_test, "require", missing)
    assert not has_ring()
    with pytest.raises(MissingPackageError):
        require_ring()
