"""Looking back: what happened to a mask that the log has not heard of."""

from __future__ import annotations

import json
from typing import Any, cast

import numpy as np

from napari_medlabel.audit.format.schema import DIGEST
from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.export.mask import SIDECAR, sidecar_path
from napari_medlabel.measure.labels import label_change
from napari_medlabel.session.case import Session
from napari_medlabel.session.logged import change_detail
from napari_medlabel.session.outbox import tell
from napari_medlabel.session.versions import as_named


def look_back(session: Session) -> str:
    """Tell the log of saves it did not hear of, and of changes by other programs.

    Parameters
    ----------
    session : Session
        Just opened; its opening is in the log.

    Returns
    -------
    str
        What was found, in sentences; empty for nothing.

    Raises
    ------
    LogError
        When the log cannot be told: then the case is not opened.
    """
    if session.saved_mask is None and session.place.mask.is_file():
        return ""  # work began with another mask: that of the case is looked at another time
    session.versions.bring_home()
    said = []
    settled = session.outbox.settle(
        session.saved_mask, lambda name: session.versions.state(name) == "kept"
    )
    if settled.words():
        said.append(settled.words())
    if not settled.logged and _log_outside_change(session):
        said.append(
            "Another program changed this mask after it was saved here. The log now says so."
        )
    return " ".join(said)


def _log_outside_change(session: Session) -> bool:
    """Compare the mask with what its sidecar says it was when it was saved."""
    last = _last_saved(session)
    if last is None or session.saved_mask is None:
        return False
    if last == session.saved_mask:
        return False
    array = session.labels.array
    if as_named(array, session.labels.grid, last) is not None:
        return False
    before = session.versions.read(last)
    if before is None:
        before = cast("LabelArray", np.zeros(array.shape[::-1], np.uint8).T)
    event = session.events.unattributed(
        change_detail(label_change(before, array)),
        "recover",
        old=last,
        new=session.saved_mask,
    )
    tell(session.desk.log, event)
    return True


def _last_saved(session: Session) -> str | None:
    """Return the content id in the mask's sidecar, None where there is none of ours."""
    path = sidecar_path(session.place.mask)
    if not path.is_file():
        return None
    try:
        document: Any = json.loads(path.read_bytes())
        if document["format"] != SIDECAR:
            return None
        name = document["mask"]["content_id"]
        return str(name) if DIGEST.accepts(name) else None
    except (ValueError, KeyError, TypeError):
        return None  # loading the mask has refused a damaged sidecar
