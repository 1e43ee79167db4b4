"""Panels show what they are given and ask for changes; no viewer, no session."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from napari_medlabel import samples
from napari_medlabel.errors import InputError
from napari_medlabel.model import presets
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.widgets.label_panel import FROM_FILE, LabelPanel
from napari_medlabel.widgets.landmark_panel import LandmarkPanel, patient_mm
from napari_medlabel.widgets.notice import Notice
from napari_medlabel.widgets.start_panel import StartPanel
from napari_medlabel.widgets.view_panel import ViewPanel


@pytest.fixture
def label_panel(qtbot: QtBot) -> LabelPanel:
    panel = LabelPanel(presets.schemes())
    qtbot.addWidget(panel)
    panel.show_scheme(presets.scheme("abdomen"))
    return panel


def test_each_label_has_a_row_with_its_name_and_its_code(label_panel: LabelPanel) -> None:
    table = label_panel.table
    assert table.rowCount() == len(presets.scheme("abdomen").labels)
    assert table.item(0, 0).text() == "Liver"
    assert "SCT" in table.item(0, 0).toolTip()


def test_a_clicked_label_is_asked_for(label_panel: LabelPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(label_panel.label_requested) as asked:
        label_panel.table.setCurrentCell(2, 0)
    assert asked.args == [3]


def test_showing_the_current_label_asks_for_nothing(
    label_panel: LabelPanel, qtbot: QtBot
) -> None:
    with qtbot.assertNotEmitted(label_panel.label_requested):
        label_panel.show_current(3)
        label_panel.show_current(99)
    assert label_panel.table.currentRow() == -1


def test_a_chosen_scheme_is_asked_for(label_panel: LabelPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(label_panel.scheme_requested) as asked:
        label_panel.scheme_box.activated.emit(1)
    assert asked.args == ["head"]


def test_a_scheme_from_a_file_is_listed_by_its_name(
    label_panel: LabelPanel, qtbot: QtBot
) -> None:
    own = presets.LabelScheme("Own", presets.scheme("regions").labels)
    label_panel.show_scheme(own)
    assert label_panel.scheme_box.currentText() == "Own"
    with qtbot.assertNotEmitted(label_panel.scheme_requested):
        label_panel.scheme_box.activated.emit(label_panel.scheme_box.currentIndex())


@pytest.fixture
def landmark_panel(qtbot: QtBot) -> LandmarkPanel:
    panel = LandmarkPanel({"a": "A", "b": "B"})
    qtbot.addWidget(panel)
    panel.show_landmarks(
        LandmarkSet((Landmark("Dome", (-12.5, 30.04, -104.2), "Top"), Landmark("Tip")))
    )
    return panel


def test_landmarks_show_patient_millimetres_with_sides(landmark_panel: LandmarkPanel) -> None:
    assert landmark_panel.table.item(0, 1).text() == "L 12.5  A 30.0  I 104.2"
    assert landmark_panel.table.item(1, 1).text() == "-"
    assert landmark_panel.place_button.text() == "Place: Tip (Y)"
    assert patient_mm((1, -2, 3)) == "R 1.0  P 2.0  S 3.0"


def test_a_clicked_landmark_is_gone_to_and_can_be_removed(
    landmark_panel: LandmarkPanel, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(landmark_panel.go_requested) as asked:
        landmark_panel.table.cellClicked.emit(0, 0)
    assert asked.args == ["Dome"]
    landmark_panel.table.setCurrentCell(0, 0)
    with qtbot.waitSignal(landmark_panel.remove_requested) as asked:
        landmark_panel.remove_button.click()
    assert asked.args == ["Dome"]


def test_a_landmark_without_a_place_is_neither_gone_to_nor_removed(
    landmark_panel: LandmarkPanel, qtbot: QtBot
) -> None:
    with qtbot.assertNotEmitted(landmark_panel.go_requested):
        landmark_panel.table.cellClicked.emit(1, 0)
    landmark_panel.table.setCurrentCell(1, 0)
    with qtbot.assertNotEmitted(landmark_panel.remove_requested):
        landmark_panel.remove_button.click()


def test_placing_is_a_switch(landmark_panel: LandmarkPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(landmark_panel.place_requested) as asked:
        landmark_panel.place_button.click()
    assert asked.args == [True]
    with qtbot.assertNotEmitted(landmark_panel.place_requested):
        landmark_panel.show_placing(False)
    landmark_panel.show_landmarks(LandmarkSet((Landmark("Dome", (1, 2, 3)),)))
    assert landmark_panel.place_button.text() == "Place another point (Y)"


def test_positions_name_no_side_where_none_is_known(landmark_panel: LandmarkPanel) -> None:
    marks = LandmarkSet((Landmark("Dome", (1, -2, 3)),))
    landmark_panel.name_sides(False)
    landmark_panel.show_landmarks(marks)
    assert landmark_panel.table.item(0, 1).text() == "1.0  -2.0  3.0"
    landmark_panel.name_sides(True)
    landmark_panel.show_landmarks(marks)
    assert landmark_panel.table.item(0, 1).text() == "R 1.0  P 2.0  S 3.0"


def test_a_chosen_template_is_asked_for(landmark_panel: LandmarkPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(landmark_panel.template_requested) as asked:
        landmark_panel.template_box.activated.emit(1)
    assert asked.args == ["b"]


def test_the_view_asks_for_planes_sides_and_windows(qtbot: QtBot) -> None:
    panel = ViewPanel()
    qtbot.addWidget(panel)
    panel.show_windows(presets.CT_WINDOWS)
    with qtbot.waitSignal(panel.plane_requested) as asked:
        panel.plane_buttons["Coronal"].click()
    assert asked.args == ["Coronal"]
    with qtbot.waitSignal(panel.convention_requested) as asked:
        panel.convention_box.activated.emit(1)
    assert asked.args == [False]
    with qtbot.waitSignal(panel.window_requested) as asked:
        panel.window_box.activated.emit(3)
    assert asked.args == ["Lung"]
    panel.show_plane("Sagittal")
    assert [p for p, b in panel.plane_buttons.items() if b.isChecked()] == ["Sagittal"]


def test_a_name_in_a_notice_is_never_markup(qtbot: QtBot) -> None:
    notice = Notice()
    qtbot.addWidget(notice)
    notice.say("amber", "Named: <b>F-1</b> -> AC")
    assert notice.text.textFormat() == Qt.TextFormat.PlainText
    notice.text.setWordWrap(False)
    plain = notice.text.sizeHint().width()
    notice.text.setTextFormat(Qt.TextFormat.RichText)
    assert notice.text.sizeHint().width() < plain


def test_a_notice_says_a_sentence_and_does_what_its_button_says(qtbot: QtBot) -> None:
    notice = Notice()
    qtbot.addWidget(notice)
    done: list[str] = []
    notice.say("red", "Something happened.", {"Mend": lambda: done.append("mended")})
    assert notice.isVisibleTo(notice.parentWidget())
    (button,) = notice.findChildren(QPushButton)
    button.click()
    assert done == ["mended"]
    notice.clear()
    assert notice.text.text() == ""
    assert notice.isHidden()


def test_the_start_offers_the_sample(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = StartPanel()
    qtbot.addWidget(panel)
    with qtbot.waitSignal(panel.paths_requested) as asked:
        panel.sample_button.click()
    assert asked.args == [[str(samples.path("ct_abdomen"))]]

    def missing(_name: str) -> None:
        raise InputError("The sample scans are not installed.", hint="Install again.")

    monkeypatch.setattr(samples, "path", missing)
    panel.sample_button.click()
    assert "not installed" in panel.sample_button.text()


def test_the_start_asks_for_folders_and_files(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = StartPanel()
    qtbot.addWidget(panel)
    where = "napari_medlabel.widgets.start_panel.QFileDialog"
    monkeypatch.setattr(f"{where}.getExistingDirectory", lambda *_: "folder")
    with qtbot.waitSignal(panel.paths_requested) as asked:
        panel.folder_button.click()
    assert asked.args == [["folder"]]
    monkeypatch.setattr(f"{where}.getOpenFileName", lambda *_: ("", ""))
    with qtbot.assertNotEmitted(panel.paths_requested):
        panel.file_button.click()


def test_schemes_and_templates_come_from_files_too(
    label_panel: LabelPanel,
    landmark_panel: LandmarkPanel,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = "napari_medlabel.widgets.label_panel.QFileDialog.getOpenFileName"
    monkeypatch.setattr(where, lambda *_, **__: ("mine.json", ""))
    last = label_panel.scheme_box.findText(FROM_FILE)
    with qtbot.waitSignal(label_panel.scheme_requested) as asked:
        label_panel.scheme_box.activated.emit(last)
    assert asked.args == ["mine.json"]
    with qtbot.waitSignal(landmark_panel.template_requested) as asked:
        landmark_panel.template_box.activated.emit(2)
    assert asked.args == ["mine.json"]
    # Nothing chosen: nothing asked, and the list shows what is in use.
    monkeypatch.setattr(where, lambda *_, **__: ("", ""))
    with qtbot.assertNotEmitted(label_panel.scheme_requested):
        label_panel.scheme_box.activated.emit(last)
    assert label_panel.scheme_box.currentText() == "Abdomen CT"
