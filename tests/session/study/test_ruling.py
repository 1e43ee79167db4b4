"""Changed guidelines and ontology are told to the log once; what is outdated is marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_medlabel.errors import RefusedError
from napari_medlabel.session.study import working
from napari_medlabel.session.study.ruling import tell_rules
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import mark_outdated, start, withdraw
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1, people=("m1", "r01", "r02"))
    made.layout.guidelines.write_text("# Guidelines\n\nOld.\n")
    tell_rules(made.seat("m1"))
    for code, slot in (("r01", "A"), ("r02", "B")):
        seat = made.seat(code)
        start(seat, made.cases[0], slot)
        submit(seat, made.cases[0], slot, made.scan(), made.work(1))
    yield made
    made.close()


def test_a_change_is_told_once_and_by_a_manager_alone(study: SmallStudy) -> None:
    seat = study.seat("m1")
    assert tell_rules(seat) == ()
    study.layout.guidelines.write_text("# Guidelines\n\nNew.\n")
    with pytest.raises(RefusedError, match="manager"):
        tell_rules(study.seat("r01"))
    assert tell_rules(seat) == ("guideline",)
    assert tell_rules(seat) == ()


def test_what_is_taken_back_while_readings_are_marked_is_left_alone(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, seat, other = study.cases[0], study.seat("m1"), study.seat("r01")
    study.layout.guidelines.write_text("# Guidelines\n\nNew.\n")
    listed = working.worklist

    def then_taken_back(of):
        found = listed(of)
        monkeypatch.setattr(working, "worklist", listed)
        withdraw(other, case, "A")
        return found

    monkeypatch.setattr(working, "worklist", then_taken_back)
    assert mark_outdated(seat) == ((case, "B"),)
    assert look(seat, case, "A").now.state == "in_progress"
    assert look(seat, case, "B").now.state == "stale"
