from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.agreement.staple import staple, votes_of


def raters(n: int, seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    i, j, k = np.ogrid[:16, :14, :10]
    out = []
    for _ in range(n):
        c = np.array([8.0, 7.0, 5.0]) + rng.normal(0, 0.5, 3)
        r = 4 + rng.normal(0, 0.4)
        out.append((i - c[0]) ** 2 + (j - c[1]) ** 2 + (k - c[2]) ** 2 < r**2)
    return out


def itk_staple(masks: list[np.ndarray]) -> tuple[np.ndarray, tuple, tuple]:
    import SimpleITK as sitk  # noqa: N813

    images = [sitk.GetImageFromArray(mask.T.astype(np.uint8)) for mask in masks]
    tool = sitk.STAPLEImageFilter()
    tool.SetForegroundValue(1)
    made = sitk.GetArrayFromImage(tool.Execute(images)).T
    return made, tool.GetSensitivity(), tool.GetSpecificity()


@pytest.mark.parametrize("n", [3, 5])
@pytest.mark.parametrize("seed", [1, 2])
def test_probabilities_and_raters_are_those_of_simpleitk(n, seed) -> None:
    masks = raters(n, seed)
    votes = votes_of(masks)
    ours = staple(votes, n)
    theirs, sensitivity, specificity = itk_staple(masks)
    assert ours.is_settled
    assert ours.probability(votes) == pytest.approx(theirs, abs=1e-5)
    assert ours.sensitivity == pytest.approx(sensitivity, abs=1e-6)
    assert ours.specificity == pytest.approx(specificity, abs=1e-6)


def test_who_draws_too_much_has_full_sensitivity_and_less_specificity() -> None:
    from scipy.ndimage import binary_dilation

    masks = raters(2)
    masks.append(binary_dilation(masks[0], iterations=2))
    found = staple(votes_of(masks), 3)
    assert found.sensitivity[2] > 0.999
    assert found.specificity[2] < min(found.specificity[:2])


@given(arrays(np.bool_, (3, 4, 3, 2)))
@settings(max_examples=30, deadline=None)
def test_whoever_voted_the_same_is_judged_the_same(masks) -> None:
    votes = votes_of([masks[0], masks[1], masks[2], masks[0]])
    found = staple(votes, 4)
    assert found.sensitivity[0] == pytest.approx(found.sensitivity[3])
    assert found.specificity[0] == pytest.approx(found.specificity[3])
    assert np.all((found.by_votes >= 0) & (found.by_votes <= 1))


@given(st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_raters_changes_nothing(order) -> None:
    masks = raters(4)
    one, other = votes_of(masks), votes_of([masks[n] for n in order])
    assert staple(one, 4).probability(one) == pytest.approx(
        staple(other, 4).probability(other), abs=1e-6
    )


def test_empty_and_full_masks_are_answered_as_they_are() -> None:
    for full in (False, True):
        votes = votes_of([np.full((2, 3, 2), full)] * 3)
        found = staple(votes, 3)
        assert np.allclose(found.probability(votes), full)
        assert found.sensitivity == (1.0,) * 3


def test_two_raters_are_refused_and_so_are_too_many() -> None:
    with pytest.raises(RefusedError, match="three raters"):
        staple(votes_of(raters(2)), 2)
    with pytest.raises(InputError, match="16 raters"):
        staple(votes_of(raters(2)), 17)


def test_poor_raters_who_turn_the_truth_over_are_noticed() -> None:
    masks = raters(1)
    found = staple(votes_of([masks[0], ~masks[0], ~masks[0]]), 3)
    assert found.is_inverted
