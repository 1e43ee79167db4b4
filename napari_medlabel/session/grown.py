"""What has grown so far, and how it follows the strokes that a person wants: the slow part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.grow.relief import Mode
from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.patch import Box, LabelArray
from napari_medlabel.edit.scene import Proposal, Scene, Tick

if TYPE_CHECKING:
    from napari_medlabel.edit.grow.growth import Growth

BoolArray = npt.NDArray[np.bool_]
BACKGROUND: Final = 0
"""The value of a stroke that says: none of the segments."""


@dataclass(frozen=True, eq=False, repr=False)
class Seed:
    """One stroke of seeds.

    Parameters
    ----------
    number : int
        Its number, never used twice.
    box : tuple of slice
        Around it, in (i, j, k).
    region : ndarray of bool, shape of the box
        Which voxels.
    value : int
        The segment that grows from it; 0 is background.
    """

    number: int
    box: Box
    region: BoolArray
    value: int


@dataclass(frozen=True)
class Wish:
    """What the person wants grown, as it is at one moment."""

    seeds: tuple[Seed, ...]
    region: Box
    scene: Scene
    mode: Mode
    gradient_mm: float | None


@dataclass
class Grown:
    """The engine and what it was given."""

    growth: Growth
    region: Box
    mode: Mode
    image: npt.NDArray[Any]
    gradient_mm: float | None
    masking: Masking
    walled: bool
    strokes: dict[int, int] = field(default_factory=dict)
    """By the number of a seed that of its stroke in the engine."""
    renewed: frozenset[int] = frozenset()
    """The segments of the last answer."""
    before: LabelArray | None = None
    """Labels of the region as the last answer found them, (i, j, k)."""
    after: LabelArray | None = None
    """Labels of the region as the last answer would have them, (i, j, k)."""
    span: slice | None = None
    """The slices k of the region in which something grew since the last answer."""

    def note(self, span: slice | None) -> None:
        """Remember that something grew in some slices."""
        if span is not None and self.span is not None:
            first, last = self.span.start, self.span.stop
            span = slice(min(span.start, first), max(span.stop, last))
        self.span = span or self.span


def fits(grown: Grown, wish: Wish) -> bool:
    """Tell whether an engine can go on with a wish."""
    return (
        grown.region == wish.region
        and grown.mode == wish.mode
        and grown.gradient_mm == wish.gradient_mm
        and grown.image is wish.scene.image
        and (grown.masking == wish.scene.masking or not grown.walled)
    )


def begin(wish: Wish, tick: Tick) -> Grown:
    """Make an engine for a wish, without strokes."""
    from napari_medlabel.edit.grow.growth import Growth
    from napari_medlabel.edit.grow.seeds import wall_of

    scene, region = wish.scene, wish.region
    growth = Growth(
        scene.image[region], scene.spacing_mm, mode=wish.mode,
        gradient_mm=wish.gradient_mm or "auto", tick=tick,
    )  # fmt: skip
    wall = wall_of(scene, region, sorted({s.value for s in wish.seeds} - {BACKGROUND}))
    if wall is not None:
        growth.set_wall(wall)
    return Grown(
        growth, region, wish.mode, scene.image, wish.gradient_mm, scene.masking,
        walled=wall is not None,
    )  # fmt: skip


def bring_in_line(grown: Grown, wish: Wish, tick: Tick) -> None:
    """Remove and add strokes until the engine has those of the wish.

    When ``tick`` raises, the next call goes on.
    """
    wanted = {s.number for s in wish.seeds}
    for number in [n for n in grown.strokes if n not in wanted]:
        grown.growth.remove(grown.strokes[number], tick=tick)
        del grown.strokes[number]
        grown.note(grown.growth.changed)
    fresh = [s for s in wish.seeds if s.number not in grown.strokes]
    if fresh:
        strokes = [(_flat(s, grown.region), s.value) for s in fresh]
        made = grown.growth.add_all(strokes, tick=tick)
        grown.strokes.update(zip((s.number for s in fresh), made, strict=True))
        grown.note(grown.growth.changed)


def _flat(seed: Seed, region: Box) -> npt.NDArray[np.int64]:
    """Return a stroke's flat indices in the region, i fastest."""
    k, j, i = np.nonzero(seed.region.T)
    wide, high = (part.stop - part.start for part in region[:2])
    di, dj, dk = (p.start - whole.start for p, whole in zip(seed.box, region, strict=True))
    flat: npt.NDArray[np.int64] = ((k + dk) * high + j + dj) * wide + i + di
    return flat


def proposal_of(grown: Grown, wish: Wish) -> Proposal | None:
    """Make the proposal; where nothing has changed since the last one, it is that one's."""
    from napari_medlabel.edit.grow.seeds import NAME, PROVIDER, merged, volume_words

    scene, region = wish.scene, wish.region
    values = tuple(sorted({s.value for s in wish.seeds} - {BACKGROUND}))
    deep = grown.growth.shape[2]
    old_before, old_after = grown.before, grown.after
    is_first = old_before is None or old_after is None or grown.renewed != frozenset(values)
    is_first |= grown.masking != scene.masking
    part = slice(0, deep) if is_first else (grown.span or slice(0, 0))
    i, j, k = region
    there = (i, j, slice(k.start + part.start, k.start + part.stop))
    before = scene.labels[there]
    after = merged(before, grown.growth.labels_of(part), grown.growth.reached_of(part), values)
    after = scene.masking.clamp(before, after, scene.image[there], values)
    if old_before is None or old_after is None or is_first:
        grown.before, grown.after = before.T.copy().T, after
    else:
        grown.before, grown.after = old_before.T.copy().T, old_after.T.copy().T
        grown.before[:, :, part], grown.after[:, :, part] = before, after
    grown.renewed, grown.masking, grown.span = frozenset(values), scene.masking, None
    if np.array_equal(grown.before.T, grown.after.T):
        return None
    words = volume_words(grown.after, values, scene)
    return Proposal(
        region, grown.before, grown.after, NAME, values, PROVIDER, "assisted", words
    )


def overlap(first: Box, second: Box) -> Box | None:
    """Return what two boxes share, None for nothing."""
    i, j, k = (
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )
    return None if any(part.start >= part.stop for part in (i, j, k)) else (i, j, k)


def within(box: Box, outer: Box) -> Box:
    """Return a box as slices into an array that covers another box."""
    i, j, k = (
        slice(part.start - whole.start, part.stop - whole.start)
        for part, whole in zip(box, outer, strict=True)
    )
    return i, j, k


def around_all(boxes: Iterable[Box]) -> Box:
    """Return the box around some boxes."""
    every = list(boxes)
    i, j, k = (
        slice(min(box[axis].start for box in every), max(box[axis].stop for box in every))
        for axis in range(3)
    )
    return i, j, k
