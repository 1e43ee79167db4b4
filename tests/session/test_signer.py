"""The person who signs: a key made once, a name remembered here and nowhere else."""

from __future__ import annotations

import pytest

from napari_medlabel.audit.keys.people import user_key_path
from napari_medlabel.audit.keys.tokens import rotate_token_key
from napari_medlabel.errors import InputError, LogError, RefusedError
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.signer import (
    make_own_key,
    own_key,
    remember_name,
    remembered_name,
)
from napari_medlabel.session.signing import own_tokens
from tests.session.test_outbox import events

WORDS = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)


def made(desk: Desk) -> list[str]:
    return [one["event"] for one in events(desk) if one["detail"].get("key") == "user"]


def test_a_key_is_made_once_and_renewed_on_request(desk: Desk) -> None:
    assert own_key(desk.state) is None
    first = make_own_key(desk, lambda: WORDS)
    assert own_key(desk.state) == first
    assert first.command == f"medlabel audit site user {first.user} {first.public}"
    with pytest.raises(RefusedError, match="a signing key already"):
        make_own_key(desk, lambda: WORDS)
    assert make_own_key(desk, lambda: WORDS, renew=True).public != first.public
    assert made(desk) == ["key.create", "key.rotate"]


def test_a_key_under_an_older_token_is_ones_own(desk: Desk) -> None:
    first = make_own_key(desk, lambda: WORDS)
    rotate_token_key(desk.state)
    assert own_key(desk.state) == first


def test_a_short_passphrase_makes_no_key_and_no_line(desk: Desk) -> None:
    with pytest.raises(InputError, match="at least 8 characters"):
        make_own_key(desk, lambda: "short")
    assert own_key(desk.state) is None
    assert made(desk) == []


def test_without_the_log_no_key_is_made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LogError("dead")

    monkeypatch.setattr(desk.log, "append", refuse)
    with pytest.raises(LogError):
        make_own_key(desk, lambda: WORDS)
    assert own_key(desk.state) is None


def test_the_name_is_remembered_for_its_owner_alone(desk: Desk) -> None:
    assert remembered_name(desk.state) == ""
    remember_name(desk.state, "Dr. J\u00f6rg Doe")
    assert remembered_name(desk.state) == "Dr. J\u00f6rg Doe"
    (token, *_) = own_tokens(desk.state)
    kept = user_key_path(desk.state, token).with_suffix(".name")
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_bytes(b"\xff\xfe")
    assert remembered_name(desk.state) == ""
