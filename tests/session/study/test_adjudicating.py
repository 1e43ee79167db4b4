"""An open adjudication: the mask follows the decisions, and decisions follow the hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from napari_medlabel.errors import InputError, RefusedError, SaveError
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.project.cases.version import (
    read_answers,
    read_labels,
    read_landmarks,
    read_provenance,
)
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.study.adjudicating import Adjudicating
from napari_medlabel.session.study.agreeing import decisions_file, differing_answers, reach
from napari_medlabel.session.study.disputes import (
    open_to_adjudicate,
    prepare,
    ready_cases,
    staple_of,
)
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import ONTOLOGY, SmallStudy, make_study


def read(study: SmallStudy, who: str, slot: str, *values: int, place: int = 2) -> None:
    seat, case = study.seat(who), study.cases[0]
    start(seat, case, slot)
    submit(seat, case, slot, study.scan(), study.work(*values, place=place))


@pytest.fixture
def study(tmp_path) -> Iterator[SmallStudy]:
    """Return a case of which A has liver, and B liver one voxel on, and spleen."""
    made = make_study(tmp_path, cases=1, people=("m1", "r01", "r02"))
    read(made, "r01", "A", 1)
    read(made, "r02", "B", 1, 2, place=3)
    yield made
    made.close()


def read_more(study: SmallStudy, who: str, slot: str, at: float | None, clear: bool) -> None:
    """Submit an empty mask with two landmarks, of which one is always the same."""
    seat, case = study.seat(who), study.cases[0]
    start(seat, case, slot)
    point = None if at is None else (at, 4.0, 6.0)
    marks = LandmarkSet((Landmark("Same", (1.0, 2.0, 3.0)), Landmark("Other", point)))
    work = study.work()
    labelled = replace(work.labelled, landmarks=marks, answers={"clear": clear})
    submit(seat, case, slot, study.scan(), replace(work, labelled=labelled))


def begin(study: SmallStudy, who: str = "m1") -> Adjudicating:
    seat, case = study.seat(who), study.cases[0]
    opening = open_to_adjudicate(seat, case)
    session = open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
    found = prepare(seat, case, session.volume.grid)
    return Adjudicating(seat, case, session, found)


def of_kind(work: Adjudicating, kind: str, label: int) -> int:
    return next(
        one.number
        for one in work.differences.found
        if one.kind(work.slots) == kind and one.labels == (label,)
    )


def reached(work: Adjudicating, expected: np.ndarray) -> np.ndarray:
    """Write the consensus, compare its mask, and return where its voxels come from."""
    layout, grid = work.seat.layout, work.session.volume.grid
    done = reach(work.seat, work.case, "adjudicate", work.session.volume)
    written = read_labels(layout, done.version, grid, ONTOLOGY.scheme())
    assert np.array_equal(written.array, expected)
    return read_provenance(layout, done.version, grid)


def test_decisions_show_in_the_mask_and_the_hand_makes_decisions_too(study) -> None:
    work = begin(study)
    a, b, spleen = (of_kind(work, *x) for x in (("A only", 1), ("B only", 1), ("B only", 2)))
    labels = work.session.labels.array
    both = work.differences.agreed.copy()
    assert np.array_equal(labels, both)
    work.decide([a], "A")
    work.decide([b], "intersection")
    assert labels[work.differences.found[a].box].all()
    assert not labels[work.differences.found[b].box].any()
    # A stroke goes as far as the difference, and is its decision.
    work.draw_in(spleen)
    stroke = work.session.bench.stroke("Paint", (2,))
    box = (slice(0, 10), slice(0, 8), slice(0, 2))
    stroke.put(box, np.ones((10, 8, 2), dtype=bool), 2)
    stroke.finish()
    assert work.work.decisions[spleen].choice == "edited"
    assert work.open == ()
    expected = both.copy()
    expected[2:3, 2:4, 1:3] = 1
    expected[3:5, 4:6, 1:2] = 2
    assert np.array_equal(labels, expected)
    assert work.strays() == 0
    # What undo takes back is no decision any more; what a redo brings back is.
    work.session.undo()
    assert [one.number for one in work.open] == [spleen]
    work.session.redo()
    assert work.open == ()
    work.close()
    work.session.close(discard=True)
    again = begin(study)
    assert again.open == ()
    assert np.array_equal(again.session.labels.array, expected)
    again.session.undo()
    assert np.array_equal(again.session.labels.array, expected), "no step of today"
    again.close()
    again.session.close()
    origins = reached(again, expected)
    assert (origins[2:3, 2:4, 1:3] == 5).all()
    assert (origins[3:5, 4:6, 1:2] == 1).all(), "a hand drew it"
    assert not (origins == 6).any()


def test_who_only_looked_has_nothing_to_undo_or_to_save(study) -> None:
    work = begin(study)
    work.decide([one.number for one in work.open], "union")
    work.close()
    work.session.close(discard=True)
    for _ in range(2):
        again = begin(study)
        assert not again.session.recoveries, "nor leaves anything to be offered"
        assert again.session.labels.array.any()
        assert not again.session.is_dirty
        assert again.session.history.undo_name is None
        again.close()
        again.session.close()


def test_a_decision_is_on_the_disk_at_once_and_taken_back_as_well(study) -> None:
    work = begin(study)
    numbers = [one.number for one in work.differences.found]
    work.decide(numbers, "union")
    path = decisions_file(work.seat, work.case)
    assert path.read_text().count('"union"') == 3
    work.take_back(numbers[:1])
    assert path.read_text().count('"union"') == 2
    work.session.undo()
    assert path.read_text().count('"union"') == 3
    assert work.session.is_dirty
    assert work.is_kept
    with pytest.raises(RefusedError, match="never voted"):
        work.decide(numbers, "majority")
    assert "three or more" in work.why_not("staple")
    work.close()
    work.session.close(discard=True)


def test_only_an_adjudicator_opens_a_case_to_adjudicate(study) -> None:
    with pytest.raises(RefusedError, match="role adjudicator"):
        open_to_adjudicate(study.seat("r01"), study.cases[0])


def test_landmarks_and_answers_are_taken_from_a_reading_the_middle_or_a_hand(tmp_path) -> None:
    study = make_study(tmp_path, cases=1, people=("m1", "r01", "r02"))
    read_more(study, "r01", "A", 2.0, True)
    read_more(study, "r02", "B", 18.0, False)
    work = begin(study)
    marks = work.session
    assert marks.landmarks["Same"].point_ras == (1.0, 2.0, 3.0)
    assert marks.landmarks["Other"].point_ras is None
    assert differing_answers(work.readings) == ("clear",)
    marks.undo()
    assert work.work.marks == {}, "what is shown at the beginning is no decision of today"
    assert marks.landmarks["Same"].is_placed
    work.decide_mark("Other", "middle")
    assert marks.landmarks["Other"].point_ras == (10.0, 4.0, 6.0)
    work.decide_mark("Other", "B")
    assert marks.landmarks["Other"].point_ras == (18.0, 4.0, 6.0)
    marks.undo()
    assert work.work.marks["Other"].choice == "middle"
    marks.place_landmark("Other", (11.0, 4.0, 6.0))
    assert work.work.marks["Other"].choice == "own"
    work.decide_answer("clear", "B")
    assert work.answers() == {"clear": False}
    work.close()
    marks.close(discard=True)
    done = reach(study.again("m1"), work.case, "adjudicate", marks.volume)
    written = read_landmarks(study.layout, done.version)
    assert written["Other"].point_ras == (11.0, 4.0, 6.0)
    assert read_answers(study.layout, done.version) == {"clear": False}
    study.close()


def test_three_readings_can_be_judged_by_staple_and_unknown_steps_are_understood(
    tmp_path,
) -> None:
    ready = make_study(tmp_path, cases=1, readings=3, people=("m1", "r01", "r02", "r03"))
    for who, slot, place in (("r01", "A", 2), ("r02", "B", 2), ("r03", "C", 3)):
        read(ready, who, slot, 1, place=place)
    assert [one.readings for one in ready_cases(ready.seat("m1"))] == [3]
    work = begin(ready)
    numbers = [one.number for one in work.differences.found]
    with pytest.raises(InputError, match="not computed"):
        work.decide(numbers, "staple")
    work.staple = staple_of(work.readings)
    work.decide(numbers, "staple")
    labels = work.session.labels.array
    first = work.readings[0].labels.array
    assert np.array_equal(labels, first)
    work.decide(numbers, "majority")
    assert np.array_equal(labels, first)
    # Two undone and a new step: the way back and forth has steps that nobody saw before.
    work.decide(numbers, "C")
    work.session.undo()
    work.session.place_landmark("Anything", (1.0, 1.0, 1.0))
    for _ in range(2):
        work.session.undo()
    assert {work.work.choice(one) for one in work.differences.found} == {"C"}
    work.close()
    work.session.close(discard=True)
    again = begin(ready)
    assert again.open == ()
    again.close()
    again.session.close(discard=True)
    ready.close()


def test_a_decision_that_cannot_be_kept_is_not_made(study, monkeypatch) -> None:
    work = begin(study)

    def fail(*_: object) -> None:
        raise SaveError("The disk is full.", hint="-")

    told: list[object] = []
    work.failed.connect(told.append)
    before = work.session.labels.array.copy()
    with monkeypatch.context() as patch:
        patch.setattr("napari_medlabel.session.study.adjudicating.save_decisions", fail)
        with pytest.raises(SaveError):
            work.decide([0], "A")
        assert np.array_equal(work.session.labels.array, before)
        box = work.differences.found[0].box
        after = work.session.labels.array[box].copy()
        after[...] = 1
        work.session.edit(box, after, name="Paint")
    assert len(told) == 1, "what a hand drew stays, and is kept with the next decision"
    assert not work.is_kept, "who closes now is asked"
    work.decide([1], "A")
    assert work.is_kept
    length = Measurement("L", "line", ((0, 0, 0), (3, 4, 0)))
    work.session.set_measurements(MeasurementSet((length,)), name="Measure")
    assert not work.is_kept, "a measurement is no decision"
    assert '"edited"' in decisions_file(work.seat, work.case).read_text()
    work.close()
    work.session.close(discard=True)
