"""Review at the dock, without a window: corrections, signatures, unlocking, quick looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QMessageBox

from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.cases.version import read_provenance, read_version
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.session.signer import make_own_key
from napari_medlabel.session.study.reviewing import begin_review
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from napari_medlabel.widgets.dock import MedlabelDock
from napari_medlabel.widgets.study.review_rows import Mark
from napari_medlabel.widgets.study.study_desk import StudyDesk
from tests.session.study.small_study import SmallStudy, make_study

BOX = (slice(0, 2), slice(0, 2), slice(0, 1))
Sit = Callable[[str], StudyDesk]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    """Give a study of six cases that r01 has read."""
    people = ("m1", "r01", "r03", "r04")
    made = make_study(tmp_path_factory.mktemp("review"), cases=6, readings=1, people=people)
    seat = made.seat("r01")
    for number, case in enumerate(made.cases):
        start(seat, case, "A")
        submit(seat, case, "A", made.scan(number), made.work(1, 2, number=number))
    made.close()
    yield made
    made.close()


@pytest.fixture
def sit(qtbot: QtBot, study: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sit]:
    """Give a function that lets somebody sit down at the one dock."""
    # Asking for a theme starts napari's plugins, which only a window does twice.
    monkeypatch.setattr("napari_medlabel.widgets.sight.look_desk.has_room", lambda: False)
    monkeypatch.setattr(
        "napari_medlabel.widgets.closing.ask_to_save",
        lambda _parent: QMessageBox.StandardButton.Save,
    )
    docks: list[MedlabelDock] = []

    def seat(code: str) -> StudyDesk:
        study.close()
        monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / f"pc-{code}"))
        if not docks:
            docks.append(MedlabelDock(ViewerModel(title="napari-medlabel")))
            qtbot.addWidget(docks[0])
        assert docks[0].study_desk.open_study(study.layout.root)
        return docks[0].study_desk

    yield seat
    desk = docks[0].study_desk
    docks[0].desk.leave(discard=True)
    quiet(qtbot, desk)
    desk.close_study()
    quiet(qtbot, desk)
    WORKPLACE.close()


def quiet(qtbot: QtBot, desk: StudyDesk) -> None:
    work, review = desk.work, desk.review
    parts = (
        *(work._doer, work._reader, work.keeper._asker, work.keeper._writer),
        *(review.threads._background, review.quick._background),
        *(review.decisions._background, review.decisions._comparing),
    )
    qtbot.waitUntil(lambda: not any(part.is_busy for part in parts), timeout=10_000)


def open_review(qtbot: QtBot, desk: StudyDesk, number: int, study: SmallStudy) -> None:
    """Take a reading into review, and open it."""
    begin_review(desk.seat, study.cases[number], "A")
    show(qtbot, desk, "review", number, study)


def show(qtbot: QtBot, desk: StudyDesk, purpose: str, number: int, study: SmallStudy) -> None:
    assert desk.open_reading(purpose, study.cases[number], "A")
    qtbot.waitUntil(lambda: desk.review.decisions.under is not None, timeout=10_000)
    quiet(qtbot, desk)


def closed(qtbot: QtBot, desk: StudyDesk) -> None:
    qtbot.waitUntil(lambda: desk.reading is None, timeout=10_000)


def paint(desk: StudyDesk) -> None:
    desk.reading.session.edit(BOX, np.full((2, 2, 1), 2, np.uint8), name="Square")


def test_a_correction_is_kept_submitted_and_approved_by_another(
    qtbot: QtBot, sit: Sit, study: SmallStudy
) -> None:
    desk, case = sit("r04"), study.cases[0]
    open_review(qtbot, desk, 0, study)
    panel = desk.review.decisions.panel
    paint(desk)
    qtbot.waitUntil(panel.correct_button.isEnabled, timeout=10_000)
    assert panel.table.cellWidget(2, 3).currentText() == "✎ corrected"
    desk.dock.desk.save_now()
    folder = desk.reading.session.place.folder
    desk.dock.desk.close_case()
    # What was saved of the review is there when it is opened again, not what was submitted.
    show(qtbot, desk, "review", 0, study)
    assert desk.reading.session.place.folder == folder
    assert desk.reading.session.labels.array[BOX].min() == 2
    qtbot.waitUntil(panel.correct_button.isEnabled, timeout=10_000)
    desk.review.decisions.approve()
    quiet(qtbot, desk)
    assert "would be approved without that" in desk.dock.notice.text.text()
    assert look(desk.seat, case, "A").now.state == "in_review"
    panel.correct_button.click()
    closed(qtbot, desk)
    now = look(desk.seat, case, "A").now
    assert (now.state, now.version) == ("corrected", 1)
    version = read_version(study.layout, "r04", case, 1)
    origins = read_provenance(study.layout, version, study.scan().grid)
    assert (origins[BOX].min(), origins[2:4, 2:4].max()) == (1, 0)

    desk = sit("r03")
    show(qtbot, desk, "look", 0, study)
    assert panel.isVisibleTo(panel.parentWidget())
    assert not panel.correct_button.isVisibleTo(panel)
    assert not desk.dock.log_button.isEnabled()
    panel.approve_button.click()
    closed(qtbot, desk)
    assert look(desk.seat, case, "A").now.state == "approved"
    show(qtbot, desk, "look", 0, study)
    assert panel.unlock_button.isVisibleTo(panel)
    panel.reason_box.setCurrentIndex(panel.reason_box.findData("PROTOCOL"))
    panel.unlock_button.click()
    closed(qtbot, desk)
    now = look(desk.seat, case, "A").now
    assert (now.state, now.reason) == ("in_progress", "PROTOCOL")
    assert desk.dock.log_button.isEnabled()


def test_a_new_round_does_not_show_what_was_corrected_in_the_last(
    qtbot: QtBot, sit: Sit, study: SmallStudy
) -> None:
    desk, case = sit("r04"), study.cases[1]
    open_review(qtbot, desk, 1, study)
    paint(desk)
    desk.dock.desk.save_now()
    panel = desk.review.decisions.panel
    panel.set_mark(2, Mark("fault", ("missed",), "as on 2019-03-04"))
    panel.reject_button.click()
    quiet(qtbot, desk)
    assert "something like a date" in desk.dock.notice.text.text()
    assert look(desk.seat, case, "A").now.state == "in_review"
    panel.set_mark(2, Mark("fault", ("missed",), "The tip is missing."))
    panel.reject_button.click()
    closed(qtbot, desk)
    now = look(desk.seat, case, "A").now
    assert (now.state, now.returned, now.tags) == ("rejected", (2,), ("missed",))
    study.close()
    author = study.seat("r01")
    start(author, case, "A")
    submit(author, case, "A", study.scan(1), study.work(1, 2, number=1, place=3))
    desk = sit("r04")
    open_review(qtbot, desk, 1, study)
    assert desk.reading.session.labels.array[BOX].max() == 0
    assert desk.reading.session.labels.array[3, 2, 1] == 1
    assert "1 open comment" in panel.despite_box.text()
    # Given back undecided: nobody has decided anything.
    panel.leave_button.click()
    closed(qtbot, desk)
    assert look(desk.seat, case, "A").now.state == "submitted"


def test_who_has_a_key_signs_what_they_approve(
    qtbot: QtBot, sit: Sit, study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)
    desk, case = sit("r03"), study.cases[2]
    make_own_key(desk.seat.desk, lambda: "battery staple")
    open_review(qtbot, desk, 2, study)
    decisions = desk.review.decisions
    decisions.panel.approve_button.click()
    qtbot.waitUntil(lambda: decisions.dialog is not None, timeout=10_000)
    dialog = decisions.dialog
    assert (dialog.meaning.currentData(), dialog.meaning.isEnabled()) == ("approved", False)
    dialog.name.setText("B. Muster")
    for words in ("another one", "battery staple"):
        assert look(desk.seat, case, "A").now.state == "in_review"
        dialog.passphrase.setText(words)
        dialog.sign_button.click()
        quiet(qtbot, desk)
    assert "Signed." in dialog.notice.text.text()
    dialog.reject()
    closed(qtbot, desk)
    assert look(desk.seat, case, "A").now.state == "approved"


def test_one_key_scores_a_sample_and_the_next_case_opens_by_itself(
    qtbot: QtBot, sit: Sit, study: SmallStudy
) -> None:
    desk = sit("r04")
    quick, ended = desk.review.quick, []
    quick.ended.connect(ended.append)
    assert quick.starter.isVisibleTo(desk.work.panel)
    quick.start(2, seed=5)
    qtbot.waitUntil(lambda: desk.reading is not None, timeout=10_000)
    first = desk.reading
    quiet(qtbot, desk)
    assert desk.dock.tabs.currentWidget() is quick.panel.parentWidget()
    assert not quick.starter.isVisibleTo(desk.work.panel)
    # The digits are napari's for its modes; here they score.
    mode = str(first.binding.labels.mode)
    assert first.binding.keys.press("4")
    qtbot.waitUntil(lambda: desk.reading not in (None, first), timeout=10_000)
    assert str(first.binding.labels.mode) == mode
    second = desk.reading
    assert quick.panel.bar.value() == 1
    assert second.binding.keys.press("2")
    qtbot.waitUntil(lambda: bool(ended), timeout=10_000)
    assert desk.dock.session is None
    assert ended[0].scores == {(first.case, "A"): 4, (second.case, "A"): 2}
    words = desk.dock.notice.text.text()
    assert "seed 5; all are scored. 1 of 2 were faulty" in words
    # What is left is drawn again; where it is stopped the digits are napari's again.
    quick.start(4, seed=5)
    qtbot.waitUntil(lambda: desk.reading is not None, timeout=10_000)
    third = desk.reading
    assert not desk.review.decisions.panel.isVisible()
    quick.skip()
    qtbot.waitUntil(lambda: desk.reading not in (None, third), timeout=10_000)
    keys = desk.reading.binding.keys
    assert not keys.is_free("1")
    quick.panel.stop_button.click()
    qtbot.waitUntil(lambda: len(ended) == 2, timeout=10_000)
    assert keys.is_free("1")
    assert not quick.is_on
    assert quick.starter.isVisibleTo(desk.work.panel)
