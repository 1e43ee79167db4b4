"""Consensus in a study: from the readings that count, with its event, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import InputError, LogError, RefusedError
from napari_medlabel.project.agreement.adjudication import Decision
from napari_medlabel.project.cases.version import (
    ORIGINS,
    read_answers,
    read_labels,
    read_provenance,
    read_version,
    whole_digest,
    whole_versions,
)
from napari_medlabel.project.checks.signed import check_signed
from napari_medlabel.project.layout import CONSENSUS
from napari_medlabel.session import outbox
from napari_medlabel.session.study import agreeing
from napari_medlabel.session.study.agreeing import (
    decisions_file,
    open_adjudication,
    reach,
    save_decisions,
)
from napari_medlabel.session.study.readings import first_readings, ready_readings
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.settled_before import SettledError
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from tests.session.study.a_study import events
from tests.session.study.changing import changed
from tests.session.study.small_study import ONTOLOGY, SmallStudy, make_study


def read(study: SmallStudy, who: str, slot: str, *values: int, place: int = 2) -> None:
    seat, case = study.seat(who), study.cases[0]
    start(seat, case, slot)
    submit(seat, case, slot, study.scan(), study.work(*values, place=place))


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1)
    read(made, "r01", "A", 1)
    yield made
    made.close()


@pytest.fixture
def both(study: SmallStudy) -> SmallStudy:
    read(study, "r02", "B", 1, 2, place=3)
    return study


def consensus_events(study: SmallStudy) -> list[dict]:
    import json

    paths = study.layout.audit.glob("writers/*/*/*/*.jsonl")
    lines = [json.loads(one) for path in paths for one in path.read_text().splitlines()]
    return [one["detail"] for one in lines if one.get("event") == "study.consensus"]


def test_decisions_become_a_version_with_its_origins_and_its_event(both) -> None:
    seat, case, scan = both.seat("m1"), both.cases[0], both.scan()
    row = look(seat, case, "A").row
    work, found = open_adjudication(seat, case, ready_readings(seat, row, scan.grid))
    assert len(found.found) == 3
    for one in found.found[:2]:
        work = work.decide(one.number, Decision("A", seat.desk.time()))
    save_decisions(seat, case, work)
    done = reach(both.again("m1"), case, "adjudicate", scan)
    assert (done.open, done.readings, done.version.number) == (1, 2, 1)
    assert done.open_voxels == found.found[2].voxels
    version = read_version(both.layout, CONSENSUS, case, 1)
    origins = read_provenance(both.layout, version, scan.grid)
    unresolved = np.count_nonzero(origins == ORIGINS.index("unresolved"))
    assert unresolved == done.open_voxels
    assert read_answers(both.layout, version) == {"clear": True}
    (detail,) = consensus_events(both)
    assert (detail["rule"], detail["readings"], detail["components"], detail["open"]) == (
        "adjudicate", 2, 3, 1,
    )  # fmt: skip
    assert both.is_sound()


def test_union_is_written_and_voting_on_two_is_refused(both) -> None:
    seat, case, scan = both.seat("m1"), both.cases[0], both.scan()
    done = reach(seat, case, "union", scan)
    labels = read_labels(both.layout, done.version, scan.grid, ONTOLOGY.scheme())
    assert labels.voxel_counts() == {1: 3 * 2 * 2, 2: 8}
    for way in ("majority", "staple", "distance"):
        with pytest.raises(RefusedError, match="never voted"):
            reach(seat, case, way, scan)
    assert whole_versions(both.layout, CONSENSUS, case) == (1,)
    assert len(consensus_events(both)) == 1


def test_a_consensus_needs_all_readings_and_an_adjudicator(study) -> None:
    case, scan = study.cases[0], study.scan()
    with pytest.raises(RefusedError, match="a consensus needs all"):
        reach(study.seat("m1"), case, "union", scan)
    with pytest.raises(RefusedError, match="role adjudicator"):
        reach(study.seat("r01"), case, "union", scan)


def test_the_first_readings_are_told_only_to_who_may_see_them(both) -> None:
    case, grid = both.cases[0], both.scan().grid
    row = look(both.seat("m1"), case, "A").row
    found = first_readings(both.seat("m1"), row, grid)
    assert [(one.slot, one.rater, one.version.number) for one in found] == [
        ("A", "r01", 1),
        ("B", "r02", 1),
    ]


def test_an_annotator_who_has_not_read_the_case_sees_nothing_of_it(study) -> None:
    seat = study.seat("r02")
    row = look(seat, study.cases[0], "A").row
    with pytest.raises(RefusedError, match="blind"):
        first_readings(seat, row, study.scan().grid)


def test_a_reading_that_changed_makes_decisions_void(both) -> None:
    seat, case, scan = both.seat("m1"), both.cases[0], both.scan()
    row = look(seat, case, "A").row
    work, _ = open_adjudication(seat, case, ready_readings(seat, row, scan.grid))
    save_decisions(seat, case, replace(work, contents={"A": "sha256:0"}))
    assert decisions_file(seat, case).is_file()
    with pytest.raises(RefusedError, match="has changed"):
        reach(seat, case, "adjudicate", scan)


def test_a_log_that_fails_hears_of_the_consensus_the_next_time(both, monkeypatch) -> None:
    seat, case, scan = both.seat("m1"), both.cases[0], both.scan()

    def fail(*_: object) -> None:
        raise LogError("The log cannot be written.", hint="-")

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "tell", fail)
        with pytest.raises(LogError):
            reach(seat, case, "union", scan)
    assert consensus_events(both) == []
    assert reach(both.again("m1"), case, "union", scan).version.number == 1, "it was written"
    assert [one["version"] for one in consensus_events(both)] == [1]


def test_a_crash_before_the_files_leaves_no_event(both, monkeypatch) -> None:
    seat, case, scan = both.seat("m1"), both.cases[0], both.scan()

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(agreeing, "write_version", crash)
        with pytest.raises(KeyboardInterrupt):
            reach(seat, case, "union", scan)
    assert reach(both.again("m1"), case, "union", scan).version.number == 1
    assert [one["version"] for one in consensus_events(both)] == [1]


def test_a_reading_that_was_changed_enters_no_consensus(both) -> None:
    seat, case, scan = both.seat("m1"), both.cases[0], both.scan()
    version = read_version(both.layout, "r02", case, 1)
    with changed(both, version, "answers.json"), pytest.raises(InputError, match="submitted"):
        reach(seat, case, "union", scan)
    done = reach(both.again("m1"), case, "union", scan)
    (told,) = consensus_events(both)
    assert told["whole"] == whole_digest(both.layout, done.version)
    assert list(check_signed(both.layout)) == []
    with changed(both, done.version, "prov.nii.gz"):
        (found,) = check_signed(both.layout)
    assert (found.level, found.rule) == ("error", "agreed on")


def test_the_log_hears_late_of_the_consensus_as_it_was_written(both, monkeypatch) -> None:
    seat, case, scan = both.seat("m1"), both.cases[0], both.scan()

    def fail(*_: object) -> None:
        raise LogError("The log cannot be written.", hint="-")

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "tell", fail)
        with pytest.raises(LogError):
            reach(seat, case, "union", scan)
    version = read_version(both.layout, CONSENSUS, case, 1)
    whole = whole_digest(both.layout, version)
    with changed(both, version, "answers.json"):
        reach(both.again("m1"), case, "union", scan)
    assert consensus_events(both)[0]["whole"] == whole


def test_another_consensus_takes_the_place_of_a_settled_one_with_a_reason_alone(both) -> None:
    seat, case, scan = both.seat("m1"), both.cases[0], both.scan()
    reach(seat, case, "union", scan)
    assert reach(seat, case, "union", scan).version.number == 1, "the same is no new version"
    with pytest.raises(SettledError, match="version 1 by union: another takes its place"):
        reach(seat, case, "intersection", scan)
    with pytest.raises(InputError, match="reason"):
        reach(seat, case, "intersection", scan, reason="WHIM")
    assert whole_versions(both.layout, CONSENSUS, case) == (1,)
    assert reach(seat, case, "intersection", scan, reason="QA_FEEDBACK").version.number == 2
    told = [one for one in events(both.layout) if one["event"] == "study.consensus"]
    assert [one.get("reason") for one in told] == [None, {"code": "QA_FEEDBACK"}]
    reach(seat, case, "adjudicate", scan, reason="CORRECTION")  # nothing is decided in it
    row = look(seat, case, "A").row
    work, found = open_adjudication(seat, case, ready_readings(seat, row, scan.grid))
    work = work.decide(found.found[0].number, Decision("A", seat.desk.time()))
    save_decisions(seat, case, work)
    assert reach(seat, case, "adjudicate", scan).version.number == 4, "it goes on"
    assert both.is_sound()
