"""MITK point sets: world positions through the geometry of the file."""

from __future__ import annotations

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.landmarks.mps import read_mps
from napari_medlabel.model.landmarks import Landmark, LandmarkSet

POINT = "<point><id>{}</id><specification>0</specification><x>{}</x><y>{}</y><z>{}</z></point>"


def document(body: str, head: str = '<?xml version="1.0" encoding="UTF-8" ?>') -> bytes:
    text = f"{head}<point_set_file><file_version>0.1</file_version><point_set>{body}"
    return f"{text}</point_set></point_set_file>".encode()


def series(*points: str, geometry: str = "") -> str:
    inner = "".join(points)
    return f"<time_series><time_series_id>0</time_series_id>{geometry}{inner}</time_series>"


def test_points_are_lps_mm_and_numbered():
    found = read_mps(document(series(POINT.format(0, 1, 2, 3), POINT.format(7, 4, 5, "6e0"))))
    assert [(m.name, m.point_ras) for m in found.landmarks] == [
        ("Point 1", (-1, -2, 3)),
        ("Point 8", (-4, -5, 6)),
    ]
    assert "hold no names" in found.notes[0]


def test_points_without_a_time_step_and_with_white_space_before_are_read():
    data = document(POINT.format(0, 1, 2, 3), head='\n  <?xml version="1.0"?>')
    assert len(read_mps(data).landmarks) == 1


def test_the_geometry_leads_to_the_world():
    cells = {(0, 1): -1, (1, 0): 1, (2, 2): 2}
    matrix = " ".join(f'm_{r}_{c}="{cells.get((r, c), 0)}"' for r in range(3) for c in range(3))
    geometry = (
        f'<Geometry3D><IndexToWorld type="Matrix3x3" {matrix}/>'
        '<Offset type="Vector3D" x="10" y="20" z="30"/></Geometry3D>'
    )
    found = read_mps(document(series(POINT.format(0, 1, 2, 3), geometry=geometry)))
    # LPS (10 - 2, 20 + 1, 30 + 6)
    assert found.landmarks["Point 1"].point_ras == (-8, -21, 36)


def test_a_template_gives_names_by_number_and_keeps_what_is_missing():
    template = LandmarkSet((Landmark("a"), Landmark("b"), Landmark("c")))
    data = document(series(POINT.format(2, 1, 2, 3), POINT.format(0, 4, 5, 6)))
    found = read_mps(data, template=template)
    assert [(m.name, m.is_placed) for m in found.landmarks] == [
        ("a", True),
        ("b", False),
        ("c", True),
    ]
    assert found.landmarks["c"].point_ras == (-1, -2, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html/>",
        b"<point_set_file>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><point_set_file/>',
        document(series(POINT.format(0, "a", 2, 3))),
        document(series("<point><id>0</id><x>1</x><y>2</y></point>")),
        document(series(POINT.format(0, "nan", 2, 3))),
    ],
)
def test_other_files_are_refused(data):
    with pytest.raises(InputError, match="not an MITK point set"):
        read_mps(data)


def test_several_time_steps_are_refused():
    with pytest.raises(InputError, match="one time step"):
        read_mps(document(series() + series()))
