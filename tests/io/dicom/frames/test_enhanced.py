"""Frames of multi-frame files lie where their headers say, or the file is refused."""

from __future__ import annotations

import re
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames import nested as dicom_frames_walk
from napari_medlabel.io.dicom.frames.enhanced import (
    RELATIVE_TO_PROBE,
    UNITS,
    planes_of,
    wants_enhanced,
)
from tests.io.frames import AXIAL, STORAGE, dataset, enhanced, groups, instance_of, item, save

SHARED_DATA = Path(__file__).parents[5] / "shared" / "data"


def places(count: int) -> list[dict[str, Any]]:
    return [{"position": [1.0, -2.0, 5.0 * k]} for k in range(count)]


def names(planes: Any) -> list[dict[str, float]]:
    return [dict(plane.order) for plane in planes]


def refused(path: Path, ds: Dataset, **how: Any) -> InputError:
    instance = save(path, ds, **how)
    with pytest.raises(InputError) as caught:
        planes_of(instance)
    assert caught.value.hint
    assert "Invented" not in str(caught.value) + caught.value.hint
    return caught.value


def test_frames_lie_where_their_groups_say(tmp_path: Path) -> None:
    frames = places(3)
    planes = planes_of(save(tmp_path / "a", enhanced(frames)))
    assert [plane.position_lps for plane in planes] == [(1, -2, 0), (1, -2, 5), (1, -2, 10)]
    assert [plane.frame for plane in planes] == [0, 1, 2]
    first = planes[0]
    assert first.orientation_lps == tuple(AXIAL)
    assert first.spacing_mm == (2.0, 3.0)
    assert (first.rows, first.columns, first.tile) == (4, 6, None)
    assert (first.slope, first.intercept, first.window) == (1.0, 0.0, None)


def test_a_group_of_the_frame_goes_before_the_shared_one(tmp_path: Path) -> None:
    frames = [
        {"position": [0, 0, 0], "slope": 2.5, "intercept": -4, "centre": 40, "width": 80},
        {
            "position": [0, 0, 1],
            "thickness": 7,
            "between": 9,
            "orientation": [0, 1, 0, 0, 0, -1],
        },
    ]
    shared = {"slope": 1.5, "intercept": 1, "centre": 3, "width": 4, "thickness": 5}
    one, two = planes_of(save(tmp_path / "a", enhanced(frames, shared)))
    assert (one.slope, one.intercept, one.window) == (2.5, -4.0, (40.0, 80.0))
    assert (two.slope, two.intercept, two.window) == (1.5, 1.0, (3.0, 4.0))
    assert (one.thickness_mm, one.between_mm) == (5.0, None)
    # A group is taken whole: the frame's own measures have no Pixel Spacing.
    assert (two.thickness_mm, two.between_mm, two.spacing_mm) == (7.0, 9.0, None)
    assert two.orientation_lps == (0, 1, 0, 0, 0, -1)


def test_times_of_one_volume_are_the_same_in_all_its_slices(tmp_path: Path) -> None:
    frames = [
        {
            "position": [0, 0, k],
            "index": t + 1,
            "moment": f"202001011200{10 * t + k:02d}.250000",
        }
        for k in range(3)
        for t in range(4)
    ]
    planes = planes_of(save(tmp_path / "a", enhanced(frames)))
    times = [order["time"] for order in names(planes)]
    assert np.allclose(np.array(times).reshape(3, 4) - times[0], [[0, 10, 20, 30]] * 3)
    assert {plane.kind for plane in planes} == {planes[0].kind}


def test_slices_acquired_one_after_the_other_are_one_volume(tmp_path: Path) -> None:
    frames = [
        {"position": [0, 0, k], "moment": f"202001011200{10 * t + 2 * k:02d}"}
        for k in range(3)
        for t in range(2)
    ]
    planes = planes_of(save(tmp_path / "a", enhanced(frames)))
    times = np.array([order["time"] for order in names(planes)]).reshape(3, 2)
    assert np.allclose(times - times[0, 0], [[0, 10]] * 3)


def test_a_clock_that_contradicts_the_count_is_not_believed(tmp_path: Path) -> None:
    frames = [
        {"position": [0, 0, 0], "index": t, "moment": "20200101120000"} for t in (1, 2, 3)
    ]
    planes = planes_of(save(tmp_path / "a", enhanced(frames)))
    assert [order["volume"] for order in names(planes)] == [1, 2, 3]


