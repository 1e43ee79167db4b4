"""Who has ever made a mask of a case, by the steps in the log: none of them is independent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from napari_medlabel.project.work.states import Action
from napari_medlabel.project.work.steps import Step

_MAKES: Final[frozenset[Action]] = frozenset({"submit", "correct"})


def authors(steps: Iterable[Step]) -> frozenset[str]:
    """Return the tokens of all who ever made a mask of what steps are about.

    Whoever submitted a reading is among them, also one that was taken back, sent back or given
    to somebody else since; so is who corrected one with a mask of their own.
    """
    return frozenset(one.user for one in steps if one.content and one.action in _MAKES)
