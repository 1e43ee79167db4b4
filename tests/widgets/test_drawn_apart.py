"""Canvases draw one at a time; each of them is drawn in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtGui import QPaintEvent
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_medlabel.widgets.drawn_apart import DrawnApart

pytestmark = pytest.mark.usefixtures("qapp")


class Sheet(QWidget):
    """Notes when it draws."""

    def __init__(self, number: int, drawn: list[int]) -> None:
        super().__init__()
        self.number, self.drawn = number, drawn
        self.meanwhile: Callable[[], object] = lambda: None

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        self.drawn.append(self.number)
        self.meanwhile()


@pytest.fixture
def drawn() -> list[int]:
    return []


@pytest.fixture
def sheets(qtbot: QtBot, drawn: list[int]) -> Iterator[list[Sheet]]:
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    made = [Sheet(n, drawn) for n in range(3)]
    for sheet in made:
        sheet.setMinimumSize(40, 40)
        row.addWidget(sheet)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.waitUntil(lambda: {0, 1, 2} <= set(drawn))
    yield made
    window.close()


def test_the_first_canvas_draws_at_once_and_each_further_one_in_its_turn(
    sheets: list[Sheet], drawn: list[int], qtbot: QtBot
) -> None:
    order = DrawnApart()
    for sheet in sheets:
        order.add(sheet)
    drawn.clear()
    sheets[0].repaint()
    assert drawn == [0]
    for sheet in sheets[1:]:
        sheet.repaint()
        sheet.repaint()
    assert drawn == [0], "the others wait"
    assert order.is_waiting
    seen: list[list[int]] = []
    sheets[1].meanwhile = lambda: seen.append(list(drawn))
    qtbot.waitUntil(lambda: drawn == [0, 1, 2])
    assert seen == [[0, 1]]
    assert not order.is_waiting


def test_nothing_draws_in_a_turn_with_enough_to_do(
    sheets: list[Sheet], drawn: list[int], qtbot: QtBot
) -> None:
    order = DrawnApart()
    order.add(sheets[0])
    drawn.clear()
    order.pause()
    sheets[0].repaint()
    assert drawn == []
    qtbot.waitUntil(lambda: drawn == [0])


def test_a_canvas_that_is_let_go_while_it_waits_draws_soon_and_one_that_is_gone_never(
    sheets: list[Sheet], drawn: list[int], qtbot: QtBot
) -> None:
    order = DrawnApart()
    for sheet in sheets:
        order.add(sheet)
    drawn.clear()
    order.pause()
    for sheet in sheets:
        sheet.repaint()
    order.remove(sheets[0])
    sheets[1].hide()
    qtbot.waitUntil(lambda: set(drawn) == {0, 2})
    assert not order.is_waiting
    sheets[1].show()
    qtbot.waitUntil(lambda: 1 in drawn)


class Glass(QOpenGLWidget):
    """Notes when it draws; Qt puts its repainting off when another was just put together."""

    def __init__(self, number: int, drawn: list[int]) -> None:
        super().__init__()
        self.number, self.drawn = number, drawn

    def paintGL(self) -> None:
        self.drawn.append(self.number)


def test_drawings_that_qt_puts_off_come_once_and_then_all_is_at_rest(
    drawn: list[int], qtbot: QtBot
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    order = DrawnApart()
    panes = [Glass(n, drawn) for n in range(3)]
    for pane in panes:
        pane.setMinimumSize(40, 40)
        row.addWidget(pane)
        order.add(pane)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.waitUntil(lambda: {0, 1, 2} <= set(drawn) and not order.is_waiting)
    qtbot.wait(200)
    drawn.clear()
    for pane in panes:
        pane.update()
    qtbot.waitUntil(lambda: {0, 1, 2} <= set(drawn))
    qtbot.wait(500)
    assert sorted(drawn) == [0, 1, 2]
    assert not order.is_waiting
    window.close()


def test_a_canvas_that_does_not_draw_in_its_turn_lets_the_next_one(
    sheets: list[Sheet], drawn: list[int], qtbot: QtBot
) -> None:
    order = DrawnApart()
    for sheet in sheets:
        order.add(sheet)
    drawn.clear()
    order.pause()
    sheets[0].repaint()
    sheets[1].repaint()
    sheets[0].setUpdatesEnabled(False)
    qtbot.waitUntil(lambda: drawn == [1] and not order.is_waiting)
    sheets[0].setUpdatesEnabled(True)
    qtbot.waitUntil(lambda: drawn == [1, 0])
