"""A version of the open case comes back as a step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_medlabel.audit.keys.reasons import read_reason
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.session.case import Session
from napari_medlabel.session.saving import save
from napari_medlabel.session.steps_back import labels_of_version, restore_step, versions_in
from tests.session.site import found_site
from tests.session.test_outbox import events

BOX = (slice(1, 3), slice(2, 4), slice(0, 1))


@pytest.fixture
def two(session: Session) -> Session:
    for value in (1, 2):
        session.edit(BOX, np.full((2, 2, 1), value, np.uint8), name="Square")
        save(session)
    return session


def test_looking_at_the_versions_is_logged(two: Session) -> None:
    versions = versions_in(two)
    assert [one.is_current for one in versions] == [False, True]
    last = events(two.desk)[-1]
    assert (last["event"], last["detail"]) == ("audit.view", {"events": 2, "view": "history"})


def test_a_version_comes_back_as_one_step_that_can_be_undone(two: Session) -> None:
    first = versions_in(two)[0]
    step = restore_step(two, first, reason="PROTOCOL")
    assert step is not None
    assert two.labels.voxel_counts() == {1: 4}
    last = events(two.desk)[-1]
    assert last["event"] == "mask.restore"
    assert last["reason"] == {"code": "PROTOCOL"}
    assert last["object"][1]["id"] == first.id
    # What the log says was replaced is kept from this moment on.
    assert two.versions.state(last["object"][0]["id"]) == "kept"
    two.undo()
    assert two.labels.voxel_counts() == {2: 4}
    two.redo()
    assert save(two).mask.content_id == first.id


def test_the_version_on_the_disk_takes_back_what_was_painted_since(two: Session) -> None:
    two.edit(BOX, np.full((2, 2, 1), 3, np.uint8), name="Square")
    assert restore_step(two, versions_in(two)[1], reason="OTHER") is not None
    assert two.labels.voxel_counts() == {2: 4}


def test_what_is_there_already_is_no_step_and_no_line(two: Session) -> None:
    versions = versions_in(two)
    assert restore_step(two, versions[1], reason="OTHER") is None
    assert "mask.restore" not in {e["event"] for e in events(two.desk)}


def test_a_text_goes_to_the_officer_and_its_commitment_into_the_log(two: Session) -> None:
    officer = found_site(two.desk)
    assert restore_step(two, versions_in(two)[0], reason="OTHER", text="unclear") is not None
    reason = events(two.desk)[-1]["reason"]
    assert read_reason(two.desk.audit_root, reason["ref"], officer) == "unclear"


def test_a_text_that_is_refused_is_no_step(two: Session) -> None:
    first = versions_in(two)[0]
    with pytest.raises(RefusedError, match="no site with an officer"):
        restore_step(two, first, reason="OTHER", text="unclear")
    found_site(two.desk)
    two.volume = replace(two.volume, source=replace(two.volume.source, patient_id="EX-4711"))
    with pytest.raises(RefusedError, match="of the open scan's header"):
        restore_step(two, first, reason="OTHER", text="belongs to 4711")
    with pytest.raises(InputError, match="with the reason OTHER only"):
        restore_step(two, first, reason="PROTOCOL", text="unclear")
    assert two.labels.voxel_counts() == {2: 4}
    assert not (two.desk.audit_root / "reasons").exists()


def test_where_nothing_changes_no_text_is_kept(two: Session) -> None:
    found_site(two.desk)
    assert restore_step(two, versions_in(two)[1], reason="OTHER", text="unclear") is None
    assert not (two.desk.audit_root / "reasons").exists()


def test_a_reason_that_is_no_code_is_refused(two: Session) -> None:
    with pytest.raises(InputError, match="A reason is one of"):
        restore_step(two, versions_in(two)[0], reason="because")


def test_a_version_that_is_not_kept_is_refused(two: Session) -> None:
    gone = replace(versions_in(two)[0], id="sha256:" + "0" * 64)
    with pytest.raises(InputError, match="not kept, or damaged"):
        labels_of_version(two, gone)


def test_values_that_the_mask_cannot_hold_are_refused(
    two: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = np.full(two.labels.array.shape, 700, np.uint16)
    monkeypatch.setattr(two.versions, "read", lambda _name: wide)
    with pytest.raises(InputError, match="values above 255"):
        restore_step(two, versions_in(two)[0], reason="OTHER")
