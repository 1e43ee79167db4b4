"""Words and signs can be read in every theme of the window: 4.5 to 1 and 3 to 1 (WCAG 2.2)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QImage
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.widgets import segment_icons as icons
from napari_medlabel.widgets.legible import TINTS, Hints, ThemeWatch, Tint, is_dark, tint
from napari_medlabel.widgets.notice import COLOURS

ROOM = yaml.safe_load((Path(__file__).parents[2] / "napari.yaml").read_text(encoding="utf-8"))
DARK, LIGHT = "QWidget { color: #f0f1f2; }", "QWidget { color: #1e1e21; }"
STATES: tuple[Tint, ...] = ("blue", "amber", "green", "red")


def grounds(theme: str) -> dict[str, str]:
    """Return a theme's words, and what they may lie on."""
    if theme == "room":
        colours = ROOM["contributions"]["themes"][0]["colors"]
    else:
        from napari.utils.theme import get_theme

        found = get_theme(theme)
        colours = {n: getattr(found, n).as_hex("long") for n in (*NAMES, "text")}
    return {name: str(colours[name]) for name in (*NAMES, "text")}


NAMES = ("background", "foreground", "primary", "highlight")
THEMES = {name: grounds(name) for name in ("dark", "light", "room")}


def light_of(colour: str) -> float:
    parts = np.array(QColor(colour).getRgbF()[:3])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((light_of(one), light_of(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_states_and_words_are_read_on_every_row_of_a_list(theme: str) -> None:
    colours = THEMES[theme]
    rows = [colours[name] for name in NAMES]
    found = {name: TINTS[name][theme == "light"] for name in STATES}
    found["text"] = colours["text"]
    assert {n: min(contrast(c, row) for row in rows) >= 4.5 for n, c in found.items()} == (
        dict.fromkeys(found, True)
    )
    hint = TINTS["faint"][theme == "light"]
    assert contrast(hint, colours["primary"]) >= 4.5, "lines to type into lie on it"
    assert contrast(TINTS["mark"][theme == "light"], colours["background"]) >= 4.5


def test_notices_are_read_whatever_the_theme() -> None:
    assert all(contrast("#ffffff", colour) >= 4.5 for colour in COLOURS.values())


def ink(icon: QIcon) -> str:
    """Return the colour of most of an icon's opaque pixels."""
    image = icon.pixmap(32, 32).toImage().convertToFormat(QImage.Format.Format_ARGB32)
    colours = [
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    ]
    return max(set(colours), key=colours.count)


@pytest.mark.parametrize("theme", THEMES)
def test_eyes_locks_and_states_are_seen_on_every_row(theme: str, qtbot: QtBot) -> None:
    dark = theme != "light"
    drawn = [icons.eye(on, dark) for on in (True, False)]
    drawn += [icons.padlock(on, dark) for on in (True, False)]
    drawn += [icons.progress(n, dark) for n in ("not started", "in progress", "completed")]
    rows = [THEMES[theme][name] for name in ("foreground", "highlight")]
    assert [min(contrast(ink(one), row) for row in rows) >= 2.9 for one in drawn] == (
        [True] * len(drawn)
    )


def test_a_widget_follows_the_theme_and_its_hints_too(qtbot: QtBot) -> None:
    window = QWidget()
    dock, line = QWidget(), QLineEdit()
    line.setPlaceholderText("No names, no dates")
    QVBoxLayout(window).addWidget(dock)
    QVBoxLayout(dock).addWidget(line)
    qtbot.addWidget(window)
    told: list[str] = []
    ThemeWatch(line, lambda: told.append(tint(line, "amber").name()))
    Hints(dock)
    for style, at in ((DARK, 0), (LIGHT, 1), (DARK, 0)):
        window.setStyleSheet(style)
        window.show()
        wanted = TINTS["faint"][at]
        qtbot.waitUntil(lambda wanted=wanted: wanted in dock.styleSheet())
        qtbot.waitUntil(lambda at=at: told[-1:] == [TINTS["amber"][at]])
        assert is_dark(line) == (at == 0)
    assert len(told) == 3, "only where the colours are others"


def test_the_focus_is_seen_on_whatever_has_it(qtbot: QtBot) -> None:
    window = QWidget()
    window.setStyleSheet("QWidget { color: #f0f1f2; background: #23242b; outline: none; }")
    dock = QWidget()
    column = QVBoxLayout(dock)
    QVBoxLayout(window).addWidget(dock)
    parts = [kind() for kind in (QPushButton, QToolButton, QCheckBox, QComboBox, QTableWidget)]
    for part in parts:
        column.addWidget(part)
    qtbot.addWidget(window)
    Hints(dock)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(lambda: TINTS["mark"][0] in dock.styleSheet())
    qtbot.waitUntil(window.isActiveWindow)
    for part in parts:
        part.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil(part.hasFocus)
        seen = part.grab().toImage()
        edge = {seen.pixelColor(x, 0).name() for x in range(seen.width())}
        assert TINTS["mark"][0] in edge, type(part).__name__
