from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.measure.surface import CONVENTIONS, Surface, distances, surface_of
from napari_medlabel.measure.surfels import CORNERS, areas_mm2, codes
from tests.tilted import STEPS, steps

REFERENCES = [
    # Computed with surface-distance-based-measures 0.1 (Apache-2.0): both directed means, HD95,
    # HD, and surface Dice at 1 mm.
    ("shift", (0.958095798, 0.958095798, 3.0, 3.0, 0.685356034)),
    ("larger", (1.409563293, 1.59200688, 3.0, 3.0, 0.370762801)),
    ("stray", (0.0, 0.063573728, 0.0, 31.400636936, 0.998935697)),
    ("border", (0.677021877, 0.508690071, 3.0, 3.0, 0.820198928)),
]
SUM_111, SUM_321 = 241.34313970553745, 610.8111164084678

SPACINGS = st.tuples(*(st.floats(0.3, 4.0) for _ in range(3)))


def ball(shape: tuple[int, int, int], centre_mm, radius_mm: float, spacing) -> np.ndarray:
    away = [
        (np.arange(n) * mm - c).reshape([-1 if a == axis else 1 for a in range(3)])
        for axis, (n, mm, c) in enumerate(zip(shape, spacing, centre_mm, strict=True))
    ]
    return sum(np.square(part) for part in away) <= radius_mm**2


@st.composite
def two_regions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(st.tuples(*(st.integers(1, 5) for _ in range(3))))
    cells = st.lists(st.booleans(), min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))
    return tuple(np.array(draw(cells)).reshape(shape) for _ in range(2))


def test_the_256_pieces_have_the_areas_of_the_published_table() -> None:
    table = areas_mm2((1.0, 1.0, 1.0))
    # Sums over the 256 codes of DeepMind's surface-distance 0.1, for two spacings.
    assert table.sum() == pytest.approx(SUM_111, abs=1e-9)
    assert areas_mm2((3.0, 1.3, 0.7)).sum() == pytest.approx(SUM_321, abs=1e-8)
    assert table[0b00000001] == pytest.approx(np.sqrt(3) / 8)
    assert table[0b00001111] == 1.0
    assert table[0b00000011] == pytest.approx(np.sqrt(0.5))
    np.testing.assert_allclose(table, table[::-1], atol=1e-12)


def test_a_piece_has_the_same_area_however_the_cube_is_turned() -> None:
    table = areas_mm2((1.0, 1.0, 1.0))
    turned = areas_mm2((3.0, 1.3, 0.7))
    at = {corner: bit for bit, corner in enumerate(CORNERS)}
    for code in range(256):
        swapped = sum(1 << at[c, b, a] for (a, b, c), bit in at.items() if code >> bit & 1)
        assert table[code] == pytest.approx(table[swapped])
        assert turned[code] == pytest.approx(areas_mm2_of_swapped(swapped))


def areas_mm2_of_swapped(code: int) -> float:
    return float(areas_mm2((0.7, 1.3, 3.0))[code])


@given(two_regions())
@settings(max_examples=40)
def test_codes_are_those_of_eight_voxels_looked_at_one_by_one(regions) -> None:
    mask = regions[0]
    padded = np.pad(mask, 1)
    found = codes(mask)
    for at in np.ndindex(found.shape):
        code = sum(
            1 << bit
            for bit, corner in enumerate(CORNERS)
            if padded[tuple(n + c for n, c in zip(at, corner, strict=True))]
        )
        assert found[at] == code


def test_a_ball_has_the_surface_of_a_ball() -> None:
    spacing = (0.7, 0.7, 1.0)
    surface = surface_of(ball((60, 60, 44), (21, 21, 21), 18.0, spacing), spacing)
    # A surface through the middles of edges is a few percent larger than a smooth one.
    assert surface.area_mm2 == pytest.approx(4 * np.pi * 18.0**2, rel=0.11)


# -- oracles -----------------------------------------------------------------------------


