"""A manager's word after ontology or guidelines were changed: the log hears of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verify import session_paths
from napari_medlabel.audit.disk import one_at_a_time
from napari_medlabel.errors import RefusedError
from napari_medlabel.project.settings import Adjudicator, read_settings
from napari_medlabel.project.work.accounts import require_own_accounts
from napari_medlabel.project.work.rulings import digest_of_rules, keep_rules
from napari_medlabel.session.study.seat import Seat, require_role
from napari_medlabel.session.study.setting_up import (
    put_in_force,
    require_proven,
    rules_in_force,
)
from napari_medlabel.session.study.working import rules_now

RULES = ("ontology", "guideline")


def tell_rules(seat: Seat) -> tuple[str, ...]:
    """Tell the log of ontology and guidelines as they are now, where it does not know them.

    Returns
    -------
    tuple of str
        Which were new to it: ``project``, and of `RULES`.

    Raises
    ------
    RefusedError
        When the rater is no manager.
    InputError
        When one of them, or the log, cannot be read.
    LogError
        When the log cannot be written.
    """
    ruled = rules_in_force(seat.layout, seat.reader)
    if not ruled or not ruled[-1].may_rule(seat.own):
        require_role(seat, "manager")
        require_proven(seat.layout, seat.own, "manager", reader=seat.reader)
    changed = []
    if ruled:
        data = seat.layout.project.read_bytes()
        if digest_of_rules(data) != (old := ruled[-1].ruling.new):
            _require_ruled(seat)
            new = keep_rules(seat.layout, data)
            detail = {"setting": "project", "new": new, "old": old}
            seat.desk.log.append("study.rules", detail=detail)
            changed.append("project")
        else:
            keep_rules(seat.layout, data)
    told = _told(seat.layout.audit)
    for setting, new in zip(RULES, rules_now(seat), strict=True):
        if new not in told[setting]:
            seat.desk.log.append("study.rules", detail={"setting": setting, "new": new})
            changed.append(setting)
    return tuple(changed)


def set_adjudicator(seat: Seat, who: Adjudicator) -> bool:
    """Rule who settles where readings differ; the log hears of it before the file is written.

    Parameters
    ----------
    who : str
        ``independent`` or ``reader``, see `Settings`.

    Returns
    -------
    bool
        Whether it was otherwise before.

    Raises
    ------
    RefusedError
        When the rater is no manager by the log.
    LogError, SaveError
        When log or file cannot be written.
    """
    require_role(seat, "manager")
    require_proven(seat.layout, seat.own, "manager", reader=seat.reader)
    with one_at_a_time(seat.layout.own / ".project.lock"):
        before = read_settings(seat.layout.project)
        changed = replace(before, adjudicator=who)
        if changed == before:
            return False
        put_in_force(seat.layout, seat.desk, changed)
    return True


def _require_ruled(seat: Seat) -> None:
    """Refuse rules, changed by hand, by which who puts them in force is no manager.

    Nor do accounts go from one person to another by hand.
    """
    written = read_settings(seat.layout.project)
    require_own_accounts(seat.accounts, written.raters)
    if "manager" not in written.rater_of(seat.rater.user).roles:
        raise RefusedError(
            "By project.json as it is now you would be no manager.",
            hint="Put it back first: medlabel/rules has it as it was.",
        )


def _told(root: Path) -> dict[str, set[str]]:
    """Return the digests of rules that a log tells of."""
    told: dict[str, set[str]] = {setting: set() for setting in RULES}

    def seen(_line: int, record: Any) -> None:
        detail = record["detail"]
        if record["event"] == "study.rules" and detail["setting"] in told:
            told[detail["setting"]].add(detail["new"])

    for path in session_paths(root):
        check_session(path, path.name, seen, quick=True)
    return told
