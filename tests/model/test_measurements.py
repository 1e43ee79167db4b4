"""What makes a measurement, and sets of them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.model.measurements import Measurement, MeasurementSet

LINE = Measurement("Line 1", "line", ((0, 0, 0), (3, 4, 0)))


@pytest.mark.parametrize(
    ("name", "kind", "points", "message"),
    [
        (" ", "line", ((0, 0, 0), (1, 0, 0)), "has no name"),
        ("a", "spiral", ((0, 0, 0), (1, 0, 0)), "not known"),
        ("a", "line", ((0, 0, 0),), "has 2 points; got 1"),
        ("a", "curve", ((0, 0, 0),), "at least 2 points; got 1"),
        ("a", "line", ((0, 0, 0), (float("nan"), 0, 0)), "finite numbers"),
        (
            "a",
            "bidirectional",
            ((0, 0, 0), (10, 0, 0), (0, 0, 0), (1, 5, 0)),
            "within 1 degree",
        ),
        ("a", "ellipse", ((0, 0, 0), (1, 0, 0), (2, 0, 0)), "point different ways"),
        ("a", "box", ((0, 0, 0), (0, 0, 0), (0, 1, 0)), "longer than zero"),
        ("a", "cuboid", ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0)), "different ways"),
    ],
)
def test_what_is_no_measurement_is_refused(name, kind, points, message):
    with pytest.raises(InputError, match=message):
        Measurement(name, kind, points)


def test_names_are_unique_and_found():
    measured = MeasurementSet((LINE,))
    assert measured["Line 1"] is LINE
    assert "Line 1" in measured
    assert list(measured) == [LINE]
    assert measured.free_name("line") == "Line 2"
    assert measured.free_name("closed-curve") == "Closed curve 1"
    assert len(measured.without("Line 1")) == 0
    with pytest.raises(InputError, match="one name stands twice"):
        MeasurementSet((LINE, LINE))
    with pytest.raises(InputError, match="no measurement of that name"):
        measured["Line 2"]


def test_a_locked_measurement_stays():
    locked = Measurement("a", "line", LINE.points_ras, locked=True)
    measured = MeasurementSet().with_one(locked)
    assert len(measured.with_one(Measurement("a", "line", LINE.points_ras))) == 1
    with pytest.raises(InputError, match="locked"):
        measured.with_one(Measurement("a", "line", ((0, 0, 0), (9, 0, 0))))
    with pytest.raises(InputError, match="locked"):
        measured.without("a")


def test_outlines_lie_where_they_should():
    ellipse = Measurement("a", "ellipse", ((1, 1, 1), (3, 1, 1), (1, 2, 1)))
    x, y, z = (ellipse.outline_ras() - 1).T
    np.testing.assert_allclose((x / 2) ** 2 + y**2, 1)
    np.testing.assert_allclose(z, 0, atol=1e-12)
    box = Measurement("a", "box", ((0, 0, 0), (2, 0, 0), (0, 1, 0)))
    outline = box.outline_ras()
    assert outline.shape == (16, 3)
    assert (
        np.isclose(np.abs(outline[:, 0]), 2).sum() + np.isclose(np.abs(outline[:, 1]), 1).sum()
        == 20
    )
    assert box.is_closed
    assert not LINE.is_closed


def test_the_longer_axis_of_a_bidirectional_measurement_can_be_put_first():
    ends = ((0, 0, 0), (10, 0, 0), (5, -10, 0), (5, 10, 0))
    one = Measurement("T", "bidirectional", ends, "note", locked=True)
    swapped = one.long_first
    assert swapped.points_ras == (*one.points_ras[2:], *one.points_ras[:2])
    assert (swapped.name, swapped.description, swapped.locked) == ("T", "note", True)
    assert swapped.long_first is swapped
    square = Measurement("T", "bidirectional", (*ends[:2], (5, -5, 0), (5, 5, 0)))
    assert square.long_first is square
    line = Measurement("L", "line", ends[:2])
    assert line.long_first is line
