"""The editing tools on the phantom of ten organs, in CPU seconds, beside what others use."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from _measure import Side, Work, main
from phantom import (
    BACKGROUND,
    NAMES,
    SPACING_ZYX_MM,
    draw_unsteadily,
    make_phantom,
    make_seeds,
    scatter_islands,
)

Array = npt.NDArray[Any]

LABELS = tuple(NAMES)
SPACING_IJK = SPACING_ZYX_MM[::-1]
KIDNEY, LIVER = 4, 1
BETWEEN = 10
SIGMA_MM = 1.5


# -- what is measured on -----------------------------------------------------------------


def prepare(folder: Path) -> None:
    """Write the phantom, seeds and what else the works need."""
    made = make_phantom()
    kidney = _around(made.truth == KIDNEY)
    seeds = make_seeds((made.truth == KIDNEY).astype(np.uint8), (1,), every=12, around_every=12)
    arrays = {
        "ct": made.ct,
        "truth": made.truth,
        "kidney_ct": made.ct[kidney],
        "kidney_truth": made.truth[kidney] == KIDNEY,
        "kidney_seeds": np.where(seeds == BACKGROUND, 2, seeds)[kidney],
        "drawn": draw_unsteadily(made.truth),
        "islands": scatter_islands(made.truth),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array))


def _around(region: Array, pad: tuple[int, int, int] = (14, 20, 20)) -> tuple[slice, ...]:
    spans = []
    for axis, room in enumerate(pad):
        others = tuple(a for a in (0, 1, 2) if a != axis)
        hits = np.flatnonzero(region.any(axis=others))
        first, last = int(hits[0]) - room, int(hits[-1]) + 1 + room
        spans.append(slice(max(0, first), min(region.shape[axis], last)))
    return tuple(spans)


@cache
def _load(folder: Path, name: str) -> Array:
    array: Array = np.load(folder / f"{name}.npy")
    return array


def scene(folder: Path, labels: str | Array, image: str = "ct") -> Any:
    """Return the scene of a tool: arrays (z, y, x) from the folder as (i, j, k)."""
    from napari_medlabel.edit.scene import Scene

    array = _load(folder, labels) if isinstance(labels, str) else labels
    return Scene(array.T, _load(folder, image).T, SPACING_IJK)


def cpu(do: Callable[[], object]) -> Side:
    """Return a side that is measured in CPU seconds of all its threads."""

    def run(_number: int) -> float:
        start = time.process_time()
        do()
        return time.process_time() - start

    return Side(run)


def each(do: Callable[[int], object], calls: int) -> Side:
    """Return a side of many equal calls, in CPU seconds for one."""

    def run(_number: int) -> float:
        start = time.process_time()
        for call in range(calls):
            do(call)
        return time.process_time() - start

    return Side(run, calls=calls)


# -- growing -----------------------------------------------------------------------------


def kidney_ours(folder: Path) -> Side:
    """Grow a kidney from its strokes."""
    from napari_medlabel.edit.grow.seeds import grow_from_seeds
    from napari_medlabel.edit.scene import Scene, whole

    image, seeds = _load(folder, "kidney_ct"), _load(folder, "kidney_seeds")
    there = Scene(np.zeros_like(seeds).T, image.T, SPACING_IJK)
    box = whole(there.shape)

    def grow() -> None:
        found = grow_from_seeds(there, box, seeds.T, background=2)
        assert found is not None
        grown = np.zeros(there.shape, bool)
        grown[found.box] = found.after == 1
        _agrees(grown.T, _load(folder, "kidney_truth"), 0.99)

    return cpu(grow)


def _agrees(found: Array, truth: Array, least: float) -> None:
    total = int(found.sum()) + int(truth.sum())
    assert 2.0 * int((found & truth).sum()) / total >= least, "the answer is not good enough"


def kidney_itk(folder: Path) -> Side:
    """Grow with ITK's fast grow cut."""
    import itk

    kind = itk.FastGrowCut[itk.Image[itk.SS, 3], itk.Image[itk.UC, 3]]
    image = itk.image_from_array(_load(folder, "kidney_ct"))
    seeds = itk.image_from_array(_load(folder, "kidney_seeds"))

    def grow() -> None:
        cut = kind.New(Input=image, SeedImage=seeds)
        cut.Update()

    return cpu(grow)


