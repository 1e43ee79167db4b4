"""Linked views in a real napari window, with real mouse events; few tests, long ones."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import Source, Volume
from napari_medlabel.plugin.display import PLANES
from napari_medlabel.plugin.sight.view import SideView, View
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.opening import Wishes, adopt_volume
from napari_medlabel.widgets.dock import MedlabelDock
from napari_medlabel.widgets.sight.ortho import BESIDE, GRID, SINGLE
from tests.widgets.mouse import move

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    pytest.mark.xdist_group("window"),
    # napari's own threads and OpenGL objects outlive a test now and then.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SHAPE = (16, 14, 12)


def spin(times: int = 4) -> None:
    for _ in range(times):
        QApplication.processEvents()
        QTest.qWait(10)


@pytest.fixture(autouse=True)
def closed_workplace() -> Iterator[None]:
    yield
    WORKPLACE.close()


@pytest.fixture
def open_dock(
    make_napari_viewer, make_grid: Callable[..., Grid], wishes: Wishes, tmp_path: Path
) -> Iterator[Callable[[str], MedlabelDock]]:
    """Return a function that shows a scan of any voxel order in four squares."""
    docks: list[MedlabelDock] = []

    def make(codes: str) -> MedlabelDock:
        grid = make_grid(codes, shape=SHAPE, spacing=(1.0, 1.2, 1.5))
        # Every voxel has a grey of its own: neighbours differ, and so do opposite places.
        array = np.random.default_rng(7).permutation(grid.size).astype(np.uint16)
        volume = Volume(
            grid,
            array.reshape(grid.shape),
            Source("dicom", (Path("scan.dcm"),), ("ab" * 32,)),
            modality="MR",
        )
        session = adopt_volume(
            volume, [tmp_path / "scan.dcm"], WORKPLACE.desk(), wishes, fallback=tmp_path
        )
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1000, 700)
        viewer.window._qt_viewer.dockLayerControls.hide()
        viewer.window._qt_viewer.dockLayerList.hide()
        dock = MedlabelDock(viewer)
        viewer.window.add_dock_widget(dock, name="Annotate", area="right")
        dock.desk.show_session(session)
        dock.desk.binding.image.interpolation2d = "nearest"
        dock.desk.binding.image.contrast_limits = (0, grid.size - 1)
        dock.sight_desk.choose_layout(GRID)
        spin()
        docks.append(dock)
        return dock

    yield make
    for dock in docks:
        if hasattr(dock.viewer.window, "_qt_window"):
            dock.desk.leave(discard=True)
        else:
            dock.session.close(discard=True)
    docks.clear()
    spin(2)


def native(dock: MedlabelDock, view: View) -> Any:
    return dock.sight_desk.ortho.canvas_of(view).canvas.native


def pixel_of(dock: MedlabelDock, view: View, voxel_zyx: tuple[int, ...]) -> QPoint:
    """Return the pixel at a voxel's centre: by camera and canvas, without napari's own map."""
    cross, camera = dock.sight_desk.views.cross, view.model.scene.camera
    canvas = native(dock, view)
    down, right = view.across
    centre = np.array(camera.center[-2:], dtype=float)
    away = [cross.world_at(down, voxel_zyx[down]), cross.world_at(right, voxel_zyx[right])]
    dy, dx = (np.array(away) - centre) * float(camera.zoom)
    vertical, horizontal = (str(o) for o in camera.orientation2d)
    x = canvas.width() / 2 + (dx if horizontal == "right" else -dx)
    y = canvas.height() / 2 + (dy if vertical == "down" else -dy)
    return QPoint(round(x), round(y))


def picture_of(dock: MedlabelDock, view: View) -> np.ndarray:
    """Return the pixels of a view, shape (y, x, 3), one for each of the mouse's."""
    canvas = dock.sight_desk.ortho.canvas_of(view)
    return canvas.screenshot(flash=False)[..., :3].astype(float)


def grey_at(dock: MedlabelDock, view: View, spot: QPoint) -> float:
    """Return what is on the screen in a pixel, as voxel value."""
    grey = picture_of(dock, view)[spot.y(), spot.x()].mean()
    return float(grey / 255 * (np.prod(SHAPE) - 1))


def soon(check: Callable[[], bool], patience_s: float = 10.0) -> bool:
    """Wait until something holds: a canvas may be drawn late on a busy machine."""
    end = time.monotonic() + patience_s
    while not check() and time.monotonic() < end:
        spin(2)
    return check()


def click(canvas: Any, spot: QPoint, **words: Any) -> None:
    move(canvas, spot)
    spin(1)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=spot, **words)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=spot, **words)
    spin(1)


