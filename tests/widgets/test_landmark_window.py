"""Landmarks and measurements in a real napari window, with real mouse and key events."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.widgets.dock import MedlabelDock
from tests.widgets.mouse import move

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    pytest.mark.xdist_group("window"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

SHAPE = (40, 36, 30)


def spin(times: int = 3) -> None:
    for _ in range(times):
        QApplication.processEvents()
        QTest.qWait(5)


@pytest.fixture(autouse=True)
def closed_workplace(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Answer the question about unsaved work for tests that end with some."""
    monkeypatch.setattr(
        "napari_medlabel.widgets.closing.ask_to_save",
        lambda _parent: QMessageBox.StandardButton.Discard,
    )
    yield
    WORKPLACE.close()
    WORKPLACE.audit = None


@pytest.fixture
def make_dock(
    make_napari_viewer, make_grid: Callable[..., Grid], wishes: Wishes, tmp_path: Path
) -> Callable[[str], MedlabelDock]:
    """Return a function that opens a scan with a ball of 200 in 100, stored some way."""

    def make(codes: str) -> MedlabelDock:
        grid = make_grid(codes, SHAPE, (1.0, 1.2, 1.5))
        k, j, i = np.ogrid[tuple(slice(0, n) for n in reversed(SHAPE))]
        ball = (i - 20) ** 2 + (j - 18) ** 2 + (k - 15) ** 2 <= 64
        path = tmp_path / "ball.nii.gz"
        write_mask_nifti(
            path, np.where(ball, 200, 100).astype(np.uint16).T, None, False, grid.affine
        )
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(760, 640)
        dock = MedlabelDock(viewer)
        viewer.window.add_dock_widget(dock, name="Annotate", area="right")
        session = open_case([path], WORKPLACE.desk(), wishes, fallback=tmp_path)
        dock.desk.show_session(session)
        spin()
        return dock

    return make


def canvas(dock: MedlabelDock):
    return dock.viewer.window._qt_viewer.canvas.native


def pixel_of(dock: MedlabelDock, *ijk: float) -> QPoint:
    """Return the pixel of the canvas on which a voxel is drawn, by what napari draws."""
    binding, viewer = dock.desk.binding, dock.viewer
    world = np.asarray(
        binding.labels.data_to_world(binding.display.points_zyx(np.array(ijk, float)))
    )
    napari_canvas = viewer.window._qt_viewer.canvas
    low = np.asarray(napari_canvas._map_canvas2world((0, 0), napari_canvas.view))
    high = np.asarray(napari_canvas._map_canvas2world((100, 100), napari_canvas.view))
    row, column = viewer.dims.displayed
    x = (world[column] - low[column]) / (high[column] - low[column]) * 100
    y = (world[row] - low[row]) / (high[row] - low[row]) * 100
    return QPoint(round(float(x)), round(float(y)))


def show(dock: MedlabelDock, plane: str, *ijk: int) -> None:
    dock.desk.show_plane(plane)
    shown = dock.desk.binding.display.points_zyx(np.array(ijk, float))
    for axis in range(3):
        dock.viewer.dims.set_current_step(axis, round(float(shown[axis])))
    spin()


def drag(dock: MedlabelDock, *way: tuple[float, ...]) -> None:
    target, spots = canvas(dock), [pixel_of(dock, *place) for place in way]
    move(target, spots[0])
    spin(1)
    QTest.mousePress(target, Qt.MouseButton.LeftButton, pos=spots[0])
    for spot in spots[1:]:
        move(target, spot, Qt.MouseButton.LeftButton)
        spin(1)
    QTest.mouseRelease(target, Qt.MouseButton.LeftButton, pos=spots[-1])
    spin(2)


