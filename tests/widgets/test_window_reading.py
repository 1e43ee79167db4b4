"""Reading in a real napari window: dropped, chosen, watched, stopped; few tests, long ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton, QWidget

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.found import Marks
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.io.registry import find_series
from napari_medlabel.io.series_info import FoundMarks, Survey
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.model.volume import FurtherAxis, Source, Volume
from napari_medlabel.plugin.orientation import VIEWS
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.opening import Wishes, adopt_volume
from napari_medlabel.widgets.dock import MedlabelDock
from tests.io.dicom.pixels.test_suv import series as pet_of
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
    viewer.window.resize(900, 900)
    panel = MedlabelDock(viewer)
    viewer.window.add_dock_widget(panel, name="Annotate", area="right")
    spin()
    yield panel
    panel.desk.leave(discard=True)


@pytest.fixture
def two_scans(tmp_path: Path, make_grid: Callable[..., Grid]) -> Path:
    folder = tmp_path / "two"
    folder.mkdir()
    for n in (1, 2):
        grid = make_grid(shape=(24, 20, 10 + n), spacing=(1, 1, 1))
        ramp = np.arange(grid.size, dtype=np.uint16).reshape(grid.shape[::-1]).T
        write_mask_nifti(folder / f"{n}.nii.gz", ramp, None, False, grid.affine)
    return folder


@pytest.fixture
def gappy_scan(make_grid: Callable[..., Grid]) -> Volume:
    """Return a scan in which slices 2 and 4 (from 0) are missing; k runs to the feet."""
    grid = make_grid("LPI")
    array = np.full(grid.shape[::-1], 50, np.int16)
    array[[2, 4]] = 0
    source = Source("dicom", (Path("scan.dcm"),), ("ab" * 32,))
    return Volume(grid, array.T, source, modality="CT", missing=(2, 4))


def drop(dock: MedlabelDock, *paths: Path) -> None:
    """Let go of files over the canvas, as another program does."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    canvas: QWidget = dock.viewer.window._qt_viewer
    keys = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    # Qt lets nothing go where nothing came in.
    enter = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, mime, *keys)
    QApplication.sendEvent(canvas, enter)
    QApplication.sendEvent(
        canvas, QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, mime, *keys)
    )
    spin()


def open_by_hand(dock: MedlabelDock, volume: Volume, tmp_path: Path) -> None:
    wishes = Wishes(folder=tmp_path / "case")
    session = adopt_volume(volume, [tmp_path], WORKPLACE.desk(), wishes, fallback=tmp_path)
    dock.desk.show_session(session)
    spin()


def press(dock: MedlabelDock, words: str) -> None:
    buttons = dock.notice.findChildren(QPushButton)
    next(b for b in buttons if b.text() == words).click()
    spin()


def test_a_stroke_on_any_volume_lands_where_the_eye_sees_it(
    dock: MedlabelDock, make_grid: Callable[..., Grid], tmp_path: Path
) -> None:
    grid = make_grid("RAS", (24, 20, 16), (1.0, 1.2, 1.5))
    array = np.zeros((5, *grid.shape[::-1]), np.uint16)
    for t in range(5):
        array[t, 2 + 2 * t : 5 + 2 * t, 3 + 2 * t : 6 + 2 * t, 4 + 2 * t : 7 + 2 * t] = 1000
    further = FurtherAxis("time", "s", (0.0, 2.0, 4.0, 6.0, 8.0), array.T)
    source = Source("dicom", (tmp_path / "a.dcm",), ("ab" * 32,))
    open_by_hand(dock, Volume(grid, array.T[..., 0], source, further=further), tmp_path)
    viewer, binding = dock.viewer, dock.desk.binding
    binding.image.interpolation2d = "nearest"
    canvas = viewer.window._qt_viewer.canvas.native
    labels, session = binding.labels, dock.session
    for t, plane in zip((3, 1, 2), VIEWS, strict=True):
        dock.desk.show_plane(plane)
        viewer.dims.set_current_step(0, t)
        assert dock.volume_line.text() == f"volume {t + 1} of 5: {2.0 * t} s"
        light = np.argwhere(binding.display.show(array.T[..., t]) == 1000).mean(axis=0)
        for axis in range(3):
            viewer.dims.set_current_step(1 + axis, int(light[axis]))
        labels.visible = False
        spin()
        picture = viewer.screenshot(canvas_only=True, flash=False).astype(float)
        bright = picture[..., :3].min(axis=-1)
        h, w = bright.shape
        bright[: h // 10] = bright[-h // 10 :] = 0
        bright[:, : w // 10] = bright[:, -w // 10 :] = 0
        ys, xs = np.nonzero(bright > 0.6 * bright.max())
        labels.visible = True
        spot = QPoint(int(xs.mean() / w * canvas.width()), int(ys.mean() / h * canvas.height()))
        labels.mode, labels.brush_size = "paint", 1
        before = session.labels.array.copy()
        move(canvas, spot)
        spin(2)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=spot)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=spot)
        spin(2)
        painted = session.labels.array != before
        assert painted.any(), plane
        assert (array.T[..., t][painted] == 1000).all(), plane
        labels.mode = "pan_zoom"
        labels.selected_label += 1
    dock.desk.show_plane("3D")
    spin()
    assert binding.orientation.letters["right"] == "L"


