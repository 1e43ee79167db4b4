from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.model.labelmap import Label
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.saving import save
from napari_medlabel.session.segment_states import (
    SEGMENTS_FILE,
    Segment,
    SegmentState,
    StateFile,
)
from napari_medlabel.session.segments import Segments

BOX = (slice(2, 6), slice(2, 5), slice(1, 4))


@pytest.fixture
def segments(session: Session) -> Iterator[Segments]:
    made = Segments(session)
    yield made
    made.detach()


def paint(session: Session, value: int = 1, box=BOX) -> None:
    shape = tuple(part.stop - part.start for part in box)
    session.edit(box, np.full(shape, value, np.uint8), name="Box")


def row(segments: Segments, value: int) -> Segment:
    return next(one for one in segments.rows if one.label.value == value)


def counts(segments: Segments) -> dict[int, int]:
    return {one.label.value: one.voxels for one in segments.rows if one.voxels}


# -- counting ------------------------------------------------------------------------------


def test_volume_and_slices_follow_every_step(session: Session, segments: Segments) -> None:
    seen: list[int] = []
    segments.changed.connect(lambda: seen.append(row(segments, 1).voxels))
    paint(session)
    one = row(segments, 1)
    assert (one.voxels, one.slices, one.progress) == (36, 3, "in progress")
    assert one.ml == pytest.approx(36 * 0.8 * 0.9 * 3 / 1000)
    assert segments.slices_of(1) == (1, 2, 3)
    session.undo()
    assert row(segments, 1).progress == "not started"
    session.redo()
    assert seen[0] == 36
    assert [v for v in seen if v != 36][-1] == 0
    assert row(segments, 1).voxels == 36


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 4)), max_size=12)
)
@settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_counts_equal_a_count_of_all_after_anything(session: Session, deeds) -> None:
    segments = Segments(session)
    for kind, value, at in deeds:
        if kind == 0:
            session.undo()
        elif kind == 1:
            session.redo()
        elif kind == 2:
            # Painted past the session, and found later.
            session.labels.array[at, at, at] = value
            session.reconcile()
        else:
            paint(session, value, (slice(at, at + 3), slice(1, 4), slice(at, at + 2)))
        assert counts(segments) == session.labels.voxel_counts()
    segments.detach()


# -- rules ---------------------------------------------------------------------------------


def test_hidden_and_locked_segments_are_rules_of_the_bench(
    session: Session, segments: Segments
) -> None:
    segments.set_visible(2, False)
    segments.set_locked(1, True)
    assert session.bench.masking.hidden == {2}
    assert session.bench.masking.locked == {1}
    assert not row(segments, 2).visible
    assert row(segments, 1).locked
    segments.solo(3)
    assert session.bench.masking.hidden == set(session.labels.scheme.values) - {3}
    segments.solo(3)
    assert session.bench.masking.hidden == frozenset()
    segments.set_locked(1, False)
    assert session.bench.masking.is_open
    with pytest.raises(InputError, match="no label with the value"):
        segments.set_locked(99, True)


def test_what_is_locked_elsewhere_is_locked_here(session: Session, segments: Segments) -> None:
    from dataclasses import replace

    session.bench.masking = replace(session.bench.masking, locked=frozenset({2}))
    assert row(segments, 2).locked
    assert segments.is_dirty


# -- names ---------------------------------------------------------------------------------


def test_a_removed_segment_comes_back_by_undo_with_its_name_and_place(
    session: Session, segments: Segments
) -> None:
    paint(session, 2)
    before = session.labels.scheme
    patch = segments.remove(2)
    assert patch is not None
    assert session.history.undo_name == "Remove segment"
    assert 2 not in session.labels.scheme.values
    session.undo()
    assert session.labels.scheme == before
    assert row(segments, 2).voxels == 36
    session.redo()
    assert 2 not in session.labels.scheme.values
    session.undo()
    assert segments.remove(2) is not None
    # No new segment takes the number: an undo would fill it with the old one.
    assert segments.new_label("New", "#112233").value != 2
    session.undo()
    assert session.labels.scheme == before


def test_a_name_that_was_taken_meanwhile_is_not_taken_twice(
    session: Session, segments: Segments
) -> None:
    paint(session, 2)
    name = session.labels.scheme[2].name
    segments.remove(2)
    label = segments.new_label(name, "#112233")
    # As a file's labels do, that bring names of their own.
    session.scheming.put_along(session.labels.scheme.with_label(label))
    session.undo()
    assert session.labels.scheme[2].name == f"{name}'"


