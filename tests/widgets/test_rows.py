"""Rows of buttons: all of them whole, and none keeps the dock from becoming narrow again."""

from __future__ import annotations

from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QPushButton, QWidget

from napari_medlabel.widgets.rows import Rows

WORDS = ("Submit…", "Back to the list", "Guide (F9)", "More")


def rows(qtbot: QtBot, width: int) -> tuple[QWidget, Rows, list[QPushButton]]:
    buttons = [QPushButton(words) for words in WORDS]
    window, made = QWidget(), Rows(*buttons)
    qtbot.addWidget(window)
    made.setParent(window)
    made.resize(width, 100)
    window.resize(1000, 300)
    window.show()
    return window, made, buttons


def whole(made: Rows, buttons: list[QPushButton]) -> bool:
    return all(
        one.width() >= one.sizeHint().width() and one.geometry().right() < made.width()
        for one in buttons
    )


def test_what_was_wide_becomes_narrow_again_with_every_button_whole(qtbot: QtBot) -> None:
    _window, made, buttons = rows(qtbot, 900)
    assert len({one.y() for one in buttons}) == 1
    assert made.minimumSizeHint().width() == max(one.sizeHint().width() for one in buttons)
    made.resize(made.minimumSizeHint().width(), 200)
    qtbot.waitUntil(lambda: len({one.y() for one in buttons}) > 1)
    qtbot.waitUntil(lambda: whole(made, buttons))


def test_longer_words_and_a_larger_font_take_another_row(qtbot: QtBot) -> None:
    _window, made, buttons = rows(qtbot, 460)
    made.resize(sum(one.sizeHint().width() + 2 for one in buttons), 100)
    qtbot.waitUntil(lambda: len({one.y() for one in buttons}) == 1)
    font = made.font()
    font.setPointSizeF(font.pointSizeF() * 1.5)
    made.setFont(font)
    qtbot.waitUntil(lambda: len({one.y() for one in buttons}) > 1)
    buttons[1].hide()
    buttons[2].hide()
    qtbot.waitUntil(lambda: buttons[0].y() == buttons[3].y())
