"""Mirroring about the patient's sagittal plane: straight and oblique grids, any orientation."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.moving import left_right_axis, mirror
from napari_medlabel.edit.sagittal import middle_mm, mirror_sagittal
from napari_medlabel.edit.scene import Proposal, Scene, whole
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine

SHAPE = (16, 18, 14)
MM = (1.0, 0.9, 1.2)


def oriented(order: tuple[int, ...], signs: tuple[int, ...], degrees: float) -> Affine:
    """Return a grid of one of the 48 orientations, turned about two of the patient's axes."""
    straight = np.zeros((3, 3))
    for axis, (world, sign) in enumerate(zip(order, signs, strict=True)):
        straight[world, axis] = sign * MM[axis]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_s = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    about_a = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_a @ about_s @ straight
    matrix[:3, 3] = (7.3, -4.1, 11.9)
    return Affine(matrix)


def scene_with(*voxels: tuple[int, int, int]) -> Scene:
    labels = np.zeros(SHAPE, np.uint8, order="F")
    for at in voxels:
        labels[at] = 3
    return Scene(labels, np.zeros(SHAPE, np.int16, order="F"), MM)


def mirrored(scene: Scene, affine: Affine, *, keep: bool = False) -> Proposal | None:
    return mirror_sagittal(
        scene, whole(SHAPE), (3,), affine=affine, at_mm=middle_mm(affine, SHAPE), keep=keep
    )


def full(scene: Scene, proposal: Proposal | None) -> np.ndarray:
    out = scene.labels.copy()
    if proposal is not None:
        out[proposal.box] = proposal.after
    return out


ORDERS = st.sampled_from(list(permutations((0, 1, 2))))
SIGNS = st.sampled_from(list(product((-1, 1), repeat=3)))
DEGREES = st.sampled_from([0.0, 0.01, 3.0, 11.0, 24.0])
INNER = st.tuples(st.integers(6, 9), st.integers(7, 10), st.integers(5, 8))


@given(ORDERS, SIGNS, DEGREES, INNER)
@settings(deadline=None, max_examples=40)
def test_each_voxel_takes_the_label_nearest_to_its_image_in_the_patient(
    order: tuple[int, ...], signs: tuple[int, ...], degrees: float, at: tuple[int, int, int]
) -> None:
    affine = oriented(order, signs, degrees)
    box = tuple(slice(x - 2, x + 2) for x in at)
    scene = scene_with()
    scene.labels[box] = 3
    found = full(scene, mirrored(scene, affine))
    # By hand: the voxel's centre in mm, x turned about the plane, and the voxel nearest to it.
    points = np.stack(np.indices(SHAPE), axis=-1).reshape(-1, 3)
    world = affine.apply(points)
    world[:, 0] = 2 * middle_mm(affine, SHAPE) - world[:, 0]
    image = affine.to_index(world)
    nearest = np.floor(image + 0.5).astype(int)
    inside = ((nearest >= 0) & (nearest < SHAPE)).all(axis=1)
    wanted = np.zeros(len(points), np.uint8)
    wanted[inside] = scene.labels[tuple(nearest[inside].T)]
    # Half-way between two voxels either is the nearest.
    sure = (np.abs(image - np.floor(image) - 0.5) > 0.3).all(axis=1) if degrees == 0.01 else (
        np.abs(image - np.floor(image) - 0.5) > 1e-6
    ).all(axis=1)  # fmt: skip
    np.testing.assert_array_equal(found.reshape(-1)[sure], wanted[sure])


def test_on_a_straight_grid_it_is_the_mirror_image_of_voxels() -> None:
    affine = oriented((0, 1, 2), (-1, -1, 1), 0.0)
    scene = scene_with((2, 3, 4), (2, 4, 4))
    axis = left_right_axis(affine)
    plain = mirror(scene, whole(SHAPE), (3,), axis=axis, centre_index=(SHAPE[axis] - 1) / 2)
    ours = mirrored(scene, affine)
    assert plain is not None
    assert ours is not None
    np.testing.assert_array_equal(full(scene, ours), full(scene, plain))
    assert ours.words == plain.words


def test_an_oblique_grid_is_resampled_and_that_is_said() -> None:
    proposal = mirrored(scene_with((8, 8, 7)), oriented((0, 1, 2), (-1, -1, 1), 10.0))
    assert proposal is not None
    assert "to the nearest voxel of an oblique grid" in proposal.words
    assert proposal.origin == "assisted"


def test_what_stays_and_what_is_locked_is_as_in_any_edit() -> None:
    scene = scene_with((8, 8, 7))
    scene.labels[4, 8, 7] = 5
    found = full(scene, mirrored(scene, oriented((0, 1, 2), (1, 1, 1), 15.0), keep=True))
    assert found[8, 8, 7] == 3
    assert found[4, 8, 7] == 5


def test_a_plane_at_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="a number of mm"):
        mirror_sagittal(
            scene_with((1, 1, 1)), whole(SHAPE), (3,),
            affine=oriented((0, 1, 2), (1, 1, 1), 0.0), at_mm=float("nan"),
        )  # fmt: skip
