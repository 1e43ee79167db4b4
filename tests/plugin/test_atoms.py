"""What napari says it painted, in the forms it has and in forms it may get."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from napari_medlabel.plugin.atoms import painted_box

SHAPE = (5, 6, 7)


class Atom(NamedTuple):
    slice_key: tuple
    mask: object = None


def test_new_atoms_give_their_hull() -> None:
    atoms = [
        Atom((slice(1, 2), slice(0, 3), slice(2, 4))),
        Atom((slice(3, 4), slice(5, 6), slice(None))),
    ]
    assert painted_box(atoms, SHAPE) == (slice(1, 4), slice(0, 6), slice(0, 7))


def test_old_atoms_give_their_hull() -> None:
    indices = (np.array([1, 3]), np.array([2, 2]), np.array([0, 6]))
    assert painted_box([(indices, None, 1)], SHAPE) == (slice(1, 4), slice(2, 3), slice(0, 7))


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        [],
        [object()],
        [("text",)],
        [Atom((slice(1, 2), slice(0, 3)))],
        [Atom((slice(4, 1, -1), slice(0, 3), slice(0, 1)))],
        [((np.array([True]), np.array([1]), np.array([1])), 0, 0)],
        [((np.array([-1]), np.array([1]), np.array([1])), 0, 0)],
        [((np.array([9]), np.array([1]), np.array([1])), 0, 0)],
        [((np.array([], int), np.array([1]), np.array([1])), 0, 0)],
    ],
)
def test_whatever_is_not_understood_means_anywhere(value: object) -> None:
    assert painted_box(value, SHAPE) is None
