"""The whole thing in a real napari window: few tests, each with several questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import napari
import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QCloseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox, QPushButton

from napari_medlabel import samples
from napari_medlabel.errors import SaveError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.plugin.orientation import VIEWS
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.widgets.dock import MedlabelDock
from tests.widgets.mouse import move

pytestmark = [
    pytest.mark.viewer,
    pytest.mark.slow,
    # All windows of one worker: two at once fight for the processor and the focus.
    pytest.mark.xdist_group("window"),
    # napari's own threads and OpenGL objects outlive a test now and then.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def spin(times: int = 5) -> None:
    for _ in range(times):
        QApplication.processEvents()
        QTest.qWait(10)


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
def make_dock(make_napari_viewer) -> Callable[[], MedlabelDock]:
    def make() -> MedlabelDock:
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(900, 900)
        dock = MedlabelDock(viewer)
        viewer.window.add_dock_widget(dock, name="Annotate", area="right")
        return dock

    return make


def beacon(path: Path, grid: Grid) -> None:
    """Write a scan that is bright only at the patient's left, front and top."""
    array = np.zeros(grid.shape, np.uint16)
    corners = grid.corners_ras()
    middle = corners.mean(axis=0)
    ijk = np.stack(np.indices(grid.shape), axis=-1).reshape(-1, 3)
    away = grid.affine.apply(ijk) - middle
    half = np.abs(corners - middle).max(axis=0)
    share = away / half * np.array([-1, 1, 1])  # towards left, front, top
    array[tuple(ijk[np.all((share > 0.3) & (share < 0.9), axis=1)].T)] = 1000
    write_mask_nifti(path, array, None, False, grid.affine)


def bright_spot(viewer) -> tuple[float, float]:
    """Return where the light is: x to the right and y upwards, both from -1 to 1."""
    spin()
    picture = viewer.screenshot(canvas_only=True, flash=False).astype(float)
    # Letters and scale bar are yellow or at the edge: grey light in the middle counts.
    grey = picture[..., :3].min(axis=-1)
    h, w = grey.shape
    grey[: h // 10] = grey[-h // 10 :] = 0
    grey[:, : w // 10] = grey[:, -w // 10 :] = 0
    ys, xs = np.nonzero(grey > 0.6 * grey.max())
    assert grey.max() > 60, "the beacon is not on the screen"
    return float(xs.mean() / w * 2 - 1), float(1 - ys.mean() / h * 2)


@pytest.mark.parametrize("codes", ["LPS", "RAS", "PIR", "SLA"])
def test_right_is_right_in_the_pixels_of_every_view(
    make_dock: Callable[[], MedlabelDock],
    make_grid: Callable[..., Grid],
    wishes: Wishes,
    tmp_path: Path,
    codes: str,
) -> None:
    scan = tmp_path / "beacon.nii.gz"
    beacon(scan, make_grid(codes, shape=(24, 20, 16), spacing=(1.0, 1.2, 1.5)))
    session = open_case([scan], WORKPLACE.desk(), wishes, fallback=tmp_path)
    dock = make_dock()
    dock.desk.show_session(session)
    dock.desk.binding.image.interpolation2d = "nearest"
    viewer = dock.viewer
    shown = dock.desk.binding.display.show(session.volume.array)
    light = np.argwhere(shown == 1000).mean(axis=0).round().astype(int)
    for plane, (right, up) in {
        "Axial": (1, 1),
        "Coronal": (1, 1),
        "Sagittal": (-1, 1),
    }.items():
        dock.desk.show_plane(plane)
        for axis in range(3):
            viewer.dims.set_current_step(axis, int(light[axis]))
        x, y = bright_spot(viewer)
        assert x * right > 0.05, plane
        assert y * up > 0.05, plane
    dock.desk.show_plane("3D")
    x, y = bright_spot(viewer)
    assert x > 0.05, "the patient's left is on the right of a frontal 3D view"
    assert y > 0.05
    assert dock.desk.binding.orientation.letters["right"] == "L"
    dock.desk.set_convention(False)
    x, _ = bright_spot(viewer)
    assert x < -0.05
    assert dock.desk.binding.orientation.letters["right"] == "R"


def test_a_stroke_of_the_mouse_lands_where_the_eye_sees_it(
    make_dock: Callable[[], MedlabelDock],
    make_grid: Callable[..., Grid],
    wishes: Wishes,
    tmp_path: Path,
) -> None:
    scan = tmp_path / "beacon.nii.gz"
    beacon(scan, make_grid("LAS", shape=(24, 20, 16), spacing=(1.0, 1.2, 1.5)))
    session = open_case([scan], WORKPLACE.desk(), wishes, fallback=tmp_path)
    dock = make_dock()
    dock.desk.show_session(session)
    viewer, labels = dock.viewer, dock.desk.binding.labels
    shown = dock.desk.binding.display.show(session.volume.array)
    light = np.argwhere(shown == 1000).mean(axis=0).round().astype(int)
    canvas = viewer.window._qt_viewer.canvas.native
    for value, plane in enumerate(VIEWS, 1):
        dock.desk.show_plane(plane)
        labels.selected_label = value
        for axis in range(3):
            viewer.dims.set_current_step(axis, int(light[axis]))
        x, y = bright_spot(viewer)
        labels.mode = "paint"
        labels.brush_size = 1
        spot = QPoint(int((x + 1) / 2 * canvas.width()), int((1 - y) / 2 * canvas.height()))
        before = session.labels.array.copy()
        move(canvas, spot)
        spin(2)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=spot)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=spot)
        spin(2)
        painted = (session.labels.array != before) & (session.labels.array > 0)
        assert painted.any(), plane
        assert (session.volume.array[painted] == 1000).all(), plane
        labels.mode = "pan_zoom"
    assert len(session.history) == 3
    labels.undo()
    assert len(session.history) == 2