def test_an_unused_segment_goes_and_comes_back_by_undo(
    session: Session, segments: Segments
) -> None:
    before = session.labels.scheme
    assert segments.remove(2) is None
    assert session.history.undo_name == "Remove segment"
    assert 2 not in session.labels.scheme.values
    session.undo()
    assert session.labels.scheme == before


def test_what_cannot_be_removed_or_added_says_why(session: Session, segments: Segments) -> None:
    segments.set_locked(1, True)
    with pytest.raises(InputError, match="locked segment is not removed"):
        segments.remove(1)
    with pytest.raises(InputError, match="value 1 is taken"):
        segments.add(Label(1, "Other", "#112233"))
    with pytest.raises(InputError, match="of that name already"):
        segments.new_label(session.labels.scheme[1].name, "#112233")
    for value in session.labels.scheme.values[1:]:
        segments.remove(value)
    segments.set_locked(1, False)
    with pytest.raises(InputError, match="last segment stays"):
        segments.remove(1)


def test_a_removed_segments_value_goes_to_no_other(
    session: Session, segments: Segments
) -> None:
    paint(session, 2)
    name = session.labels.scheme[2].name
    segments.remove(2)
    with pytest.raises(InputError, match="value 2 is a removed segment's"):
        segments.add(Label(2, "Other", "#112233"))
    session.undo()
    assert session.labels.scheme[2].name == name
    assert row(segments, 2).voxels == 36


def test_a_value_that_came_from_outside_can_be_locked_and_erased(
    session: Session, segments: Segments
) -> None:
    session.labels.array[BOX] = 250
    session.reconcile()
    assert row(segments, 250).voxels == 36
    segments.set_locked(250, True)
    assert 250 in session.bench.masking.locked
    segments.set_locked(250, False)
    segments.remove(250)
    assert not session.labels.array.any()


def test_segments_are_renamed_recoloured_and_moved(
    session: Session, segments: Segments
) -> None:
    first, second = session.labels.scheme.values[:2]
    segments.change(Label(first, "Renamed", "#abcdef"))
    assert session.labels.scheme[first].name == "Renamed"
    segments.move(first, 1)
    assert session.labels.scheme.values[:2] == (second, first)
    with pytest.raises(InputError):
        segments.change(Label(99, "Nobody", "#abcdef"))


def test_renaming_recolouring_moving_and_adding_are_steps_among_the_strokes(
    session: Session, segments: Segments
) -> None:
    before = session.labels.scheme
    first, second = before.values[:2]
    segments.change(replace(before[first], name="Renamed"))
    paint(session, first)
    segments.change(replace(session.labels.scheme[first], colour="#abcdef"))
    segments.move(first, 1)
    segments.add(segments.new_label("Own", "#112233"))
    names = []
    while session.history.undo_name is not None:
        names.append(session.history.undo_name)
        session.undo()
    assert names == ["Add segment", "Move segment", "Recolour segment", "Box", "Rename segment"]
    assert session.labels.scheme == before
    assert not session.labels.array.any()
    for _ in names:
        session.redo()
    assert session.labels.scheme.values[:2] == (second, first)
    assert session.labels.scheme[first].name == "Renamed"
    assert session.labels.scheme[first].colour == "#abcdef"
    assert row(segments, first).voxels == 36


def test_taking_a_new_name_back_leaves_a_value_that_came_since_its_name(
    session: Session, segments: Segments
) -> None:
    before = session.labels.scheme
    segments.change(replace(before[1], name="Renamed"))
    session.labels.array[BOX] = 250
    session.reconcile()
    session.history.back()  # the value stays: what painted it is not taken back
    session.undo()
    assert session.labels.scheme[1] == before[1]
    assert session.labels.scheme[250].name == "Label 250"


