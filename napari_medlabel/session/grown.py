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
from napari_medlabel.edit.scene import Proposal, Scene, Tick, whole

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


@dataclass(frozen=True, eq=False, repr=False)
class Wish:
    """What the person wants grown, as it is at one moment.

    Parameters
    ----------
    seeds : tuple of Seed
        The strokes.
    region : tuple of slice
        Where growth may go, in (i, j, k).
    scene : Scene
        That region alone, with labels that no painting reaches any more.
    image : ndarray, shape (i, j, k)
        Of the whole scan, to know it again.
    mode : str
        How it grows.
    gradient_mm : float or None
        The gradient's scale in mm, None for automatic.
    """

    seeds: tuple[Seed, ...]
    region: Box
    scene: Scene
    image: npt.NDArray[Any]
    mode: Mode
    gradient_mm: float | None

    @property
    def values(self) -> tuple[int, ...]:
        """The segments that have seeds, background left out."""
        return tuple(sorted({s.value for s in self.seeds} - {BACKGROUND}))


@dataclass
class Grown:
    """The engine and what it was given."""

    growth: Growth
    region: Box
    mode: Mode
    image: npt.NDArray[Any]
    gradient_mm: float | None
    wall: npt.NDArray[np.uint8] | None = None
    """The wall of the engine, packed, None for none."""
    walled_by: tuple[Masking, tuple[int, ...]] | None = None
    """Rules and segments that the wall is of; None when it is not sure which it has."""
    walled_on: LabelArray | None = None
    """Labels of the region that the wall is of, (i, j, k)."""
    strokes: dict[int, int] = field(default_factory=dict)
    """By the number of a seed that of its stroke in the engine."""
    masking: Masking | None = None
    """The rules of the last answer."""
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
        and grown.image is wish.image
    )


def begin(wish: Wish, tick: Tick) -> Grown:
    """Make an engine for a wish, without wall and strokes."""
    from napari_medlabel.edit.grow.growth import Growth

    growth = Growth(
        wish.scene.image, wish.scene.spacing_mm, mode=wish.mode,
        gradient_mm=wish.gradient_mm or "auto", tick=tick,
    )  # fmt: skip
    grown = Grown(growth, wish.region, wish.mode, wish.image, wish.gradient_mm)
    grown.walled_by = Masking(), ()
    return grown


def bring_in_line(grown: Grown, wish: Wish, tick: Tick) -> None:
    """Follow the rules, and remove and add strokes until the engine has those of the wish.

    When ``tick`` raises, the next call goes on.
    """
    _keep_wall(grown, wish, tick)
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


def _keep_wall(grown: Grown, wish: Wish, tick: Tick) -> None:
    """Give the engine another wall where rules, segments or labels have made it another."""
    from napari_medlabel.edit.grow.seeds import wall_of

    labels, reason = wish.scene.labels, (wish.scene.masking, wish.values)
    on = grown.walled_on
    if grown.walled_by == reason and on is not None and np.array_equal(on.T, labels.T):
        return
    wall = wall_of(wish.scene, whole(wish.scene.shape), wish.values)
    packed = None if wall is None else np.packbits(wall.T)
    old, is_sure = grown.wall, grown.walled_by is not None
    same = old is packed or (
        old is not None and packed is not None and np.array_equal(old, packed)
    )
    if not (is_sure and same):
        grown.walled_by = None  # until all has grown anew
        grown.growth.set_wall(wall, tick=tick)
        grown.note(grown.growth.changed)
    grown.wall, grown.walled_by, grown.walled_on = packed, reason, labels


def _flat(seed: Seed, region: Box) -> npt.NDArray[np.int64]:
    """Return a stroke's flat indices in the region, i fastest."""
    k, j, i = np.nonzero(seed.region.T)
    wide, high = (part.stop - part.start for part in region[:2])
    di, dj, dk = (p.start - whole.start for p, whole in zip(seed.box, region, strict=True))
    flat: npt.NDArray[np.int64] = ((k + dk) * high + j + dj) * wide + i + di
    return flat


def proposal_of(grown: Grown, wish: Wish) -> Proposal | None:
    """Make the proposal; where nothing has changed since the last one, it is that one's."""
    from napari_medlabel.edit.grow.merging import merged, volume_words
    from napari_medlabel.edit.grow.seeds import NAME, PROVIDER

    scene, values = wish.scene, wish.values
    before, last = scene.labels, grown.after
    is_first = grown.renewed != frozenset(values) or grown.masking != scene.masking
    if grown.before is None or last is None or is_first:
        part, last = slice(0, grown.growth.shape[2]), before
    else:
        grown.note(_repainted(grown.before, before))
        part = grown.span or slice(0, 0)
    after = last.T.copy().T
    now = before[:, :, part]
    made = merged(now, grown.growth.labels_of(part), grown.growth.reached_of(part), values)
    after[:, :, part] = scene.masking.clamp(now, made, scene.image[:, :, part], values)
    grown.before, grown.after = before, after
    grown.renewed, grown.masking, grown.span = frozenset(values), scene.masking, None
    if np.array_equal(before.T, after.T):
        return None
    words = volume_words(after, values, scene)
    return Proposal(wish.region, before, after, NAME, values, PROVIDER, "assisted", words)


def _repainted(before: LabelArray, now: LabelArray) -> slice | None:
    """Return the slices k outside which two states are equal, None for all."""
    pairs = zip(before.T, now.T, strict=True)
    found = [k for k, (old, new) in enumerate(pairs) if not np.array_equal(old, new)]
    return slice(found[0], found[-1] + 1) if found else None


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
