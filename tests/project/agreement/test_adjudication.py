from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.project.agreement.adjudication import (
    Adjudication,
    Decision,
    edited,
    settle,
)
from napari_medlabel.project.agreement.consensus import agree_on
from napari_medlabel.project.agreement.decisions_document import (
    read_adjudication,
    write_adjudication,
)
from napari_medlabel.project.agreement.differences import find_differences
from tests.tilted import steps

SCHEME = LabelScheme("Two", (Label(1, "One", "#112233"), Label(2, "Two", "#445566")))
NOW = "2026-11-22T12:00:00Z"


def mask(array: np.ndarray, spacing=(1.0, 2.0, 3.0)) -> LabelMap:
    grid = Grid(array.shape, Affine.from_spacing(spacing, (3.0, -4.0, 5.0)))
    return LabelMap(grid, np.asfortranarray(array.astype(np.uint8)), SCHEME)


def slots(*many: np.ndarray) -> dict[str, LabelMap]:
    return {letter: mask(one) for letter, one in zip("ABCD", many, strict=False)}


def two_readers() -> dict[str, LabelMap]:
    a, b = np.zeros((14, 10, 6)), np.zeros((14, 10, 6))
    a[2:8, 2:8, 1:5] = 1
    b[2:6, 2:8, 1:5] = 1  # A goes 2 mm further
    b[12:14, 8:10, 0:1] = 1  # B only, far away
    a[0, 0, 0], b[0, 0, 0] = 1, 2
    return slots(a, b)


def begun(readings: dict[str, LabelMap]) -> Adjudication:
    contents = {name: one.content_id() for name, one in readings.items()}
    return Adjudication("sub-001_ct", "r09", contents)


def test_differences_are_connected_parts_with_place_size_and_depth() -> None:
    found = find_differences(two_readers())
    kinds = {one.kind(found.readers): one for one in found.found}
    assert set(kinds) == {"A only", "B only", "both, differently"}
    more = kinds["A only"]
    assert (more.voxels, more.ml) == (48, pytest.approx(48 * 6 / 1000))
    assert more.mm == pytest.approx(2.0)
    assert found.mask(more.number).all()
    far = kinds["B only"]
    assert far.mm > 8.0
    assert far.place_ras[2] == pytest.approx(5.0)
    # Nobody agrees on label 2, but both agree on label 1 somewhere.
    assert kinds["both, differently"].labels == (1, 2)


def test_the_largest_comes_first_by_ml_or_by_mm() -> None:
    found = find_differences(two_readers())
    assert found.ordered("ml")[0].kind(found.readers) == "A only"
    assert found.ordered("mm")[0].kind(found.readers) == "B only"


def test_without_anything_agreed_on_depth_is_the_length_of_the_box() -> None:
    a = np.zeros((5, 4, 3))
    a[1:3, 1:3, 1] = 1
    (one,) = find_differences(slots(a, np.zeros((5, 4, 3)))).found
    assert one.mm == pytest.approx(np.linalg.norm([2.0, 4.0, 3.0]))


def test_the_place_of_a_difference_lies_in_it_even_where_its_centre_does_not() -> None:
    a = np.zeros((9, 9, 1))
    a[1:8, 1:8] = 1
    a[3:6, 3:6] = 0
    found = find_differences(slots(a, np.zeros((9, 9, 1))))
    at = found.grid.affine.to_index(found.found[0].place_ras).round().astype(int)
    assert a[tuple(at)] == 1


small = arrays(np.uint8, (4, 3, 2), elements=st.integers(0, 2))


@given(st.lists(small, min_size=2, max_size=3))
@settings(max_examples=40, deadline=None)
def test_taking_one_reading_everywhere_gives_that_reading(many) -> None:
    readings = slots(*many)
    found = find_differences(readings)
    assert sum(one.voxels for one in found.found) == sum(
        len({int(one[at]) for one in many}) > 1 for at in np.ndindex(4, 3, 2)
    )
    for letter, one in readings.items():
        work = begun(readings)
        for difference in found.found:
            work = work.decide(difference.number, Decision(letter, NOW))
        settled = settle(work, found, SCHEME)
        assert np.array_equal(settled.labels.array, one.array)
        assert settled.open == 0
        assert not settled.unresolved.any()