def _gradient(image: Array) -> Array:
    from scipy import ndimage

    clipped = np.clip(image, -200, 300).astype(np.float32)
    found: Array = ndimage.gaussian_gradient_magnitude(clipped, (0.5, 1, 1))
    return found


def kidney_watershed(folder: Path) -> Side:
    """Flood with scikit-image's watershed, the gradient included."""
    from skimage.segmentation import watershed

    image, seeds = _load(folder, "kidney_ct"), _load(folder, "kidney_seeds").astype(np.int32)
    return cpu(lambda: watershed(_gradient(image), seeds))


def kidney_walker(folder: Path) -> Side:
    """Walk randomly with scikit-image."""
    from skimage.segmentation import random_walker

    image = _load(folder, "kidney_ct").astype(np.float32) / 500.0
    seeds = _load(folder, "kidney_seeds").astype(np.int32)
    return cpu(lambda: random_walker(image, seeds, mode="cg_j", beta=130))


# -- between slices ----------------------------------------------------------------------


def sparse(folder: Path) -> Array:
    """Return the labels of every tenth slice, and nothing between."""
    truth = _load(folder, "truth")
    drawn = np.zeros_like(truth)
    drawn[::BETWEEN] = truth[::BETWEEN]
    return drawn


def between_ours(folder: Path) -> Side:
    """Fill between every tenth slice of ten labels."""
    from napari_medlabel.edit.between import fill_between
    from napari_medlabel.edit.scene import whole

    there = scene(folder, sparse(folder))
    return cpu(lambda: fill_between(there, whole(there.shape), 2))


def between_scipy(folder: Path) -> Side:
    """Blend whole-slice distance maps, label by label, as most scripts do."""
    from scipy.ndimage import distance_transform_edt as far

    drawn = sparse(folder)

    def signed(mask: Array) -> Array:
        inside: Array = far(mask) - far(~mask)
        return inside

    def fill() -> None:
        out = drawn.copy()
        for label in LABELS:
            for low in range(0, len(drawn) - BETWEEN, BETWEEN):
                pair = drawn[low] == label, drawn[low + BETWEEN] == label
                if not (pair[0].any() and pair[1].any()):
                    continue
                first, last = signed(pair[0]), signed(pair[1])
                for step in range(1, BETWEEN):
                    share = step / BETWEEN
                    out[low + step][(1 - share) * first + share * last > 0] = label

    return cpu(fill)


_ITK_BETWEEN = """
import itk, numpy, sys, time
image = itk.image_from_array(numpy.load(sys.argv[1]))
start = time.process_time()
found = itk.morphological_contour_interpolator(image, axis=2)
print(time.process_time() - start)
"""


def between_itk(folder: Path) -> Side:
    """Let ITK's filter do it, in a process of its own: it corrupts the heap now and then."""
    path = folder / "sparse.npy"
    np.save(path, sparse(folder))

    def run(_number: int) -> float:
        for _ in range(6):
            done = subprocess.run(
                [sys.executable, "-c", _ITK_BETWEEN, str(path)],
                capture_output=True,
                text=True,
                timeout=900,
                check=False,
            )
            if done.returncode == 0:
                return float(done.stdout.split()[-1])
        raise RuntimeError(done.stderr)

    return Side(run)


# -- drawing -----------------------------------------------------------------------------


def _slice(folder: Path) -> tuple[Array, Array]:
    truth = _load(folder, "truth")
    z = int((truth == LIVER).sum(axis=(1, 2)).argmax())
    return _load(folder, "ct")[z], truth[z] == LIVER


