"""A reading in a real window, from the study's folder to its submission; and a crash."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_medlabel.errors import LogError
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.work.notes import read_notes
from napari_medlabel.session.study.seat import look
from napari_medlabel.widgets.dock import MedlabelDock
from napari_medlabel.widgets.study.study_desk import StudyDesk
from tests.session.study.small_study import SmallStudy, make_study

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    pytest.mark.xdist_group("window"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def wait_for(what: Callable[[], object], seconds: float = 20.0) -> None:
    """Let the window work until something is so."""
    for _ in range(int(seconds * 50)):
        QApplication.processEvents()
        if what():
            return
        QTest.qWait(20)
    pytest.fail("what was waited for did not come")


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    """Give a study of two cases that one person reads."""
    made = make_study(tmp_path, cases=2, readings=1, people=("m1", "r01"))
    made.close()
    yield made
    made.close()


@pytest.fixture
def dock(
    study: SmallStudy, make_napari_viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MedlabelDock]:
    """Give a window in which r01 has chosen the study's folder."""
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-r01"))
    monkeypatch.setattr(
        "napari_medlabel.widgets.closing.ask_to_save",
        lambda _parent: QMessageBox.StandardButton.Discard,
    )
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1100, 900)
    made = MedlabelDock(viewer)
    viewer.window.add_dock_widget(made, name="Annotate", area="right")
    made.start.paths_requested.emit([str(study.layout.root)])
    wait_for(lambda: made.study_desk.work.listing is not None)
    yield made
    made.desk.leave(discard=True)
    made.study_desk.close_study()
    WORKPLACE.close()


def events(study: SmallStudy) -> list[str]:
    """Return what r01 did, the log's own left out."""
    token = next(one.user for one in study.seat("m1").settings.raters if one.code == "r01")
    study.close()
    lines = [
        json.loads(line)
        for path in study.layout.audit.glob("writers/*/*/*/*.jsonl")
        for line in path.read_text().splitlines()
    ]
    own = ("session.", "anchor.", "key.")
    return [
        one["event"]
        for one in lines
        if "event" in one and not one["event"].startswith(own) and one["actor"]["user"] == token
    ]


def open_next(desk: StudyDesk) -> None:
    desk.work.list.next_button.click()
    wait_for(lambda: desk.work.notes is not None)


def paint(desk: StudyDesk) -> None:
    labels = desk.reading.binding.labels
    labels.selected_label = 1
    labels.paint((4, 3, 3), 1)


def test_from_the_list_to_a_submission_over_a_complaint(
    dock: MedlabelDock, study: SmallStudy
) -> None:
    desk, work = dock.study_desk, dock.study_desk.work
    assert not dock.start.isVisible()
    open_next(desk)
    assert work.bar.isVisible()
    assert not work.list.isVisible(), "the list is folded into one line"
    paint(desk)
    work.bar.submit_button.click()
    wait_for(work.complaints.isVisible)
    rules = [one.rule for one in work.complaints._complaints]
    assert rules == ["empty", "answer", "unseen"]
    assert not work.complaints.submit_button.isVisible(), "two of them block"
    work.put_absent({"spleen"})
    work.put_answers({"clear": True})
    dock.desk.show_plane("Sagittal")
    work.complaints.again_button.click()
    wait_for(lambda: len(work.complaints._complaints) == 1 and work.complaints.isEnabled())
    work.complaints.table.cellClicked.emit(0, 1)
    assert dock.desk.plane == "Axial", "the slices that were not shown are axial"
    assert dock.sight_desk.views.cross.voxel_ijk[2] == 0, "it jumps to the first of them"
    assert 0 in work.notes.shown
    work.complaints.reason.setCurrentIndex(2)
    work.complaints.submit_button.click()
    wait_for(lambda: desk.reading is None and work.list.isVisible())
    assert work.notice.text.text() == "sub-001_ct A is submitted: version 1."
    wait_for(lambda: not dock.viewer.layers)  # they leave in turns
    wait_for(lambda: work.listing.counts()["submitted"] == 1)
    assert events(study) == [
        "user.identify",
        "study.claim",
        "study.start",
        "volume.open",
        "mask.create",
        "review.submit",
    ]
    now = look(desk.seat, study.cases[0], "A").now
    assert (now.state, now.version, now.reason) == ("submitted", 1, "PROTOCOL")


def test_a_window_that_goes_keeps_work_and_reading(
    dock: MedlabelDock, study: SmallStudy
) -> None:
    desk, work = dock.study_desk, dock.study_desk.work
    open_next(desk)
    paint(desk)
    work.put_answers({"clear": False})
    session = desk.reading.session
    folder = session.place.folder
    session.keeper.sweep()
    dock.desk.leave(discard=False)  # as after a crash: the journal stays
    desk.release()
    assert read_notes(folder).answers == {"clear": False}
    assert desk.seat is None
    assert desk.open_study(study.layout.root)
    wait_for(lambda: work.listing is not None and work.listing.counts()["in_progress"] == 1)
    work.list.choose(study.cases[0], "A")
    work.list.open_button.click()
    wait_for(lambda: work.notes is not None)
    assert dock.recovery_notice.isVisible(), "what was not saved is offered"
    assert work.notes.answers == {"clear": False}
    seat = desk.seat
    # napari tells of its window's end by its canvas alone, before anything is taken down.
    dock.sight_desk.ortho.window_closing.emit()
    assert read_notes(folder).shown == {2}
    dock.close()
    assert (desk.reading, desk.seat) == (None, None)
    with pytest.raises(LogError, match="is over"):
        seat.desk.log.append("user.identify", detail={"method": "os-login"})
    assert study.is_sound()
