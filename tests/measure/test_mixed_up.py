"""Names that were mixed up: found, and not found where there are none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.measure.landmarks import compare
from napari_medlabel.measure.mixed_up import mixed_up, side_doubts, twin_name
from napari_medlabel.model.landmarks import Landmark, LandmarkSet

SPINE = {f"T{n}": np.array((0.0, 5.0, -25.0 * n)) for n in range(1, 9)}
ORDER = list(SPINE)
PAIR = {"Left eye": np.array((-30.0, 0, 0)), "Right eye": np.array((30.0, 0, 0))}


def noisy(points, seed=0, mm=1.0):
    rng = np.random.default_rng(seed)
    return {name: p + rng.normal(scale=mm, size=3) for name, p in points.items()}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), st.floats(0, 2))
def test_an_unsteady_hand_is_no_mix_up(seed, mm):
    assert mixed_up(noisy(SPINE, seed, mm), SPINE, ORDER) == []


@pytest.mark.parametrize("step", [1, -1, 2])
def test_an_order_that_is_shifted_is_one_finding(step):
    own = {
        name: noisy(SPINE)[ORDER[n + step]]
        for n, name in enumerate(ORDER)
        if 0 <= n + step < len(ORDER)
    }
    (found,) = mixed_up(own, SPINE, ORDER)
    assert (found.kind, found.offset) == ("shifted", step)
    assert found.names == tuple(own)
    assert found.meant == tuple(ORDER[ORDER.index(n) + step] for n in own)


def test_a_shift_that_begins_in_the_middle_names_only_what_is_wrong():
    own = dict(SPINE)
    for n in range(3, 7):
        own[ORDER[n]] = SPINE[ORDER[n + 1]]
    own["T8"] = np.array((0.0, 5.0, -225.0))
    (found,) = mixed_up(own, SPINE, ORDER)
    assert found.names == ("T4", "T5", "T6", "T7")


def test_exchanged_sides_and_exchanged_neighbours_are_told_apart():
    order = [*PAIR, "AC", "PC"]
    truth = {**PAIR, "AC": np.array((0.0, 2, 0)), "PC": np.array((0.0, -25, 0))}
    sides = {**truth, "Left eye": truth["Right eye"], "Right eye": truth["Left eye"]}
    (found,) = mixed_up(sides, truth, order)
    assert (found.kind, set(found.names)) == ("sides", set(PAIR))
    two = {**truth, "AC": truth["PC"], "PC": truth["AC"]}
    (found,) = mixed_up(two, truth, order)
    assert (found.kind, found.names, found.meant) == ("exchanged", ("AC", "PC"), ("PC", "AC"))


def test_one_wrong_name_is_misnamed():
    own = {**SPINE, "T3": SPINE["T6"] + 1.0}
    (found,) = mixed_up(own, SPINE, ORDER)
    assert (found.kind, found.names, found.meant) == ("misnamed", ("T3",), ("T6",))


def test_lps_read_as_ras_is_told_once():
    truth = {**PAIR, "AC": np.array((3.0, 40, 10)), "PC": np.array((2.0, -25, 10))}
    turned = {name: p * (-1, -1, 1) for name, p in truth.items()}
    (found,) = mixed_up(turned, truth, list(truth))
    assert found.kind == "frame"


def test_a_comparison_names_the_one_who_erred():
    def marks(points):
        return LandmarkSet(tuple(Landmark(n, tuple(p)) for n, p in points.items()))

    shifted = {name: SPINE[ORDER[(n + 1) % 8]] for n, name in enumerate(ORDER)}
    readings = {"x": marks(noisy(SPINE, 1)), "y": marks(shifted), "z": marks(noisy(SPINE, 2))}
    found = compare(readings).mixed_up
    assert {one.rater for one in found} == {"y"}
    assert found[0].kind == "shifted"
    two = compare({"x": readings["x"], "y": readings["y"]}).mixed_up
    assert {one.rater for one in two} == {"y"}


def test_sides_are_doubted_without_a_second_reading():
    right_way = LandmarkSet(
        (Landmark("Left eye", (-30, 0, 0)), Landmark("Right eye", (30, 0, 0)), Landmark("AC"))
    )
    assert side_doubts(right_way) == ()
    wrong = right_way.with_point("Left eye", (40, 0, 0))
    assert side_doubts(wrong) == (("Left eye", "Right eye"),)
    assert side_doubts(right_way.with_point("Right eye", None)) == ()


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("Left kidney", "right kidney"),
        ("R MB", "l mb"),
        ("ASIS-l", "asis-r"),
        ("femur_R", None),
        ("L1", None),
        ("Pillar", None),
        ("Upper lobe, right", "upper lobe, left"),
    ],
)
def test_a_name_has_a_twin_on_the_other_side(name, twin):
    assert twin_name(name) == (twin if name != "femur_R" else "femur_l")
