"""The segment table and its dialogs show what they are given and ask for changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QApplication

from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import Code, Label
from napari_medlabel.session.segment_states import Segment
from napari_medlabel.widgets import segment_icons
from napari_medlabel.widgets.label_panel import LabelPanel
from napari_medlabel.widgets.segment_table import CODE, EYE, LOCK, ML, NAME, SLICES, STATE
from napari_medlabel.widgets.statistics_dialog import StatisticsDialog
from napari_medlabel.widgets.terminology_dialog import TerminologyDialog


def segment(value: int = 1, **more: object) -> Segment:
    code = Code("SCT", f"{value}0200004", "Liver")
    what = {
        "label": Label(value, f"L{value}", "#0072b2", code),
        "voxels": 100,
        "ml": 12.34,
        "slices": 8,
        "done": 3,
        "progress": "in progress",
        "visible": True,
        "locked": False,
    }
    return Segment(**{**what, **more})


@pytest.fixture
def panel(qtbot: QtBot) -> LabelPanel:
    made = LabelPanel(presets.schemes())
    qtbot.addWidget(made)
    made.show_segments(
        [segment(1), segment(2, ml=None, visible=False), segment(3, locked=True)]
    )
    made.show_current(1)
    return made


def click(panel: LabelPanel, row: int, column: int) -> None:
    panel.table.cellClicked.emit(row, column)


def test_a_row_says_how_large_how_far_and_whether_it_is_seen(panel: LabelPanel) -> None:
    table = panel.table
    assert [table.item(0, c).text() for c in (NAME, ML, SLICES, CODE)] == [
        "L1",
        "12.3",
        "3/8",
        "10200004",
    ]
    assert table.item(1, ML).text() == ""
    assert table.item(1, EYE).toolTip() == "Hidden"
    assert "Locked" in table.item(2, LOCK).toolTip()
    assert "In progress" in table.item(0, STATE).toolTip()
    panel.show_segments([segment(1, ml=99.0, done=0, slices=0), segment(2)])
    assert table.rowCount() == 2
    assert [table.item(0, c).text() for c in (ML, SLICES)] == ["99.0", ""]
    assert table.current == 1


def test_eye_padlock_and_state_ask_for_their_change(panel: LabelPanel, qtbot: QtBot) -> None:
    table = panel.table
    for row, column, signal, wanted in (
        (0, EYE, table.visible_requested, [1, False]),
        (1, EYE, table.visible_requested, [2, True]),
        (2, LOCK, table.locked_requested, [3, False]),
    ):
        with qtbot.waitSignal(signal) as asked:
            click(panel, row, column)
        assert asked.args == wanted
    menu = table.progress_menu(1)
    assert [action.isChecked() for action in menu.actions()] == [False, True, False, False]
    with qtbot.waitSignal(table.progress_requested) as asked:
        menu.actions()[2].trigger()
    assert asked.args == [1, "completed"]
    with qtbot.assertNotEmitted(table.visible_requested):
        click(panel, 0, NAME)


def test_a_double_click_goes_to_the_middle_but_not_on_an_eye(
    panel: LabelPanel, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(panel.table.centre_requested) as asked:
        panel.table.cellDoubleClicked.emit(1, NAME)
    assert asked.args == [2]
    with qtbot.assertNotEmitted(panel.table.centre_requested):
        panel.table.cellDoubleClicked.emit(1, EYE)


def test_typing_a_name_asks_for_it_and_shows_what_is(panel: LabelPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.table.renamed) as asked:
        panel.table.item(0, NAME).setText("  Lever ")
    assert asked.args == [1, "Lever"]
    assert panel.table.item(0, NAME).text() == "L1"
    with qtbot.assertNotEmitted(panel.table.renamed):
        panel.table.item(0, NAME).setText("  ")
    panel.table.begin_renaming(2)
    assert panel.table.state() == panel.table.State.EditingState


def test_the_filter_leaves_what_holds_all_words(panel: LabelPanel) -> None:
    def seen() -> list[bool]:
        return [not panel.table.isRowHidden(row) for row in range(3)]

    panel.filter_box.setText("l2")
    assert seen() == [False, True, False]
    panel.show_segments([segment(1), segment(2, progress="flagged"), segment(4)])
    assert seen() == [False, True, False]
    panel.filter_box.setText("flagged")
    panel.filter_box.setText("")
    assert seen() == [True, True, True]


def test_the_menu_offers_everything_that_a_segment_can_do(
    panel: LabelPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    menu = panel.menu(2)
    actions = {action.text(): action for action in menu.actions()}
    for words, signal, wanted in (
        ("Go to its middle", panel.table.centre_requested, [2]),
        ("Solo", panel.solo_requested, [2]),
        ("Move up", panel.move_requested, [2, -1]),
        ("Move down", panel.move_requested, [2, 1]),
        ("Remove", panel.remove_requested, [2]),
    ):
        with qtbot.waitSignal(signal) as asked:
            actions[words].trigger()
        assert asked.args == wanted
    where = "napari_medlabel.widgets.label_panel.QColorDialog.getColor"
    from qtpy.QtGui import QColor

    monkeypatch.setattr(where, lambda *_: QColor("#112233"))
    with qtbot.waitSignal(panel.recoloured) as asked:
        actions["Colour…"].trigger()
    assert asked.args == [2, "#112233"]
    monkeypatch.setattr(where, lambda *_: QColor())
    with qtbot.assertNotEmitted(panel.recoloured):
        actions["Colour…"].trigger()
    with qtbot.waitSignal(panel.table.menu_requested):
        panel.table.customContextMenuRequested.emit(QPoint(5, 5))


def test_buttons_that_cannot_be_pressed_say_why(panel: LabelPanel, qtbot: QtBot) -> None:
    assert panel.remove_button.isEnabled()
    panel.show_current(3)
    assert not panel.remove_button.isEnabled()
    assert "locked" in panel.remove_button.toolTip()
    panel.show_current(99)
    for button in (panel.remove_button, panel.solo_button, panel.done_button):
        assert not button.isEnabled()
        assert button.toolTip() == "Choose a segment first."
    panel.show_segments([segment(1)])
    panel.show_current(1)
    assert "last segment" in panel.remove_button.toolTip()
    panel.show_slice_done(True)
    assert panel.done_button.text() == "Slice not done"
    panel.show_slice_done(None)
    assert not panel.done_button.isEnabled()
    assert "plane" in panel.done_button.toolTip()


def test_keys_stand_in_the_tooltips(panel: LabelPanel) -> None:
    panel.show_keys({"done": "Shift-Y", "visible": "Shift-E", "locked": "Shift-F"})
    assert panel.done_button.text() == "Slice done  ⇧Y"
    assert "Shift-E" in panel.table.horizontalHeaderItem(EYE).toolTip()


def test_opacity_and_outline_are_asked_for(panel: LabelPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.look_requested) as asked:
        panel.opacity.setValue(70)
    assert asked.args == [0.7, 0]
    with qtbot.assertNotEmitted(panel.look_requested):
        panel.show_look(0.3, 2)
    assert (panel.opacity.value(), panel.outline.value()) == (30, 2)


def test_a_wide_table_shows_the_codes(panel: LabelPanel) -> None:
    panel.table.resize(330, 200)
    panel.show()
    QApplication.processEvents()
    assert panel.table.isColumnHidden(CODE)
    panel.resize(600, 300)
    QApplication.processEvents()
    assert not panel.table.isColumnHidden(CODE)


def test_signs_differ_in_shape() -> None:
    drawn = {
        segment_icons.progress(name).pixmap(24).toImage().constBits().asstring(24 * 24 * 4)
        for name in ("not started", "in progress", "completed", "flagged")
    }
    assert len(drawn) == 4


# -- dialogs -------------------------------------------------------------------------------


def test_concepts_are_searched_and_added_with_a_side(qtbot: QtBot) -> None:
    dialog = TerminologyDialog()
    qtbot.addWidget(dialog)
    assert dialog.list.count() >= 120
    dialog.search.setText("kidney")
    assert dialog.list.count() == 1
    dialog.sides.button(2).setChecked(True)
    with qtbot.waitSignal(dialog.added) as asked:
        dialog.add_button.click()
    assert asked.args[0].code.meaning == "Kidney"
    assert asked.args[1] == "left"
    dialog.search.setText("liver")
    assert dialog.side == ""
    assert dialog.sides.button(1).toolTip() == "It has no sides."
    dialog.search.setText("nothing of this name")
    assert dialog.concept is None
    assert not dialog.add_button.isEnabled()
    dialog.search.clear()
    dialog.category.setCurrentIndex(dialog.category.findText("Findings"))
    assert 10 < dialog.list.count() < 100
    dialog.say("Added.")
    assert dialog.said.text() == "Added."


def test_statistics_are_copied_and_saved_without_formulas(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [{"name": "=Liver", "volume (ml)": 1.23456789, "mean": None}]
    dialog = StatisticsDialog(records)
    qtbot.addWidget(dialog)
    assert [dialog.table.item(0, c).text() for c in range(3)] == ["=Liver", "1.23457", ""]
    assert dialog.table.item(0, 1).textAlignment() & int(Qt.AlignmentFlag.AlignRight.value)
    dialog.copy_button.click()
    assert QApplication.clipboard().text() == "name\tvolume (ml)\tmean\n'=Liver\t1.23457\t"
    where = "napari_medlabel.widgets.statistics_dialog.QFileDialog.getSaveFileName"
    monkeypatch.setattr(where, lambda *_: (str(tmp_path / "s.csv"), ""))
    with qtbot.waitSignal(dialog.save_requested) as asked:
        dialog.save_button.click()
    assert asked.args == [tmp_path / "s.csv"]
    monkeypatch.setattr(where, lambda *_: ("", ""))
    with qtbot.assertNotEmitted(dialog.save_requested):
        dialog.save_button.click()


def test_a_colour_is_the_true_one_in_the_row_that_is_chosen_too(qtbot: QtBot) -> None:
    icon = segment_icons.swatch("#b5651d")
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        assert icon.pixmap(14, mode).toImage().pixelColor(7, 7).name() == "#b5651d"
