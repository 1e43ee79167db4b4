"""The key of a witness: in a named file, under a passphrase, in the keyring."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from napari_medlabel.audit.anchors.witness_key import (
    PASSPHRASE_VARIABLE,
    load_witness_key,
    make_witness_key,
    passphrase_or,
    witness_key_path,
)
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.secret import ring
from napari_medlabel.secret.passphrase import PassphraseError

_MADE = "2026-11-22T10:10:32.104Z"
_WORDS = "correct horse battery"


def _no_one() -> str:
    raise AssertionError("nobody is to be asked")


def test_a_key_in_a_named_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "witness.pem"
    made = make_witness_key(tmp_path, "server", _MADE, os.urandom, file=file)
    assert file.stat().st_mode & 0o077 == 0
    assert load_witness_key(tmp_path, "server", _no_one, file).public == made.public
    assert not witness_key_path(tmp_path, "server").exists()


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "witness.pem"
    make_witness_key(tmp_path, "server", _MADE, os.urandom, file=file)
    with pytest.raises(SaveError, match="exists"):
        make_witness_key(tmp_path, "server", _MADE, os.urandom, file=file)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "witness.pem"
    make_witness_key(tmp_path, "server", _MADE, os.urandom, file=file)
    file.chmod(0o640)
    with pytest.raises(InputError, match="owner alone"):
        load_witness_key(tmp_path, "server", _no_one, file)


def _of_another_kind() -> str:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("kind", ["text", "another"])
def test_a_file_with_something_else_is_refused(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "witness.pem"
    file.write_text("x" if kind == "text" else _of_another_kind())
    file.chmod(0o600)
    with pytest.raises(InputError, match="Ed25519"):
        load_witness_key(tmp_path, "server", _no_one, file)


def test_a_key_under_a_passphrase_opens_with_it_alone(tmp_path: Path) -> None:
    made = make_witness_key(tmp_path, "server", _MADE, os.urandom, passphrase=_WORDS)
    assert load_witness_key(tmp_path, "server", lambda: _WORDS).public == made.public
    with pytest.raises(PassphraseError):
        load_witness_key(tmp_path, "server", lambda: "another passphrase")


def test_without_a_key_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is none") as caught:
        load_witness_key(tmp_path, "server", _no_one)
    assert "--new-key" in caught.value.hint


def test_a_key_without_a_passphrase_goes_into_the_keyring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[str, str] = {}
    target = "napari_medlabel.audit.keys.key_document."
    monkeypatch.setattr(target + "into_ring", held.__setitem__)
    monkeypatch.setattr(target + "from_ring", held.get)
    made = make_witness_key(tmp_path, "server", _MADE, os.urandom)
    assert list(held) == ["witness-server"]
    assert load_witness_key(tmp_path, "server", _no_one).public == made.public
    assert ring.SERVICE == "napari-medlabel"


def test_a_passphrase_comes_from_the_named_file_before_anybody_is_asked(
    tmp_path: Path,
) -> None:
    file = tmp_path / "words"
    file.write_text(_WORDS + "\n")
    file.chmod(0o600)
    assert passphrase_or(_no_one, {PASSPHRASE_VARIABLE: str(file)})() == _WORDS
    assert passphrase_or(lambda: "asked", {})() == "asked"
