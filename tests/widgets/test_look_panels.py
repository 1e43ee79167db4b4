"""The panels of looking and comparing, and the reading room's colours."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pytestqt.qtbot import QtBot

import napari_medlabel
from napari_medlabel.model.presets import Window
from napari_medlabel.widgets.sight.beside_panel import BesidePanel
from napari_medlabel.widgets.sight.look_panel import LookPanel
from napari_medlabel.widgets.sight.room import NAME
from napari_medlabel.widgets.view_panel import ViewPanel

KEYS = {"window": "F3", "invert": "Alt-I", "outline": "F5", "slab": "F10", "cine": "F12"}


def brightness(colour: str) -> float:
    """Return the relative luminance of a colour, WCAG 2.2."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((brightness(one), brightness(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture
def room() -> dict[str, str]:
    manifest = Path(napari_medlabel.__file__).parent / "napari.yaml"
    themes = yaml.safe_load(manifest.read_text(encoding="utf-8"))["contributions"]["themes"]
    return next(theme["colors"] for theme in themes if theme["id"] == NAME)


def test_words_can_be_read_in_the_reading_room_and_little_of_it_is_blue(
    room: dict[str, str],
) -> None:
    for under in ("canvas", "console", "background", "foreground", "primary", "current"):
        assert contrast(room["text"], room[under]) >= 4.5, under
        assert contrast(room["icon"], room[under]) >= 3.0, under
    assert contrast(room["text"], room["secondary"]) >= 4.5
    assert contrast(room["warning"], room["background"]) >= 3.0
    assert brightness(room["background"]) < 0.006
    for name, colour in room.items():
        red, blue = int(colour[1:3], 16), int(colour[5:7], 16)
        assert blue <= red, name


def test_the_look_panel_asks_and_each_refusal_is_explained(qtbot: QtBot) -> None:
    panel = LookPanel(["One slice", "Mean"], ["Forwards"], 100.0)
    qtbot.addWidget(panel)
    panel.offer(KEYS, colour=False, times=False, slabs=True)
    assert panel.outline_button.text() == "Outlines (F5)"
    assert "F3" in panel.window_line.toolTip()
    assert not panel.through_box.isEnabled()
    assert "one volume" in panel.through_box.toolTip()
    with qtbot.waitSignal(panel.slab_requested) as asked:
        panel.slab_box.setCurrentIndex(1)
        panel.slab_box.activated.emit(1)
    assert asked.args == ["Mean", 10.0]
    with qtbot.assertNotEmitted(panel.slab_requested):
        panel.show_slab("One slice", 20.0, "One slice while a tool is in hand")
    assert not panel.slab_line.isHidden()
    panel.rate.setValue(20)
    assert panel.interval_ms == 50
    for button, signal in (
        (panel.outline_button, panel.outline_requested),
        (panel.invert_button, panel.invert_requested),
        (panel.cine_button, panel.cine_requested),
    ):
        with qtbot.waitSignal(signal):
            button.click()
    panel.offer(KEYS, colour=True, times=True, slabs=True)
    assert not panel.slab_box.isEnabled()
    assert "grey values" in panel.slab_box.toolTip()
    assert "Colours" in panel.invert_button.toolTip()
    panel.through_box.setCurrentIndex(1)
    assert panel.through_time
    panel.offer_theme("napari does not know these colours.")
    assert not panel.theme_box.isEnabled()
    panel.offer_theme("")
    with qtbot.waitSignal(panel.theme_requested) as theme:
        panel.theme_box.click()
    assert theme.args == [True]


def test_windows_show_their_keys_and_one_set_by_hand_has_a_name(qtbot: QtBot) -> None:
    panel = ViewPanel()
    qtbot.addWidget(panel)
    panel.show_windows([Window("Lung", -1350, 150), Window("Bone", -500, 1300)])
    panel.show_window_keys({"Bone": "Alt-2"})
    assert panel.window_box.itemText(1) == "Bone   Alt-2"
    with qtbot.waitSignal(panel.window_requested) as asked:
        panel.window_box.activated.emit(1)
    assert asked.args == ["Bone"]
    panel.show_window("")
    panel.show_window("")
    assert (panel.window_box.currentText(), panel.window_box.count()) == ("By hand", 3)
    panel.show_window("Lung")
    assert (panel.window_box.currentIndex(), panel.window_box.count()) == (0, 2)


def test_the_panel_of_comparison_says_what_is_needed_first(qtbot: QtBot) -> None:
    panel = BesidePanel()
    qtbot.addWidget(panel)
    assert panel.fuse_button.toolTip() == "Open another scan first"
    assert not panel.blend.isEnabled()
    panel.show_scan("CT beside. One grid.", "")
    assert panel.fuse_button.isEnabled()
    assert panel.blend.toolTip() == "Lay the other scan over this one first"
    with qtbot.assertNotEmitted(panel.blend_requested):
        panel.show_fused(0.5, "CT over, same grid")
    with qtbot.waitSignal(panel.blend_requested) as asked:
        panel.blend.setValue(70)
    assert asked.args == [0.7]
    assert panel.values.toolTip() == "Open another scan first"
    panel.values.show_reasons({"suv-lbm": "Patient's Sex is missing."}, "suv-bw")
    assert panel.values.values == "suv-bw"
    assert "Not offered: Patient's Sex is missing." in panel.values.toolTip()
    with qtbot.waitSignal(panel.values_requested) as asked:
        panel.values.activated.emit(0)
    assert asked.args == ["suv-bw"]
    panel.show_scan("US beside.", "Colours cannot be laid over")
    assert panel.fuse_button.toolTip() == "Colours cannot be laid over"
    panel.show_none("Pictures have no place in the patient")
    assert not panel.open_button.isEnabled()
    for button, signal in ((panel.open_button, panel.folder_requested),):
        panel.show_none()
        with qtbot.waitSignal(signal):
            button.click()
