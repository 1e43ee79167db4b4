"""Saving a case: a snapshot is taken at once, written in peace, and logged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_medlabel.audit.format.event import Event
from napari_medlabel.edit.patch import LabelArray, Patch
from napari_medlabel.errors import InputError, LogError, SaveError
from napari_medlabel.export.landmarks import encode_landmarks, stage_landmarks
from napari_medlabel.export.mask import (
    SavedMask,
    require_not_source,
    sidecar_path,
    stage_mask,
)
from napari_medlabel.io.files import Staging, sha256_file
from napari_medlabel.io.registry import read_mask
from napari_medlabel.measure.labels import LabelChange, label_change
from napari_medlabel.model.labelmap import LabelMap, content_id
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.measurements import MeasurementSet
from napari_medlabel.project.reading.provenance import Bookmark
from napari_medlabel.session.case import Session
from napari_medlabel.session.keeper import plane_sums
from napari_medlabel.session.logged import patch_detail
from napari_medlabel.session.measuring import stage_measurements, table_beside
from napari_medlabel.session.trailing import ORIGINS_FILE, encode_origins
from napari_medlabel.session.versions import as_named


class Moment:
    """What is to be saved, noted where the session lives; the labels are copied elsewhere.

    Parameters
    ----------
    session : Session
        Whose state. Labels that nobody announced are made a step of.
    """

    def __init__(self, session: Session) -> None:
        session.reconcile()
        self._history = session.history
        self._known = session.known
        self._grid, self._scheme = session.labels.grid, session.labels.scheme
        self._rest = (
            session.landmarks,
            session.measurements,
            session.revision,
            tuple(session.unattributed),
            None if session.trail is None else session.trail.bookmark(),
        )
        self._changes = self._history.begin_copy()

    def copy(self) -> Snapshot:
        """Copy the labels as they were then; once, from any thread: the painting may go on."""
        try:
            array = self._known.T.copy().T
        finally:
            self._history.end_copy(self._changes)
        for change in reversed(self._changes):
            change.inverse().follow(array)
        return Snapshot(LabelMap(self._grid, array, self._scheme), *self._rest)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state of a case at one moment, safe from further painting.

    Parameters
    ----------
    labels : LabelMap
        A copy.
    landmarks : LandmarkSet
        As they were.
    measurements : MeasurementSet
        As they were.
    revision : int
        The session's revision at that moment.
    unattributed : tuple of Patch
        Changes nobody announced since the last save.
    origins : Bookmark or None
        Where to read the provenance map of that moment; None where none is followed.
    """

    labels: LabelMap
    landmarks: LandmarkSet
    measurements: MeasurementSet
    revision: int
    unattributed: tuple[Patch, ...]
    origins: Bookmark | None = None


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
        Every file written, for the person to read; none where nothing was to be saved.
    voxels_added, voxels_removed : int
        Against the version before.
    unlogged : LogError or None
        Why the log has no line of it; the files are safe all the same.
    replaced : str or None
        Content id of the mask that another program had saved since this one was opened. It
        is among the kept versions.
    origins : mapping of int to int, or None
        Checksums of the slices of the provenance map that was saved, for the keeper of unsaved
        work; None where none is followed.
    """

    mask: SavedMask
    landmarks: LandmarkSet
    measurements: MeasurementSet
    files: tuple[Path, ...]
    voxels_added: int
    voxels_removed: int
    unlogged: LogError | None
    replaced: str | None
    origins: Mapping[int, int] | None = None


def take_snapshot(session: Session) -> Snapshot:
    """Copy what is to be saved; the painting may go on at once."""
    return Moment(session).copy()


Written = tuple[Snapshot, SaveReport]
"""What was saved, and what came of it."""


def write_moment(session: Session, moment: Moment) -> Written:
    """Copy the labels of a moment, and write and log it as `write_snapshot` does."""
    snapshot = moment.copy()
    return snapshot, write_snapshot(session, snapshot)


def write_snapshot(session: Session, snapshot: Snapshot) -> SaveReport:
    """Write a snapshot and log it. Touches no layer and may run in another thread.

    The order is: the version on the disk is kept, the outbox is told what will happen, all new
    files take their names together, the log gets its lines. A log that fails does not undo a
    save: what it should say waits in the outbox, also after a crash. What lies on the disk as
    it was saved before is not written again, and the log says nothing of it.

    Raises
    ------
    SaveError
        When a file cannot be written or does not read back the same, or the study that it
        belongs to has gone; what was on the disk is untouched.
    """
    session.place.make()
    session.versions.bring_home()
    old_id, old_array = present_mask(session)
    saved = _saved_before(session, snapshot, old_id)
    change = LabelChange(0, 0, 0, (), ())
    events = _unattributed(session, snapshot)
    files: list[Path] = []
    with Staging() as staging:
        if saved is None:
            if old_id is not None:
                session.versions.keep(old_id, session.place.mask)
            # Zeros that nobody writes to cost no memory.
            before = np.zeros(snapshot.labels.array.shape[::-1], np.uint8).T
            change = label_change(
                before if old_array is None else old_array, snapshot.labels.array
            )
            saved = _stage_mask(session, staging, snapshot)
            files += [saved.path, sidecar_path(saved.path)]
            events.append(session.events.saved(old_id, saved.content_id, change, saved.sha256))
        told = _stage_landmarks(session, staging, snapshot)
        if told is not None:
            files += [session.place.landmarks, _table(session)]
            events.append(told)
        measured = stage_measurements(session, staging, snapshot.measurements)
        if measured is not None:
            files += [session.place.measurements, table_beside(session.place.measurements)]
            events.append(measured)
        origins = _stage_origins(session, staging, snapshot, saved.content_id)
        require_not_source(files, session.volume.source)
        unlogged = _publish(session, staging, events, (old_id, saved.content_id))
    if files:
        # It is on the disk; where no copy can be made now, one is before it is replaced.
        with suppress(SaveError):
            session.versions.keep(saved.content_id, saved.path)
    return SaveReport(
        saved,
        snapshot.landmarks,
        snapshot.measurements,
        tuple(files),
        change.added,
        change.removed,
        unlogged,
        old_id if old_id != session.saved_mask else None,
        origins,
    )


def _publish(
    session: Session,
    staging: Staging,
    events: list[Event],
    names: tuple[str | None, str],
) -> LogError | None:
    """Let the files take their names and tell the log; return why it could not be told."""
    if not events and not session.outbox.unlogged:
        staging.publish()  # nothing, or a map of origins alone, of which the log has the sums
        return None
    old, new = names
    # From here on the log will hear of it, whatever happens.
    parcel = session.outbox.announce(events, old=old, new=new)
    try:
        staging.publish()
    except SaveError:
        parcel.release()
        raise
    # Work on the disk is never given up because the log fails; the person is told.
    return session.outbox.deliver(parcel)


def _stage_mask(session: Session, staging: Staging, snapshot: Snapshot) -> SavedMask:
    return stage_mask(
        staging,
        session.place.mask,
        snapshot.labels,
        session.volume.source,
        time=session.desk.time(),
        slices=session.volume.slices,
    )


def _stage_origins(
    session: Session, staging: Staging, snapshot: Snapshot, content: str
) -> Mapping[int, int] | None:
    """Write the provenance map aside where one is followed, and return its checksums."""
    if session.trail is None or snapshot.origins is None:
        return None
    origins = session.trail.trail.read(snapshot.origins)
    data, path = encode_origins(origins, content), session.place.folder / ORIGINS_FILE
    if not path.is_file() or path.read_bytes() != data:
        staging.add_bytes(path, data)
    return plane_sums(origins)


def _saved_before(
    session: Session, snapshot: Snapshot, present: str | None
) -> SavedMask | None:
    """Return the mask on the disk where it and its sidecar are what would be written."""
    mask, beside = session.place.mask, sidecar_path(session.place.mask)
    if present is None or present != session.saved_mask or not beside.is_file():
        return None
    if snapshot.labels.content_id() != present:
        return None
    try:
        document: Any = json.loads(beside.read_bytes())
        said, digest = document["mask"], sha256_file(mask)
        is_same = (said["content_id"], said["sha256"]) == (present, digest)
        is_same = is_same and document["scheme"] == snapshot.labels.scheme.to_json()
    except (ValueError, KeyError, TypeError):
        return None  # a damaged sidecar is written anew
    return SavedMask(mask, present, digest) if is_same else None


def _table(session: Session) -> Path:
    return session.place.landmarks.with_name("landmarks.csv")


def _stage_landmarks(session: Session, staging: Staging, snapshot: Snapshot) -> Event | None:
    """Write landmarks aside where some are placed or changed, and return what the log is told.

    Nothing is written where the files are what would be written.
    """
    place, marks, table = session.place.landmarks, snapshot.landmarks, _table(session)
    old = sha256_file(place) if place.is_file() else None
    if old is None and not marks.placed and marks == session.saved_landmarks:
        return None
    if all(
        path.is_file() and path.read_bytes() == encode_landmarks(path, marks)
        for path in (place, table)
    ):
        return None
    new = stage_landmarks(staging, place, marks)
    stage_landmarks(staging, table, marks)
    return session.events.landmarks_saved(
        old, new, placed=len(marks.placed), expected=len(marks)
    )


def finish_save(session: Session, snapshot: Snapshot, report: SaveReport) -> None:
    """Tell the session that a snapshot is on the disk; call where the session lives."""
    done = set(map(id, snapshot.unattributed))
    session.unattributed = [p for p in session.unattributed if id(p) not in done]
    session.scheming.saved = snapshot.labels.scheme
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


def present_mask(session: Session) -> tuple[str | None, LabelArray | None]:
    """Return content id and labels of the mask on the disk, even if another program wrote it.

    The labels are None where it cannot be read; both are None where there is none.
    """
    if not session.place.mask.is_file():
        return None, None
    grid = session.labels.grid
    try:
        array = read_mask(session.place.mask, grid)
    except InputError:
        # Damaged or of another grid: its bytes are kept under their own hash all the same.
        return f"sha256:{sha256_file(session.place.mask)}", None
    if session.saved_mask is not None and as_named(array, grid, session.saved_mask) is not None:
        return session.saved_mask, array
    return content_id(grid, array), array


def _unattributed(session: Session, snapshot: Snapshot) -> list[Event]:
    return [
        session.events.unattributed(patch_detail(patch), "save")
        for patch in snapshot.unattributed
    ]