@given(st.lists(small, min_size=3, max_size=3), st.sampled_from(["union", "majority"]))
@settings(max_examples=30, deadline=None)
def test_a_rule_taken_everywhere_is_the_consensus_by_that_rule(many, rule) -> None:
    readings = slots(*many)
    found = find_differences(readings)
    work = begun(readings)
    for one in found.found:
        work = work.decide(one.number, Decision(rule, NOW))
    settled, whole = settle(work, found, SCHEME), agree_on(readings, rule)
    assert np.array_equal(settled.labels.array, whole.labels.array)
    assert np.array_equal(settled.unresolved, whole.unresolved)


def test_staple_of_a_difference_is_what_staple_says_there() -> None:
    rng = np.random.default_rng(1)
    many = [(rng.random((6, 5, 4)) < 0.4) for _ in range(3)]
    readings = slots(*many)
    found = find_differences(readings)
    work = begun(readings)
    for one in found.found:
        work = work.decide(one.number, Decision("staple", NOW))
    whole = agree_on(readings, "staple").labels.array
    settled = settle(work, found, SCHEME, staple=whole)
    differs = settled.labels.array != whole
    assert not (differs & (found.agreed == 0) & (whole == 0)).any()
    with pytest.raises(InputError, match="STAPLE"):
        settle(work, found, SCHEME)


def test_what_is_not_decided_stays_unresolved_and_is_counted() -> None:
    readings = two_readers()
    found = find_differences(readings)
    work = begun(readings).decide(found.ordered("ml")[0].number, Decision("B", NOW))
    settled = settle(work, found, SCHEME)
    assert (settled.decided, settled.open) == (1, 2)
    assert settled.unresolved.sum() == sum(one.voxels for one in work.open(found))
    assert not settled.labels.array[settled.unresolved].any()
    assert np.array_equal(settled.provenance == 6, settled.unresolved)


def test_small_ones_are_decided_at_once_and_a_decision_of_their_own_goes_before() -> None:
    readings = two_readers()
    found = find_differences(readings)
    work = Adjudication("c", "r09", {}, rest_below_ml=0.1, rest="intersection")
    settled = settle(work, found, SCHEME)
    assert (settled.decided, settled.open) == (2, 1)
    tiny = found.ordered("ml")[-1].number
    again = settle(work.decide(tiny, Decision("B", NOW)), found, SCHEME)
    assert again.labels.array[0, 0, 0] == 2


@given(small, small, small)
@settings(max_examples=30, deadline=None)
def test_an_edited_difference_is_as_the_hand_left_it(tmp_path_factory, a, b, hand) -> None:
    readings = slots(a, b)
    found = find_differences(readings)
    work = begun(readings)
    for one in found.found:
        work = work.decide(one.number, edited(found, one.number, hand, NOW))
    path = tmp_path_factory.mktemp("edited") / "decisions.json"
    write_adjudication(path, work)
    settled = settle(read_adjudication(path, work), found, SCHEME)
    assert np.array_equal(settled.labels.array, np.where(a == b, a, hand))


def test_provenance_says_adjudicated_and_the_most_human_where_all_agree() -> None:
    readings = two_readers()
    found = find_differences(readings)
    work = begun(readings)
    for one in found.found:
        work = work.decide(one.number, Decision("A", NOW))
    drawn, kept = (np.where(one.array, value, 0) for one, value in
                   zip(readings.values(), (1, 2), strict=True))  # fmt: skip
    settled = settle(
        work, found, SCHEME, provenances=[drawn.astype(np.uint8), kept.astype(np.uint8)]
    )
    assert set(np.unique(settled.provenance[settled.labels.array != 0])) == {1, 5}
    assert not settled.provenance[settled.labels.array == 0].any()
    assert (settled.provenance[found.agreed != 0] == 1).all()
    unknown = settle(work, found, SCHEME).provenance
    assert set(np.unique(unknown)) == {0, 5}


