"""Structure sets: regions to voxels on any scan, points, contours, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence as DicomSequence

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.axes import ORIENTATIONS
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.model.volume import Volume
from tests.io.marks_made import CT, ROOT, RTSTRUCT, base, contour, item, rtstruct, save, scan

DATA = Path(__file__).parents[4] / "shared" / "data" / "rt-utils"
# Not through centres, so that no rule for borders matters.
BOX = ((1.4, 1.6), (6.3, 1.6), (6.3, 4.7), (1.4, 4.7))
HOLE = ((2.5, 2.5), (4.5, 2.5), (4.5, 3.6), (2.5, 3.6))


def drawn(
    volume: Volume, k: float, corners: Any = BOX, kind: str = "CLOSED_PLANAR", across: int = 2
) -> pydicom.Dataset:
    """Return a contour of index positions on a plane of the scan."""
    index = np.insert(np.array(corners, dtype=float), across, k, axis=1)
    return contour(kind, volume.grid.affine.apply(index))


def box(volume: Volume, slices: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(volume.grid.shape, bool)
    for k in slices:
        mask[2:7, 2:5, k] = True
    return mask


def read(ds: pydicom.Dataset, volume: Volume, tmp_path: Path) -> Any:
    return read_marks(save(ds, tmp_path / "marks.dcm"), volume)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_a_region_is_filled_on_a_scan_of_any_orientation(codes: str, tmp_path: Path) -> None:
    volume = scan(codes)
    uids = volume.source.sop_instance_uids
    marks = read(rtstruct({"Liver": [drawn(volume, 1), drawn(volume, 2)]}, images=uids),
                 volume, tmp_path)  # fmt: skip
    (labels,) = marks.labels
    assert np.array_equal(labels.array == 1, box(volume, (1, 2)))
    assert (labels.scheme[1].name, labels.scheme[1].colour) == ("Liver", "#ff8001")
    assert marks.warnings == ()
    assert len(marks.contours) == 2
    assert marks.contours[0].is_closed
    assert marks.contours[0].points_ras.shape == (4, 3)


def test_a_region_is_filled_on_an_oblique_and_tilted_scan(tmp_path: Path) -> None:
    turn = np.array([[0.96, -0.28, 0.0], [0.28, 0.96, 0.2], [0.0, 0.0, 1.0]])
    volume = scan(turn=turn)
    marks = read(rtstruct({"Liver": [drawn(volume, 3)]}), volume, tmp_path)
    assert np.array_equal(marks.labels[0].array == 1, box(volume, (3,)))


def test_contours_across_another_axis_are_filled_on_its_planes(tmp_path: Path) -> None:
    volume = scan(shape=(5, 9, 7))
    marks = read(rtstruct({"Liver": [drawn(volume, 2, across=0)]}), volume, tmp_path)
    mask = np.zeros((5, 9, 7), bool)
    mask[2, 2:7, 2:5] = True
    assert np.array_equal(marks.labels[0].array == 1, mask)


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_a_contour_inside_another_is_a_hole(kind: str, tmp_path: Path) -> None:
    volume = scan()
    two = [drawn(volume, 1, BOX, kind), drawn(volume, 1, HOLE, kind)]
    mask = box(volume, (1,))
    mask[3:5, 3, 1] = False
    assert np.array_equal(
        read(rtstruct({"A": two}), volume, tmp_path).labels[0].array == 1, mask
    )


def test_a_keyhole_contour_is_a_ring(tmp_path: Path) -> None:
    volume = scan()
    keyhole = (*BOX, BOX[0], *HOLE, HOLE[0], BOX[0])
    mask = box(volume, (1,))
    mask[3:5, 3, 1] = False
    marks = read(rtstruct({"A": [drawn(volume, 1, keyhole)]}), volume, tmp_path)
    assert np.array_equal(marks.labels[0].array == 1, mask)


def test_points_become_landmarks_and_open_lines_contours(tmp_path: Path) -> None:
    volume = scan()
    where = volume.grid.affine.apply([(1.0, 2.0, 3.0), (2.0, 2.0, 3.0)])
    ds = rtstruct(
        {
            "Isocentre": [contour("POINT", where[:1]), contour("POINT", where[1:])],
            "Catheter": [drawn(volume, 1, BOX, "OPEN_NONPLANAR")],
        }
    )
    marks = read(ds, volume, tmp_path)
    assert marks.labels == ()
    assert [mark.name for mark in marks.landmarks] == ["Isocentre", "Isocentre (2)"]
    assert np.allclose(marks.landmarks["Isocentre"].point_ras, where[0], atol=1e-6)
    (line,) = marks.contours
    assert (line.name, line.is_closed) == ("Catheter", False)


@pytest.mark.parametrize("many", [1, 2])
def test_a_contour_that_reaches_out_of_the_image_is_cut_off_and_said(
    many: int, tmp_path: Path
) -> None:
    volume = scan()
    corners = ((-10.0, 1.6), (6.3, 1.6), (6.3, 4.7), (-10.0, 4.7))
    ds = rtstruct({"A": [drawn(volume, k, corners) for k in range(many)]})
    marks = read(ds, volume, tmp_path)
    mask = np.zeros(volume.grid.shape, bool)
    mask[:7, 2:5, :many] = True
    assert np.array_equal(marks.labels[0].array == 1, mask)
    (warning,) = marks.warnings
    said = ("1 closed contour reaches out", "2 closed contours reach out")[many - 1]
    assert warning.startswith(said)


def test_a_contour_along_the_border_of_the_image_is_whole(tmp_path: Path) -> None:
    volume = scan()
    high = (volume.grid.shape[0] - 0.5, volume.grid.shape[1] - 0.5)
    corners = ((-0.5, -0.5), (high[0], -0.5), high, (-0.5, high[1]))
    marks = read(rtstruct({"A": [drawn(volume, 1, corners)]}), volume, tmp_path)
    assert (marks.labels[0].array[:, :, 1] == 1).all()
    assert marks.warnings == ()


def test_overlapping_regions_become_several_layers(tmp_path: Path) -> None:
    volume = scan()
    ds = rtstruct({"A": [drawn(volume, 1)], "B": [drawn(volume, 1, HOLE)]})
    marks = read(ds, volume, tmp_path)
    assert len(marks.labels) == 2
    assert np.array_equal(marks.labels[0].array == 1, box(volume, (1,)))
    assert int((marks.labels[1].array == 2).sum()) == 2
    assert any("overlap" in w for w in marks.warnings)


def test_contours_between_slices_go_to_the_nearest_and_that_is_said(tmp_path: Path) -> None:
    volume = scan()
    ds = rtstruct({"A": [drawn(volume, 1.3), drawn(volume, 1.45, HOLE)]})
    marks = read(ds, volume, tmp_path)
    assert np.array_equal(marks.labels[0].array == 1, box(volume, (1,)))
    said = " ".join(marks.warnings)
    assert "lies between slices, up to 0.9 mm off" in said
    assert "1 closed contour is not filled: others lie nearer" in said


def test_what_cannot_be_filled_is_counted_and_kept_as_contours(tmp_path: Path) -> None:
    volume = scan()
    slanting = contour(
        "CLOSED_PLANAR", volume.grid.affine.apply([(1, 1, 0), (5, 1, 2), (5, 4, 4), (1, 4, 1)])
    )
    ds = rtstruct(
        {
            "A": [
                drawn(volume, 0),
                drawn(volume, 0),
                drawn(volume, 2),
                drawn(volume, 7),
                slanting,
                drawn(volume, 1, BOX[:2]),
                drawn(volume, 1, BOX, "SPHERE"),
            ],
            "Empty": [],
        }
    )
    marks = read(ds, volume, tmp_path)
    assert np.array_equal(marks.labels[0].array == 1, box(volume, (0, 2)))
    said = " ".join(marks.warnings)
    for words in (
        "1 of 2 regions holds no contour",
        "1 contour of an unknown kind",
        "1 closed contour of one or two points",
        "1 closed contour runs across the slices",
        "1 closed contour lies beyond",
        "1 contour stands twice in its region and was taken once",
        "1 region leaves out slices between its contours",
    ):
        assert words in said
    assert len(marks.contours) == 6
    assert [label.name for label in marks.labels[0].scheme.labels] == ["A", "Empty"]


@pytest.mark.parametrize("data", ["1\\2\\3\\4", "1\\2\\nan", "1\\2\\Invented", "", "inf\\0\\0"])
def test_damaged_contours_are_left_out_and_counted(data: str, tmp_path: Path) -> None:
    volume = scan()
    damaged = item(ContourGeometricType="CLOSED_PLANAR")
    damaged.add(DataElement(0x30060050, "LO", data))
    ds = rtstruct({"A": [drawn(volume, 0), damaged]})
    marks = read(ds, volume, tmp_path)
    assert np.array_equal(marks.labels[0].array == 1, box(volume, (0,)))
    assert marks.warnings[0].startswith("1 damaged contour (")
    assert "Invented" not in " ".join(marks.warnings)


def test_an_empty_structure_set_holds_nothing_and_says_that_nothing_names_the_scan(
    tmp_path: Path,
) -> None:
    marks = read(base(RTSTRUCT), scan(), tmp_path)
    assert (marks.labels, len(marks.landmarks), marks.contours) == ((), 0, ())
    assert "compare before use" in marks.warnings[0]


def test_other_images_in_another_frame_of_reference_are_refused(tmp_path: Path) -> None:
    volume = scan()
    ds = rtstruct({"A": [drawn(volume, 1)]}, frame=ROOT + "404", images=[ROOT + "405"])
    with pytest.raises(GeometryError, match="frames of reference differ and none of"):
        read(ds, volume, tmp_path)
    bare = scan(frame=None)
    with pytest.raises(GeometryError, match="frame of reference is unknown and none"):
        read(ds, bare, tmp_path)


def test_images_without_a_place_have_no_structures(tmp_path: Path) -> None:
    volume = scan()
    with pytest.raises(GeometryError, match="these images have no place"):
        read(rtstruct({"A": [drawn(volume, 1)]}), scan(slices="pictures"), tmp_path)


def test_one_of_the_two_references_is_enough_and_doubts_are_said(tmp_path: Path) -> None:
    volume = scan()
    regions = {"A": [drawn(volume, 1)]}
    same_frame = read(rtstruct(regions, images=[ROOT + "405"]), volume, tmp_path)
    assert "other images in the same frame" in same_frame.warnings[0]
    own = volume.source.sop_instance_uids
    same_images = read(rtstruct(regions, frame=ROOT + "404", images=own), volume, tmp_path)
    assert "another frame of reference" in same_images.warnings[0]
    by_contour = rtstruct({"A": [drawn(volume, 1)]}, frame=ROOT + "404")
    image = item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=own[1])
    one = by_contour.ROIContourSequence[0].ContourSequence[0]
    one.ContourImageSequence = DicomSequence([image])
    assert read(by_contour, volume, tmp_path).labels
    nifti = scan(frame=None, uids=(), planes=())
    assert "compare before use" in read(rtstruct(regions), nifti, tmp_path).warnings[0]


def test_region_numbers_that_are_no_label_values_are_counted_anew(tmp_path: Path) -> None:
    volume = scan()
    ds = rtstruct({"A": [drawn(volume, 1)], "B": [drawn(volume, 2)]})
    ds.StructureSetROISequence[0].ROINumber = 0
    ds.ROIContourSequence[0].ReferencedROINumber = 0
    labels = read(ds, volume, tmp_path).labels[0]
    assert [label.value for label in labels.scheme.labels] == [1, 2]
    assert np.array_equal(labels.array == 1, box(volume, (1,)))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("is_undefined", [True, False])
def test_a_cut_off_structure_set_is_refused(
    share: float, is_undefined: bool, tmp_path: Path
) -> None:
    volume = scan()
    ds = rtstruct({"A": [drawn(volume, 1)], "B": [drawn(volume, 2)]})
    for keyword in ("StructureSetROISequence", "ROIContourSequence"):
        ds[keyword].is_undefined_length = is_undefined
        for one in ds[keyword].value:
            one.is_undefined_length_sequence_item = is_undefined
    path = save(ds, tmp_path / "marks.dcm")
    assert len(read_marks(path, volume).contours) == 2
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(InputError, match="cut off"):
        read_marks(path, volume)


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data set rt-utils is not here")
def test_real_structures_equal_scikit_image_voxel_by_voxel() -> None:
    measure = pytest.importorskip("skimage.measure")
    from napari_medlabel.io.registry import read_volume

    volume = read_volume([DATA / "mock_data" / f"ct_{n}.dcm" for n in (1, 2)], hashes=False)
    counts = []
    for file in (DATA / "mock_data" / "rt.dcm", DATA / "empty" / "dummy_rt.dcm"):
        marks = read_marks(file, volume)
        for label in marks.labels[0].scheme.labels:
            theirs = np.zeros(volume.grid.shape, bool)
            for one in marks.contours:
                index = volume.grid.affine.to_index(one.points_ras)
                k = round(index[0, 2])
                if one.name == label.name and 0 <= k < volume.grid.shape[2]:
                    shape = volume.grid.shape[:2]
                    theirs[:, :, k] ^= measure.grid_points_in_poly(shape, index[:, :2])
            ours = marks.labels[0].array == label.value
            assert np.array_equal(ours, theirs)
            counts.append(int(ours.sum()))
    assert counts == [1443, 4976, 3697, 4519, 6954]