def test_the_dock_opens_annotates_saves_and_offers_work_back(
    make_dock: Callable[[], MedlabelDock], scan: Path, tmp_path: Path, qtbot
) -> None:
    dock = make_dock()
    folder = tmp_path / "case"
    dock.open_paths([str(scan)], folder=folder)
    qtbot.waitUntil(lambda: dock.session is not None, timeout=20_000)
    session = dock.session
    dock.segment_desk.choose_label(4)
    dock.desk.binding.labels.paint((2, 5, 5), 4)
    assert dock.undo_button.text() == "Undo: edit"
    assert dock.save_button.text().startswith("Save *")
    dock.mark_desk.place(True)
    assert dock.landmark_panel.place_button.isChecked()
    dock.desk.binding.points.add([3, 4, 4])
    dock.desk.save()
    qtbot.waitUntil(lambda: not session.is_dirty, timeout=20_000)
    assert (folder / "mask.nii.gz").is_file()
    assert "Saved and read back" in dock.status.text()
    dock.desk.save()
    qtbot.waitUntil(lambda: "Nothing to save" in dock.status.text(), timeout=20_000)
    # Paint on, then die: the journal stays and its lock goes.
    dock.desk.binding.labels.paint((3, 6, 6), 4)
    painted = session.labels.array.copy()
    session.keeper.sweep()
    session.keeper.close(discard=False)
    for desk in dock.desks:  # or they hear of the window until they are collected
        desk.case_closed()
    dock.desk.binding.detach()
    dock.desk.binding.remove_layers()
    dock.desk.binding = dock.desk.session = None
    dock.open_paths([str(scan)], folder=folder)
    qtbot.waitUntil(lambda: dock.session is not None, timeout=20_000)
    assert "Unsaved work" in dock.recovery_notice.text.text()
    take = next(
        b for b in dock.recovery_notice.findChildren(QPushButton) if b.text() == "Take it back"
    )
    take.click()
    assert np.array_equal(dock.session.labels.array, painted)
    assert dock.recovery_notice.isHidden()
    dock.desk.leave(discard=True)


