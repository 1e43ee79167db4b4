"""An open adjudication: the mask follows the decisions, and decisions follow the hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from napari_medlabel.errors import RefusedError
from napari_medlabel.project.cases.version import read_labels, read_provenance
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.study.adjudicating import Adjudicating
from napari_medlabel.session.study.agreeing import decisions_file, reach
from napari_medlabel.session.study.disputes import open_to_adjudicate, prepare
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
    again.session.close(discard=True)
    done = reach(again.seat, again.case, "adjudicate", again.session.volume)
    grid = again.session.volume.grid
    written = read_labels(study.layout, done.version, grid, ONTOLOGY.scheme())
    assert np.array_equal(written.array, expected)
    origins = read_provenance(study.layout, done.version, grid)
    assert (origins[2:3, 2:4, 1:3] == 5).all()
    assert (origins[3:5, 4:6, 1:2] == 1).all(), "a hand drew it"
    assert not (origins == 6).any()


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
    with pytest.raises(RefusedError, match="never voted"):
        work.decide(numbers, "majority")
    assert "three or more" in work.why_not("staple")
    work.close()
    work.session.close(discard=True)


def test_only_an_adjudicator_opens_a_case_to_adjudicate(study) -> None:
    with pytest.raises(RefusedError, match="role adjudicator"):
        open_to_adjudicate(study.seat("r01"), study.cases[0])
