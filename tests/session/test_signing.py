"""Signing a mask: two components, meaning and content, in the log and beside it."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format.record import time_ms
from napari_medlabel.audit.keys.key_document import make_key
from napari_medlabel.audit.keys.people import statement_path, user_key_path
from napari_medlabel.audit.keys.site import Site, User
from napari_medlabel.audit.keys.tokens import account_name, load_token_key, rotate_token_key
from napari_medlabel.errors import InputError, LogError, RefusedError
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.secret.passphrase import PassphraseError
from napari_medlabel.session import signing
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.saving import save
from napari_medlabel.session.signing import saved_content, sign_mask, signatures_of
from tests.session.test_outbox import events

WORDS = "correct horse battery"
NAME = "Dr. Jane Doe"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)


def _ask() -> str:
    return WORDS


def _paint(session: Session, value: int) -> None:
    box = (slice(1, 3), slice(2, 4), slice(0, 1))
    session.edit(box, np.full((2, 2, 1), value, np.uint8), name="Square")
    save(session)


@pytest.fixture
def mask(session: Session) -> Path:
    _paint(session, 1)
    return session.place.mask


def _with_key(desk: Desk, name: str) -> User:
    token = load_token_key(desk.state).user_token(name)
    key = make_key(
        user_key_path(desk.state, token),
        ("user", token, "2026-11-22T10:00:00.000Z"),
        secrets.token_bytes,
        passphrase=WORDS,
    )
    return User(token, key.public)


@pytest.fixture
def user(desk: Desk) -> User:
    """The person who saved the mask, with a signing key."""
    return _with_key(desk, account_name())


@pytest.fixture
def colleague(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> User:
    """Another person, who sits down now."""
    monkeypatch.setattr(signing, "account_name", lambda: "colleague")
    return _with_key(desk, "colleague")


def _site(*users: User) -> Site:
    return Site("ward-3", 1, 0, users=users)


def _events(desk: Desk, name: str) -> list[dict]:
    return [event for event in events(desk) if event["event"].startswith(name)]


def test_a_signature_stands_in_the_log_and_the_name_beside_it(
    desk: Desk, mask: Path, user: User
) -> None:
    signed = sign_mask(desk, mask, "authored", NAME, _ask)
    (event,) = _events(desk, "sign.")
    save_event = _events(desk, "mask.")[-1]
    assert event["event"] == "sign.apply"
    assert event["object"] == [
        {"id": saved_content(mask), "role": "new", "type": "mask"},
    ]
    assert event["subject"] == save_event["subject"]
    assert event["detail"] == signed.detail()
    kept = json.loads(statement_path(desk.audit_root, signed.digest).read_bytes())
    assert (kept["name"], kept["meaning"], kept["user"]) == (NAME, "authored", user.user)
    assert kept["time"] == "2026-11-22T12:00:00.000Z"
    lines = b"".join(path.read_bytes() for path in desk.audit_root.rglob("*.jsonl"))
    assert b"Jane" not in lines
    assert verify_log(desk.audit_root, state=desk.state).verdict != "red"


def test_the_passphrase_is_asked_for_at_every_signature(
    desk: Desk, mask: Path, user: User
) -> None:
    asked: list[int] = []

    def ask() -> str:
        asked.append(1)
        return WORDS

    sign_mask(desk, mask, "authored", NAME, ask)
    sign_mask(desk, mask, "authored", NAME, ask)
    assert len(asked) == 2


def test_a_wrong_passphrase_signs_nothing_and_is_logged(
    desk: Desk, mask: Path, user: User
) -> None:
    with pytest.raises(PassphraseError):
        sign_mask(desk, mask, "authored", NAME, lambda: WORDS + "x")
    (event,) = _events(desk, "sign.")
    assert (event["event"], event["outcome"]) == ("sign.fail", 8)
    assert event["detail"] == {"cause": "identity"}
    assert not (desk.audit_root / "signatures").exists()


@pytest.mark.parametrize("meaning", ["reviewed", "approved"])
def test_its_author_cannot_review_or_approve_it(
    desk: Desk, mask: Path, user: User, meaning: str
) -> None:
    with pytest.raises(RefusedError, match=f"'{meaning}' needs somebody else"):
        sign_mask(desk, mask, meaning, NAME, _ask)
    (event,) = _events(desk, "sign.")
    assert (event["event"], event["detail"]) == ("sign.fail", {"cause": "review"})


def test_who_signed_as_an_author_is_one(desk: Desk, mask: Path, colleague: User) -> None:
    sign_mask(desk, mask, "authored", NAME, _ask)
    with pytest.raises(RefusedError, match="You are the author"):
        sign_mask(desk, mask, "approved", NAME, _ask)


def test_who_is_no_author_may_approve_it(desk: Desk, mask: Path, colleague: User) -> None:
    signed = sign_mask(desk, mask, "approved", NAME, _ask)
    assert (signed.said.meaning, signed.said.user) == ("approved", colleague.user)


def test_without_a_key_it_is_said_how_to_make_one(desk: Desk, mask: Path) -> None:
    with pytest.raises(InputError, match="signing key of yours was expected") as caught:
        sign_mask(desk, mask, "authored", NAME, _ask)
    assert "medlabel sign key" in caught.value.hint


def test_a_key_is_found_under_an_older_token(desk: Desk, mask: Path, user: User) -> None:
    rotate_token_key(desk.state)
    assert sign_mask(desk, mask, "authored", NAME, _ask).said.user == user.user


def test_a_mask_that_the_log_does_not_know_is_not_signed(
    desk: Desk, mask: Path, user: User, tmp_path: Path
) -> None:
    (tmp_path / "other" / "writers").mkdir(parents=True)
    with pytest.raises(InputError, match="say when this mask was saved"):
        sign_mask(replace(desk, audit_root=tmp_path / "other"), mask, "authored", NAME, _ask)


def test_a_mask_that_was_changed_is_not_signed(desk: Desk, session: Session) -> None:
    _paint(session, 1)
    before = session.place.mask.read_bytes()
    _paint(session, 2)
    session.place.mask.write_bytes(before)
    with pytest.raises(InputError, match="changed since it was saved"):
        saved_content(session.place.mask)


def test_a_file_without_a_sidecar_is_not_signed(scan: Path) -> None:
    with pytest.raises(InputError, match="sidecar"):
        saved_content(scan)


def test_a_log_that_fails_leaves_no_signature_that_counts(
    desk: Desk, mask: Path, user: User
) -> None:
    class Dead:
        def append(self, *_: object, **__: object) -> None:
            raise LogError("dead")

    with pytest.raises(LogError):
        sign_mask(replace(desk, log=Dead()), mask, "authored", NAME, _ask)
    (found,) = signatures_of(desk.audit_root, mask, _site(user)).found
    assert found.standing == "unlogged"


def test_signatures_are_told_apart_by_how_they_stand(
    desk: Desk, mask: Path, user: User
) -> None:
    signed = sign_mask(desk, mask, "authored", NAME, _ask)
    (event,) = _events(desk, "sign.")
    at_ms = max(time_ms(signed.said.time), time_ms(event["time"]))

    def standing(*users: User) -> str:
        (found,) = signatures_of(desk.audit_root, mask, _site(*users)).found
        return found.standing

    assert standing(user) == "good"
    assert standing(replace(user, revoked_ms=at_ms + 1)) == "good"
    assert standing(replace(user, revoked_ms=at_ms)) == "revoked"
    assert standing(replace(user, public=b"x" * 32)) == "unregistered"
    assert standing() == "unregistered"
    (found,) = signatures_of(desk.audit_root, mask, None).found
    assert found.standing == "unregistered"


def test_signatures_are_of_the_mask_as_it_is_now(
    desk: Desk, session: Session, user: User
) -> None:
    _paint(session, 1)
    sign_mask(desk, session.place.mask, "authored", NAME, _ask)
    _paint(session, 2)
    found = signatures_of(desk.audit_root, session.place.mask, _site(user))
    assert found.found == ()
    assert found.broken == 0


def test_a_changed_statement_is_counted(desk: Desk, mask: Path, user: User) -> None:
    signed = sign_mask(desk, mask, "authored", NAME, _ask)
    path = statement_path(desk.audit_root, signed.digest)
    path.write_bytes(path.read_bytes().replace(b"Jane", b"Joan"))
    found = signatures_of(desk.audit_root, mask, _site(user))
    assert (found.found, found.broken) == ((), 1)