def slow(first: Surface, second: Surface) -> tuple[list[float], list[float]]:
    apart = np.linalg.norm(first.points_mm[:, None] - second.points_mm[None], axis=-1)
    return sorted(apart.min(axis=1)), sorted(apart.min(axis=0))


@given(two_regions(), SPACINGS, st.sampled_from(CONVENTIONS))
@settings(max_examples=40)
def test_distances_are_those_of_a_search_through_all_pairs(
    regions, spacing, convention
) -> None:
    first, second = (surface_of(mask, spacing, convention) for mask in regions)
    if not len(first.index) or not len(second.index):
        with pytest.raises(InputError, match="no surface"):
            distances(first, second)
        return
    forth, back = slow(first, second)
    found = distances(first, second)
    np.testing.assert_allclose(found.forth_mm, forth, atol=1e-9)
    np.testing.assert_allclose(found.back_mm, back, atol=1e-9)
    assert found.hausdorff_mm() == pytest.approx(max(forth[-1], back[-1]), abs=1e-9)
    assert found.hausdorff_mm(95) <= found.hausdorff_mm() + 1e-12
    assert found.nsd(forth[-1] + back[-1] + 1) == pytest.approx(1.0)
    other = distances(second, first)
    assert other.assd_mm == pytest.approx(found.assd_mm)
    assert other.nsd(1.0) == pytest.approx(found.nsd(1.0))


@given(two_regions())
@settings(max_examples=40)
def test_the_surface_of_voxels_is_those_with_a_free_face(regions) -> None:
    mask = regions[0]
    padded = np.pad(mask, 1)
    free = set()
    for at in np.argwhere(mask):
        for axis, step in product(range(3), (-1, 1)):
            near = at + 1
            near[axis] += step
            if not padded[tuple(near)]:
                free.add(tuple(at.tolist()))
    found = surface_of(mask, (1, 1, 1), "voxel").index
    assert {tuple(at) for at in found.tolist()} == free


def test_where_a_crop_begins_does_not_matter() -> None:
    spacing = (0.7, 0.8, 2.5)
    first = ball((30, 30, 12), (10, 10, 12), 7.0, spacing)
    second = ball((30, 30, 12), (11, 10, 12), 7.5, spacing)
    for convention in CONVENTIONS:
        whole, crop = (
            distances(*(surface_of(one[part], spacing, convention) for one in (first, second)))
            for part in ((slice(None),), (slice(0, 29), slice(0, 29), slice(0, 11)))
        )
        assert crop.assd_mm == whole.assd_mm
        assert crop.hausdorff_mm(95) == whole.hausdorff_mm(95)


def test_two_times_a_spacing_is_within_a_tolerance_of_that_length() -> None:
    first = np.zeros((12, 3, 3), bool)
    second = first.copy()
    first[2:8], second[5:11] = True, True
    apart = distances(*(surface_of(m, (0.1, 50.0, 50.0), "voxel") for m in (first, second)))
    assert apart.hausdorff_mm() == pytest.approx(0.3)
    assert apart.nsd(0.3) == 1.0


# -- the references ------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "reference"), REFERENCES, ids=[c for c, _ in REFERENCES])
def test_surfel_values_equal_those_of_the_published_package(case, reference) -> None:
    spacing, tolerance = (3.0, 1.0, 1.0), 1.0
    shape, centre = (20, 44, 44), (30.0, 22.0, 22.0)
    first = ball(shape, centre, 12.0, spacing)
    second = ball(shape, (33.0, *centre[1:]) if case == "shift" else centre, 12.0, spacing)
    if case == "larger":
        second = ball(shape, centre, 14.0, spacing)
    if case == "stray":
        second[0, 0, 0] = True
    if case == "border":
        first, second = first[8:], second[9:]
        second = np.concatenate([second, np.zeros_like(second[:1])])
    found = distances(surface_of(first, spacing), surface_of(second, spacing))
    values = (
        *found.directed_means_mm,
        found.hausdorff_mm(95),
        found.hausdorff_mm(),
        found.nsd(tolerance),
    )
    assert values == pytest.approx(reference, abs=1e-6)


