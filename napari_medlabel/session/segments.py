"""The segments of an open case: what is locked, hidden and done, and how large each is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from napari_medlabel.edit.patch import Box, Patch, Step
from napari_medlabel.edit.scene import around
from napari_medlabel.errors import InputError
from napari_medlabel.measure.boxes import boxes_of
from napari_medlabel.model.labelmap import Code, Label, LabelScheme
from napari_medlabel.session.case import Session
from napari_medlabel.session.segment_states import (
    SEGMENTS_FILE,
    Progress,
    Segment,
    SegmentState,
    StateFile,
)
from napari_medlabel.session.slice_counts import count_slices

REMOVE = "Remove segment"
"""What the step is called that takes a segment's voxels away."""


class Segments:
    """Keeps count and state of a case's segments. Rules go to the bench, names to the scheme.

    Counts follow the painting slice by slice: an edit costs the slices of its box.

    Parameters
    ----------
    session : Session
        The open case.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self._session = session
        self._file = StateFile(session.place.folder / SEGMENTS_FILE, session.place.case)
        self._states = self._file.read(session.labels.scheme)
        self._dirty = False
        self._removed: dict[int, tuple[int, Label]] = {}
        self._counts: npt.NDArray[np.int64] = np.zeros((0, 1), dtype=np.int64)
        self._tops: tuple[Step | None, Step | None] = self._look()
        self.recount()
        session.history_changed.connect(self._on_history)
        session.step_done.connect(self._on_step)
        session.scheme_changed.connect(self._on_scheme)
        session.bench.masking_changed.connect(self._on_rules)
        self._keep_rules()

    def detach(self) -> None:
        """Let go of the session."""
        session = self._session
        session.history_changed.disconnect(self._on_history)
        session.step_done.disconnect(self._on_step)
        session.scheme_changed.disconnect(self._on_scheme)
        session.bench.masking_changed.disconnect(self._on_rules)

    # -- what there is -------------------------------------------------------------------

    @property
    def rows(self) -> tuple[Segment, ...]:
        """All segments, in the scheme's order."""
        session = self._session
        rules = session.bench.masking
        has_ml = session.volume.slices == "places"
        rows = []
        for label in session.labels.scheme.labels:
            by_slice = self._by_slice(label.value)
            voxels = int(by_slice.sum())
            state = self.state(label.value)
            rows.append(
                Segment(
                    label,
                    voxels,
                    voxels * session.labels.grid.affine.voxel_ml if has_ml else None,
                    int(np.count_nonzero(by_slice)),
                    len(state.done),
                    state.seen_progress(voxels),
                    label.value not in rules.hidden,
                    label.value in rules.locked,
                )
            )
        return tuple(rows)

    def state(self, value: int) -> SegmentState:
        """Return what a person said of a segment."""
        return self._states.get(value, SegmentState())

    def voxels(self, value: int) -> int:
        """Return how many voxels a segment has."""
        return int(self._by_slice(value).sum())

    def slices_of(self, value: int) -> tuple[int, ...]:
        """Return the slices k on which a segment has voxels, ascending."""
        return tuple(int(k) for k in np.flatnonzero(self._by_slice(value)))

    def centre_ras(self, value: int) -> tuple[float, float, float]:
        """Return a point of a segment to go to, RAS mm: its voxel nearest the middle of all.

        Raises
        ------
        InputError
            When it has no voxel.
        """
        labels = self._session.labels
        filled = self.slices_of(value)
        if not filled:
            raise InputError(
                "This segment has no voxel, so there is no centre to go to.",
                hint="Segment it first, or choose another one.",
            )
        part = labels.array[:, :, filled[0] : filled[-1] + 1] == value
        box = around(part)
        if box is None:
            raise InputError("This segment has no voxel.", hint="Segment it first.")
        at = np.argwhere(part[box])
        nearest = at[np.square(at - at.mean(axis=0)).sum(axis=1).argmin()]
        index = nearest + [part.start for part in box] + np.array((0, 0, filled[0]))
        x, y, z = (float(v) for v in labels.grid.affine.apply(index.astype(np.float64)))
        return x, y, z

    def _by_slice(self, value: int) -> npt.NDArray[np.int64]:
        if value >= self._counts.shape[1]:
            return np.zeros(len(self._counts), dtype=np.int64)
        return self._counts[:, value]

    # -- counting ------------------------------------------------------------------------

    def recount(self) -> None:
        """Count everything anew."""
        array = self._session.labels.array
        self._counts = np.zeros((array.shape[2], 1), dtype=np.int64)
        self._count(slice(0, array.shape[2]))

    def _count(self, slices: slice) -> None:
        self._counts = count_slices(self._session.labels.array, slices, self._counts)

    def _look(self) -> tuple[Step | None, Step | None]:
        history = self._session.history
        return history.peek(-1), history.peek(1)

    def _on_history(self) -> None:
        """Count the slices of what has just been done, undone or done again."""
        (past, _), self._tops = self._tops, self._look()
        now_past, now_future = self._tops
        if now_past is not past:
            # Undone: what was the last step is the next to do again.
            step = past if past is not None and past is now_future else now_past
            if isinstance(step, Patch):
                self._count(step.box[2])
        self.changed.emit()

    # -- states --------------------------------------------------------------------------

    def set_progress(self, value: int, progress: Progress) -> None:
        """Say how far a segment is."""
        self._set(value, progress=progress)

    def set_locked(self, value: int, locked: bool) -> None:
        """Keep edits from a segment, or let them at it again."""
        self._set(value, locked=locked)
        self._keep_rules()

    def set_done(self, value: int, k: int, done: bool) -> None:
        """Say that a slice (voxel index k) of a segment is done, or not after all.

        Raises
        ------
        InputError
            When there is no such slice.
        """
        if not 0 <= k < self._session.labels.grid.shape[2]:
            raise InputError(f"There is no slice {k}.", hint="Choose a slice of the scan.")
        known = self.state(value).done
        self._set(value, done=known | {k} if done else known - {k})

    def set_visible(self, value: int, visible: bool) -> None:
        """Show a segment in every view, or hide it."""
        _ = self._session.labels.scheme[value]
        rules = self._session.bench.masking
        hidden = rules.hidden - {value} if visible else rules.hidden | {value}
        self._session.bench.masking = replace(rules, hidden=hidden)

    def solo(self, value: int) -> None:
        """Show one segment alone; once more, show all."""
        _ = self._session.labels.scheme[value]
        rules = self._session.bench.masking
        others = frozenset(self._session.labels.scheme.values) - {value}
        hidden = frozenset[int]() if rules.hidden == others else others
        self._session.bench.masking = replace(rules, hidden=hidden)

    def _set(self, value: int, **what: Any) -> None:
        _ = self._session.labels.scheme[value]
        state = replace(self.state(value), **what)
        if state != self.state(value):
            self._states[value] = state
            self._dirty = True
            self.changed.emit()

    def _keep_rules(self) -> None:
        """Let the bench protect what is locked here."""
        bench = self._session.bench
        values = self._session.labels.scheme.values
        locked = frozenset(v for v in values if self.state(v).locked)
        bench.masking = replace(bench.masking, locked=locked)

    def _on_rules(self, rules: Any) -> None:
        """Keep what somebody else locked."""
        for value in self._session.labels.scheme.values:
            locked = value in rules.locked
            if self.state(value).locked != locked:
                self._states[value] = replace(self.state(value), locked=locked)
                self._dirty = True
        self.changed.emit()

    # -- names ---------------------------------------------------------------------------

    def change(self, label: Label) -> None:
        """Give a segment another name, colour or code.

        Raises
        ------
        InputError
            When there is no such segment, or another one has the name.
        """
        scheme = self._session.labels.scheme
        old = scheme[label.value]
        what = "Recolour" if old.colour != label.colour else "Rename"
        self._session.set_scheme(scheme.with_label(label), name=f"{what} segment")

    def add(self, label: Label) -> None:
        """Add a segment; see `LabelScheme.free_label` and `terminology.label_of`.

        Raises
        ------
        InputError
            When its value or name is taken, or a removed segment has the value: undo would
            bring its voxels back under another name.
        """
        scheme = self._session.labels.scheme
        if label.value in scheme.values:
            raise InputError(
                f"The value {label.value} is taken.", hint="Choose a value that is free."
            )
        if label.value in self._removed:
            raise InputError(
                f"The value {label.value} is a removed segment's, which undo brings back.",
                hint="Undo the removal, or choose another value.",
            )
        self._session.set_scheme(scheme.with_label(label), name="Add segment")

    def new_label(self, name: str, colour: str, *, code: Code | None = None) -> Label:
        """Make a label with a free value that no undo can fill with another segment.

        Raises
        ------
        InputError
            When the name is taken or empty, or no value is free.
        """
        scheme = self._session.labels.scheme
        largest = int(np.iinfo(self._session.labels.array.dtype).max)
        held = [
            Label(value, f"{value}: {label.name}, removed", label.colour)
            for value, (_, label) in self._removed.items()
            if value not in scheme.values
        ]
        everything = LabelScheme(scheme.name, (*scheme.labels, *held))
        return everything.free_label(name, colour, code=code, largest=largest)

    def move(self, value: int, by: int) -> None:
        """Move a segment up (below 0) or down in the table."""
        scheme = self._session.labels.scheme.moved(value, by)
        self._session.set_scheme(scheme, name="Move segment")

    def remove(self, value: int) -> Patch | None:
        """Take a segment away: its voxels in one step, and its name; undo brings both back.

        Returns
        -------
        Patch or None
            The step of the labels; None when it had no voxel: then its name alone goes.

        Raises
        ------
        InputError
            When it is locked, the last one, or there is none.
        """
        session = self._session
        scheme = session.labels.scheme
        label = scheme[value]
        if self.state(value).locked:
            raise InputError(
                "A locked segment is not removed.", hint="Unlock it first, with its padlock."
            )
        if len(scheme.labels) == 1:
            raise InputError(
                "The last segment stays: a mask needs one to paint with.",
                hint="Rename it, or add another one first.",
            )
        at = scheme.values.index(value)
        self._removed.pop(value, None)
        patch = self._clear(value)
        scheme = session.labels.scheme.without(value)
        if patch is None:
            session.set_scheme(scheme, name=REMOVE)
        else:
            self._removed[value] = at, label
            session.scheming.put_along(scheme)
        return patch

    def _clear(self, value: int) -> Patch | None:
        session = self._session
        session.reconcile()
        box: Box | None = boxes_of(session.labels.array).get(value)
        if box is None:
            return None
        after = session.labels.array[box].T.copy().T
        after[after == value] = 0
        return session.edit(box, after, name=REMOVE)

    def _on_step(self, step: Step) -> None:
        """Bring a removed segment's name back with its voxels, and take it with them again."""
        if not isinstance(step, Patch) or step.name != REMOVE:
            return
        scheme = self._session.labels.scheme
        for value, (at, label) in self._removed.items():
            present = self.voxels(value) > 0
            if present and value not in scheme.values:
                name, taken = label.name, {one.name for one in scheme.labels}
                while name in taken:
                    name += "'"
                back = replace(label, name=name)
                place = min(at, len(scheme.labels))
                self._session.scheming.put_along(scheme.with_label(back, place))
                return
            if not present and value in scheme.values:
                self._session.scheming.put_along(scheme.without(value))
                return

    def _on_scheme(self, _scheme: LabelScheme) -> None:
        self._keep_rules()
        self.changed.emit()

    # -- keeping -------------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether a state is not on the disk yet."""
        return self._dirty

    def save(self) -> None:
        """Write what has changed beside the mask; nothing where nothing has.

        Raises
        ------
        SaveError
            When it cannot be written.
        """
        if self._dirty:
            self._session.place.make()
            self._states = self._file.write(self._states, self._session.labels.scheme)
            self._dirty = False
            self._keep_rules()

    @property
    def states(self) -> Mapping[int, SegmentState]:
        """What was said of each segment, by value."""
        return dict(self._states)
