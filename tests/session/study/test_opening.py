"""What a reading of a study is opened with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_medlabel.plugin.windows import offered_windows
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.study.disputes import open_to_adjudicate
from napari_medlabel.session.study.opening import open_to_work
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import make_study


def test_a_reading_knows_that_it_is_ct_which_nifti_cannot_say(tmp_path: Path) -> None:
    study = make_study(tmp_path, cases=1, people=("m1", "r01"))
    seat, case = study.seat("r01"), study.cases[0]
    start(seat, case, "A")
    opening = open_to_work(seat, case, "A")
    assert opening.wishes.modality == "CT"
    session = open_case(opening.paths, seat.desk, opening.wishes, fallback=tmp_path)
    assert session.volume.modality == "CT"
    assert "Lung" in [window.name for window in offered_windows(session.volume)]
    session.close()
    unsaid = replace(opening.wishes, modality="")
    session = open_case(opening.paths, seat.desk, unsaid, fallback=tmp_path)
    assert session.volume.modality == ""
    session.close()
    study.close()


def test_an_adjudicator_s_case_knows_it_too(tmp_path: Path) -> None:
    study = make_study(tmp_path, cases=1)
    raters = study.seat("m1").settings.raters
    code = next(one.code for one in raters if "adjudicator" in one.roles)
    opening = open_to_adjudicate(study.seat(code), study.cases[0])
    assert opening.wishes.modality == "CT"
    study.close()