def test_time_offsets_are_seconds(tmp_path: Path) -> None:
    frames = [{"position": [0, 0, 0], "offset": offset} for offset in (0.0, 2.5)]
    planes = planes_of(save(tmp_path / "a", enhanced(frames)))
    assert [order["time"] for order in names(planes)] == [0.0, 2.5]


def test_magnitude_and_phase_are_different_images(tmp_path: Path) -> None:
    frames = [
        {"position": [0, 0, k], "component": part, "frame_type": ["ORIGINAL", "PRIMARY"]}
        for part in ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY")
        for k in range(2)
    ]
    planes = planes_of(save(tmp_path / "a", enhanced(frames)))
    assert [plane.kind[0] for plane in planes[::2]] == [
        "magnitude",
        "phase",
        "real",
        "imaginary",
    ]
    assert not any("volume" in order or "time" in order for order in names(planes))


def test_stacks_are_told_apart_and_a_single_one_is_not_named(tmp_path: Path) -> None:
    frames = [{"position": [0, 0, k], "stack": s} for s in ("left", "right") for k in range(2)]
    kinds = [plane.kind for plane in planes_of(save(tmp_path / "a", enhanced(frames)))]
    assert kinds == [("stack 1",)] * 2 + [("stack 2",)] * 2
    alone = planes_of(save(tmp_path / "b", enhanced(frames[:2])))
    assert {plane.kind for plane in alone} == {()}


def test_derived_maps_water_and_fat_are_different_images(tmp_path: Path) -> None:
    frames = [
        {"position": [0, 0, 0], "frame_type": ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]},
        {"position": [0, 0, 0], "frame_type": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]},
    ]
    kinds = [plane.kind for plane in planes_of(save(tmp_path / "a", enhanced(frames)))]
    assert kinds == [("original",), ("derived", "adc")]
    frames = [{"position": [0, 0, 0], "metabolite": name} for name in ("WATER", "FAT")]
    kinds = [plane.kind for plane in planes_of(save(tmp_path / "b", enhanced(frames)))]
    assert kinds == [("water",), ("fat",)]


def test_words_that_no_standard_defines_are_not_repeated(tmp_path: Path) -> None:
    frames = [
        {"position": [0, 0, 0], "frame_type": ["DERIVED", "PRIMARY", "X", name]}
        for name in ("INVENTED A", "INVENTED B")
    ]
    one, two = planes_of(save(tmp_path / "a", enhanced(frames)))
    assert one.kind != two.kind
    assert all(re.fullmatch("type [0-9a-f]{8}", kind[1]) for kind in (one.kind, two.kind))


def test_echoes_b_values_and_directions_name_volumes(tmp_path: Path) -> None:
    frames = [{"position": [0, 0, k], "echo": echo} for echo in (12.0, 24.0) for k in (0, 1)]
    planes = planes_of(save(tmp_path / "a", enhanced(frames)))
    assert [order["echo"] for order in names(planes)] == [12, 12, 24, 24]
    frames = [
        {"position": [0, 0, k], "b_value": b, "directionality": "DIRECTIONAL", "direction": to}
        for b, to in ((0.0, [0, 0, 0]), (800.0, [1, 0, 0]), (800.0, [0, 1, 0]))
        for k in (0, 1)
    ]
    planes = planes_of(save(tmp_path / "b", enhanced(frames)))
    told = [(order["b-value"], order["direction"]) for order in names(planes)]
    assert told[::2] == told[1::2]
    assert [b for b, _ in told[::2]] == [0, 800, 800]
    assert len(set(told)) == 3


def test_the_average_over_directions_is_another_image(tmp_path: Path) -> None:
    frames = [
        {"position": [0, 0, 0], "b_value": 800.0, "directionality": "DIRECTIONAL"},
        {"position": [0, 0, 0], "b_value": 800.0, "directionality": "ISOTROPIC"},
    ]
    kinds = [plane.kind for plane in planes_of(save(tmp_path / "a", enhanced(frames)))]
    assert kinds == [(), ("isotropic",)]


def test_trigger_delays_that_differ_a_little_are_one_phase(tmp_path: Path) -> None:
    frames = [
        {"position": [0, 0, k], "trigger": 40.0 * t + k} for k in range(3) for t in range(2)
    ]
    planes = planes_of(save(tmp_path / "a", enhanced(frames)))
    assert [order["trigger"] for order in names(planes)] == [0, 40] * 3


