"""Two readings that differ, settled in a real window, and how well they agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.cases.version import read_labels, read_version
from napari_medlabel.project.comments import read_comments
from napari_medlabel.project.layout import CONSENSUS
from napari_medlabel.session.study.commenting import Remark, comment
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from napari_medlabel.widgets.dock import MedlabelDock
from napari_medlabel.widgets.study.agreement_window import AgreementWindow, show_agreement
from tests.session.study.small_study import ONTOLOGY, SmallStudy, make_study

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    pytest.mark.xdist_group("window"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

TAKEN = {("A only", "Liver"): "A", ("B only", "Liver"): "union", ("B only", "Spleen"): "edited"}


def until(done: Callable[[], bool]) -> None:
    """Let the window work until something has come, for some seconds at most."""
    for _ in range(1500):
        if done():
            break
        QApplication.processEvents()
        QTest.qWait(10)
    assert done()


def read(study: SmallStudy, who: str, slot: str, *values: int, place: int = 2) -> None:
    seat, case = study.seat(who), study.cases[0]
    start(seat, case, slot)
    submit(seat, case, slot, study.scan(), study.work(*values, place=place))


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    """Return a case of which A has liver, and B liver one voxel on, and spleen."""
    made = make_study(tmp_path, cases=1, people=("m1", "r01", "r02", "r04"))
    read(made, "r01", "A", 1)
    read(made, "r02", "B", 1, 2, place=3)
    comment(made.seat("r04"), made.cases[0], "B", Remark("Too large?", label=1))
    yield made
    WORKPLACE.close()
    WORKPLACE.audit = None
    made.close()


@pytest.fixture
def dock(study: SmallStudy, make_napari_viewer) -> MedlabelDock:
    """Return the dock of a window with the case open for its adjudicator."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1200, 900)
    made = MedlabelDock(viewer)
    viewer.window.add_dock_widget(made, name="Annotate", area="right")
    desk = made.study_desk
    desk.sit(study.seat("m1"))
    panel = desk.work.list
    until(lambda: panel.table.rowCount() > 0)
    panel.choose(study.cases[0], CONSENSUS)
    assert panel.open_button.text() == "Settle"
    QTest.mouseClick(panel.open_button, Qt.MouseButton.LeftButton)
    until(lambda: desk.compare.work is not None)
    return made


def _never(_parent: object) -> None:
    raise AssertionError("every decision is kept: there is nothing to ask")


def test_an_adjudicator_walks_differences_and_writes_what_was_decided(
    study: SmallStudy, dock: MedlabelDock, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = dock.study_desk
    compare = desk.compare
    work, panel = compare.work, compare.panel
    assert dock.notice.isHidden(), "it opens without a complaint"
    assert dock.save_button.text() == "Save (F2)"
    assert dock.tabs.currentWidget() is compare.page.parentWidget()
    assert not panel.choices["majority"].isEnabled()
    assert "three or more" in panel.choices["majority"].toolTip()
    titles = [
        dock.tabs.tabText(n) for n in range(dock.tabs.count()) if dock.tabs.isTabVisible(n)
    ]
    assert not {"Questions", "Boxes", "Review"} & set(titles), "they are about one reading"
    comment_on_a_reading(study, dock)
    seen = [decide_one(dock) for _ in TAKEN]
    assert len(set(seen)) == len(TAKEN)
    assert work.open == ()
    expected = work.differences.agreed.copy()
    expected[2:5, 2:4, 1:3] = 1
    drawn = work.session.labels.array.copy()
    spleen = np.zeros(expected.shape, dtype=bool)
    spleen[3:5, 4:6, 1:3] = True
    # One slice of it was painted, with a brush that went far over it.
    expected[spleen] = drawn[spleen]
    assert sorted(np.unique(np.nonzero(drawn == 2)[2])) in ([1], [2])
    assert np.array_equal(drawn, expected), "it draws in the difference alone"
    QTest.mouseClick(panel.finish, Qt.MouseButton.LeftButton)
    until(lambda: "Version 1" in compare.notice.text.text())
    assert "voxels" not in compare.notice.text.text(), "nothing is open"
    grid = work.session.volume.grid
    version = read_version(study.layout, CONSENSUS, study.cases[0], 1)
    written = read_labels(study.layout, version, grid, ONTOLOGY.scheme())
    assert np.array_equal(written.array, expected)
    assert not any("r0" in layer.name for layer in dock.viewer.layers)
    monkeypatch.setattr("napari_medlabel.widgets.closing.ask_to_save", _never)
    assert dock.session.is_dirty
    assert not compare.button.isVisible(), "no room is taken from a reading in hand"
    dock.desk.close_case()
    assert compare.work is None
    assert not any("Differences" in layer.name for layer in dock.viewer.layers)
    compare_all(dock)
    desk.close_study()
    assert desk.findChild(AgreementWindow) is None


def comment_on_a_reading(study: SmallStudy, dock: MedlabelDock) -> None:
    """Answer what a reviewer said of reading B; nothing is said about the case as a whole."""
    threads, case = dock.study_desk.review.threads, study.cases[0]
    until(lambda: len(threads._threads) == 1 and not threads._background.is_busy)
    panel = threads.panel
    assert panel.new.isHidden()
    assert panel.list.item(0).text().endswith("Too large?\nreading B · Liver")
    panel.choose(threads._threads[0].first.id)
    panel.reply.setText("It is.")
    panel.reply_button.click()
    until(lambda: len(threads._threads[0].comments) == 2)
    (thread,) = read_comments(study.layout, case).threads
    assert [one.slot for one in thread.comments] == ["B", "B"]
    assert not dock.notice.isVisible(), dock.notice.text.text()


def decide_one(dock: MedlabelDock) -> tuple[str, str]:
    """Decide the difference in hand, go to the next by its key, and return which it was."""
    desk, viewer = dock.study_desk, dock.viewer
    panel, work = desk.compare.panel, desk.compare.work
    entry, binding = panel.in_hand, desk.reading.binding
    place = work.differences.found[entry.number].place_ras
    shown = binding.display.from_ras(place).round()
    assert viewer.dims.current_step == tuple(shown), "the views are where it is"
    choice = TAKEN[entry.who, entry.labels]
    QTest.mouseClick(panel.choices[choice], Qt.MouseButton.LeftButton)
    if choice == "edited":
        QTest.mouseClick(panel.back, Qt.MouseButton.LeftButton)
        QTest.mouseClick(panel.choices[choice], Qt.MouseButton.LeftButton)
        binding.labels.paint(shown, 2)
    assert work.work.choice(work.differences.found[entry.number]) == choice
    canvas = viewer.window._qt_viewer.canvas.native
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_D, Qt.KeyboardModifier.AltModifier)
    QApplication.processEvents()
    assert panel.in_hand.number != entry.number
    return entry.who, entry.labels


def compare_all(dock: MedlabelDock) -> None:
    """Compare the study, and come back to the case by a dot of a plot."""
    desk = dock.study_desk
    assert desk.compare.button.isVisible()
    QTest.mouseClick(desk.compare.button, Qt.MouseButton.LeftButton)
    window = show_agreement(desk)
    until(lambda: not window.background.is_busy and window.panel.cases.rowCount() == 1)
    window.compare(True, False)
    until(lambda: window.found is not None)
    panel = window.panel
    assert panel.table.rowCount() == 4
    assert "Dice 0" in panel.rules.text()
    assert show_agreement(desk) is window
