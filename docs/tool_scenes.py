"""What the pictures of the tools show: the sample CT, a mask before, and a tool at work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel import samples
from napari_medlabel.edit import (
    between,
    brush,
    edge_brush,
    flood,
    holes,
    islands,
    livewire,
    logic,
    margin,
    moving,
    outline,
    propagate,
    refine,
    scissors,
    slice_loops,
    smooth,
    threshold,
    tracing,
)
from napari_medlabel.edit.grow.seeds import grow_from_seeds
from napari_medlabel.edit.scene import Proposal, Scene, slab, whole
from napari_medlabel.export.mask import load_mask
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model import presets

Array = npt.NDArray[Any]
LIVER, SPLEEN, RIGHT_KIDNEY, LEFT_KIDNEY = 1, 2, 3, 4
AXIAL: Final = 2


@dataclass(frozen=True)
class Sample:
    """The sample CT with its truth.

    Parameters
    ----------
    image, truth : ndarray, shape (i, j, k)
        HU, and labels by the scheme "abdomen".
    spacing_mm : tuple of float
        Along i, j and k.
    """

    image: Array
    truth: Array
    spacing_mm: tuple[float, float, float]

    @classmethod
    def load(cls) -> Sample:
        """Read it."""
        volume = read_volume(samples.path("ct_abdomen"))
        path = samples.truth("ct_abdomen_mask.nii.gz")
        labels = load_mask(path, volume.grid, scheme=presets.scheme("abdomen"))
        i, j, k = (float(mm) for mm in volume.grid.affine.spacing_mm)
        return cls(volume.array, labels.array, (i, j, k))

    def scene(self, labels: Array) -> Scene:
        """Return a scene with these labels."""
        return Scene(labels, self.image, self.spacing_mm)

    def only(self, *values: int) -> Array:
        """Return the truth of some labels, as a new mask."""
        kept = np.isin(self.truth.T, values)
        return np.where(kept, self.truth.T, 0).astype(np.uint8).T

    def middle(self, value: int) -> tuple[int, int, int]:
        """Return a deep place of a label, on its largest slice."""
        from scipy import ndimage

        k = int((self.truth == value).sum(axis=(0, 1)).argmax())
        depth = ndimage.distance_transform_edt(self.truth[..., k] == value)
        i, j = (int(v) for v in np.unravel_index(int(depth.argmax()), depth.shape))
        return i, j, k

    def rim(self, value: int, k: int) -> Array:
        """Return the longest outline of a label on a slice, points (i, j)."""
        return max(tracing.outline_of(self.truth[..., k] == value), key=len)


@dataclass(frozen=True)
class Shot:
    """One tool: the mask before and after, and where to look.

    Parameters
    ----------
    title : str
        What the tool is called.
    before, after : ndarray, shape (i, j, k)
        Labels; of ``before`` drawn strokes may be part.
    axis : int
        Voxel axis across the picture.
    index : int
        The slice.
    """

    title: str
    before: Array
    after: Array
    axis: int
    index: int


Make = Callable[[Sample], Shot]


def _after(before: Array, proposal: Proposal | None) -> Array:
    after = before.T.copy().T
    if proposal is not None:
        after[proposal.box] = proposal.onto(after[proposal.box])
    return after


def _shot(
    title: str, before: Array, proposal: Proposal | None, index: int, axis: int = AXIAL
) -> Shot:
    return Shot(title, before, _after(before, proposal), axis, index)


def _empty(sample: Sample) -> Array:
    return np.zeros_like(sample.truth.T).T


# -- drawing -----------------------------------------------------------------------------


def paint(sample: Sample) -> Shot:
    """Paint with a disc."""
    i, j, k = sample.middle(LIVER)
    before, after = _empty(sample), _empty(sample)
    for step in range(-30, 31):
        mark = brush.disc(after.shape, (i + step, j, k), AXIAL, 10.0, sample.spacing_mm)
        if mark is not None:
            after[mark[0]][mark[1]] = LIVER
    return Shot("Paint: disc of 10 mm", before, after, AXIAL, k)


def edge_paint(sample: Sample) -> Shot:
    """Paint along an edge with the brush that sees it."""
    rim = sample.rim(LEFT_KIDNEY, sample.middle(LEFT_KIDNEY)[2])
    _, _, k = sample.middle(LEFT_KIDNEY)
    before, after = _empty(sample), _empty(sample)
    centre = np.array(sample.middle(LEFT_KIDNEY)[:2])
    for point in rim[::6]:
        at = centre + 0.72 * (point - centre)
        mark = brush.disc(after.shape, (*at, k), AXIAL, 7.0, sample.spacing_mm)
        if mark is not None:
            scene = sample.scene(after)
            found = edge_brush.edge_aware(scene, mark[0], mark[1], (*at, k))
            after[mark[0]][found] = LEFT_KIDNEY
    return Shot("Edge brush", before, after, AXIAL, k)


def draw(sample: Sample) -> Shot:
    """Draw an outline by hand."""
    k = sample.middle(SPLEEN)[2]
    rim = sample.rim(SPLEEN, k)[::12]
    points = np.column_stack((rim, np.full(len(rim), k)))
    before = _empty(sample)
    proposal = outline.fill_outline(sample.scene(before), points, AXIAL, SPLEEN)
    return _shot("Draw an outline", before, proposal, k)


def live_wire(sample: Sample) -> Shot:
    """Click eight times round the liver."""
    slice_loops.wait()
    k = sample.middle(LIVER)[2]
    rim = sample.rim(LIVER, k)
    wire = livewire.LiveWire(sample.image[..., k], sample.spacing_mm[:2])
    clicks = [wire.snapped(p) for p in rim[:: max(1, len(rim) // 8)][:8]]
    path = []
    for start, end in zip(clicks, clicks[1:] + clicks[:1], strict=True):
        wire.anchor(start)
        path.append(wire.path_to(end))
    line = np.concatenate(path)
    points = np.column_stack((line, np.full(len(line), k)))
    before = _empty(sample)
    for click in clicks:
        mark = brush.disc(before.shape, (*click, k), AXIAL, 2.5, sample.spacing_mm)
        if mark is not None:
            before[mark[0]][mark[1]] = LIVER
    proposal = outline.fill_outline(sample.scene(before), points, AXIAL, LIVER)
    return _shot("Live wire: eight clicks", before, proposal, k)


def level(sample: Sample) -> Shot:
    """Trace the level under the mouse."""
    i, j, k = sample.middle(RIGHT_KIDNEY)
    found = tracing.level_trace(sample.image[..., k], (i, j), tolerance=45.0)
    before, after = _empty(sample), _empty(sample)
    after[..., k][found] = RIGHT_KIDNEY
    return Shot("Level tracing", before, after, AXIAL, k)


def cut_off(sample: Sample) -> Shot:
    """Cut with scissors through all slices."""
    i, j, k = sample.middle(LIVER)
    before = sample.only(LIVER)
    square = [(i, j - 200), (i + 250, j - 200), (i + 250, j + 200), (i, j + 200)]
    points = np.array([(*p, k) for p in square], dtype=float)
    scene = sample.scene(before)
    proposal = scissors.cut(
        scene, whole(scene.shape), points, AXIAL, mode="erase_inside", values=(LIVER,)
    )
    return _shot("Scissors", before, proposal, k)


# -- intensities and seeds ---------------------------------------------------------------


def in_range(sample: Sample) -> Shot:
    """Take a range of intensities."""
    k = sample.middle(LIVER)[2]
    before = _empty(sample)
    low, high = threshold.RANGES["bone"]
    scene = sample.scene(before)
    proposal = threshold.threshold_box(scene, whole(scene.shape), low, high, 6)
    return _shot("Threshold: bone", before, proposal, k)


def local(sample: Sample) -> Shot:
    """Click into an organ, with a range found around the click."""
    seed = sample.middle(SPLEEN)
    before = _empty(sample)
    scene = sample.scene(before)
    proposal = threshold.local_threshold(
        scene, whole(scene.shape), seed, SPLEEN, radius_mm=70.0
    )
    return _shot("Local threshold: one click", before, proposal, seed[2])


def flooded(sample: Sample) -> Shot:
    """Flood from a click."""
    seed = sample.middle(LEFT_KIDNEY)
    before = _empty(sample)
    scene = sample.scene(before)
    proposal = flood.flood(scene, whole(scene.shape), seed, LEFT_KIDNEY, tolerance=28.0)
    return _shot("Flood: one click", before, proposal, seed[2])


def grown(sample: Sample) -> Shot:
    """Grow three organs from a stroke each, and one stroke around."""
    seeds = _empty(sample)
    background = 200
    for value in (LIVER, SPLEEN, LEFT_KIDNEY, RIGHT_KIDNEY):
        for k in np.flatnonzero((sample.truth == value).any(axis=(0, 1)))[1::3]:
            _stroke(sample, seeds, value, int(k))
    known = np.isin(sample.truth, (LIVER, SPLEEN, LEFT_KIDNEY, RIGHT_KIDNEY))
    from scipy import ndimage

    for k in range(0, seeds.shape[2], 3):
        far = ndimage.distance_transform_edt(~known[..., k]) if known[..., k].any() else None
        if far is not None:
            seeds[..., k][(far > 8) & (far < 11)] = background
    scene = sample.scene(_empty(sample))
    proposal = grow_from_seeds(scene, whole(scene.shape), seeds, background=background)
    k = sample.middle(LEFT_KIDNEY)[2] // 3 * 3
    shown = np.where(background == seeds.T, 0, seeds.T).T
    return Shot("Grow from seeds", shown, _after(_empty(sample), proposal), AXIAL, k)


def _stroke(sample: Sample, seeds: Array, value: int, k: int) -> None:
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(sample.truth[..., k] == value)
    if depth.max() < 5:
        return
    i, j = np.unravel_index(int(depth.argmax()), depth.shape)
    reach = int(depth.max() * 0.6)
    seeds[i - reach : i + reach, j - 1 : j + 2, k] = value


# -- slices ------------------------------------------------------------------------------


def filled_between(sample: Sample) -> Shot:
    """Fill between every fifth slice; seen from the front."""
    before = _empty(sample)
    truth = sample.only(LIVER, SPLEEN, LEFT_KIDNEY, RIGHT_KIDNEY)
    before[..., ::5] = truth[..., ::5]
    scene = sample.scene(before)
    proposal = between.fill_between(scene, whole(scene.shape), AXIAL)
    return _shot("Fill between slices", before, proposal, sample.middle(LEFT_KIDNEY)[1], 1)


def carried_on(sample: Sample) -> Shot:
    """Carry a slice's kidney to its neighbours; seen from the front."""
    _, j, k = sample.middle(LEFT_KIDNEY)
    before = _empty(sample)
    before[..., k] = sample.only(LEFT_KIDNEY)[..., k]
    proposal = propagate.propagate(sample.scene(before), AXIAL, k, k + 4, (LEFT_KIDNEY,))
    after = _after(before, proposal)
    proposal = propagate.propagate(sample.scene(after), AXIAL, k, k - 4, (LEFT_KIDNEY,))
    return Shot("Propagate four slices each way", before, _after(after, proposal), 1, j)


