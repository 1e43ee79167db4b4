"""The key of a workstation: where it lies, what it certifies, how it introduces itself."""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from napari_medlabel.audit.format.seal import Head, to_base64
from napari_medlabel.audit.keys.install import (
    InstallKey,
    check_certificate,
    copy_introduction,
    install_key_path,
    keep_introduction,
    load_install_key,
    publish_install,
    read_introduction,
)
from napari_medlabel.audit.keys.key_document import make_key
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.errors import InputError
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.secret.passphrase import PassphraseError
from tests.audit.keys.site_bench import WRITER

ORIGIN = f"medlabel.local/ward-3/{WRITER}/20261122T101403Z-01JDAAAAAAAAAAAAAAAAAAAAAA"
BEFORE = Head(f"{ORIGIN[:-1]}B", 7, b"r" * 32)
SESSION = b"s" * 32
MADE = "2026-11-22T10:00:00.000Z"
WORDS = "correct horse battery"
KEY = InstallKey(SigningKey(b"i" * 32))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)


def _pem(path: Path, key: object = None, mode: int = 0o600) -> dict[str, str]:
    private = key or Ed25519PrivateKey.from_private_bytes(b"i" * 32)
    path.write_bytes(
        private.private_bytes(  # type: ignore[attr-defined]
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    path.chmod(mode)
    return {"MEDLABEL_INSTALL_KEY": str(path)}


def _words(path: Path, words: str = WORDS) -> dict[str, str]:
    path.write_text(f"{words}\n", encoding="utf-8")
    path.chmod(0o600)
    return {"MEDLABEL_INSTALL_PASSPHRASE_FILE": str(path)}


def _sealed(state: Path) -> SigningKey:
    return make_key(
        install_key_path(state),
        ("install", WRITER, MADE),
        secrets.token_bytes,
        passphrase=WORDS,
    )


def test_the_certificate_is_a_signature_over_six_lines_of_text() -> None:
    cert = KEY.certify(ORIGIN, SESSION, BEFORE)
    name = f"medlabel.local/ward-3/{WRITER}"
    assert cert[:4] == sha256(name.encode() + b"\n\x01" + KEY.public).digest()[:4]
    text = (
        f"medlabel-cert/v1\n{ORIGIN}\n{to_base64(SESSION)}\n"
        f"{BEFORE.origin}\n7\n{to_base64(b'r' * 32)}\n"
    )
    Ed25519PublicKey.from_public_bytes(KEY.public).verify(cert[4:], text.encode())
    first = KEY.certify(ORIGIN, SESSION, None)
    text = f"medlabel-cert/v1\n{ORIGIN}\n{to_base64(SESSION)}\n-\n-\n-\n"
    Ed25519PublicKey.from_public_bytes(KEY.public).verify(first[4:], text.encode())


def test_a_certificate_holds_for_its_session_and_key_alone() -> None:
    cert = KEY.certify(ORIGIN, SESSION, BEFORE)
    assert check_certificate(cert, KEY.public, ORIGIN, SESSION, BEFORE)
    assert not check_certificate(cert, b"k" * 32, ORIGIN, SESSION, BEFORE)
    assert not check_certificate(cert, KEY.public, f"{ORIGIN[:-1]}C", SESSION, BEFORE)
    assert not check_certificate(cert, KEY.public, ORIGIN, b"t" * 32, BEFORE)
    assert not check_certificate(cert, KEY.public, ORIGIN, SESSION, None)
    assert not check_certificate(
        cert, KEY.public, ORIGIN, SESSION, Head(BEFORE.origin, 8, BEFORE.root)
    )
    assert not check_certificate(
        cert, KEY.public, ORIGIN, SESSION, Head(BEFORE.origin, 7, b"q" * 32)
    )
    assert not check_certificate(b"\0" * 4 + cert[4:], KEY.public, ORIGIN, SESSION, BEFORE)
    assert not check_certificate(cert[:4] + bytes(64), KEY.public, ORIGIN, SESSION, BEFORE)
    assert not check_certificate(cert[:40], KEY.public, ORIGIN, SESSION, BEFORE)
    short = sha256(f"medlabel.local/ward-3/{WRITER}\n\x01".encode() + b"k").digest()[:4]
    assert not check_certificate(short + cert[4:], b"k", ORIGIN, SESSION, BEFORE)


def test_no_changed_byte_of_a_certificate_goes_unseen() -> None:
    cert = KEY.certify(ORIGIN, SESSION, BEFORE)
    for place in range(len(cert)):
        changed = bytearray(cert)
        changed[place] ^= 1
        assert not check_certificate(bytes(changed), KEY.public, ORIGIN, SESSION, BEFORE)


def test_a_workstation_shows_its_key_again_where_it_is_missing(tmp_path: Path) -> None:
    root, state = tmp_path / "audit", tmp_path / "state"
    assert not copy_introduction(root, state, WRITER)
    keep_introduction(state, WRITER, KEY, MADE)
    assert copy_introduction(root, state, WRITER)
    found = read_introduction(root, WRITER)
    assert found is not None
    assert found.public == KEY.public
    assert not copy_introduction(root, state, WRITER)
    publish_install(root, WRITER, InstallKey(SigningKey(b"j" * 32)), MADE)
    assert copy_introduction(root, state, WRITER)


def test_without_a_key_there_is_none(tmp_path: Path) -> None:
    assert load_install_key(tmp_path, environ={}) is None


def test_a_machine_without_a_person_names_a_plain_file(tmp_path: Path) -> None:
    _sealed(tmp_path / "state")
    key = load_install_key(tmp_path / "state", environ=_pem(tmp_path / "k.pem"))
    assert key is not None
    assert key.public == KEY.public


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_a_plain_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its mode is 640") as caught:
        load_install_key(tmp_path, environ=_pem(tmp_path / "k.pem", mode=0o640))
    assert "MEDLABEL_INSTALL_KEY" in caught.value.hint


def test_a_plain_file_that_is_named_and_missing_is_refused_not_passed_over(
    tmp_path: Path,
) -> None:
    with pytest.raises(InputError, match="could not be read"):
        load_install_key(tmp_path, environ={"MEDLABEL_INSTALL_KEY": str(tmp_path / "none")})


def test_a_plain_file_with_something_else_is_refused(tmp_path: Path) -> None:
    environ = _pem(tmp_path / "k.pem", X25519PrivateKey.generate())
    with pytest.raises(InputError, match="Ed25519 private key was expected"):
        load_install_key(tmp_path, environ=environ)
    (tmp_path / "k.pem").write_text("no key", encoding="utf-8")
    with pytest.raises(InputError, match="Ed25519 private key was expected"):
        load_install_key(tmp_path, environ=environ)


def test_a_sealed_key_opens_with_its_passphrase_wherever_that_comes_from(
    tmp_path: Path,
) -> None:
    made = _sealed(tmp_path)
    environ = _words(tmp_path / "words")
    for key in (
        load_install_key(tmp_path, passphrase=WORDS, environ={}),
        load_install_key(tmp_path, passphrase=lambda: WORDS, environ={}),
        load_install_key(tmp_path, environ=environ),
        load_install_key(tmp_path, passphrase=lambda: "not asked for", environ=environ),
    ):
        assert key is not None
        assert key.public == made.public


def test_a_sealed_key_without_its_passphrase_certifies_nothing_and_stops_nobody(
    tmp_path: Path,
) -> None:
    _sealed(tmp_path)
    assert load_install_key(tmp_path, environ={}) is None


def test_a_wrong_passphrase_is_refused(tmp_path: Path) -> None:
    _sealed(tmp_path)
    with pytest.raises(PassphraseError, match="does not open"):
        load_install_key(tmp_path, environ=_words(tmp_path / "words", "another passphrase"))


def test_a_workstation_introduces_its_key_signed_by_itself(tmp_path: Path) -> None:
    assert read_introduction(tmp_path, WRITER) is None
    publish_install(tmp_path, WRITER, KEY, MADE)
    found = read_introduction(tmp_path, WRITER)
    assert found is not None
    assert (found.writer, found.public, found.made) == (WRITER, KEY.public, MADE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"made":"2026-11-22T10', b'"made":"2026-11-22T11'),
        (b'"made":"2026-11-22T10:00:00.000Z"', b'"made":"today"'),
        (WRITER.encode(), b"w0123456789abcdee"),
        (b'"v":1', b'"v":2'),
        (b'"self":"', b'"self":"A'),
        (b"{", b"["),
        (b"{", b"[" * 4096),
    ],
    ids=["made", "no time", "writer", "version", "signature", "no JSON", "deep"],
)
def test_a_changed_introduction_is_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    publish_install(tmp_path, WRITER, KEY, MADE)
    path = tmp_path / "writers" / WRITER / "install.json"
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(InputError, match=r"'install\.json' of the workstation"):
        read_introduction(tmp_path, WRITER)
