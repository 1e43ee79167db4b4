"""The panel of tools, its rules and its sheet: they show and ask; no viewer, no session."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox, QLineEdit, QTableWidget, QVBoxLayout, QWidget

from napari_medlabel.edit.masking import Masking
from napari_medlabel.plugin.keys import Key, Keys
from napari_medlabel.plugin.tools.catalogue import MENUS, TOOLS, options_of, tool
from napari_medlabel.plugin.tools.combining import against
from napari_medlabel.widgets.cheat_sheet import MOUSE, CheatSheet, sheet_html
from napari_medlabel.widgets.dock_keys import DockKeys
from napari_medlabel.widgets.masking_row import MaskingRow
from napari_medlabel.widgets.tool_panel import ToolPanel

SEGMENTS = ((1, "Liver"), (2, "Spleen"))


@pytest.fixture
def panel(qtbot: QtBot) -> ToolPanel:
    made = ToolPanel(TOOLS, MENUS)
    qtbot.addWidget(made)
    made.options.show_segments(SEGMENTS)
    return made


def take(panel: ToolPanel, name: str) -> None:
    known = tool(name)
    first = known.extents[0] if known.extents else "3D"
    panel.show_tool(known, options_of(known), known.defaults(), first, 3)


def test_every_tool_is_asked_for_by_a_button_or_a_menu(panel: ToolPanel, qtbot: QtBot) -> None:
    palette = panel.palette_
    for known in TOOLS:
        part = palette.buttons.get(known.name) or palette.actions_[known.name]
        with qtbot.waitSignal(panel.tool_requested) as asked:
            (part.click if known.name in palette.buttons else part.trigger)()
        assert asked.args == [known.name]
        assert part.toolTip() == known.words
    assert len(palette.buttons) + len(palette.menu_buttons) <= 15


def test_only_the_numbers_of_what_is_chosen_are_asked_for(panel: ToolPanel) -> None:
    take(panel, "flood")
    fields = panel.options.fields
    assert not fields["tolerance"].isHidden()
    assert fields["low"].isHidden()
    assert fields["high"].isHidden()
    fields["by"].setCurrentIndex(1)
    assert fields["tolerance"].isHidden()
    assert panel.options.form.labelForField(fields["tolerance"]).isHidden()
    assert not fields["low"].isHidden()
    assert not fields["high"].isHidden()
    take(panel, "mirror")
    assert fields is not panel.options.fields
    assert panel.options.fields["becomes"].itemText(0) == "the other side's label, else itself"


def test_keys_stand_on_the_buttons_that_have_them(panel: ToolPanel) -> None:
    assert panel.palette_.buttons["brush"].text() == "Brush  W"
    panel.palette_.show_keys({})
    assert panel.palette_.buttons["brush"].text() == "Brush"


def test_the_tool_in_hand_is_marked_in_its_menu_too(panel: ToolPanel) -> None:
    take(panel, "margin")
    assert panel.palette_.menu_buttons["Shape"].isChecked()
    assert "Margin" in panel.palette_.menu_buttons["Shape"].toolTip()
    take(panel, "brush")
    assert not panel.palette_.menu_buttons["Shape"].isChecked()
    assert panel.palette_.buttons["brush"].isChecked()


def test_a_tool_that_cannot_work_says_why(panel: ToolPanel) -> None:
    panel.palette_.show_reasons({"brush": "a 3D view shows no slice."})
    button = panel.palette_.buttons["brush"]
    assert not button.isEnabled()
    assert "Not now: a 3D view shows no slice." in button.toolTip()
    panel.palette_.show_reasons({})
    assert button.isEnabled()


def test_all_options_of_all_tools_are_shown_and_asked_for(
    panel: ToolPanel, qtbot: QtBot
) -> None:
    for known in TOOLS:
        with qtbot.assertNotEmitted(panel.option_requested):
            take(panel, known.name)
        assert set(panel.options.fields) == {o.name for o in known.options}
    take(panel, "margin")
    with qtbot.waitSignal(panel.option_requested) as asked:
        panel.options.fields["mm"].setValue(5.5)
    assert asked.args == ["mm", 5.5]
    take(panel, "combine")
    with qtbot.waitSignal(panel.option_requested) as asked:
        panel.options.fields["other"].setCurrentIndex(2)
    assert asked.args == ["other", 2]
    take(panel, "copy")
    with qtbot.waitSignal(panel.option_requested) as asked:
        panel.options.fields["move"].setChecked(True)
    assert asked.args == ["move", True]


def test_what_combine_cannot_do_is_grey_and_says_why(panel: ToolPanel, qtbot: QtBot) -> None:
    label, regions = [1], [("range", "range of Threshold: 50 to 300")]
    panel.options.show_regions(
        lambda: tuple(regions), lambda chosen: against(chosen, label[0], (1, 2))
    )
    take(panel, "combine")
    how, other = panel.options.fields["how"], panel.options.fields["other"]

    def grey(box: QComboBox) -> set[object]:
        rows = range(box.count())
        return {box.itemData(n) for n in rows if not box.model().item(n).isEnabled()}

    def pick(box: QComboBox, value: object) -> None:
        box.setCurrentIndex(box.findData(value))

    assert (grey(how), grey(other)) == (set(), {1})
    pick(other, 2)
    assert grey(how) == {"subtract", "intersect"}
    assert "share no voxel" in how.model().item(1).toolTip()
    with qtbot.waitSignal(panel.option_requested) as asked:
        pick(other, "range")
    assert asked.args == ["other", "range"]
    pick(how, "subtract")
    assert (grey(how), grey(other)) == (set(), {1, 2})
    pick(how, "fill")
    assert not other.isEnabled()
    assert other.toolTip() == "This is done to the label in hand alone."
    pick(how, "add")
    assert other.isEnabled()
    assert "the range of Threshold" in other.toolTip()
    # Another label in hand, and another layer that has come since.
    label[0] = 2
    panel.show_label("Spleen", "#ff0000")
    assert grey(other) == {2}
    regions.append(("Seg\n4", "Seg: Tumour"))
    panel.show()
    other.showPopup()
    other.hidePopup()
    assert other.findData("Seg\n4") > 0
    assert other.currentData() == "range"
    # What has gone is not kept.
    pick(other, "Seg\n4")
    regions.pop()
    with qtbot.waitSignal(panel.option_requested) as asked:
        other.showPopup()
    other.hidePopup()
    assert asked.args[0] == "other"
    assert other.findData("Seg\n4") < 0
    panel.options.forget_regions()


def test_where_a_tool_works_is_asked_for_and_a_flat_one_says_why_not_3d(
    panel: ToolPanel, qtbot: QtBot
) -> None:
    take(panel, "outline")
    assert not panel.extent.buttons["3D"].isEnabled()
    assert "not in 3D" in panel.extent.buttons["3D"].toolTip()
    with qtbot.waitSignal(panel.extent_requested) as asked:
        panel.extent.buttons["slab"].click()
    assert asked.args == ["slab"]
    with qtbot.waitSignal(panel.slab_requested) as asked:
        panel.extent.slab.setValue(7)
    assert asked.args == [7]


def test_a_preview_has_its_words_and_two_answers(panel: ToolPanel, qtbot: QtBot) -> None:
    assert panel.preview.isHidden()
    panel.preview.show_words("3 parts, 12.4 ml, go.")
    assert not panel.preview.isHidden()
    with qtbot.waitSignal(panel.preview.accept_requested):
        panel.preview.accept_button.click()
    with qtbot.waitSignal(panel.preview.reject_requested):
        panel.preview.reject_button.click()
    panel.show_busy(True, "Something is being computed.")
    assert not panel.apply_button.isEnabled()
    assert panel.apply_button.toolTip() == "Something is being computed."


def test_the_panel_is_narrow_enough_for_the_dock(panel: ToolPanel) -> None:
    for known in TOOLS:
        take(panel, known.name)
        panel.preview.show_words("12.4 ml")
        assert panel.minimumSizeHint().width() <= 320, known.name


def test_names_from_a_scheme_are_no_markup(panel: ToolPanel) -> None:
    take(panel, "brush")
    panel.show_label("<b>&", "#ff0000")
    assert "&lt;b&gt;&amp;" in panel.title.text()


# -- the rules -------------------------------------------------------------------------------


@pytest.fixture
def row(qtbot: QtBot) -> MaskingRow:
    made = MaskingRow()
    qtbot.addWidget(made)
    made.show_segments(SEGMENTS)
    return made


def test_rules_are_asked_for_and_locks_and_hidden_labels_stay(
    row: MaskingRow, qtbot: QtBot
) -> None:
    row.show_masking(Masking(locked=frozenset({2}), hidden=frozenset({1})))
    with qtbot.waitSignal(row.masking_requested) as asked:
        row.area.setCurrentIndex(row.area.findText("inside Spleen"))
    (rules,) = asked.args
    assert (rules.area, rules.segments) == ("inside", frozenset({2}))
    assert (rules.locked, rules.hidden) == (frozenset({2}), frozenset({1}))
    row.show_masking(rules)
    with qtbot.waitSignal(row.masking_requested) as asked:
        row.overwrite.setCurrentIndex(2)
    assert asked.args[0].overwrite == "none"
    assert asked.args[0].area == "inside"


def test_a_range_of_values_goes_on_and_off_by_its_key(row: MaskingRow, qtbot: QtBot) -> None:
    row.show_range(300.0, 100.0)
    assert not row.low.isEnabled()
    assert "Only values" in row.low.toolTip()
    with qtbot.waitSignal(row.masking_requested) as asked:
        row.toggle_range()
    assert (asked.args[0].low, asked.args[0].high) == (100.0, 300.0)
    row.show_masking(asked.args[0])
    assert row.low.isEnabled()
    with qtbot.waitSignal(row.masking_requested) as asked:
        row.toggle_range()
    assert asked.args[0].low is None


def test_showing_rules_asks_for_nothing_even_of_segments_unknown(
    row: MaskingRow, qtbot: QtBot
) -> None:
    rules = Masking("outside", frozenset({1, 7}), low=-5.0, overwrite="visible")
    with qtbot.assertNotEmitted(row.masking_requested):
        row.show_masking(rules)
        row.show_segments(SEGMENTS)
    assert row.area.currentText() == "outside 2 labels"
    assert row.low.value() == -5.0
    assert row.overwrite.currentText() == "visible labels"


# -- keys ------------------------------------------------------------------------------------


def test_the_sheet_lists_keys_by_group_and_escapes_them(qtbot: QtBot) -> None:
    keys = [Key("W", "Brush", "Draw"), Key("Shift-M", "Margin <mm>", "Shape")]
    html = sheet_html(keys, [("P", "Paint")])
    assert "⇧M" in html
    assert "&lt;mm&gt;" in html
    sheet = CheatSheet(keys, [("P", "Paint")])
    qtbot.addWidget(sheet)
    words = sheet.page.toPlainText()
    for heading in ("Draw", "Shape", "Mouse", "napari's own"):
        assert heading in words


def test_the_sheet_knows_the_mouse_of_the_views() -> None:
    mouse = dict(MOUSE)
    assert mouse["Wheel"] == "Next or previous slice"
    assert mouse["Ctrl + wheel"] == "Zoom"
    assert mouse["Shift + wheel"] == "Size of the brush"
    assert mouse["Shift + drag"] == "Lead the cross-hair"
    assert "enlarge" in mouse["Double click"]


def test_the_sheet_needs_no_scrolling_where_the_screen_has_room(qtbot: QtBot) -> None:
    keys = [Key("W", f"What key {n} does", f"Group {n // 8}") for n in range(70)]
    sheet = CheatSheet(keys, [("P", "Paint")] * 15)
    qtbot.addWidget(sheet)
    sheet.show()
    QTest.qWait(10)
    room = sheet.screen().availableGeometry()
    assert sheet.height() <= room.height()
    bar = sheet.page.verticalScrollBar()
    assert room.height() < 1000 or bar.maximum() == 0


def test_a_click_into_a_list_does_not_silence_the_keys(qtbot: QtBot) -> None:
    dock = QWidget()
    table, field = QTableWidget(2, 2), QLineEdit()
    column = QVBoxLayout(dock)
    column.addWidget(table)
    column.addWidget(field)
    qtbot.addWidget(dock)
    done: list[str] = []
    keys = Keys()
    keys.bind("W", "Brush", lambda: done.append("w"), group="Draw")
    keys.bind("Shift-M", "Margin", lambda: done.append("m"), group="Shape")
    keys.bind("Escape", "Cancel", lambda: done.append("e"), group="Tools", resting=True)
    passing = DockKeys(dock)
    passing.serve(keys)
    dock.show()
    dock.activateWindow()
    qtbot.waitUntil(dock.isActiveWindow, timeout=3000)
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_W)
    QTest.keyClick(table, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(table, Qt.Key.Key_Escape)
    assert done == ["w", "m"]
    keys.wake("Escape")
    QTest.keyClick(table, Qt.Key.Key_Escape)
    assert done == ["w", "m", "e"]
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_W)
    assert field.text() == "w"
    assert done == ["w", "m", "e"]
    passing.end()
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_W)
    assert done == ["w", "m", "e"]