def key(dock: MedlabelDock, code: Qt.Key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(canvas(dock), code, modifier)
    spin(2)


def picture(dock: MedlabelDock, name: str) -> None:
    """Keep a picture of the window where a person asked for pictures."""
    folder = os.environ.get("MEDLABEL_TEST_PICTURES")
    if folder:
        spin(10)
        dock.viewer.window._qt_window.grab().save(str(Path(folder) / f"{name}.png"))


def index_of(dock: MedlabelDock, point_ras) -> np.ndarray:
    return dock.session.volume.grid.affine.to_index(np.array(point_ras))


@pytest.mark.parametrize("codes", ["LPS", "RAI"])
def test_the_mouse_places_landmarks_under_the_pixel_in_two_planes(
    make_dock: Callable[[str], MedlabelDock], codes: str
) -> None:
    dock = make_dock(codes)
    dock.tabs.setCurrentIndex(1)
    session, marking = dock.session, dock.mark_desk.marking
    first, second = (mark.name for mark in session.landmarks.landmarks[:2])
    show(dock, "Axial", 12, 10, 8)
    key(dock, Qt.Key.Key_Y)
    assert dock.landmark_panel.place_button.isChecked()
    drag(dock, (12, 10, 8))
    assert marking.draft is not None
    assert marking.draft.name == first
    assert np.abs(index_of(dock, marking.draft.point_ras) - (12, 10, 8)).max() < 0.25
    show(dock, "Coronal", 12, 10, 8)
    assert marking.draft.inspected == {"axial", "coronal"}
    drag(dock, (14, 10, 6))
    draft = np.array(marking.draft.point_ras)
    assert np.abs(index_of(dock, draft) - (14, 10, 6)).max() < 0.25
    picture(dock, f"draft-{codes}")
    key(dock, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert np.array(marking.draft.point_ras) - draft == pytest.approx([0, 0, 1.5])
    key(dock, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert np.array(marking.draft.point_ras) - draft == pytest.approx([0, 0, 1.4])
    key(dock, Qt.Key.Key_Return)
    assert marking.draft is None
    assert np.array(session.landmarks[first].point_ras) - draft == pytest.approx([0, 0, 1.4])
    assert session.landmarks[first].inspected == ("axial", "coronal")
    assert marking.current.name == second
    dock.landmark_panel.detail.mode_requested.emit("quick")
    show(dock, "Sagittal", 20, 12, 9)
    drag(dock, (20, 12, 9))
    assert np.abs(index_of(dock, session.landmarks[second].point_ras) - (20, 12, 9)).max() < 0.3
    key(dock, Qt.Key.Key_Escape)
    assert not dock.landmark_panel.place_button.isChecked()
    say_doubt(dock, first)
    show(dock, "Coronal", 14, 10, 6)
    picture(dock, f"placed-{codes}")
    assert not dock.notice.text.text()
    dock.desk.leave(discard=True)


def say_doubt(dock: MedlabelDock, name: str) -> None:
    panel, session = dock.landmark_panel, dock.session
    panel.aim_requested.emit(name)
    panel.detail.doubt_requested.emit(2.5)
    panel.detail.lock_requested.emit(True)
    assert session.landmarks[name].uncertain_mm == 2.5
    assert session.landmarks[name].locked
    dock.undo_button.click()
    assert not session.landmarks[name].locked
    dock.redo_button.click()


def test_the_mouse_measures_in_linked_views(make_dock: Callable[[str], MedlabelDock]) -> None:
    dock = make_dock("RAI")
    dock.tabs.setCurrentIndex(2)
    session = dock.session
    show(dock, "Axial", 20, 18, 15)
    dock.mark_desk.measures.panel.buttons["line"].click()
    drag(dock, (12, 18, 15), (20, 18, 15), (28, 18, 15))
    dock.mark_desk.measures.panel.buttons["ellipse"].click()
    drag(dock, (15, 13, 15), (20, 20, 15), (25, 23, 15))
    line, ellipse = session.measurements
    affine = session.volume.grid.affine
    assert np.abs(affine.to_index(line.array) - [(12, 18, 15), (28, 18, 15)]).max() < 0.25
    assert np.abs(affine.to_index(ellipse.array[:1]) - (20, 18, 15)).max() < 0.25
    picture(dock, "measured-axial")
    table = dock.mark_desk.measures.panel.table
    assert table.item(0, 0).text() == "Line 1"
    assert table.item(0, 1).text().endswith("mm")
    assert "mean 200.0" in table.item(1, 1).text()
    lines, words, _ = dock.mark_desk.measures.layers.layers_of(dock.mark_desk.views.first)
    assert len(words.data) == 2
    show(dock, "Axial", 20, 18, 17)
    assert len(words.data) == 0
    assert len(lines.data)
    show(dock, "Axial", 20, 18, 22)
    assert not len(lines.data)
    dock.mark_desk.measures.panel.go_requested.emit("Line 1")
    assert len(words.data) == 2
    pull_at_handles(dock)
    look_at_linked_views(dock)
    picture(dock, "measured-four")
    key(dock, Qt.Key.Key_Escape)
    key(dock, Qt.Key.Key_Escape)
    assert dock.mark_desk.measures.hand is None
    dock.desk.leave(discard=True)


def undo_while_pulling(dock: MedlabelDock, spots: list[QPoint]) -> None:
    """Undo ends a drag, as Escape does, and takes no step back."""
    measures, target = dock.mark_desk.measures, canvas(dock)
    known = len(dock.session.history)
    QTest.mousePress(target, Qt.MouseButton.LeftButton, pos=spots[0])
    move(target, spots[1], Qt.MouseButton.LeftButton)
    spin(1)
    assert measures.grips.is_dragging
    QTest.keyClick(target, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    spin(1)
    assert not measures.grips.is_dragging
    QTest.mouseRelease(target, Qt.MouseButton.LeftButton, pos=spots[1])
    spin(1)
    assert len(dock.session.history) == known


def pull_at_handles(dock: MedlabelDock) -> None:
    session, measures = dock.session, dock.mark_desk.measures

    def ends() -> np.ndarray:
        return session.volume.grid.affine.to_index(session.measurements["Line 1"].array)

    steps = len(session.history)
    assert measures.hand is not None  # the tool that measures leaves handles to the mouse
    drag(dock, (28, 18, 15), (29, 19, 15), (30, 22, 15))
    assert np.abs(ends() - [(12, 18, 15), (30, 22, 15)]).max() < 0.25
    key(dock, Qt.Key.Key_Escape)
    assert measures.hand is None
    assert measures.chosen == measures.panel.selected == "Line 1"
    drag(dock, (30, 22, 15), (29, 20, 15), (28, 18, 15))
    assert len(session.history) == steps + 2
    picture(dock, "measured-handles")
    show(dock, "Coronal", 28, 18, 15)
    drag(dock, (28, 18, 15), (27, 18, 16), (26, 18, 19))
    assert np.abs(ends() - [(12, 18, 15), (26, 18, 19)]).max() < 0.25
    before, target = ends(), canvas(dock)
    spots = [pixel_of(dock, 12, 18, 15), pixel_of(dock, 16, 18, 12)]
    QTest.mousePress(target, Qt.MouseButton.LeftButton, pos=spots[0])
    move(target, spots[1], Qt.MouseButton.LeftButton)
    spin(1)
    assert dock.viewer.cursor.style == "pointing"
    key(dock, Qt.Key.Key_Escape)
    QTest.mouseRelease(target, Qt.MouseButton.LeftButton, pos=spots[1])
    spin(1)
    assert np.array_equal(ends(), before)
    undo_while_pulling(dock, spots)
    assert np.array_equal(ends(), before)
    assert len(session.history) == steps + 3
    key(dock, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert np.abs(ends()[0] - before[0]).sum() == pytest.approx(1.0)
    assert np.array_equal(ends()[1], before[1])
    key(dock, Qt.Key.Key_Delete)
    assert [one.name for one in session.measurements] == ["Ellipse 1"]
    assert measures.chosen == measures.panel.selected == ""
    dock.desk.undo()
    show(dock, "Axial", 20, 18, 15)


def look_at_linked_views(dock: MedlabelDock) -> None:
    dock.viewer.window.resize(1000, 640)
    dock.sight_desk.choose_layout("Four", keep=False)
    dock.mark_desk.place(True)
    dock.mark_desk.put_at_cross()
    spin(10)
    for side in dock.mark_desk.views.sides:
        assert len(dock.mark_desk.measures.layers.layers_of(side)) == 3
        twin = side.twin_of(dock.viewer.layers["Draft"])
        assert twin.size == pytest.approx(dock.viewer.layers["Draft"].size)
        (shown,) = twin.data
        expected = dock.desk.binding.display.from_ras(dock.session.marking.draft.point_ras)
        assert shown == pytest.approx(expected)