def _rim(folder: Path) -> Array:
    from skimage.measure import find_contours

    _, liver = _slice(folder)
    rim: Array = max(find_contours(liver.astype(float), 0.5), key=len)
    return rim


MOVES = 200


def live_wire_ours(folder: Path) -> Side:
    """Follow the mouse along the liver's rim after an anchor."""
    from napari_medlabel.edit import slice_loops
    from napari_medlabel.edit.livewire import LiveWire

    slice_loops.wait()
    image, _ = _slice(folder)
    rim = _rim(folder)
    wire = LiveWire(image, (0.7, 0.7))
    wire.anchor(rim[0])
    wire.path_to(rim[5])
    return each(lambda n: wire.path_to(rim[5 + n % 60]), MOVES)


def live_wire_skimage(folder: Path) -> Side:
    """Find each path anew with scikit-image."""
    from skimage.graph import route_through_array

    image, _ = _slice(folder)
    rim = np.rint(_rim(folder)).astype(int)
    cost = 1.0 / (1.0 + _gradient(image[None])[0])
    return each(lambda n: route_through_array(cost, rim[0], rim[5 + n % 60]), 10)


def trace_ours(folder: Path) -> Side:
    """Trace the level under the mouse."""
    from napari_medlabel.edit import slice_loops
    from napari_medlabel.edit.tracing import level_trace

    slice_loops.wait()
    image, _ = _slice(folder)
    rim = _rim(folder)
    return each(lambda n: level_trace(image, rim[n % len(rim)], tolerance=25.0), MOVES)


def trace_skimage(folder: Path) -> Side:
    """Flood the level under the mouse with scikit-image, and outline it."""
    from skimage.measure import find_contours
    from skimage.segmentation import flood

    image, _ = _slice(folder)
    rim = np.rint(_rim(folder)).astype(int)

    def trace(n: int) -> None:
        region = flood(image, tuple(rim[n % len(rim)]), tolerance=25.0)
        find_contours(region.astype(float), 0.5)

    return each(trace, 20)


# -- tidying -----------------------------------------------------------------------------


def margin_ours(folder: Path) -> Side:
    """Give the liver a margin of 5 mm."""
    from napari_medlabel.edit.margin import grow_margin
    from napari_medlabel.edit.scene import whole

    there = scene(folder, "truth")
    return cpu(lambda: grow_margin(there, whole(there.shape), (LIVER,), mm=5.0))


def margin_scipy(folder: Path) -> Side:
    """Measure distances over the whole volume with scipy."""
    from scipy.ndimage import distance_transform_edt

    outside = _load(folder, "truth") != LIVER
    return cpu(lambda: distance_transform_edt(outside, sampling=SPACING_ZYX_MM) <= 5.0)


def margin_itk(folder: Path) -> Side:
    """Measure distances over the whole volume with SimpleITK (Maurer)."""
    import SimpleITK as sitk  # noqa: N813

    image = sitk.GetImageFromArray((_load(folder, "truth") == LIVER).astype(np.uint8))
    image.SetSpacing(SPACING_IJK)
    return cpu(
        lambda: (
            sitk.SignedMaurerDistanceMap(
                image, squaredDistance=False, useImageSpacing=True, insideIsPositive=False
            )
            <= 5.0
        )
    )


def largest_ours(folder: Path) -> Side:
    """Keep the largest part of each of ten labels."""
    from napari_medlabel.edit.islands import keep_largest
    from napari_medlabel.edit.scene import whole

    there = scene(folder, "islands")
    return cpu(lambda: keep_largest(there, whole(there.shape), LABELS))


def largest_scipy(folder: Path) -> Side:
    """Label and count with scipy, label by label."""
    from scipy import ndimage

    labels = _load(folder, "islands")

    def keep() -> None:
        for label in LABELS:
            parts, _ = ndimage.label(labels == label)
            sizes = np.bincount(parts.ravel())
            sizes[0] = 0
            _ = parts == sizes.argmax()

    return cpu(keep)


