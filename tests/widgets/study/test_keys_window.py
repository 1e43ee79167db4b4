"""Keys in a real window: on the sheet, one act each, and silent while somebody types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from napari.settings import get_settings
from napari.utils.key_bindings import coerce_keybinding
from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QKeySequence, QShortcut
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.plugin.keys import Key, Keys
from napari_medlabel.plugin.tools.catalogue import TOOLS
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.layout import CONSENSUS
from napari_medlabel.session.study.reviewing import begin_review
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from napari_medlabel.widgets.dock import MedlabelDock
from napari_medlabel.widgets.dock_keys import as_qt, canvas_of
from napari_medlabel.widgets.study.score_panel import SCORES
from napari_medlabel.widgets.tool_palette import key_words
from tests.session.study.small_study import SmallStudy, make_study

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    pytest.mark.xdist_group("window"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

DIGITS = {str(score) for score, _ in SCORES}
OURS = {"Control-Z", "Control-Shift-Z", "C", "O", "Y"}
"""What is ours on every layer although napari has a meaning for it: undo and redo are of one
history, contrast is set by windows, and no plane of napari's is shown that could be turned."""
ONLY_OVER_THE_PICTURE = {"Return", "Space", "Backspace", "[", "]", "Z", "6"}
"""Fields and buttons of a dock have a meaning for these."""
KINDS = ("work", "review", "look", "adjudicate")


def wait_for(what: Callable[[], object], seconds: float = 20.0) -> None:
    """Let the window work until something is so."""
    for _ in range(int(seconds * 50)):
        QApplication.processEvents()
        if what():
            return
        QTest.qWait(20)
    pytest.fail("what was waited for did not come")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    """Give a study with a reading for each thing that can be done with one."""
    made = make_study(tmp_path_factory.mktemp("keys"), cases=2)
    for number, slot, who in ((0, "A", "r01"), (0, "B", "r02"), (1, "A", "r01")):
        start(made.seat(who), made.cases[number], slot)
        submit(made.seat(who), made.cases[number], slot, made.scan(number), made.work(1, 2))
    start(made.seat("r02"), made.cases[1], "B")
    begin_review(made.seat("r04"), made.cases[1], "A")
    made.close()
    yield made
    made.close()


@pytest.fixture
def dock(make_napari_viewer: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MedlabelDock]:
    """Give the dock of a window that asks nobody about unsaved work."""
    monkeypatch.setattr("napari_medlabel.widgets.closing.ask_to_save", _never)
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1200, 1000)
    made = MedlabelDock(viewer)
    viewer.window.add_dock_widget(made, name="Annotate", area="right")
    yield made
    made.study_desk.close_study()
    WORKPLACE.close()


def _never(_parent: object) -> None:
    raise AssertionError("nothing was drawn")


def open_one(dock: MedlabelDock, study: SmallStudy, kind: str) -> Keys:
    """Open a reading of one kind, each for another person, and return its keys."""
    desk = dock.study_desk
    assert desk.close_study()
    study.close()
    desk.sit(study.seat({"work": "r02", "adjudicate": "m1"}.get(kind, "r04")))
    if kind == "look":
        desk.review.quick.start(1, seed=1)
    elif kind == "adjudicate":
        assert desk.open_reading("adjudicate", study.cases[0], CONSENSUS)
    else:
        assert desk.open_reading(kind, study.cases[1], "B" if kind == "work" else "A")
    wait_for(lambda: desk.reading is not None and desk.reading.purpose == kind)
    guidelines = desk.guide.guidelines
    guidelines.show(True)
    wait_for(lambda: guidelines.is_shown)
    keys = desk.reading.binding.keys
    known = {written(one) for one in keys.listed} - ONLY_OVER_THE_PICTURE
    for part in (dock, guidelines.panel):
        wait_for(lambda part=part: shortcuts_of(part) == known)
    return keys


def as_pressed(keys: Iterable[object]) -> set[str]:
    return {str(coerce_keybinding(key)) for key in keys}


def shortcuts_of(part: QWidget) -> set[str]:
    return {one.key().toString() for one in part.findChildren(QShortcut) if one.isEnabled()}


def written(key: Key) -> str:
    return str(as_qt(key.key).toString())


def test_every_key_of_a_window_is_on_the_sheet_and_does_one_thing(
    dock: MedlabelDock, study: SmallStudy
) -> None:
    for kind in KINDS:
        keys = open_one(dock, study, kind)
        check_bound(dock, keys)
        check_sheet(dock, keys)
        check_alone(dock, keys, DIGITS if kind == "look" else set())
        check_buttons(dock, keys)


def check_bound(dock: MedlabelDock, keys: Keys) -> None:
    """Hold what the layers and the docks listen to against what is listed."""
    binding, resting = dock.desk.binding, tuple(keys._resting)
    keys.wake(*(one.key for one in keys.listed))
    listed = as_pressed(one.key for one in keys.listed)
    assert len(listed) == len(keys.listed), "no two spellings of one key"
    for layer in (binding.labels, binding.points, binding.image):
        assert as_pressed(layer.keymap) == listed
    assert as_pressed(binding.viewer.keymap) <= listed
    known = {written(one) for one in keys.listed}
    others = {one.shortcut().toString() for one in dock.findChildren(QAbstractButton)}
    assert others - {""} <= known
    tools = {one.title: one.key for one in TOOLS if one.key}
    assert {words: keys.key_of(words) for words in tools} == tools, "no tool is without its key"
    keys.rest(*resting)


