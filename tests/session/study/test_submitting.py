"""Submitting: rules first, then files and log, once, whatever breaks in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.format.event import ObjectRef
from napari_medlabel.errors import InputError, LogError, RefusedError, SaveError
from napari_medlabel.project.cases.version import read_answers, read_version, whole_versions
from napari_medlabel.project.cases.versions import Labelled
from napari_medlabel.project.work.claims import read_claim
from napari_medlabel.project.work.notes import WorkNotes, write_notes
from napari_medlabel.session import outbox
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.saving import save
from napari_medlabel.session.study import seat as seats
from napari_medlabel.session.study import submitting
from napari_medlabel.session.study.folders import is_closed
from napari_medlabel.session.study.opening import open_to_look, open_to_work
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.settling import settle
from napari_medlabel.session.study.submitting import (
    ComplaintsError,
    Submission,
    open_work,
    submit,
)
from napari_medlabel.session.study.working import resume, start, withdraw
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1)
    start(made.seat("r01"), made.cases[0], "A")
    yield made
    made.close()


def submits(study: SmallStudy) -> list[tuple[int, int]]:
    """Return step and version of every submission in the log."""
    steps = study.seat("m1").reader.read()
    return [(one.number, one.version) for one in steps if one.action == "submit"]


def test_a_submission_is_a_version_pinned_to_rules_and_a_step(study: SmallStudy) -> None:
    seat, case = study.seat("r01"), study.cases[0]
    done = submit(seat, case, "A", study.scan(), study.work(1))
    now = look(seat, case, "A").now
    assert (now.state, now.version, now.rounds, now.active_s) == ("submitted", 1, 1, 60)
    assert (now.content, now.ontology) == (done.version.content, done.version.pins.ontology)
    assert now.maker in seat.users
    assert read_answers(study.layout, done.version) == {"clear": True}
    assert read_claim(study.layout, case, "A") is None
    assert study.is_sound()


def test_the_same_submitted_again_is_recognised(study: SmallStudy) -> None:
    case = study.cases[0]
    assert submit(study.seat("r01"), case, "A", study.scan(), study.work(1)).is_new
    assert not submit(study.again("r01"), case, "A", study.scan(), study.work(1)).is_new
    assert submits(study) == [(2, 1)]
    with pytest.raises(RefusedError, match="submitted cannot be submitted"):
        submit(study.seat("r01"), case, "A", study.scan(), study.work(2))
    assert whole_versions(study.layout, "r01", case) == (1,)


def test_after_a_withdrawal_the_same_mask_needs_no_second_file(study: SmallStudy) -> None:
    seat, case = study.seat("r01"), study.cases[0]
    submit(seat, case, "A", study.scan(), study.work(1))
    withdraw(seat, case, "A")
    submit(seat, case, "A", study.scan(), study.work(1))
    withdraw(seat, case, "A")
    submit(seat, case, "A", study.scan(), study.work(2))
    assert submits(study) == [(2, 1), (4, 1), (6, 2)]


def test_what_is_amiss_is_refused_without_a_reason(study: SmallStudy) -> None:
    seat, case, work = study.seat("r01"), study.cases[0], study.work(1)
    unseen = replace(work.notes, shown=frozenset({0}))
    half = Submission(work.labelled, unseen)
    with pytest.raises(ComplaintsError, match="never shown") as caught:
        submit(seat, case, "A", study.scan(), half)
    assert [one.rule for one in caught.value.complaints] == ["unseen"]
    bare = Submission(Labelled(work.labelled.labels), WorkNotes())
    with pytest.raises(ComplaintsError, match="Spleen is empty"):
        submit(seat, case, "A", study.scan(), bare, reason="OTHER")
    assert look(seat, case, "A").now.state == "in_progress"
    done = submit(seat, case, "A", study.scan(), half, reason="PROTOCOL")
    assert [one.rule for one in done.complaints] == ["unseen"]
    assert look(seat, case, "A").now.reason == "PROTOCOL"


@pytest.mark.parametrize("broken", ["before the files", "between files and log", "after"])
def test_a_crash_is_made_good_once(
    study: SmallStudy, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, case = study.seat("r01"), study.cases[0]

    class Killed(BaseException):
        """As by a signal: nothing is tidied up."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if broken == "before the files":
            patch.setattr(submitting, "write_version", die)
        elif broken == "between files and log":
            patch.setattr(seats.Outbox, "deliver", die)
        else:
            patch.setattr(submitting.claims, "give_back", die)
        with pytest.raises(Killed):
            submit(seat, case, "A", study.scan(), study.work(1))
    for _ in range(2):
        submit(study.again("r01"), case, "A", study.scan(), study.work(1))
    assert read_claim(study.layout, case, "A") is None
    assert submits(study) == [(2, 1)]
    assert whole_versions(study.layout, "r01", case) == (1,)
    assert study.is_sound()


