from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.project.agreement.bland_altman import bland_altman
from napari_medlabel.project.agreement.bootstrap import bootstrap, mean_interval

# Bland and Altman, Lancet 1986: peak expiratory flow of 17 people by two meters, l/min.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_a_seed_gives_one_interval_and_another_seed_another() -> None:
    values = np.random.default_rng(1).normal(0.8, 0.1, 12).tolist()
    one = mean_interval(values, seed=5, draws=300)
    assert one == mean_interval(values, seed=5, draws=300)
    assert one != mean_interval(values, seed=6, draws=300)
    assert "seed 5" in one.words()


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_an_interval_is_that_of_scipy(method) -> None:
    from scipy.stats import bootstrap as theirs

    values = np.random.default_rng(3).gamma(2.0, 1.0, 25)
    ours = mean_interval(values.tolist(), seed=2, draws=1000, method=method)
    name = {"bca": "BCa", "percentile": "percentile"}[method]
    peer = theirs((values,), np.mean, n_resamples=1000, method=name, rng=2)
    assert ours.method == method
    assert ours.low == pytest.approx(peer.confidence_interval.low)
    assert ours.high == pytest.approx(peer.confidence_interval.high)


def test_equal_values_have_an_interval_of_no_width_and_say_which_method() -> None:
    found = mean_interval([0.9] * 5, seed=1, draws=50)
    assert found.low == pytest.approx(0.9)
    assert found.high == pytest.approx(0.9)
    assert found.method == "percentile"


def test_a_single_subject_has_no_interval() -> None:
    assert mean_interval([0.9], seed=1) is None


def test_draws_without_a_figure_are_counted() -> None:
    found = bootstrap(
        3, lambda index: None if 0 not in index else float(index.mean()), seed=1, draws=100
    )
    assert found.undefined > 0
    assert found.draws + found.undefined == 100


def test_an_interval_without_a_confidence_is_refused() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        mean_interval([1.0, 2.0], seed=1, confidence=1.0)


def test_bland_and_altman_are_those_of_their_paper() -> None:
    found = bland_altman(MINI, LARGE)
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert found.bias_ends == (pytest.approx(-22.0, abs=0.1), pytest.approx(17.8, abs=0.1))
    assert found.limits == (pytest.approx(-78.1, abs=0.1), pytest.approx(73.9, abs=0.1))
    # The paper rounds 1.96 to 2: its limits are -79.7 and 75.5 with intervals of this width.
    assert found.low_ends[1] - found.low_ends[0] == pytest.approx(114.3 - 45.1, abs=0.5)


def test_who_was_not_measured_twice_is_left_out_and_counted() -> None:
    found = bland_altman([1.0, None, 2.0], [1.5, 2.0, 2.0])
    assert len(found.differences) == 2
    assert found.left_out == 1
    assert "measure them: 1." in found.rule
    assert bland_altman([1.0], [2.0]) is None
    with pytest.raises(InputError, match="one length"):
        bland_altman([1.0], [])