def check_sheet(dock: MedlabelDock, keys: Keys) -> None:
    """Hold the sheet against what is listed, and against what is left of napari's own."""
    dock.tool_desk.keys.show_sheet()
    said = dock.tool_desk.keys.sheet.page.toPlainText().replace("\xa0", " ").split("\n")
    lines = [line.strip() for line in said if line.strip()]
    rows = list(pairwise(lines))
    for key in keys.listed:
        assert (key_words(key.key), key.words) in rows
    where = lines.index("napari's own") if "napari's own" in lines else len(lines)
    assert where < len(lines)
    awake = {one.key for one in keys.listed} - set(keys._resting)
    naparis = {row[0] for row in rows if row[1] in ("Paint", "Erase", "Fill bucket")}
    told = {key for row in naparis for key in row.split(", ")}
    assert not told & awake, "the sheet calls nothing napari's that is ours"
    dock.tool_desk.keys.sheet.close()


def check_alone(dock: MedlabelDock, keys: Keys, lent: set[str]) -> None:
    """Hold what is ours at rest against napari's own keys, menus and mnemonics."""
    binding = dock.desk.binding
    awake = {one.key for one in keys.listed} - set(keys._resting)
    kinds = ("viewer", "labels", "points", "image")
    taken = as_pressed(
        key
        for name, found in get_settings().shortcuts.shortcuts.items()
        if _is_about(name, kinds)
        for key in found
    )
    for layer in (binding.labels, binding.points, binding.image, binding.viewer):
        taken |= as_pressed(layer.class_keymap)
    assert as_pressed(awake) & taken <= as_pressed({*OURS, *lent})
    window = dock.window()
    menus = {
        one.toString()
        for action in window.findChildren(QAction)
        for one in action.shortcuts()
        if not dock.isAncestorOf(action.parent() if _is_part(action.parent()) else dock)
    }
    ours = {written(one) for one in keys.listed}
    assert not ours & menus
    titles = [action.text() for action in window.menuBar().actions()]
    titles += [one.text() for one in window.findChildren(QAbstractButton)]
    assert not ours & {QKeySequence.mnemonic(title).toString() for title in titles}


def _is_part(parent: object) -> bool:
    return isinstance(parent, QWidget)


def _is_about(action: str, kinds: Iterable[str]) -> bool:
    from napari.utils.action_manager import action_manager

    provider = action_manager._actions[action].keymapprovider
    return provider is None or provider.__name__.lower().removesuffix("model") in kinds


def check_buttons(dock: MedlabelDock, keys: Keys) -> None:
    """Hold the keys that stand on buttons against those that are bound."""
    known = {key_words(one.key) for one in keys.listed}
    for button in dock.findChildren(QAbstractButton):
        for told in re.findall(r"\((F\d+|(?:Ctrl|Alt|Shift)\+[^()]+|⇧?[A-Z])\)", button.text()):
            assert told in known, button.text()


def test_no_key_does_anything_while_somebody_types(
    dock: MedlabelDock, study: SmallStudy
) -> None:
    keys = open_one(dock, study, "work")
    binding, done = dock.desk.binding, []
    listed = keys.listed
    for one in listed:
        keys.free(one.key)
        keys.bind(one.key, one.words, partial(done.append, one.key), group=one.group)
    window = dock.window()
    window.activateWindow()
    wait_for(window.isActiveWindow)
    canvas = canvas_of(window)
    binding.viewer.layers.selection.active = binding.labels
    for one in listed:
        press(canvas, one.key)
    assert set(done) == {one.key for one in listed}, "over the picture each does its work"
    done.clear()
    for name, begin in fields(dock).items():
        for key in (*(one.key for one in listed), "Alt-Up", "Control-Up", "Delete"):
            field = begin()
            press(field, key)
            assert not done, (name, key)
            assert binding.viewer.layers.selection.active is binding.labels, (name, key)
    press(canvas, listed[0].key)
    assert done == [listed[0].key]


def press(widget: QWidget, key: str) -> None:
    """Press a key as a person does, where a widget has the focus."""
    widget.setFocus()
    assert widget.hasFocus()
    code = as_qt(key)[0]
    assert code.key() != Qt.Key.Key_unknown
    QTest.keyClick(widget, code.key(), code.keyboardModifiers())


def fields(dock: MedlabelDock) -> dict[str, Callable[[], QWidget]]:
    """Return all in which one can type, by what begins to: they stand in the dock."""
    page, table, choice = QWidget(dock), QTableWidget(1, 1), QComboBox()
    table.setItem(0, 0, QTableWidgetItem("a point"))
    choice.setEditable(True)
    plain = (QLineEdit(), QSpinBox(), QDoubleSpinBox(), QTextEdit(), QPlainTextEdit(), choice)
    column = QVBoxLayout(page)
    for part in (table, *plain):
        column.addWidget(part)
    page.resize(dock.size())
    page.show()
    page.raise_()

    def edit() -> QWidget:
        table.setFocus()
        table.editItem(table.item(0, 0))
        editor = QApplication.focusWidget()
        assert isinstance(editor, QLineEdit)
        return editor

    return {"table": edit} | {type(part).__name__: partial(_same, part) for part in plain}


def _same(part: QWidget) -> QWidget:
    return part
