"""Who has ever made a mask of a case, by what the log tells: none of them is independent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from napari_medlabel.project.work.states import Action
from napari_medlabel.project.work.steps import Save, Step

_MAKES: Final[frozenset[Action]] = frozenset({"submit", "correct"})


def authors(steps: Iterable[Step], saves: Iterable[Save] = ()) -> frozenset[str]:
    """Return the tokens of all who ever made a mask of what steps are about.

    Whoever submitted a reading is among them, also one that was taken back, sent back or given
    to somebody else since; so is who corrected one with a mask of their own, and who saved a
    mask in a reading that they gave back and never submitted.

    Parameters
    ----------
    steps : iterable of Step
        Of one case or of several.
    saves : iterable of Save
        Of any cases. One counts when its author had begun a reading of the case, unless it
        came after their own word that ended it: what an adjudicator or a reviewer saves is no
        reading. Only times of one account are compared; another's clock ends nothing.
    """
    known = tuple(steps)
    held = [(one, _end(one, known)) for one in known if one.action == "start"]
    return frozenset(
        one.user for one in known if one.content and one.action in _MAKES
    ) | frozenset(
        save.user
        for save in saves
        for start, end in held
        if (save.case, save.user) == (start.case, start.user)
        and (end is None or datetime.fromisoformat(save.time) <= end)
    )


def _end(start: Step, steps: tuple[Step, ...]) -> datetime | None:
    """Return when whoever began a reading took it to another step; None if they never did.

    Where somebody else did, by a clock of their own, what was saved before cannot be told from
    what was saved later: all of it counts.
    """
    place = start.case, start.slot
    later = [s for s in steps if (s.case, s.slot) == place and s.number > start.number]
    following = min(later, key=lambda one: one.number, default=None)
    if following is None or following.user != start.user:
        return None
    return datetime.fromisoformat(following.time)
