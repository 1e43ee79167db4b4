"""Token keys that travel: sealed or plain, taken over, never mixed up."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.keys.token_file import (
    export_tokens,
    import_tokens,
    read_token_keys,
)
from napari_medlabel.audit.keys.tokens import (
    TokenKey,
    load_token_key,
    load_token_keys,
    rotate_token_key,
)
from napari_medlabel.errors import InputError, RefusedError, SaveError
from napari_medlabel.secret.passphrase import PassphraseError

WORDS = "correct horse battery"
KEYS = (TokenKey(b"1" * 32, kid=1), TokenKey(b"2" * 32, kid=2))


def _not_asked() -> str:
    raise AssertionError


def test_sealed_keys_open_with_the_passphrase(tmp_path: Path) -> None:
    export_tokens(tmp_path / "keys", KEYS, WORDS, secrets.token_bytes)
    assert read_token_keys(tmp_path / "keys", lambda: WORDS) == KEYS
    assert (b"1" * 32).hex() not in (tmp_path / "keys").read_text()
    with pytest.raises(PassphraseError):
        read_token_keys(tmp_path / "keys", lambda: WORDS + "x")


def test_plain_keys_need_none(tmp_path: Path) -> None:
    export_tokens(tmp_path / "keys", KEYS, None, secrets.token_bytes)
    assert read_token_keys(tmp_path / "keys", _not_asked) == KEYS
    with pytest.raises(SaveError, match="File exists"):
        export_tokens(tmp_path / "keys", KEYS, None, secrets.token_bytes)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"v": 2},
        {"keys": []},
        {"keys": [{"kid": 0, "secret": "00" * 32}]},
        {"keys": [{"kid": 1, "secret": "00"}]},
        {"keys": [{"kid": 1, "secret": 5}]},
        {"keys": [{"kid": 1, "secret": "zz" * 32}]},
        {"sealed": 3},
    ],
    ids=["kind", "version", "none", "number", "short", "no text", "no hex", "no box"],
)
def test_another_file_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "keys"
    export_tokens(path, KEYS, None, secrets.token_bytes)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match="file with token keys was expected"):
        read_token_keys(path, lambda: WORDS)


def test_what_is_no_document_is_refused(tmp_path: Path) -> None:
    for text in ("{", "[]"):
        (tmp_path / "keys").write_text(text)
        (tmp_path / "keys").chmod(0o600)
        with pytest.raises(InputError, match="file with token keys was expected"):
            read_token_keys(tmp_path / "keys", _not_asked)


def test_a_new_computer_takes_the_keys_over(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert import_tokens(state, KEYS) == 2
    assert import_tokens(state, KEYS) == 0
    assert load_token_keys(state) == KEYS
    assert load_token_key(state) == KEYS[1]


def test_keys_in_the_way_are_kept_for_searching(tmp_path: Path) -> None:
    state = tmp_path / "state"
    own = load_token_key(state)
    with pytest.raises(RefusedError, match=r"has 1 other token key\(s\)") as caught:
        import_tokens(state, KEYS)
    assert "--replace" in caught.value.hint
    assert [key.secret for key in load_token_keys(state)] == [own.secret]
    assert import_tokens(state, KEYS, replace=True) == 2
    assert [key.secret for key in load_token_keys(state)] == [
        own.secret,
        b"1" * 32,
        b"2" * 32,
    ]
    assert load_token_key(state).secret == b"2" * 32
    assert rotate_token_key(state).kid == 3
