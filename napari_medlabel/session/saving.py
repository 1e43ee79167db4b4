"""Saving a case: a snapshot is taken at once, written in peace, and logged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_medlabel.audit.format.event import ObjectRef
from napari_medlabel.edit.patch import LabelArray, Patch
from napari_medlabel.errors import InputError, LogError
from napari_medlabel.export.landmarks import stage_landmarks
from napari_medlabel.export.mask import (
    SavedMask,
    require_not_source,
    sidecar_path,
    stage_mask,
)
from napari_medlabel.io.files import Staging, make_folder, sha256_file
from napari_medlabel.io.registry import read_mask
from napari_medlabel.measure import LabelChange, label_change
from napari_medlabel.model.labelmap import LabelMap, content_id
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.session.case import Session
from napari_medlabel.session.logged import change_detail


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state of a case at one moment, safe from further painting.

    Parameters
    ----------
    labels : LabelMap
        A copy.
    landmarks : LandmarkSet
        As they were.
    revision : int
        The session's revision at that moment.
    unattributed : tuple of Patch
        Changes nobody announced since the last save.
    """

    labels: LabelMap
    landmarks: LandmarkSet
    revision: int
    unattributed: tuple[Patch, ...]


@dataclass(frozen=True)
class SaveReport:
    """What a save wrote.

    Parameters
    ----------
    mask : SavedMask
        The mask file.
    landmarks : LandmarkSet
        The landmarks written.
    files : tuple of Path
        Every file written, for the person to read.
    voxels_added, voxels_removed : int
        Against the version before.
    unlogged : LogError or None
        Why the log has no line of it; the files are safe all the same.
    replaced : str or None
        Content id of the mask that another program had saved since this one was opened. It
        is among the kept versions.
    """

    mask: SavedMask
    landmarks: LandmarkSet
    files: tuple[Path, ...]
    voxels_added: int
    voxels_removed: int
    unlogged: LogError | None
    replaced: str | None


def take_snapshot(session: Session) -> Snapshot:
    """Copy what is to be saved; the painting may go on at once."""
    session.reconcile()
    labels = session.labels
    copy = LabelMap(labels.grid, labels.array.T.copy().T, labels.scheme)
    return Snapshot(copy, session.landmarks, session.revision, tuple(session.unattributed))


def write_snapshot(session: Session, snapshot: Snapshot) -> SaveReport:
    """Write a snapshot and log it. Touches no layer and may run in another thread.

    The order is: the version on the disk is kept, all new files take their names together, the
    log gets its line. A log that fails does not undo a save.

    Raises
    ------
    SaveError
        When a file cannot be written or does not read back the same; what was on the disk
        is untouched.
    """
    place = session.place
    make_folder(place.folder)
    old_id, old_array = _present_mask(session)
    if old_id is not None:
        session.versions.keep(old_id, place.mask)
    old_marks = sha256_file(place.landmarks) if place.landmarks.is_file() else None
    source, time, slices = session.volume.source, session.desk.time(), session.volume.slices
    with Staging() as staging:
        saved = stage_mask(
            staging, place.mask, snapshot.labels, source, time=time, slices=slices
        )
        files = [saved.path, sidecar_path(saved.path)]
        if len(snapshot.landmarks) or old_marks:
            for path in (place.landmarks, place.landmarks.with_name("landmarks.csv")):
                stage_landmarks(staging, path, snapshot.landmarks)
                files.append(path)
        require_not_source(files, source)
        staging.publish()
    # Zeros that nobody writes to cost no memory.
    before = np.zeros(snapshot.labels.array.shape[::-1], np.uint8).T
    change = label_change(before if old_array is None else old_array, snapshot.labels.array)
    unlogged = None
    try:
        _log(session, snapshot, saved, old_id, change, old_marks)
    except LogError as err:
        # Work on the disk is never given up because the log fails; the person is told.
        unlogged = err
    return SaveReport(
        saved,
        snapshot.landmarks,
        tuple(files),
        change.added,
        change.removed,
        unlogged,
        old_id if old_id != session.saved_mask else None,
    )


def finish_save(session: Session, snapshot: Snapshot, report: SaveReport) -> None:
    """Tell the session that a snapshot is on the disk; call where the session lives."""
    done = set(map(id, snapshot.unattributed))
    session.unattributed = [p for p in session.unattributed if id(p) not in done]
    session.mark_saved(report, snapshot.labels.array, snapshot.revision)


def save(session: Session) -> SaveReport:
    """Save a case in one go: snapshot, files, log.

    Raises
    ------
    SaveError
        As `write_snapshot`.
    """
    snapshot = take_snapshot(session)
    report = write_snapshot(session, snapshot)
    finish_save(session, snapshot, report)
    return report


def _present_mask(session: Session) -> tuple[str | None, LabelArray | None]:
    """Return what the file to be replaced says, even if another program wrote it."""
    if not session.place.mask.is_file():
        return None, None
    try:
        array = read_mask(session.place.mask, session.labels.grid)
    except InputError:
        # Damaged or of another grid: its bytes are kept under their own hash all the same.
        return f"sha256:{sha256_file(session.place.mask)}", None
    return content_id(session.labels.grid, array), array


def _log(
    session: Session,
    snapshot: Snapshot,
    saved: SavedMask,
    old_id: str | None,
    change: LabelChange,
    old_marks: str | None,
) -> None:
    log, subject = session.desk.log, (session.place.subject,)
    for patch in snapshot.unattributed:
        log.append(
            "edit.unattributed",
            subject=subject,
            detail={
                **change_detail(label_change(patch.before, patch.after), patch.start[2]),
                "found_at": "save",
            },
        )
    objects = [ObjectRef(saved.content_id, "new", "mask")]
    if old_id is not None:
        objects.insert(0, ObjectRef(old_id, "old", "mask"))
    log.append(
        "mask.save",
        subject=subject,
        objects=objects,
        detail={
            **change_detail(change),
            "source_bound": True,
            "file": f"sha256:{saved.sha256}",
        },
    )
    _log_landmarks(session, snapshot, old_marks)


def _log_landmarks(session: Session, snapshot: Snapshot, old_marks: str | None) -> None:
    if not session.place.landmarks.is_file():
        return
    new_marks = sha256_file(session.place.landmarks)
    if new_marks == old_marks:
        return
    objects = [ObjectRef(f"sha256:{new_marks}", "new", "landmarks")]
    if old_marks is not None:
        objects.insert(0, ObjectRef(f"sha256:{old_marks}", "old", "landmarks"))
    session.desk.log.append(
        "landmark.save",
        subject=(session.place.subject,),
        objects=objects,
        detail={
            "count": len(snapshot.landmarks.placed),
            "expected": len(snapshot.landmarks),
            "source_bound": True,
        },
    )
