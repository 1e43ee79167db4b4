"""Draws that anybody can repeat, and what a sample says about the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as quick
from hypothesis import strategies as st
from scipy.stats import beta, binom

from napari_medlabel.errors import InputError
from napari_medlabel.project.sampling import (
    draw,
    is_drawn,
    least_sample,
    number_of,
    statement,
)

NAMES = [f"case {n}" for n in range(2000)]


def test_a_draw_hangs_on_seed_kind_and_names_alone() -> None:
    first = draw(7, "review", NAMES, 50)
    assert draw(7, "review", reversed(NAMES), 50) == first
    assert draw(8, "review", NAMES, 50) != first
    assert draw(7, "gold", NAMES, 50) != first
    assert draw(7, "review", NAMES, 20) == first[:20]
    assert draw(7, "review", NAMES[:3], 10) == tuple(
        sorted(NAMES[:3], key=lambda name: number_of(7, "review", name))
    )


def test_a_share_is_drawn_evenly() -> None:
    count = sum(is_drawn(3, "review", name, 0.25) for name in NAMES)
    assert binom.cdf(count, 2000, 0.25) == pytest.approx(0.5, abs=0.499)
    assert not any(is_drawn(3, "review", name, 0.0) for name in NAMES)
    assert all(is_drawn(3, "review", name, 1.0) for name in NAMES)


def test_fifty_nine_without_a_fault_say_less_than_five_percent() -> None:
    assert least_sample(0.05) == 59
    assert statement(59, 0).below < 0.05 < statement(58, 0).below
    assert least_sample(0.5, confidence=0.5) == 1
    assert "at most 5.0% of all are" in statement(59, 0).words().replace("4.9%", "5.0%")
    assert statement(0, 0).words() == "Nothing was checked, so nothing is known."


@quick(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.data())
def test_intervals_are_those_of_clopper_and_pearson(checked: int, data: st.DataObject) -> None:
    faulty = data.draw(st.integers(0, checked))
    found = statement(checked, faulty, confidence=0.9)
    low = beta.ppf(0.05, faulty, checked - faulty + 1) if faulty else 0.0
    high = beta.ppf(0.95, faulty + 1, checked - faulty) if faulty < checked else 1.0
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.low <= faulty / checked <= found.below <= found.high


def test_numbers_of_no_sample_are_refused() -> None:
    with pytest.raises(InputError, match="0 to 3 are faulty; got 4"):
        statement(3, 4)
    with pytest.raises(InputError, match="A confidence lies between 0 and 1"):
        statement(3, 1, confidence=95)
    with pytest.raises(InputError, match="A rate lies between 0 and 1"):
        least_sample(0)
    with pytest.raises(InputError, match="size of 0 or more"):
        draw(1, "review", NAMES, -1)
