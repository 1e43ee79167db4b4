"""Versions of the open case: listed from the log, and put back as a step that can be undone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from napari_medlabel.edit.patch import LabelArray, Patch
from napari_medlabel.errors import InputError
from napari_medlabel.measure.labels import label_change
from napari_medlabel.session.case import WHOLE, Session
from napari_medlabel.session.mask_log import Version, mask_events, versions_of
from napari_medlabel.session.reasons import (
    check_reason,
    give_reason,
    identifying_values,
)
from napari_medlabel.session.saving import present_mask


def versions_in(session: Session, users: Collection[str] | None = None) -> tuple[Version, ...]:
    """Return the versions of the open case's mask, oldest first, and log that somebody looked.

    Parameters
    ----------
    users : collection of str, optional
        Tokens of whose versions alone are shown: several people may read one scan blind.

    Raises
    ------
    LogError
        When the log cannot be read, or written: then nothing is shown.
    """
    from napari_medlabel.session.study.blind import own_events, since_begun

    desk = session.desk
    events = mask_events(desk.audit_root, desk.state)
    own = own_events(desk.state, desk.audit_root, events)  # in a study one's own
    events = iter(since_begun(session.place, desk.audit_root, own))
    if users is not None:
        events = (one for one in events if one.get("actor", {}).get("user") in users)
    found = versions_of(
        events,
        case=session.place.case,
        present=session.saved_mask,
        state=session.versions.state,
    )
    _log_view(session, found)
    return found


def _log_view(session: Session, found: Sequence[Version]) -> None:
    session.desk.log.append(
        "audit.view",
        subject=(session.place.subject,),
        detail={"view": "history", "events": sum(bool(one.event) for one in found)},
    )


def labels_of_version(session: Session, version: Version) -> LabelArray:
    """Return the labels of a version, shape (i, j, k).

    Raises
    ------
    InputError
        When it is not kept, or damaged.
    """
    array = session.versions.read(version.id)
    if array is None and version.is_current:
        array = session.versions.read_file(session.place.mask, version.id)
    if array is None:
        raise InputError(
            f"Version {version.number} is not kept, or damaged: it cannot be shown.",
            hint="Choose another version, or put the file back from a backup of the log.",
        )
    return array


def restore_step(
    session: Session, version: Version, *, reason: str, text: str = ""
) -> Patch | None:
    """Put a version into the labels as one step; saving then makes it the mask on the disk.

    Parameters
    ----------
    session : Session
        The open case.
    version : Version
        Of its mask.
    reason : str
        A code of the closed list.
    text : str
        With OTHER: why, for the officer alone.

    Returns
    -------
    Patch or None
        The step; None when the labels are that already, and nothing is logged.

    Raises
    ------
    InputError
        When the reason is no code, the version cannot be read, or does not fit.
    RefusedError
        When the text says who the patient is, or nobody could read it.
    SaveError
        When the mask on the disk, or the text, can be kept nowhere.
    """
    values = identifying_values(session.volume.source) if text else ()
    check_reason(session.desk, reason, text, values)
    array = labels_of_version(session, version)
    dtype = session.labels.array.dtype
    if int(array.max(initial=0)) > np.iinfo(dtype).max:
        raise InputError(
            "This version has values above 255 and the open mask holds up to 255.",
            hint="Open the scan with a scheme that has a value above 255.",
        )
    session.reconcile()
    change = label_change(session.labels.array, array)
    old, _ = present_mask(session)
    if old is not None:
        # The log will name it as replaced: then it is kept.
        session.versions.keep(old, session.place.mask)
    if not (change.added or change.removed or change.changed):
        return None
    given = give_reason(session.desk, reason, text, values)
    name = f"Restore version {version.number}"
    patch = session.edit(WHOLE, array, name=name, origin="restored")
    if patch is not None:
        session.outbox.tell(
            session.events.restored(
                old, version.id, number=version.number, reason=given, change=change
            )
        )
    return patch
