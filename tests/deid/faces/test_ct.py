"""Brain and head of a CT."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.deid.faces.ct import (
    body_around,
    enclosed_share,
    head_of,
    is_hounsfield,
    require_no_metal,
)
from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.faces.field import carried, coarse
from tests.deid.head_phantom import as_mr, grid_around, scanned


def shell(hole: bool = False) -> tuple[np.ndarray, np.ndarray]:
    at = np.indices((80, 80, 80)) - 40
    r = np.sqrt((at**2).sum(axis=0))
    bone = (r > 26) & (r <= 29)
    if hole:
        bone &= ~((at[2] > 0) & (np.hypot(at[0], at[1]) < 15))
    return r <= 26, bone


def test_the_brain_is_what_bone_closes_in() -> None:
    scan = scanned(*grid_around())
    field = coarse(scan.hu, scan.matrix)
    found = head_of(field)
    true = carried(scan.brain, field)
    whole = found.brain | found.stem
    assert (whole & true).sum() > 0.97 * true.sum()
    assert whole.sum() < 1.15 * true.sum()
    assert not (found.brain & ~found.body).any()


def test_hounsfield_units_are_known_by_air_and_tissue() -> None:
    scan = scanned(*grid_around((4.0, 4.0, 4.0)))
    assert is_hounsfield(scan.hu)
    assert is_hounsfield(scan.hu.astype(np.float32))
    assert not is_hounsfield(scan.hu + np.int16(1024))
    assert not is_hounsfield(as_mr(scan))
    assert not is_hounsfield(np.array([]))
    assert not is_hounsfield(np.linspace(-1000, 160, 1000))
    assert not is_hounsfield(np.full(50, np.nan))


def test_rays_tell_how_much_of_a_brain_bone_closes_in() -> None:
    assert enclosed_share(*shell()) == 1.0
    assert 0.7 < enclosed_share(*shell(hole=True)) < 0.9
    brain, bone = shell()
    assert enclosed_share(brain, np.zeros_like(bone)) == 0.0


def test_thin_things_that_touch_the_head_are_no_part_of_it() -> None:
    brain, bone = shell()
    above = brain | bone
    above[5:75, 10:12, 20:60] = True
    above[40:42, 10:15, 20:60] = True
    body = body_around(above, brain)
    assert body[brain].all()
    assert not body[5:30, 10:12, 20:60].any()


def test_a_brain_outside_of_everything_is_refused() -> None:
    brain, _ = shell()
    with pytest.raises(FaceUnsure) as caught:
        body_around(np.zeros_like(brain), brain)
    assert caught.value.doubt == Doubt.MASK_OUTSIDE


def test_metal_counts_only_where_it_is_near_and_more_than_a_speck() -> None:
    brain, bone = shell()
    hu = np.where(bone, 900, np.where(brain, 35, -1000)).astype(np.int16)
    matrix = np.diag([2.5, 2.5, 2.5, 1.0])
    field = coarse(hu, matrix)
    speck, far, near = hu.copy(), hu.copy(), hu.copy()
    speck[40, 40, 40] = 3071
    far[1:4, 1:4, 1:4] = 3071
    near[38:42, 38:42, 38:42] = 3071
    require_no_metal(speck[:, :, :40], field, brain)
    require_no_metal(far, field, brain)
    with pytest.raises(FaceUnsure) as caught:
        require_no_metal(near, field, brain)
    assert caught.value.doubt == Doubt.METAL