def copied(sample: Sample) -> Shot:
    """Copy a slice to its neighbours; seen from the front."""
    _, j, k = sample.middle(SPLEEN)
    before = _empty(sample)
    before[..., k] = sample.only(SPLEEN)[..., k]
    scene = sample.scene(before)
    proposal = moving.copy_slice(scene, AXIAL, k, (k - 1, k + 1), (SPLEEN,))
    return _shot("Copy a slice", before, proposal, j, 1)


# -- shaping -----------------------------------------------------------------------------


def _rough(sample: Sample, *values: int) -> Array:
    """Return labels as an unsteady hand draws them."""
    rng = np.random.default_rng(3)
    labels = sample.only(*values)
    for k in range(labels.shape[2]):
        shift = tuple(int(s) for s in rng.integers(-3, 4, 2))
        labels[..., k] = np.roll(labels[..., k], shift, (0, 1))
    noise = rng.random(labels.shape) < 0.06
    labels[noise] = np.roll(labels, 4, 0)[noise]
    return labels


def smoothed(sample: Sample) -> Shot:
    """Smooth neighbours together."""
    before = _rough(sample, LIVER, RIGHT_KIDNEY, SPLEEN, LEFT_KIDNEY)
    scene = sample.scene(before)
    proposal = smooth.smooth_jointly(scene, whole(scene.shape), sigma_mm=2.0)
    return _shot("Smooth together", before, proposal, sample.middle(RIGHT_KIDNEY)[2])