@pytest.mark.parametrize("way", ["cross", "key"])
@pytest.mark.parametrize("answer", ["Save", "Discard", "Cancel"])
def test_closing_over_unsaved_work_asks_once(
    make_dock: Callable[[], MedlabelDock],
    scan: Path,
    wishes: Wishes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    way: str,
) -> None:
    asked: list[str] = []
    closed: list[dict] = []

    def answered(_parent: object) -> QMessageBox.StandardButton:
        asked.append(answer)
        return QMessageBox.StandardButton[answer]

    session = open_case([scan], WORKPLACE.desk(), wishes, fallback=tmp_path)
    dock = make_dock()
    dock.desk.show_session(session)
    dock.desk.binding.labels.paint((2, 5, 5), 4)
    session.keeper.sweep()
    window = dock.window()
    with monkeypatch.context() as patched:
        patched.setattr("napari_medlabel.widgets.closing.ask_to_save", answered)
        patched.setattr(type(window), "close", lambda _self, **words: closed.append(words))
        if way == "cross":
            QApplication.sendEvent(window, QCloseEvent())
        else:
            window.close(quit_app=True, confirm_need=True)
        spin()
    assert asked == [answer]
    # napari's own question is skipped where ours was answered.
    if answer == "Cancel":
        assert closed == []
    else:
        assert len(closed) == 1
        assert not closed[0].get("confirm_need")
    assert session.place.mask.exists() is (answer == "Save")
    assert bool(list(session.desk.journals.glob("*.journal"))) is (answer == "Cancel")
    dock.desk.leave(discard=True)


def test_the_sample_opens_through_the_plugin_and_its_labels_save_from_the_menu(
    make_dock: Callable[[], MedlabelDock], tmp_path: Path, qtbot
) -> None:
    dock = make_dock()
    viewer = dock.viewer
    viewer.open_sample("napari-medlabel", "mr_head_oblique")
    qtbot.waitUntil(lambda: dock.session is not None, timeout=30_000)
    assert "oblique" in dock.summary.text()
    labels = dock.desk.binding.labels
    labels.paint((40, 80, 80), 1)
    target = tmp_path / "mine.nii.gz"
    assert labels.save(str(target), plugin="napari-medlabel") == [str(target)]
    import nibabel as nib

    mask, source = nib.load(target), nib.load(samples.path("mr_head_oblique"))
    assert mask.affine.tobytes() == source.affine.tobytes()
    assert int(np.asarray(mask.dataobj).sum()) == dock.session.labels.voxel_counts()[1]
    dock.desk.binding.points.add([40, 80, 80])
    marks = tmp_path / "mine.mrk.json"
    dock.desk.binding.points.save(str(marks), plugin="napari-medlabel")
    assert marks.is_file()
    dock.desk.leave(discard=True)


def test_bad_input_shows_two_sentences_in_the_dock(
    make_dock: Callable[[], MedlabelDock], tmp_path: Path, qtbot
) -> None:
    dock = make_dock()
    (tmp_path / "empty").mkdir()
    dock.open_paths([str(tmp_path / "empty")])
    qtbot.waitUntil(lambda: "\n" in dock.notice.text.text(), timeout=20_000)
    assert dock.session is None
    assert dock.start.isEnabled()


def test_every_button_of_the_dock_does_what_it_says(
    make_dock: Callable[[], MedlabelDock], scan: Path, tmp_path: Path, qtbot, monkeypatch
) -> None:
    dock = make_dock()
    dock.open_paths([str(scan)], folder=tmp_path / "case")
    dock.open_paths([str(scan)], folder=tmp_path / "twice")  # busy: not begun a second time
    qtbot.waitUntil(lambda: dock.session is not None, timeout=20_000)
    desk, session, labels = dock.desk, dock.session, dock.desk.binding.labels
    assert session.place.folder == tmp_path / "case"
    assert session.labels.scheme.name == "Regions 1 to 6"
    dock.label_panel.scheme_requested.emit("abdomen")
    assert dock.label_panel.table.rowCount() == len(session.labels.scheme.labels)
    labels.selected_label = session.labels.scheme.values[-1]
    dock.segment_desk.next_label()
    assert labels.selected_label == session.labels.scheme.values[0]
    labels.selected_label = 99
    dock.segment_desk.next_label()
    assert labels.selected_label == session.labels.scheme.values[0]
    dock.landmark_panel.template_requested.emit("head")
    assert session.landmarks.next_name == "AC"
    desk.binding.points.add([3, 4, 4])
    dock.landmark_panel.template_requested.emit("abdomen")
    assert session.landmarks["AC"].is_placed
    assert session.landmarks.next_name == "Liver dome"
    dock.viewer.dims.set_current_step(0, 0)
    dock.landmark_panel.go_requested.emit("AC")
    assert dock.viewer.dims.current_step[0] == 3
    dock.landmark_panel.remove_requested.emit("AC")
    assert not session.landmarks["AC"].is_placed
    dock.undo_button.click()
    assert session.landmarks["AC"].is_placed
    dock.redo_button.click()
    for name in ("Automatic", "Full"):
        dock.views.window_requested.emit(name)
    assert tuple(desk.binding.image.contrast_limits) == (0, session.volume.grid.size - 1)
    dock.landmark_panel.place_requested.emit(False)
    assert dock.viewer.layers.selection.active is labels
    desk.leave(discard=True)