def test_a_dropped_folder_is_offered_series_by_series_and_opens(
    dock: MedlabelDock, two_scans: Path, qtbot
) -> None:
    drop(dock, two_scans)
    qtbot.waitUntil(lambda: dock.desk.opening.chooser is not None, timeout=WAIT_MS)
    chooser = dock.desk.opening.chooser
    assert chooser.list.count() == 2
    chooser.reject()
    spin()
    assert dock.session is None
    assert dock.start.isEnabled()
    drop(dock, two_scans)
    qtbot.waitUntil(lambda: dock.desk.opening.chooser is not None, timeout=WAIT_MS)
    chooser = dock.desk.opening.chooser
    chooser.list.setCurrentRow(1)
    chooser.open_button.click()
    qtbot.waitUntil(lambda: dock.session is not None, timeout=WAIT_MS)
    assert dock.session.volume.grid.shape[2] == 12
    # With a case open, what is dropped is shown beside it and the case stays.
    session = dock.session
    drop(dock, two_scans / "1.nii.gz")
    beside = dock.sight_desk.beside
    qtbot.waitUntil(lambda: beside.volume is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: dock.sight_desk.views.beside is not None, timeout=WAIT_MS)
    assert dock.session is session
    assert len(dock.viewer.layers) == 3


def test_a_pet_alone_is_asked_as_which_values_it_is_opened(
    dock: MedlabelDock, tmp_path: Path, qtbot
) -> None:
    drop(dock, pet_of(tmp_path / "pet", WindowCenter=16000, WindowWidth=32000))
    qtbot.waitUntil(lambda: dock.desk.opening.chooser is not None, timeout=WAIT_MS)
    chooser = dock.desk.opening.chooser
    qtbot.waitUntil(chooser.values.isEnabled, timeout=WAIT_MS)
    chooser.values.setCurrentIndex(chooser.values.findData("suv-bw"))
    chooser.values.activated.emit(chooser.values.currentIndex())
    chooser.open_button.click()
    qtbot.waitUntil(lambda: dock.session is not None, timeout=WAIT_MS)
    assert dock.session.volume.quantity == "SUVbw g/ml"
    image = dock.viewer.layers[0]
    assert tuple(image.contrast_limits) == (0, 10)
    assert image.colormap.name == "gray_r"


def test_several_dropped_files_are_one_question_and_a_zip_opens(
    dock: MedlabelDock, two_scans: Path, tmp_path: Path, qtbot
) -> None:
    import zipfile

    drop(dock, two_scans / "1.nii.gz", two_scans / "2.nii.gz")
    qtbot.waitUntil(lambda: dock.desk.opening.chooser is not None, timeout=WAIT_MS)
    dock.desk.opening.chooser.reject()
    spin()
    packed = tmp_path / "scan.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(two_scans / "1.nii.gz", "1.nii.gz")
    drop(dock, packed)
    qtbot.waitUntil(lambda: dock.session is not None, timeout=WAIT_MS)
    assert dock.session.volume.grid.shape[2] == 11


