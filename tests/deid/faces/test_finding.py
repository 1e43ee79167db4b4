"""Faces of invented heads: found and removed, or refused with the reason."""

from __future__ import annotations

import pickle  # noqa: TID251 - what processes talk in
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.deid.faces.field import coarse
from napari_medlabel.deid.faces.finding import (
    Doubt,
    FaceFound,
    FaceUnsure,
    air_value,
    find_face,
)
from napari_medlabel.geometry.axes import ORIENTATIONS, orientation_matrix
from tests.deid.head_phantom import (
    Head,
    Scanned,
    as_mr,
    grid_around,
    scanned,
    turned,
    with_headrest,
)


@cache
def head(**changed: object) -> Scanned:
    return scanned(*grid_around(), **changed)  # type: ignore[arg-type]


def doubt(scan: Scanned, modality: str = "CT", **given_: object) -> Doubt:
    with pytest.raises(FaceUnsure) as caught:
        find_face(scan.hu, scan.matrix, modality=modality, **given_)  # type: ignore[arg-type]
    return caught.value.doubt


def tried(scan: Scanned) -> FaceFound | Doubt:
    try:
        return find_face(scan.hu, scan.matrix, modality="CT")
    except FaceUnsure as err:
        return err.doubt


def assert_gone(scan: Scanned, found: FaceFound, face: float = 0.8, ears: float = 0.8) -> None:
    mask = found.mask()
    assert not (mask & scan.brain).any()
    assert found.surface >= 0.98
    assert (mask & scan.face).sum() >= face * scan.face.sum()
    for name, least in (
        ("eyes", 0.85),
        ("nose", 1),
        ("mouth", 1),
        ("chin", 0.99),
        ("ears", ears),
    ):
        part = scan.parts[name]
        assert (mask & part).sum() >= least * part.sum(), name


HEADS = {
    "usual": {},
    "chin up": {"pose": (18.0, 0.0, 0.0)},
    "chin down": {"pose": (-15.0, 0.0, 0.0)},
    "askew": {"pose": (0.0, 8.0, 12.0)},
    "small": {"scale": 0.9},
    "flat nose, thin bone": {"head": Head(nose=0.7, chin=0.6, skull_mm=5)},
    "long nose, narrow": {"head": Head(nose=1.3, chin=1.4, wide=0.94, long=1.06)},
    "broad, thick bone": {"head": Head(wide=1.1, long=0.92, skull_mm=10)},
}


@pytest.mark.parametrize("name", HEADS)
def test_a_ct_loses_its_face_and_nothing_of_the_brain(name: str) -> None:
    scan = head(**HEADS[name])
    assert_gone(scan, find_face(scan.hu, scan.matrix, modality="CT"))


def odd(kind: str) -> Scanned:
    """A head with something in it or at it."""
    scan = head()
    ras = np.moveaxis(np.indices(scan.hu.shape), 0, -1) @ scan.matrix[:3, :3].T
    x, y, z = np.moveaxis(ras + scan.matrix[:3, 3], -1, 0)
    hu = scan.hu.copy()
    if kind == "contrast in vessels":
        sinus = (np.abs(x) < 4) & (np.hypot(y / 80, (z - 20) / 56) > 0.93)
        artery = (np.hypot(y - 15, z + 5) < 2.5) & (np.abs(x) < 50)
        hu[(sinus | artery) & scan.brain] = 380
    elif kind == "air in the skull":
        hu[(x - 20) ** 2 + (y - 40) ** 2 + (z - 40) ** 2 < 20**2] = -900
    elif kind == "blood":
        hu[(x - 20) ** 2 + (y + 10) ** 2 + (z - 20) ** 2 < 25**2] = 75
    else:
        hu[(np.hypot(x - 5, z + 78) < 5) & (y > 60) & (y < 141)] = 100
    return replace(scan, hu=hu)


@pytest.mark.parametrize(
    "kind", ["contrast in vessels", "air in the skull", "blood", "a tube in the mouth"]
)
def test_what_is_in_or_at_the_head_does_not_matter(kind: str) -> None:
    scan = odd(kind)
    assert_gone(scan, find_face(scan.hu, scan.matrix, modality="CT"))


def test_two_people_with_one_skull_cannot_be_told_apart_afterwards() -> None:
    left = []
    for one in (Head(nose=0.7, chin=0.6), Head(nose=1.3, chin=1.4)):
        scan = head(head=one, noise=0.0)
        found = find_face(scan.hu, scan.matrix, modality="CT")
        left.append(np.where(found.mask(), -1000, scan.hu))
    np.testing.assert_array_equal(left[0], left[1])
    assert (head(head=Head(nose=0.7, chin=0.6), noise=0.0).hu != scan.hu).any()


