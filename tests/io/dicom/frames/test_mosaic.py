"""Tiles of mosaics and grids lie where their slices were, or the file is refused."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ImplicitVRLittleEndian

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.mosaic import planes_of, wants_mosaic
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.frames.siemens import csa_texts, protocol_slices
from napari_medlabel.io.dicom.header.instance import Instance
from tests.io.frames import (
    AXIAL,
    STORAGE,
    csa,
    dataset,
    instance_of,
    item,
    mosaic,
    protocol,
    save,
)

SHARED_DATA = Path(__file__).parents[5] / "shared" / "data"
Floats = npt.NDArray[np.float64]
TILE = (4, 6)


def image_header(count: int, normal: Sequence[float], **more: Sequence[str]) -> bytes:
    texts = [f"{value:.8f}" for value in normal]
    return csa(
        {
            "EchoLinePosition": ["32"],
            "NumberOfImagesInMosaic": [str(count)],
            "SliceNormalVector": texts,
            **more,
        }
    )


def across(planes: Sequence[Plane]) -> Floats:
    return np.array([plane.position_lps for plane in planes])


def refused(path: Path, ds: Dataset) -> InputError:
    instance = save(path, ds)
    with pytest.raises(InputError) as caught:
        planes_of(instance)
    assert caught.value.hint
    assert "Invented" not in str(caught.value) + caught.value.hint
    return caught.value


def turned(quaternion: Sequence[float]) -> Floats:
    """Return rows of a rotation matrix: row direction, column direction, normal."""
    w, x, y, z = np.array(quaternion) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


AXES = [
    np.array([signs[0] * np.eye(3)[a], signs[1] * np.eye(3)[b]])
    for a, b in itertools.permutations(range(3), 2)
    for signs in itertools.product((1.0, -1.0), repeat=2)
]


@pytest.mark.parametrize("by_protocol", [False, True])
@pytest.mark.parametrize("direction", [1.0, -1.0])
@pytest.mark.parametrize("axes", AXES)
def test_tiles_lie_right_in_all_48_orientations(
    tmp_path: Path, axes: Floats, direction: float, by_protocol: bool
) -> None:
    normal = np.cross(axes[0], axes[1])
    first = np.array([10.0, -20.0, 30.0])
    truth = first + np.arange(7)[:, None] * 4.0 * direction * normal
    middle = (axes[0] * 2.5 * TILE[1] + axes[1] * 1.5 * TILE[0]) / 2
    anatomical = truth if direction > 0 else truth[::-1]
    ds = mosaic(
        first,
        axes.ravel(),
        TILE,
        3,
        image=b"" if by_protocol else image_header(7, direction * normal),
        series=protocol(anatomical + middle),
    )
    planes = planes_of(save(tmp_path / "a", ds))
    assert np.allclose(across(planes), truth, atol=1e-6)
    assert [plane.tile for plane in planes] == [
        (row, column) for row in (0, 4, 8) for column in (0, 6, 12)
    ][:7]
    assert {(plane.rows, plane.columns, plane.frame) for plane in planes} == {(4, 6, 0)}
    assert {plane.orientation_lps for plane in planes} == {tuple(axes.ravel())}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    quaternion=st.tuples(*[st.floats(-1, 1)] * 4).filter(
        lambda q: math.sqrt(sum(v * v for v in q)) > 0.1
    ),
    first=st.tuples(*[st.floats(-300, 300)] * 3),
    count=st.integers(2, 16),
    direction=st.sampled_from([1.0, -1.0]),
    known=st.sampled_from(["image", "series", "both"]),
    tile=st.tuples(st.integers(2, 9), st.integers(2, 9)),
)
def test_oblique_tiles_lie_right_whatever_says_so(
    tmp_path: Path,
    quaternion: tuple[float, ...],
    first: tuple[float, ...],
    count: int,
    direction: float,
    known: str,
    tile: tuple[int, int],
) -> None:
    row, column, normal = turned(quaternion)
    truth = np.array(first) + np.arange(count)[:, None] * 4.0 * direction * normal
    middle = (row * 2.5 * tile[1] + column * 1.5 * tile[0]) / 2
    anatomical = truth if direction > 0 else truth[::-1]
    ds = mosaic(
        first,
        [*row, *column],
        tile,
        math.isqrt(count - 1) + 1,
        image=b"" if known == "series" else image_header(count, direction * normal),
        series=b"" if known == "image" else protocol(anatomical + middle),
    )
    planes = planes_of(save(tmp_path / "a", ds))
    assert len(planes) == count
    assert np.abs(across(planes) - truth).max() < 1e-4


def test_what_a_tile_shows_is_said_of_its_plane(tmp_path: Path) -> None:
    ds = mosaic([0, 0, 0], AXIAL, TILE, 2, image=image_header(3, [0, 0, 1]))
    ds.ImageType = ["ORIGINAL", "PRIMARY", "P", "ND", "MOSAIC"]
    ds.InstanceNumber, ds.RescaleSlope, ds.RescaleIntercept = 5, 2, -4096
    ds.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0C, "IS", "1000")
    planes = planes_of(save(tmp_path / "a", ds))
    assert {plane.kind for plane in planes} == {("phase",)}
    assert {(plane.slope, plane.intercept) for plane in planes} == {(2.0, -4096.0)}
    order = dict(planes[0].order)
    assert {plane.order for plane in planes} == {planes[0].order}
    assert (order["echo"], order["b-value"], order["volume"]) == (30, 1000, 5)
    later = mosaic([0, 0, 0], AXIAL, TILE, 2, image=image_header(3, [0, 0, 1]))
    later.AcquisitionTime = "101533.000000"
    after = dict(planes_of(save(tmp_path / "b", later))[0].order)
    assert after["time"] - order["time"] == 2.5


def test_derived_maps_are_told_from_the_images(tmp_path: Path) -> None:
    ds = mosaic([0, 0, 0], AXIAL, TILE, 2, image=image_header(3, [0, 0, 1]))
    ds.ImageType = ["DERIVED", "PRIMARY", "DIFFUSION", "ADC", "ND", "MOSAIC"]
    assert planes_of(save(tmp_path / "a", ds))[0].kind == ("derived", "adc")


def test_the_count_of_the_old_private_group_is_enough(tmp_path: Path) -> None:
    truth = [[0, 0, 4.0 * k] for k in range(5)]
    middle = np.array([2.5 * 6 / 2, 1.5 * 4 / 2, 0])
    ds = mosaic([0, 0, 0], AXIAL, TILE, 3, image=csa({"SliceNormalVector": ["0", "0", "1"]}))
    ds.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", 5)
    assert np.allclose(across(planes_of(save(tmp_path / "a", ds))), truth)
    ds = mosaic([0, 0, 0], AXIAL, TILE, 3, series=protocol(np.array(truth) + middle))
    # De-identified: the creator is gone, what belonged to it is still there.
    del ds[0x00290010]
    assert np.allclose(across(planes_of(save(tmp_path / "b", ds))), truth)


def test_private_elements_are_found_in_any_block_and_encoding(tmp_path: Path) -> None:
    ds = mosaic([0, 0, 0], AXIAL, TILE, 2)
    ds.add_new(0x00290010, "LO", "SOMEBODY ELSE")
    ds.add_new(0x00290011, "LO", "SIEMENS CSA HEADER")
    ds.add_new(0x00291110, "OB", image_header(3, [0, 0, -1]))
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    planes = planes_of(save(tmp_path / "a", ds))
    assert np.allclose(across(planes), [[0, 0, 0], [0, 0, -4], [0, 0, -8]])


def test_a_lone_slice_needs_no_direction(tmp_path: Path) -> None:
    ds = mosaic([1, 2, 3], AXIAL, TILE, 1, image=csa({"NumberOfImagesInMosaic": ["1"]}))
    (plane,) = planes_of(save(tmp_path / "a", ds))
    assert plane.position_lps == (1, 2, 3)


def test_the_spacing_may_come_from_the_protocol(tmp_path: Path) -> None:
    truth = np.array([[0, 0, 5.5 * k] for k in range(4)])
    middle = np.array([7.5, 3.0, 0])
    ds = mosaic([0, 0, 0], AXIAL, TILE, 2, series=protocol(truth + middle))
    ds.SpacingBetweenSlices = None
    assert np.allclose(across(planes_of(save(tmp_path / "a", ds))), truth)


ORDINARY = image_header(7, [0, 0, 1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "nothing says how many slices"),
        ({"image": csa({"NumberOfImagesInMosaic": ["7"]})}, "run up or down"),
        ({"image": image_header(7, [0, 0.1, 0.9])}, "slice normal is expected at right"),
        ({"image": image_header(17, [0, 0, 1])}, "sheet of 5 by 5 slices"),
        ({"image": image_header(70000, [0, 0, 1])}, "1 to 4096 slices is expected"),
        ({"image": ORDINARY, "ImagePositionPatient": None}, "mosaic without Image Position"),
        ({"image": ORDINARY, "ImageOrientationPatient": None}, "Image Orientation (Patient)"),
        ({"image": ORDINARY, "PixelSpacing": None}, "Pixel Spacing is missing"),
        ({"image": ORDINARY, "PixelSpacing": [0, 0]}, "Pixel Spacing is missing or no length"),
        ({"image": ORDINARY, "SpacingBetweenSlices": None}, "how far apart its slices lie"),
        ({"image": ORDINARY, "ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "at right angles"),
        ({"image": ORDINARY, "Rows": 13}, "cannot be divided so"),
    ],
)
def test_mosaics_that_leave_no_truth_are_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    change = dict(change)
    ds = mosaic([0, 0, 0], AXIAL, TILE, 3, image=change.pop("image", b""))
    for name, value in change.items():
        if value is None:
            delattr(ds, name)
        else:
            setattr(ds, name, value)
    assert message in str(refused(tmp_path / "a", ds))


def test_a_normal_against_the_protocol_is_refused(tmp_path: Path) -> None:
    centres = np.array([[7.5, 3.0, 4.0 * k] for k in range(7)])
    ds = mosaic(
        [0, 0, 0],
        AXIAL,
        TILE,
        3,
        image=image_header(7, [0, 0, -1]),
        series=protocol(centres),
    )
    assert "contradict each other" in str(refused(tmp_path / "a", ds))


def test_a_protocol_of_another_place_says_nothing(tmp_path: Path) -> None:
    centres = np.array([[7.5, 3.0, 4.0 * k + 500] for k in range(7)])
    ds = mosaic([0, 0, 0], AXIAL, TILE, 3, image=ORDINARY, series=protocol(centres))
    assert np.allclose(across(planes_of(save(tmp_path / "a", ds)))[:, 2], 4.0 * np.arange(7))
    alone = mosaic([0, 0, 0], AXIAL, TILE, 3, series=protocol(centres))
    assert "run up or down" in str(refused(tmp_path / "b", alone))


@pytest.mark.parametrize("is_second", [True, False])
def test_both_layouts_of_the_private_header_are_read(is_second: bool) -> None:
    header = csa({"One": ["7"], "Two": ["0.5", "-1e-3", "abc"], "No": []}, is_second=is_second)
    assert csa_texts(header, "One") == ("7",)
    assert csa_texts(header, "Two") == ("0.5", "-1e-3", "abc")
    assert csa_texts(header, "No") == csa_texts(header, "Other") == ()


@given(data=st.binary(max_size=400), keep=st.integers(0, 2000), is_second=st.booleans())
def test_damaged_private_headers_say_less_and_never_fail(
    data: bytes, keep: int, is_second: bool
) -> None:
    whole = csa({"A": ["1"], "B": ["2", "3"]}, is_second=is_second)
    assert csa_texts(whole[:keep], "B") in {(), ("2",), ("2", "3")}
    assert isinstance(csa_texts(data, "A"), tuple)
    assert isinstance(csa_texts(whole[: keep % 500] + data + whole, "B"), tuple)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", (None, ())),
        (b"sSliceArray.lSize = 2\n", (2, ((0.0, 0.0, 0.0),) * 2)),
        (b"sSliceArray.lSize = 0x2\r\n", (2, ((0.0, 0.0, 0.0),) * 2)),
        (b"sSliceArray.lSize = 999999\n", (None, ())),
        (
            b"sSliceArray.lSize = 1\nsSliceArray.asSlice[0].sPosition.dTra = -3.5e1\n",
            (1, ((0.0, 0.0, -35.0),)),
        ),
        (
            b"sSliceArray.lSize = 1\nsSliceArray.asSlice[0].sPosition.dTra = 3-5\n",
            (None, ()),
        ),
    ],
)
def test_protocols_are_read_line_by_line(text: bytes, expected: object) -> None:
    assert (
        protocol_slices(b"### ASCCONV BEGIN ###\n" + text + b"### ASCCONV END ###") == expected
    )


# --- UIH ----------------------------------------------------------------------------------


def grid(
    positions: Sequence[Sequence[float]], count: int | None = None, **extra: Any
) -> Dataset:
    ds = dataset(STORAGE + "4", 1, NumberOfFrames=None)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "VFRAME"]
    ds.Rows, ds.Columns, ds.PixelSpacing = 8, 18, [1.5, 2.5]
    ds.ImageOrientationPatient = AXIAL
    block = ds.private_block(0x0065, "Image Private Header", create=True)
    block.add_new(0x50, "DS", str(len(positions) if count is None else count))
    block.add_new(0x51, "SQ", Items([item(ImagePositionPatient=list(p)) for p in positions]))
    for name, value in extra.items():
        setattr(ds, name, value)
    return ds


def test_grids_lie_where_their_list_says(tmp_path: Path) -> None:
    positions = [(1.0, 2.0, 3.0 * k) for k in range(5)]
    instance = save(tmp_path / "a", grid(positions))
    assert wants_mosaic(instance)
    planes = planes_of(instance)
    assert [plane.position_lps for plane in planes] == positions
    assert [plane.tile for plane in planes] == [(0, 0), (0, 6), (0, 12), (4, 0), (4, 6)]
    assert {plane.kind for plane in planes} == {("magnitude",)}


@pytest.mark.parametrize(
    ("ds", "message"),
    [
        (grid([]), "the private sequence with their positions is missing"),
        (grid([(0, 0, 0)] * 5, count=6), "expected to have 5 slices"),
        (grid([(0, 0, 0), (0, 0)]), "missing for some"),
        (grid([(0, 0, 0)] * 17), "4 by 5 slices"),
    ],
)
def test_grids_that_leave_no_truth_are_refused(
    tmp_path: Path, ds: Dataset, message: str
) -> None:
    assert message in str(refused(tmp_path / "a", ds))


# --- discovery ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "has_position", "short", "wanted"),
    [
        (["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"], True, "4", True),
        (["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"], False, "4", True),
        (["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"], True, "4.1", False),
        (["ORIGINAL", "PRIMARY", "M", "VFRAME"], False, "4", True),
        (["ORIGINAL", "PRIMARY", "M", "VFRAME"], True, "4", False),
        (["ORIGINAL", "PRIMARY", "M", "ND"], False, "4", False),
        (["ORIGINAL", "PRIMARY", "M", "MOSAICS"], True, "4", False),
    ],
)
def test_discovery_asks_for_the_right_files(
    tmp_path: Path, kinds: list[str], has_position: bool, short: str, wanted: bool
) -> None:
    ds = dataset(STORAGE + short, 1, ImageType=kinds)
    if has_position:
        ds.ImagePositionPatient = [0, 0, 0]
    assert wants_mosaic(save(tmp_path / "a", ds)) is wanted


# --- real files ---------------------------------------------------------------------------

SERIES = [
    "dcm_qa_ts/In",
    *(f"dcm_qa_nih/In/20180918Si/mr_000{number}" for number in (3, 4, 5, 6)),
]


def mosaics_in(folder: Path) -> list[Instance]:
    if not folder.is_dir():
        pytest.skip("the real scans are not beside this checkout")
    found = [instance_of(path) for path in sorted(folder.glob("*.dcm"))]
    return [one for one in found if wants_mosaic(one)]


@pytest.mark.parametrize("folder", SERIES)
def test_real_tiles_lie_where_the_scan_was_planned(folder: str) -> None:
    instances = mosaics_in(SHARED_DATA / folder)
    assert instances
    for instance in instances:
        ds = pydicom.dcmread(instance.path, stop_before_pixels=True)
        _, centres = protocol_slices(ds[0x0029, 0x1020].value)
        planes = planes_of(instance)
        turned = np.array(planes[0].orientation_lps)
        down, right = planes[0].spacing_mm or (0, 0)
        middle = (
            turned[:3] * right * planes[0].columns + turned[3:] * down * planes[0].rows
        ) / 2
        assert np.abs(across(planes) + middle - np.array(centres)).max() < 0.01


@pytest.mark.parametrize("folder", SERIES)
def test_real_tiles_hold_what_another_reader_finds_there(folder: str) -> None:
    native = [one for one in mosaics_in(SHARED_DATA / folder) if one.is_native]
    assert native
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "highly experimental", it says on import
        from nibabel.nicom.dicomwrappers import wrapper_from_file

        for instance in native:
            other = wrapper_from_file(str(instance.path))
            data = other.get_data()
            stored = pydicom.dcmread(instance.path).pixel_array
            for k, plane in enumerate(planes_of(instance)):
                row, column = plane.tile or (0, 0)
                tile = stored[row : row + plane.rows, column : column + plane.columns]
                # Its first axis goes down the rows, its affine is LPS.
                assert np.array_equal(tile, data[:, :, k])
                assert np.allclose(
                    (other.affine @ [0, 0, k, 1])[:3], plane.position_lps, atol=0.01
                )