def largest_itk(folder: Path) -> Side:
    """Relabel by size with SimpleITK, label by label."""
    import SimpleITK as sitk  # noqa: N813

    image = sitk.GetImageFromArray(_load(folder, "islands"))

    def keep() -> None:
        for label in LABELS:
            _ = sitk.RelabelComponent(sitk.ConnectedComponent(image == label)) == 1

    return cpu(keep)


def smooth_ours(folder: Path) -> Side:
    """Smooth ten labels at once."""
    from napari_medlabel.edit.scene import whole
    from napari_medlabel.edit.smooth import smooth_jointly

    there = scene(folder, "drawn")
    return cpu(lambda: smooth_jointly(there, whole(there.shape), LABELS, sigma_mm=SIGMA_MM))


def smooth_scipy(folder: Path) -> Side:
    """Blur each label over the whole volume in double precision, and take the strongest."""
    from scipy import ndimage

    labels = _load(folder, "drawn")
    sigma = [SIGMA_MM / mm for mm in SPACING_ZYX_MM]

    def smooth() -> None:
        best, out = np.full(labels.shape, 0.5), np.zeros_like(labels)
        for label in LABELS:
            soft = ndimage.gaussian_filter((labels == label).astype(float), sigma)
            won = soft > best
            best[won], out[won] = soft[won], label

    return cpu(smooth)


def flood_ours(folder: Path) -> Side:
    """Flood the soft tissue from a click, in 3D."""
    from napari_medlabel.edit.flood import flood
    from napari_medlabel.edit.scene import whole

    there = scene(folder, np.zeros_like(_load(folder, "truth")))
    return cpu(
        lambda: flood(there, whole(there.shape), muscle(folder), 1, low=-10.0, high=130.0)
    )


def muscle(folder: Path) -> tuple[int, int, int]:
    """Return a voxel (i, j, k) of the liver."""
    z, y, x = np.argwhere(_load(folder, "truth") == LIVER)[1000]
    return int(x), int(y), int(z)


def flood_napari(folder: Path) -> Side:
    """Fill with napari's bucket on the thresholded scan, in 3D."""
    from napari.layers import Labels

    ct = _load(folder, "ct")
    layer = Labels(((ct >= -10) & (ct <= 130)).astype(np.uint8))
    layer.n_edit_dimensions = 3
    x, y, z = muscle(folder)
    numbers = iter(range(2, 100))
    return cpu(lambda: layer.fill((z, y, x), next(numbers)))


def noise_ours(_folder: Path) -> Side:
    """Flood noisy air in 105 million voxels, where runs are a few voxels long."""
    from napari_medlabel.edit.flood import flood
    from napari_medlabel.edit.scene import Scene, whole

    rng = np.random.default_rng(3)
    air = np.empty((400, 512, 512), np.int16)
    for plane in air:
        plane[...] = -1000 + 20 * rng.standard_normal(plane.shape, dtype=np.float32)
    air[200, 256, 256] = -1000
    there = Scene(np.zeros(air.shape, np.uint8).T, air.T, SPACING_IJK)
    box = whole(there.shape)
    return cpu(lambda: flood(there, box, (256, 256, 200), 1, low=-1040.0, high=-960.0))


