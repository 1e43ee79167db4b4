"""Tokens: keyed, stable, apart from each other, and the key well kept."""

from __future__ import annotations

import getpass
import hashlib
import hmac
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.audit.format.schema import SUBJECT, USER
from napari_medlabel.audit.keys.tokens import (
    TokenKey,
    account_name,
    load_token_key,
    load_token_keys,
    rotate_token_key,
    token_file,
)
from napari_medlabel.errors import InputError, LogError
from tests.audit.bench import FakeIo, failing

_KEY = TokenKey(b"k" * 32)


def test_the_token_is_the_mac_over_issuer_and_number() -> None:
    expected = hmac.new(b"k" * 32, b"HOSP\x1f4711", hashlib.sha256).hexdigest()[:32]
    assert _KEY.subject_token("HOSP", "4711") == f"s1-{expected}"
    assert _KEY.subject_token(" HOSP ", "4711 \0") == f"s1-{expected}"
    assert _KEY.subject_token(None, "4711") == _KEY.subject_token("", "4711")


@given(
    st.text(max_size=8), st.text(min_size=1, max_size=8).filter(lambda t: t.strip(" \t\r\n\0"))
)
def test_every_token_fits_the_schema(issuer: str, number: str) -> None:
    assert SUBJECT.accepts(_KEY.subject_token(issuer, number))
    assert USER.accepts(_KEY.user_token(issuer))


def test_different_people_and_keys_have_different_tokens() -> None:
    tokens = {
        _KEY.subject_token("A", "1"),
        _KEY.subject_token("", "1"),
        _KEY.subject_token("", "A1"),
        _KEY.subject_token("", "a1"),
        _KEY.content_token("ab" * 32),
        TokenKey(b"j" * 32).subject_token("A", "1"),
    }
    assert len(tokens) == 6


def test_composed_and_decomposed_letters_are_one_number() -> None:
    assert _KEY.subject_token("", "M\u00fc1") == _KEY.subject_token("", "Mu\u03081")


def test_without_a_number_the_content_stands_for_the_patient_and_is_weak() -> None:
    with pytest.raises(InputError, match="patient id was expected"):
        _KEY.subject_token("HOSP", " \0")
    digest = "sha256:" + "ab" * 32
    weak = _KEY.subject("HOSP", " ", digest)
    assert (weak.token, weak.weak) == (_KEY.content_token("ab" * 32), True)
    strong = _KEY.subject("HOSP", "4711", digest)
    assert (strong.token, strong.weak) == (_KEY.subject_token("HOSP", "4711"), False)


def test_the_key_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    first = load_token_key(tmp_path / "state")
    second = load_token_key(tmp_path / "state")
    assert (first.created, second.created) == (True, False)
    assert first.secret == second.secret
    assert len(first.secret) == 32
    assert repr(first.secret) not in repr(first)
    mode = stat.S_IMODE((tmp_path / "state" / "token.key").stat().st_mode)
    assert mode == 0o600 or sys.platform == "win32"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load_token_key(tmp_path)
    (tmp_path / "token.key").chmod(0o640)
    with pytest.raises(LogError, match="its mode is 0640") as caught:
        load_token_key(tmp_path)
    assert "chmod" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"xyz", b"ab", "é".encode(), b"ab" * 33])
def test_a_spoilt_key_is_refused(tmp_path: Path, content: bytes) -> None:
    load_token_key(tmp_path)
    (tmp_path / "token.key").write_bytes(content)
    with pytest.raises(LogError, match="64 hex digits"):
        load_token_key(tmp_path)


def test_a_key_that_cannot_be_made_is_a_log_error(tmp_path: Path) -> None:
    io = FakeIo()
    io.fail = failing(1)
    with pytest.raises(LogError, match="token key could not be read"):
        load_token_key(tmp_path, io)


def test_the_next_key_has_the_next_number_and_old_tokens_stay_searchable(
    tmp_path: Path,
) -> None:
    assert load_token_keys(tmp_path) == ()
    first = load_token_key(tmp_path)
    second = rotate_token_key(tmp_path)
    assert (first.kid, second.kid, second.created) == (1, 2, True)
    assert second.subject_token("", "4711").startswith("s2-")
    assert second.content_token("ab" * 32).startswith("s2-")
    assert second.user_token("jane").startswith("u2-")
    assert load_token_key(tmp_path).secret == second.secret
    assert [key.secret for key in load_token_keys(tmp_path)] == [first.secret, second.secret]
    (tmp_path / "token-x.key").write_text("no key of ours")
    assert len(load_token_keys(tmp_path)) == 2


def test_numbers_of_keys_end(tmp_path: Path) -> None:
    load_token_key(tmp_path)
    token_file(tmp_path, 1).rename(token_file(tmp_path, 9999))
    with pytest.raises(LogError, match="up to 9999"):
        rotate_token_key(tmp_path)


def test_a_key_that_cannot_be_read_is_a_log_error(tmp_path: Path) -> None:
    (tmp_path / "token.key").mkdir()
    with pytest.raises(LogError, match="token key could not be read"):
        load_token_keys(tmp_path)


def test_an_account_without_a_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "jane")
    assert account_name() == "jane"

    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert account_name() == "unknown"
