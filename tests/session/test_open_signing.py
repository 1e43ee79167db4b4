"""Signing what is open: only what is saved, only what was shown, and how it stands then."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.audit.format.seal import from_base64
from napari_medlabel.audit.keys.pins import pin_officer
from napari_medlabel.audit.keys.site import User
from napari_medlabel.errors import InputError, RefusedError, SaveError
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.secret.passphrase import PassphraseError
from napari_medlabel.session import open_signing
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.open_signing import (
    Wish,
    look_before_signing,
    require_saved,
    sign_open_mask,
)
from napari_medlabel.session.saving import save
from napari_medlabel.session.signer import make_own_key, own_key, remembered_name
from tests.session.site import found_site
from tests.session.test_outbox import events

WORDS = "correct horse battery"
WISH = Wish("authored", "Dr. Jane Doe", WORDS)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)


def paint(session: Session, value: int) -> None:
    box = (slice(1, 3), slice(2, 4), slice(0, 1))
    session.edit(box, np.full((2, 2, 1), value, np.uint8), name="Square")


@pytest.fixture
def saved(session: Session) -> Session:
    paint(session, 1)
    save(session)
    return session


def name_in_a_site(desk: Desk) -> None:
    key = own_key(desk.state)
    assert key is not None
    found_site(desk, User(key.user, from_base64(key.public, 32)))


def test_what_was_never_saved_is_not_signed(session: Session) -> None:
    with pytest.raises(RefusedError, match="never saved") as caught:
        require_saved(session)
    assert "Save it" in caught.value.hint


def test_unsaved_work_is_not_signed(saved: Session) -> None:
    require_saved(saved)
    paint(saved, 2)
    with pytest.raises(RefusedError, match="unsaved work"):
        require_saved(saved)


def test_labels_that_changed_without_a_word_are_unsaved_work(saved: Session) -> None:
    saved.labels.array[0, 0, 3] = 5
    with pytest.raises(RefusedError, match="unsaved work"):
        require_saved(saved)


def test_the_facts_are_those_of_the_mask_on_the_disk(saved: Session) -> None:
    facts = look_before_signing(saved)
    assert facts.content == saved.saved_mask
    assert facts.content.startswith(f"sha256:{facts.version}")
    assert (len(facts.version), facts.name, facts.has_key) == (12, "", False)


def test_a_mask_that_another_window_saved_is_not_signed(saved: Session) -> None:
    known = saved.saved_mask
    paint(saved, 2)
    save(saved)
    saved.saved_mask = known
    with pytest.raises(InputError, match="another window or program saved it"):
        look_before_signing(saved)


def test_another_mask_than_the_one_shown_is_not_signed(saved: Session) -> None:
    facts = look_before_signing(saved)
    paint(saved, 2)
    save(saved)
    with pytest.raises(InputError, match="another one than the one shown"):
        sign_open_mask(saved, facts.content, WISH)
    assert "sign.apply" not in {one["event"] for one in events(saved.desk)}


def test_the_first_signature_makes_the_key_and_remembers_the_name(saved: Session) -> None:
    facts = look_before_signing(saved)
    done = sign_open_mask(saved, facts.content, WISH)
    assert (done.standing, done.version) == ("unregistered", facts.version)
    assert done.key == own_key(saved.desk.state)
    assert [one["event"] for one in events(saved.desk)][-3:] == [
        "key.create",
        "sign.apply",
        "review.submit",
    ]
    again = look_before_signing(saved)
    assert (again.name, again.has_key) == ("Dr. Jane Doe", True)
    with pytest.raises(PassphraseError):
        sign_open_mask(saved, facts.content, Wish("authored", "Dr. Jane Doe", WORDS + "x"))
    assert events(saved.desk)[-1]["event"] == "sign.fail"
    assert b"Jane" not in b"".join(
        path.read_bytes() for path in saved.desk.audit_root.rglob("*.jsonl")
    )


def test_a_key_that_the_officer_named_makes_it_good(saved: Session) -> None:
    make_own_key(saved.desk, lambda: WORDS)
    name_in_a_site(saved.desk)
    content = look_before_signing(saved).content
    assert sign_open_mask(saved, content, WISH).standing == "good"
    pin_officer(saved.desk.state, "ward-3", b"x" * 32)
    assert sign_open_mask(saved, content, WISH).standing == "unregistered"


def test_a_name_that_cannot_be_kept_does_not_undo_a_signature(
    saved: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise SaveError("The disk is full.")

    monkeypatch.setattr(open_signing, "remember_name", full)
    content = look_before_signing(saved).content
    assert sign_open_mask(saved, content, WISH).signed.said.content == content
    assert remembered_name(saved.desk.state) == ""


def test_a_wish_does_not_show_its_passphrase() -> None:
    assert WORDS not in repr(WISH)
