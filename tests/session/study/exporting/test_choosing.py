"""A consensus leaves as long as it is made of what counts, whatever clocks say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from napari_medlabel.audit.disk import SystemClock
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.project.checks.validate import validate
from napari_medlabel.session.study import settled_before
from napari_medlabel.session.study.agreeing import reach
from napari_medlabel.session.study.exporting import logbook
from napari_medlabel.session.study.exporting.planning import plan_export
from napari_medlabel.session.study.exporting.wish import ExportWish
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.settled_before import SettledError
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start, withdraw
from tests.session.study.small_study import SmallStudy, make_study

pytestmark = pytest.mark.usefixtures("green")


@contextmanager
def clock_off(hours: float) -> Iterator[None]:
    """Let the clock of whoever works now be wrong."""
    with pytest.MonkeyPatch.context() as patch:
        off_ms = int(hours * 3_600_000)
        patch.setattr(SystemClock, "utc_ms", lambda _: time.time_ns() // 1_000_000 + off_ms)
        yield


def read(study: SmallStudy, code: str, slot: str, place: int, hours: float = 0.0) -> None:
    seat, case = study.seat(code), study.cases[0]
    with clock_off(hours):
        if look(seat, case, slot).now.state == "todo":
            start(seat, case, slot)
        submit(seat, case, slot, study.scan(), study.work(1, place=place))


def agree(study: SmallStudy, reason: str = "") -> int:
    scan = load(study.layout.scan(study.cases[0]))
    done = reach(study.seat("m1"), study.cases[0], "union", scan, reason=reason)
    return done.version.number


def against(study: SmallStudy) -> list[str]:
    plan = plan_export(study.again("m1"), ExportWish(("nifti",)))
    return [one.words for one in plan.findings if one.gate == "review"]


def stale(study: SmallStudy) -> list[str]:
    found = validate(study.layout).findings
    return [one.words for one in found if one.rule == "agreed" and "consensus" in one.words]


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1)
    yield made
    made.close()


@pytest.fixture
def of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lines tell of a consensus as those of before: without what it was made of."""
    for module in (logbook, settled_before):
        monkeypatch.setattr(module, "made_of", lambda _detail: {})


@pytest.mark.parametrize("hours", [-1.0, 0.0, 1.0])
def test_a_reading_that_changed_after_the_consensus_shuts_the_gate_by_any_clock(
    study: SmallStudy, hours: float
) -> None:
    read(study, "r01", "A", 2)
    read(study, "r02", "B", 3, hours)
    agree(study)
    assert (against(study), stale(study)) == ([], [])
    with clock_off(hours):
        withdraw(study.seat("r02"), study.cases[0], "B")
    read(study, "r02", "B", 1, hours)
    (words,) = against(study)
    assert "Its consensus was not made of what counts now: reading B." in words
    (words,) = stale(study)
    assert "not made of what counts now of its readings: B" in words
    with pytest.raises(SettledError):
        agree(study)
    assert agree(study, "OTHER") == 2
    assert (against(study), stale(study)) == ([], [])


def test_a_reading_that_came_back_as_it_was_changes_nothing(study: SmallStudy) -> None:
    read(study, "r01", "A", 2)
    read(study, "r02", "B", 3)
    agree(study)
    withdraw(study.seat("r02"), study.cases[0], "B")
    assert "its reading B is in progress" in against(study)[0]
    read(study, "r02", "B", 3)
    assert (against(study), agree(study)) == ([], 1)


@pytest.mark.usefixtures("of_before")
@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (-1.0, ""),
        (0.0, "cannot be told"),
        (1.0, "A reading was changed after the consensus was made."),
    ],
)
def test_a_log_of_before_has_times_alone_and_what_is_in_doubt_does_not_leave(
    study: SmallStudy, hours: float, words: str
) -> None:
    read(study, "r01", "A", 2, -1.0)
    read(study, "r02", "B", 3, hours)
    agree(study)
    found = against(study)
    assert bool(found) == bool(words)
    assert all(words in one for one in found)


def test_a_consensus_of_before_is_made_anew_for_a_reason(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(study, "r01", "A", 2)
    read(study, "r02", "B", 3)
    with monkeypatch.context() as patch:
        patch.setattr(logbook, "made_of", lambda _detail: {})
        patch.setattr(settled_before, "made_of", lambda _detail: {})
        agree(study)
        assert "cannot be told" in against(study)[0]
        assert agree(study) == 1, "without a reason what is the same stays"
        assert agree(study, "OTHER") == 2
    assert against(study) == []
