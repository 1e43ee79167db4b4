"""Slicer Markups as Slicer and other programs write them."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.landmarks.markups import parse_json, read_markups

SCHEMA = "https://example.org/markups-schema-v{}.json#"


def point(label: str, position: Any = (1.0, 2.0, 3.0), **more: Any) -> dict[str, Any]:
    told = {"id": "1", "label": label, "positionStatus": "defined", **more}
    return told if position is None else {**told, "position": list(position)}


def document(*markups: dict[str, Any], version: str = "1.0.3") -> dict[str, Any]:
    return {"@schema": SCHEMA.format(version), "markups": list(markups)}


def markup(kind: str, *points: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {"type": kind, "coordinateSystem": "LPS", "coordinateUnits": "mm"}
    return {**told, "controlPoints": list(points), **more}


@pytest.mark.parametrize("version", ["1.0.0", "1.0.1", "1.0.2", "1.0.3"])
@pytest.mark.parametrize(
    ("system", "x"), [("LPS", -1.0), ("RAS", 1.0), ("0", 1.0), ("1", -1.0)]
)
def test_all_versions_and_both_systems_are_read(version, system, x):
    told = document(markup("Fiducial", point("a"), coordinateSystem=system), version=version)
    found = read_markups(told)
    assert found.landmarks["a"].point_ras[0] == x
    assert found.notes == ()


def test_what_a_file_does_not_say_is_said_aloud():
    told = document(
        {"type": "Fiducial", "controlPoints": [{"label": "a", "position": [1, 2, 3]}]}
    )
    del told["@schema"]
    found = read_markups(told)
    assert found.landmarks["a"].point_ras == (-1, -2, 3)
    assert [
        word in " ".join(found.notes) for word in ("version", "LPS", "position status")
    ] == [True] * 3
    newer = read_markups(document(markup("Fiducial", point("a")), version="1.0.4"))
    assert "newer schema" in newer.notes[0]


def test_only_what_is_defined_is_placed():
    told = markup(
        "Fiducial",
        point("a", None, positionStatus="undefined", description="tip [absent: artefact]"),
        point("b", positionStatus="preview"),
        point("c", None, positionStatus="missing"),
        point("d", (0, 0, 0), positionStatus="undefined"),
        {"label": "e"},
    )
    a, b, c, d, e = read_markups(document(told)).landmarks
    assert (a.absent, a.description) == ("artefact", "tip")
    assert b.point_ras is None
    assert c.absent == "not-identifiable"
    assert d.point_ras is None
    assert e.point_ras is None


def test_units_as_a_ucum_triplet_are_understood():
    good = markup("Fiducial", point("a"), coordinateUnits=["mm", "UCUM", "millimeter"])
    assert len(read_markups(document(good)).landmarks) == 1
    with pytest.raises(InputError, match="other units"):
        read_markups(document({**good, "coordinateUnits": ["um", "UCUM", "micrometer"]}))


def test_lines_angles_and_curves_are_measurements():
    points = [point(str(n), (n, n * n, 0)) for n in range(4)]
    found = read_markups(
        document(
            markup("Line", *points[:2], name="L"),
            markup("Angle", *points[:3], name="A"),
            markup("Curve", *points, name="C"),
            markup("ClosedCurve", *points, name="D", locked=True),
            markup("Line", *points[:2], name="L"),
        )
    )
    assert [(m.name, m.kind) for m in found.measurements] == [
        ("L", "line"),
        ("A", "angle"),
        ("C", "curve"),
        ("D", "closed-curve"),
        ("L (2)", "line"),
    ]
    assert found.measurements["A"].points_ras[2] == (-2, -4, 0)
    assert found.measurements["D"].locked
    assert len(found.landmarks) == 0


def test_unfinished_and_unknown_markups_are_left_out_and_told():
    found = read_markups(
        document(
            markup("Line", point("1"), point("2", None, positionStatus="undefined")),
            markup("ROI", point("1")),
            markup("Spiral", point("1")),
        )
    )
    assert len(found.measurements) == 0
    assert len(found.notes) == 2
    assert found.notes[0].startswith("2 not finished")


@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_planes_and_regions_have_axes(system):
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    told = {
        "coordinateSystem": system,
        "center": [10, 20, 30],
        "orientation": turn.ravel().tolist(),
    }
    found = read_markups(
        document(
            markup("Plane", name="P", size=[4, 6, 0], **told),
            markup("ROI", name="R", size=[4, 6, 8], **told),
        )
    )
    flip = np.array((-1, -1, 1) if system == "LPS" else (1, 1, 1))
    centre = flip * (10, 20, 30)
    expected = [centre] + [
        centre + flip * turn[:, n] * half for n, half in enumerate((2, 3, 4))
    ]
    np.testing.assert_allclose(found.measurements["P"].array, expected[:3], atol=1e-12)
    np.testing.assert_allclose(found.measurements["R"].array, expected, atol=1e-12)


def test_a_region_without_a_centre_lies_around_its_point():
    (one,) = read_markups(
        document(markup("ROI", point("1", (1, 2, 3)), size=[2, 2, 2]))
    ).measurements
    assert one.points_ras[0] == (-1, -2, 3)


def test_a_plane_of_three_points_is_read_too():
    corners = [point(str(n), p) for n, p in enumerate([(0, 0, 0), (2, 0, 0), (1, 3, 0)])]
    (one,) = read_markups(document(markup("Plane", *corners))).measurements
    assert one.points_ras == ((0, 0, 0), (-2, 0, 0), (0, -3, 0))


def test_several_lists_are_one_and_names_stay_apart():
    lists = [markup("Fiducial", point("a"), point("")) for _ in range(2)]
    found = read_markups(document(*copy.deepcopy(lists)))
    assert [m.name for m in found.landmarks] == ["a", "Point 1", "a (2)", "Point 1 (2)"]
    assert "2 point lists" in " ".join(found.notes)


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {"markups": [5]},
        {"markups": [{"type": "Fiducial", "controlPoints": 5}]},
        document(markup("Fiducial", point("a", (1, 2)))),
        document(markup("Fiducial", point("a", (1, 2, "x")))),
        document(markup("Fiducial", point("a", (1, 2, True)))),
        document(markup("Fiducial", point("a", (1, 2, float("nan"))))),
        document(markup("ROI", size=[1, 2], center=[0, 0, 0])),
        document(markup("Plane", size=[1, 2, 0], center=[0, 0, 0], orientation=[1])),
    ],
)
def test_other_documents_are_refused(told):
    with pytest.raises(InputError, match="not a Slicer Markups file"):
        read_markups(told)


@pytest.mark.parametrize("text", ["{", "", "[" * 200_000])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(InputError, match="not valid JSON"):
        parse_json(text)


def test_nan_in_a_file_is_refused():
    text = json.dumps(document(markup("Fiducial", point("a", (1, 2, float("nan"))))))
    with pytest.raises(InputError, match="not a Slicer Markups file"):
        read_markups(parse_json(text))