def test_voxel_values_equal_those_of_simpleitk_on_the_same_contours() -> None:
    sitk = pytest.importorskip("SimpleITK")
    spacing = (0.7, 0.9, 2.5)
    first = ball((40, 36, 14), (14, 15, 16), 9.0, spacing)
    second = ball((40, 36, 14), (15.5, 15, 18), 10.0, spacing)
    contours = []
    for mask in (first, second):
        image = sitk.GetImageFromArray(mask.T.astype(np.uint8))
        image.SetSpacing(spacing)
        contours.append(sitk.LabelContour(image, fullyConnected=False))
    theirs = sitk.HausdorffDistanceImageFilter()
    theirs.Execute(*contours)
    ours = distances(*(surface_of(mask, spacing, "voxel") for mask in (first, second)))
    assert ours.hausdorff_mm() == pytest.approx(theirs.GetHausdorffDistance(), abs=1e-5)


# -- refusals ------------------------------------------------------------------------------


def test_what_is_no_region_is_refused() -> None:
    with pytest.raises(GeometryError, match="three axes"):
        surface_of(np.zeros((2, 2), bool), (1, 1, 1))
    with pytest.raises(GeometryError, match="above 0 mm"):
        surface_of(np.zeros((2, 2, 2), bool), (1, 0, 1))
    one = surface_of(np.ones((2, 2, 2), bool), (1, 1, 1))
    with pytest.raises(InputError, match="one grid by one convention"):
        distances(one, surface_of(np.ones((2, 2, 2), bool), (1, 1, 1), "voxel"))
    with pytest.raises(InputError, match="above 0 and at most 100"):
        distances(one, one).hausdorff_mm(0)
    with pytest.raises(InputError, match="have no area"):
        _ = surface_of(np.ones((2, 2, 2), bool), (1, 1, 1), "voxel").area_mm2


# -- tilted scans ------------------------------------------------------------------------


@given(two_regions(), STEPS, st.sampled_from(CONVENTIONS))
@settings(max_examples=40, deadline=None)
def test_on_a_tilted_scan_distances_are_those_in_the_patient(
    regions, matrix, convention
) -> None:
    spacing = tuple(np.linalg.norm(matrix, axis=0))
    first, second = (surface_of(mask, spacing, convention, skew_mm=matrix) for mask in regions)
    if not len(first.index) or not len(second.index):
        return
    apart = np.linalg.norm((first.index[:, None] - second.index[None]) @ matrix.T, axis=-1)
    found = distances(first, second)
    np.testing.assert_allclose(found.forth_mm, sorted(apart.min(axis=1)), atol=1e-9)
    np.testing.assert_allclose(found.back_mm, sorted(apart.min(axis=0)), atol=1e-9)


def test_surfaces_of_two_tilts_are_not_compared() -> None:
    mask = np.ones((2, 2, 2), bool)
    straight = surface_of(mask, (1, 1, 1))
    tilted = [surface_of(mask, (1, 1, 1), skew_mm=steps((1, 1, 1), d)) for d in (10, 20)]
    for pair in ((straight, tilted[0]), tuple(tilted)):
        with pytest.raises(InputError, match="on one grid"):
            distances(*pair)


def test_the_faces_of_a_block_on_a_tilted_scan_have_the_area_that_they_have() -> None:
    matrix, n = steps((0.7, 0.7, 2.0), 20.0, turn_deg=30.0), 60
    block = np.ones((n, n, n), bool)
    faces = [np.cross(matrix[:, a], matrix[:, b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    wanted = 2 * n * n * sum(float(np.linalg.norm(face)) for face in faces)
    # Edges are cut off, by half a voxel.
    area = surface_of(block, (0.7, 0.7, 2.0), skew_mm=matrix).area_mm2
    assert area == pytest.approx(wanted, rel=0.02)
