"""A role counts only as a manager gave it, by the log: nobody makes themselves anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.errors import RefusedError
from napari_medlabel.project.checks.validate import validate
from napari_medlabel.project.settings import (
    Rater,
    Role,
    read_settings,
    settings_bytes,
    write_settings,
)
from napari_medlabel.project.work.rulings import digest_of_rules, keep_rules, rules_file
from napari_medlabel.session.study.agreeing import reach
from napari_medlabel.session.study.exporting.planning import plan_export
from napari_medlabel.session.study.exporting.wish import ExportWish
from napari_medlabel.session.study.reviewing import begin_review
from napari_medlabel.session.study.ruling import tell_rules
from napari_medlabel.session.study.seat import require_role
from napari_medlabel.session.study.setting_up import set_rater
from tests.session.study.small_study import SmallStudy, make_study

ALL: tuple[Role, ...] = ("annotator", "releaser", "adjudicator", "reviewer", "manager")
NOT_TOLD = "not those that the log tells of"


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1, people=("m1", "r01", "r03"))
    yield made
    made.close()


def by_hand(study: SmallStudy, code: str, *roles: Role) -> None:
    """Give somebody roles as an editor of the file would."""
    settings = read_settings(study.layout.project)
    raters = [replace(one, roles=roles) if one.code == code else one for one in settings.raters]
    write_settings(study.layout.project, replace(settings, raters=tuple(raters)))


def rules_found(study: SmallStudy) -> list[str]:
    found = validate(study.layout).findings
    return [one.words for one in found if one.rule == "rules" and one.level == "error"]


def test_a_role_by_hand_opens_nothing_and_is_an_error(study: SmallStudy) -> None:
    assert not rules_found(study)
    by_hand(study, "r01", *ALL)
    seat = study.seat("r01")
    with pytest.raises(RefusedError, match=NOT_TOLD):
        plan_export(seat, ExportWish())
    with pytest.raises(RefusedError, match=NOT_TOLD):
        begin_review(seat, study.cases[0], "A")
    with pytest.raises(RefusedError, match=NOT_TOLD):
        reach(seat, study.cases[0], "union", study.scan())
    with pytest.raises(RefusedError, match=NOT_TOLD):
        set_rater(study.layout, "r09", seat.desk)
    with pytest.raises(RefusedError, match=NOT_TOLD):
        tell_rules(seat)
    require_role(seat, "annotator")
    assert NOT_TOLD in rules_found(study)[0]
    # What a manager may by the log they may still; but nothing leaves under such rules.
    found = plan_export(study.seat("m1"), ExportWish()).blocking
    assert [one.words for one in found if one.gate == "rules"] == rules_found(study)


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_word_of_ones_own_in_the_log_makes_nobody_anything(
    study: SmallStudy, is_kept: bool
) -> None:
    old = digest_of_rules(study.layout.project.read_bytes())
    by_hand(study, "r01", *ALL)
    data = study.layout.project.read_bytes()
    if is_kept:
        keep_rules(study.layout, data)
    seat = study.seat("r01")
    detail = {"setting": "project", "new": digest_of_rules(data), "old": old}
    seat.desk.log.append("study.rules", detail=detail)
    with pytest.raises(RefusedError, match=NOT_TOLD):
        require_role(seat, "releaser")
    assert rules_found(study)
    # A first word of their own proves nothing, either: then nobody is proven.
    seat.desk.log.append("study.rules", detail={"setting": "project", "new": detail["new"]})
    with pytest.raises(RefusedError, match="does not prove who set up"):
        require_role(seat, "releaser")


def test_a_manager_puts_rules_in_force_that_were_changed_by_hand(study: SmallStudy) -> None:
    by_hand(study, "r01", "annotator", "releaser")
    assert tell_rules(study.seat("m1")) == ("project",)
    require_role(study.seat("r01"), "releaser")
    assert not rules_found(study)
    by_hand(study, "m1", "annotator")
    with pytest.raises(RefusedError, match="you would be no manager"):
        tell_rules(study.seat("m1"))


def test_who_was_manager_rules_no_more_and_who_is_now_does(study: SmallStudy) -> None:
    desk = study.desk("m1")
    set_rater(study.layout, "r03", desk, roles=("annotator", "manager"))
    set_rater(study.layout, "m1", study.desk("r03"), roles=("annotator",))
    assert not rules_found(study)
    by_hand(study, "m1", *ALL)
    data = study.layout.project.read_bytes()
    detail = {"setting": "project", "new": keep_rules(study.layout, data)}
    told = study.seat("m1").reader.rulings()
    last = max(told, key=lambda one: one.time)
    desk.log.append("study.rules", detail={**detail, "old": last.new})
    with pytest.raises(RefusedError, match=NOT_TOLD):
        require_role(study.seat("m1"), "releaser")


def test_a_change_that_was_told_and_not_written_takes_effect_when_done_again(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_medlabel.session.study import setting_up

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(setting_up, "write_settings", killed)
    with pytest.raises(KeyboardInterrupt):
        set_rater(study.layout, "r01", study.desk("m1"), roles=("annotator", "reviewer"))
    monkeypatch.undo()
    require_role(study.seat("m1"), "manager")
    with pytest.raises(RefusedError, match="role reviewer"):
        require_role(study.seat("r01"), "reviewer")
    set_rater(study.layout, "r01", study.desk("m1"), roles=("annotator", "releaser"))
    require_role(study.seat("r01"), "releaser")
    assert not rules_found(study)


def test_rules_of_a_study_that_kept_none_count_as_its_maker_told_them(
    study: SmallStudy,
) -> None:
    """As studies were before rules were kept."""
    set_rater(study.layout, "r01", study.desk("m1"), roles=("reviewer",))
    for path in rules_file(study.layout, "-").parent.iterdir():
        path.unlink()
    require_role(study.seat("r01"), "reviewer")
    require_role(study.seat("m1"), "manager")
    by_hand(study, "r01", *ALL)
    for code, role in (("r01", "releaser"), ("m1", "manager")):
        with pytest.raises(RefusedError, match=NOT_TOLD):
            require_role(study.seat(code), role)
    assert tell_rules(study.seat("m1")) == ("project",)
    require_role(study.seat("m1"), "manager")


def test_the_digest_of_rules_is_of_the_files_bytes(study: SmallStudy) -> None:
    settings = read_settings(study.layout.project)
    more = replace(settings, raters=(*settings.raters, Rater("r09")))
    assert keep_rules(study.layout, settings_bytes(more)) == digest_of_rules(
        settings_bytes(more)
    )