def test_pairs_of_label_and_control_share_a_time(tmp_path: Path) -> None:
    frames = [
        {"position": [0, 0, 0], "index": t, "labelling": said}
        for t in (1, 2)
        for said in ("LABEL", "CONTROL")
    ]
    told = names(planes_of(save(tmp_path / "a", enhanced(frames))))
    assert [(one["volume"], one["labelling"]) for one in told] == [
        (1, 1),
        (1, 0),
        (2, 1),
        (2, 0),
    ]


def test_dimension_indices_count_what_nothing_else_names(tmp_path: Path) -> None:
    pointers = [0x00209056, 0x00209057, 0x00189999]
    frames = [
        {"position": [0, 0, k], "dimensions": [1, k + 1, 3 - t]}
        for k in range(2)
        for t in (0, 1)
    ]
    ds = enhanced(frames)
    ds.DimensionIndexSequence = Items([item(DimensionIndexPointer=tag) for tag in pointers])
    told = names(planes_of(save(tmp_path / "a", ds)))
    assert [one["volume"] for one in told] == [2, 1, 2, 1]


def test_repetitions_without_any_name_are_counted_as_they_come(tmp_path: Path) -> None:
    frames = [{"position": [0, 0, k]} for _ in range(3) for k in range(2)]
    told = names(planes_of(save(tmp_path / "a", enhanced(frames))))
    assert [one["volume"] for one in told] == [1, 1, 2, 2, 3, 3]


def test_what_all_frames_share_is_kept_for_other_files(tmp_path: Path) -> None:
    shared = {"echo": 7.0, "b_value": 500.0, "directionality": "NONE"}
    frames = [{"position": [0, 0, k], "moment": f"2020010112000{k}"} for k in (3, 2)]
    one, two = planes_of(save(tmp_path / "a", enhanced(frames, shared)))
    assert one.order == two.order
    assert [name for name, _ in one.order] == ["echo", "time", "b-value"]
    assert set(UNITS) >= {name for name, _ in one.order}
    assert UNITS["time"] == "s"
    assert UNITS["volume"] == ""


def test_converted_files_keep_what_the_old_attributes_said(tmp_path: Path) -> None:
    ds = enhanced(places(1) + places(1), sop_class=STORAGE + "4.4")
    for n, own in enumerate(ds.PerFrameFunctionalGroupsSequence):
        own.UnassignedPerFrameConvertedAttributesSequence = Items(
            [
                item(
                    EchoTime=str(10 + n),
                    ImageType=["ORIGINAL", "PRIMARY", "M"],
                    AcquisitionDate="20200101",
                    AcquisitionTime="120000",
                )
            ]
        )
    told = names(planes_of(save(tmp_path / "a", ds)))
    assert [one["echo"] for one in told] == [10, 11]
    assert told[0]["time"] == told[1]["time"]


def test_philips_says_label_and_control_in_private(tmp_path: Path) -> None:
    ds = enhanced(places(1) + places(1))
    for said, own in zip(
        ("LABEL", "CONTROL"), ds.PerFrameFunctionalGroupsSequence, strict=True
    ):
        inner = Dataset()
        inner.private_block(0x2005, "Philips MR Imaging DD 005", create=True).add_new(
            0x29, "CS", said
        )
        own.private_block(0x2005, "Philips MR Imaging DD 005", create=True).add_new(
            0x0F, "SQ", Items([inner])
        )
    told = names(planes_of(save(tmp_path / "a", ds)))
    assert [one["labelling"] for one in told] == [1, 0]


