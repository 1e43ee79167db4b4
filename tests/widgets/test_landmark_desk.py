"""Landmarks and measurements tied to a case by the dock, without a window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from napari_medlabel.export.landmarks import load_landmarks, save_landmarks
from napari_medlabel.export.markups import measurements_to_markups
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.plugin.display import PLANES
from napari_medlabel.session.case import Session
from napari_medlabel.widgets.dock import MedlabelDock
from tests.plugin.tools.mouse import Mouse

MARKS = LandmarkSet(
    (
        Landmark("Left kidney", None, "Its hilum", plane="coronal"),
        Landmark("Right kidney"),
        Landmark("Apex"),
    )
)


@pytest.fixture
def dock(
    qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MedlabelDock]:
    # Asking for a theme starts napari's plugins, which only a window does twice.
    monkeypatch.setattr("napari_medlabel.widgets.sight.look_desk.has_room", lambda: False)
    session.set_landmarks(MARKS)
    made = MedlabelDock(ViewerModel())
    qtbot.addWidget(made)
    made.desk.show_session(session)
    yield made
    made.desk.leave(discard=True)


@pytest.fixture
def mouse(dock: MedlabelDock) -> Mouse:
    return Mouse(dock.desk.binding)


def go(dock: MedlabelDock, plane: str, *ijk: int) -> None:
    dock.desk.show_plane(plane)
    dock.sight_desk.views.go_to_voxel(ijk)


def ras(dock: MedlabelDock, *ijk: float) -> tuple[float, ...]:
    return tuple(dock.session.volume.grid.affine.apply(np.array(ijk, float)))


def test_a_draft_is_made_looked_at_nudged_and_placed_by_keys(
    dock: MedlabelDock, mouse: Mouse, session: Session
) -> None:
    keys, detail = dock.desk.binding.keys, dock.landmark_panel.detail
    assert detail.title.text() == "Next: <b>Left kidney</b>"
    assert detail.facts.text() == "best seen coronal"
    go(dock, "Axial", 7, 5, 3)
    assert keys.press("Y")
    assert dock.landmark_panel.place_button.isChecked()
    mouse.click(7, 5, 3)
    assert "axial" in detail.draft_line.text()
    assert detail.commit_button.isEnabled()
    draft_layer = dock.viewer.layers["Draft"]
    assert list(draft_layer.features["words"]) == ["Left kidney?"]
    assert dock.viewer.layers.selection.active is dock.desk.binding.labels
    dock.desk.show_plane("Coronal")
    assert session.marking.draft.inspected == {"axial", "coronal"}
    assert keys.press("Shift-PageUp")
    assert keys.press("Alt-Up")
    moved = np.array(session.marking.draft.point_ras) - ras(dock, 7, 5, 3)
    assert moved == pytest.approx([0, -0.9, 0.1])
    assert keys.press("Enter")
    assert session.landmarks["Left kidney"].inspected == ("axial", "coronal")
    assert detail.title.text() == "Next: <b>Right kidney</b>"
    assert len(draft_layer.data) == 0
    assert keys.press("Y")
    assert not dock.landmark_panel.place_button.isChecked()
    assert not keys.press("Shift-PageUp")


def test_landmarks_are_placed_by_keys_alone(dock: MedlabelDock, session: Session) -> None:
    keys = dock.desk.binding.keys
    dock.landmark_panel.detail.mode_requested.emit("quick")
    go(dock, "Sagittal", 4, 6, 2)
    assert keys.press(".")
    assert session.marking.current.name == "Right kidney"
    assert keys.press("Shift-Enter")
    assert session.landmarks["Right kidney"].point_ras == pytest.approx(ras(dock, 4, 6, 2))
    assert session.landmarks["Right kidney"].inspected == ("sagittal",)
    assert keys.press(",")
    assert session.marking.current.name == "Right kidney"


def test_exchanged_sides_doubts_absences_and_locks_are_said(
    dock: MedlabelDock, session: Session
) -> None:
    panel, detail = dock.landmark_panel, dock.landmark_panel.detail
    session.place_landmark("Left kidney", (20.0, 0.0, 0.0))
    session.place_landmark("Right kidney", (-20.0, 0.0, 0.0))
    assert "exchanged" in detail.doubts_line.text()
    session.undo()
    assert detail.doubts_line.text() == ""
    panel.aim_requested.emit("Left kidney")
    detail.doubt_requested.emit(2.5)
    assert list(dock.desk.binding.points.features["shown"]) == ["Left kidney ±2.5 mm"]
    assert [str(s) for s in dock.desk.binding.points.symbol] == ["ring"]
    detail.lock_requested.emit(True)
    assert panel.table.item(0, 2).text() == "±2.5 mm, locked"
    panel.remove_requested.emit("Left kidney")
    assert "locked" in dock.notice.text.text()
    panel.aim_requested.emit("Apex")
    detail.absent_requested.emit("resected")
    assert panel.table.item(2, 2).text() == "absent: resected"
    panel.lock_all_requested.emit()
    assert [mark.locked for mark in session.landmarks] == [True, False, True]
    panel.template_requested.emit("head")
    assert session.landmarks["Apex"].absent == "resected"
    assert session.landmarks["Left kidney"].locked
    assert "Right kidney" not in session.landmarks


def test_a_tool_takes_the_mouse_from_landmarks_and_back(dock: MedlabelDock) -> None:
    dock.landmark_panel.place_button.click()
    assert dock.mark_desk.hand is dock.tool_desk.hand
    dock.tool_desk.choose("brush")
    assert dock.mark_desk.hand is None
    assert not dock.landmark_panel.place_button.isChecked()
    dock.mark_desk.measures.panel.buttons["line"].click()
    assert dock.mark_desk.measures.hand is dock.tool_desk.hand
    dock.landmark_panel.place_button.click()
    assert dock.mark_desk.measures.hand is None
    assert not dock.mark_desk.measures.panel.buttons["line"].isChecked()
    dock.viewer.layers.selection.active = dock.desk.binding.image
    assert dock.mark_desk.hand is None


def test_a_picture_beside_a_template_is_shown(
    dock: MedlabelDock, tmp_path: Path, session: Session
) -> None:
    from qtpy.QtGui import QImage

    image = QImage(4, 4, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFF)
    assert image.save(str(tmp_path / "apex.png"))
    rows = [{"name": "Apex of the heart", "picture": "apex.png"}]
    path = tmp_path / "heart.json"
    path.write_text(json.dumps({"landmarks": rows}), encoding="utf-8")
    dock.landmark_panel.template_requested.emit(str(path))
    assert session.marking.current.name == "Apex of the heart"
    assert not dock.landmark_panel.detail.picture.isHidden()
    dock.landmark_panel.template_requested.emit(str(tmp_path / "none.json"))
    assert dock.notice.text.text()


def test_files_are_taken_in_and_written(
    dock: MedlabelDock, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialogs = "napari_medlabel.widgets.mark_files.QFileDialog"
    session.place_landmark("Right kidney", (1.0, 2.0, 3.0))
    session.marking.lock("Right kidney")
    given = LandmarkSet(
        (Landmark("Apex", (4.0, 5.0, 6.0)), Landmark("Right kidney", (9, 9, 9)))
    )
    source = tmp_path / "theirs.mrk.json"
    save_landmarks(source, given)
    monkeypatch.setattr(f"{dialogs}.getOpenFileName", lambda *_, **__: (str(source), ""))
    dock.landmark_panel.load_requested.emit()
    assert session.landmarks["Apex"].point_ras == pytest.approx((4, 5, 6))
    assert session.landmarks["Right kidney"].point_ras == (1.0, 2.0, 3.0)
    assert session.landmarks["Left kidney"] == MARKS["Left kidney"]
    monkeypatch.setattr(
        f"{dialogs}.getSaveFileName",
        lambda *_, **__: (str(tmp_path / "ours"), "3D Slicer, old (*.fcsv)"),
    )
    dock.landmark_panel.save_requested.emit()
    back = load_landmarks(tmp_path / "ours.fcsv")
    assert {m.name: m.point_ras for m in back}["Apex"] == pytest.approx((4, 5, 6))
    assert "not in the file: 1" in dock.notice.text.text()
    line = Measurement("Line 1", "line", ((0, 0, 0), (3, 0, 0)))
    for end in (4.0, 5.0):
        known = MeasurementSet((Measurement("Line 1", "line", ((0, 0, 0), (end, 0, 0))),))
        source.write_text(json.dumps(measurements_to_markups(known, {})), encoding="utf-8")
        session.set_measurements(MeasurementSet((line,)))
        dock.landmark_panel.load_requested.emit()
        assert [one.name for one in session.measurements] == ["Line 1", "Line 1 (2)"]
    source.write_text("{", encoding="utf-8")
    dock.landmark_panel.load_requested.emit()
    assert dock.notice.text.text()
    monkeypatch.setattr(f"{dialogs}.getSaveFileName", lambda *_, **__: ("x.doc", ""))
    dock.landmark_panel.save_requested.emit()
    assert not Path("x.doc").exists()


def test_measurements_are_listed_gone_to_renamed_locked_and_deleted(
    dock: MedlabelDock, mouse: Mouse, session: Session
) -> None:
    desk, panel, keys = dock.mark_desk.measures, dock.mark_desk.measures.panel, None
    keys = dock.desk.binding.keys
    go(dock, "Coronal", 3, 5, 2)
    assert keys.press("O")
    mouse.drag((3, 5, 2), (8, 5, 2))
    assert panel.table.item(0, 0).text() == "Line 1"
    assert panel.table.item(0, 1).text() == "4.0 mm"
    assert desk.hand is not None
    go(dock, "Coronal", 2, 5, 1)
    assert keys.press("Shift-Enter")
    dock.sight_desk.views.go_to_voxel((2, 5, 4))
    assert keys.press("Shift-Enter")
    assert panel.table.item(1, 1).text() == "9.0 mm"
    assert keys.press("O")
    assert desk.hand is None
    go(dock, "Sagittal", 0, 0, 0)
    panel.go_requested.emit("Line 1")
    assert dock.desk.binding.orientation.plane in PLANES[:2]
    assert dock.sight_desk.views.cross.voxel_ijk[1:] == (5, 2)
    panel.rename_requested.emit("Line 1", "Line 2")
    assert "name stands twice" in dock.notice.text.text()
    assert panel.table.item(0, 0).text() == "Line 1"
    panel.rename_requested.emit("Line 1", "Target")
    panel.lock_requested.emit("Target", True)
    panel.rename_requested.emit("Target", "Other")
    assert "locked" in dock.notice.text.text()
    panel.delete_requested.emit("Line 2")
    assert [one.name for one in session.measurements] == ["Target"]
    dock.undo_button.click()
    assert panel.table.rowCount() == 2


def test_the_middle_of_each_kind_is_gone_to(dock: MedlabelDock, session: Session) -> None:
    corners = [ras(dock, 6, 5, 3), ras(dock, 8, 5, 3), ras(dock, 6, 7, 3)]
    made = [Measurement(kind, kind, tuple(corners)) for kind in ("ellipse", "angle")]
    session.set_measurements(MeasurementSet(tuple(made)))
    for name, voxel in (("ellipse", (6, 5, 3)), ("angle", (8, 5, 3))):
        dock.mark_desk.measures.go_to(name)
        assert dock.sight_desk.views.cross.voxel_ijk == voxel


def test_a_case_is_let_go_of_whole_and_the_mode_is_kept(
    dock: MedlabelDock, mouse: Mouse, session: Session
) -> None:
    dock.landmark_panel.detail.mode_requested.emit("free")
    dock.landmark_panel.place_button.click()
    go(dock, "Axial", 3, 5, 2)
    mouse.click(3, 5, 2)
    assert session.landmarks["Point 4"].is_placed
    dock.desk.show_session(session)
    assert dock.mark_desk.marking.mode == "free"
    names = [layer.name for layer in dock.viewer.layers]
    assert "Draft" not in names
