"""Signatures of keys that last, and the letters by which people compare keys."""

from __future__ import annotations

from hashlib import sha256

import pytest

from napari_medlabel.audit.format.crockford import encode, grouped
from napari_medlabel.audit.keys.signatures import (
    SigningKey,
    fingerprint,
    is_fingerprint,
    is_signed,
    is_signed_as,
)

KEY = SigningKey(b"k" * 32)
TEXT = b"text\n"


def test_a_signature_holds_for_its_key_and_text() -> None:
    signature = KEY.sign(TEXT)
    assert is_signed(KEY.public, TEXT, signature)
    assert not is_signed(SigningKey(b"j" * 32).public, TEXT, signature)
    assert not is_signed(KEY.public, b"text", signature)
    assert not is_signed(KEY.public, TEXT, signature[:-1] + b"\0")
    assert not is_signed(b"short", TEXT, signature)


def test_a_named_signature_holds_for_its_name_too() -> None:
    raw = KEY.sign_as("name", TEXT)
    assert len(raw) == 68
    assert is_signed_as("name", KEY.public, TEXT, raw)
    assert not is_signed_as("other", KEY.public, TEXT, raw)
    assert not is_signed_as("name", KEY.public, b"text", raw)


def test_a_derived_secret_is_another_for_each_purpose_and_key() -> None:
    assert KEY.derived(b"a") == KEY.derived(b"a")
    assert len({KEY.derived(b"a"), KEY.derived(b"b"), SigningKey(b"j" * 32).derived(b"a")}) == 3


def test_a_fingerprint_has_16_letters_of_the_hash() -> None:
    assert fingerprint(KEY.public) == grouped(encode(sha256(KEY.public).digest()[:10]))
    assert len(fingerprint(KEY.public)) == 19


@pytest.mark.parametrize("letters", [8, 12, 16])
def test_what_is_typed_may_be_the_beginning_in_any_spelling(letters: int) -> None:
    whole = fingerprint(KEY.public).replace("-", "")
    typed = whole[:letters].lower().replace("0", "o").replace("1", "l")
    assert is_fingerprint(f" {typed[:4]} {typed[4:]} ", KEY.public)


def test_too_few_letters_or_other_ones_are_not_the_fingerprint() -> None:
    whole = fingerprint(KEY.public).replace("-", "")
    assert not is_fingerprint(whole[:7], KEY.public)
    assert not is_fingerprint("", KEY.public)
    assert not is_fingerprint(whole[:8], SigningKey(b"j" * 32).public)
    assert not is_fingerprint(whole + "0", KEY.public)
    assert not is_fingerprint("U" * 8, KEY.public)
