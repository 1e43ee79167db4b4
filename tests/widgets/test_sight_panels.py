"""The small parts around the views: what they show and ask, and what is remembered."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_medlabel.errors import RefusedError, SaveError
from napari_medlabel.plugin.workplace import data_folder
from napari_medlabel.widgets.sight.canvas import CrossLines, main_canvas, side_panels
from napari_medlabel.widgets.sight.fourth import Fourth
from napari_medlabel.widgets.sight.layout_panel import LayoutPanel
from napari_medlabel.widgets.sight.remembered import recall, remember


def test_the_panel_asks_for_layouts_and_explains_what_it_refuses(qtbot: QtBot) -> None:
    panel = LayoutPanel(("One", "Four"))
    qtbot.addWidget(panel)
    panel.offer("F4", "F7", "")
    assert "F7" in panel.lines_box.text()
    assert panel.panels_box.text() == "Napari's panels"
    with qtbot.waitSignal(panel.layout_requested) as asked:
        panel.layout_box.activated.emit(1)
    assert asked.args == ["Four"]
    with qtbot.waitSignal(panel.lines_requested) as lines:
        panel.lines_box.click()
    assert lines.args == [True]
    panel.show_lines(False)
    panel.show_panels(False)
    panel.show_layout("Four")
    assert panel.layout_box.currentText() == "Four"
    assert not panel.lines_box.isChecked()
    assert not panel.panels_box.isChecked()
    panel.refuse("Pictures have no other planes.")
    assert not panel.layout_box.isEnabled()
    assert panel.lines_box.toolTip() == "Pictures have no other planes."


def test_the_fourth_square_says_where_the_cross_hair_is(qtbot: QtBot) -> None:
    fourth = Fourth()
    qtbot.addWidget(fourth)
    fourth.show_words(["R 1.0 mm", "43 HU"])
    assert fourth.words.text() == "Cross-hair\nR 1.0 mm\n43 HU"
    fourth.show_keys([("F4", "next layout")])
    assert fourth.hint.text() == "F1: all keys"
    assert fourth.hint.toolTip() == "F4: next layout"
    with qtbot.waitSignal(fourth.solid_requested):
        fourth.solid_button.click()


def test_choices_are_remembered_and_a_broken_file_is_as_none() -> None:
    assert recall("layout", "One") == "One"
    remember("layout", "Four")
    remember("lines", False)
    assert (recall("layout", "One"), recall("lines", True)) == ("Four", False)
    (data_folder() / "views.json").write_text("no json")
    assert recall("layout", "One") == "One"
    (data_folder() / "views.json").write_text("[1]")
    assert recall("layout", "One") == "One"


def test_a_choice_that_cannot_be_kept_is_said(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(
        "napari_medlabel.widgets.sight.remembered.data_folder", lambda: tmp_path / "file"
    )
    with pytest.raises(SaveError, match="cannot be kept"):
        remember("layout", "Four")


def test_another_napari_is_refused_in_words(qtbot: QtBot) -> None:
    with pytest.raises(RefusedError, match="no canvas"):
        main_canvas(SimpleNamespace(window=SimpleNamespace()))
    outer, inner = QWidget(), QWidget()
    qtbot.addWidget(outer)
    inner.setParent(outer)
    QVBoxLayout(outer)
    with pytest.raises(RefusedError, match="elsewhere"):
        main_canvas(SimpleNamespace(window=SimpleNamespace(_qt_viewer=inner)))
    with pytest.raises(RefusedError, match="draws in another way"):
        CrossLines(SimpleNamespace())
    assert side_panels(SimpleNamespace(window=SimpleNamespace())) == ()
