"""Review: submitted, approved by somebody else, changed after that, sent back, unlocked."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.report.facts import Facts
from napari_medlabel.audit.report.gather import facts_of
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.session.case import Session
from napari_medlabel.session.deleting import delete_mask
from napari_medlabel.session.desk import Desk, open_desk
from napari_medlabel.session.restoring import choose_version, history_of, restore
from napari_medlabel.session.reviewing import decide, is_approved
from napari_medlabel.session.saved_mask import find_mask
from napari_medlabel.session.saving import save
from napari_medlabel.session.signer import make_own_key
from napari_medlabel.session.signing import sign_mask
from tests.session.test_outbox import events

WORDS = "correct horse battery"
Act = Callable[[Callable[[Desk], object]], None]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)


@pytest.fixture
def colleague(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Act:
    """Return a function that lets another account act, in a session of its own."""

    def act(what: Callable[[Desk], object]) -> None:
        with monkeypatch.context() as other:
            for place in ("session.signing", "audit.writer.place"):
                name = f"napari_medlabel.{place}.account_name"
                other.setattr(name, lambda: "colleague")
            theirs = open_desk(desk.audit_root, state=desk.state, role="reviewer")
            try:
                what(theirs)
            finally:
                theirs.log.close()

    return act


def _paint(session: Session, rows: int, value: int) -> Path:
    box = (slice(0, rows), slice(2, 6), slice(0, 1))
    session.edit(box, np.full((rows, 4, 1), value, np.uint8), name="Square")
    save(session)
    return session.place.mask


def _sign(desk: Desk, mask: Path, meaning: str) -> None:
    make_own_key(desk, lambda: WORDS)
    sign_mask(desk, mask, meaning, "A. Muster", lambda: WORDS)


def _facts(desk: Desk) -> Facts:
    now_ms = int(time.time() * 1000)
    return facts_of(desk.audit_root, state=desk.state, now_ms=now_ms)


def _reviews(desk: Desk) -> list[dict]:
    return [one for one in events(desk) if one["event"].startswith("review.")]


@pytest.fixture
def approved(session: Session, colleague: Act) -> Session:
    mask = _paint(session, 4, 1)
    _sign(session.desk, mask, "authored")
    colleague(lambda desk: _sign(desk, mask, "approved"))
    return session


def test_a_change_after_approval_reaches_the_officers_page(approved: Session) -> None:
    content = approved.saved_mask
    submitted, given = sorted(_reviews(approved.desk), key=lambda one: one["time"])
    assert (submitted["event"], given["event"]) == ("review.submit", "review.approve")
    assert submitted["actor"]["user"] != given["actor"]["user"]
    for one in (submitted, given):
        assert one["object"] == [{"id": content, "role": "new", "type": "mask"}]
        assert one["detail"] == {"case": approved.place.case}
        assert one["subject"] == [approved.place.subject]
    assert _facts(approved.desk).late_changes == ()
    _paint(approved, 2, 0)
    (late,) = _facts(approved.desk).late_changes
    assert (late.event, late.user) == ("mask.save", submitted["actor"]["user"])
    assert (late.before, late.after, late.voxels_removed) == (16, 8, 8)
    assert len(late.thumbnails) == 1
    assert (late.reason, late.reapproved) == ("", False)


def test_an_unlocked_case_tells_its_reason_with_the_change(
    approved: Session, colleague: Act
) -> None:
    desk, mask = approved.desk, approved.place.mask
    assert is_approved(desk.audit_root, approved.place.case)
    colleague(lambda other: decide(other, mask, "review.unlock", reason="PROTOCOL"))
    assert not is_approved(desk.audit_root, approved.place.case)
    _paint(approved, 2, 0)
    (late,) = _facts(desk).late_changes
    assert late.reason == "PROTOCOL"


def test_a_reviewer_sends_a_mask_back(session: Session, colleague: Act) -> None:
    mask = _paint(session, 4, 1)
    colleague(lambda desk: decide(desk, mask, "review.reject", reason="QA_FEEDBACK"))
    (event,) = _reviews(session.desk)
    assert (event["event"], event["reason"]) == ("review.reject", {"code": "QA_FEEDBACK"})
    assert event["object"][0]["id"] == session.saved_mask


def test_its_author_does_not_send_it_back(session: Session) -> None:
    mask = _paint(session, 4, 1)
    with pytest.raises(RefusedError, match="a review needs somebody else"):
        decide(session.desk, mask, "review.reject", reason="OTHER")
    assert _reviews(session.desk) == []


def test_what_nobody_approved_is_not_unlocked(session: Session) -> None:
    mask = _paint(session, 4, 1)
    with pytest.raises(RefusedError, match="no approval that stands"):
        decide(session.desk, mask, "review.unlock", reason="OTHER")


def test_a_deleted_mask_is_kept_logged_and_comes_back(approved: Session) -> None:
    desk, folder = approved.desk, approved.place.folder
    before = approved.place.mask.read_bytes()
    mask = find_mask(folder)
    versions = history_of(mask, desk.audit_root, desk.objects, desk.state)
    content = delete_mask(desk, mask, versions, reason="WRONG_PATIENT")
    assert content == approved.saved_mask
    names = {path.name for path in folder.iterdir()}
    assert names & {"mask.nii.gz", "mask.json", "mask.deleted.json"} == {"mask.deleted.json"}
    (event,) = [one for one in events(desk) if one["event"] == "mask.delete"]
    assert event["object"] == [{"id": content, "role": "old", "type": "mask"}]
    assert event["detail"] == {"labels": [1], "voxels": 16, "case": approved.place.case}
    (late,) = _facts(desk).late_changes
    assert (late.event, late.before, late.after) == ("mask.delete", 16, 0)
    gone = find_mask(folder)
    with pytest.raises(InputError, match="none on the disk"):
        delete_mask(desk, gone, versions, reason="OTHER")
    versions = history_of(gone, desk.audit_root, desk.objects, desk.state)
    restore(desk, gone, choose_version(versions, "1"), reason="CORRECTION")
    assert approved.place.mask.read_bytes() == before
    assert find_mask(folder).present == content
    assert not (folder / "mask.deleted.json").exists()


def test_a_mask_with_unsaved_work_on_it_is_not_deleted(session: Session) -> None:
    mask = _paint(session, 4, 1)
    session.labels.array[0, 0, 3] = 5
    session.keeper.sweep()
    with pytest.raises(RefusedError, match="open in a running program"):
        delete_mask(session.desk, find_mask(mask), (), reason="OTHER")
    assert mask.is_file()


def test_a_damaged_mask_is_deleted_by_its_bytes(session: Session) -> None:
    mask = _paint(session, 4, 1)
    mask.write_bytes(b"not a mask")
    delete_mask(session.desk, find_mask(mask), (), reason="OTHER")
    (event,) = [one for one in events(session.desk) if one["event"] == "mask.delete"]
    assert event["detail"] == {"case": session.place.case}
    kept = [path.read_bytes() for path in session.desk.objects.rglob("*.nii.gz")]
    assert b"not a mask" in kept
