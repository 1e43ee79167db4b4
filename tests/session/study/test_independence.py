"""Who has read a case does not settle it, unless the study's rules let readers do so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from napari_medlabel.errors import RefusedError
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.project.checks.finding import Finding
from napari_medlabel.project.checks.validate import validate
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.settings import Settings, read_settings, write_settings
from napari_medlabel.project.work import rulings
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.saving import save
from napari_medlabel.session.study.agreeing import open_adjudication, reach
from napari_medlabel.session.study.blind import require_unread
from napari_medlabel.session.study.correcting import correct
from napari_medlabel.session.study.disputes import open_to_adjudicate, ready_cases
from napari_medlabel.session.study.independence import HAS_READ, require_independent
from napari_medlabel.session.study.listing import list_for
from napari_medlabel.session.study.opening import open_to_work
from napari_medlabel.session.study.readings import ready_readings
from napari_medlabel.session.study.reviewing import begin_review
from napari_medlabel.session.study.ruling import set_adjudicator
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.setting_up import put_in_force, set_rater
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import all_to_read, release, start, withdraw
from tests.session.study.a_study import events
from tests.session.study.small_study import SmallStudy, add_plain_case, make_study

READ = pytest.raises(RefusedError, match="You have read this case")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    """Return a study of two cases, each read by two of three adjudicators."""
    made = make_study(tmp_path_factory.mktemp("independence"))
    for code in ("r01", "r02"):
        roles = ("annotator", "adjudicator")
        set_rater(made.layout, code, made.desk("m1"), roles=roles)
    set_rater(made.layout, "r03", made.desk("m1"), roles=("annotator", "reviewer",
                                                          "adjudicator"))  # fmt: skip
    for number in range(2):
        read(made, "r01", "A", number, 2)
        read(made, "r02", "B", number, 3)
    yield made
    made.close()


def read(study: SmallStudy, code: str, slot: str, number: int, place: int) -> None:
    start(study.seat(code), study.cases[number], slot)
    work = study.work(1, number=number, place=place)
    submit(study.seat(code), study.cases[number], slot, study.scan(number), work)


def settled(study: SmallStudy) -> list[Finding]:
    return [one for one in validate(study.layout).findings if one.rule == "settled"]


def last_event(study: SmallStudy) -> dict:
    return max(events(study.layout), key=lambda one: one["time"])


def rule(study: SmallStudy, **changes: object) -> None:
    """Change rules as a manager does, through the log."""
    before = read_settings(study.layout.project).to_json()
    put_in_force(study.layout, study.desk("m1"), Settings.from_json({**before, **changes}))


DOORS: dict[str, Callable[[SmallStudy, str, CaseId], object]] = {
    "the window": lambda study, code, case: open_to_adjudicate(study.seat(code), case),
    "decisions": lambda study, code, case: open_adjudication(
        study.seat(code), case, ready_readings(study.seat(code), row(study, case), grid(study))
    ),
    "adjudication": lambda study, code, case: reach(
        study.seat(code), case, "adjudicate", study.scan()
    ),
    "another rule than the study's": lambda study, code, case: reach(
        study.seat(code), case, "union", study.scan()
    ),
}


def row(study: SmallStudy, case: CaseId) -> object:
    return look(study.seat("m1"), case, "A").row


def grid(study: SmallStudy) -> object:
    return load(study.layout.scan(study.cases[0]), hashes=False).grid


@pytest.mark.parametrize("door", DOORS)
def test_a_reader_of_the_case_is_refused_at_each_door(study: SmallStudy, door: str) -> None:
    before = len(events(study.layout))
    with READ as refused:
        DOORS[door](study, "r01", study.cases[0])
    assert "medlabel project rules STUDY --adjudicator reader" in refused.value.hint
    assert len(events(study.layout)) == before


def test_the_list_says_why_a_reader_cannot_settle_it(study: SmallStudy) -> None:
    assert {one.why_not for one in ready_cases(study.seat("r01"))} == {HAS_READ}
    assert {one.why_not for one in ready_cases(study.seat("m1"))} == {""}
    lines = [one for one in list_for(study.seat("r01")).lines if one.kind == "settle"]
    assert {(one.can, one.rank, one.why_not) for one in lines} == {((), -1, HAS_READ)}


def test_who_read_it_before_somebody_else_did_is_no_more_independent(
    study: SmallStudy,
) -> None:
    case = study.cases[1]
    withdraw(study.seat("r02"), case, "B")
    begin = look(study.seat("r02"), case, "B").now.state
    assert begin == "in_progress"
    with READ:
        require_independent(study.seat("r02"), look(study.seat("r02"), case, "B").steps)
    submit(study.seat("r02"), case, "B", study.scan(1), study.work(1, number=1, place=4))


def test_a_reviewer_who_corrected_a_reading_is_one_of_its_authors(study: SmallStudy) -> None:
    case, seat = study.cases[1], study.seat("r03")
    open_to_adjudicate(seat, case)
    begin_review(seat, case, "A")
    labelled = study.work(1, number=1, place=1).labelled
    correct(seat, case, "A", study.scan(1), labelled)
    with READ:
        open_to_adjudicate(study.seat("r03"), case)


def test_who_opened_a_case_to_settle_it_does_not_read_it_any_more(study: SmallStudy) -> None:
    case = add_plain_case(study.layout, 9)
    assert require_blind(study, "r03", case) is None
    seat = study.seat("r03")
    open_to_adjudicate(seat, case)
    with pytest.raises(RefusedError, match="reviewer or adjudicator, so you are not blind"):
        start(seat, case, "A")
    assert case not in {one for one, _slot in all_to_read(seat)}
    assert case in {one for one, _slot in all_to_read(study.seat("r01"))}


def require_blind(study: SmallStudy, code: str, case: CaseId) -> None:
    seat = study.seat(code)
    require_unread(seat, look(seat, case, "A"))


def test_a_project_json_that_was_edited_by_hand_frees_nobody(study: SmallStudy) -> None:
    kept = study.layout.project.read_bytes()
    before = read_settings(study.layout.project)
    write_settings(
        study.layout.project, Settings.from_json({**before.to_json(), "adjudicator": "reader"})
    )
    with READ:
        open_to_adjudicate(study.seat("r01"), study.cases[0])
    study.layout.project.write_bytes(kept)


def test_the_study_s_own_rule_judges_by_itself_and_any_adjudicator_starts_it(
    study: SmallStudy,
) -> None:
    rule(study, rule="majority")
    steps = look(study.seat("r01"), study.cases[0], "A").steps
    assert require_independent(study.seat("r01"), steps, "majority") == "nobody"
    with pytest.raises(RefusedError, match="another rule than the study's own is a choice"):
        require_independent(study.seat("r01"), steps, "staple")
    assert require_independent(study.seat("m1"), steps, "staple") == "independent"
    rule(study, rule="adjudicate")


def test_only_a_manager_lets_readers_settle_and_the_log_hears_of_it(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rulings, "_CLOCKS_MS", 0)
    case = study.cases[0]
    with pytest.raises(RefusedError, match="role manager"):
        set_adjudicator(study.seat("r01"), "reader")
    assert set_adjudicator(study.seat("m1"), "reader") is True
    assert set_adjudicator(study.seat("m1"), "reader") is False
    assert (last_event(study)["event"], settled(study)) == ("study.rules", [])
    reach(study.seat("r01"), case, "adjudicate", study.scan())
    told = last_event(study)
    assert (told["event"], told["detail"]["adjudicator"]) == ("study.consensus", "reader")
    set_adjudicator(study.seat("m1"), "independent")
    assert settled(study) == [], "judged by the rules of then"


def test_a_reader_who_settled_it_with_another_program_is_a_doubt_until_it_is_settled_anew(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rulings, "_CLOCKS_MS", 0)
    module = "napari_medlabel.session.study.agreeing.require_independent"
    with patch(module, return_value="reader"):
        scan = study.scan()
        reach(study.seat("r02"), study.cases[0], "adjudicate", scan, reason="OTHER")
    (one,) = settled(study)
    assert (one.level, one.where) == ("warning", str(study.cases[0]))
    assert "rules of that time asked for somebody who has not" in one.words
    reach(study.seat("m1"), study.cases[0], "adjudicate", study.scan(), reason="CORRECTION")
    assert settled(study) == []


def test_rules_without_such_a_word_are_those_of_an_older_program(tmp_path: Path) -> None:
    older = Settings("Livers").to_json()
    older.pop("adjudicator")
    assert Settings.from_json(older).adjudicator == "independent"
    with pytest.raises(Exception, match="independent, reader"):
        Settings("Livers", adjudicator="anybody")  # type: ignore[arg-type]


def test_who_saved_a_mask_and_gave_it_back_has_read_the_case(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    case = study.cases[0]
    set_rater(study.layout, "r03", study.desk("m1"), roles=("annotator", "adjudicator"))
    for number, mine in enumerate(study.cases):
        start(study.seat("r03"), mine, "A")
        if number == 0:
            save_square(study, "r03", mine)
        release(study.seat("r03"), mine, "A")
    for number in range(2):
        read(study, "r01", "A", number, 2)
        read(study, "r02", "B", number, 3)
    seat = study.again("r03")
    with READ:
        reach(seat, case, "union", study.scan())
    with READ:
        open_to_adjudicate(seat, case)
    assert [one.why_not for one in ready_cases(seat)] == [HAS_READ, ""]
    reach(seat, study.cases[1], "union", study.scan(1))
    rule(study, adjudicator="reader")
    reach(study.again("r03"), case, "union", study.scan())
    assert last_event(study)["detail"]["has_read"] is True
    study.close()


def save_square(study: SmallStudy, code: str, case: CaseId) -> None:
    seat = study.seat(code)
    opening = open_to_work(seat, case, "A")
    with closing(
        open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
    ) as session:
        square = np.full((2, 2, 1), 1, np.uint8)
        session.edit((slice(0, 2), slice(0, 2), slice(0, 1)), square, name="Square")
        save(session)
