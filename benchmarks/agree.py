"""Agreement and consensus of readings, in the box of what was labelled and in the scan."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from _measure import Side, Work, main

Array = npt.NDArray[Any]
SHAPE_ZYX = (100, 256, 256)
SPACING_ZYX_MM = (3.0, 1.0, 1.0)
SPACING_IJK = SPACING_ZYX_MM[::-1]
RATERS = 3
SIZES_MM = {"lesion": 11.6, "organ": 57.0}
"""Radius: 6.6 and 790 ml."""


def prepare(folder: Path) -> None:
    """Write what three raters drew of a lesion and of an organ."""
    rng = np.random.default_rng(7)
    z, y, x = np.ogrid[: SHAPE_ZYX[0], : SHAPE_ZYX[1], : SHAPE_ZYX[2]]
    for name, radius in SIZES_MM.items():
        for rater in range(RATERS):
            middle = np.array([50.0, 120.0, 130.0]) + rng.normal(0, 0.4, 3)
            phase = rng.uniform(0, 6.28, 2)
            wave = 1 + 0.04 * np.sin(x / 9.0 + phase[0]) * np.cos(y / 8.0 + phase[1])
            away = ((z - middle[0]) * 3.0) ** 2 + (y - middle[1]) ** 2 + (x - middle[2]) ** 2
            mask = away < (radius * wave) ** 2
            np.save(folder / f"{name}{rater}.npy", mask.astype(np.uint8))


@cache
def _masks(folder: Path, name: str) -> list[Array]:
    return [np.load(folder / f"{name}{rater}.npy") for rater in range(RATERS)]


def cpu(do: Callable[[], object]) -> Side:
    """Return a side that is measured in CPU seconds of all its threads."""

    def run(_number: int) -> float:
        start = time.process_time()
        do()
        return time.process_time() - start

    return Side(run)


def _readings(folder: Path, name: str) -> dict[str, Any]:
    from napari_medlabel.geometry.affine import Affine
    from napari_medlabel.geometry.grid import Grid
    from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme

    scheme = LabelScheme("One", (Label(1, name, "#0072b2"),))
    grid = Grid(SHAPE_ZYX[::-1], Affine.from_spacing(SPACING_IJK))
    return {
        f"r{n}": LabelMap(grid, mask.T, scheme) for n, mask in enumerate(_masks(folder, name))
    }


# -- the table of all pairs --------------------------------------------------------------


def table_ours(name: str, convention: str) -> Callable[[Path], Side]:
    """Compare all pairs."""

    def side(folder: Path) -> Side:
        from napari_medlabel.project.agreement.table import Reading, compare_readings

        readings = [Reading(who, one) for who, one in _readings(folder, name).items()]
        return cpu(lambda: compare_readings("c", readings, convention=convention))  # type: ignore[arg-type]

    return side


def table_whole(name: str) -> Callable[[Path], Side]:
    """Compare all pairs by distance maps of the whole scan, as is usual in scripts."""

    def side(folder: Path) -> Side:
        from scipy import ndimage

        masks = [one.astype(bool) for one in _masks(folder, name)]

        def compare() -> None:
            for a, b in combinations(masks, 2):
                edges = [one & ~ndimage.binary_erosion(one) for one in (a, b)]
                maps = [
                    ndimage.distance_transform_edt(~one, sampling=SPACING_ZYX_MM)
                    for one in edges
                ]
                forth, back = maps[1][edges[0]], maps[0][edges[1]]
                max(np.percentile(forth, 95), np.percentile(back, 95))
                (forth.sum() + back.sum()) / (forth.size + back.size)
                2.0 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))

        return cpu(compare)

    return side


def table_itk(name: str) -> Callable[[Path], Side]:
    """Compare all pairs with SimpleITK: overlap and Hausdorff distance, no HD95."""

    def side(folder: Path) -> Side:
        import SimpleITK as sitk  # noqa: N813

        images = []
        for mask in _masks(folder, name):
            image = sitk.GetImageFromArray(mask)
            image.SetSpacing(SPACING_IJK)
            images.append(image)

        def compare() -> None:
            for a, b in combinations(images, 2):
                overlap = sitk.LabelOverlapMeasuresImageFilter()
                overlap.Execute(a, b)
                far = sitk.HausdorffDistanceImageFilter()
                far.Execute(a, b)

        return cpu(compare)

    return side


def table_deepmind(name: str) -> Callable[[Path], Side]:
    """Compare all pairs with DeepMind's surface-distance, which crops by itself."""

    def side(folder: Path) -> Side:
        import warnings

        import surface_distance

        masks = [one.astype(bool) for one in _masks(folder, name)]

        def compare() -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for a, b in combinations(masks, 2):
                    apart = surface_distance.compute_surface_distances(a, b, SPACING_ZYX_MM)
                    surface_distance.compute_robust_hausdorff(apart, 95)
                    surface_distance.compute_surface_dice_at_tolerance(apart, 2.0)
                    surface_distance.compute_average_surface_distance(apart)
                    surface_distance.compute_dice_coefficient(a, b)

        return cpu(compare)

    return side