# Two voxel orders, one with each convention: every view is flipped against the files once.
@pytest.mark.parametrize(("codes", "radiological"), [("RAS", True), ("PIL", False)])
def test_a_click_hits_the_voxel_under_the_pixel_in_every_plane(
    open_dock: Callable[[str], MedlabelDock], codes: str, radiological: bool
) -> None:
    dock = open_dock(codes)
    desk = dock.sight_desk
    views, session = desk.views, dock.session
    desk.show_lines(False)
    desk.set_convention(radiological)
    # The scan itself on the screen: the mouse is compared with what is seen.
    shown = views.display.show(session.volume.array)
    assert {view.plane for view in views.all} == set(PLANES)
    shape = views.display.shape
    for view, goal in zip(views.all, [(3, 4, 11), (8, 10, 2), (2, 9, 9)], strict=True):
        target = [min(n - 2, t) for n, t in zip(shape, goal, strict=True)]
        target[view.axis] = views.cross.voxel_zyx[view.axis]
        click(native(dock, view), pixel_of(dock, view, tuple(target)))
        assert views.cross.voxel_zyx == tuple(target), view.plane
        value = float(shown[tuple(target)])
        assert session.volume.array[views.cross.voxel_ijk] == value
        # The same voxel, in the pixels of all three views.
        for other in views.all:
            spot = tuple(target)
            assert soon(
                lambda other=other, spot=spot, value=value: (
                    abs(grey_at(dock, other, pixel_of(dock, other, spot)) - value) < 12
                )
            ), (view.plane, other.plane)
    # And paint lands there too, in every view, as one step each.
    labels = dock.desk.binding.labels
    labels.mode, labels.brush_size = "paint", 1
    for number, view in enumerate(views.all, 1):
        target = [n // 3 for n in shape]
        target[view.axis] = views.cross.voxel_zyx[view.axis]
        labels.selected_label = number
        click(native(dock, view), pixel_of(dock, view, tuple(target)))
        painted = np.argwhere(views.display.show(session.labels.array) == number)
        assert painted.tolist() == [target], view.plane
        assert len(session.history) == number
    assert dock.undo_button.text() == "Undo: paint"


def test_the_wheel_scrolls_and_the_lines_lie_where_the_views_are(
    open_dock: Callable[[str], MedlabelDock],
) -> None:
    dock = open_dock("LPS")
    desk = dock.sight_desk
    views, ortho = desk.views, desk.ortho
    coronal = views.sides[0]
    canvas = native(dock, coronal)
    before = views.cross.voxel_zyx
    middle = QPointF(canvas.rect().center())
    turn = QWheelEvent(
        middle,
        QPointF(canvas.mapToGlobal(middle.toPoint())),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    zoom = coronal.model.scene.camera.zoom
    QApplication.sendEvent(canvas, turn)
    spin(1)
    assert views.cross.voxel_zyx == (before[0], before[1] + 1, before[2])
    assert coronal.model.scene.camera.zoom == zoom
    # The line moves in the other views, in the plane's own colour.
    views.go_to_voxel((12, 10, 9))
    spin(2)

    def orange() -> float:
        at = pixel_of(dock, views.first, views.cross.voxel_zyx)
        far = picture_of(dock, views.first)[at.y() - 1 : at.y() + 2, at.x() + 12 : at.x() + 40]
        return float((far[..., 0] - far[..., 2] > 60).any(axis=0).mean())

    assert soon(lambda: orange() > 0.5), "the coronal slice's line lies across the axial view"

    def under() -> bool:
        move(canvas, pixel_of(dock, coronal, views.cross.voxel_zyx))
        spin(2)
        return "voxel 12, 10, 9" in ortho.line.text()

    # Where a voxel is on the screen is known once the view was drawn.
    assert soon(under), "the voxel under the mouse is told"
    assert "no label" in ortho.line.text()


def test_a_double_click_or_a_key_enlarges_and_brings_back(
    open_dock: Callable[[str], MedlabelDock],
) -> None:
    dock = open_dock("LPS")
    desk = dock.sight_desk
    views, ortho = desk.views, desk.ortho
    coronal = views.sides[0]
    canvas = native(dock, coronal)
    spot = canvas.rect().center()
    for alone in (True, False):
        QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=spot)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=spot)
        spin(2)
        assert (ortho.large is coronal) is alone
        assert ortho.canvas_of(views.first).isVisible() is not alone
        assert canvas.isVisible()
    widths = {ortho.canvas_of(view).width() for view in views.all}
    assert max(widths) - min(widths) <= 2, "four squares are four squares again"
    # A key does it too, and the cross-hair follows the mouse in any mode.
    QTest.keyClick(canvas, Qt.Key.Key_F6)
    assert ortho.large is views.current
    QTest.keyClick(canvas, Qt.Key.Key_F6)
    QTest.keyClick(canvas, Qt.Key.Key_F4)
    spin(2)
    assert ortho.layout_name == SINGLE
    assert views.sides == []
    solid = desk.show_solid()
    assert isinstance(solid, SideView)


def test_the_layout_is_remembered_and_everything_goes_with_the_case(
    open_dock: Callable[[str], MedlabelDock], make_grid: Callable[..., Grid]
) -> None:
    from napari._qt.qt_viewer import QtViewer

    dock = open_dock("LPS")
    desk, viewer = dock.sight_desk, dock.viewer
    desk.choose_layout(BESIDE)
    desk.show_panels(False)
    desk.show_lines(False)
    assert dock.sight_desk.layout_panel.layout_box.currentText() == BESIDE
    session = dock.session
    volume, place = session.volume, session.place
    main = viewer.window._qt_viewer
    assert soon(lambda: len(QtViewer._instances) == 3), "each canvas comes in a turn of its own"
    dock.desk.close_case()
    spin()
    assert soon(lambda: gc.collect() >= 0 and len(QtViewer._instances) == 1)
    assert desk.views is None
    assert main.isVisible()
    assert main.parentWidget().layout().indexOf(main) >= 0
    assert main.dockLayerList.isVisible(), "napari is left as it was"
    again = adopt_volume(
        volume, [place.folder / "scan.dcm"], WORKPLACE.desk(), Wishes(folder=place.folder),
        fallback=place.folder,
    )  # fmt: skip
    dock.desk.show_session(again)
    spin()
    assert desk.ortho.layout_name == BESIDE
    assert not desk.ortho.shows_lines
    assert not main.dockLayerList.isVisible()
    assert len(desk.views.sides) == 2
    # The viewer goes with the case still open: the fixture looks for what is left.
    viewer.close()
    assert desk.views is None
    spin()
