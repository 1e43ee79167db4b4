"""Growing from seeds, live: strokes that are no labels yet, and the proposal that they make."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from napari_medlabel.edit.boxes import shifted
from napari_medlabel.edit.grow.relief import Mode
from napari_medlabel.edit.patch import Box, LabelArray, Patch
from napari_medlabel.edit.scene import Proposal, Scene, Tick, quiet, whole
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.session.grown import (
    BACKGROUND,
    Grown,
    Seed,
    Wish,
    around_all,
    begin,
    bring_in_line,
    fits,
    overlap,
    proposal_of,
    within,
)

if TYPE_CHECKING:
    from napari_medlabel.session.bench import Bench

BoolArray = npt.NDArray[np.bool_]


class Growing:
    """A session of grow-from-seeds on a bench, from the first stroke to yes or no.

    Quick, for the thread of the window: `add`, `remove`, `remove_last`, `use_region`, `use`,
    `show`, `accept`, `cancel`, and all that is only looked at. Slow, for a thread of the
    background, one at a time: `first_answer` and `update`. They take what was drawn until
    then, touch no signal and leave the labels alone; what they return goes to `show`.
    When ``tick`` raises, nothing is lost and the next call goes on.

    Parameters
    ----------
    bench : Bench
        The bench of the open case.
    skew_mm : ndarray, shape (3, 3), optional
        Voxel steps of a tilted scan, as `Affine.skew_mm`.
    """

    seeds_changed = Signal(object)
    """Strokes were added or removed: the box (i, j, k) around what changed."""

    def __init__(self, bench: Bench, skew_mm: FloatArray | None = None) -> None:
        self._bench = bench
        self._skew_mm = skew_mm
        self._seeds: dict[int, Seed] = {}
        self._next = 1
        self._chosen: Box | None = None
        self._region: Box | None = None
        self._mode: Mode = "minimax"
        self._gradient_mm: float | None = None
        self._grown: Grown | None = None
        self._busy = threading.Lock()
        self._generation = 0  # grows with each yes and no
        self._made: WeakKeyDictionary[Proposal, int] = WeakKeyDictionary()

    # -- what is known -------------------------------------------------------------------

    @property
    def seeds(self) -> tuple[Seed, ...]:
        """The strokes, oldest first."""
        return tuple(self._seeds.values())

    @property
    def values(self) -> tuple[int, ...]:
        """The segments that have seeds, background left out."""
        return tuple(sorted({s.value for s in self._seeds.values()} - {BACKGROUND}))

    @property
    def region(self) -> Box | None:
        """Where growth may go, in (i, j, k); None before the first stroke, unless chosen.

        It follows the strokes with a tenth to spare and never shrinks.
        """
        return self._region

    @property
    def gradient_mm(self) -> float | None:
        """The gradient's scale in use, in mm; None before the first answer."""
        return None if self._grown is None else self._grown.growth.gradient_mm

    @property
    def words(self) -> str:
        """What is missing before anything can grow; empty when nothing is."""
        kinds = {s.value for s in self._seeds.values()}
        if not kinds:
            return "Draw a stroke into each segment, and one around them as background."
        if not kinds - {BACKGROUND}:
            return "Draw a stroke into the segment."
        rules = self._bench.masking
        if len(kinds) == 1 and rules.low is None and rules.high is None:
            return "Draw a stroke around the segment as background, or into a second segment."
        return ""

    def painted(self, box: Box) -> LabelArray:
        """Return the seeds in a box for showing, shape of the box.

        A voxel has the value of its latest stroke, background the `background_mark`; 0 is no
        seed. The type is wider than that of the labels.
        """
        return self._sown(box, self.seeds)

    @property
    def background_mark(self) -> int:
        """What stands for background in `painted`: no label has this value."""
        return int(np.iinfo(self._bench.scene().labels.dtype).max) + 1

    def _sown(self, box: Box, seeds: tuple[Seed, ...]) -> LabelArray:
        mark = self.background_mark
        shape = tuple(part.stop - part.start for part in box)
        out: LabelArray = np.zeros(shape[::-1], np.min_scalar_type(mark)).T
        for seed in seeds:
            both = overlap(box, seed.box)
            if both is not None:
                value = seed.value or mark
                out[within(both, box)][seed.region[within(both, seed.box)]] = value
        return out

    # -- quick ---------------------------------------------------------------------------

    def add(self, box: Box, region: BoolArray, value: int) -> Seed:
        """Draw a stroke of seeds.

        Parameters
        ----------
        box : tuple of slice
            Around it, in (i, j, k), inside the scan.
        region : ndarray of bool, shape of the box
            Which voxels; copied.
        value : int
            The segment, 0 for background.

        Raises
        ------
        InputError
            When the scheme has no such value, or the stroke has no voxel or another shape.
        """
        scene = self._bench.scene()
        if value != BACKGROUND:
            _ = self._bench.scheme[value]
        shape = tuple(part.stop - part.start for part in box)
        inside = all(
            p.start >= 0 and p.stop <= n for p, n in zip(box, scene.shape, strict=True)
        )
        if region.shape != shape or not inside or not region.any():
            raise InputError(
                "A stroke of seeds needs voxels, all of them inside the scan.",
                hint="Draw it on the scan.",
            )
        seed = Seed(self._next, box, region.T.copy().T, value)
        self._next += 1
        self._seeds[seed.number] = seed
        self._follow(scene)
        self.seeds_changed.emit(box)
        return seed

    def remove(self, number: int) -> Seed:
        """Take one stroke back; what grew from it goes with the next `update`.

        Raises
        ------
        InputError
            When there is no such stroke.
        """
        seed = self._seeds.pop(number, None)
        if seed is None:
            raise InputError(
                "That stroke is no longer there.", hint="Choose one of the strokes shown."
            )
        self.seeds_changed.emit(seed.box)
        return seed

    def remove_last(self) -> Seed | None:
        """Take the latest stroke back; None when there is none."""
        return self.remove(next(reversed(self._seeds))) if self._seeds else None

    def use_region(self, box: Box | None) -> None:
        """Let growth go in a box (i, j, k) and no further; None: around the seeds again.

        A stroke outside enlarges it.
        """
        self._chosen = box
        self._region = None
        self._follow(self._bench.scene())

    def use(self, mode: Mode, gradient_mm: float | None) -> None:
        """Choose how it grows, and the gradient's scale in mm; None for automatic."""
        self._mode, self._gradient_mm = mode, gradient_mm

    def show(self, proposal: Proposal | None) -> None:
        """Show what a slow call returned; nothing when the work was given up meanwhile.

        That goes for an answer to strokes before the last `accept` or `cancel`, too.
        """
        if proposal is not None and self._made.get(proposal) != self._generation:
            return
        self._bench.show(None if self.words else proposal)

    def accept(self) -> Patch | None:
        """Make what is shown one step, and end: seeds are forgotten."""
        patch = self._bench.accept()
        self._forget()
        return patch

    def cancel(self) -> None:
        """End without a step: seeds and proposal are forgotten."""
        self._bench.show(None)
        self._forget()

    # -- slow ----------------------------------------------------------------------------

    def first_answer(self, *, tick: Tick = quiet) -> Proposal | None:
        """Grow on half the resolution: slow, a third of the time of the first `update`.

        Parameters
        ----------
        tick : callable
            Told the progress; it raises to end the work.

        Returns
        -------
        Proposal or None
            None when nothing would change, or the work was given up meanwhile.

        Raises
        ------
        InputError
            When seeds are missing.
        """
        from napari_medlabel.edit.grow.seeds import grow_coarse

        generation = self._generation
        wish = self._wish()
        coarse = grow_coarse(
            wish.scene, whole(wish.scene.shape), self._sown(wish.region, wish.seeds),
            background=self.background_mark, mode=wish.mode,
            gradient_mm=wish.gradient_mm or "auto", tick=tick,
        )  # fmt: skip
        found = coarse.proposal
        if found is not None:
            found = replace(found, box=shifted(found.box, wish.region))
        return self._of(generation, found)

    def update(self, *, tick: Tick = quiet) -> Proposal | None:
        """Bring what has grown in line with the strokes: slow at first.

        The first call grows all, and so does one after a change of region, mode, scale or
        the wall, which labels painted meanwhile can move; others only what the strokes added
        and removed since then touch.

        Parameters
        ----------
        tick : callable
            As in `first_answer`.

        Returns
        -------
        Proposal or None
            None when nothing would change, or the work was given up meanwhile. Its labels
            before are those of the moment when the call began.

        Raises
        ------
        InputError
            When seeds are missing.
        """
        with self._busy:
            generation = self._generation
            wish = self._wish()
            grown = self._grown
            try:
                if grown is None or not fits(grown, wish):
                    self._grown = None
                    grown = begin(wish, tick)
                    self._grown = grown
                bring_in_line(grown, wish, tick)
                return self._of(generation, proposal_of(grown, wish))
            finally:
                if generation != self._generation:
                    self._grown = None

    # -- the work ------------------------------------------------------------------------

    def _of(self, generation: int, proposal: Proposal | None) -> Proposal | None:
        """Note which strokes an answer is to; None when those are forgotten."""
        if proposal is None or generation != self._generation:
            return None
        self._made[proposal] = generation
        return proposal

    def _wish(self) -> Wish:
        from napari_medlabel.edit.grow.seeds import need_two_kinds

        scene = self._bench.scene(bridged=True)
        seeds, region = self.seeds, self._region
        values = {s.value for s in seeds}
        rules = scene.masking
        has_wall = rules.low is not None or rules.high is not None
        need_two_kinds(len(values), has_wall=has_wall)
        if region is None or values == {BACKGROUND}:
            raise InputError(self.words, hint="Seeds of a segment are needed.")
        crop = replace(
            scene, labels=scene.labels[region].T.copy().T, image=scene.image[region],
            skew_mm=self._skew_mm,
        )  # fmt: skip
        return Wish(seeds, region, crop, scene.image, self._mode, self._gradient_mm)

    def _follow(self, scene: Scene) -> None:
        """Enlarge the region until it holds every stroke."""
        from napari_medlabel.edit.grow.seeds import region_of
        from napari_medlabel.edit.scene import whole

        region = self._region or self._chosen
        if not self._seeds:
            self._region = self._chosen
            return
        box = around_all(s.box for s in self._seeds.values())
        if region is not None and around_all([region, box]) == region:
            self._region = region
            return
        wide = region_of(box, whole(scene.shape))
        self._region = wide if region is None else around_all([region, wide])

    def _forget(self) -> None:
        boxes = [s.box for s in self._seeds.values()]
        self._generation += 1
        self._seeds.clear()
        self._grown = None
        self._chosen = self._region = None
        if boxes:
            self.seeds_changed.emit(around_all(boxes))
