"""The open case: one scan, its labels and landmarks, their history, and what is saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from psygnal import Signal

from napari_medlabel.edit.history import History
from napari_medlabel.edit.patch import (
    Box,
    LabelArray,
    LandmarkChange,
    MeasurementChange,
    Origin,
    Patch,
    Step,
)
from napari_medlabel.edit.relabel import SchemeChange
from napari_medlabel.export.landmarks import to_markups
from napari_medlabel.model.labelmap import LabelMap, LabelScheme
from napari_medlabel.model.landmarks import LandmarkSet, Point
from napari_medlabel.model.measurements import MeasurementSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.session.bench import Bench
from napari_medlabel.session.boxing import Boxing
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.drafts import Drafts
from napari_medlabel.session.journaled import journal_document, journal_head
from napari_medlabel.session.keeper import Keeper
from napari_medlabel.session.logged import CaseEvents, scheme_changed
from napari_medlabel.session.marking import Marking
from napari_medlabel.session.measuring import measurements_in
from napari_medlabel.session.outbox import Outbox
from napari_medlabel.session.place import MASK_FILE, Place
from napari_medlabel.session.recovery import Recovery, set_aside
from napari_medlabel.session.scheming import Scheming
from napari_medlabel.session.trailing import Trailing
from napari_medlabel.session.unnamed import unnamed_in
from napari_medlabel.session.versions import Versions

__all__ = ["MASK_FILE", "WHOLE", "Place", "Session"]

WHOLE: Final = (slice(None), slice(None), slice(None))


class Session:
    """One scan being annotated. The window and the command line drive the same object.

    It owns the labels and the landmarks: every change is a step of its history, whoever made
    it. It keeps a second copy of the labels, the state it knows of, and compares: what was
    painted past it is found and becomes a step of its own.

    Parameters
    ----------
    volume : Volume
        The scan.
    labels : LabelMap
        Its labels; the array is painted in place and never exchanged.
    landmarks : LandmarkSet
        Its landmarks, placed or not.
    desk : Desk
        Log, tokens and folders.
    place : Place
        Where it is saved.
    saved_mask : str or None
        Content id of the mask on the disk, None when there is none yet.
    measurements : MeasurementSet or None
        Those on the disk.
    """

    step_done = Signal(object)
    """A step changed labels or landmarks: by undo, redo or a tool. Not for absorbed strokes."""
    history_changed = Signal()
    landmarks_changed = Signal(object)
    measurements_changed = Signal(object)
    scheme_changed = Signal(object)
    saved = Signal(object)

    def __init__(
        self,
        volume: Volume,
        labels: LabelMap,
        landmarks: LandmarkSet,
        desk: Desk,
        place: Place,
        *,
        saved_mask: str | None = None,
        measurements: MeasurementSet | None = None,
    ) -> None:
        volume.grid.require_same(labels.grid, what="mask")
        self.volume = volume
        self.labels = labels
        self.landmarks = landmarks
        self.measurements = self.saved_measurements = measurements or MeasurementSet()
        self.desk = desk
        self.place = place
        self.history = History()
        self.versions = Versions(desk.objects, place.folder / "versions", labels.grid)
        self.events = CaseEvents(place.case, place.subject)
        self.outbox = Outbox(desk.state / "unlogged", place.case, desk.log)
        self.bench = Bench(self)
        self.marking = Marking(self)
        self.boxing = Boxing(self)
        self.scheming = Scheming(self)
        self.drafts = Drafts()
        self.found = ""  # at the opening, in sentences for the person
        self.recoveries: tuple[Recovery, ...] = ()
        self.saved_mask = saved_mask
        self.saved_landmarks = landmarks
        self.unattributed: list[Patch] = []
        self.trail: Trailing | None = None  # in a study: where each voxel comes from
        self.known: LabelArray = labels.array.T.copy().T  # as the steps made them
        self._revision = self._saved_revision = 0
        self._closed = False
        self.keeper = Keeper(
            desk.journals,
            labels.array,
            head=lambda base: journal_head(self, base),
            landmarks=lambda: journal_document(self),
            now=desk.time,
        )
        self.drafts.changed.connect(self.keeper.touch)

    # -- state ---------------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether something that the program knows of is not saved."""
        return self._revision != self._saved_revision

    @property
    def revision(self) -> int:
        """Grows by one with every step."""
        return self._revision

    def start_journal(self) -> None:
        """Begin keeping unsaved work, from the state on the disk."""
        base = self.saved_mask or self.labels.content_id()
        saved = to_markups(self.saved_landmarks, self.saved_measurements)
        self.keeper.start(base, self.labels.array, saved)

    def begin_anew(self) -> None:
        """Take what stands as the beginning: no step to undo, and nothing that is unsaved."""
        self.history.clear()
        self._saved_revision = self._revision
        self.scheming.saved = self.labels.scheme
        marks = to_markups(self.landmarks, self.measurements)
        self.keeper.start(self.labels.content_id(), self.labels.array, marks)
        self.history_changed.emit()

    # -- labels --------------------------------------------------------------------------

    def edit(
        self, box: Box, after: LabelArray, *, name: str, origin: Origin = "human"
    ) -> Patch | None:
        """Put labels into a box as one step.

        Parameters
        ----------
        box : tuple of slice
            Where, in (i, j, k).
        after : ndarray, shape of the box
            The labels to stand there.
        name : str
            What the step is called on the undo button.
        origin : str
            Who made it.

        Returns
        -------
        Patch or None
            The step, None when nothing changed.
        """
        self.reconcile()
        i, j, k = (int(s.start or 0) for s in box)
        before = self.labels.array[box]
        after = np.asarray(after, dtype=before.dtype)
        patch = Patch.between(before, after, start=(i, j, k), name=name, origin=origin)
        if patch is not None:
            patch.apply(self.labels.array)
            self.add_step(patch)
            self.step_done.emit(patch)
        return patch

    def absorb(self, box: Box = WHOLE, *, name: str, origin: Origin = "human") -> Patch | None:
        """Make a step of what a tool has already painted into the labels.

        Parameters
        ----------
        box : tuple of slice
            Where it painted, in (i, j, k).
        name, origin
            As in `edit`.
        """
        self.bench.finish_stroke()
        before, after = self.known[box], self.labels.array[box]
        i, j, k = (s.indices(n)[0] for s, n in zip(box, self.known.shape, strict=True))
        patch = Patch.between(before, after, start=(i, j, k), name=name, origin=origin)
        if patch is not None:
            self.add_step(patch)
        return patch

    def take_back(self, box: Box) -> None:
        """Put what is known back into a box (i, j, k): what was painted there never was."""
        self.labels.array[box] = self.known[box]

    def obey(self, box: Box, values: Sequence[int]) -> bool:
        """Take back what was painted in a box against the rules; say whether that was any."""
        self.bench.finish_stroke()
        return self.bench.obey(box, self.known[box], values)

    def reconcile(self) -> Patch | None:
        """Find labels that changed without anybody saying so, and make a step of them."""
        patch = self.absorb(name="Change from outside", origin="unattributed")
        if patch is not None:
            self.unattributed.append(patch)
        return patch

    def add_step(self, step: Step) -> None:
        """Record a step that has been done, whoever did it."""
        if isinstance(step, Patch):
            self.history.follow(step, self.known)
            self._name_all(step)
        self.history.add(step)
        self.note_change(step)

    def _name_all(self, patch: Patch) -> None:
        """Name each value that a step has brought and the scheme does not know."""
        old = self.labels.scheme
        strange = unnamed_in(self.labels.array[patch.box], old)
        if strange:
            self.labels.scheme = old.with_unnamed(strange)
            self.outbox.tell(scheme_changed(old, self.labels.scheme))
            self.scheme_changed.emit(self.labels.scheme)

    def note_change(self, step: Step | None = None) -> None:
        """Note that something to be saved has changed, by a step or without one."""
        if self.trail is not None and step is not None:
            self.trail.follow(step)
        self._revision += 1
        self.keeper.touch()
        self.history_changed.emit()

    # -- landmarks -----------------------------------------------------------------------

    def set_landmarks(self, marks: LandmarkSet, *, name: str = "Move landmark") -> None:
        """Replace the landmarks as one step; see `Place.require_landmarks_here`."""
        if len(marks.placed) > len(self.landmarks.placed):
            self.place.require_landmarks_here()
        self._take_landmarks(marks, name)

    def _take_landmarks(self, marks: LandmarkSet, name: str) -> None:
        if marks != self.landmarks:
            before, self.landmarks = self.landmarks, marks
            self.add_step(LandmarkChange(before, marks, name))
            self.landmarks_changed.emit(marks)

    def place_landmark(self, name: str, point_ras: Point | None) -> None:
        """Place, move or unplace (None) one landmark; the point is in RAS mm."""
        verb = "Remove" if point_ras is None else "Place"
        self.set_landmarks(self.landmarks.with_point(name, point_ras), name=f"{verb} landmark")

    def set_measurements(self, measured: MeasurementSet, *, name: str = "Measure") -> None:
        """Replace the measurements as one step of the history."""
        if measured != self.measurements:
            change = MeasurementChange(self.measurements, measured, name)
            self.measurements = measured
            self.add_step(change)
            self.measurements_changed.emit(measured)

    # -- scheme --------------------------------------------------------------------------

    def set_scheme(self, scheme: LabelScheme, *, name: str = "Change labels") -> None:
        """Change what the values mean as one step; values in use keep a name.

        Raises
        ------
        InputError
            When its values do not fit the mask's type.
        """
        self.scheming.put(scheme, name=name)

    # -- undo, redo ----------------------------------------------------------------------

    def undo(self) -> Step | None:
        """Take the last step back; return the change that was made, None when there is none."""
        return self._walk(self._settle(-1), self.history.back())

    def redo(self) -> Step | None:
        """Do the last undone step again; return it, None when there is none."""
        return self._walk(self._settle(1), self.history.forward())

    def _settle(self, direction: int) -> bool:
        """Make steps of unannounced changes where the next change will lie; False if it may."""
        self.bench.finish_stroke()
        step = self.history.peek(direction)
        if not isinstance(step, Patch):
            return False
        if (step.inverse() if direction < 0 else step).starts_from(self.labels.array):
            return True
        self.reconcile()
        return False

    def _walk(self, is_settled: bool, change: Step | None) -> Step | None:
        if change is None:
            return None
        if isinstance(change, Patch):
            self.history.apply(change, self.labels.array, self.known, starts=is_settled)
        elif isinstance(change, LandmarkChange):
            self.landmarks = change.after
        elif isinstance(change, MeasurementChange):
            self.measurements = change.after
        elif isinstance(change, SchemeChange):
            self.scheming.follow(change)
        else:
            self.boxing.follow(change)
        self.note_change(change)
        self.step_done.emit(change)
        if isinstance(change, Patch):
            self._name_all(change)  # who took a name away has put it back by now
        elif isinstance(change, LandmarkChange):
            self.landmarks_changed.emit(self.landmarks)
        elif isinstance(change, MeasurementChange):
            self.measurements_changed.emit(self.measurements)
        return change

    # -- recovery ------------------------------------------------------------------------

    def recover(self, recovery: Recovery, marks: LandmarkSet | None) -> Patch | None:
        """Take work of an earlier run back as one step, which can be undone.

        Parameters
        ----------
        recovery : Recovery
            One of `recoveries`.
        marks : LandmarkSet or None
            Its landmarks, None when they had not changed.
        """
        if self.trail is not None:
            self.trail.expect(recovery)
        if recovery.scheme is not None:
            self.scheming.recover(recovery.scheme)
        self.drafts.load(recovery.drafts or ())
        patch = self.edit(WHOLE, recovery.array, name="Recover unsaved work", origin="restored")
        if marks is not None:
            self._take_landmarks(marks, "Recover landmarks")
        if recovery.landmarks is not None:
            self.set_measurements(
                measurements_in(recovery.landmarks), name="Recover measurements"
            )
        self.outbox.tell(self.events.recovered("accepted", recovery.base_matches, patch))
        # Only when the new journal has it on the disk may the old one go.
        self.keeper.sweep()
        if self.keeper.problem is None:
            recovery.path.unlink(missing_ok=True)
        self._forget(recovery)
        return patch

    def decline(self, recovery: Recovery) -> None:
        """Do not take work of an earlier run back; its journal is set aside, not removed."""
        self.outbox.tell(self.events.recovered("discarded", recovery.base_matches, None))
        set_aside(recovery.path)
        self._forget(recovery)

    def _forget(self, recovery: Recovery) -> None:
        self.recoveries = tuple(r for r in self.recoveries if r is not recovery)

    # -- saving and closing --------------------------------------------------------------

    def mark_saved(self, report: Any, state: LabelArray, revision: int) -> None:
        """Note that a snapshot is on the disk; the journal begins anew from it."""
        self.saved_mask = report.mask.content_id
        self.saved_landmarks = report.landmarks
        self.saved_measurements = report.measurements
        self._saved_revision = revision
        saved = to_markups(report.landmarks, report.measurements)
        self.keeper.start(report.mask.content_id, state, saved, report.origins)
        self.saved.emit(report)
        self.history_changed.emit()

    def close(self, *, discard: bool = False) -> None:
        """Stop the journal, once. Unsaved work stays in it and is offered at the next start.

        Parameters
        ----------
        discard : bool
            True when the person said that unsaved work may go.
        """
        if self._closed:
            return
        self._closed = True
        self.bench.finish_stroke()
        dirty = self.is_dirty or self.reconcile() is not None or len(self.drafts) > 0
        if dirty and not discard:
            self.keeper.sweep()
        self.keeper.close(discard=discard or not dirty)
        self.outbox.close()
