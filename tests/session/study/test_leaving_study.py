"""A study whose folder goes away while somebody works in it: nothing is made anew or lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.model.boxes import BoxSet
from napari_medlabel.project.agreement.adjudication import Adjudication
from napari_medlabel.session.case import Session
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.saving import save
from napari_medlabel.session.study.agreeing import save_decisions
from napari_medlabel.session.study.commenting import Remark, comment
from napari_medlabel.session.study.opening import open_to_work
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import sign_of_life, start
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1, people=("m1", "r01"))
    start(made.seat("r01"), made.cases[0], "A")
    yield made
    made.close()


def opened(study: SmallStudy) -> Session:
    seat = study.seat("r01")
    opening = open_to_work(seat, study.cases[0], "A")
    return open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)


def paint(session: Session) -> None:
    session.labels.array[1:3, 1:3, 1:3] = 1
    session.reconcile()


def test_a_save_into_a_study_that_has_gone_is_refused(study: SmallStudy) -> None:
    session, root = opened(study), study.layout.root
    paint(session)
    root.rename(away := study.tmp / "away")
    with pytest.raises(SaveError, match="not there any more"):
        save(session)
    assert not root.exists(), "nothing of that name was made"
    assert session.is_dirty
    session.close()
    away.rename(root)
    study.again("r01")
    later = opened(study)
    assert len(later.recoveries) == 1
    later.recover(later.recoveries[0], None)
    assert (later.labels.array[1:3, 1:3, 1:3] == 1).all()
    save(later)
    later.close()


def test_no_step_makes_a_study_anew(study: SmallStudy) -> None:
    session, seat, case = opened(study), study.seat("r01"), study.cases[0]
    scan, work = study.scan(), study.work(1)
    told: list[Exception] = []
    session.boxing.failed.connect(told.append)
    study.layout.root.rename(away := study.tmp / "away")
    steps = (
        session.place.make,
        lambda: comment(seat, case, "A", Remark("Here")),
        lambda: sign_of_life(seat, case, "A"),
        lambda: save_decisions(seat, case, Adjudication("x", "m1", {})),
    )
    for step in steps:
        with pytest.raises(SaveError, match="not there any more"):
            step()
    with pytest.raises(InputError):
        submit(seat, case, "A", scan, work)
    session.boxing.open(BoxSet())
    session.boxing._write()
    assert told
    assert not study.layout.root.exists()
    away.rename(study.layout.root)
    session.close(discard=True)