def test_philips_repeats_its_slope_in_private(tmp_path: Path) -> None:
    ds = enhanced(places(2))
    for slope, own in zip((2.5, 7.5), ds.PerFrameFunctionalGroupsSequence, strict=True):
        own.private_block(0x2005, "Philips MR Imaging DD 005", create=True).add_new(
            0x0F, "SQ", Items([item(RescaleSlope=slope, RescaleIntercept=-1)])
        )
    planes = planes_of(save(tmp_path / "a", ds))
    assert [(plane.slope, plane.intercept) for plane in planes] == [(2.5, -1), (7.5, -1)]


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
@pytest.mark.parametrize("open_ended", [True, False])
def test_the_encoding_makes_no_difference(
    tmp_path: Path, syntax: UID, open_ended: bool
) -> None:
    frames = [
        {"position": [0, 0, k], "index": t + 1, "b_value": 5.0 * t, "component": "MAGNITUDE"}
        for k in range(2)
        for t in range(2)
    ]
    ds = enhanced(frames, {"moment": "20200101120000"})
    ds.DimensionIndexSequence = Items([item(DimensionIndexPointer=0x00209128)])
    expected = planes_of(save(tmp_path / "a", ds))

    ds.file_meta.TransferSyntaxUID = syntax
    for sequence in (ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence):
        sequence.is_undefined_length = open_ended
        for part in sequence:
            part.is_undefined_length_sequence_item = open_ended
    if syntax is ExplicitVRBigEndian:
        ds["PixelData"].VR = "OW"
    found = planes_of(save(tmp_path / "b", ds, pixels=False))
    assert [p.order for p in found] == [p.order for p in expected]
    assert [p.position_lps for p in found] == [p.position_lps for p in expected]
    assert [p.kind for p in found] == [p.kind for p in expected]


def test_sequences_of_unknown_representation_are_read(tmp_path: Path) -> None:
    ds = enhanced(places(2))
    raw = DicomBytesIO()
    raw.is_little_endian, raw.is_implicit_VR = True, True
    inner = Dataset()
    inner.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence
    write_dataset(raw, inner)
    # As an archive writes a sequence that it does not know: UN, encoded implicitly within.
    ds.PerFrameFunctionalGroupsSequence = Items([])
    instance = save(tmp_path / "a", ds)
    data = instance.path.read_bytes()
    empty = b"\x00\x52\x30\x92SQ\0\0\0\0\0\0"
    value = raw.getvalue()[8:]
    unknown = b"\x00\x52\x30\x92UN\0\0" + struct.pack("<I", len(value)) + value
    assert data.count(empty) == 1
    instance.path.write_bytes(data.replace(empty, unknown))
    planes = planes_of(instance_of(instance.path))
    assert [plane.position_lps for plane in planes] == [(1, -2, 0), (1, -2, 5)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(12)),
    start=st.tuples(*[st.floats(-500, 500).map(lambda v: round(v, 4))] * 3),
    step=st.floats(0.25, 9).map(lambda v: round(v, 4)),
)
def test_the_order_of_frames_in_the_file_makes_no_difference(
    tmp_path: Path, order: list[int], start: tuple[float, ...], step: float
) -> None:
    frames = [
        {"position": [start[0], start[1], round(start[2] + k * step, 5)], "index": t + 1}
        for k in range(4)
        for t in range(3)
    ]
    planes = planes_of(save(tmp_path / "a", enhanced([frames[n] for n in order])))
    truth = sorted(
        ((start[0], start[1], round(start[2] + k * step, 5)), float(t + 1))
        for k in range(4)
        for t in range(3)
    )
    found = sorted((p.position_lps, dict(p.order)["volume"]) for p in planes)
    assert np.allclose([f[0] for f in found], [t[0] for t in truth], atol=1e-9)
    assert [f[1] for f in found] == [t[1] for t in truth]
    for plane, n in zip(planes, order, strict=True):
        assert dict(plane.order)["volume"] == frames[n]["index"]


def test_two_thousand_frames_are_read_quickly(tmp_path: Path) -> None:
    frames = [
        {"position": [0, 0, k], "index": t + 1, "echo": 30.0, "component": "MAGNITUDE"}
        for t in range(100)
        for k in range(20)
    ]
    instance = save(tmp_path / "a", enhanced(frames))
    began = time.perf_counter()
    planes = planes_of(instance)
    assert len({(p.position_lps, p.order) for p in planes}) == 2000
    assert time.perf_counter() - began < 4.0  # half a second on a machine with nothing to do


def test_a_frame_without_position_is_refused(tmp_path: Path) -> None:
    frames = [*places(2), {}]
    message = str(refused(tmp_path / "a", enhanced(frames)))
    assert message == (
        "Where the images lie is unknown: Image Position (Patient) is missing for frame 3 of 3."
    )


def test_a_position_of_two_numbers_is_refused(tmp_path: Path) -> None:
    message = str(refused(tmp_path / "a", enhanced([{"position": [1.0, 2.0]}])))
    assert "not as many numbers as it needs for frame 1 of 1" in message


