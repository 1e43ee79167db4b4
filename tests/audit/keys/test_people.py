"""Signatures of people: what is signed, what the log gets, and what is refused."""

from __future__ import annotations

import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.seal import from_base64, key_id
from napari_medlabel.audit.keys.key_document import make_key
from napari_medlabel.audit.keys.people import (
    SignedStatement,
    Statement,
    find_statements,
    keep_statement,
    load_user_key,
    parse_statement,
    sign_statement,
    statement_path,
    user_key_path,
)
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.errors import InputError
from napari_medlabel.secret.passphrase import PassphraseError

MASK = "sha256:" + "ab" * 32
USER = "u1-9f86d081884c7d65"
TIME = "2026-11-22T10:00:00.000Z"
KEY = SigningKey(b"u" * 32)
WORDS = "correct horse battery"


def _statement(**more: Any) -> Statement:
    given: dict[str, Any] = {
        "meaning": "approved",
        "name": "Dr. M\u00fcller-L\u00fcdenscheidt",
        "content": MASK,
        "time": TIME,
        "user": USER,
    }
    return Statement(**{**given, **more})


def _signed(**more: Any) -> SignedStatement:
    return sign_statement(_statement(**more), KEY)


def test_the_signature_is_over_everything_that_a_person_says() -> None:
    signed = _signed()
    found: Any = canonical.decode(signed.document())
    rest = {key: value for key, value in found.items() if key != "signature"}
    assert rest.keys() == {"meaning", "name", "object", "pub", "time", "user", "v"}
    Ed25519PublicKey.from_public_bytes(KEY.public).verify(
        from_base64(found["signature"], 64),
        b"medlabel-statement/v1\n" + canonical.encode(rest),
    )
    assert parse_statement(signed.document()) == signed


def test_the_log_gets_the_signature_and_no_name() -> None:
    signed = _signed()
    detail = Event("sign.apply", detail=signed.detail()).detail
    assert detail["meaning"] == "approved"
    assert detail["statement"] == f"sha256:{sha256(signed.document()).hexdigest()}"
    raw = from_base64(detail["signature"], 68)
    assert raw == key_id(USER, KEY.public) + signed.signature
    assert "ller" not in str(detail)


@pytest.mark.parametrize("name", ["", " Jane", "Jane\nDoe", "x" * 101])
def test_a_name_that_cannot_be_printed_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="printable characters"):
        _statement(name=name)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("meaning", "reviewed"),
        ("name", "Somebody Else"),
        ("object", "sha256:" + "cd" * 32),
        ("time", "2026-11-22T10:00:00.001Z"),
        ("user", "u1-0000000000000000"),
        ("signature", "A" * 86 + "=="),
        ("signature", "no base64"),
        ("signature", 3),
        ("meaning", "liked"),
        ("v", 2),
        ("more", 1),
    ],
)
def test_whatever_is_changed_is_found(key: str, value: object) -> None:
    found: Any = canonical.decode(_signed().document())
    with pytest.raises(InputError, match="statement under a person's signature"):
        parse_statement(canonical.encode({**found, key: value}))


def test_what_is_not_canonical_is_refused() -> None:
    with pytest.raises(InputError, match="statement under a person's signature"):
        parse_statement(_signed().document() + b"\n")


def test_the_statements_about_a_content_are_found_by_time(tmp_path: Path) -> None:
    later = _signed(time="2026-11-22T11:00:00.000Z")
    first = _signed(meaning="authored")
    other = _signed(content="sha256:" + "cd" * 32)
    for signed in (later, first, other):
        path = keep_statement(tmp_path, signed)
        assert path == statement_path(tmp_path, signed.digest)
    found = find_statements(tmp_path, MASK)
    assert found.statements == (first, later)
    assert found.broken == 0


def test_statements_that_are_not_what_they_should_be_are_counted(tmp_path: Path) -> None:
    keep_statement(tmp_path, _signed())
    folder = tmp_path / "signatures"
    (folder / "damaged.json").write_bytes(b"{")
    (folder / f"{'0' * 64}.json").write_bytes(_signed().document())
    (folder / "folder.json").mkdir()
    found = find_statements(tmp_path, MASK)
    assert len(found.statements) == 1
    assert found.broken == 3


def test_a_persons_key_opens_with_the_passphrase_under_any_of_the_tokens(
    tmp_path: Path,
) -> None:
    tokens = ["u2-0000000000000000", USER]
    assert load_user_key(tmp_path, tokens, lambda: WORDS) is None
    made = make_key(
        user_key_path(tmp_path, USER),
        ("user", USER, TIME),
        secrets.token_bytes,
        passphrase=WORDS,
    )
    found = load_user_key(tmp_path, tokens, lambda: WORDS)
    assert found is not None
    assert (found[0], found[1].public) == (USER, made.public)
    with pytest.raises(PassphraseError):
        load_user_key(tmp_path, tokens, lambda: WORDS + "x")
