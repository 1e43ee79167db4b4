"""The table of measurements: what it shows and asks for."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QApplication

from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.widgets.measure_panel import KINDS, MeasurePanel

ENDS = ((0.0, 0.0, 0.0), (4.0, 0.0, 0.0))
MEASURED = MeasurementSet(
    (Measurement("Line 1", "line", ENDS), Measurement("Target", "line", ENDS, locked=True))
)
VALUES = {"Line 1": "4.0 mm", "Target": "4.0 mm"}


@pytest.fixture
def panel(qtbot: QtBot) -> MeasurePanel:
    made = MeasurePanel()
    qtbot.addWidget(made)
    made.show_measurements(MEASURED, VALUES)
    return made


def test_rows_have_names_values_and_locks(panel: MeasurePanel) -> None:
    cells = [[panel.table.item(row, column).text() for column in (0, 1)] for row in (0, 1)]
    assert cells == [["Line 1", "4.0 mm"], ["Target", "4.0 mm  (locked)"]]


def test_a_kind_is_a_switch(panel: MeasurePanel, qtbot: QtBot) -> None:
    assert set(panel.buttons) == set(KINDS)
    with qtbot.waitSignal(panel.kind_requested) as asked:
        panel.buttons["angle"].click()
    assert asked.args == ["angle"]
    with qtbot.waitSignal(panel.kind_requested) as asked:
        panel.buttons["angle"].click()
    assert asked.args == [""]
    panel.show_kind("box")
    assert [kind for kind, button in panel.buttons.items() if button.isChecked()] == ["box"]


def test_rows_are_gone_to_renamed_deleted_locked_and_copied(
    panel: MeasurePanel, qtbot: QtBot
) -> None:
    assert not panel.delete_button.isEnabled()
    assert "first" in panel.delete_button.toolTip()
    with qtbot.waitSignal(panel.go_requested) as asked:
        panel.table.cellClicked.emit(1, 0)
    assert asked.args == ["Target"]
    panel.table.setCurrentCell(1, 0)
    assert not panel.delete_button.isEnabled()
    assert "unlock" in panel.delete_button.toolTip()
    with qtbot.waitSignal(panel.lock_requested) as asked:
        panel.lock_button.click()
    assert asked.args == ["Target", False]
    panel.table.setCurrentCell(0, 0)
    with qtbot.waitSignal(panel.delete_requested) as asked:
        panel.delete_button.click()
    assert asked.args == ["Line 1"]
    with qtbot.waitSignal(panel.rename_requested) as asked:
        panel.table.item(0, 0).setText("Lesion")
    assert asked.args == ["Line 1", "Lesion"]
    panel.copy_button.click()
    assert QApplication.clipboard().text() == (
        "Measurement\tValue\nLine 1\t4.0 mm\nTarget\t4.0 mm"
    )


def test_the_choice_stays_when_the_table_is_filled_again(panel: MeasurePanel) -> None:
    panel.table.setCurrentCell(1, 0)
    panel.show_measurements(MEASURED, VALUES)
    assert panel.selected == "Target"
    panel.show_measurements(MeasurementSet(), {})
    assert panel.selected == ""
