"""What a consensus was made of, as its line of the log tells: held against what counts now.

Each reading is named by the step at which it stood and by the digest of its version, so no
clock is asked: those of two computers differ. Lines of before name no readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from napari_medlabel.project.work.fold import SlotState, fold_slot
from napari_medlabel.project.work.steps import Step

FIELD: Final = "made_of"
"""Name of the list in the detail of ``study.consensus``."""


@dataclass(frozen=True)
class MadeOf:
    """One reading that a consensus was made of.

    Parameters
    ----------
    slot : str
        ``A`` to ``H``.
    step : int
        Number of its last step then.
    content : str
        Content id of its first layer's mask.
    whole : str
        Digest of its version as a whole.
    """

    slot: str
    step: int
    content: str
    whole: str

    def detail(self) -> dict[str, object]:
        """Return it as the log takes it."""
        return dict(vars(self))


def made_of(detail: Mapping[str, Any]) -> dict[str, MadeOf]:
    """Return the readings that a consensus was made of, by slot; empty for a line of before."""
    found = (
        MadeOf(str(one["slot"]), int(one["step"]), str(one["content"]), str(one["whole"]))
        for one in detail.get(FIELD, ())
    )
    return {one.slot: one for one in found}


def changed_since(
    told: Mapping[str, MadeOf], steps: Iterable[Step], counted: Iterable[str]
) -> tuple[str, ...]:
    """Return the readings of a case of which another version counts now.

    Parameters
    ----------
    told : mapping of str to MadeOf
        What the consensus was made of, by slot; not empty.
    steps : iterable of Step
        Of the case; who made them by code, or by one token of each account.
    counted : iterable of str
        Slots of the readings that count now.

    Returns
    -------
    tuple of str
        Slots: also those that were added, or are left out, since then.
    """
    known = tuple(steps)
    now = frozenset(counted)
    changed = set(now ^ set(told))
    for slot in now & set(told):
        own = [step for step in known if step.slot == slot]
        before = [step for step in own if step.number <= told[slot].step]
        if _is_other(told[slot], fold_slot(before), fold_slot(own)):
            changed.add(slot)
    return tuple(sorted(changed))


def _is_other(told: MadeOf, then: SlotState, now: SlotState) -> bool:
    if now.content != told.content:
        return True
    if then.state == "conflict":  # a rival came late: what it met then is not to be folded
        return False
    return (then.maker, then.version, then.sheets) != (now.maker, now.version, now.sheets)
