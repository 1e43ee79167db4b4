"""Who gets another account, as on a new computer, stays the same person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.audit.keys.tokens import account_name, load_token_key
from napari_medlabel.errors import RefusedError
from napari_medlabel.project.checks.finding import Finding
from napari_medlabel.project.checks.validate import validate
from napari_medlabel.project.release.chain import CHAIN, parse_chain
from napari_medlabel.project.settings import Rater, read_settings, write_settings
from napari_medlabel.project.work.status import status_of
from napari_medlabel.session.study.agreeing import reach
from napari_medlabel.session.study.blind import own_events, require_may_read, require_unread
from napari_medlabel.session.study.comparing import compare_study
from napari_medlabel.session.study.readings import first_readings
from napari_medlabel.session.study.release_check import check_release
from napari_medlabel.session.study.reviewing import begin_review
from napari_medlabel.session.study.ruling import tell_rules
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.setting_up import require_proven, set_rater
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start, withdraw
from tests.session.study.release_study import ready_study, release
from tests.session.study.small_study import SmallStudy, make_study


def token(study: SmallStudy, computer: str) -> str:
    return load_token_key(study.tmp / f"pc-{computer}").user_token(account_name())


def moved(study: SmallStudy, code: str) -> None:
    """Let a manager give somebody the account of a new computer."""
    set_rater(study.layout, code, study.desk("m1"), user=token(study, f"{code}new"))


def accounts_found(study: SmallStudy) -> list[Finding]:
    return [one for one in validate(study.layout).findings if one.rule == "account"]


def read(study: SmallStudy, code: str, slot: str, place: int = 2) -> None:
    start(study.seat(code), study.cases[0], slot)
    submit(study.seat(code), study.cases[0], slot, study.scan(), study.work(1, place=place))


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    """Return a study whose case r03 and r01 have read, and where r03 has a new computer."""
    made = make_study(tmp_path, cases=1)
    read(made, "r03", "A")
    read(made, "r01", "B", place=3)
    roles = ("annotator", "reviewer", "adjudicator")
    set_rater(made.layout, "r03", made.desk("m1"), roles=roles)
    moved(made, "r03")
    yield made
    made.close()


def test_the_earlier_readings_stay_theirs_and_are_found(study: SmallStudy) -> None:
    seat, case = study.seat("r03new"), study.cases[0]
    old, new = token(study, "r03"), token(study, "r03new")
    assert seat.accounts.of("r03") == (old, new)
    assert {old, new} == seat.users
    assert seat.own == {new}
    assert [study.seat("m1").code_of(one) for one in (old, new, "")] == ["r03", "r03", ""]
    lines = status_of(study.layout, read_settings(study.layout.project)).lines
    assert [one.rater for one in lines] == ["r03", "r01"]
    row = look(study.seat("m1"), case, "A").row
    found = first_readings(study.seat("m1"), row, study.scan().grid)
    assert [one.rater for one in found] == ["r03", "r01"]
    reach(study.seat("m1"), case, "union", study.scan())
    assert not accounts_found(study)


def test_nobody_judges_what_was_their_own_under_an_earlier_account(study: SmallStudy) -> None:
    seat, case = study.seat("r03new"), study.cases[0]
    with pytest.raises(RefusedError, match="You made this reading"):
        begin_review(seat, case, "A")
    with pytest.raises(RefusedError, match="You have read this case"):
        reach(seat, case, "union", study.scan())
    withdraw(study.seat("r01"), case, "B")
    with pytest.raises(RefusedError, match="You have reading A of this case"):
        require_unread(seat, look(seat, case, "B"))


def test_the_work_goes_on_where_the_old_account_left_it(study: SmallStudy) -> None:
    case = study.cases[0]
    withdraw(study.seat("r03new"), case, "A")
    submit(study.seat("r03new"), case, "A", study.scan(), study.work(1, 2))
    now = look(study.seat("r01"), case, "A").now
    assert (now.user, now.version) == (token(study, "r03new"), 2)
    row = look(study.seat("m1"), case, "A").row
    found = first_readings(study.seat("m1"), row, study.scan().grid)
    assert [one.version.number for one in found] == [1, 1]  # the first: the old account's
    events = [{"actor": {"user": token(study, one)}} for one in ("r03", "r03new", "r01")]
    told = own_events(study.tmp / "pc-r03new", study.layout.audit, events)
    assert list(told) == events[:2]


def test_an_old_account_works_no_more_and_stays_as_blind_as_it_was(study: SmallStudy) -> None:
    with pytest.raises(RefusedError, match="This account was rater r03's") as err:
        study.seat("r03")
    assert "project rater STUDY r03 --user" in err.value.hint
    mask = next(study.layout.derivative("r01").rglob("*_dseg.nii.gz"))
    require_may_read(study.tmp / "pc-r03", [mask])  # they have submitted theirs
    withdraw(study.seat("r03new"), study.cases[0], "A")
    with pytest.raises(RefusedError, match="you read it blind"):
        require_may_read(study.tmp / "pc-r03", [mask])
    with pytest.raises(RefusedError, match="counts only as a manager gave it"):
        require_proven(study.layout, {token(study, "r03")}, "reviewer")
    set_rater(study.layout, "r03", study.desk("m1"), user=token(study, "r03"))
    assert study.seat("r03").rater.code == "r03"


def test_an_account_of_one_person_is_never_given_to_another(study: SmallStudy) -> None:
    for computer in ("r03", "r03new"):
        with pytest.raises(RefusedError, match=r"another rater of the study|rater r03's"):
            set_rater(study.layout, "r09", study.desk("m1"), user=token(study, computer))
    settings = read_settings(study.layout.project)
    by_hand = (*settings.raters, Rater("r09", token(study, "r03")))
    write_settings(study.layout.project, replace(settings, raters=by_hand))
    with pytest.raises(RefusedError, match="cannot be given to r09"):
        tell_rules(study.seat("m1"))
    # Whoever sits there by such a file is still r03 for all that is judged.
    assert token(study, "r03new") in study.seat("r03").users
    with pytest.raises(RefusedError, match="You have reading A"):
        require_unread(study.seat("r03"), look(study.seat("r03"), study.cases[0], "B"))


def test_a_file_changed_by_hand_makes_nobody_another_person(study: SmallStudy) -> None:
    settings = read_settings(study.layout.project)
    before = study.layout.project.read_bytes()
    stranger = token(study, "stranger")
    raters = [replace(r, user=stranger) if r.code == "r01" else r for r in settings.raters]
    write_settings(study.layout.project, replace(settings, raters=tuple(raters)))
    seat = study.seat("stranger")
    assert seat.users == {stranger}
    with pytest.raises(RefusedError, match="somebody else"):
        withdraw(seat, study.cases[0], "B")
    withdraw(study.seat("r03new"), study.cases[0], "A")
    study.layout.project.write_bytes(before)


def test_a_reading_of_an_account_that_is_nobodys_is_an_error(tmp_path: Path) -> None:
    study = make_study(tmp_path, cases=1)
    settings, before = read_settings(study.layout.project), study.layout.project.read_bytes()
    raters = (*settings.raters, Rater("r09", token(study, "r09")))
    write_settings(study.layout.project, replace(settings, raters=raters))
    read(study, "r09", "A")
    for data in (study.layout.project.read_bytes(), before):
        study.layout.project.write_bytes(data)
        (one,) = accounts_found(study)
        assert (one.level, one.where) == ("error", str(study.cases[0]))
        assert "belongs to nobody" in one.words
    set_rater(study.layout, "r09", study.desk("m1"), user=token(study, "r09"))
    assert not accounts_found(study)
    study.close()


def test_a_release_is_borne_out_when_its_readers_have_new_computers(tmp_path: Path) -> None:
    study = ready_study(tmp_path)
    for code in ("r01", "r04"):
        moved(study, code)
    done = release(study)
    chain = parse_chain((done.folder / CHAIN).read_bytes())
    assert {link.by for one in chain.cases for link in one.links} == {"r01", "r02", "r04", "m1"}
    report = check_release(done.folder, layout=study.layout)
    assert not [one for one in report.findings if one.level == "error"]
    assert compare_study(study.seat("m1")).table.raters == ("r01", "r02")
    study.close()