def test_what_a_crash_left_is_told_by_the_next_action_of_any_kind(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, case = study.seat("r01"), study.cases[0]

    def fail(*_: object) -> None:
        raise LogError("No.", hint="Wait.")

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "tell", fail)
        with pytest.raises(LogError):
            submit(seat, case, "A", study.scan(), study.work(1))
    assert submits(study) == []
    with pytest.raises(RefusedError, match="this one is submitted"):
        open_to_work(study.again("r01"), case, "A")
    assert submits(study) == [(2, 1)]
    assert read_claim(study.layout, case, "A") is None
    with pytest.raises(RefusedError, match="submitted cannot be begun"):
        start(study.seat("r01"), case, "A")


def test_files_that_cannot_be_written_leave_nothing(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, case = study.seat("r01"), study.cases[0]

    def fail(*_: object, **__: object) -> None:
        raise SaveError("Full.", hint="Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(submitting, "write_version", fail)
        with pytest.raises(SaveError):
            submit(seat, case, "A", study.scan(), study.work(1))
    assert not list((study.tmp / "pc-r01" / "study").rglob("*.json"))
    assert submits(study) == []


def test_only_its_annotator_submits_a_reading(study: SmallStudy) -> None:
    case = study.cases[0]
    with pytest.raises(RefusedError, match="somebody else's"):
        submit(study.seat("r02"), case, "A", study.scan(), study.work(1))
    with pytest.raises(RefusedError, match="todo cannot be submitted"):
        submit(study.seat("r02"), case, "B", study.scan(), study.work(1))
    with pytest.raises(RefusedError, match="role annotator"):
        submit(study.seat("r04"), case, "A", study.scan(), study.work(1))


def test_provenance_is_counted_in_the_log(study: SmallStudy) -> None:
    seat, case, work = study.seat("r01"), study.cases[0], study.work(1)
    origins = (work.labelled.labels.array == 1).astype(np.uint8)
    labelled = replace(work.labelled, provenance=origins)
    submit(seat, case, "A", study.scan(), Submission(labelled, work.notes))
    assert not submit(seat, case, "A", study.scan(), Submission(labelled, work.notes)).is_new
    step = next(one for one in seat.reader.read() if one.action == "submit")
    assert step.detail is not None
    assert (step.detail["human"], step.detail["interpolated"]) == (8, 0)
    assert step.detail["slices_shown"] == step.detail["slices"] == 6


def test_a_reading_opens_as_a_session_and_is_read_only_once_submitted(
    study: SmallStudy,
) -> None:
    seat, case = study.seat("r01"), study.cases[0]
    opening = open_to_work(seat, case, "A")
    assert (opening.title, opening.can_submit) == ("sub-001_ct A", True)
    session = open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
    assert session.place.case == look(seat, case, "A").record.content
    assert session.labels.scheme.values == (1, 2)
    block = np.ones((2, 2, 1), np.uint8)
    session.edit((slice(0, 2), slice(0, 2), slice(0, 1)), block, name="Square")
    save(session)
    session.close()
    folder = study.layout.work("r01", case)
    absent = frozenset({"spleen"})
    write_notes(folder, WorkNotes(3.0, absent=absent, answers={"clear": False}))
    submission = open_work(study.layout, "r01", case, study.scan())
    submit(seat, case, "A", study.scan(), submission)
    assert is_closed(folder)
    with pytest.raises(RefusedError, match="this one is submitted"):
        open_to_work(seat, case, "A")
    shown = open_to_look(seat, case, "A")
    assert shown.wishes.folder is not None
    assert not shown.wishes.folder.is_relative_to(study.layout.root)
    again = open_case(shown.paths, seat.desk, shown.wishes, fallback=study.tmp)
    assert again.labels.content_id() == submission.labelled.labels.content_id()
    again.close()
    withdraw(seat, case, "A")
    open_to_work(seat, case, "A")
    assert not is_closed(folder)


def test_nothing_saved_is_nothing_to_submit(study: SmallStudy) -> None:
    with pytest.raises(InputError, match="Nothing is saved"):
        open_work(study.layout, "r01", study.cases[0], study.scan())


def test_of_two_masks_of_one_reading_an_adjudicator_says_which_counts(
    study: SmallStudy,
) -> None:
    """Two computers whose folders were synchronised only afterwards."""
    seat, case = study.seat("r01"), study.cases[0]
    done = submit(seat, case, "A", study.scan(), study.work(1))
    other = study.work(2).labelled.labels.content_id()
    record = look(seat, case, "A").record
    work = {"case": record.content, "slot": "A", "step": 2, "version": 1}
    refs = [ObjectRef(other, "new", "mask")]
    study.desk("r02").log.append(
        "review.submit", subject=[record.subject], detail=work, objects=refs
    )
    judge = study.seat("m1")
    now = look(judge, case, "A").now
    assert now.state == "conflict"
    assert {one.content for one in now.rivals} == {done.version.content, other}
    with pytest.raises(RefusedError, match="role adjudicator"):
        settle(seat, case, "A", done.version.content)
    with pytest.raises(InputError, match="none of those"):
        settle(judge, case, "A", record.content)
    assert settle(judge, case, "A", done.version.content) == "submitted"
    assert settle(judge, case, "A", done.version.content) == "submitted"
    now = look(judge, case, "A").now
    assert (now.user in seat.users, now.version) == (True, 1)
    with pytest.raises(RefusedError, match="submitted cannot be taken up"):
        resume(judge, case, "A")
    assert read_version(study.layout, "r01", case, 1).content == now.content
