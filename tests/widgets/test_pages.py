"""Pages whose titles take as many rows as they need."""

from __future__ import annotations

from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QLineEdit, QPushButton

from napari_medlabel.widgets.pages import Pages

TITLES = ("Labels", "Landmarks", "Measurements", "View", "Questions", "Review", "Comments")


def pages(qtbot: QtBot, width: int) -> Pages:
    made = Pages()
    qtbot.addWidget(made)
    for title in TITLES:
        made.addTab(QLabel(title), title)
    made.resize(width, 300)
    made.show()
    qtbot.waitExposed(made)
    qtbot.wait(20)
    return made


def titles(made: Pages) -> dict[str, QPushButton]:
    return {button.text(): button for button in made.findChildren(QPushButton)}


def test_every_title_is_whole_however_narrow_it_is(qtbot: QtBot) -> None:
    for width in (260, 330, 1200):
        made = pages(qtbot, width)
        rows = {button.y() for button in titles(made).values()}
        assert (len(rows) > 1) == (width < 1200)
        for button in titles(made).values():
            assert button.width() >= button.sizeHint().width()
            assert button.x() + button.width() <= made.width()


def test_a_click_turns_to_a_page_and_tells(qtbot: QtBot) -> None:
    made = pages(qtbot, 330)
    told: list[int] = []
    made.current_changed.connect(told.append)
    assert made.currentIndex() == 0
    qtbot.mouseClick(titles(made)["Review"], Qt.MouseButton.LeftButton)
    assert made.currentWidget().text() == "Review"
    assert told == [5]
    assert made.tabText(5) == "Review"


def test_a_hidden_page_is_not_turned_to_and_gives_way(qtbot: QtBot) -> None:
    made = pages(qtbot, 330)
    made.setCurrentIndex(5)
    made.setTabVisible(5, False)
    assert made.currentIndex() == 0
    assert not titles(made)["Review"].isVisible()
    made.setCurrentIndex(5)
    assert made.currentIndex() == 0
    made.setTabVisible(5, True)
    made.setCurrentIndex(5)
    assert made.currentIndex() == 5
    assert made.indexOf(QLabel("no page")) == -1
    made.setTabVisible(-1, True)
    assert not made.isTabVisible(-1)


def test_tab_goes_through_the_titles_and_then_into_the_page(qtbot: QtBot) -> None:
    made = Pages()
    inside = [QLineEdit(), QLineEdit()]
    for title, line in zip(TITLES, inside, strict=False):
        made.addTab(line, title)
    qtbot.addWidget(made)
    chain, at = [], made.nextInFocusChain()
    while at is not made:
        chain.append(at)
        at = at.nextInFocusChain()
    wanted = [*titles(made).values(), *inside]
    assert [one for one in chain if one in wanted] == wanted
