"""The bench of an open case: the rules edits obey, strokes in the making, and proposals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.patch import Box, LabelArray, Origin, Patch
from napari_medlabel.edit.scene import Proposal, Scene, around
from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.session.grown import around_all
from napari_medlabel.session.volume_in_use import VolumeInUse

_VALUE: Final = re.compile(r"\d+")
_LABELS: Final = re.compile(
    r"\b(?:[Ll]abel|[Ss]egment)s? (?P<values>\d+(?:(?:, | and )\d+(?![\d.]))*)\b"
)

if TYPE_CHECKING:
    from napari_medlabel.session.case import Session


class Bench:
    """Where tools meet a case: every one of them edits through it.

    Parameters
    ----------
    session : Session
        The open case.
    """

    masking_changed = Signal(object)
    painted = Signal(object)
    """A stroke in the making changed the labels in a box (i, j, k)."""
    preview_changed = Signal(object)
    """A proposal is to be shown, or None: no longer."""
    volume_changed = Signal(int)
    """Another volume of the scan is in use, from 0; a proposal on the one before goes after."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._masking = Masking()
        self.in_use = VolumeInUse(session.volume)
        self._within: npt.NDArray[np.bool_] | None = None
        self._preview: Proposal | None = None
        self._open: Stroke | None = None

    # -- the rules -----------------------------------------------------------------------

    @property
    def masking(self) -> Masking:
        """Where an edit may change what."""
        return self._masking

    @masking.setter
    def masking(self, rules: Masking) -> None:
        if rules != self._masking:
            self._masking = rules
            self.masking_changed.emit(rules)

    @property
    def is_bound(self) -> bool:
        """Whether rules or a region keep edits from anything."""
        return not self._masking.is_open or self._within is not None

    def keep_within(self, region: npt.NDArray[np.bool_] | None) -> None:
        """Let edits change a region alone, shape (i, j, k), on top of the rules; None ends it.

        Undo, redo and what becomes a step without the rules are not bound by it.
        """
        self._within = region

    def allowed(
        self, box: Box, before: LabelArray, after: LabelArray, values: Sequence[int]
    ) -> LabelArray:
        """Return what stands in a box after an edit that obeys the rules and the region."""
        rules = self._masking
        # Without a range nobody looks at the image, and a volume is not read for it.
        ranged = rules.low is not None or rules.high is not None
        image = self.in_use.image if ranged else self._session.volume.array
        out = rules.clamp(before, after, image[box], values)
        if self._within is not None:
            np.copyto(out.T, before.T, where=~self._within[box].T)
        return out

    @property
    def scheme(self) -> LabelScheme:
        """What the values mean that an edit may give."""
        return self._session.labels.scheme

    def use_volume(self, number: int) -> None:
        """Take intensities from another volume of the scan, from 0: the one that is shown."""
        if self.in_use.use(number):
            self.volume_changed.emit(self.in_use.number)
            self.show(None)

    def scene(self, *, bridged: bool = False) -> Scene:
        """Return what a tool works on now; it sees later strokes too.

        One that follows edges has missing slices ``bridged``, others have no number there.
        """
        session = self._session
        spacing = session.volume.grid.affine.spacing_mm
        i, j, k = (float(mm) for mm in spacing)
        image = self.in_use.bridged if bridged else self.in_use.image
        return Scene(session.labels.array, image, (i, j, k), self._masking)

    def obey(self, box: Box, before: LabelArray, values: Sequence[int] = ()) -> bool:
        """Take back what was painted in a box against the rules; return whether that was any.

        Parameters
        ----------
        box : tuple of slice
            Where, in (i, j, k).
        before : ndarray, shape of the box
            The labels before the painting.
        values : sequence of int
            The labels that it was about.
        """
        if not self.is_bound:
            return False
        now = self._session.labels.array[box]
        allowed = self.allowed(box, before, now, values)
        if np.array_equal(allowed, now):
            return False
        now[...] = allowed
        return True

    # -- strokes -------------------------------------------------------------------------

    def stroke(self, name: str, values: Sequence[int], *, origin: Origin = "human") -> Stroke:
        """Begin a stroke: many small changes that become one step.

        There is one at a time: the one before is finished first, as it is by any edit, undo,
        redo, save and close.

        Parameters
        ----------
        name : str
            What the step is called on the undo button.
        values : sequence of int
            The labels that it is about; for an eraser those that it may erase, none for all.
        origin : str
            Who makes it.

        Raises
        ------
        InputError
            When the scheme has no such value.
        """
        for value in values:
            if value:
                _ = self.scheme[value]
        stroke = Stroke(self, self._session, name, tuple(values), origin)
        self.hold(stroke)
        return stroke

    def hold(self, stroke: Stroke) -> None:
        """Make a stroke the open one."""
        if stroke is not self._open:
            # Ends the one before. What was painted from outside is not this stroke's either.
            self._session.reconcile()
            self._open = stroke

    def release(self, stroke: Stroke) -> None:
        """Note that a stroke is no longer open."""
        if stroke is self._open:
            self._open = None

    def finish_stroke(self) -> Patch | None:
        """Make a step of the stroke in the making, where there is one."""
        return None if self._open is None else self._open.finish()

    # -- proposals -----------------------------------------------------------------------

    @property
    def preview(self) -> Proposal | None:
        """What is proposed and waits for an answer."""
        return self._preview

    def show(self, proposal: Proposal | None) -> None:
        """Show a proposal in place of the one before; None to show nothing."""
        if proposal is None and self._preview is None:
            return
        # The very object: who computed a picture of it knows it again.
        self._preview = proposal
        self.preview_changed.emit(proposal)

    def said(self, words: str) -> str:
        """Return what a tool says with the names of labels in place of their numbers."""
        return by_name(words, self.scheme)

    def accept(self) -> Patch | None:
        """Make the shown proposal a step; what was painted meanwhile stays.

        Returns
        -------
        Patch or None
            The step, None when nothing is shown or nothing changed.

        Raises
        ------
        InputError
            As in `apply`; then it is still shown.
        """
        proposal = self._preview
        if proposal is None:
            return None
        after = self._allowed(proposal)
        self.show(None)
        return self._do(proposal, after)

    def apply(self, proposal: Proposal) -> Patch | None:
        """Make a proposal a step at once: for tools whose name says all that they do.

        Raises
        ------
        InputError
            When it is to be done as a whole or not at all, and painting since or the rules
            leave a part of it.
        """
        return self._do(proposal, self._allowed(proposal))

    def _allowed(self, proposal: Proposal) -> LabelArray:
        """Return what a proposal makes of its box by the rules and on the labels of now."""
        labels = self._session.labels.array
        now = labels[proposal.box]
        wanted = proposal.onto(now)
        after = self.allowed(proposal.box, now, wanted, proposal.values)
        if proposal.whole:
            if not proposal.still_holds(labels):
                raise InputError(
                    "The labels were painted since this was proposed, and to change a part of "
                    "them would mix labels.",
                    hint="Reject it, and let it be proposed anew.",
                )
            if not np.array_equal(after.T, wanted.T):
                raise InputError(
                    "The rules for editing let only a part be changed, and that would mix "
                    "labels.",
                    hint="Unlock these segments, and edit everywhere in all intensities.",
                )
        return after

    def _do(self, proposal: Proposal, after: LabelArray) -> Patch | None:
        session = self._session
        patch = session.edit(proposal.box, after, name=proposal.name, origin=proposal.origin)
        if patch is not None and proposal.provider:
            # A person has said yes to it; labels are never refused.
            told = session.events.assisted(proposal.provider, patch, self.in_use)
            session.outbox.tell(told)
        return patch

    def fill_region(
        self, region: npt.NDArray[np.bool_], value: int, *, name: str
    ) -> Patch | None:
        """Give a grown region one label where nothing is labelled yet.

        Parameters
        ----------
        region : ndarray of bool, shape (i, j, k)
            Where.
        value : int
            A value of the scheme.
        name : str
            What the step is called.

        Raises
        ------
        InputError
            When the scheme has no such value, or the region another shape.
        """
        labels = self._session.labels
        _ = labels.scheme[value]
        if region.shape != labels.array.shape:
            raise InputError(
                f"A region has the scan's shape {labels.array.shape}; got {region.shape}.",
                hint="Compute it on the scan that is open.",
            )
        box = around(region)
        if box is None:
            return None
        before = labels.array[box].T.copy().T
        after = before.T.copy().T
        after[region[box] & (before == 0)] = value
        proposal = Proposal(box, before, after, name, (value,), "region-grow", "assisted")
        return self.apply(proposal)