def refined(sample: Sample) -> Shot:
    """Pull a rough border to the image's edge."""
    before = np.roll(sample.only(LEFT_KIDNEY), (4, 3), (0, 1))
    scene = sample.scene(before)
    proposal = refine.refine(scene, whole(scene.shape), (LEFT_KIDNEY,), band_mm=6.0)
    return _shot("Refine in a band of 6 mm", before, proposal, sample.middle(LEFT_KIDNEY)[2])


def widened(sample: Sample) -> Shot:
    """Give a margin in mm."""
    before = sample.only(LEFT_KIDNEY)
    scene = sample.scene(before)
    proposal = margin.grow_margin(scene, whole(scene.shape), (LEFT_KIDNEY,), mm=8.0)
    return _shot("Margin of 8 mm", before, proposal, sample.middle(LEFT_KIDNEY)[2])


def hollowed(sample: Sample) -> Shot:
    """Leave a wall."""
    before = sample.only(LIVER)
    scene = sample.scene(before)
    proposal = margin.hollow(scene, whole(scene.shape), (LIVER,), wall_mm=8.0)
    return _shot("Hollow: a wall of 8 mm", before, proposal, sample.middle(LIVER)[2])


def _spotted(sample: Sample) -> Array:
    rng = np.random.default_rng(5)
    labels = sample.only(LIVER)
    k = sample.middle(LIVER)[2]
    for i, j in rng.integers(120, 390, (30, 2)):
        labels[i : i + 6, j : j + 6, k] = LIVER
    return labels


