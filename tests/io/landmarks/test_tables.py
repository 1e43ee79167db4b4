"""Tables of landmarks, and what they must say of their axes."""

from __future__ import annotations

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.landmarks.tables import read_table

SLICER = "label,l,p,s,defined,selected,visible,locked,description\n"


def test_slicers_table_is_read_with_its_flags():
    text = SLICER + "A,1,2,3,1,1,1,1,tip\nB,,,,0,1,1,0,[absent: resected]\nC,9,9,9,0,1,1,0,\n"
    a, b, c = read_table(text).landmarks
    assert (a.point_ras, a.locked, a.description) == ((-1, -2, 3), True, "tip")
    assert (b.state, b.absent) == ("absent", "resected")
    # What is said to be not defined has no place, whatever stands there.
    assert c.point_ras is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("label\tr\ta\ts\nA\t1\t2\t3\n", (1, 2, 3)),
        ("Label;L;P;S\nA;1;2;3\n", (-1, -2, 3)),
        ('label,r,a,s\n"A",1e0,2,3\n', (1, 2, 3)),
    ],
)
def test_the_columns_say_the_axes(text, expected):
    assert read_table(text).landmarks["A"].point_ras == expected


def test_columns_without_axes_need_somebody_who_says_them():
    text = "name\tx\ty\tz\nA\t1\t2\t3\n"
    with pytest.raises(InputError, match="does not say whether"):
        read_table(text)
    assert read_table(text, frame="LPS").landmarks["A"].point_ras == (-1, -2, 3)
    sidecar = {"EEGCoordinateSystem": "ScanRAS", "EEGCoordinateUnits": "cm"}
    assert read_table(text, sidecar=sidecar).landmarks["A"].point_ras == (10, 20, 30)
    with pytest.raises(InputError, match="does not say whether"):
        read_table(text, sidecar={"EEGCoordinateSystem": "CapTrak"})
    with pytest.raises(InputError, match="other units"):
        read_table(text, sidecar={**sidecar, "EEGCoordinateUnits": "inch"})
    unitless = read_table(text, sidecar={"FiducialsCoordinateSystem": "RAS"})
    assert "names no unit" in unitless.notes[0]


def test_bids_writes_nothing_as_not_available():
    text = (
        "name\tx\ty\tz\tstatus\tuncertainty_mm\treason\tinspected\tdescription\n"
        "A\t1\t2\t3\tuncertain\t2.5\tn/a\taxial coronal\ttip\n"
        "B\tn/a\tn/a\tn/a\tabsent\tn/a\tartefact\tn/a\tn/a\n"
        "C\tn/a\tn/a\tn/a\n"
    )
    a, b, c = read_table(text, frame="RAS").landmarks
    assert (a.uncertain_mm, a.inspected, a.description) == (2.5, ("axial", "coronal"), "tip")
    assert (b.absent, b.description) == ("artefact", "")
    assert c.state == "unplaced"


@pytest.mark.parametrize("row", ["A,1,2,n/a", "A,1,2", "A,1,2,inf", "A,1;5,2,3"])
def test_half_a_position_is_refused(row):
    with pytest.raises(InputError, match="not a number"):
        read_table(f"label,l,p,s\n{row}\n")


@pytest.mark.parametrize("text", ["", "label\n", "x,y,z\n1,2,3\n", "label,x,y\nA,1,2\n"])
def test_missing_columns_are_told(text):
    with pytest.raises(InputError, match="has the columns"):
        read_table(text, frame="RAS")