def test_file_open_asks_which_series_and_takes_no_for_an_answer(
    dock: MedlabelDock, two_scans: Path, qtbot, monkeypatch
) -> None:
    asked: list[Survey] = []

    def none(survey: Survey, _parent: object) -> None:
        asked.append(survey)

    monkeypatch.setattr("napari_medlabel.widgets.chooser.ask_series", none)
    assert dock.viewer.open(str(two_scans), plugin="napari-medlabel") == []
    assert len(asked[0].series) == 2
    monkeypatch.setattr(
        "napari_medlabel.widgets.chooser.ask_series", lambda survey, _: survey.series[0]
    )
    (layer,) = dock.viewer.open(str(two_scans), plugin="napari-medlabel")
    assert layer.data.shape[0] == 11
    qtbot.waitUntil(lambda: dock.session is not None, timeout=WAIT_MS)


def test_the_first_slice_is_there_before_the_scan_is_read_and_reading_can_be_stopped(
    dock: MedlabelDock, gappy_scan: Volume, scan: Path, tmp_path: Path, qtbot, monkeypatch
) -> None:
    go_on = threading.Event()
    entries: list[int] = []

    def slowly(_info, *, progress, values, preview) -> Volume:
        assert values == "rescaled"
        whole = gappy_scan.array.copy()
        gappy_scan.array[...] = 0
        gappy_scan.array[..., 3] = whole[..., 3]
        early = replace(gappy_scan.source, sha256=(), patient_id="ID")
        preview(replace(gappy_scan, source=early, missing=(), warnings=()))
        for n in range(200):
            progress(n, 200)
            if go_on.wait(0.05):
                break
        gappy_scan.array[...] = whole
        return gappy_scan

    def opened() -> int:
        log = WORKPLACE.desk().audit_root.rglob("*.jsonl")
        return sum(path.read_text().count('"volume.open"') for path in log)

    monkeypatch.setattr("napari_medlabel.session.opening.read_series", slowly)
    dock.open_paths([scan], folder=tmp_path / "case")
    qtbot.waitUntil(lambda: len(dock.viewer.layers) == 1, timeout=WAIT_MS)
    entries.append(opened())
    assert entries == [1], "the opening is in the log before a pixel is shown"
    assert dock.session is None
    qtbot.waitUntil(lambda: dock.progress.bar.value() > 0, timeout=WAIT_MS)
    dock.progress.cancel_button.click()
    qtbot.waitUntil(lambda: not dock.desk.background.is_busy, timeout=WAIT_MS)
    assert len(dock.viewer.layers) == 0
    assert dock.start.isEnabled()
    assert dock.progress.isHidden()
    # Once more, and to the end: the layer that was there early is the case's.
    dock.open_paths([scan], folder=tmp_path / "case")
    qtbot.waitUntil(lambda: len(dock.viewer.layers) == 1, timeout=WAIT_MS)
    early = dock.viewer.layers[0]
    dock.viewer.dims.set_current_step(0, 1)
    go_on.set()
    qtbot.waitUntil(lambda: dock.session is not None, timeout=WAIT_MS)
    assert dock.desk.binding.image is early
    assert dock.viewer.dims.current_step[0] == 1
    assert opened() == 2, "one line for each opening"


def test_colours_are_shown_when_they_are_read_and_not_before(
    dock: MedlabelDock, gappy_scan: Volume, scan: Path, tmp_path: Path, qtbot, monkeypatch
) -> None:
    early: list[object] = []

    def read(_info: object, *, preview: object, **_: object) -> Volume:
        early.append(preview)
        colour = np.zeros((*gappy_scan.grid.shape[::-1], 3), np.uint8).transpose(2, 1, 0, 3)
        grey = np.zeros(gappy_scan.grid.shape, np.uint8)
        return replace(gappy_scan, array=grey, colour=colour)

    def found(*_: object, **__: object) -> Survey:
        survey = find_series(scan)
        return replace(survey, series=(replace(survey.series[0], colour=True),))

    monkeypatch.setattr("napari_medlabel.widgets.opening.find_series", found)
    monkeypatch.setattr("napari_medlabel.session.opening.read_series", read)
    dock.open_paths([scan], folder=tmp_path / "case")
    qtbot.waitUntil(lambda: dock.session is not None, timeout=WAIT_MS)
    assert early == [None]
    assert dock.desk.binding.image.rgb