def test_a_headrest_does_not_matter() -> None:
    scan = with_headrest(head())
    assert_gone(scan, find_face(scan.hu, scan.matrix, modality="CT"))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 5.0), (1.6, 1.6, 1.2)])
def test_thick_and_thin_slices_do_not_matter(spacing: tuple[float, float, float]) -> None:
    scan = scanned(*grid_around(spacing), noise=12.0)
    assert_gone(scan, find_face(scan.hu, scan.matrix, modality="CT"))


def reordered(scan: Scanned, codes: str) -> Scanned:
    """The same head stored along other axes."""
    matrix = orientation_matrix(codes)
    order = [int(np.abs(matrix[:, axis]).argmax()) for axis in range(3)]
    flips = [matrix[world, axis] < 0 for axis, world in enumerate(order)]
    inner = np.zeros((4, 4))
    inner[3, 3] = 1
    for axis, (world, flip) in enumerate(zip(order, flips, strict=True)):
        inner[world, axis] = -1 if flip else 1
        inner[world, 3] = scan.hu.shape[world] - 1 if flip else 0

    def turn(array):
        turned_ = array.transpose(order)
        return turned_[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]

    return Scanned(
        turn(scan.hu), scan.matrix @ inner, turn(scan.brain), turn(scan.face),
        {name: turn(part) for name, part in scan.parts.items()},
    )  # fmt: skip


def test_all_48_orientations_look_the_same_to_the_method() -> None:
    rng = np.random.default_rng(3)
    shape = (12, 17, 9)
    noise = rng.normal(0, 300, shape)
    matrix = np.diag([4.0, 3.0, 5.0, 1.0])
    matrix[:3, :3] = turned((5, 4, 9)) @ matrix[:3, :3]
    scan = Scanned(noise, matrix, noise > 0, noise > 1)  # type: ignore[arg-type]
    first = coarse(scan.hu, scan.matrix)
    for codes in ORIENTATIONS:
        other = reordered(scan, codes)
        field = coarse(other.hu, other.matrix)
        np.testing.assert_allclose(field.values, first.values, atol=0.01, err_msg=codes)
        np.testing.assert_array_equal(field.inside, first.inside)


@pytest.mark.parametrize("codes", ["LPS", "PIR", "SLA"])
def test_another_orientation_gives_the_same_planes(codes: str) -> None:
    scan = head()
    cut = find_face(scan.hu, scan.matrix, modality="CT").cut
    other = reordered(scan, codes)
    again = find_face(other.hu, other.matrix, modality="CT").cut
    np.testing.assert_allclose(again.front, cut.front, atol=1e-6)
    np.testing.assert_allclose(again.around, cut.around, atol=1e-6)


@settings(max_examples=4, deadline=None)
@given(
    st.sampled_from(ORIENTATIONS),
    st.tuples(*[st.floats(-12, 12)] * 3),
    st.floats(-0.4, 0.4),
    st.sampled_from([(2.4, 2.4, 3.2), (2.2, 2.8, 4.5)]),
)
def test_oblique_and_tilted_grids_lose_the_face_and_no_brain_or_are_refused(
    codes: str,
    degrees: tuple[float, float, float],
    tilt: float,
    spacing: tuple[float, float, float],
) -> None:
    high = (130.0, 150.0, 150.0)
    shape, plain = grid_around(spacing, (-130.0, -150.0, -140.0), high)
    matrix = np.eye(4)
    matrix[:3, :3] = turned(degrees) @ plain[:3, :3]
    matrix[:3, 1] += tilt * turned(degrees)[:, 2] * spacing[1]
    centre = (np.array(shape) - 1) / 2
    matrix[:3, 3] = (0, 0, 0) - matrix[:3, :3] @ centre
    scan = reordered(scanned(shape, matrix), codes)
    found = tried(scan)
    if isinstance(found, FaceFound):
        assert_gone(scan, found)
    else:
        assert found in (Doubt.HEAD_CUT, Doubt.NOSE_CUT, Doubt.FACE_LEFT, Doubt.BRAIN_CUT)


def test_a_gantry_tilt_is_no_obstacle() -> None:
    shape, matrix = grid_around(low=(-118.0, -140.0, -190.0), high=(118.0, 145.0, 160.0))
    matrix[2, 1] = np.tan(np.deg2rad(18)) * 2.0
    scan = scanned(shape, matrix)
    assert_gone(scan, find_face(scan.hu, scan.matrix, modality="CT"))