def test_no_orientation_is_refused_unless_it_stands_outside(tmp_path: Path) -> None:
    ds = enhanced(places(2))
    del ds.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
    assert "Image Orientation (Patient) is missing" in str(refused(tmp_path / "a", ds))
    ds.ImageOrientationPatient = AXIAL
    planes = planes_of(save(tmp_path / "b", ds))
    assert planes[1].orientation_lps == tuple(AXIAL)


@pytest.mark.parametrize("count", [1, 4])
def test_a_wrong_number_of_groups_is_refused(tmp_path: Path, count: int) -> None:
    ds = enhanced(places(3), NumberOfFrames=count)
    assert f"expected to have {count} items" in str(refused(tmp_path / "a", ds))
    assert "it has 3" in str(refused(tmp_path / "a", ds))


@pytest.mark.parametrize("count", [2_000_000_000, -3])
def test_absurd_numbers_of_frames_are_refused(tmp_path: Path, count: int) -> None:
    ds = enhanced(places(1), NumberOfFrames=count)
    message = str(refused(tmp_path / "a", ds))
    assert message.startswith("Number of Frames is expected between 1 and 200000")


def test_frames_without_any_groups_are_refused(tmp_path: Path) -> None:
    message = str(refused(tmp_path / "a", dataset(frames=5)))
    assert message.startswith("The file has 5 frames and does not say where they lie")


def test_an_enhanced_file_written_like_a_single_frame_is_read(tmp_path: Path) -> None:
    ds = dataset(
        ImagePositionPatient=[1, 2, 3],
        ImageOrientationPatient=AXIAL,
        PixelSpacing=[0.5, 0.6],
        AcquisitionDateTime="20200101120000",
    )
    (plane,) = planes_of(save(tmp_path / "a", ds))
    assert plane.position_lps == (1, 2, 3)
    assert plane.spacing_mm == (0.5, 0.6)
    assert [name for name, _ in plane.order] == ["time"]


def test_a_position_that_is_no_number_is_refused(tmp_path: Path) -> None:
    frames = [
        {"volume_position": [0.0, 0.0, z], "volume_orientation": AXIAL}
        for z in (1.0, float("nan"))
    ]
    ds = enhanced(frames, sop_class=STORAGE + "6.2")
    assert "is missing for frame 2 of 2" in str(refused(tmp_path / "a", ds))


