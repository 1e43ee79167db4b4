"""Steps of a review that are no signature: a mask is sent back, an approved one unlocked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from napari_medlabel.errors import RefusedError
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.logged import CaseEvents
from napari_medlabel.session.outbox import tell
from napari_medlabel.session.reasons import give_reason
from napari_medlabel.session.records_of import records_of
from napari_medlabel.session.signing import is_own, look_at_saved

Step = Literal["review.reject", "review.unlock"]
_DECIDED: Final = ("review.approve", "review.reject", "review.unlock")


def is_approved(root: Path, case: str) -> bool:
    """Return whether the last decision on a case was its approval.

    Parameters
    ----------
    root : Path
        Folder of the log.
    case : str
        Content id of the scan.
    """
    found = [
        (record["time"], record["event"])
        for record in records_of(root, case)
        if record["event"] in _DECIDED and record["detail"].get("case") == case
    ]
    return bool(found) and max(found)[1] == "review.approve"


def decide(
    desk: Desk,
    mask: Path,
    step: Step,
    *,
    reason: str,
    text: str = "",
    values: Sequence[str] = (),
) -> str:
    """Send a saved mask back, or unlock an approved one, and return its content id.

    Parameters
    ----------
    desk : Desk
        Log and folders.
    mask : Path
        The mask's file.
    step : str
        ``review.reject`` or ``review.unlock``.
    reason : str
        A code.
    text : str
        With OTHER: why, for the officer alone.
    values : sequence of str
        What the text must not hold, see `reasons.identifying_values`.

    Raises
    ------
    InputError
        When the mask is not a saved one, the log does not know it, or the reason is no code.
    RefusedError
        When its author would send it back, nobody approved what is to be unlocked, or the
        text says who the patient is.
    LogError
        When the log cannot be written.
    """
    found = look_at_saved(desk.audit_root, mask)
    if step == "review.reject" and is_own(desk, found):
        raise RefusedError(
            "You are the author of this mask, and a review needs somebody else.",
            hint="Change it and save it again: that needs no review.",
        )
    if step == "review.unlock" and not is_approved(desk.audit_root, found.case):
        raise RefusedError(
            "An approved mask was expected, and the log has no approval that stands.",
            hint="Change it and save it: only approved masks are unlocked.",
        )
    given = give_reason(desk, reason, text, values)
    tell(desk.log, CaseEvents(found.case, found.subject).review(step, found.content, given))
    return found.content