def largest(sample: Sample) -> Shot:
    """Keep the largest island."""
    before = _spotted(sample)
    scene = sample.scene(before)
    proposal = islands.keep_largest(scene, whole(scene.shape), (LIVER,))
    return _shot("Islands: keep the largest", before, proposal, sample.middle(LIVER)[2])


def split_up(sample: Sample) -> Shot:
    """Give each part a label of its own."""
    before = np.where(sample.only(LEFT_KIDNEY, RIGHT_KIDNEY).T > 0, LEFT_KIDNEY, 0)
    before = before.astype(np.uint8).T
    scene = sample.scene(before)
    proposal = islands.split(scene, whole(scene.shape), LEFT_KIDNEY, (SPLEEN,))
    return _shot("Islands: split", before, proposal, sample.middle(LEFT_KIDNEY)[2])


def without_holes(sample: Sample) -> Shot:
    """Fill holes."""
    rng = np.random.default_rng(7)
    before = sample.only(LIVER)
    i, j, k = sample.middle(LIVER)
    for di, dj in rng.integers(-45, 45, (14, 2)):
        before[i + di : i + di + 8, j + dj : j + dj + 8, k] = 0
    scene = sample.scene(before)
    proposal = holes.fill_holes(scene, slab(scene.shape, AXIAL, k), (LIVER,))
    return _shot("Fill holes", before, proposal, k)


def subtracted(sample: Sample) -> Shot:
    """Take a region from a label."""
    i, j, k = sample.middle(LIVER)
    before = sample.only(LIVER)
    scene = sample.scene(before)
    box = whole(scene.shape)
    region = np.zeros(scene.shape, bool)
    mark = brush.ball(scene.shape, (i, j, k), 30.0, scene.spacing_mm)
    if mark is not None:
        region[mark[0]] = mark[1]
    proposal = logic.combine(scene, box, LIVER, region, how="subtract")
    return _shot("Logic: subtract", before, proposal, k)


def mirrored(sample: Sample) -> Shot:
    """Mirror one side to the other."""
    before = sample.only(LEFT_KIDNEY)
    scene = sample.scene(before)
    middle = (scene.shape[0] - 1) / 2
    proposal = moving.mirror(
        scene,
        whole(scene.shape),
        (LEFT_KIDNEY,),
        axis=0,
        centre_index=middle,
        keep=True,
        becomes={LEFT_KIDNEY: RIGHT_KIDNEY},
    )
    return _shot("Mirror left and right", before, proposal, sample.middle(LEFT_KIDNEY)[2])


def moved(sample: Sample) -> Shot:
    """Move a label."""
    before = sample.only(SPLEEN)
    proposal = moving.translate(sample.scene(before), (SPLEEN,), shift_ijk=(-30, 12, 0))
    return _shot("Translate", before, proposal, sample.middle(SPLEEN)[2])


def cropped(sample: Sample) -> Shot:
    """Clear what lies outside a box."""
    k = sample.middle(LIVER)[2]
    before = sample.only(LIVER, SPLEEN, LEFT_KIDNEY, RIGHT_KIDNEY)
    box = (slice(0, 256), slice(0, before.shape[1]), slice(0, before.shape[2]))
    proposal = moving.crop_to(sample.scene(before), box, (LIVER, SPLEEN, 3, 4))
    return _shot("Crop", before, proposal, k)


def renumbered(sample: Sample) -> Shot:
    """Swap two labels."""
    before = sample.only(LIVER, SPLEEN)
    proposal = moving.renumber(sample.scene(before), {LIVER: SPLEEN, SPLEEN: LIVER})
    return _shot("Renumber: swap two", before, proposal, sample.middle(LIVER)[2])


PAGES: Final[dict[str, tuple[Make, ...]]] = {
    "draw": (paint, edge_paint, draw, live_wire, level, cut_off),
    "grow": (in_range, local, flooded, grown),
    "slices": (filled_between, carried_on, copied),
    "shape": (smoothed, refined, widened, hollowed, largest, split_up, without_holes),
    "move": (subtracted, mirrored, moved, cropped, renumbered),
}
"""The tools of each picture."""
