"""What is looked at before a submission: each complaint says what, and where to look."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as quick
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import orientation_matrix
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.ontology.questions import Condition, Question
from napari_medlabel.project.work.rules import (
    body_middle_mm,
    check_before_submit,
    check_sheets,
)

LIVER = OntologyLabel("liver", 1, "Liver", "#d65f5f")
SPLEEN = OntologyLabel("spleen", 2, "Spleen", "#5fd65f")
SHAPE = (20, 16, 8)


def grid(codes: str = "LPS", spacing: float = 2.0) -> Grid:
    matrix = np.eye(4)
    matrix[:3, :3] = orientation_matrix(codes) * spacing
    matrix[:3, 3] = (7.0, -3.0, 11.0)
    return Grid(SHAPE, Affine(matrix))


def empty(ontology: Ontology, place: Grid | None = None) -> LabelMap:
    return LabelMap.empty(place or grid(), ontology.scheme())


def image(value: float = 50.0) -> np.ndarray:
    """Return a body of one value in air."""
    found = np.full(SHAPE[::-1], -1000.0, np.float32).T
    found[2:18, 2:14] = value
    return found


def only(ontology: Ontology, labels: LabelMap, *more: object, **given_: object) -> list[str]:
    scan = more[0] if more else image()
    found = check_before_submit(ontology, labels, scan, *more[1:], **given_)
    return [one.rule for one in found]


def test_an_empty_label_is_drawn_or_said_to_be_absent() -> None:
    ontology = Ontology("o", (LIVER, SPLEEN))
    labels = empty(ontology)
    labels.array[5:8, 5:8, 3] = 1
    (found,) = check_before_submit(ontology, labels, image())
    assert (found.rule, found.label, found.blocks) == ("empty", 2, True)
    assert only(ontology, labels, absent={"spleen"}) == []
    (found,) = check_before_submit(ontology, labels, image(), absent={"liver", "spleen"})
    assert (found.rule, found.slice) == ("drawn", 3)
    assert found.place_ras == tuple(labels.grid.affine.apply((6, 6, 3)))


def test_a_value_without_a_label_blocks() -> None:
    ontology = Ontology("o", (LIVER,))
    labels = empty(ontology)
    labels.array[5, 5, 3] = 1
    labels.array[9, 5, 6] = 7
    (found,) = check_before_submit(ontology, labels, image())
    assert (found.rule, found.label, found.slice, found.blocks) == ("unknown", 7, 6, True)


def test_voxels_outside_the_range_are_told_as_a_share_with_their_place() -> None:
    ontology = Ontology("o", (replace(LIVER, hu_range=(0.0, 100.0)),))
    labels, scan = empty(ontology), image()
    labels.array[4:14, 5:10, 3:5] = 1  # 100 voxels
    scan[4, 5, 3:5] = -50.0
    assert only(ontology, labels, scan) == []
    scan[4, 6, 4] = np.nan
    (found,) = check_before_submit(ontology, labels, scan)
    assert found.words == "3% of Liver lie outside 0 to 100."
    assert (found.slice, found.blocks) == (4, False)


def test_small_and_many_parts_are_pointed_at() -> None:
    ontology = Ontology("o", (replace(LIVER, smallest_mm3=100.0, most_parts=1),))
    labels = empty(ontology)
    labels.array[3:6, 3:6, 2:4] = 1  # 144 mm3
    assert only(ontology, labels) == []
    labels.array[10, 10, 6] = 1  # 8 mm3
    small, parts = check_before_submit(ontology, labels, image())
    assert small.words == "A part of Liver has 8 mm³, less than 100."
    assert small.place_ras == tuple(labels.grid.affine.apply((10, 10, 6)))
    assert parts.words == "Liver has 2 parts; at most 1 are expected."
    assert parts.slice == 6


def test_of_many_islands_the_first_are_named_and_the_rest_counted() -> None:
    ontology = Ontology("o", (replace(LIVER, smallest_mm3=100.0),))
    labels = empty(ontology)
    labels.array[::4, ::4, ::4] = 1  # 40 voxels on their own
    found = check_before_submit(ontology, labels, image())
    assert len(found) == 9
    assert found[-1].words == "32 more parts of Liver are too small."


@pytest.mark.parametrize("codes", ["LPS", "RAS", "PIR"])
def test_a_label_on_the_wrong_side_of_the_body_is_noticed(codes: str) -> None:
    ontology = Ontology("o", (replace(LIVER, laterality="right"),))
    place = grid(codes, 6.0)
    scan = np.zeros(SHAPE[::-1], np.float32).T
    scan[2:18, 2:14, 1:7] = 50.0
    middle = body_middle_mm(scan, place)
    assert middle is not None
    index = np.indices(SHAPE).reshape(3, -1).T
    right_mm = place.affine.apply(index)[:, 0].reshape(SHAPE) - middle
    labels = empty(ontology, place)
    edge = np.abs(right_mm).max() / 2
    labels.array[right_mm > edge] = 1
    assert only(ontology, labels, scan) == []
    labels.array[...] = 0
    labels.array[right_mm < -edge] = 1
    (found,) = check_before_submit(ontology, labels, scan)
    assert found.rule == "side"
    assert "to the left of the body's middle" in found.words
    assert only(ontology, labels, scan, oriented=False) == []
    both = Ontology("o", (replace(LIVER, laterality="both"),))
    (found,) = check_before_submit(both, labels, scan)
    assert "only the left one is drawn" in found.words
    labels.array[right_mm > edge] = 1
    assert only(both, labels, scan) == []


def test_where_everything_is_equally_bright_no_side_is_judged() -> None:
    assert body_middle_mm(np.full(SHAPE, 5.0), grid()) is None
    assert body_middle_mm(np.full(SHAPE, np.nan), grid()) is None


def test_nothing_found_needs_all_slices_to_have_been_shown() -> None:
    ontology = Ontology("o", (LIVER, SPLEEN))
    labels = empty(ontology)
    labels.array[5, 5, 3] = 1
    seen = set(range(8)) - {2, 6}
    (found,) = check_before_submit(ontology, labels, image(), seen, absent={"spleen"})
    assert (found.rule, found.slice, found.label) == ("unseen", 2, 2)
    assert found.words.startswith("2 of 8 slices were never shown, and nothing of Spleen")
    assert only(ontology, labels, image(), set(range(8)), absent={"spleen"}) == []
    labels.array[5, 5, 4] = 2
    assert only(ontology, labels, image(), seen) == []


def test_a_required_question_blocks_until_it_is_answered() -> None:
    questions = (
        Question("clear", "Clear?", "study", "boolean", required=True),
        Question("why", "Why?", "study", "text", required=True,
                 show_if=Condition("clear", ("false",))),
        Question("fat", "Fat?", "label", "boolean", label="spleen", required=True),
    )  # fmt: skip
    ontology = Ontology("o", (LIVER, SPLEEN), questions=questions)
    labels = empty(ontology)
    labels.array[5, 5, 3] = 1
    rest = {"absent": {"spleen"}}
    (found,) = check_before_submit(ontology, labels, image(), **rest)
    assert (found.rule, found.question, found.blocks) == ("answer", "clear", True)
    assert only(ontology, labels, image(), None, {"clear": False}, **rest) == ["answer"]
    assert only(ontology, labels, image(), None, {"clear": True}, **rest) == []


def test_a_question_that_a_slice_brings_up_blocks_and_leads_to_that_slice() -> None:
    questions = (
        Question("focal", "Focal?", "slice", "boolean"),
        Question("grade", "Grade?", "slice", "number", required=True,
                 show_if=Condition("focal", ("true",))),
    )  # fmt: skip
    ontology = Ontology("o", (LIVER,), questions=questions)
    labels = empty(ontology)
    labels.array[5, 5, 3] = 1
    (found,) = check_before_submit(ontology, labels, image(), None, {"focal@k4": True})
    assert (found.rule, found.question, found.slice) == ("answer", "grade", 4)
    assert found.blocks
    i, j, _ = labels.grid.shape
    middle = labels.grid.affine.apply(((i - 1) / 2, (j - 1) / 2, 4.0))
    assert found.place_ras == pytest.approx(tuple(middle))
    assert only(ontology, labels, image(), None, {"focal@k4": True, "grade@k4": 2.0}) == []


@quick(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.4), st.sampled_from([8.0, 20.0, 60.0]))
def test_islands_are_those_that_a_plain_labelling_finds(
    seed: int, share: float, smallest: float
) -> None:
    ontology = Ontology("o", (replace(LIVER, smallest_mm3=smallest, most_parts=3),))
    labels = empty(ontology)
    labels.array[...] = np.random.default_rng(seed).random(SHAPE) < share
    parts, count = ndimage.label(labels.array == 1, np.ones((3, 3, 3)))
    sizes = np.bincount(parts.ravel())[1:] * 8.0
    found = check_before_submit(ontology, labels, image())
    small = int((sizes < smallest).sum())
    assert sum(one.rule == "small" for one in found) == min(small, 9)
    assert any(one.rule == "parts" for one in found) == (count > 3)
    for one in found:
        assert one.place_ras is not None
        i, j, k = np.rint(labels.grid.affine.to_index(one.place_ras)).astype(int)
        assert labels.array[i, j, k] == 1
        assert k == one.slice


def test_slices_that_no_file_holds_are_not_judged_by_their_values() -> None:
    ontology = Ontology("o", (replace(LIVER, hu_range=(40.0, 100.0)),))
    labels, scan = empty(ontology), image()
    labels.array[4:14, 5:10, 3:5] = 1
    scan[..., 4] = 0.0
    (found,) = check_sheets(ontology, {0: labels}, scan)
    assert found.words == "50% of Liver lie outside 40 to 100."
    assert check_sheets(ontology, {0: labels}, scan, missing=(0, 4)) == ()
    assert check_sheets(ontology, {0: labels}, scan * 0, missing=(3, 4)) == ()
