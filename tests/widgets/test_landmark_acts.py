"""Whatever is done: panel, list, mark on the canvas and the next click are of one landmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from napari_medlabel.export.landmarks import save_landmarks
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.session.case import Session
from napari_medlabel.widgets.dock import MedlabelDock
from tests.plugin.tools.mouse import Mouse

MARKS: Final = LandmarkSet((Landmark("A"), Landmark("B"), Landmark("C"), Landmark("D")))


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


Act = Callable[[MedlabelDock], object]
AT: Final = st.tuples(st.integers(2, 8), st.integers(2, 8))
ROW: Final = st.integers(0, 3)


def click(at: tuple[int, int]) -> Act:
    def do(dock: MedlabelDock) -> None:
        i, j = at
        dock.sight_desk.views.go_to_voxel((i, j, 3))
        Mouse(dock.desk.binding).click(i, j, 3)

    return do


def choose(row: int) -> Act:
    return lambda dock: dock.landmark_panel.table.setCurrentCell(row, 0)


def click_row(row: int) -> Act:
    def do(dock: MedlabelDock) -> None:
        if row < len(dock.session.landmarks):
            dock.landmark_panel.table.cellClicked.emit(row, 0)

    return do


def load(dock: MedlabelDock) -> None:
    dock.mark_desk.files.load(dock.session, dock.told)


def add_by_napari(at: tuple[int, int]) -> Act:
    def do(dock: MedlabelDock) -> None:
        display, binding = dock.desk.binding.display, dock.desk.binding
        volume = dock.session.volume
        ras = volume.grid.affine.apply(np.array((*at, 3), float))
        binding.points.add(display.from_ras(ras))

    return do


def say(signal: str, *values: object) -> Act:
    def do(dock: MedlabelDock) -> None:
        panel = dock.landmark_panel
        getattr(panel if hasattr(panel, signal) else panel.detail, signal).emit(*values)

    return do


def press(key: str) -> Act:
    return lambda dock: dock.desk.binding.keys.press(key)


SAID: Final = (
    *(say("mode_requested", mode) for mode in ("sequential", "quick", "free")),
    say("absent_requested", "resected"),
    say("lock_requested", True),
    say("lock_requested", False),
    say("doubt_requested", 2.0),
    say("cancel_requested"),
    say("commit_requested"),
    say("lock_all_requested"),
    say("step_requested", 1),
    say("step_requested", -1),
    say("template_requested", "head"),
    *(press(key) for key in ("Y", "Enter", "Escape", ".", "Shift-Enter", "Shift-PageUp")),
    lambda dock: dock.undo_button.click(),
    lambda dock: dock.redo_button.click(),
    lambda dock: dock.landmark_panel.remove_button.click(),
    lambda dock: dock.desk.show_plane("Coronal"),
    lambda dock: dock.desk.show_plane("Axial"),
    lambda dock: setattr(
        dock.viewer.layers.selection, "active", dock.desk.binding.image
    ),
    load,
)  # fmt: skip
ACTS: Final = st.lists(
    st.builds(click, AT)
    | st.sampled_from(SAID)
    | st.builds(choose, ROW)
    | st.builds(click_row, ROW)
    | st.builds(add_by_napari, AT),
    max_size=14,
)


def require_agreement(dock: MedlabelDock) -> None:
    """Refuse a panel, a list or a mark that names another landmark than the next click's."""
    session, panel, detail = dock.session, dock.landmark_panel, dock.landmark_panel.detail
    current, draft = session.marking.current, session.marking.draft
    names = [mark.name for mark in session.landmarks]
    shown = "a new point" if current is None else f"<b>{current.name}</b>"
    assert detail.title.text() == f"Next: {shown}"
    assert panel.place_button.text() == (
        f"Place: {current.name} (Y)" if current else "Place another point (Y)"
    )
    assert panel.table.currentRow() == (names.index(current.name) if current else -1)
    assert bool(detail.draft_line.text()) == (draft is not None)
    assert detail.commit_button.isEnabled() == (draft is not None)
    layer = next((layer for layer in dock.viewer.layers if layer.name == "Draft"), None)
    if draft is None:
        assert layer is None or not len(layer.data)
        return
    assert current is not None
    assert draft.name == current.name
    assert layer is not None
    assert list(layer.features["words"]) == [f"{draft.name}?"]
    display = dock.desk.binding.display
    assert layer.data[0] == pytest.approx(display.from_ras(np.array(draft.point_ras)))


@settings(max_examples=60, deadline=None)
@given(acts=ACTS)
def test_what_the_panel_names_is_what_the_next_click_changes(
    dock: MedlabelDock, tmp_path: Path, acts: list[Act]
) -> None:
    session, marking = dock.session, dock.session.marking
    dock.told = tmp_path / "theirs.mrk.json"
    if not dock.told.exists():
        save_landmarks(dock.told, LandmarkSet((Landmark("B", (5.0, -20.0, 44.0)),)))
    dock.tool_desk.put_down()
    session.set_landmarks(MARKS)
    session.history.clear()
    marking.aim(None)
    dock.landmark_panel.detail.mode_requested.emit("sequential")
    dock.desk.show_plane("Axial")
    dock.mark_desk.place(True)
    require_agreement(dock)
    for act in acts:
        act(dock)
        require_agreement(dock)
    dock.desk.show_plane("Axial")
    dock.mark_desk.place(True)
    before, shown = session.landmarks, marking.current
    click((5, 6))(dock)
    press("Enter")(dock)
    only = {None if shown is None else shown.name}
    changed = {mark.name for mark in set(session.landmarks) ^ set(before)}
    if shown is None:
        assert not changed & {mark.name for mark in before}
    else:
        assert changed <= only
    require_agreement(dock)


def test_a_row_reached_by_keys_is_what_the_next_click_is_for(dock: MedlabelDock) -> None:
    dock.landmark_panel.table.setCurrentCell(2, 0)
    assert dock.session.marking.current == MARKS["C"]
    assert dock.landmark_panel.detail.title.text() == "Next: <b>C</b>"


def test_undo_leaves_the_chosen_row_chosen(dock: MedlabelDock) -> None:
    session = dock.session
    session.place_landmark("D", (5.0, -20.0, 44.0))
    dock.landmark_panel.table.setCurrentCell(2, 0)
    session.undo()
    require_agreement(dock)
    assert dock.landmark_panel.place_button.text() == "Place: C (Y)"


def test_a_case_that_is_closed_has_no_draft_any_more(dock: MedlabelDock) -> None:
    session = dock.session
    dock.desk.show_plane("Axial")
    dock.mark_desk.place(True)
    click((5, 6))(dock)
    assert session.marking.draft is not None
    dock.desk.show_session(session)
    assert session.marking.draft is None
    require_agreement(dock)