def test_two_readings_are_not_voted_on_and_nonsense_is_refused() -> None:
    readings = two_readers()
    found = find_differences(readings)
    with pytest.raises(RefusedError, match="never voted"):
        settle(begun(readings).decide(0, Decision("majority", NOW)), found, SCHEME)
    with pytest.raises(InputError, match="no such decision"):
        settle(begun(readings).decide(0, Decision("best", NOW)), found, SCHEME)


def test_decisions_are_read_back_and_refused_on_other_masks_or_by_others(tmp_path) -> None:
    path = tmp_path / "open" / "decisions.json"
    work = begun(two_readers()).decide(1, Decision("A", NOW)).decide(0, Decision("union", NOW))
    write_adjudication(path, work)
    assert read_adjudication(path, begun(two_readers())) == work
    assert work.undecide(1).decisions.keys() == {0}
    with pytest.raises(RefusedError, match="somebody else"):
        read_adjudication(path, Adjudication("sub-001_ct", "r08", work.contents))
    with pytest.raises(RefusedError, match="has changed"):
        read_adjudication(path, Adjudication("sub-001_ct", "r09", {"A": "sha256:0"}))
    path.write_text('{"medlabel": "adjudication"}')
    with pytest.raises(InputError, match="cannot be read"):
        read_adjudication(path, work)


def test_the_layer_shows_agreement_and_who_is_alone() -> None:
    readings = two_readers()
    layer = find_differences(readings).layer()
    assert layer[3, 3, 2] == 1
    assert layer[7, 3, 2] == 2
    assert layer[13, 9, 0] == 3
    assert layer[0, 0, 0] == 4


def test_readings_that_agree_have_no_difference() -> None:
    one = two_readers()["A"]
    found = find_differences({"A": one, "B": one})
    assert found.found == ()
    assert np.array_equal(settle(begun({"A": one}), found, SCHEME).labels.array, one.array)


@given(small, small)
@settings(max_examples=30, deadline=None)
def test_depth_and_size_are_those_of_a_search_through_all_voxels(a, b) -> None:
    found = find_differences(slots(a, b))
    spacing = np.array([1.0, 2.0, 3.0])
    for one in found.found:
        own = np.argwhere(found.mask(one.number)) + [part.start for part in one.box]
        assert {(a[tuple(at)], b[tuple(at)]) for at in own} == {one.says}
        assert len(own) == one.voxels
        near = [
            np.linalg.norm(
                (np.argwhere((a == b) & (a == label))[:, None] - own) * spacing, axis=2
            )
            for label in one.labels
        ]
        near = [apart.min(axis=0) for apart in near if len(apart)]
        if near:
            assert one.mm == pytest.approx(np.min(near, axis=0).max(), rel=1e-5)
        else:
            size = [part.stop - part.start for part in one.box]
            assert one.mm == pytest.approx(np.linalg.norm(size * spacing))


def test_on_a_tilted_scan_a_difference_is_as_deep_as_in_the_patient() -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = step = steps((0.8, 0.8, 5.0), 25.0)
    a, b = np.zeros((12, 16, 8)), np.zeros((12, 16, 8))
    a[3:9, 3:9, 2:7] = 1
    b[3:9, 3:9, 2:4] = 1
    a[11, 11:15, 0:2] = 2  # nobody else has any
    grid = Grid(a.shape, Affine(matrix))
    readings = {
        name: LabelMap(grid, np.asfortranarray(one.astype(np.uint8)), SCHEME)
        for name, one in (("A", a), ("B", b))
    }
    by_label = {one.labels: one for one in find_differences(readings).found}
    agreed = np.argwhere((a == 1) & (b == 1)) @ step.T
    differing = np.argwhere((a == 1) & (b == 0)) @ step.T
    depth = max(np.linalg.norm(agreed - one, axis=1).min() for one in differing)
    assert by_label[1,].mm == pytest.approx(depth, rel=1e-5)
    corners = np.array([[1, 4, 2], [-1, 4, 2], [1, -4, 2], [1, 4, -2]]) @ step.T
    assert by_label[2,].mm == pytest.approx(np.linalg.norm(corners, axis=1).max())
