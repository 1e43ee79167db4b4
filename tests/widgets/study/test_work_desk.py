"""The work on a study at the dock, without a window: steps, notes, clock, claim, blindness."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QCoreApplication, QEvent, Qt
from qtpy.QtWidgets import QMessageBox

from napari_medlabel.errors import RefusedError
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.cases.record import read_record
from napari_medlabel.project.work.claims import holder
from napari_medlabel.project.work.notes import WorkNotes, read_notes, write_notes
from napari_medlabel.session.steps_back import versions_in
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start, take_over, withdraw
from napari_medlabel.widgets.case_log import look_at
from napari_medlabel.widgets.dock import MedlabelDock
from napari_medlabel.widgets.study.study_desk import StudyDesk, take_seat
from tests.session.study.small_study import SmallStudy, make_study

Wait = Callable[[Callable[[], object]], None]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    """Give a study of six cases, read twice; r02 has read the first."""
    made = make_study(tmp_path_factory.mktemp("work"), cases=6, people=("m1", "r01", "r02"))
    start(made.seat("r02"), made.cases[0], "A")
    submit(made.seat("r02"), made.cases[0], "A", made.scan(), made.work(1, 2, place=4))
    yield made
    made.close()


@pytest.fixture
def dock(
    qtbot: QtBot, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MedlabelDock]:
    # Asking for a theme starts napari's plugins, which only a window does twice.
    monkeypatch.setattr("napari_medlabel.widgets.sight.look_desk.has_room", lambda: False)
    monkeypatch.setattr(
        "napari_medlabel.widgets.closing.ask_to_save",
        lambda _parent: QMessageBox.StandardButton.Save,
    )
    study.close()
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-r01"))
    made = MedlabelDock(ViewerModel(title="napari-medlabel"))
    qtbot.addWidget(made)
    assert made.study_desk.take([study.layout.own]), "its medlabel folder is the study, too"
    qtbot.waitUntil(lambda: made.study_desk.work.listing is not None)
    yield made
    made.desk.leave(discard=True)
    quiet(qtbot, made)
    made.study_desk.release()
    WORKPLACE.close()


def quiet(qtbot: QtBot, dock: MedlabelDock) -> None:
    work = dock.study_desk.work
    parts = (work._doer, work._reader, work.keeper._asker, work.keeper._writer)
    qtbot.waitUntil(lambda: not any(part.is_busy for part in parts), timeout=10_000)


def begin(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy, number: int = 0, slot: str = "B"
) -> StudyDesk:
    """Open a reading as r01, and return the desk."""
    desk = dock.study_desk
    start(desk.seat, study.cases[number], slot)
    assert desk.open_reading("work", study.cases[number], slot)
    qtbot.waitUntil(lambda: desk.work.notes is not None, timeout=10_000)
    return desk


def test_notes_follow_the_work_and_go_on_when_it_is_opened_again(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy
) -> None:
    desk = begin(qtbot, dock, study)
    work, keeper, reading = desk.work, desk.work.keeper, desk.reading
    folder, told = reading.session.place.folder, []
    now = [100.0]
    keeper.watch._now = lambda: now[0]
    keeper.watch.clock = replace(keeper.watch.clock, counted_s=0.0, moved_s=None)
    work.notes_changed.connect(lambda: told.append(work.notes))
    assert work.notes.shown == {2}, "the slice that was shown first"
    dock.viewer.dims.set_current_step(0, 4)
    assert work.notes.shown == {2, 4}
    assert not told, "time and slices do not tell"
    dock.desk.show_plane("Coronal")
    dock.sight_desk.views.go_to_voxel((3, 3, 1))
    assert work.notes.shown == {2, 4}, "in another plane no slice is seen whole"
    now[0] += 90
    assert work.notes.active_s == pytest.approx(90)
    now[0] += 600
    assert work.notes.active_s == pytest.approx(120), "the clock stops after two minutes"
    assert not keeper.watch.is_running
    work.put_answers({"clear": True})
    assert keeper.watch.is_running
    now[0] += 5
    keeper.watch._on_application(Qt.ApplicationState.ApplicationInactive)
    now[0] += 50
    assert work.notes.active_s == pytest.approx(125), "nor does it count with another in front"
    work.put_absent({"spleen"})
    work.put_absent({"spleen"})
    assert [one.answers for one in told] == [{"clear": True}] * 2
    qtbot.waitUntil(lambda: read_notes(folder).answers == {"clear": True})
    dock.desk.close_case()
    kept = read_notes(folder)
    assert (kept.absent, kept.shown, kept.rounds) == ({"spleen"}, {2, 4}, 0)
    assert holder(study.layout, reading.case, "B").rater == "r01", "the claim is kept"
    assert (desk.reading, work.notes, work.list.isVisibleTo(work.panel)) == (None, None, True)
    quiet(qtbot, dock)
    work.begin_next()
    qtbot.waitUntil(lambda: work.notes is not None, timeout=10_000)
    assert desk.reading.title == "sub-001_ct B", "what was begun comes first"
    assert work.notes.active_s == pytest.approx(kept.active_s, abs=1)
    assert work.notes.shown >= {2, 4}


def test_a_key_and_a_click_in_a_view_are_moves(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy
) -> None:
    watch = begin(qtbot, dock, study).work.keeper.watch
    watch.leave()
    watch.eventFilter(None, QEvent(QEvent.Type.MouseMove))
    assert not watch.is_running, "the mouse that passes over is none"
    watch.eventFilter(None, QEvent(QEvent.Type.KeyPress))
    assert watch.is_running
    watch.leave()
    dock.session.edit(
        (slice(1, 2),) * 3, dock.session.labels.array[1:2, 1:2, 1:2] + 1, name="Edit"
    )
    assert watch.is_running, "a stroke is one"
    dock.session.undo()


def test_a_new_round_counts_its_own_time(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy
) -> None:
    case = study.cases[5]
    desk = dock.study_desk
    start(desk.seat, case, "B")
    submit(desk.seat, case, "B", study.scan(5), study.work(1, number=5))
    withdraw(desk.seat, case, "B")
    folder = study.layout.work("r01", case)
    write_notes(folder, WorkNotes(60.0, frozenset({1}), answers={"clear": True}))
    desk.work.refresh()
    quiet(qtbot, dock)
    line = next(one for one in desk.work.listing.lines if one.case == case)
    desk.work.step("open", line)
    qtbot.waitUntil(lambda: desk.work.notes is not None, timeout=10_000)
    assert desk.work.notes.active_s < 50, "60 s were told with the first submission"
    assert desk.work.notes.rounds == 1
    assert desk.work.notes.answers == {"clear": True}


def test_steps_of_the_list_land_in_the_log_and_refusals_in_the_dock(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy
) -> None:
    work, seat = dock.study_desk.work, dock.study_desk.seat
    line = next(one for one in work.listing.lines if one.case == study.cases[3])
    start(seat, line.case, "A")
    for step, state, words in (
        ("skip", "skipped", "sub-004_ct A is skipped."),
        ("resume", "todo", "sub-004_ct A is to do again."),
        ("problem", "problem", "sub-004_ct A is raised as a problem."),
    ):
        work.step(step, line, "OTHER")
        quiet(qtbot, dock)
        assert work.notice.text.text() == words, dock.notice.text.text()
        assert look(seat, line.case, "A").now.state == state
    quiet(qtbot, dock)
    left = {(one.case, one.slot): one.can for one in work.listing.lines}
    assert left[line.case, "A"] == ("resume",), "who raised it may take it up again"
    work.step("confirm", line)
    quiet(qtbot, dock)
    assert "cannot be confirmed" in dock.notice.text.text()


def test_what_needs_a_save_waits_for_the_save_that_is_under_way(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy
) -> None:
    desk = begin(qtbot, dock, study, 2, "A")
    panel = desk.work.complaints
    desk.work.put_answers({"clear": True})
    dock.session.labels.array[1, 1, 1] = 1
    dock.session.reconcile()
    dock.session.undo()
    dock.desk.save()
    assert dock.desk.background.is_busy
    desk.work.submitting.submit()
    qtbot.waitUntil(lambda: panel.isVisibleTo(desk.work.panel), timeout=10_000)
    assert desk.work.notice.isHidden(), "it was not told to try again"
    assert panel.table.item(0, 1).text() == "Nothing is drawn of 2 labels: Liver, Spleen."
    panel.absent_button.click()
    quiet(qtbot, dock)
    qtbot.waitUntil(panel.absent_button.isHidden, timeout=10_000)
    assert desk.work.notes.absent == {"liver", "spleen"}
    assert all(not one.blocks for one in panel._complaints)


def test_a_scan_from_elsewhere_replaces_no_reading_without_a_question(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = begin(qtbot, dock, study, 2, "A")
    session = dock.session
    session.edit((slice(1, 2),) * 3, session.labels.array[1:2, 1:2, 1:2] + 1, name="Edit")
    answers = [QMessageBox.StandardButton.Save, QMessageBox.StandardButton.Cancel]
    ask = "napari_medlabel.widgets.closing.ask_to_save"
    monkeypatch.setattr(ask, lambda _parent: answers.pop())
    dock.desk.open_paths([study.layout.scan(study.cases[5])])
    assert desk.reading is not None
    assert dock.session is session
    dock.desk.open_paths([study.layout.scan(study.cases[5])])
    qtbot.waitUntil(lambda: dock.session not in (None, session), timeout=10_000)
    assert not session.is_dirty
    assert desk.reading is None
    assert len(dock.viewer.layers) == len(dock.desk.binding.layers), "none is left over it"


def test_a_problem_is_raised_from_the_open_case_with_the_work_saved(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy
) -> None:
    desk = begin(qtbot, dock, study, 4, "A")
    mask = dock.session.place.mask
    dock.session.edit(
        (slice(1, 2),) * 3, dock.session.labels.array[1:2, 1:2, 1:2] + 1, name="Edit"
    )
    saves = []
    dock.session.saved.connect(saves.append)
    desk.guide.problem_requested.emit("PROTOCOL")
    qtbot.waitUntil(lambda: dock.session is None, timeout=10_000)
    quiet(qtbot, dock)
    assert mask.is_file(), "it is saved first"
    assert len(saves) == 1, "one desk answers, not two"
    now = look(desk.seat, study.cases[4], "A").now
    assert (now.state, now.reason) == ("problem", "PROTOCOL")
    here = read_record(study.layout.case_file(study.cases[4])).content
    told = [
        step
        for step in desk.seat.reader.read()
        if (step.action, step.case) == ("problem", here)
    ]
    assert len(told) == 1


def test_who_lost_the_reading_is_told_and_submits_nothing(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = begin(qtbot, dock, study, 1, "A")
    keeper = desk.work.keeper
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-r02"))
    other = study.seat("r02")
    late = replace(other.desk, now=lambda: other.desk.now() + timedelta(hours=13))
    take_over(replace(other, desk=late), study.cases[1], "A")
    keeper.keep_alive()
    qtbot.waitUntil(lambda: keeper.is_lost)
    assert "stays saved" in dock.notice.text.text()
    assert not desk.work.bar.submit_button.isEnabled()
    desk.work.submitting.submit("OTHER")
    assert not desk.work.is_busy
    dock.session.edit(
        (slice(1, 2),) * 3, dock.session.labels.array[1:2, 1:2, 1:2] + 1, name="Edit"
    )
    assert dock.desk.save_now(), "the work can still be saved"


def test_nothing_on_the_screen_names_another_reading(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy
) -> None:
    desk = dock.study_desk
    assert desk.open_reading("look", study.cases[0], "A") is False, "blind until submitted"
    assert "blind" in dock.notice.text.text()
    begin(qtbot, dock, study)
    desk, reading = dock.study_desk, dock.study_desk.reading
    title = f"{reading.case} {reading.slot}"
    assert dock.viewer.title == f"{title} - napari-medlabel"
    assert desk.work.bar.title.text() == title
    said = [
        dock.viewer.title,
        *(f"{la.name} {la.metadata} {la.source}" for la in dock.viewer.layers),
    ]
    assert not any(word in text for text in said for word in ("r01", "r02", os.sep + "study"))
    seat = desk.seat
    assert dock.log_desk.lamp._find() is seat.desk.log, "the lamp is that of the study's log"
    assert WORKPLACE.study is seat
    place = reading.session.place
    seen = look_at(seat.desk, place.subject, place.case, seat)
    assert {one.user for one in seen} <= set(seat.users)
    assert {"study.start", "volume.open"} <= {one.event for one in seen}
    # r02 has submitted the other reading of this very scan: its mask is no version of ours.
    assert versions_in(reading.session, seat.users) == ()


def test_one_scan_opens_at_a_time_and_leaving_the_study_asks_for_the_work(
    qtbot: QtBot, dock: MedlabelDock, study: SmallStudy
) -> None:
    desk = begin(qtbot, dock, study)
    first = desk.reading.case
    dock.desk.open_paths([study.layout.scan(study.cases[2])])
    assert not desk.open_reading("work", first, desk.reading.slot), "another one is on its way"
    qtbot.waitUntil(lambda: desk.reading is None, timeout=10_000)
    qtbot.waitUntil(lambda: dock.session is not None, timeout=10_000)
    assert dock.viewer.title == "napari-medlabel"
    assert dock.log_desk.lamp._find() is WORKPLACE.log, "that scan is none of the study's"
    dock.desk.close_case()
    quiet(qtbot, dock)
    QCoreApplication.processEvents()
    assert desk.close_study()
    assert desk.seat is None
    assert not desk.work.panel.isVisibleTo(dock)
    assert dock.start.isVisibleTo(dock)


def test_a_seat_is_refused_to_strangers_and_the_log_ends(
    study: SmallStudy, dock: MedlabelDock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "a-stranger"))
    before = set(study.layout.audit.rglob("*.jsonl"))
    with pytest.raises(RefusedError, match="not on the list"):
        take_seat(study.layout.root)
    (made,) = set(study.layout.audit.rglob("*.jsonl")) - before
    assert '"session.close"' in made.read_text()
    assert not dock.study_desk.take([study.layout.root / "sub-001"]), "a scan of it is a scan"
    assert not dock.study_desk.open_study(tmp_path)
    assert "no study folder" in dock.notice.text.text()
    assert dock.study_desk.seat is not None, "who sits at another one stays there"