CUTS = {
    "in front": ({"high": (118, 95, 118)}, Doubt.HEAD_CUT),
    "below the nose": ({"low": (-118, -140, -45)}, Doubt.NOSE_CUT),
    "at the orbits": ({"low": (-118, -140, -20)}, Doubt.NO_NOSE),
    "at the vertex": ({"high": (118, 145, 84)}, Doubt.HEAD_CUT),
    "through the brain": ({"high": (118, 145, 60)}, Doubt.NO_SKULL),
    "at the side": ({"low": (-78, -140, -150)}, Doubt.HEAD_CUT),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_head_cut_off_by_the_field_is_refused(name: str) -> None:
    field, expected = CUTS[name]
    assert doubt(scanned(*grid_around(**field))) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pose", "expected"),
    [
        ((0.0, 0.0, 180.0), Doubt.NO_NOSE),
        ((0.0, 0.0, 90.0), Doubt.HEAD_CUT),
        ((0.0, 0.0, 45.0), Doubt.NO_NOSE),
        ((0.0, 180.0, 0.0), Doubt.BRAIN_SIZE),
    ],
)
def test_a_head_that_lies_otherwise_than_the_axes_say_is_refused(
    pose: tuple[float, float, float], expected: Doubt
) -> None:
    assert doubt(head(pose=pose)) == expected


@pytest.mark.parametrize("degrees", [-24.0, -32.0, 30.0])
def test_a_head_bent_far_loses_its_face_or_is_refused(degrees: float) -> None:
    scan = head(pose=(degrees, 0.0, 0.0))
    found = tried(scan)
    if isinstance(found, FaceFound):
        assert_gone(scan, found, face=0.7)
    else:
        assert found in (Doubt.FACE_LEFT, Doubt.HEAD_CUT, Doubt.NO_NOSE)


@pytest.mark.parametrize("scale", [0.6, 0.75, 1.25])
def test_a_child_or_a_giant_is_refused(scale: float) -> None:
    assert doubt(head(scale=scale)) == Doubt.BRAIN_SIZE


def test_an_open_skull_is_refused() -> None:
    assert doubt(head(head=Head(hole_mm=38))) == Doubt.OPEN_SKULL


def test_a_small_hole_is_not() -> None:
    scan = head(head=Head(hole_mm=7))
    assert_gone(scan, find_face(scan.hu, scan.matrix, modality="CT"))


def test_a_neck_is_refused() -> None:
    scan = scanned(*grid_around((3.0, 3.0, 3.0), low=(-118, -140, -230)))
    low = scan.hu.copy()
    k = np.arange(low.shape[2])
    column = low[:, :, np.flatnonzero(k * 3.0 - 230 > -165)[0]]
    low[:, :, k * 3.0 - 230 <= -165] = column[:, :, None]
    assert doubt(replace(scan, hu=low)) == Doubt.NECK


