"""Looking at a scan in a real napari window: keys that arrive, bodies, and two scans."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QScrollArea

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import Source, Volume
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.opening import Wishes, adopt_volume
from napari_medlabel.widgets.dock import MedlabelDock
from napari_medlabel.widgets.sight.ortho import GRID, PAIR, SINGLE
from napari_medlabel.widgets.sight.remembered import recall
from tests.io.dicom.pixels.test_suv import series as pet_of

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    pytest.mark.xdist_group("window"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ALT = Qt.KeyboardModifier.AltModifier
NONE = Qt.KeyboardModifier.NoModifier


def spin(times: int = 4) -> None:
    for _ in range(times):
        QApplication.processEvents()
        QTest.qWait(10)


def wait_for(wanted: Callable[[], Any]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if wanted():
            spin()
            return
        spin(1)
    raise AssertionError("it did not come")


def make_volume(grid: Grid, name: str, digest: str) -> Volume:
    array = np.random.default_rng(7).permutation(grid.size).astype(np.int16)
    source = Source("dicom", (Path(name),), (digest * 32,))
    return Volume(grid, array.reshape(grid.shape), source, modality="CT", quantity="HU")


def pet_series(folder: Path) -> Path:
    return pet_of(folder, WindowCenter=16000, WindowWidth=32000)


@pytest.fixture
def dock(
    make_napari_viewer: Any, make_grid: Callable[..., Grid], wishes: Wishes, tmp_path: Path
) -> Iterator[MedlabelDock]:
    grid = make_grid("RAS", shape=(24, 22, 20), spacing=(1.0, 1.2, 1.5))
    session = adopt_volume(
        make_volume(grid, "a.dcm", "ab"),
        [tmp_path / "a.dcm"],
        WORKPLACE.desk(),
        wishes,
        fallback=tmp_path,
    )
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(900, 600)
    dock = MedlabelDock(viewer)
    viewer.window.add_dock_widget(dock, name="Annotate", area="right")
    dock.desk.show_session(session)
    spin()
    yield dock
    dock.desk.leave(discard=True)
    spin(2)
    WORKPLACE.close()


def test_keys_of_windows_and_looks_reach_the_picture_and_the_dock_scrolls_only_up_and_down(
    dock: MedlabelDock,
) -> None:
    desk, image = dock.sight_desk, dock.desk.binding.image
    dock.viewer.window.resize(1400, 900)
    wait_for(lambda: dock.findChild(QScrollArea).horizontalScrollBar().maximum() == 0)
    assert dock.width() < 480
    canvas = desk.ortho.canvas_of(desk.views.first).canvas.native
    canvas.setFocus()
    spin()
    QTest.keyClick(canvas, Qt.Key.Key_4, ALT)
    assert tuple(image.contrast_limits) == (-1350, 150)
    assert dock.views.window_box.currentText() == "Lung   Alt-4"
    QTest.keyClick(canvas, Qt.Key.Key_I, ALT)
    assert image.colormap.name == "gray_r"
    QTest.keyClick(canvas, Qt.Key.Key_F5, NONE)
    assert int(dock.desk.binding.labels.contour) == 1
    QTest.keyClick(canvas, Qt.Key.Key_F10, NONE)
    assert desk.look.slab.kind == "Brightest (MIP)"
    dock.tool_desk.choose("brush")
    assert desk.look.slab.is_resting
    assert not desk.look.panel.slab_line.isHidden()
    dock.tool_desk.put_down()
    assert not desk.look.slab.is_resting
    at = desk.views.cross.voxel_zyx
    QTest.keyClick(canvas, Qt.Key.Key_F12, NONE)
    wait_for(lambda: desk.views.cross.voxel_zyx != at)
    dock.session.edit((slice(0, 1),) * 3, np.ones((1, 1, 1), np.uint8), name="Square")
    assert not desk.look.cine.is_playing
    before = dock.viewer.theme
    desk.look.choose_theme(True)
    assert dock.viewer.theme == "reading-room"
    desk.look.choose_theme(False)
    assert dock.viewer.theme == before
    dock.viewer.theme = "reading-room"  # as from napari's own settings
    assert desk.look.panel.theme_box.isChecked()
    dock.viewer.theme = before
    assert not desk.look.panel.theme_box.isChecked()
    assert recall("room", True) is False, "the next case does not bring it back"


def test_the_patient_s_left_is_on_the_right_of_the_body_in_pixels(dock: MedlabelDock) -> None:
    desk, session = dock.sight_desk, dock.session
    shown = desk.views.display.show(session.labels.array)
    # (S, P, L): a block at the patient's left and up, one at the right and down.
    shown[13:18, 8:13, 16:22] = 1
    shown[2:7, 8:13, 2:8] = 2
    side = desk.show_solid()
    wait_for(lambda: desk.solid.layer is not None)
    assert desk.ortho.layout_name == GRID
    ortho = desk.ortho
    # Views are fitted to what is shown when they come: before anything is hidden here.
    wait_for(lambda: ortho.canvas_of(side) and not (ortho._waiting or ortho._unfit))
    at = desk.views.cross.voxel_zyx
    rgb = {label.value: label.rgb for label in session.labels.scheme.labels}

    def middle(value: int) -> Any:
        others = frozenset({1, 2} - {value})
        session.bench.masking = replace(session.bench.masking, hidden=others)
        found: list[Any] = []

        def is_drawn() -> bool:
            shot = desk.ortho.canvas_of(side).screenshot(flash=False)
            picture = shot[..., :3].astype(float)
            hue = np.array(rgb[value]) / np.linalg.norm(rgb[value])
            length = np.linalg.norm(picture, axis=-1)
            found[:] = [(length > 60) & (picture @ hue > 0.985 * length)]
            return bool(found[0].sum() > 100)

        wait_for(is_drawn)
        (like,) = found
        return np.argwhere(like).mean(0) / like.shape

    (up, left), (down, right) = middle(1), middle(2)
    assert left > 0.5 > right
    assert up < 0.5 < down
    assert side.orientation.letters == {"top": "S", "bottom": "I", "left": "R", "right": "L"}
    assert desk.views.cross.voxel_zyx == at, "what is added in 3D moves no slice"


def test_a_second_scan_is_led_laid_over_and_taken_away(
    dock: MedlabelDock, make_grid: Callable[..., Grid]
) -> None:
    desk = dock.sight_desk
    layers = len(dock.viewer.layers)
    grid = make_grid("LPS", shape=(18, 19, 9), spacing=(1.3, 1.4, 3.0))
    other = make_volume(grid, "b.dcm", "cd")
    desk.beside.show(other, "case-b")
    assert desk.ortho.layout_name == PAIR
    beside = desk.views.beside
    assert desk.ortho.canvas_of(beside).isVisible()
    assert WORKPLACE.newest()[0] == dock.session.place.case
    active = dock.viewer.layers.selection.active
    desk.beside.lay_over()
    wait_for(lambda: desk.beside.layer is not None)
    assert desk.beside.layer.name == "CT over, resampled (linear)"
    assert dock.viewer.layers.selection.active is active
    assert dock.viewer.layers.index(desk.beside.layer) == 1
    desk.beside.panel.blend.setValue(30)
    assert desk.beside.layer.opacity == pytest.approx(0.3)
    desk.beside.toggle_over()
    assert not desk.beside.layer.visible
    desk.beside.show_checker(True)
    wait_for(desk.beside.panel.checker_box.isChecked)
    assert np.isnan(desk.beside.layer.data).any()
    desk.choose_layout(GRID, keep=False)
    assert desk.views.beside is not None
    desk.beside.close()
    assert desk.views.beside is None
    assert len(dock.viewer.layers) == layers
    assert WORKPLACE.recall("case-b") is None
    desk.choose_layout(PAIR)
    assert desk.ortho.layout_name == GRID
    assert "open the other one first" in desk.layout_panel.layout_box.toolTip()
    desk.choose_layout(SINGLE)


def test_a_pet_beside_is_read_as_uptake_values_on_request(
    dock: MedlabelDock, tmp_path: Path
) -> None:
    beside = dock.sight_desk.beside
    box = beside.panel.values
    beside.open_paths([pet_series(tmp_path / "pet")])
    wait_for(lambda: beside.volume is not None and box.isEnabled())
    assert beside.volume.quantity == "Bq/ml"
    assert tuple(dock.sight_desk.views.beside.image.contrast_limits) == (0, 32000)
    box.setCurrentIndex(box.findData("suv-bw"))
    box.activated.emit(box.currentIndex())
    wait_for(lambda: beside.volume is not None and beside.volume.quantity == "SUVbw g/ml")
    assert box.values == "suv-bw"
    assert tuple(dock.sight_desk.views.beside.image.contrast_limits) == (0, 10)
    beside.close()
    assert not box.isEnabled()
    assert box.values == "rescaled"
