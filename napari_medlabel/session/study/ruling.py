"""A manager's word after ontology or guidelines were changed: the log hears of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verify import session_paths
from napari_medlabel.session.study.seat import Seat, require_role
from napari_medlabel.session.study.working import rules_now

RULES = ("ontology", "guideline")


def tell_rules(seat: Seat) -> tuple[str, ...]:
    """Tell the log of ontology and guidelines as they are now, where it does not know them.

    Returns
    -------
    tuple of str
        Which were new to it, of `RULES`.

    Raises
    ------
    RefusedError
        When the rater is no manager.
    InputError
        When one of them, or the log, cannot be read.
    LogError
        When the log cannot be written.
    """
    require_role(seat, "manager")
    told = _told(seat.layout.audit)
    changed = []
    for setting, new in zip(RULES, rules_now(seat), strict=True):
        if new not in told[setting]:
            seat.desk.log.append("study.rules", detail={"setting": setting, "new": new})
            changed.append(setting)
    return tuple(changed)


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
