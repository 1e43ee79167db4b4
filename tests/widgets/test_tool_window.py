"""Tools in a real napari window, with real mouse and key events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_medlabel.edit.masking import Masking
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
AXES = {"Axial": 2, "Coronal": 1, "Sagittal": 0}


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
    # Two pixels tell the map from canvas to world: it is linear in 2D.
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


def click(dock: MedlabelDock, *ijk: float, button=Qt.MouseButton.LeftButton) -> None:
    spot, target = pixel_of(dock, *ijk), canvas(dock)
    move(target, spot)
    spin(1)
    QTest.mousePress(target, button, pos=spot)
    QTest.mouseRelease(target, button, pos=spot)
    spin(2)


def key(dock: MedlabelDock, code: Qt.Key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(canvas(dock), code, modifier)
    spin(2)


@pytest.mark.parametrize("codes", ["LPS", "RAI"])
def test_the_mouse_paints_the_voxel_under_the_pixel_and_keys_do_the_rest(
    make_dock: Callable[[str], MedlabelDock], codes: str, qtbot
) -> None:
    dock = make_dock(codes)
    session, desk = dock.session, dock.tool_desk
    labels = session.labels.array
    key(dock, Qt.Key.Key_W)
    assert desk.current == "brush"
    desk.choices.put("brush", "size_mm", 0.2)
    place = (13, 25, 9)  # off the middle along every axis
    for plane in AXES:
        show(dock, plane, *place)
        click(dock, *place)
        assert np.argwhere(labels).tolist() == [list(place)], plane
        key(dock, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert not labels.any(), plane
    # The view turned over: right stays right.
    dock.desk.set_convention(False)
    show(dock, "Coronal", *place)
    click(dock, *place)
    assert np.argwhere(labels).tolist() == [list(place)]
    click(dock, *place, button=Qt.MouseButton.RightButton)
    assert not labels.any()
    if codes == "LPS":
        locked_segment_is_not_painted_through(dock)
        a_preview_is_answered_by_keys(dock, qtbot)
        naparis_modes_have_the_mouse_back(dock)
        seeds_are_undone_first_and_wait_for_their_tool(dock)
        options_and_answers_are_scrolled_into_sight(dock, qtbot)
        a_preview_and_a_tool_go_with_the_case(dock, qtbot)


def locked_segment_is_not_painted_through(dock: MedlabelDock) -> None:
    session = dock.session
    box = tuple(slice(0, n) for n in SHAPE)
    session.edit(box, np.full(SHAPE, 2, np.uint8), name="Fill")
    session.bench.masking = Masking(locked=frozenset({2}))
    show(dock, "Axial", 20, 18, 15)
    click(dock, 20, 18, 15)
    assert (session.labels.array == 2).all()
    session.bench.masking = Masking()
    session.undo()
    assert not session.labels.array.any()


def a_preview_is_answered_by_keys(dock: MedlabelDock, qtbot) -> None:
    session, desk = dock.session, dock.tool_desk
    desk.choices.values["threshold"] = {"low": 150.0, "high": 250.0}
    ball = session.volume.array == 200
    for answer, wanted in ((Qt.Key.Key_Escape, False), (Qt.Key.Key_Return, True)):
        if desk.current != "threshold":
            key(dock, Qt.Key.Key_T)
        else:
            desk.apply()
        qtbot.waitUntil(lambda: session.bench.preview is not None, timeout=10_000)
        spin()
        assert dock.viewer.layers[-1].name == "Proposal"
        assert "ml" in desk.panel.preview.words.text()
        assert not session.labels.array.any()
        # Another label in hand: what was proposed for the one before is not accepted for it.
        dock.desk.binding.labels.selected_label = 3
        assert session.bench.preview is None
        dock.desk.binding.labels.selected_label = 1
        qtbot.waitUntil(lambda: session.bench.preview is not None, timeout=10_000)
        assert session.bench.preview.values == (1,)
        key(dock, answer)
        assert session.bench.preview is None
        assert "Proposal" not in [layer.name for layer in dock.viewer.layers]
        assert session.labels.array.any() == wanted
    assert np.array_equal(session.labels.array == 1, ball)
    assert session.history.undo_name == "Threshold"


def naparis_modes_have_the_mouse_back(dock: MedlabelDock) -> None:
    desk, labels = dock.tool_desk, dock.desk.binding.labels
    key(dock, Qt.Key.Key_W)
    assert desk.current == "brush"
    key(dock, Qt.Key.Key_P)
    assert (desk.current, str(labels.mode)) == ("", "paint")
    key(dock, Qt.Key.Key_Q)
    assert (desk.current, str(labels.mode)) == ("brush", "pan_zoom")
    key(dock, Qt.Key.Key_BracketRight)
    assert desk.choices.size_mm > 0.2
    key(dock, Qt.Key.Key_Escape)
    assert desk.current == ""
    assert labels.mouse_pan


def options_and_answers_are_scrolled_into_sight(dock: MedlabelDock, qtbot) -> None:
    session, desk = dock.session, dock.tool_desk
    session.undo()
    dock.tabs.setCurrentIndex(0)
    bar, view = dock.column.verticalScrollBar(), dock.column.viewport()
    assert bar.maximum() > 0

    def in_sight(part) -> bool:
        top = part.mapTo(view, QPoint(0, 0)).y()
        return part.isVisible() and top >= 0 and top + part.height() <= view.height()

    bar.setValue(0)
    desk.choose("brush")
    qtbot.waitUntil(lambda: in_sight(desk.panel.lowest), timeout=5_000)
    bar.setValue(0)
    desk.choose("threshold")
    qtbot.waitUntil(lambda: in_sight(desk.panel.preview.accept_button), timeout=10_000)
    desk.put_down()


def seeds_are_undone_first_and_wait_for_their_tool(dock: MedlabelDock) -> None:
    session, desk = dock.session, dock.tool_desk
    box = tuple(slice(0, n) for n in SHAPE)
    session.edit(box, np.full(SHAPE, 2, np.uint8), name="Fill")
    show(dock, "Axial", 20, 18, 15)
    desk.choose("grow")
    click(dock, 20, 18, 15)
    assert len(desk.hand.growing.seeds) == 1
    assert dock.undo_button.text() == "Undo: seed stroke"
    key(dock, Qt.Key.Key_W)
    assert "1 seed stroke kept" in desk.panel.hint.text()
    key(dock, Qt.Key.Key_G)
    assert len(desk.hand.growing.seeds) == 1
    key(dock, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not desk.hand.growing.seeds
    assert (session.labels.array == 2).all()
    assert dock.undo_button.text() == "Undo: fill"
    dock.redo_button.click()
    assert len(desk.hand.growing.seeds) == 1
    key(dock, Qt.Key.Key_Escape)
    assert desk.current == "grow"
    key(dock, Qt.Key.Key_Escape)
    assert desk.current == ""
    assert "forgotten" in desk.panel.hint.text()
    session.undo()
    desk.choose("threshold")
    desk.apply()
    desk.put_down()


def a_preview_and_a_tool_go_with_the_case(dock: MedlabelDock, qtbot) -> None:
    session, desk = dock.session, dock.tool_desk
    session.undo()
    desk.choose("threshold")
    qtbot.waitUntil(lambda: session.bench.preview is not None, timeout=10_000)
    desk.keys.show_sheet()
    sheet = desk.keys.sheet
    assert sheet is not None
    assert "Threshold" in sheet.page.toPlainText()
    desk.apply()
    dock.desk.close_case()
    qtbot.waitUntil(lambda: len(dock.viewer.layers) == 0, timeout=10_000)
    assert session.bench.preview is None
    assert desk.current == ""
    assert not desk.panel.isVisible()
    assert not sheet.isVisible()
    spin(20)  # what was still computed is forgotten
    assert len(dock.viewer.layers) == 0
