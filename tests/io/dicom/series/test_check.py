"""What is missing of the description of pixels is said or refused, never silently taken."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.registry import read_volume
from tests.io.scans import instance, save, voxels


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("PixelRepresentation", "Pixel Representation is missing: values are taken for"),
        ("BitsStored", "Bits Stored is missing: all allocated bits"),
        ("HighBit", "High Bit is missing: the lowest bits"),
        ("BitsAllocated", "Bits Allocated is missing: 16 are assumed"),
        ("SamplesPerPixel", "Samples per Pixel is missing: one is assumed."),
        ("PhotometricInterpretation", "Photometric Interpretation is missing: high values"),
    ],
)
def test_what_can_be_but_one_thing_is_taken_and_said(tmp_path, name, said):
    stored = voxels(3, dtype=np.uint16)
    for k in range(3):
        save(instance(k, stored[k], position=(0, 0, k), **{name: None}), tmp_path / f"{k}")
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.array.T, stored)
    (warning,) = volume.warnings
    assert warning.startswith(said)


def test_values_of_unknown_sign_are_refused(tmp_path):
    stored = voxels(3) - 30
    for k in range(3):
        ds = instance(k, stored[k], position=(0, 0, k), PixelRepresentation=None)
        save(ds, tmp_path / f"{k}")
    with pytest.raises(InputError, match="some values could be positive or negative"):
        read_volume(tmp_path)


def test_the_sign_is_looked_for_at_the_highest_stored_bit(tmp_path):
    pixels = voxels(1, dtype=np.uint16)[0] + 2040
    extra = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": None}
    path = save(instance(0, pixels, **extra), tmp_path / "a")
    with pytest.raises(InputError, match="some values could be positive or negative"):
        read_volume(path)


def test_bits_of_unknown_number_with_a_sign_are_refused(tmp_path):
    path = save(instance(0, voxels(1)[0], BitsStored=None, HighBit=None), tmp_path / "a")
    with pytest.raises(InputError, match="Bits Stored is missing in file 1 of 1"):
        read_volume(path)


def test_samples_of_unknown_number_are_refused_where_there_are_more_bytes(tmp_path):
    colours = np.zeros((5, 4, 3), np.uint8)
    extra = {"SamplesPerPixel": None, "PhotometricInterpretation": None}
    path = save(instance(0, colours, **extra), tmp_path / "a")
    with pytest.raises(InputError, match="Samples per Pixel is missing in file 1 of 1"):
        read_volume(path)


def test_colours_of_unknown_kind_are_refused(tmp_path):
    colours = np.zeros((5, 4, 3), np.uint8)
    path = save(instance(0, colours, PhotometricInterpretation=None), tmp_path / "a")
    with pytest.raises(InputError, match="Photometric Interpretation is missing in file 1"):
        read_volume(path)


def test_bits_of_unknown_number_are_refused_where_the_length_says_otherwise(tmp_path):
    extra = {"BitsAllocated": None, "BitsStored": None, "HighBit": None}
    pixels = np.zeros((5, 4), np.uint32)
    path = save(instance(0, pixels, **extra), tmp_path / "a")
    with pytest.raises(InputError, match="Bits Allocated is missing in file 1 of 1"):
        read_volume(path)