# -- consensus ---------------------------------------------------------------------------


def consensus_ours(name: str, rule: str) -> Callable[[Path], Side]:
    """Make one mask of three by a rule."""

    def side(folder: Path) -> Side:
        from napari_medlabel.project.agreement.consensus import agree_on

        readings = _readings(folder, name)
        return cpu(lambda: agree_on(readings, rule))  # type: ignore[arg-type]

    return side


def staple_itk(name: str, *, cropped: bool) -> Callable[[Path], Side]:
    """Run SimpleITK's STAPLE on the whole scan, or in our box."""

    def side(folder: Path) -> Side:
        import SimpleITK as sitk  # noqa: N813

        from napari_medlabel.project.agreement.cropping import union_box

        masks = _masks(folder, name)

        def run() -> None:
            box = union_box(masks, SPACING_ZYX_MM, 10.0) if cropped else (slice(None),) * 3
            assert box is not None
            images = [sitk.GetImageFromArray(np.ascontiguousarray(one[box])) for one in masks]
            tool = sitk.STAPLEImageFilter()
            _ = sitk.GetArrayFromImage(tool.Execute(images)) > 0.5

        return cpu(run)

    return side


def voting_itk(name: str) -> Callable[[Path], Side]:
    """Vote with SimpleITK."""

    def side(folder: Path) -> Side:
        import SimpleITK as sitk  # noqa: N813

        images = [sitk.GetImageFromArray(one) for one in _masks(folder, name)]
        return cpu(lambda: sitk.GetArrayFromImage(sitk.LabelVoting(images, 255)))

    return side


def _thrice(words: str, ours: Side, peer: str, theirs: Side, factor: float) -> Work:
    return Work(words, ours, peer, theirs, factor, repeats=3)


WORKS = [
    _thrice(
        "All pairs of 3 readings of a lesion (6.6 ml, 256 x 256 x 100)",
        table_ours("lesion", "voxel"),
        "distance maps of the whole scan (SciPy)",
        table_whole("lesion"),
        10.0,
    ),
    _thrice(
        "The same beside SimpleITK",
        table_ours("lesion", "surfel"),
        "SimpleITK, Dice and HD only, whole scan",
        table_itk("lesion"),
        10.0,
    ),
    _thrice(
        "The same beside DeepMind's",
        table_ours("lesion", "surfel"),
        "surface-distance, which crops",
        table_deepmind("lesion"),
        1.0,
    ),
    _thrice(
        "All pairs of 3 readings of an organ (790 ml)",
        table_ours("organ", "surfel"),
        "surface-distance, which crops",
        table_deepmind("organ"),
        1.0,
    ),
    _thrice(
        "STAPLE of a lesion",
        consensus_ours("lesion", "staple"),
        "SimpleITK, whole scan",
        staple_itk("lesion", cropped=False),
        10.0,
    ),
    _thrice(
        "STAPLE of an organ, one box",
        consensus_ours("organ", "staple"),
        "SimpleITK, our box",
        staple_itk("organ", cropped=True),
        1.0,
    ),
    _thrice(
        "Majority of an organ",
        consensus_ours("organ", "majority"),
        "SimpleITK LabelVoting",
        voting_itk("organ"),
        1.0,
    ),
]

if __name__ == "__main__":
    main(__file__, WORKS, prepare)
