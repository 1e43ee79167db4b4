"""Masks of whole heads: told by their volume; the brain stays whole, or nothing is done."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.faces.field import carried, coarse
from napari_medlabel.deid.faces.finding import find_face
from napari_medlabel.deid.faces.head_mask import brain_in, is_head
from tests.deid.head_phantom import Scanned, as_mr, grid_around, scanned, with_headrest

POSES = {
    "usual": {},
    "chin up": {"pose": (18.0, 0.0, 0.0)},
    "chin down": {"pose": (-15.0, 0.0, 0.0)},
    "askew": {"pose": (0.0, 8.0, 12.0)},
    "small": {"scale": 0.9},
}


@cache
def head(name: str = "usual") -> Scanned:
    return scanned(*grid_around(), **POSES[name])


def outline(scan: Scanned) -> np.ndarray:
    """All of the head, as a person would draw it: filled."""
    labels, _ = ndimage.label(ndimage.binary_opening(scan.hu > -300))
    whole = labels == np.bincount(labels.ravel())[1:].argmax() + 1
    filled: np.ndarray = ndimage.binary_fill_holes(ndimage.binary_closing(whole, iterations=3))
    return filled


def assert_gone(scan: Scanned, mask: np.ndarray) -> None:
    assert not (mask & scan.brain).any()
    for name, least in (("nose", 1), ("mouth", 1), ("chin", 0.99), ("eyes", 0.75)):
        part = scan.parts[name]
        assert (mask & part).sum() >= least * part.sum(), name


@pytest.mark.parametrize("name", POSES)
def test_a_ct_with_a_mask_of_the_head_loses_its_face_and_nothing_of_the_brain(name):
    scan = head(name)
    found = find_face(scan.hu, scan.matrix, modality="CT", brain=outline(scan))
    assert_gone(scan, found.mask())


@pytest.mark.parametrize("name", ["usual", "small"])
def test_an_upright_mr_with_a_mask_of_the_head_does_too(name):
    scan = head(name)
    found = find_face(as_mr(scan), scan.matrix, modality="MR", brain=outline(scan))
    assert_gone(scan, found.mask())


@pytest.mark.parametrize("name", ["chin up", "chin down", "askew"])
def test_an_mr_of_a_bent_head_with_such_a_mask_is_refused(name):
    scan = head(name)
    with pytest.raises(FaceUnsure) as refused:
        find_face(as_mr(scan), scan.matrix, modality="MR", brain=outline(scan))
    assert refused.value.doubt is Doubt.UPRIGHT


def test_what_lies_outside_of_the_mask_is_air():
    scan = head()
    rested = with_headrest(scan)
    found = find_face(rested.hu, scan.matrix, modality="CT", brain=outline(scan))
    again = find_face(scan.hu, scan.matrix, modality="CT", brain=outline(scan))
    assert (found.mask() == again.mask()).all()


def test_masks_are_told_apart_by_their_volume():
    scan = head()
    assert is_head(outline(scan), scan.matrix)
    assert not is_head(scan.brain, scan.matrix)


def test_a_mask_without_its_nose_is_refused():
    scan = head()
    mask = outline(scan)
    mask[:, -70 + mask.shape[1] :] = False
    with pytest.raises(FaceUnsure):
        find_face(as_mr(scan), scan.matrix, modality="MR", brain=mask)


def test_a_head_whose_brain_looks_like_its_skin_is_refused():
    scan = head()
    whole = outline(scan)
    field = coarse(whole.astype(np.float32) * 600, scan.matrix)
    with pytest.raises(FaceUnsure) as refused:
        brain_in(field, carried(whole, field))
    assert refused.value.doubt is Doubt.HEAD_MASK


def test_a_mask_too_thin_to_hold_a_brain_is_refused():
    scan = head()
    field = coarse(as_mr(scan), scan.matrix)
    thin = np.zeros_like(field.inside)
    thin[:, :, 40:48] = True
    with pytest.raises(FaceUnsure, match="the brain cannot be told"):
        brain_in(field, thin)


def test_grain_without_any_piece_is_refused():
    scan = head()
    field = coarse(np.random.default_rng(1).normal(0, 500, scan.hu.shape), scan.matrix)
    with pytest.raises(FaceUnsure, match="the brain cannot be told"):
        brain_in(field, carried(outline(scan), field))
