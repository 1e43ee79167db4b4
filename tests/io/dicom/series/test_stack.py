"""Several images at each position -> volumes: what they differ in, and what is refused."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.io.registry import find_series, read_volume
from tests.io.frames import enhanced
from tests.io.frames import save as save_frames
from tests.io.scans import instance, save, voxels, worst_corner_mm, write_volumes


def stored_of(volumes, slices):
    return voxels(volumes * slices).reshape(volumes, slices, 5, 4)


def private(group, creator, element, vr, value):
    def change(ds, t, k):
        block = ds.private_block(group, creator, create=True)
        block.add_new(element, vr, value(t))

    return change


def require_voxels(volume, stored):
    """Every voxel of every volume is where it was written."""
    read = np.asarray(volume.further.array)
    np.testing.assert_array_equal(read.transpose(3, 2, 1, 0), stored)
    np.testing.assert_array_equal(volume.array, read[..., 0])
    assert worst_corner_mm(volume) < 1e-4


CLOCK = ["101500", "101502.5", "101505"]


@pytest.mark.parametrize("interleaved", [True, False], ids=["by place", "by volume"])
@pytest.mark.parametrize(
    ("differ", "name", "unit", "values"),
    [
        (lambda t, k: {"TemporalPositionIdentifier": t + 1}, "time", "", (1, 2, 3)),
        (
            lambda t, k: {"TemporalPositionIdentifier": t + 1, "AcquisitionTime": CLOCK[t]},
            "time",
            "s",
            (0, 2.5, 5),
        ),
        (lambda t, k: {"AcquisitionTime": CLOCK[t]}, "time", "s", (0, 2.5, 5)),
        (
            lambda t, k: {"AcquisitionDateTime": f"202002291015{2 * t + 10 + k / 10:06.3f}"},
            "time",
            "s",
            (0, 2, 4),
        ),
        (lambda t, k: {"ContentTime": f"1015{10 * t + k:02d}"}, "time", "s", (0, 10, 20)),
        (lambda t, k: {"EchoTime": 10 + 15 * t}, "echo", "ms", (10, 25, 40)),
        (lambda t, k: {"InversionTime": 100 * (t + 1)}, "inversion", "ms", (100, 200, 300)),
        (lambda t, k: {"FlipAngle": 5 * (t + 1)}, "flip angle", "deg", (5, 10, 15)),
        (lambda t, k: {"DiffusionBValue": 500.0 * t}, "b-value", "s/mm2", (0, 500, 1000)),
        (lambda t, k: {"TriggerTime": 40 * t}, "trigger", "ms", (0, 40, 80)),
        (lambda t, k: {"TriggerTime": 40 * t + k}, "trigger", "ms", (1, 41, 81)),
        (lambda t, k: {"AcquisitionNumber": t + 4}, "time", "", (1, 2, 3)),
        (lambda t, k: {}, "volume", "", (1, 2, 3)),
    ],
)
def test_volumes_are_told_apart_by_what_they_differ_in(
    tmp_path, differ, name, unit, values, interleaved
):
    stored = stored_of(3, 3)
    write_volumes(tmp_path, stored, differ, interleaved=interleaved)
    volume = read_volume(tmp_path)
    require_voxels(volume, stored)
    assert (volume.further.name, volume.further.unit) == (name, unit)
    assert volume.further.values == pytest.approx(values)
    (info,) = find_series(tmp_path).series
    assert info.volumes == 3


def test_volumes_are_sorted_by_value_and_not_by_instance_number(tmp_path):
    stored = stored_of(3, 2)
    write_volumes(tmp_path, stored, lambda t, k: {"EchoTime": 30 - 10 * t})
    volume = read_volume(tmp_path)
    require_voxels(volume, stored[::-1])
    assert volume.further.values == (10, 20, 30)


@pytest.mark.parametrize(
    ("group", "creator", "element", "vr", "value"),
    [
        (0x0019, "SIEMENS MR HEADER", 0x0C, "IS", lambda t: 700 * t),
        (0x2001, "Philips Imaging DD 001", 0x03, "FL", lambda t: 700.0 * t),
        (0x0043, "GEMS_PARM_01", 0x39, "IS", lambda t: [1_000_000_000 + 700 * t, 8, 0, 0]),
        (0x0065, "Image Private Header", 0x09, "FD", lambda t: 700.0 * t),
    ],
    ids=["Siemens", "Philips", "GE", "UIH"],
)
def test_private_b_values_name_the_axis(tmp_path, group, creator, element, vr, value):
    stored = stored_of(3, 3)
    write_volumes(
        tmp_path, stored, lambda t, k: {}, change=private(group, creator, element, vr, value)
    )
    volume = read_volume(tmp_path)
    require_voxels(volume, stored)
    assert (volume.further.name, volume.further.unit) == ("b-value", "s/mm2")
    assert volume.further.values == (0, 700, 1400)


@pytest.mark.parametrize("interleaved", [True, False], ids=["by place", "by volume"])
def test_diffusion_volumes_stay_in_the_order_of_gradient_tables(tmp_path, interleaved):
    b_values = (0.0, 1000.0, 500.0, 0.0, 1000.0)
    stored = stored_of(5, 3)
    write_volumes(
        tmp_path,
        stored,
        lambda t, k: {"DiffusionBValue": b_values[t], "AcquisitionTime": f"1015{2 * t:02d}"},
        interleaved=interleaved,
    )
    volume = read_volume(tmp_path)
    require_voxels(volume, stored)
    assert (volume.further.name, volume.further.values) == ("b-value", b_values)


def test_diffusion_volumes_are_listed_by_b_value_where_no_order_is_told(tmp_path):
    stored = stored_of(3, 3)
    write_volumes(
        tmp_path,
        stored,
        # The numbers of slices run up and down in turn: they tell no order of volumes.
        lambda t, k: {
            "DiffusionBValue": 1000.0 - 500.0 * t,
            "InstanceNumber": 10 * k + (t if k % 2 else 2 - t),
        },
    )
    volume = read_volume(tmp_path)
    require_voxels(volume, stored[::-1])
    assert volume.further.values == (0, 500, 1000)


def test_a_private_element_of_another_creator_is_not_believed(tmp_path):
    change = private(0x2001, "SOMEBODY ELSE", 0x03, "FL", lambda t: 700.0 * t)
    write_volumes(tmp_path, stored_of(3, 2), lambda t, k: {}, change=change)
    assert read_volume(tmp_path).further.name == "volume"


def test_several_directions_of_one_b_value_stay_apart(tmp_path):
    directions = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    stored = stored_of(4, 3)
    write_volumes(
        tmp_path,
        stored,
        lambda t, k: {
            "DiffusionBValue": 1000.0 * (t > 0),
            "DiffusionGradientOrientation": [float(v) for v in directions[t]],
        },
    )
    volume = read_volume(tmp_path)
    require_voxels(volume, stored)
    assert volume.further.name == "b-value"
    assert volume.further.values == (0, 1000, 1000, 1000)


def test_echoes_at_several_times_are_listed_one_after_the_other_and_that_is_said(tmp_path):
    stored = stored_of(4, 3)
    write_volumes(
        tmp_path,
        stored,
        lambda t, k: {"EchoTime": 10 + t // 2, "TemporalPositionIdentifier": t % 2},
    )
    volume = read_volume(tmp_path)
    require_voxels(volume, stored)
    assert volume.further.name == "volume"
    assert any("listed by echo, then by time" in text for text in volume.warnings)


@pytest.mark.parametrize(
    "kinds",
    [
        [{"ImageType": ["ORIGINAL", "PRIMARY", one, "ND"]} for one in "MPRI"],
        [{"ComplexImageComponent": one} for one in ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY")],
        [{"ImageType": ["DERIVED", "PRIMARY", one]} for one in ("ADC", "TRACEW", "FA", "W")],
    ],
    ids=["image type", "component", "derived"],
)
def test_images_of_different_kind_are_series_of_their_own(tmp_path, kinds):
    stored = stored_of(4, 3)
    write_volumes(tmp_path, stored, lambda t, k: kinds[t])
    survey = find_series(tmp_path)
    assert [one.volumes for one in survey.series] == [1] * 4
    found = [read_volume(tmp_path, series=one.key).array.T for one in survey.series]
    assert {one.tobytes() for one in found} == {one.tobytes() for one in stored}


@pytest.mark.parametrize(
    ("group", "creator", "element", "vr", "value"),
    [
        (0x0043, "GEMS_PARM_01", 0x2F, "SS", lambda t: t),
        (0x2005, "Philips MR Imaging DD 001", 0x11, "CS", lambda t: "MPRI"[t]),
    ],
    ids=["GE", "Philips"],
)
def test_private_kinds_of_image_are_series_of_their_own(
    tmp_path, group, creator, element, vr, value
):
    stored = stored_of(4, 3)
    change = private(group, creator, element, vr, value)
    write_volumes(tmp_path, stored, lambda t, k: {}, change=change)
    survey = find_series(tmp_path)
    assert [one.volumes for one in survey.series] == [1] * 4
    found = [read_volume(tmp_path, series=one.key).array.T for one in survey.series]
    assert {one.tobytes() for one in found} == {one.tobytes() for one in stored}


@settings(max_examples=10, deadline=None)
@given(
    volumes=st.integers(2, 4),
    slices=st.integers(1, 4),
    interleaved=st.booleans(),
    name=st.sampled_from(["TemporalPositionIdentifier", "EchoTime", "TriggerTime", "none"]),
    tilt=st.floats(-1, 1),
)
def test_any_number_of_volumes_in_any_order_comes_out_whole(
    volumes, slices, interleaved, name, tilt
):
    stored = stored_of(volumes, slices)
    with tempfile.TemporaryDirectory() as folder:
        write_volumes(
            Path(folder),
            stored,
            lambda t, k: {} if name == "none" else {name: t + 1},
            interleaved=interleaved,
            step=(0.0, round(tilt, 3), 3.0),
        )
        require_voxels(read_volume(Path(folder), hashes=False), stored)


@pytest.mark.parametrize("interleaved", [True, False], ids=["by place", "by volume"])
@pytest.mark.parametrize(
    "differ",
    [
        lambda t, k: {},
        lambda t, k: {"TemporalPositionIdentifier": t + 1},
        lambda t, k: {"EchoTime": 7.5 * t + 1},
        lambda t, k: {"AcquisitionNumber": t + 1},
    ],
    ids=["instance number", "temporal position", "echo", "acquisition number"],
)
@pytest.mark.parametrize("left_out", [(2, 4), (1, 2)], ids=["last", "middle"])
def test_an_incomplete_volume_is_listed_apart_and_nothing_is_lost(
    tmp_path, differ, left_out, interleaved
):
    stored = stored_of(3, 5)
    write_volumes(tmp_path, stored, differ, interleaved=interleaved, left_out=[left_out])
    survey = find_series(tmp_path)
    whole, short = sorted(survey.series, key=lambda one: -one.volumes)
    assert (whole.volumes, short.volumes) == (2, 1)
    volume = read_volume(tmp_path, series=whole.key)
    require_voxels(volume, np.delete(stored, left_out[0], axis=0))
    assert any("1 of 3 volumes lack slices" in text for text in volume.warnings)
    rest = read_volume(tmp_path, series=short.key)
    assert any("4 of 5 positions" in text for text in rest.warnings)
    kept = [k for k in range(5) if k != left_out[1]]
    if left_out[1] == 2:
        assert rest.missing == (2,)
        np.testing.assert_array_equal(rest.array.T[kept], stored[left_out[0]][kept])
    else:
        np.testing.assert_array_equal(rest.array.T, stored[left_out[0]][kept])


def test_images_that_nothing_assigns_to_a_volume_are_refused(tmp_path):
    stored = stored_of(3, 5)
    write_volumes(tmp_path, stored, lambda t, k: {"InstanceNumber": 1}, left_out=[(1, 3)])
    with pytest.raises(InputError, match=r"5 of 5 positions hold several images") as caught:
        read_volume(tmp_path)
    assert caught.value.hint


def test_volumes_that_nothing_tells_apart_are_refused(tmp_path):
    write_volumes(tmp_path, stored_of(2, 3), lambda t, k: {"InstanceNumber": 1})
    with pytest.raises(InputError, match=r"2 images at each of 3 positions, and nothing"):
        read_volume(tmp_path)


def test_images_of_one_place_that_nothing_tells_apart_are_listed_one_by_one(tmp_path):
    stored = stored_of(3, 1)
    write_volumes(tmp_path, stored, lambda t, k: {"InstanceNumber": 1})
    survey = find_series(tmp_path)
    assert len(survey.series) == 3
    assert all("One of 3 images of one place" in one.warnings[0] for one in survey.series)


def test_a_position_written_a_little_differently_is_the_same_place(tmp_path):
    stored = stored_of(2, 3)
    for t in range(2):
        for k in range(3):
            position = (0, 0, 2.5 * k + 0.004 * t)
            number = 3 * t + k
            ds = instance(number, stored[t, k], position=position, EchoTime=t + 1)
            save(ds, tmp_path / f"{number}")
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.further.array.transpose(3, 2, 1, 0), stored)


def test_a_volume_that_moved_between_times_is_a_series_of_its_own(tmp_path):
    stored = stored_of(2, 4)
    for t in range(2):
        for k in range(4):
            number = 4 * t + k
            ds = instance(number, stored[t, k], position=(0, 0, 2.5 * k + 0.7 * t))
            ds.TemporalPositionIdentifier = t + 1
            save(ds, tmp_path / f"{number}")
    survey = find_series(tmp_path)
    assert [one.grid.shape[2] for one in survey.series] == [4, 4]
    for one, truth in zip(survey.series, stored, strict=True):
        volume = read_volume(tmp_path, series=one.key)
        np.testing.assert_array_equal(volume.array.T, truth)
        assert worst_corner_mm(volume) < 1e-4
        assert any("of 2 of a series, told apart by time" in text for text in volume.warnings)


def require_no_mixture(folder, stored):
    """Every volume that is read holds images of one of the volumes that were written."""
    whole = 0
    for one in find_series(folder).series:
        volume = read_volume(folder, series=one.key, hashes=False)
        if volume.missing:
            continue
        read = np.asarray(volume.further.array if volume.further else volume.array[..., None])
        for t in range(read.shape[3]):
            slices = [plane.tobytes() for plane in read[..., t].T]
            owners = [n for n, own in enumerate(stored) if slices[0] in map(bytes, own)]
            assert len(owners) == 1
            truth = [plane.tobytes() for plane in stored[owners[0]]]
            assert set(slices) <= set(truth)
            whole += len(slices) == len(truth)
    return whole


@pytest.mark.parametrize("is_timed", [False, True], ids=["numbers", "numbers and times"])
@pytest.mark.parametrize(
    ("left_out", "whole"),
    [
        ([(0, 0)], 6),
        ([(0, 0), (0, 1), (0, 2)], 6),
        ([(6, 5)], 6),
        ([(2, 3), (5, 1)], 5),
        ([(k, k) for k in range(6)], 1),
        ([(0, 0), *((6, k) for k in range(1, 6))], 5),
    ],
    ids=["first", "first three", "last", "two", "one at each position", "ends"],
)
def test_lost_files_never_mix_two_times(tmp_path, left_out, whole, is_timed):
    stored = stored_of(7, 6)

    def differ(t, k):
        return {"AcquisitionTime": f"1015{2 * t + 0.3 * k:06.3f}"} if is_timed else {}

    write_volumes(tmp_path, stored, differ, left_out=left_out)
    assert require_no_mixture(tmp_path, stored) == whole


def test_numbers_that_may_begin_anywhere_are_refused(tmp_path):
    # Slices are numbered in no order of places, and the first number is lost.
    order = (0, 2, 4, 1, 3)
    write_volumes(
        tmp_path,
        stored_of(3, 5),
        lambda t, k: {"InstanceNumber": 5 * t + order[k] + 1},
        left_out=[(0, 0), (2, 1), (2, 2), (2, 3), (2, 4)],
    )
    with pytest.raises(InputError, match="nothing in their headers says"):
        read_volume(tmp_path)


def test_times_tell_volumes_apart_where_numbers_do_not(tmp_path):
    stored = stored_of(3, 5)
    numbers = iter(np.random.default_rng(3).permutation(99).tolist())
    write_volumes(
        tmp_path,
        stored,
        lambda t, k: {"AcquisitionTime": f"10{t:02d}{k:02d}", "InstanceNumber": next(numbers)},
        left_out=[(1, 2)],
    )
    assert require_no_mixture(tmp_path, stored) == 2


def test_numbers_without_order_tell_no_volumes_apart(tmp_path):
    numbers = iter([7, 40, 3, 21, 90, 5])
    write_volumes(tmp_path, stored_of(2, 3), lambda t, k: {"InstanceNumber": next(numbers)})
    with pytest.raises(InputError, match="nothing in their headers says"):
        read_volume(tmp_path)


def turning(t, k):
    """Number both images of each slice, first the one and then the other first."""
    return {"InstanceNumber": 2 * k + (t if k % 2 else 1 - t) + 1}


@pytest.mark.parametrize(
    ("name", "values", "axis"),
    [
        ("RepetitionTime", (500, 900), ("repetition", "ms")),
        ("KVP", (80, 140), ("tube voltage", "kV")),
    ],
)
def test_numbers_that_only_single_headers_hold_name_the_axis(tmp_path, name, values, axis):
    stored = stored_of(2, 4)
    write_volumes(tmp_path, stored, lambda t, k: {name: values[t], **turning(t, k)})
    volume = read_volume(tmp_path)
    require_voxels(volume, stored)
    assert (volume.further.name, volume.further.unit) == axis
    assert volume.further.values == values


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("ConvolutionKernel", ("SHARP-X", "SOFT-X"), "Convolution Kernel"),
        ("SequenceName", ("fl3d1-X", "fl3d2-X"), "Sequence Name"),
        ("SeriesDescription", ("IN-X", "OPP-X"), "Series Description"),
        ("ContrastBolusAgent", ("", "GD-X"), "Contrast/Bolus Agent"),
        ("ImageComments", ("ONE-X", "TWO-X"), "Image Comments"),
        ("InPlanePhaseEncodingDirection", ("ROW", "COL"), "Phase Encoding"),
        ("ReconstructionDiameter", (200, 250), "Reconstruction Diameter"),
        ("SliceThickness", (1, 5), "Slice Thickness"),
        ("WindowWidth", (400, 1500), "Window Width"),
    ],
)
def test_texts_that_differ_at_each_position_make_series_of_their_own(
    tmp_path, name, values, words
):
    stored = stored_of(2, 4)
    write_volumes(tmp_path, stored, lambda t, k: {name: values[t], **turning(t, k)})
    survey = find_series(tmp_path)
    assert [one.volumes for one in survey.series] == [1, 1]
    found = [read_volume(tmp_path, series=one.key) for one in survey.series]
    assert {one.array.T.tobytes() for one in found} == {one.tobytes() for one in stored}
    for one in survey.series:
        assert any(f"differ in {words}" in text or words in text for text in one.warnings)
        assert not any("-X" in text for text in one.warnings)


def test_texts_that_name_volumes_that_are_proven_split_nothing(tmp_path):
    stored = stored_of(3, 4)
    write_volumes(tmp_path, stored, lambda t, k: {"ImageComments": f"volume {t}"})
    require_voxels(read_volume(tmp_path), stored)


def test_shuffled_frames_that_nothing_names_are_refused(tmp_path):
    frames = [{"position": [0, 0, 3.0 * k]} for k in (0, 1, 1, 0, 2, 2)]
    save_frames(tmp_path / "shuffled", enhanced(frames))
    with pytest.raises(InputError, match="nothing in their headers says"):
        read_volume(tmp_path / "shuffled")
    frames = [{"position": [0, 0, 3.0 * k]} for k in (0, 1, 2, 0, 1, 2)]
    save_frames(tmp_path / "in order", enhanced(frames))
    assert read_volume(tmp_path / "in order").further.array.shape[3] == 2


def test_times_that_pass_midnight_run_on_and_that_is_said(tmp_path):
    stored = stored_of(3, 3)
    clock = ("235930", "235950", "000005")
    numbers = iter([7, 40, 3, 21, 90, 5, 61, 2, 33])
    write_volumes(
        tmp_path,
        stored,
        lambda t, k: {"AcquisitionTime": clock[t], "InstanceNumber": next(numbers)},
    )
    volume = read_volume(tmp_path)
    require_voxels(volume, stored)
    assert volume.further.values == (0, 20, 35)
    assert any("midnight" in text for text in volume.warnings)