def test_what_goes_wrong_is_said_in_the_dock(
    make_dock: Callable[[], MedlabelDock], scan: Path, tmp_path: Path, qtbot, monkeypatch
) -> None:
    dock = make_dock()
    dock.open_paths([str(scan)], folder=tmp_path / "case")
    qtbot.waitUntil(lambda: dock.session is not None, timeout=20_000)
    desk, session = dock.desk, dock.session
    desk.binding.labels.paint((2, 5, 5), 1)
    # A journal that cannot be written is said, in red, with a button.
    session.keeper.problem = SaveError("The disk is full.", hint="Free some space.")
    desk._look()
    assert "a crash now would lose work" in dock.notice.text.text()
    session.keeper.problem = None

    # A save that fails says so and keeps the star.
    def full(*_args: object) -> None:
        raise SaveError("The disk is full.", hint="Free some space.")

    with monkeypatch.context() as patched:
        patched.setattr("napari_medlabel.widgets.case_desk.write_moment", full)
        dock.save_button.click()
        qtbot.waitUntil(lambda: "Not saved" in dock.status.text(), timeout=20_000)
    assert dock.save_button.text().startswith("Save *")
    dock.notice.clear()
    desk.leave(discard=True)
    assert dock.session is None
    assert desk.save_now()


def test_medlabel_open_shows_the_case_and_ends_the_log(
    scan: Path, wishes: Wishes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_medlabel.audit.check.verify import verify_log
    from napari_medlabel.widgets import window

    seen: list = []

    def look() -> None:
        spin()
        viewer = napari.current_viewer()
        seen.extend(type(layer).__name__ for layer in viewer.layers)
        viewer.close()

    monkeypatch.setattr(window.napari, "run", look)
    window.annotate([scan], wishes, audit=tmp_path / "log")
    assert seen == ["Image", "Labels", "Points"]
    report = verify_log(tmp_path / "log", state=tmp_path / "own-state")
    # A workstation that no officer knows is amber by itself.
    assert {f.code for f in report.findings} <= {"UNCERTIFIED"}, report.findings


def test_a_closed_scan_leaves_an_empty_window_for_the_next(
    make_dock: Callable[[], MedlabelDock], scan: Path, tmp_path: Path, qtbot
) -> None:
    dock = make_dock()
    dock.open_paths([str(scan)], folder=tmp_path / "case")
    qtbot.waitUntil(lambda: dock.session is not None, timeout=20_000)
    desk, labels = dock.desk, dock.desk.binding.labels
    labels.paint((2, 5, 5), 1)
    # A layer taken out of the list is not lost.
    dock.viewer.layers.remove(labels)
    assert "is safe" in dock.notice.text.text()
    again = next(
        b for b in dock.notice.findChildren(QPushButton) if b.text() == "Show it again"
    )
    again.click()
    assert labels in dock.viewer.layers
    labels.paint((3, 5, 5), 1)
    assert len(dock.session.history) == 2
    dock.viewer.layers.remove(labels)
    dock.segment_desk.choose_label(2)
    assert labels in dock.viewer.layers
    # A layer of one's own is not silently left out.
    own = np.zeros(labels.data.shape, np.uint8)
    own[1, 1, 1] = 5
    added = dock.viewer.add_labels(own, **desk.binding.display.geometry())
    assert "not part of the case" in dock.notice.text.text()
    take = next(
        b for b in dock.notice.findChildren(QPushButton) if b.text() == "Take it into the case"
    )
    take.click()
    assert added not in dock.viewer.layers
    assert dock.session.labels.voxel_counts()[5] == 1
    dock.close_button.click()
    qtbot.waitUntil(lambda: len(dock.viewer.layers) == 0, timeout=20_000)
    assert dock.session is None
    assert dock.start.isVisibleTo(dock)
    dock.open_paths([str(scan)], folder=tmp_path / "case")
    qtbot.waitUntil(lambda: dock.session is not None, timeout=20_000)
    assert dock.session.recoveries == (), "it was given up by the answer in this test"
    desk.leave(discard=True)