def test_what_is_missing_is_said_and_paint_there_is_told(
    dock: MedlabelDock, gappy_scan: Volume, tmp_path: Path
) -> None:
    doubts = ("Tilted by 5 degrees.", "The frame of reference is missing.")
    readers = "2 slices of 6 missing: the room between the others is left blank."
    open_by_hand(dock, replace(gappy_scan, warnings=(readers, *doubts)), tmp_path)
    words = dock.doubts.words.text()
    assert "2 of 6 slices are missing (number 3, 5)" in words
    assert "room between" not in words, "the reader's count of the same slices"
    assert all(doubt in words for doubt in doubts)
    labels = dock.desk.binding.labels
    labels.mode = "paint"
    z = int(dock.desk.binding.display.points_zyx((0, 0, 2))[0])
    labels.paint((z, 5, 5), 1)
    assert "You painted on slice 3" in dock.notice.text.text()
    press(dock, "Undo")
    assert not dock.session.labels.array.any()
    assert dock.notice.isHidden()


def test_a_segmentation_is_loaded_into_the_case_or_refused_in_words(
    dock: MedlabelDock, gappy_scan: Volume, tmp_path: Path, qtbot, monkeypatch
) -> None:
    open_by_hand(dock, gappy_scan, tmp_path)
    array = np.zeros(gappy_scan.grid.shape, np.uint8)
    array[2:5, 2:5, 1] = 1
    scheme = LabelScheme("S", (Label(1, "Nodule", "#112233"),))
    found = Marks("SEG", (LabelMap(gappy_scan.grid, array, scheme),), warnings=("A doubt.",))
    refusal = GeometryError("It lies on another grid.", hint="Open its own scan.")
    answers = {"good": found, "bad": refusal}

    def read(path: Path, volume: Volume) -> Marks:
        assert volume is gappy_scan
        answer = answers[path.name]
        if isinstance(answer, GeometryError):
            raise answer
        return answer

    for module in ("widgets.marks_loader", "plugin.contributions"):
        monkeypatch.setattr(f"napari_medlabel.{module}.read_marks", read)
    where = "napari_medlabel.widgets.marks_loader.QFileDialog.getOpenFileName"
    monkeypatch.setattr(where, lambda *_: ("good", ""))
    dock.load_button.click()
    qtbot.waitUntil(lambda: "Loaded from SEG" in dock.notice.text.text(), timeout=WAIT_MS)
    assert "A doubt." in dock.notice.text.text()
    assert dock.undo_button.text() == "Undo: load seg"
    assert dock.session.labels.array.any()
    table = dock.label_panel.table
    assert "Nodule" in {table.item(row, 0).text() for row in range(table.rowCount())}
    dock.undo_button.click()
    assert not dock.session.labels.array.any()
    monkeypatch.setattr(where, lambda *_: ("bad", ""))
    dock.load_button.click()
    qtbot.waitUntil(lambda: "another grid" in dock.notice.text.text(), timeout=WAIT_MS)
    dock.desk.marks.offer([Path("good"), Path("bad")])
    press(dock, "Load into the case")
    qtbot.waitUntil(lambda: "Loaded from SEG" in dock.notice.text.text(), timeout=WAIT_MS)
    assert "another grid" in dock.notice.text.text()
    # Through File > Open they are layers on the scan, and the dock offers to take them in.
    survey = Survey((), 0, 0, (FoundMarks("segmentation", Path("good")),))
    for module in ("plugin.contributions", "widgets.sight.beside_desk"):
        monkeypatch.setattr(f"napari_medlabel.{module}.find_series", lambda *_, **__: survey)
    dock.undo_button.click()
    dock.desk.take_dropped([Path("good")])
    qtbot.waitUntil(lambda: "not part of" in dock.notice.text.text(), timeout=WAIT_MS)
    assert "Take it into the case" in {b.text() for b in dock.notice.findChildren(QPushButton)}
    press(dock, "Take it into the case")
    assert dock.session.labels.array.any()