class Stroke:
    """Small changes that are seen at once and become one step at the end.

    Made by `Bench.stroke`. When something else has ended it, what is put then is a further
    step of the same name.
    """

    def __init__(
        self,
        bench: Bench,
        session: Session,
        name: str,
        values: tuple[int, ...],
        origin: Origin,
    ) -> None:
        self._bench = bench
        self._session = session
        self._name = name
        self._values = values
        self._origin: Origin = origin
        self._box: Box | None = None

    @property
    def box(self) -> Box | None:
        """The box (i, j, k) around all that was put, None before anything was."""
        return self._box

    def put(self, box: Box, region: npt.NDArray[np.bool_], value: int) -> bool:
        """Give a region one label, as far as the rules allow; 0 erases the stroke's labels.

        Parameters
        ----------
        box : tuple of slice
            Where the region lies, in (i, j, k), whole starts and stops.
        region : ndarray of bool, shape of the box
            Which of its voxels.
        value : int
            What they become.

        Returns
        -------
        bool
            Whether anything changed.

        Raises
        ------
        InputError
            When the scheme has no such value.
        """
        if value:
            _ = self._bench.scheme[value]
        self._bench.hold(self)
        labels = self._session.labels.array
        before = labels[box]
        meant = region.T
        if not value and self._values:
            meant = meant & np.isin(before.T, self._values)
        wanted = np.where(meant, before.dtype.type(value), before.T).T
        after = self._bench.allowed(box, before, wanted, self._values)
        if np.array_equal(after, before):
            return False
        labels[box] = after
        self._box = box if self._box is None else around_all([self._box, box])
        self._session.keeper.touch()
        self._bench.painted.emit(box)
        return True

    def finish(self) -> Patch | None:
        """Make one step of it; None when nothing changed or something else has ended it."""
        self._bench.release(self)
        box, self._box = self._box, None
        if box is None:
            return None
        return self._session.absorb(box, name=self._name, origin=self._origin)

    def cancel(self) -> bool:
        """Take all of it back; no step is made.

        Returns
        -------
        bool
            Whether anything was taken back. What became a step already is for undo.
        """
        self._bench.release(self)
        box, self._box = self._box, None
        if box is None:
            return False
        self._session.take_back(box)
        self._bench.painted.emit(box)
        return True


def by_name(words: str, scheme: LabelScheme) -> str:
    """Return what a tool says with the names of labels in place of their numbers.

    Tools know values alone: "label 3 and label 4" becomes "Right kidney and Left kidney", and
    so at the beginning of a sentence.
    """
    names = {label.value: label.name for label in scheme.labels}

    def named(found: re.Match[str]) -> str:
        return _VALUE.sub(lambda one: names.get(int(one[0]), one[0]), found["values"])

    return _LABELS.sub(named, words)
