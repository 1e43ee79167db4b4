"""The clock of a case counts work, not coffee."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.project.work.clock import CaseClock


def test_it_stops_some_time_after_the_last_move() -> None:
    clock = CaseClock(120.0).moved(10.0).moved(60.0)
    assert clock.active_s(70.0) == 60.0
    assert clock.is_running(179.0)
    assert not clock.is_running(181.0)
    assert clock.active_s(10_000.0) == 170.0
    assert clock.moved(10_000.0).active_s(10_005.0) == 175.0


def test_it_stops_at_once_when_the_window_is_left() -> None:
    clock = CaseClock(120.0).moved(0.0).left(30.0)
    assert clock.active_s(90.0) == 30.0
    assert not clock.is_running(31.0)
    assert clock.left(95.0).active_s(99.0) == 30.0


def test_it_goes_on_where_it_stood_in_an_earlier_session() -> None:
    assert CaseClock(60.0, counted_s=100.0).moved(5.0).active_s(8.0) == 103.0


def test_it_does_not_run_backwards() -> None:
    assert CaseClock(60.0).moved(50.0).active_s(20.0) == 0.0


@pytest.mark.parametrize(("idle_s", "counted_s"), [(0.0, 0.0), (-1.0, 0.0), (1.0, -1.0)])
def test_lengths_of_time_are_positive(idle_s: float, counted_s: float) -> None:
    with pytest.raises(InputError, match="counts from 0"):
        CaseClock(idle_s, counted_s)


@given(st.lists(st.floats(0, 300), max_size=20), st.floats(1, 100))
def test_each_pause_counts_up_to_the_limit_and_no_further(
    pauses: list[float], idle_s: float
) -> None:
    clock, now = CaseClock(idle_s).moved(0.0), 0.0
    for pause in pauses:
        now += pause
        clock = clock.moved(now)
    assert clock.active_s(now) == pytest.approx(sum(min(pause, idle_s) for pause in pauses))