def test_a_mosaic_in_an_enhanced_frame_is_refused(tmp_path: Path) -> None:
    ds = enhanced(places(1), ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"])
    assert "only frame is a mosaic" in str(refused(tmp_path / "a", ds))
    ds = enhanced(places(1))
    inner = Dataset()
    inner.private_block(0x0021, "SIEMENS MR SDI 02", create=True).add_new(
        0x75, "CS", ["ORIGINAL", "MOSAIC"]
    )
    ds.PerFrameFunctionalGroupsSequence[0].private_block(
        0x0021, "SIEMENS MR SDI 02", create=True
    ).add_new(0xFE, "SQ", Items([inner]))
    assert "only frame is a mosaic" in str(refused(tmp_path / "b", ds))
    several = enhanced(places(2), ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"])
    assert len(planes_of(save(tmp_path / "c", several))) == 2


def test_nested_without_end_is_refused(tmp_path: Path) -> None:
    inner = groups(position=[0, 0, 0])
    for _ in range(40):
        outer = Dataset()
        outer.FrameContentSequence = Items([inner])
        inner = outer
    ds = enhanced(places(1))
    ds.PerFrameFunctionalGroupsSequence = Items([inner])
    assert "nested more than 32 deep" in str(refused(tmp_path / "a", ds))


def test_a_header_that_cannot_be_followed_is_refused(tmp_path: Path) -> None:
    instance = save(tmp_path / "a", enhanced(places(2)))
    raw = bytearray(instance.path.read_bytes())
    at = raw.find(b"\x20\x00\x32\x00DS")
    raw[at + 4 : at + 6] = b"SQ"  # a sequence with an absurd length
    instance.path.write_bytes(raw)
    with pytest.raises(InputError) as caught:
        planes_of(instance)
    assert caught.value.hint


def test_items_without_number_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicom_frames_walk, "_MOST_ITEMS", 10)
    message = str(refused(tmp_path / "a", enhanced(places(6))))
    assert message == "The header has more than 10 nested items; no scan needs that."


def test_an_item_longer_than_its_sequence_is_not_believed(tmp_path: Path) -> None:
    instance = save(tmp_path / "a", enhanced(places(2)))
    raw = instance.path.read_bytes()
    at = raw.find(b"\x20\x00\x13\x91SQ")  # the first Plane Position Sequence
    assert raw[at + 12 : at + 16] == b"\xfe\xff\x00\xe0"
    length = struct.unpack_from("<I", raw, at + 16)[0]
    lying = raw[: at + 16] + struct.pack("<I", length - 2) + raw[at + 20 :]
    instance.path.write_bytes(lying)
    # pydicom, asked instead, goes by the elements' own lengths.
    planes = planes_of(instance)
    assert [plane.position_lps for plane in planes] == [(1, -2, 0), (1, -2, 5)]


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    path = save(tmp_path / "a", enhanced(places(2))).path
    path.write_bytes(path.read_bytes()[132:])
    planes = planes_of(instance_of(path))
    assert [plane.position_lps for plane in planes] == [(1, -2, 0), (1, -2, 5)]


def test_a_lone_frame_may_have_its_position_outside_the_groups(tmp_path: Path) -> None:
    ds = enhanced([{"echo": 5.0}], ImagePositionPatient=[7, 8, 9])
    (plane,) = planes_of(save(tmp_path / "a", ds))
    assert plane.position_lps == (7, 8, 9)
    assert dict(plane.order)["echo"] == 5.0


def test_a_file_that_went_away_is_refused(tmp_path: Path) -> None:
    instance = save(tmp_path / "a", enhanced(places(2)))
    instance.path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        planes_of(instance)


def test_ultrasound_volumes_lie_relative_to_the_probe(tmp_path: Path) -> None:
    frames = [
        {"volume_position": [0.0, 0.0, float(k)], "volume_orientation": AXIAL} for k in range(2)
    ]
    ds = enhanced(frames, {"spacing": [1, 1]}, sop_class=STORAGE + "6.2")
    del ds.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
    planes = planes_of(save(tmp_path / "a", ds))
    assert [plane.position_lps for plane in planes] == [(0, 0, 0), (0, 0, 1)]
    assert all(RELATIVE_TO_PROBE in plane.kind for plane in planes)


@pytest.mark.parametrize("short", ["13.1.3", "77.1.5.4", "6.2"])
def test_classes_that_may_be_pictures_need_no_position(tmp_path: Path, short: str) -> None:
    planes = planes_of(save(tmp_path / "a", enhanced([{}, {}], sop_class=STORAGE + short)))
    assert [plane.position_lps for plane in planes] == [None, None]
    some = enhanced([*places(1), {}], sop_class=STORAGE + short)
    assert "is missing for frame 2 of 2" in str(refused(tmp_path / "b", some))


# --- nuclear medicine, dose, cine ---------------------------------------------------------

NM = STORAGE + "20"
DOSE = STORAGE + "481.2"


def tomogram(frames: int, pointer: list[int] | None, **extra: Any) -> Dataset:
    ds = dataset(NM, frames, ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"])
    ds.PixelSpacing, ds.SpacingBetweenSlices, ds.SliceThickness = [4, 4], 3.5, 3.5
    if pointer is not None:
        ds.FrameIncrementPointer = pointer if len(pointer) > 1 else pointer[0]
    ds.DetectorInformationSequence = Items(
        [item(ImagePositionPatient=[10, 20, 30], ImageOrientationPatient=AXIAL)]
    )
    for name, value in extra.items():
        setattr(ds, name, value)
    return ds


def test_tomograms_lie_along_their_normal(tmp_path: Path) -> None:
    ds = tomogram(3, [0x00540080], SliceVector=[1, 2, 3])
    planes = planes_of(save(tmp_path / "a", ds))
    assert [p.position_lps for p in planes] == [(10, 20, 30), (10, 20, 33.5), (10, 20, 37)]
    ds.SpacingBetweenSlices = -3.5
    planes = planes_of(save(tmp_path / "b", ds))
    assert [p.position_lps for p in planes] == [(10, 20, 30), (10, 20, 26.5), (10, 20, 23)]
    assert {p.orientation_lps for p in planes} == {tuple(AXIAL)}


def test_gated_tomograms_have_time_slots_and_energy_windows(tmp_path: Path) -> None:
    ds = tomogram(
        8,
        [0x00540010, 0x00540070, 0x00540080],
        ImageType=["ORIGINAL", "PRIMARY", "RECON GATED TOMO", "EMISSION"],
        EnergyWindowVector=[1] * 4 + [2] * 4,
        TimeSlotVector=[1, 1, 2, 2] * 2,
        SliceVector=[1, 2] * 4,
    )
    planes = planes_of(save(tmp_path / "a", ds))
    assert [p.kind for p in planes[::4]] == [("energy window 1",), ("energy window 2",)]
    assert [p.order for p in planes[:4]] == [(("time slot", 1.0),)] * 2 + [
        (("time slot", 2.0),)
    ] * 2
    assert {p.position_lps for p in planes} == {(10, 20, 30), (10, 20, 33.5)}


def test_tomograms_without_vectors_are_slices_in_their_order(tmp_path: Path) -> None:
    planes = planes_of(save(tmp_path / "a", tomogram(2, None)))
    assert [p.position_lps for p in planes] == [(10, 20, 30), (10, 20, 33.5)]


def test_a_lone_slice_of_a_tomogram_needs_no_spacing(tmp_path: Path) -> None:
    ds = tomogram(1, [0x00540080], SliceVector=1)
    del ds.SpacingBetweenSlices
    (plane,) = planes_of(save(tmp_path / "a", ds))
    assert plane.position_lps == (10, 20, 30)


def test_projections_are_pictures(tmp_path: Path) -> None:
    ds = tomogram(4, [0x00540090], ImageType=["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"])
    assert [p.position_lps for p in planes_of(save(tmp_path / "a", ds))] == [None] * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"SliceVector": [1, 2]}, "3 numbers, one for each frame; one has 2"),
        ({"SliceVector": [3, 2, 1]}, "expected to begin with 1"),
        ({"SpacingBetweenSlices": 0}, "Spacing Between Slices is missing or zero"),
        ({"DetectorInformationSequence": Items([])}, "Image Position (Patient) is missing"),
        ({"FrameIncrementPointer": 0x00540070, "TimeSlotVector": [1, 2, 3]}, "Slice Vector"),
    ],
)
def test_tomograms_that_leave_no_truth_are_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    ds = tomogram(3, [0x00540080], SliceVector=[1, 2, 3])
    for name, value in change.items():
        setattr(ds, name, value)
    assert message in str(refused(tmp_path / "a", ds))


