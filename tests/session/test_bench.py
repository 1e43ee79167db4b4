"""The bench: strokes and proposals become steps, as far as the rules allow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.moving import renumber
from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.scene import Proposal, slab
from napari_medlabel.errors import InputError
from napari_medlabel.model.volume import FurtherAxis
from napari_medlabel.session.bench import Stroke
from napari_medlabel.session.case import Session
from napari_medlabel.session.saving import save
from napari_medlabel.session.volume_in_use import VolumeInUse
from tests.session.test_outbox import events

BOX = (slice(1, 3), slice(2, 4), slice(0, 1))
BESIDE = (slice(3, 5), slice(2, 4), slice(0, 1))
ALL = np.ones((2, 2, 1), bool)


def filled(value: int) -> np.ndarray:
    return np.full((2, 2, 1), value, np.uint8)


def proposal(session: Session, value: int = 2, provider: str = "") -> Proposal:
    scene = session.bench.scene()
    made = scene.propose(BOX, filled(value), name="Fill", values=(value,), provider=provider)
    assert made is not None
    return made


def test_a_stroke_of_many_dabs_is_one_step(session: Session) -> None:
    seen: list[Box] = []
    session.bench.painted.connect(seen.append)
    stroke = session.bench.stroke("Paint", (1,))
    assert stroke.box is None
    assert stroke.put(BOX, ALL, 1)
    assert stroke.put(BESIDE, ALL, 1)
    assert stroke.box == (slice(1, 5), slice(2, 4), slice(0, 1))
    assert seen == [BOX, BESIDE]
    assert len(session.history) == 0
    patch = stroke.finish()
    assert patch is not None
    assert patch.voxels_changed == 8
    assert session.history.undo_name == "Paint"
    session.undo()
    assert not session.labels.array.any()


def test_a_dab_on_its_own_label_changes_nothing(session: Session) -> None:
    stroke = session.bench.stroke("Paint", (1,))
    stroke.put(BOX, ALL, 1)
    assert not stroke.put(BOX, ALL, 1)
    stroke.finish()
    assert stroke.finish() is None


def test_a_stroke_that_is_given_up_never_was(session: Session) -> None:
    session.edit(BOX, filled(3), name="Square")
    stroke = session.bench.stroke("Paint", (1,))
    stroke.put(BOX, ALL, 1)
    stroke.cancel()
    stroke.cancel()
    assert session.labels.voxel_counts() == {3: 4}
    assert len(session.history) == 1


def test_a_stroke_does_not_paint_through_a_locked_segment(session: Session) -> None:
    session.edit(BOX, filled(3), name="Square")
    session.bench.masking = Masking(locked=frozenset({3}))
    stroke = session.bench.stroke("Paint", (1,))
    assert not stroke.put(BOX, ALL, 1)
    assert stroke.put((slice(1, 5), slice(2, 4), slice(0, 1)), np.ones((4, 2, 1), bool), 1)
    stroke.finish()
    assert session.labels.voxel_counts() == {1: 4, 3: 4}


def test_what_came_from_outside_is_not_the_strokes(session: Session) -> None:
    session.labels.array[0, 0, 0] = 5
    stroke = session.bench.stroke("Paint", (1,))
    stroke.put(BOX, ALL, 1)
    stroke.finish()
    session.undo()
    assert session.labels.voxel_counts() == {5: 1}


def test_a_stroke_of_an_unknown_value_is_refused(session: Session) -> None:
    with pytest.raises(InputError, match="no label with the value 99"):
        session.bench.stroke("Paint", (0, 99))


def test_a_dab_of_an_unknown_value_is_refused(session: Session) -> None:
    stroke = session.bench.stroke("Paint", (1,))
    for value in (99, 300, -1):
        with pytest.raises(InputError, match=f"no label with the value {value}"):
            stroke.put(BOX, ALL, value)
    assert not session.labels.array.any()


def test_an_eraser_takes_only_its_labels_and_without_any_all(session: Session) -> None:
    session.edit(BOX, filled(3), name="Square")
    session.edit(BESIDE, filled(2), name="Square")
    both = (slice(1, 5), slice(2, 4), slice(0, 1))
    eraser = session.bench.stroke("Erase", (2,))
    assert eraser.put(both, np.ones((4, 2, 1), bool), 0)
    eraser.finish()
    assert session.labels.voxel_counts() == {3: 4}
    eraser = session.bench.stroke("Erase", ())
    eraser.put(both, np.ones((4, 2, 1), bool), 0)
    eraser.finish()
    assert not session.labels.array.any()


# -- the open stroke -----------------------------------------------------------------------


def undo_names(session: Session) -> list[str]:
    names = []
    while (name := session.history.undo_name) is not None:
        names.append(name)
        session.undo()
    return names[::-1]


def begun(session: Session) -> Stroke:
    stroke = session.bench.stroke("Paint", (1,), origin="interpolated")
    stroke.put(BOX, ALL, 1)
    return stroke


@pytest.mark.parametrize(
    ("deed", "then"),
    [
        (lambda s: s.bench.stroke("Other", (2,)), ["Paint"]),
        (lambda s: s.edit(BESIDE, filled(2), name="Square"), ["Paint", "Square"]),
        (lambda s: s.bench.apply(proposal(s)), ["Paint", "Fill"]),
        (lambda s: s.reconcile(), ["Paint"]),
        (lambda s: s.obey(BESIDE, (1,)), ["Paint"]),
        (lambda s: s.absorb(BESIDE, name="Layer"), ["Paint"]),
        (save, ["Paint"]),
        (lambda s: s.redo(), ["Paint"]),
        (lambda s: s.close(), ["Paint"]),
    ],
)
def test_whatever_else_is_done_ends_a_stroke_as_its_own_step(
    session: Session, deed: Callable[[Session], object], then: list[str]
) -> None:
    stroke = begun(session)
    deed(session)
    assert not stroke.cancel()
    assert stroke.finish() is None
    assert not session.unattributed
    assert session.labels.array[BOX].all()
    first = session.history.peek(-1) if len(then) == 1 else None
    assert first is None or first.origin == "interpolated"
    assert undo_names(session) == then


def test_an_undo_in_a_stroke_takes_that_stroke_back(session: Session) -> None:
    session.edit(BESIDE, filled(2), name="Square")
    stroke = begun(session)
    session.undo()
    assert session.labels.voxel_counts() == {2: 4}
    assert stroke.box is None
    # The mouse is still down: what it paints now is a further step.
    assert stroke.put(BOX, ALL, 1)
    assert stroke.finish() is not None
    assert session.labels.voxel_counts() == {1: 4, 2: 4}
    assert not session.unattributed


def test_a_stroke_that_nothing_ended_can_be_taken_back_once(session: Session) -> None:
    stroke = begun(session)
    assert stroke.cancel()
    assert not stroke.cancel()


# -- proposals -----------------------------------------------------------------------------


def test_a_proposal_is_no_edit_until_accepted(session: Session) -> None:
    shown: list[Proposal | None] = []
    session.bench.preview_changed.connect(shown.append)
    made = proposal(session)
    session.bench.show(made)
    assert session.bench.preview is made  # a proposal without words is shown as it is
    assert not session.labels.array.any()
    session.bench.accept()
    assert session.labels.voxel_counts() == {2: 4}
    assert session.history.undo_name == "Fill"
    assert shown == [made, None]
    session.bench.show(None)
    assert shown == [made, None]
    assert session.bench.accept() is None


def test_painting_while_a_proposal_waits_is_kept(session: Session) -> None:
    session.bench.show(proposal(session))
    session.edit(BESIDE, filled(1), name="Square")
    session.bench.accept()
    assert session.labels.voxel_counts() == {1: 4, 2: 4}


def test_what_was_painted_or_erased_under_a_proposal_stays(session: Session) -> None:
    session.edit(BOX, filled(1), name="Square")
    session.bench.show(proposal(session))
    session.edit((slice(1, 2), slice(2, 3), slice(0, 1)), np.zeros((1, 1, 1)), name="Erase")
    session.edit((slice(2, 3), slice(2, 3), slice(0, 1)), np.full((1, 1, 1), 3), name="Paint")
    session.bench.accept()
    assert session.labels.array[BOX].ravel().tolist() == [0, 2, 3, 2]


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda s: s.edit((slice(1, 2), slice(2, 3), slice(0, 1)), np.zeros((1, 1, 1)), name=""),
        lambda s: s.edit((slice(5, 6), slice(5, 6), slice(2, 3)), np.ones((1, 1, 1)), name=""),
        lambda s: s.edit(
            (slice(5, 6), slice(5, 6), slice(0, 1)), np.full((1, 1, 1), 2), name=""
        ),
        lambda s: setattr(s.bench, "masking", Masking(area="inside", segments=frozenset({1}))),
        lambda s: setattr(s.bench, "masking", Masking(locked=frozenset({2}))),
    ],
)
def test_new_numbers_are_given_to_all_or_none(
    session: Session, meanwhile: Callable[[Session], object]
) -> None:
    session.edit(BOX, filled(1), name="Square")
    session.edit(BESIDE, filled(2), name="Square")
    session.bench.show(renumber(session.bench.scene(), {1: 2, 2: 1}))
    meanwhile(session)
    before = session.labels.array.copy()
    with pytest.raises(InputError, match="would mix labels"):
        session.bench.accept()
    assert session.bench.preview is not None
    assert np.array_equal(session.labels.array, before)


def test_new_numbers_are_given_when_only_others_were_painted(session: Session) -> None:
    session.edit(BOX, filled(1), name="Square")
    session.bench.show(renumber(session.bench.scene(), {1: 2}))
    session.edit(BESIDE, filled(3), name="Square")
    assert session.bench.accept() is not None
    assert session.labels.voxel_counts() == {2: 4, 3: 4}


def test_a_lock_that_came_later_holds(session: Session) -> None:
    session.edit(BOX, filled(3), name="Square")
    session.bench.show(proposal(session))
    session.bench.masking = Masking(locked=frozenset({3}))
    assert session.bench.accept() is None
    assert session.labels.voxel_counts() == {3: 4}


def test_an_assisted_proposal_stands_in_the_log_and_a_hand_drawn_one_does_not(
    session: Session,
) -> None:
    session.bench.apply(proposal(session))
    assert "assist.run" not in [e["event"] for e in events(session.desk)]
    session.bench.apply(proposal(session, 1, "classical"))
    (line,) = [e for e in events(session.desk) if e["event"] == "assist.run"]
    assert line["detail"]["provider"] == "classical"
    assert "volume" not in line["detail"]


def test_rules_are_told_once(session: Session) -> None:
    told: list[Masking] = []
    session.bench.masking_changed.connect(told.append)
    session.bench.masking = Masking(overwrite="none")
    session.bench.masking = Masking(overwrite="none")
    assert told == [Masking(overwrite="none")]


def test_intensities_may_come_from_another_volume(session: Session) -> None:
    other = np.zeros(session.labels.array.shape[::-1], np.int16).T
    other[BOX] = 7
    session.bench.in_use = VolumeInUse(replace(session.volume, array=other))
    session.bench.masking = Masking(low=7)
    box = slab(session.labels.grid.shape, 2, 0)
    after = np.ones_like(session.labels.array[box])
    made = session.bench.scene().propose(box, after, name="Fill", values=(1,))
    assert made is not None
    assert np.count_nonzero(made.changed) == 4


def test_what_napari_painted_against_the_rules_is_taken_back(session: Session) -> None:
    assert not session.obey(BOX, (1,))
    session.bench.masking = Masking(overwrite="none")
    session.edit(BOX, filled(3), name="Square")
    session.labels.array[1:5, 2:4, 0] = 1
    assert session.obey((slice(1, 5), slice(2, 4), slice(0, 1)), (1,))
    assert not session.obey((slice(1, 5), slice(2, 4), slice(0, 1)), (1,))
    assert session.labels.voxel_counts() == {1: 4, 3: 4}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("3 parts of label 1, 2.5 ml, go.", "3 parts of {1}, 2.5 ml, go."),
        ("Nothing of labels 1, 2 and 3 stays.", "Nothing of {1}, {2} and {3} stays."),
        ("From label 2: 12.4 ml.", "From {2}: 12.4 ml."),
        ("Label 1 is here.", "{1} is here."),
        ("Labels 2 and 3 become segment 1.", "{2} and {3} become {1}."),
        ("What is label 99 stays.", "What is 99 stays."),
        ("4 labels, 3 slices.", "4 labels, 3 slices."),
    ],
)
def test_a_proposal_calls_labels_by_their_names(
    session: Session, words: str, said: str
) -> None:
    scheme = session.labels.scheme
    wanted = said
    for value in (1, 2, 3):
        wanted = wanted.replace(f"{{{value}}}", scheme[value].name)
    assert session.bench.said(words) == wanted


def test_a_proposal_with_words_is_shown_as_the_object_that_it_is(session: Session) -> None:
    made = replace(proposal(session), words="3 parts of label 1 go.")
    shown: list[Proposal | None] = []
    session.bench.preview_changed.connect(shown.append)
    session.bench.show(made)
    assert session.bench.preview is made
    assert shown[0] is made


def test_edits_stay_within_a_region_on_top_of_the_rules(session) -> None:
    region = np.zeros(session.labels.array.shape, dtype=bool)
    region[2:4, 2:4, 1] = True
    session.bench.keep_within(region)
    box = (slice(0, 6), slice(0, 6), slice(0, 3))
    stroke = session.bench.stroke("Paint", (1,))
    stroke.put(box, np.ones((6, 6, 3), dtype=bool), 1)
    stroke.finish()
    assert np.array_equal(session.labels.array == 1, region)
    # What napari's own brush painted is taken back too.
    before = session.labels.array[box].copy()
    session.labels.array[box] = 2
    assert session.bench.obey(box, before, (2,))
    assert np.array_equal(session.labels.array == 2, region)
    session.bench.keep_within(None)
    assert not session.bench.obey(box, before, (2,))


@pytest.mark.parametrize(("number", "said"), [(0, 1), (2, 3)])
def test_the_log_says_on_which_of_several_volumes_a_proposal_was_made(
    session: Session, number: int, said: int
) -> None:
    array = np.zeros((3, *session.volume.grid.shape[::-1]), np.uint16).T
    further = FurtherAxis("time", "s", (0.0, 1.0, 2.0), array)
    session.bench.in_use = VolumeInUse(replace(session.volume, further=further))
    session.bench.use_volume(number)
    session.bench.apply(proposal(session, 1, "classical"))
    (line,) = [e for e in events(session.desk) if e["event"] == "assist.run"]
    assert line["detail"]["volume"] == said