def edge_ours(folder: Path) -> Side:
    """Paint with an edge-aware ball of 30 mm in the liver."""
    from napari_medlabel.edit.brush import ball
    from napari_medlabel.edit.edge_brush import edge_aware

    there = scene(folder, "truth")
    inside = np.argwhere(_load(folder, "truth") == LIVER)
    centres = inside[:: len(inside) // 20][:20, ::-1]
    marks = [ball(there.shape, at.astype(float), 15.0, SPACING_IJK) for at in centres]

    def paint(number: int) -> None:
        mark = marks[number % len(marks)]
        assert mark is not None
        edge_aware(there, *mark, centres[number % len(marks)])

    return each(paint, MOVES)


def limit(seconds: float, _folder: Path) -> Side:
    """Return the time that a work may take, in place of a peer."""
    return Side(lambda _: seconds)


# -- measures ----------------------------------------------------------------------------


def metrics_ours(folder: Path) -> Side:
    """Dice, HD95, ASSD and NSD of ten labels."""
    from napari_medlabel.geometry.affine import Affine
    from napari_medlabel.geometry.grid import Grid
    from napari_medlabel.measure.agreement import compare_masks
    from napari_medlabel.model.labelmap import LabelMap, LabelScheme

    first, second = _load(folder, "truth").T, _load(folder, "drawn").T
    grid = Grid(first.shape, Affine(np.diag([*SPACING_IJK, 1.0])))
    scheme = LabelScheme("phantom", ()).with_unnamed(LABELS)
    pair = [LabelMap(grid, array, scheme) for array in (first, second)]
    return cpu(lambda: compare_masks(pair[0], pair[1], tolerance_mm=2.0))


def metrics_deepmind(folder: Path) -> Side:
    """Take the same measures with DeepMind's surface-distance, label by label."""
    import surface_distance

    first, second = _load(folder, "truth"), _load(folder, "drawn")

    def compare() -> None:
        for label in LABELS:
            a, b = first == label, second == label
            found = surface_distance.compute_surface_distances(a, b, SPACING_ZYX_MM)
            surface_distance.compute_robust_hausdorff(found, 95)
            surface_distance.compute_average_surface_distance(found)
            surface_distance.compute_surface_dice_at_tolerance(found, 2.0)
            surface_distance.compute_dice_coefficient(a, b)

    return cpu(compare)


ROW = partial(Work, repeats=3)

WORKS = (
    ROW("grow a kidney from seeds", kidney_ours, "ITK FastGrowCut", kidney_itk, 5.0),
    ROW("grow a kidney from seeds", kidney_ours, "skimage watershed", kidney_watershed, 2.5),
    Work("grow a kidney from seeds", kidney_ours, "skimage random walker", kidney_walker, None,
         repeats=1),
    Work("fill between every 10th slice of 10 labels", between_ours,
         "ITK contour interpolation", between_itk, 50.0, repeats=3),
    ROW("fill between every 10th slice of 10 labels", between_ours, "scipy distance maps",
        between_scipy, None),
    ROW("live wire, a mouse move", live_wire_ours, "skimage route_through_array",
        live_wire_skimage, None),
    ROW("level tracing, a mouse move", trace_ours, "skimage flood and contour", trace_skimage,
        None),
    ROW("margin of 5 mm on the liver", margin_ours, "scipy distances", margin_scipy, None),
    ROW("margin of 5 mm on the liver", margin_ours, "SimpleITK Maurer", margin_itk, None),
    ROW("keep the largest part of 10 labels", largest_ours, "scipy", largest_scipy, None),
    ROW("keep the largest part of 10 labels", largest_ours, "SimpleITK", largest_itk, None),
    Work("smooth 10 labels jointly", smooth_ours, "scipy in double precision", smooth_scipy,
         None, repeats=1),
    Work("flood 3D, 79 million voxels", flood_ours, "napari's bucket", flood_napari, None,
         repeats=1),
    ROW("flood 3D, noisy air, 105 million voxels", noise_ours, "limit of the issue",
        partial(limit, 1.5), 1.0),
    ROW("edge-aware brush, ball of 30 mm, one event", edge_ours, "limit that was set",
        partial(limit, 0.002), 1.0),
    Work("Dice, HD95, ASSD, NSD of 10 labels", metrics_ours,
         "DeepMind surface-distance", metrics_deepmind, None, repeats=1),
)  # fmt: skip


if __name__ == "__main__":
    main(__file__, WORKS, prepare)
