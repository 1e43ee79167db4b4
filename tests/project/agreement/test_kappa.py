from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.measure.landmarks import icc_2_1
from napari_medlabel.project.agreement.kappa import (
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
)


def pairs(table: list[list[int]]) -> list[tuple[int, int]]:
    return [
        (a, b)
        for a, row in enumerate(table)
        for b, number in enumerate(row)
        for _ in range(number)
    ]


def test_cohen_is_that_of_the_textbook() -> None:
    # Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 18.1.
    found = cohen_kappa(pairs([[75, 1, 4], [5, 4, 1], [0, 0, 10]]))
    assert found.observed == pytest.approx(0.89)
    assert found.expected == pytest.approx(0.66)
    assert found.value == pytest.approx(0.676, abs=5e-4)
    assert found.subjects == 100


def test_weighted_cohen_is_that_of_two_radiologists_in_altman() -> None:
    # Altman, Practical Statistics for Medical Research (1991), p. 403: 85 xeromammograms.
    table = pairs([[21, 12, 0, 0], [4, 17, 1, 0], [3, 9, 15, 2], [0, 0, 0, 1]])
    assert cohen_kappa(table).value == pytest.approx(0.47, abs=5e-3)
    assert cohen_kappa(table, weights="linear").value == pytest.approx(0.57, abs=5e-3)


def test_quadratic_kappa_is_nearly_the_icc_of_many_subjects() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 5, 4000)
    both = [np.clip(truth + rng.integers(-1, 2, truth.size), 0, 4) for _ in range(2)]
    table = np.stack(both, axis=1)
    found = cohen_kappa([tuple(row) for row in table.tolist()], weights="quadratic")
    assert found.value == pytest.approx(icc_2_1(table.astype(float)), abs=1e-3)


def test_fleiss_is_that_of_the_worked_example() -> None:
    counts = [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0],
              [2, 2, 8, 1, 1], [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2],
              [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]]  # fmt: skip
    rows = [[c for c, number in enumerate(row) for _ in range(number)] for row in counts]
    found = fleiss_kappa(rows)
    assert found.value == pytest.approx(0.20993, abs=1e-5)
    assert (found.observed, found.expected) == (
        pytest.approx(0.378, abs=5e-4),
        pytest.approx(0.213, abs=5e-4),
    )


def krippendorffs_example() -> list[tuple[int | None, ...]]:
    n = None
    observers = (
        (1, 2, 3, 3, 2, 1, 4, 1, 2, n, n, n),
        (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, n, 3),
        (n, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, n),
        (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, n),
    )
    return list(zip(*observers, strict=True))


@pytest.mark.parametrize(
    ("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_that_of_krippendorffs_own_example(scale, alpha) -> None:
    found = krippendorff_alpha(krippendorffs_example(), scale=scale)
    assert found.value == pytest.approx(alpha, abs=5e-4)
    assert (found.subjects, found.left_out) == (11, 1)


ratings = st.lists(
    st.tuples(*[st.one_of(st.none(), st.integers(0, 3))] * 3), min_size=2, max_size=12
)


@given(ratings)
@settings(max_examples=40, deadline=None)
def test_interval_alpha_is_that_of_all_pairs_one_by_one(rows) -> None:
    held = [[one for one in row if one is not None] for row in rows]
    held = [row for row in held if len(row) > 1]
    found = krippendorff_alpha(rows, scale="interval")
    values = [one for row in held for one in row]
    if not held:
        assert found.value is None
        return
    inside = sum(
        sum((a - b) ** 2 for a, b in itertools.permutations(row, 2)) / (len(row) - 1)
        for row in held
    ) / len(values)
    across = [(a - b) ** 2 for a, b in itertools.permutations(values, 2)]
    chance = sum(across) / len(across)
    if chance == 0:
        assert found.value is None
    else:
        assert found.value == pytest.approx(1 - inside / chance)


@given(ratings)
@settings(max_examples=40, deadline=None)
def test_names_of_categories_change_nothing(rows) -> None:
    renamed = [[None if one is None else "dcba"[one] for one in row] for row in rows]
    for measure in (fleiss_kappa, krippendorff_alpha):
        one, other = measure(rows), measure(renamed)
        assert one.left_out == other.left_out
        assert (one.value is None) == (other.value is None)
        if one.value is not None:
            assert one.value == pytest.approx(other.value)


def test_one_category_for_everybody_is_undefined_and_not_full_agreement() -> None:
    same = [("yes", "yes")] * 5
    for measure in (cohen_kappa, fleiss_kappa, krippendorff_alpha):
        assert measure(same).value is None


def test_full_agreement_is_one_on_every_scale() -> None:
    rows = [(n, n, n) for n in (1, 2, 3, 2)]
    assert fleiss_kappa(rows).value == 1.0
    for scale in ("nominal", "ordinal", "interval"):
        assert krippendorff_alpha(rows, scale=scale).value == pytest.approx(1.0)


def test_missing_ratings_are_left_out_and_counted() -> None:
    rows = [(1, 1), (1, None), (2, 2), (None, None), (1, 2)]
    found = cohen_kappa(rows)
    assert (found.subjects, found.left_out) == (3, 2)
    assert "left out" in found.rule
    assert cohen_kappa([(None, 1)]).value is None


def test_ratings_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(InputError, match="two raters"):
        cohen_kappa([(1, 2, 3)])
    with pytest.raises(InputError, match="as many places"):
        fleiss_kappa([(1, 2), (1, 2, 3)])
    with pytest.raises(InputError, match="not listed"):
        cohen_kappa([(1, 2)], categories=[1])
    with pytest.raises(InputError, match="numbers"):
        krippendorff_alpha([("a", "b")], scale="interval")


def test_categories_nobody_chose_count_for_weights() -> None:
    rows = [(1, 2), (2, 2), (1, 1), (2, 1)]
    narrow = cohen_kappa(rows, weights="linear")
    wide = cohen_kappa(rows, weights="linear", categories=[1, 2, 3, 4])
    assert narrow.observed == pytest.approx(0.5)
    assert wide.observed == pytest.approx(1 - 0.5 / 3)