def test_metal_at_the_brain_is_refused_and_a_filling_is_not() -> None:
    scan = head()
    at = np.argwhere(scan.brain)
    clip = scan.hu.copy()
    i, j, k = at[len(at) // 2]
    clip[i : i + 3, j : j + 3, k : k + 3] = 3071
    assert doubt(replace(scan, hu=clip)) == Doubt.METAL
    filling = scan.hu.copy()
    i, j, k = np.argwhere(scan.parts["mouth"]).mean(axis=0).astype(int)
    filling[i : i + 3, j - 6 : j - 3, k : k + 3] = 3071
    filled = replace(scan, hu=filling)
    assert_gone(filled, find_face(filled.hu, filled.matrix, modality="CT"))


def test_no_head_and_no_tissue_are_refused() -> None:
    scan = head()
    block = np.full(scan.hu.shape, -1000, dtype=np.int16)
    block[15:-15, 15:-15, 10:-10] = 40
    block[30:40, 30:40, 30:40] = 600
    assert doubt(replace(scan, hu=block)) == Doubt.NO_SKULL
    block[15:-15, 15:-15, 10:-10] = 600
    block[0:90, 0:14, :70] = 40
    assert doubt(replace(scan, hu=block)) == Doubt.NO_SKULL


def test_what_is_no_volume_of_hounsfield_units_near_each_other_is_refused() -> None:
    scan = head()
    assert doubt(replace(scan, hu=scan.hu[:, :, :1])) == Doubt.NOT_A_VOLUME
    assert doubt(replace(scan, hu=scan.hu[:, :, 0])) == Doubt.NOT_A_VOLUME
    far = scan.matrix @ np.diag([1, 1, 3.0, 1])
    assert doubt(replace(scan, matrix=far)) == Doubt.FAR_SLICES
    assert doubt(replace(scan, hu=scan.hu + np.int16(1024))) == Doubt.NOT_HU
    assert doubt(scan, "MR") == Doubt.NEEDS_MASK


@pytest.mark.parametrize("pose", [(0.0, 0.0, 0.0), (15.0, 0.0, 0.0), (-12.0, 0.0, 5.0)])
@pytest.mark.parametrize("modality", ["MR", "PT"])
def test_with_a_mask_an_mr_loses_its_face_and_nothing_of_the_mask(
    pose: tuple[float, float, float], modality: str
) -> None:
    scan = head(pose=pose)
    found = find_face(as_mr(scan), scan.matrix, modality=modality, brain=scan.brain)
    assert_gone(scan, found)


def test_with_a_mask_a_ct_goes_by_the_mask() -> None:
    scan = head(head=Head(hole_mm=38))
    found = find_face(scan.hu, scan.matrix, modality="CT", brain=scan.brain)
    assert_gone(scan, found)


def test_a_ghost_of_the_nose_behind_an_mr_head_goes_too() -> None:
    scan = head()
    image = as_mr(scan)
    nose = scan.parts["nose"]
    ghost = np.zeros_like(nose)
    depth = int(np.flatnonzero(nose.any(axis=(0, 2)))[0])
    width = nose.shape[1] - depth
    ghost[:, :width] = nose[:, depth:]
    image[ghost] = 900
    mask = find_face(image, scan.matrix, modality="MR", brain=scan.brain).mask()
    behind = ghost & (np.arange(nose.shape[1])[None, :, None] * 2.5 - 140 < -112)
    assert behind.any()
    assert mask[behind].all()


def test_an_mr_whose_nose_is_cut_off_is_refused_as_it_may_show_behind_the_head() -> None:
    scan = scanned(*grid_around(high=(118, 112, 118)))
    image = replace(scan, hu=as_mr(scan).astype(np.int16))
    assert doubt(image, "MR", brain=scan.brain) == Doubt.HEAD_CUT


def test_masks_that_cannot_be_a_brains_are_refused() -> None:
    scan = head()
    image = replace(scan, hu=as_mr(scan).astype(np.int16))
    assert doubt(image, "MR", brain=np.zeros_like(scan.brain)) == Doubt.MASK_EMPTY
    assert doubt(image, "MR", brain=scan.brain[1:]) == Doubt.MASK_EMPTY
    part = ndimage.binary_erosion(scan.brain, iterations=4)
    assert doubt(image, "MR", brain=part) == Doubt.BRAIN_SIZE
    outside = np.zeros_like(scan.brain)
    outside[4:54, 4:64, 60:88] = True
    assert doubt(image, "MR", brain=outside) == Doubt.MASK_OUTSIDE
    dark = replace(image, hu=np.where(scan.brain, 0, image.hu))
    assert doubt(dark, "MR", brain=scan.brain) == Doubt.MASK_OUTSIDE


def test_a_brain_alone_does_not_say_where_the_front_is_unless_its_shape_does() -> None:
    scan = head()
    at = np.moveaxis(np.indices(scan.hu.shape), 0, -1) @ scan.matrix[:3, :3].T
    at = (at + scan.matrix[:3, 3]) / (66, 80, 60)
    ball = (at**2).sum(axis=-1) <= 1
    image = np.where(ball, 600, 5).astype(np.int16)
    assert doubt(replace(scan, hu=image), "MR", brain=ball) == Doubt.UPRIGHT
    turned_round = head(pose=(0.0, 0.0, 180.0))
    mr = replace(turned_round, hu=as_mr(turned_round).astype(np.int16))
    assert doubt(mr, "MR", brain=turned_round.brain) == Doubt.UPRIGHT


def test_a_stripped_brain_shows_no_face_so_nothing_can_be_checked() -> None:
    scan = head()
    image = np.where(scan.brain, 600, 5).astype(np.int16)
    assert doubt(replace(scan, hu=image), "MR", brain=scan.brain) == Doubt.FACE_LEFT


def test_a_doubt_travels_between_processes_and_tells_no_value() -> None:
    err = FaceUnsure(Doubt.METAL)
    again = pickle.loads(pickle.dumps(err))  # noqa: S301 - our own
    assert again.doubt is Doubt.METAL
    assert str(again) == str(err)
    assert Doubt.METAL.value in str(err)
    assert err.hint


@pytest.mark.parametrize(
    ("modality", "slope", "intercept", "ends", "expected"),
    [
        ("CT", 1.0, -1024.0, (0, 4095), 24),
        ("CT", 1.0, 0.0, (-32768, 32767), -1000),
        ("CT", 1.0, 0.0, (0, 4095), 0),
        ("CT", 0.0, 0.0, (5, 4095), 5),
        ("MR", 2.0, 0.0, (0, 4095), 0),
        ("MR", 2.0, -100.0, (0, 4095), 50),
    ],
)
def test_air_is_minus_1000_hu_or_nothing_in_stored_values(
    modality: str, slope: float, intercept: float, ends: tuple[int, int], expected: int
) -> None:
    assert air_value(modality, slope, intercept, ends) == expected
