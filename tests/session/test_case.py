"""The open case: every change is a step, whoever made it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.edit.patch import Patch
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.session.case import Session

BOX = (slice(1, 3), slice(2, 4), slice(0, 1))


def ones() -> np.ndarray:
    return np.ones((2, 2, 1), np.uint8)


def test_an_edit_is_one_step_back_and_forth(session: Session) -> None:
    session.edit(BOX, ones(), name="Square")
    assert session.labels.voxel_counts() == {1: 4}
    session.undo()
    assert session.labels.voxel_counts() == {}
    session.redo()
    assert session.labels.voxel_counts() == {1: 4}


def test_an_edit_that_changes_nothing_is_no_step(session: Session) -> None:
    assert session.edit(BOX, np.zeros((2, 2, 1), np.uint8), name="Nothing") is None
    assert not session.is_dirty


def test_undo_goes_across_slices_and_landmarks_in_order(session: Session) -> None:
    session.edit(BOX, ones(), name="Low")
    session.place_landmark("Liver dome", (1.0, 2.0, 3.0))
    session.edit((slice(1, 3), slice(2, 4), slice(5, 6)), ones(), name="High")
    session.undo()
    assert session.labels.voxel_counts() == {1: 4}
    session.undo()
    assert not session.landmarks.placed
    session.undo()
    assert session.labels.voxel_counts() == {}
    assert session.undo() is None


def test_strokes_painted_into_the_array_become_a_step(session: Session) -> None:
    session.labels.array[4:6, 5, 2] = 3
    session.absorb((slice(4, 6), slice(5, 6), slice(2, 3)), name="Paint")
    assert session.history.undo_name == "Paint"
    session.undo()
    assert not session.labels.array.any()


def test_changes_that_nobody_announced_are_found_and_named(session: Session) -> None:
    session.labels.array[0, 0, 0] = 9
    patch = session.reconcile()
    assert patch is not None
    assert patch.origin == "unattributed"
    assert session.unattributed == [patch]
    assert session.reconcile() is None


def test_undo_over_an_unannounced_change_takes_that_back_first(session: Session) -> None:
    session.edit(BOX, ones(), name="Square")
    session.labels.array[1, 2, 0] = 7
    session.undo()
    assert session.labels.voxel_counts() == {1: 4}
    session.undo()
    assert session.labels.voxel_counts() == {}


def test_filling_a_region_keeps_what_is_labelled(session: Session) -> None:
    session.edit(BOX, ones(), name="Square")
    region = np.zeros(session.labels.array.shape, bool)
    region[1:6, 2, 0] = True
    session.bench.fill_region(region, 2, name="Grow")
    assert session.labels.voxel_counts() == {1: 4, 2: 3}


def test_an_empty_region_is_no_step(session: Session) -> None:
    assert session.bench.fill_region(np.zeros((12, 10, 6), bool), 1, name="Grow") is None


def test_a_region_of_another_shape_is_refused(session: Session) -> None:
    with pytest.raises(InputError, match="region has the scan's shape"):
        session.bench.fill_region(np.zeros((2, 2, 2), bool), 1, name="Grow")


def test_a_value_without_a_label_is_refused(session: Session) -> None:
    with pytest.raises(InputError, match="no label with the value 99"):
        session.bench.fill_region(np.ones((12, 10, 6), bool), 99, name="Grow")


def test_a_value_that_a_step_brings_gets_a_name(session: Session) -> None:
    seen: list[LabelScheme] = []
    session.scheme_changed.connect(seen.append)
    box = (slice(1, 3), slice(2, 4), slice(0, 1))
    session.edit(box, np.full((2, 2, 1), 250), name="Square")
    assert session.labels.scheme[250].name == "Label 250"
    assert seen == [session.labels.scheme]
    session.edit(box, np.zeros((2, 2, 1)), name="Erase")
    session.set_scheme(session.labels.scheme.without(250))
    session.undo()
    assert session.labels.scheme[250].name == "Label 250"
    session.labels.array[0, 0, 0] = 240
    session.reconcile()
    assert session.labels.scheme[240].name == "Label 240"


def test_a_mask_of_another_grid_is_refused(session: Session) -> None:
    other = LabelMap.empty(
        Grid(session.volume.grid.shape, Affine.from_spacing((1, 1, 1))), session.labels.scheme
    )
    with pytest.raises(GeometryError, match="mask does not lie on this scan"):
        Session(session.volume, other, session.landmarks, session.desk, session.place)


def test_a_scheme_keeps_a_name_for_every_value_in_use(session: Session) -> None:
    session.edit(BOX, ones() * 12, name="Cyst")
    session.set_scheme(presets.scheme("regions"))
    assert session.labels.scheme[12].name == "Label 12"
    assert session.is_dirty


def test_a_scheme_with_large_values_is_refused_for_an_open_mask(session: Session) -> None:
    with pytest.raises(InputError, match="values above 255"):
        session.set_scheme(LabelScheme("Large", (Label(300, "Far", "#ffffff"),)))


def test_signals_tell_what_happened(session: Session) -> None:
    steps, histories, marks = [], [], []
    session.step_done.connect(steps.append)
    session.history_changed.connect(lambda: histories.append(1))
    session.landmarks_changed.connect(marks.append)
    session.edit(BOX, ones(), name="Square")
    session.place_landmark("Liver dome", (0, 0, 0))
    session.undo()
    assert isinstance(steps[0], Patch)
    assert len(steps) == 2
    assert len(marks) == 2
    assert len(histories) == 3


def test_the_same_landmarks_are_no_step(session: Session) -> None:
    session.set_landmarks(session.landmarks)
    assert len(session.history) == 0


def test_a_closed_clean_case_leaves_no_journal(session: Session) -> None:
    session.keeper.sweep()
    session.close()
    assert not list(session.desk.journals.glob("*")) if session.desk.journals.exists() else True


def test_unsaved_work_stays_in_the_journal_when_closed(
    session: Session, tmp_path: Path
) -> None:
    session.edit(BOX, ones(), name="Square")
    session.close()
    assert len(list(session.desk.journals.glob("*.journal"))) == 1


def test_given_up_work_leaves_no_journal(session: Session) -> None:
    session.edit(BOX, ones(), name="Square")
    session.keeper.sweep()
    session.close(discard=True)
    assert not list(session.desk.journals.glob("*.journal"))
