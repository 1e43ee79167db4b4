"""Several volumes in a real napari window: what the slider shows is what everything takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model import presets
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.model.volume import FurtherAxis, Source, Volume
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.case import WHOLE
from napari_medlabel.session.opening import Wishes, adopt_volume
from napari_medlabel.widgets.dock import MedlabelDock
from tests.widgets.mouse import move

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    pytest.mark.xdist_group("window"),
    # napari's own threads and OpenGL objects outlive a test now and then.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
WAIT_MS = 20_000


def spin(times: int = 5) -> None:
    for _ in range(times):
        QApplication.processEvents()
        QTest.qWait(10)


@pytest.fixture(autouse=True)
def closed_workplace() -> Iterator[None]:
    yield
    WORKPLACE.close()


@pytest.fixture
def dock(make_napari_viewer) -> MedlabelDock:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1000, 900)
    panel = MedlabelDock(viewer)
    viewer.window.add_dock_widget(panel, name="Annotate", area="right")
    spin()
    yield panel
    panel.desk.leave(discard=True)


def slide(dock: MedlabelDock, number: int) -> None:
    """Move napari's own slider for volumes, as a hand does."""
    sliders = dock.viewer.window._qt_viewer.dims.slider_widgets
    sliders[0].slider.setValue(number)
    spin(1)


def click(dock: MedlabelDock, light: np.ndarray) -> None:
    """Click on the middle of the bright square that is seen."""
    viewer, binding = dock.viewer, dock.desk.binding
    centre = np.argwhere(binding.display.show(light)).mean(axis=0)
    for axis in range(3):
        viewer.dims.set_current_step(1 + axis, int(centre[axis]))
    spin()
    canvas = viewer.window._qt_viewer.canvas.native
    picture = viewer.screenshot(canvas_only=True, flash=False).astype(float)
    bright = picture[..., :3].min(axis=-1)
    h, w = bright.shape
    bright[: h // 10] = bright[-h // 10 :] = 0
    bright[:, : w // 10] = bright[:, -w // 10 :] = 0
    ys, xs = np.nonzero(bright > 0.6 * bright.max())
    spot = QPoint(int(xs.mean() / w * canvas.width()), int(ys.mean() / h * canvas.height()))
    move(canvas, spot)
    spin(2)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=spot)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=spot)


def open_lights(
    dock: MedlabelDock, make_grid: Callable[..., Grid], tmp_path: Path
) -> list[np.ndarray]:
    """Open five volumes, each with a light in another place; return where the lights are."""
    grid = make_grid("RAS", (24, 20, 16), (1.0, 1.2, 1.5))
    array = np.zeros((5, *grid.shape[::-1]), np.uint16)
    for t in range(5):
        array[t, 2 + 2 * t : 5 + 2 * t, 3 + 2 * t : 6 + 2 * t, 4 + 2 * t : 7 + 2 * t] = 1000
    further = FurtherAxis("time", "s", (0.0, 2.0, 4.0, 6.0, 8.0), array.T)
    volume = Volume(grid, array.T[..., 0], Source("nifti", (), ("ab" * 32,)), further=further)
    wishes = Wishes(presets.scheme("abdomen"), folder=tmp_path / "case")
    opened = adopt_volume(volume, [tmp_path], WORKPLACE.desk(), wishes, fallback=tmp_path)
    dock.desk.show_session(opened)
    spin()
    dock.desk.binding.image.interpolation2d = "nearest"
    dock.desk.show_plane("Axial")
    return [array.T[..., t] == 1000 for t in range(5)]


def test_tools_take_the_volume_that_the_slider_shows(
    dock: MedlabelDock, make_grid: Callable[..., Grid], tmp_path: Path, qtbot: QtBot
) -> None:
    lights = open_lights(dock, make_grid, tmp_path)
    session, tools = dock.session, dock.tool_desk
    slide(dock, 4)
    assert session.bench.in_use.words == "5 of 5"
    tools.choices.extents["flood"] = "3D"
    tools.choose("flood")
    tools.choices.put("flood", "tolerance", 40.0)
    click(dock, lights[4])
    qtbot.waitUntil(lambda: session.bench.preview is not None, timeout=WAIT_MS)
    slide(dock, 3)
    assert session.bench.preview is None
    assert "Another volume is shown" in dock.viewer.status
    tools.accept()
    assert not session.labels.array.any()
    slide(dock, 4)
    click(dock, lights[4])
    qtbot.waitUntil(lambda: session.bench.preview is not None, timeout=WAIT_MS)
    tools.accept()
    assert np.array_equal(session.labels.array == 1, lights[4])

    tools.choose("threshold")
    tools._put_option("low", 500.0)
    tools._put_option("high", 2000.0)
    tools._put_extent("3D")
    for number in (0, 2):
        slide(dock, number)
        light = lights[number] | lights[4]

        def is_shown(light: np.ndarray = light) -> bool:
            preview = session.bench.preview
            if preview is None:
                return False
            there = session.labels.array.copy()
            there[preview.box] = preview.after
            return np.array_equal(there == 1, light)

        qtbot.waitUntil(is_shown, timeout=WAIT_MS)
    tools.put_down()


def test_regions_and_statistics_take_the_volume_that_the_slider_shows(
    dock: MedlabelDock, make_grid: Callable[..., Grid], tmp_path: Path, qtbot: QtBot
) -> None:
    lights = open_lights(dock, make_grid, tmp_path)
    session = dock.session
    slide(dock, 4)
    assert session.edit(WHOLE, lights[4].astype(np.uint8), name="Light") is not None
    points = session.volume.grid.affine.apply([(13, 12, 11), (14, 12, 11), (13, 13, 11)])
    box = Measurement("Box", "box", tuple(tuple(map(float, p)) for p in points))
    session.set_measurements(MeasurementSet((box,)))
    layers = dock.mark_desk.measures.layers
    assert layers.words_of("Box").endswith("mean 1000.0  SD 0.0  volume 5 of 5")
    dock.segment_desk.measure()
    measuring = dock.segment_desk.measuring
    qtbot.waitUntil(lambda: measuring.dialog is not None, timeout=WAIT_MS)
    table = measuring.dialog.table
    row = {
        table.horizontalHeaderItem(c).text(): table.item(0, c).text()
        for c in range(table.columnCount())
    }
    assert (row["mean"], row["SD"], row["scan volume"]) == ("1000", "0", "5 of 5")
    measuring.dialog.reject()
    for number in (3, 2, 1, 0):
        slide(dock, number)
    told = "mean 0.0  SD 0.0  volume 1 of 5"
    qtbot.waitUntil(lambda: layers.words_of("Box").endswith(told), timeout=WAIT_MS)
