"""The segment desk ties the table to a case: on a viewer model, without a window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_medlabel.errors import MedlabelError
from napari_medlabel.measure.statistics import LabelStatistics
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import Label
from napari_medlabel.model.terminology import find_concepts
from napari_medlabel.model.volume import FurtherAxis
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.session.case import Session
from napari_medlabel.session.segment_states import SEGMENTS_FILE
from napari_medlabel.session.volume_in_use import VolumeInUse
from napari_medlabel.widgets.label_panel import LabelPanel
from napari_medlabel.widgets.segment_desk import SegmentDesk
from napari_medlabel.widgets.segment_measuring import intensities_of
from napari_medlabel.widgets.segment_table import ML
from napari_medlabel.widgets.terminology_dialog import TerminologyDialog

BOX = (slice(2, 6), slice(2, 5), slice(1, 4))


class Watch:
    def show_again(self, _layer: object) -> None:
        """Nothing was taken away."""


class Desk:
    watch = Watch()


class Dock(QWidget):
    """As much of a dock as the desk needs."""

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.viewer, self.desk = viewer, Desk()
        self.label_panel = LabelPanel(presets.schemes(), self)
        self.errors: list[str] = []

    def show_error(self, err: MedlabelError) -> None:
        self.errors.append(err.message)

    def show_history(self) -> None:
        """No buttons here."""


@pytest.fixture
def desk(qtbot: QtBot, session: Session) -> Iterator[SegmentDesk]:
    viewer = ViewerModel()
    binding = Binding(session, viewer)
    dock = Dock(viewer)
    qtbot.addWidget(dock)
    made = SegmentDesk(dock)
    made.case_opened(session, binding)
    made.binding = binding
    yield made
    made.case_closed()
    binding.detach()


def paint(session: Session, value: int = 1) -> None:
    session.edit(BOX, np.full((4, 3, 3), value, np.uint8), name="Box")


def test_the_table_follows_the_painting(
    desk: SegmentDesk, session: Session, qtbot: QtBot
) -> None:
    table = desk.table.table
    assert table.item(0, ML).text() == "0.0"
    paint(session)
    qtbot.waitUntil(lambda: table.item(0, ML).text() == "0.1", timeout=2000)


def test_hidden_segments_are_transparent_and_stay_so(
    desk: SegmentDesk, session: Session
) -> None:
    colours = desk.binding.labels.colormap.color_dict
    assert colours[1][3] == 1.0
    desk.table.table.visible_requested.emit(1, False)
    assert desk.binding.labels.colormap.color_dict[1][3] == 0.0
    assert session.bench.masking.hidden == {1}
    desk.rename(2, "Other")
    assert desk.binding.labels.colormap.color_dict[1][3] == 0.0
    assert "Other" in list(desk.binding.labels.features["name"])
    desk.table.solo_requested.emit(2)
    assert desk.binding.labels.colormap.color_dict[2][3] == 1.0
    assert desk.binding.labels.colormap.color_dict[3][3] == 0.0


def test_keys_do_what_the_buttons_do(desk: SegmentDesk, session: Session) -> None:
    keys, values = desk.binding.keys, session.labels.scheme.values
    assert keys.press("N")
    assert desk.current == values[1]
    assert keys.press("J")
    assert keys.press("J")
    assert desk.current == values[-1]
    assert keys.press("Shift-F")
    assert session.bench.masking.locked == {values[-1]}
    assert keys.press("Shift-E")
    assert session.bench.masking.hidden == {values[-1]}
    assert keys.press("Shift-Y")
    assert len(desk.segments.state(values[-1]).done) == 1
    desk.binding.labels.selected_label = 99
    assert keys.press("N")
    assert desk.current == values[0]


def test_the_slice_that_is_done_is_the_acquired_one(
    desk: SegmentDesk, session: Session
) -> None:
    viewer, display = desk.binding.viewer, desk.binding.display
    viewer.dims.set_current_step(0, 1)
    k = round(float(display.index_ijk([1, 0, 0])[2]))
    desk.table.done_requested.emit(1)
    assert desk.segments.state(1).done == {k}
    assert desk.table.done_button.text() == "Slice done  ⇧Y"
    desk._show_slice()
    assert desk.table.done_button.text() == "Slice not done  ⇧Y"
    viewer.dims.set_current_step(0, 2)
    assert desk.table.done_button.text() == "Slice done  ⇧Y"
    desk.binding.orientation.show_plane("Sagittal")
    assert not desk.table.done_button.isEnabled()
    desk.table.done_requested.emit(1)
    assert "plane in which they were acquired" in desk.dock.errors[-1]


def test_a_double_click_goes_to_the_middle_of_the_segment(
    desk: SegmentDesk, session: Session
) -> None:
    desk.table.table.centre_requested.emit(1)
    assert "no centre" in desk.dock.errors[-1]
    paint(session)
    desk.table.table.centre_requested.emit(1)
    step = [float(n) for n in desk.binding.viewer.dims.current_step]
    i, j, k = (round(float(v)) for v in desk.binding.display.index_ijk(step))
    assert session.labels.array[i, j, k] == 1


def test_segments_are_added_coloured_moved_and_removed(
    desk: SegmentDesk, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    (kidney,) = find_concepts("kidney")
    desk.add_concept(find_concepts("pancreas")[0], "", said.append)
    desk.add_concept(find_concepts("adrenal gland")[0], "left", said.append)
    desk.add_concept(find_concepts("adrenal gland")[0], "left", said.append)
    assert "of that name already" in said[-1]
    added = session.labels.scheme[desk.current]
    assert (added.name, added.code.side) == ("Left adrenal gland", "left")
    desk.recolour(added.value, "#123456")
    assert session.labels.scheme[added.value].colour == "#123456"
    desk.table.move_requested.emit(added.value, -1)
    assert (
        session.labels.scheme.values.index(added.value) == len(session.labels.scheme.values) - 2
    )
    desk.add_own()
    own = desk.current
    assert session.labels.scheme[own].name.startswith("Segment ")
    desk.remove(own)
    assert own not in session.labels.scheme.values
    assert desk.current in session.labels.scheme.values
    paint(session, added.value)
    where = "napari_medlabel.widgets.segment_desk.QMessageBox.question"
    monkeypatch.setattr(where, lambda *_: QMessageBox.StandardButton.No)
    desk.remove(added.value)
    assert added.value in session.labels.scheme.values
    monkeypatch.setattr(where, lambda *_: QMessageBox.StandardButton.Yes)
    desk.remove(added.value)
    assert added.value not in session.labels.scheme.values
    session.undo()
    assert session.labels.scheme[added.value].colour == "#123456"
    desk.choose_scheme("nothing of this name")
    assert "no label scheme" in desk.dock.errors[-1]
    assert kidney.paired


def test_the_look_goes_to_the_layer(desk: SegmentDesk) -> None:
    desk.table.look_requested.emit(0.8, 2)
    assert (desk.binding.labels.opacity, desk.binding.labels.contour) == (0.8, 2)


def test_states_are_kept_when_the_case_is_closed(
    desk: SegmentDesk, session: Session, qtbot: QtBot
) -> None:
    desk.table.table.progress_requested.emit(1, "completed")
    desk.case_closed()
    desk.case_closed()
    text = (session.place.folder / SEGMENTS_FILE).read_text(encoding="utf-8")
    assert json.loads(text)["segments"][0]["progress"] == "completed"
    # Without a case nothing happens, and nothing fails.
    for do in (desk.measure, desk.add_own, desk.next_label, desk.save_states):
        do()
    desk.choose_label(1)
    desk.remove(1)
    assert desk.dock.errors == []


def test_statistics_are_measured_aside_shown_and_saved(
    desk: SegmentDesk, session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    paint(session)
    desk.measure()
    qtbot.waitUntil(lambda: desk.measuring.dialog is not None, timeout=20_000)
    dialog = desk.measuring.dialog
    qtbot.addWidget(dialog)
    assert dialog.table.item(0, 3).text() == "36"
    dialog.save_requested.emit(tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text(encoding="utf-8").startswith("value,name,")
    assert "Saved" in dialog.said.text()
    dialog.save_requested.emit(tmp_path / "none" / "s.csv")
    assert "Saved" not in dialog.said.text()
    dialog.reject()


def test_the_terminology_is_offered(desk: SegmentDesk, session: Session) -> None:
    desk.table.terminology_requested.emit()
    (dialog,) = desk.dock.findChildren(TerminologyDialog)
    count = len(session.labels.scheme.labels)
    dialog.search.setText("trachea")
    dialog.add_button.click()
    assert len(session.labels.scheme.labels) == count + 1
    assert dialog.said.text() == "Added: Trachea."
    dialog.reject()


def test_statistics_say_which_volume_they_are_of_and_what_they_leave_out(
    desk: SegmentDesk, session: Session, qtbot: QtBot
) -> None:
    shape = session.volume.grid.shape[::-1]
    array = np.stack([np.full(shape, 10 * t, np.uint16) for t in range(3)]).T
    further = FurtherAxis("time", "s", (0.0, 1.0, 2.0), array)
    paint(session)
    first = int(np.flatnonzero(session.labels.array.any(axis=(0, 1)))[0])
    session.volume = replace(session.volume, further=further, missing=(first,))
    session.bench.in_use = VolumeInUse(session.volume)
    session.bench.use_volume(2)
    desk.measure()
    session.bench.use_volume(1)  # what was shown at the click counts
    qtbot.waitUntil(lambda: desk.measuring.dialog is not None, timeout=20_000)
    dialog = desk.measuring.dialog
    qtbot.addWidget(dialog)
    row = [dialog.table.item(0, c).text() for c in range(dialog.table.columnCount())]
    assert row[-2:] == ["3 of 3", "1"]
    assert "20" in row
    assert "Intensities are those of volume 3 of 3." in dialog.said.text()
    assert "1 slice that no file holds" in dialog.said.text()
    dialog.reject()


@pytest.mark.parametrize(
    ("left_out", "which", "said"),
    [
        ((0, 0), "", ""),
        ((0, 0), "2 of 5", "Intensities are those of volume 2 of 5."),
        (
            (2, 1),
            "",
            "Of a segment up to 2 slices that no file holds count in ml, not in intensities.",
        ),
    ],
)
def test_the_note_below_the_statistics_says_what_intensities_are_of(
    left_out: tuple[int, ...], which: str, said: str
) -> None:
    label = Label(1, "Liver", "#112233")
    rows = [LabelStatistics(label, 3, 1, None, None, slices) for slices in left_out]
    assert intensities_of(rows, which) == said
