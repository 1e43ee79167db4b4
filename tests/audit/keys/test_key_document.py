"""Keys that last: under a passphrase or in the keyring, and refused when they are spoilt."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest

from napari_medlabel.audit.keys.key_document import (
    drop_key,
    make_key,
    open_key,
    read_facts,
    replace_key,
)
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.secret.passphrase import PassphraseError
from tests.secret.rings import Ring

FACTS = ("officer", "ward-3", "2026-11-22T10:00:00.000Z")
WORDS = "correct horse battery"


@pytest.fixture
def ring() -> Iterator[Ring]:
    before = keyring.get_keyring()
    ours = Ring()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "officer.key"


def _make(path: Path, **more: Any) -> SigningKey:
    return make_key(path, FACTS, secrets.token_bytes, **{"passphrase": WORDS, **more})


def _ask() -> str:
    return WORDS


def _not_asked() -> str:
    raise AssertionError


def test_a_sealed_key_opens_with_its_passphrase(path: Path) -> None:
    made = _make(path)
    found = open_key(path, "officer", _ask)
    assert found is not None
    assert found.public == made.public
    facts = read_facts(path, "officer")
    assert facts is not None
    assert (facts.kind, facts.name, facts.made) == FACTS
    assert facts.public == made.public
    assert facts.is_sealed


def test_where_there_is_no_file_there_is_no_key(path: Path) -> None:
    assert read_facts(path, "officer") is None
    assert open_key(path, "officer", _not_asked) is None
    drop_key(path, "officer")


def test_a_key_in_the_keyring_needs_no_passphrase(path: Path, ring: Ring) -> None:
    made = _make(path, passphrase=None, ring="officer-ward-3")
    assert [name for _, name in ring.kept] == ["officer-ward-3"]
    found = open_key(path, "officer", _not_asked)
    assert found is not None
    assert found.public == made.public
    facts = read_facts(path, "officer")
    assert facts is not None
    assert not facts.is_sealed
    assert next(iter(ring.kept.values())) not in path.read_text("utf-8")


def test_a_key_that_is_dropped_is_gone_from_everywhere(path: Path, ring: Ring) -> None:
    _make(path, passphrase=None, ring="officer-ward-3")
    drop_key(path, "officer")
    assert not path.exists()
    assert not ring.kept
    _make(path)
    drop_key(path, "officer")
    assert not path.exists()


def test_a_keyring_that_lost_or_spoilt_the_key_is_said(path: Path, ring: Ring) -> None:
    _make(path, passphrase=None, ring="officer-ward-3")
    place = next(iter(ring.kept))
    for spoilt in ("no hex", "ab", (b"j" * 32).hex()):
        ring.kept[place] = spoilt
        with pytest.raises(InputError, match="damaged or something else"):
            open_key(path, "officer", _not_asked)
    ring.kept.clear()
    with pytest.raises(InputError, match="has none of this name"):
        open_key(path, "officer", _not_asked)


def test_a_wrong_passphrase_opens_nothing(path: Path) -> None:
    _make(path)
    with pytest.raises(PassphraseError):
        open_key(path, "officer", lambda: WORDS + "x")


def test_a_key_is_never_overwritten_but_replaced_on_purpose(path: Path) -> None:
    made = _make(path)
    with pytest.raises(SaveError, match="File exists"):
        _make(path)
    other = replace_key(path, FACTS, secrets.token_bytes, passphrase=WORDS)
    found = open_key(path, "officer", _ask)
    assert found is not None
    assert found.public == other.public != made.public


def test_what_hears_of_a_new_key_can_stop_it(path: Path) -> None:
    told: list[bytes] = []

    def no_log(public: bytes) -> None:
        told.append(public)
        raise InputError("no log")

    with pytest.raises(InputError, match="no log"):
        _make(path, announce=no_log)
    assert not path.exists()
    assert len(told[0]) == 32


def test_what_could_not_be_kept_is_not_announced(path: Path) -> None:
    def unheard(_public: bytes) -> None:
        raise AssertionError

    with pytest.raises(InputError, match="needs a passphrase where no keyring"):
        _make(path, passphrase=None, announce=unheard)
    with pytest.raises(InputError, match="at least 8"):
        _make(path, passphrase=WORDS[:7], announce=unheard)


def test_another_kind_of_key_is_refused(path: Path) -> None:
    _make(path)
    with pytest.raises(InputError, match="kind 'install' was expected"):
        open_key(path, "install", _ask)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "ward-4"},
        {"made": "2026-11-22T10:00:00.001Z"},
    ],
    ids=["name", "made"],
)
def test_what_stands_in_the_open_cannot_be_changed(path: Path, change: dict[str, Any]) -> None:
    _make(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(PassphraseError):
        open_key(path, "officer", _ask)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"more": 1},
        {"name": 3},
        {"pub": "AAAA"},
        {"sealed": 3},
        {"sealed": {}},
    ],
    ids=["version", "more", "name", "key", "no box", "empty box"],
)
def test_a_spoilt_file_is_refused(path: Path, change: dict[str, Any]) -> None:
    _make(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(InputError, match=r"damaged or something else|sealed in another way"):
        open_key(path, "officer", _ask)


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_what_is_no_document_is_refused(path: Path, text: str) -> None:
    _make(path)
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match="damaged or something else"):
        read_facts(path, "officer")


def test_a_place_in_the_keyring_that_is_no_text_is_refused(path: Path) -> None:
    _make(path)
    document = json.loads(path.read_text("utf-8"))
    del document["sealed"]
    path.write_text(json.dumps(document | {"ring": 3}), "utf-8")
    with pytest.raises(InputError, match="damaged or something else"):
        read_facts(path, "officer")
