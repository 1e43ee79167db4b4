"""Labels, schemes and label maps: valid when built, the same after JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.labelmap import Code, Label, LabelMap, LabelScheme

LIVER = Label(1, "Liver", "#d65f5f", Code("SCT", "10200004", "Liver"))
SPLEEN = Label(300, "Spleen", "#5fd65f")
SCHEME = LabelScheme("Abdomen", (LIVER, SPLEEN))
GRID = Grid((2, 3, 4), Affine(np.eye(4)))


@pytest.mark.parametrize("value", [0, -1, 65536, True])
def test_values_beyond_1_to_65535_are_refused(value):
    with pytest.raises(InputError, match="whole number from 1 to 65535"):
        Label(value, "a", "#000000")


@pytest.mark.parametrize("name", ["", "  "])
def test_a_label_without_a_name_is_refused(name):
    with pytest.raises(InputError, match="Label 1 has no name"):
        Label(1, name, "#000000")


@pytest.mark.parametrize("colour", ["red", "#FFF", "#FFFFFF", "#12345", "#1234567", "123456"])
def test_a_colour_that_is_none_is_refused(colour):
    with pytest.raises(InputError, match="Label 1 needs a colour"):
        Label(1, "a", colour)


def test_a_colour_has_three_parts_from_0_to_1():
    assert Label(1, "a", "#ff0033").rgb == (1.0, 0.0, 0.2)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Label(1, "Kidney", "#000000"), "one value stands twice"),
        (Label(2, "Liver", "#000000"), "one name stands twice"),
    ],
)
def test_values_and_names_are_unique(other, message):
    with pytest.raises(InputError, match=message):
        LabelScheme("x", (LIVER, other))


def test_a_scheme_finds_labels_and_knows_its_type():
    assert SCHEME[300] is SPLEEN
    assert SCHEME.values == (1, 300)
    assert SCHEME.dtype == np.uint16
    assert LabelScheme("x", (LIVER,)).dtype == np.uint8
    assert LabelScheme("x", ()).dtype == np.uint8
    with pytest.raises(InputError, match="no label with the value 2"):
        SCHEME[2]


def test_unnamed_values_get_names_and_colours_of_their_own():
    scheme = SCHEME.with_unnamed([0, 1, 7, 7, 9])
    assert [label.name for label in scheme.labels] == ["Liver", "Spleen", "Label 7", "Label 9"]
    assert SCHEME.with_unnamed([0, 1]) is SCHEME
    taken = LabelScheme("x", (Label(1, "Label 7", "#000000"),)).with_unnamed([7])
    assert taken[7].name == "Label 7'"


@given(st.sets(st.integers(1, 65535), max_size=30))
def test_any_values_can_be_named(values):
    scheme = LabelScheme("x", ()).with_unnamed(values)
    assert set(scheme.values) == values


def test_a_scheme_is_the_same_after_json():
    assert LabelScheme.from_json(json.loads(json.dumps(SCHEME.to_json()))) == SCHEME


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"name": "x"},
        {"name": "x", "labels": 5},
        {"name": "x", "labels": [5]},
        {"name": "x", "labels": [{"value": 1, "name": "a"}]},
        {"name": "x", "labels": [{"value": "1", "name": "a", "colour": "#000000"}]},
        {"name": "x", "labels": [{"value": True, "name": "a", "colour": "#000000"}]},
        {"name": "x", "labels": [{"value": 1, "name": "a", "colour": "#000000", "code": {}}]},
    ],
)
def test_data_that_is_no_scheme_is_refused(data):
    with pytest.raises(InputError, match="This is not a label scheme"):
        LabelScheme.from_json(data)


def test_an_empty_map_lies_in_the_byte_order_of_nifti():
    labels = LabelMap.empty(GRID, SCHEME)
    assert labels.array.shape == GRID.shape
    assert labels.array.dtype == np.uint16
    assert labels.array.T.flags.c_contiguous
    assert labels.voxel_counts() == {}


def test_voxels_are_counted_by_value():
    labels = LabelMap.empty(GRID, SCHEME)
    labels.array[0, :, 0] = 1
    labels.array[1, 1, 1] = 300
    assert labels.voxel_counts() == {1: 3, 300: 1}
    assert repr(labels) == "LabelMap(Grid(2x3x4, 1x1x1 mm, RAS), 2 labels)"


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 3, 2), np.uint8), r"must have the grid's shape \(2, 3, 4\)"),
        (np.zeros((2, 3, 4), np.int16), "Labels are uint8 or uint16; got int16"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(array, message):
    with pytest.raises(GeometryError, match=message):
        LabelMap(GRID, array, SCHEME)
