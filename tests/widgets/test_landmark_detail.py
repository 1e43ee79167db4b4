"""The next landmark before the click, and the list of landmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication

from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.widgets.landmark_detail import LandmarkDetail
from napari_medlabel.widgets.landmark_panel import LandmarkPanel, state_words, table_words

MARK = Landmark(
    "Anterior <commissure>",
    None,
    "Where it crosses the midline",
    "AC",
    "midline",
    "sagittal",
    "A bright oval",
)


@pytest.fixture
def detail(qtbot: QtBot) -> LandmarkDetail:
    made = LandmarkDetail({"": "where clicked", "max": "brightest place"})
    qtbot.addWidget(made)
    return made


def test_the_next_landmark_is_told_before_the_click(
    detail: LandmarkDetail, tmp_path: Path
) -> None:
    picture = tmp_path / "ac.png"
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFF)
    assert image.save(str(picture))
    detail.show_landmark(MARK, picture)
    assert detail.title.text() == "Next: <b>Anterior &lt;commissure></b>"
    assert detail.facts.text() == "AC   ·   midline   ·   best seen sagittal"
    assert detail.definition.text() == "Where it crosses the midline"
    assert detail.example.text() == "Look for: A bright oval"
    assert not detail.picture.isHidden()
    detail.show_landmark(None)
    assert detail.title.text() == "Next: a new point"
    assert detail.picture.isHidden()
    assert detail.facts.isHidden()


def test_buttons_say_why_they_are_off(detail: LandmarkDetail) -> None:
    detail.show_landmark(MARK)
    assert not detail.doubt_button.isEnabled()
    assert "placed landmark" in detail.doubt_button.toolTip()
    assert not detail.commit_button.isEnabled()
    assert "Click on the picture" in detail.commit_button.toolTip()
    detail.show_draft("Draft, looked at: axial.")
    assert detail.commit_button.isEnabled()
    detail.show_landmark(Landmark("A", (1, 2, 3), uncertain_mm=4.0, locked=True))
    assert "locked" in detail.doubt_button.toolTip()
    assert detail.doubt_button.isChecked()
    assert detail.doubt_mm.value() == 4.0
    assert detail.lock_button.text() == "Unlock"
    assert not detail.absent_button.isEnabled()


def test_what_is_chosen_is_asked_for(detail: LandmarkDetail, qtbot: QtBot) -> None:
    detail.show_landmark(Landmark("A", (1, 2, 3)))
    with qtbot.waitSignal(detail.absent_requested) as asked:
        detail.absent_menu.actions()[1].trigger()
    assert asked.args == ["resected"]
    with qtbot.waitSignal(detail.doubt_requested) as asked:
        detail.doubt_button.click()
    assert asked.args == [2.0]
    with qtbot.waitSignal(detail.doubt_requested) as asked:
        detail.doubt_button.click()
    assert asked.args == [None]
    with qtbot.waitSignal(detail.lock_requested) as asked:
        detail.lock_button.click()
    assert asked.args == [True]
    with qtbot.waitSignal(detail.step_requested) as asked:
        detail.before_button.click()
    assert asked.args == [-1]
    with qtbot.waitSignal(detail.mode_requested) as asked:
        detail.mode_box.activated.emit(1)
    assert asked.args == ["quick"]
    detail.snap_box.setCurrentIndex(1)
    with qtbot.waitSignal(detail.snap_requested) as asked:
        detail.snap_box.activated.emit(1)
    assert asked.args == ["max", 3.0]
    detail.show_mode("free")
    assert detail.mode_box.currentData() == "free"


def test_states_are_words() -> None:
    assert state_words(Landmark("A")) == "open"
    assert state_words(Landmark("A", (1, 2, 3), locked=True)) == "placed, locked"
    assert state_words(Landmark("A", (1, 2, 3), uncertain_mm=2.0)) == "±2.0 mm"
    assert state_words(Landmark("A", absent="resected")) == "absent: resected"


def test_the_list_is_copied_in_millimetres_and_shows_what_is_next(qtbot: QtBot) -> None:
    panel = LandmarkPanel({})
    qtbot.addWidget(panel)
    marks = LandmarkSet((Landmark("A", (1.0, -2.0, 3.5)), Landmark("B", absent="artefact")))
    panel.show_landmarks(marks)
    panel.copy_button.click()
    assert QApplication.clipboard().text() == table_words(marks)
    rows = [line.split("\t") for line in table_words(marks).splitlines()]
    assert np.array(rows[1][1:4], float) == pytest.approx([1, -2, 3.5])
    assert rows[2] == ["B", "", "", "", "absent: hidden by an artefact"]
    panel.show_next("B")
    assert panel.table.currentRow() == 1
    with qtbot.waitSignal(panel.remove_requested) as asked:
        panel.remove_button.click()
    assert asked.args == ["B"]
    with qtbot.waitSignal(panel.aim_requested) as asked:
        panel.table.cellClicked.emit(0, 0)
    assert asked.args == ["A"]
    panel.show_next(None)
    assert panel.table.currentRow() == -1
    for signal, button in (
        (panel.lock_all_requested, panel.lock_all_button),
        (panel.load_requested, panel.load_button),
        (panel.save_requested, panel.save_button),
    ):
        with qtbot.waitSignal(signal):
            button.click()
