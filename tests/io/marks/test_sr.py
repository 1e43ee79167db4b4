"""Structured reports: their points and outlines on the scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.model.volume import Volume
from tests.io.marks_made import FRAME, ROOT, concept, content, image_item, report, save, scan


def read(ds: pydicom.Dataset, volume: Volume, tmp_path: Path) -> Any:
    return read_marks(save(ds, tmp_path / "marks.dcm"), volume)


def group(*children: pydicom.Dataset, tracking: str = "", finding: str = "") -> pydicom.Dataset:
    """Return a measurement group of TID 1500."""
    said = []
    if tracking:
        said.append(content("TEXT", "112039", "Tracking Identifier", TextValue=tracking))
    if finding:
        code = concept("1", finding)
        said.append(content("CODE", "121071", "Finding", ConceptCodeSequence=code))
    inner = content("CONTAINER", "125007", "Measurement Group", *said, *children)
    return content("CONTAINER", "126010", "Imaging Measurements", inner)


def in_space(kind: str, data: list[float], frame: str = FRAME) -> pydicom.Dataset:
    return content(
        "SCOORD3D", "111030", "Image Region",
        GraphicType=kind, GraphicData=data, ReferencedFrameOfReferenceUID=frame,
    )  # fmt: skip


def on_image(volume: Volume, k: int, kind: str, data: list[float]) -> pydicom.Dataset:
    uid = volume.source.sop_instance_uids[k]
    return content(
        "SCOORD", "111030", "Image Region", image_item(uid), GraphicType=kind, GraphicData=data
    )


def test_points_in_space_become_landmarks_in_ras(tmp_path: Path) -> None:
    ds = report(
        group(in_space("POINT", [1.5, -2.5, 3.5]), tracking="Nasion"),
        group(in_space("MULTIPOINT", [1, 2, 3, 4, 5, 6]), finding="Aorta"),
    )
    marks = read(ds, scan(), tmp_path)
    assert marks.kind == "SR"
    assert [mark.name for mark in marks.landmarks] == ["Nasion", "Aorta", "Aorta (2)"]
    assert marks.landmarks["Nasion"].point_ras == (-1.5, 2.5, 3.5)
    assert marks.landmarks["Aorta (2)"].point_ras == (-4.0, -5.0, 6.0)


def test_points_on_an_image_go_through_the_scan_s_grid(tmp_path: Path) -> None:
    volume = scan("PIR")
    ds = report(group(on_image(volume, 3, "POINT", [2.5, 4.5]), tracking="Tip"))
    point = read(ds, volume, tmp_path).landmarks["Tip"].point_ras
    # The middle of the first pixel is 0.5, 0.5.
    assert np.allclose(point, volume.grid.affine.apply((2.0, 4.0, 3.0)))


def test_a_point_on_the_sheet_of_a_mosaic_lies_nowhere(tmp_path: Path) -> None:
    volume = scan(uids=(ROOT + "5",) * 5, planes=((0, 0),) * 5)
    ds = report(on_image(volume, 3, "POINT", [2.5, 4.5]))
    with pytest.raises(GeometryError, match="all its marks are of other images"):
        read(ds, volume, tmp_path)


def test_a_nested_coordinate_lies_on_the_image_of_the_one_around_it(tmp_path: Path) -> None:
    volume = scan()
    outer = on_image(volume, 2, "POINT", [1.5, 1.5])
    inner = content("SCOORD", "122438", "Points", GraphicType="POINT", GraphicData=[3.5, 1.5])
    outer.ContentSequence.append(inner)
    marks = read(report(outer), volume, tmp_path)
    assert np.allclose(
        marks.landmarks.landmarks[1].point_ras, volume.grid.affine.apply((3, 1, 2))
    )


def test_lines_circles_and_ellipses_become_contours(tmp_path: Path) -> None:
    volume = scan(spacing=(1.0, 1.0, 2.0))
    line = on_image(volume, 1, "POLYLINE", [0.5, 0.5, 3.5, 0.5])
    closed = on_image(volume, 1, "POLYLINE", [0.5, 0.5, 3.5, 0.5, 3.5, 2.5, 0.5, 0.5])
    circle = on_image(volume, 1, "CIRCLE", [4.5, 3.5, 6.5, 3.5])
    ellipse = on_image(volume, 1, "ELLIPSE", [1.5, 3.5, 7.5, 3.5, 4.5, 2.5, 4.5, 4.5])
    polygon = in_space("POLYGON", [0, 0, 0, 1, 0, 0, 1, 1, 0])
    marks = read(report(group(line, closed, circle, ellipse, polygon)), volume, tmp_path)
    assert [one.is_closed for one in marks.contours] == [False, True, True, True, True]
    assert len(marks.contours[1].points_ras) == 3
    centre = volume.grid.affine.apply((4.0, 3.0, 1.0))
    radii = np.linalg.norm(marks.contours[2].points_ras - centre, axis=1)
    assert np.allclose(radii, 2.0)
    radii = np.linalg.norm(marks.contours[3].points_ras - centre, axis=1)
    assert (round(radii.min(), 6), round(radii.max(), 6)) == (1.0, 3.0)


def test_a_measurement_names_the_line_it_was_taken_on(tmp_path: Path) -> None:
    volume = scan()
    line = on_image(volume, 1, "POLYLINE", [0.5, 0.5, 3.5, 0.5])
    ds = report(content("NUM", "410668003", "Length", line))
    assert read(ds, volume, tmp_path).contours[0].name == "Length"


def test_marks_of_other_images_and_of_unknown_kinds_are_left_out_and_said(
    tmp_path: Path,
) -> None:
    volume = scan()
    other = on_image(volume, 0, "POINT", [1, 1])
    other.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID = ROOT + "404"
    ds = report(
        in_space("POINT", [0, 0, 0]),
        other,
        in_space("ELLIPSOID", [0.0] * 18),
        in_space("POINT", [0, 0]),
        in_space("POINT", [0, float("nan"), 0]),
    )
    marks = read(ds, volume, tmp_path)
    assert len(marks.landmarks) == 1
    assert marks.warnings == (
        "1 mark is of other images and is left out.",
        "1 mark of a kind that is not shown is left out.",
        "2 damaged marks are left out.",
    )


def test_a_report_of_other_images_is_refused_and_one_without_marks_too(tmp_path: Path) -> None:
    ds = report(in_space("POINT", [0, 0, 0], frame=ROOT + "404"))
    with pytest.raises(GeometryError, match="all its marks are of other images"):
        read(ds, scan(), tmp_path)
    with pytest.raises(InputError, match="holds no points or outlines"):
        read(report(content("TEXT", "1", "Text", TextValue="Invented^Name")), scan(), tmp_path)


def test_nothing_that_ties_a_report_to_a_scan_is_said(tmp_path: Path) -> None:
    bare = scan(frame=None, uids=(), planes=())
    marks = read(report(in_space("POINT", [0, 0, 0])), bare, tmp_path)
    assert "compare first" in marks.warnings[0]