def dose(offsets: list[float] | None, **extra: Any) -> Dataset:
    ds = dataset(DOSE, len(offsets or [0, 0, 0]), DoseGridScaling="0.25", PixelSpacing=[2, 2])
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [5, 6, 7], AXIAL
    if offsets is not None:
        ds.GridFrameOffsetVector = offsets
    for name, value in extra.items():
        setattr(ds, name, value)
    return ds


@pytest.mark.parametrize("offsets", [[0, 3, 7], [7, 10, 14]])
def test_both_conventions_of_dose_offsets_are_read(
    tmp_path: Path, offsets: list[float]
) -> None:
    planes = planes_of(save(tmp_path / "a", dose(offsets)))
    assert [p.position_lps for p in planes] == [(5, 6, 7), (5, 6, 10), (5, 6, 14)]
    assert {(p.slope, p.intercept) for p in planes} == {(0.25, 0.0)}


def test_a_lone_plane_of_dose_needs_no_offsets(tmp_path: Path) -> None:
    (plane,) = planes_of(save(tmp_path / "a", dose(None, NumberOfFrames=1)))
    assert (plane.position_lps, plane.slope) == ((5, 6, 7), 0.25)


def test_offsets_run_along_the_normal_and_coordinates_along_z(tmp_path: Path) -> None:
    feet_first = [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    ds = dose([0, 3], ImageOrientationPatient=feet_first)
    assert [p.position_lps for p in planes_of(save(tmp_path / "a", ds))] == [
        (5, 6, 7),
        (5, 6, 4),
    ]
    ds = dose([7, 10], ImageOrientationPatient=feet_first)
    planes = planes_of(save(tmp_path / "b", ds))
    assert [p.position_lps for p in planes] == [(5, 6, 7), (5, 6, 10)]
    sagittal = dose([0, 3], ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    planes = planes_of(save(tmp_path / "c", sagittal))
    assert [p.position_lps for p in planes] == [(5, 6, 7), (2, 6, 7)]


@pytest.mark.parametrize(
    ("ds", "message"),
    [
        (dose([1, 2, 3]), "expected to begin with zero"),
        (dose([7, 9], ImageOrientationPatient=[0, 1, 0, 0, 0, -1]), "it does neither"),
        (dose(None), "3 numbers, one for each frame; it has 0"),
        (dose([0, 1], NumberOfFrames=3), "it has 2"),
        (dose([0, 1], DoseGridScaling="0"), "Dose Grid Scaling"),
        (dose([0, 1], ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), "at right angles"),
    ],
)
def test_dose_grids_that_leave_no_truth_are_refused(
    tmp_path: Path, ds: Dataset, message: str
) -> None:
    assert message in str(refused(tmp_path / "a", ds))


def test_a_film_of_one_place_is_a_time_series(tmp_path: Path) -> None:
    ds = dataset(STORAGE + "4", 3, FrameTime="40", FrameIncrementPointer=0x00181063)
    pictures = planes_of(save(tmp_path / "a", ds))
    assert [p.position_lps for p in pictures] == [None] * 3
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [1, 2, 3], AXIAL
    planes = planes_of(save(tmp_path / "b", ds))
    assert {p.position_lps for p in planes} == {(1, 2, 3)}
    assert [p.order for p in planes] == [(("time", n * 0.04),) for n in range(3)]
    ds.FrameIncrementPointer, ds.FrameTimeVector = 0x00181065, [0, 40, 50]
    planes = planes_of(save(tmp_path / "c", ds))
    assert np.allclose([p.order[0][1] for p in planes], [0, 0.04, 0.09])


def test_several_frames_of_an_old_class_without_a_clock_are_refused(tmp_path: Path) -> None:
    ds = dataset(STORAGE + "2", 3, ImagePositionPatient=[1, 2, 3])
    assert "does not say where they lie" in str(refused(tmp_path / "a", ds))


@pytest.mark.parametrize(
    ("short", "frames", "wanted"),
    [
        ("4.1", 1, True),
        ("2.1", 9, True),
        ("2.2", 9, True),
        ("130", 9, True),
        ("30", 1, True),
        ("481.2", 1, True),
        ("20", 9, True),
        ("20", 1, True),
        ("4", 1, False),
        ("4", 9, True),
        ("2", 1, False),
        ("7.2", 9, False),
        ("6.1", 9, False),
        ("66.4", 9, False),
    ],
)
def test_discovery_asks_for_the_right_files(
    tmp_path: Path, short: str, frames: int, wanted: bool
) -> None:
    instance = save(tmp_path / "a", dataset(STORAGE + short, frames))
    assert wants_enhanced(instance) is wanted


# --- real files ---------------------------------------------------------------------------

REAL = sorted(SHARED_DATA.glob("dcm_qa_enh/In/**/*.dcm")) + sorted(
    SHARED_DATA.glob("dcmqi/segmentations/*/multiframe/*.dcm")
)


@pytest.mark.skipif(not REAL, reason="the real scans are not here")
@pytest.mark.parametrize("number", range(len(REAL)))
def test_real_frames_lie_where_pydicom_reads_them(number: int) -> None:
    planes = planes_of(instance_of(REAL[number]))
    ds = pydicom.dcmread(REAL[number], stop_before_pixels=True)
    shared = ds.SharedFunctionalGroupsSequence[0]
    assert len(planes) == len(ds.PerFrameFunctionalGroupsSequence) == ds.NumberOfFrames
    for plane, own in zip(planes, ds.PerFrameFunctionalGroupsSequence, strict=True):
        where = own if "PlanePositionSequence" in own else shared
        turned = own if "PlaneOrientationSequence" in own else shared
        values = own if "PixelValueTransformationSequence" in own else shared
        position = where.PlanePositionSequence[0].ImagePositionPatient
        orientation = turned.PlaneOrientationSequence[0].ImageOrientationPatient
        assert plane.position_lps == tuple(position)
        assert plane.orientation_lps == tuple(orientation)
        assert plane.slope == values.PixelValueTransformationSequence[0].RescaleSlope
    told = {(plane.kind, plane.position_lps, plane.order) for plane in planes}
    assert len(told) == len(planes)
