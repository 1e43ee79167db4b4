"""File > Open in a real napari window without the dock, and the dock that comes later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import napari
import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_medlabel.errors import SeriesChoiceError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model.volume import Source, Volume
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.opening import Wishes
from napari_medlabel.widgets import window
from napari_medlabel.widgets.dock import MedlabelDock

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
    WORKPLACE.audit = None


@pytest.fixture
def gappy_scan(make_grid: Callable[..., Grid], monkeypatch: pytest.MonkeyPatch) -> Volume:
    """Return a scan in which slice 2 (from 0) is missing, as what any path is read to."""
    grid = make_grid("LPI")
    array = np.full(grid.shape[::-1], 50, np.int16)
    array[2] = 0
    source = Source("dicom", (Path("scan.dcm"),), ("ab" * 32,))
    readers = "1 slice of 6 missing: the room between the others is left blank."
    volume = Volume(grid, array.T, source, missing=(2,), warnings=(readers, "Tilted."))
    monkeypatch.setattr(
        "napari_medlabel.plugin.contributions.read_series", lambda *_, **__: volume
    )
    return volume


def letters(viewer: napari.Viewer) -> dict[str, str]:
    return {
        edge: str(viewer.canvas.overlays[f"medlabel_{edge}"].text)
        for edge in ("top", "bottom", "left", "right")
        if f"medlabel_{edge}" in viewer.canvas.overlays
    }


def test_an_opened_scan_has_its_sides_and_doubts_and_the_dock_takes_it_over(
    make_napari_viewer, gappy_scan: Volume, scan: Path, qtbot
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(900, 900)
    spin()
    told = len(notification_manager.records)
    viewer.open(str(scan), plugin="napari-medlabel")
    spin()
    assert [layer.name for layer in viewer.layers] == ["Scan", "Missing slices"]
    (note,) = notification_manager.records[told:]
    assert note.message.count("missing") == 1
    assert "Tilted." in note.message
    viewer.dims.order = (1, 0, 2)
    assert letters(viewer) == {"top": "S", "bottom": "I", "left": "R", "right": "L"}
    viewer.dims.ndisplay = 3
    spin()
    assert set(letters(viewer).values()) <= set("LRSIAP") | {"?"}
    viewer.dims.ndisplay = 2
    viewer.dims.order = (0, 1, 2)
    viewer.dims.set_current_step(0, 3)
    spin()
    assert viewer.canvas.overlays["medlabel_missing"].text == "Slice 3: no image in the files"
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    height, width, _ = picture.shape
    spot = picture[height // 4, width // 2]
    assert spot[0] > spot[1] + 40, "the blank slice is red"
    dock = MedlabelDock(viewer)
    viewer.window.add_dock_widget(dock, name="Annotate", area="right")
    qtbot.waitUntil(lambda: dock.session is not None, timeout=WAIT_MS)
    names = [layer.name for layer in viewer.layers]
    assert names == ["Scan", "Missing slices", "Labels", "Landmarks"]
    assert dock.doubts.words.text().count("missing") == 1
    assert letters(viewer)["right"] == "L"
    # The dock goes, the scan stays: so do its sides.
    viewer.window.remove_dock_widget(dock)
    dock.close()
    spin()
    assert letters(viewer)["right"] == "L"
    assert dock.session is None
    viewer.layers.clear()
    assert letters(viewer) == {}


def test_with_the_dock_there_missing_slices_are_one_layer(
    make_napari_viewer, gappy_scan: Volume, scan: Path, qtbot
) -> None:
    viewer = make_napari_viewer(show=True)
    dock = MedlabelDock(viewer)
    viewer.window.add_dock_widget(dock, name="Annotate", area="right")
    viewer.open(str(scan), plugin="napari-medlabel")
    qtbot.waitUntil(lambda: dock.session is not None, timeout=WAIT_MS)
    spin()
    names = [layer.name for layer in viewer.layers]
    assert names == ["Scan", "Missing slices", "Labels", "Landmarks"]
    dock.desk.close_case()
    qtbot.waitUntil(lambda: len(viewer.layers) == 0, timeout=WAIT_MS)
    assert letters(viewer) == {}


@pytest.fixture
def two_scans(tmp_path: Path, make_grid: Callable[..., Grid]) -> Path:
    folder = tmp_path / "two"
    folder.mkdir()
    for n in (1, 2):
        grid = make_grid(shape=(24, 20, 10 + n), spacing=(1, 1, 1))
        ramp = np.arange(grid.size, dtype=np.uint16).reshape(grid.shape[::-1]).T
        write_mask_nifti(folder / f"{n}.nii.gz", ramp, None, False, grid.affine)
    return folder


def test_medlabel_open_asks_which_of_several_series(
    make_napari_viewer, two_scans: Path, wishes: Wishes, tmp_path: Path, monkeypatch, qtbot
) -> None:
    seen: list[tuple[int, str]] = []

    def make_window() -> tuple[napari.Viewer, MedlabelDock]:
        viewer = make_napari_viewer(show=True)
        dock = MedlabelDock(viewer)
        viewer.window.add_dock_widget(dock, name="Annotate", area="right")
        docks.append(dock)
        return viewer, dock

    def choose() -> None:
        spin()
        (dock,) = docks
        chooser = dock.desk.opening.chooser
        assert chooser.list.count() == 2
        chooser.list.setCurrentRow(1)
        chooser.open_button.click()
        qtbot.waitUntil(lambda: dock.session is not None, timeout=WAIT_MS)
        session = dock.session
        seen.append((session.volume.grid.shape[2], session.labels.scheme.name))
        assert session.place.folder == tmp_path / "case"
        dock.desk.leave(discard=False)

    docks: list[MedlabelDock] = []
    monkeypatch.setattr(window, "make_window", make_window)
    monkeypatch.setattr(window.napari, "run", choose)
    window.annotate([two_scans], wishes, audit=tmp_path / "log")
    assert seen == [(12, wishes.scheme.name)]
    # What is wished for is not asked about, and what is not there is refused without a window.
    with pytest.raises(SeriesChoiceError, match="no such series"):
        window.annotate([two_scans], replace(wishes, series="9"), audit=tmp_path / "log")
    assert len(seen) == 1
