"""Seals: checkpoint text, key ids, and signatures that only fit what was signed."""

from __future__ import annotations

from hashlib import sha256

import pytest

from napari_medlabel.audit.format.seal import (
    Head,
    SealKey,
    SessionKey,
    from_base64,
    key_id,
    to_base64,
)

_ORIGIN = "medlabel.local/a/w0123456789abcdef/x"
_HEAD = Head(_ORIGIN, 7, bytes(range(32)))


def test_the_checkpoint_text_has_three_lines() -> None:
    assert _HEAD.text() == (
        b"medlabel.local/a/w0123456789abcdef/x\n7\n"
        b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    )


def test_the_key_id_is_that_of_signed_notes() -> None:
    # Verifier key of the signed-note documentation (golang.org/x/mod/sumdb/note):
    # name, key id in hex, base64 of 0x01 and the public key.
    name, expected = "PeterNeumann", "c74f20a3"
    key = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    algorithm, public = from_base64(key, 33)[:1], from_base64(key, 33)[1:]
    assert algorithm == b"\1"
    assert key_id(name, public).hex() == expected


def test_a_seal_fits_its_head_and_nothing_else() -> None:
    key = SessionKey(_ORIGIN, b"\1" * 32)
    public = SealKey.from_bytes(_ORIGIN, key.public)
    signature = key.sign(_HEAD)
    assert len(signature) == 68
    assert public.signed(_HEAD, signature)
    assert not public.signed(Head(_ORIGIN, 8, _HEAD.root), signature)
    assert not public.signed(Head(_ORIGIN, 7, bytes(32)), signature)
    assert not public.signed(Head(_ORIGIN + "y", 7, _HEAD.root), signature)
    assert not public.signed(_HEAD, b"\0" + signature[1:])
    other = SessionKey(_ORIGIN, b"\2" * 32)
    assert not public.signed(_HEAD, signature[:4] + other.sign(_HEAD)[4:])


def test_after_the_drop_nobody_signs() -> None:
    key = SessionKey(_ORIGIN, b"\1" * 32)
    key.drop()
    with pytest.raises(ValueError, match="dropped"):
        key.sign(_HEAD)


def test_a_head_in_a_record_has_three_keys() -> None:
    assert _HEAD.record() == {"origin": _ORIGIN, "root": to_base64(_HEAD.root), "size": 7}
    assert (
        sha256(_HEAD.root).digest() == sha256(from_base64(_HEAD.record()["root"], 32)).digest()
    )


@pytest.mark.parametrize(
    "text",
    ["AAECAw", "AAECAx==", "AAEC Aw==", "AAECAw==\n", "AAECAwQ=", "", "?", "é", 5, None],
    ids=[
        "no padding",
        "spare bits",
        "space",
        "line feed",
        "longer",
        "empty",
        "mark",
        "accent",
        "int",
        "none",
    ],
)
def test_base64_has_one_spelling(text: object) -> None:
    assert from_base64("AAECAw==", 4) == b"\0\1\2\3"
    with pytest.raises(ValueError, match="base64"):
        from_base64(text, 4)