def test_a_crash_keeps_new_names_colours_and_order(
    session: Session, scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    before = session.labels.scheme
    segments = Segments(session)
    segments.change(replace(before[1], name="Renamed", colour="#abcdef"))
    segments.move(1, 1)
    segments.detach()
    session.keeper.sweep()
    session.keeper.close(discard=False)
    again = open_case([scan], desk, wishes, fallback=tmp_path)
    assert again.labels.scheme == before
    (found,) = again.recoveries
    assert (found.slices, found.landmarks) == (0, None)
    again.recover(found, None)
    assert again.labels.scheme == session.labels.scheme
    assert again.history.undo_name == "Recover names of segments"
    again.undo()
    assert again.labels.scheme == before
    again.redo()
    save(again)
    again.close()
    last = open_case([scan], desk, wishes, fallback=tmp_path)
    assert last.recoveries == ()
    last.close()


# -- the centre ----------------------------------------------------------------------------


def test_the_centre_is_a_voxel_of_the_segment(session: Session, segments: Segments) -> None:
    ring = np.ones((5, 5, 1), np.uint8)
    ring[1:4, 1:4] = 0
    session.edit((slice(2, 7), slice(2, 7), slice(3, 4)), ring, name="Ring")
    index = session.labels.grid.affine.to_index(np.array(segments.centre_ras(1)))
    i, j, k = (round(float(v)) for v in index)
    assert session.labels.array[i, j, k] == 1
    with pytest.raises(InputError, match="no centre"):
        segments.centre_ras(2)


# -- keeping -------------------------------------------------------------------------------


def test_states_locks_and_done_slices_are_there_at_the_next_start(
    session: Session, segments: Segments
) -> None:
    segments.set_progress(1, "flagged")
    segments.set_done(1, 3, True)
    segments.set_done(1, 4, True)
    segments.set_done(1, 5, True)
    segments.set_done(1, 5, False)
    segments.set_locked(2, True)
    with pytest.raises(InputError, match="no slice"):
        segments.set_done(1, 99, True)
    segments.save()
    assert not segments.is_dirty
    segments.save()  # nothing to write
    text = (session.place.folder / SEGMENTS_FILE).read_text(encoding="utf-8")
    assert json.loads(text)["segments"][0]["slices_done"] == [[3, 4]]
    session.bench.masking = type(session.bench.masking)()
    segments.detach()
    again = Segments(session)
    one = row(again, 1)
    assert (one.progress, one.done) == ("flagged", 2)
    assert row(again, 2).locked
    assert session.bench.masking.locked == {2}
    again.detach()
    # A mask saved beside it leaves it alone.
    paint(session)
    save(session)
    assert (session.place.folder / SEGMENTS_FILE).read_text(encoding="utf-8") == text


def test_two_windows_lose_nothing_of_each_other(session: Session) -> None:
    scheme, path = session.labels.scheme, session.place.folder / SEGMENTS_FILE
    one, other = StateFile(path, session.place.case), StateFile(path, session.place.case)
    assert one.read(scheme) == other.read(scheme) == {}
    one.write({1: SegmentState("completed")}, scheme)
    found = other.write({2: SegmentState("flagged")}, scheme)
    assert found == {1: SegmentState("completed"), 2: SegmentState("flagged")}
    # What one takes back goes, what the other wrote stays.
    assert one.write({1: SegmentState()}, scheme)[2] == SegmentState("flagged")
    assert one.read(scheme) == {2: SegmentState("flagged")}


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"format": "napari-medlabel segments"}',
     '{"format": "napari-medlabel segments", "segments": [{"progress": "odd"}]}'],
)  # fmt: skip
def test_a_damaged_file_is_moved_aside_and_never_written_over(
    session: Session, text: str
) -> None:
    path = session.place.folder / SEGMENTS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    file = StateFile(path, session.place.case)
    assert file.read(session.labels.scheme) == {}
    file.write({1: SegmentState("completed")}, session.labels.scheme)
    aside = path.with_name("segments-damaged-1.json")
    assert aside.read_text(encoding="utf-8") == text
    assert file.read(session.labels.scheme) == {1: SegmentState("completed")}


def test_a_state_is_that_of_a_name_and_not_of_a_number(session: Session) -> None:
    scheme, path = session.labels.scheme, session.place.folder / SEGMENTS_FILE
    file = StateFile(path, session.place.case)
    file.write({1: SegmentState("completed")}, scheme)
    assert file.read(scheme.with_label(Label(1, "Another", "#112233"))) == {}


def test_states_that_cannot_be_written_are_still_there(
    segments: Segments, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise SaveError("The disk is full.", hint="Free some space.")

    segments.set_progress(1, "completed")
    monkeypatch.setattr("napari_medlabel.session.segment_states.make_folder", full)
    with pytest.raises(SaveError):
        segments.save()
    assert segments.is_dirty
    assert row(segments, 1).progress == "completed"
