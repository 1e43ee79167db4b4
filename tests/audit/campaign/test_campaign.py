"""A sample of each campaign; ``make audit-campaign`` runs them whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.audit.campaign import changes, faults, kill, masks, power, states
from tests.audit.campaign.__main__ import written
from tests.audit.campaign.figure import Figure

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill -9")


@pytest.fixture
def cuttable(tmp_path: Path) -> Path:
    """Skip aloud where the power of a loop device cannot be cut."""
    reason = power.why_not(tmp_path / "probe")
    if reason:
        pytest.skip(reason)
    return tmp_path / "disk"


@forks
def test_after_kill_9_no_acknowledged_event_is_lost_and_nobody_is_blamed(
    tmp_path: Path,
) -> None:
    kills = int(os.environ.get("MEDLABEL_KILLS", "40"))
    figure = kill.campaign(tmp_path, kills)
    assert figure.runs == kills
    assert figure.acknowledged > kills
    assert (figure.lost, figure.alarms, figure.uncleared) == (0, 0, 0)


@forks
def test_a_buffered_log_does_lose_what_it_promised(tmp_path: Path) -> None:
    assert kill.campaign(tmp_path, 12, kill.write_buffered, control=True).lost > 0


def test_after_a_power_cut_no_acknowledged_event_is_lost(cuttable: Path) -> None:
    figure = power.campaign(cuttable, 12)
    assert figure.acknowledged > 0
    assert (figure.lost, figure.alarms, figure.uncleared) == (0, 0, 0)


def test_without_a_sync_a_power_cut_does_lose_events(cuttable: Path) -> None:
    figure = power.campaign(cuttable, 4, control=True)
    assert figure.lost > 0


def test_crash_states_of_a_small_log_are_no_change_and_lose_nothing(tmp_path: Path) -> None:
    figure = states.campaign(tmp_path, every=9)
    assert figure.runs > 1000
    assert (figure.lost, figure.alarms) == (0, 0)


def test_failing_system_calls_acknowledge_nothing_that_is_not_there(tmp_path: Path) -> None:
    reason = faults.why_not()
    if reason:
        pytest.skip(reason)
    figure = faults.campaign(tmp_path, calls=6)
    assert figure.runs == 42
    assert figure.acknowledged > 0
    assert (figure.lost, figure.alarms, figure.uncleared) == (0, 0, 0)


def test_every_change_in_a_sample_is_found(tmp_path: Path) -> None:
    flips, edits = changes.campaign(tmp_path, every=37)
    assert flips.runs > 900
    assert edits.runs > 200
    assert (flips.alarms, edits.alarms) == (0, 0)


def test_without_an_anchor_a_cut_end_goes_unnoticed(tmp_path: Path) -> None:
    figure = changes.control(tmp_path)
    assert figure.alarms == figure.runs > 0


@forks
def test_kill_9_destroys_no_saved_mask(tmp_path: Path) -> None:
    figure = masks.kills(tmp_path / "own", 12)
    assert figure.acknowledged > 0
    assert figure.lost == 0


@forks
def test_saving_over_the_file_itself_does_destroy_masks(tmp_path: Path) -> None:
    assert masks.kills(tmp_path / "own", 12, masks.save_plain, control=True).lost > 0


def test_a_power_cut_takes_no_saved_mask(cuttable: Path) -> None:
    figure = masks.cuts(cuttable, 6)
    assert figure.acknowledged > 0
    assert figure.lost == 0


@pytest.mark.parametrize(
    ("figure", "holds"),
    [
        (Figure("a", runs=1), True),
        (Figure("a", runs=0), False),
        (Figure("a", runs=1, lost=1), False),
        (Figure("a", runs=1, alarms=1), False),
        (Figure("a", runs=1, uncleared=1), False),
        (Figure("a", is_control=True, runs=1, lost=1), True),
        (Figure("a", is_control=True, runs=1), False),
    ],
)
def test_a_control_must_fail_and_all_else_must_not(figure: Figure, holds: bool) -> None:
    assert figure.holds is holds


def test_what_could_not_run_is_said_on_the_page() -> None:
    assert "Not run here: no root." in written([], ["no root", "no root"])
