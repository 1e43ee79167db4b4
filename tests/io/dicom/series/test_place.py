"""Where slices lie: gaps, parts, tilt, stations, jitter, and what is refused."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import ORIENTATIONS
from napari_medlabel.io.registry import find_series, read_volume
from tests.io.scans import (
    instance,
    orientation_of,
    save,
    voxels,
    worst_corner_mm,
    write_series,
    write_volumes,
)


def at(folder, along, **extra):
    """Write a slice at each height; its values tell which one it is."""
    stored = voxels(len(along))
    for k, z in enumerate(along):
        save(instance(k, stored[k], position=(0, 0, z), **extra), folder / f"{k:03d}")
    return stored


def require_whole(folder, stored):
    """Every slice is in one of the series, exactly in its place, with its values."""
    seen = set()
    survey = find_series(folder)
    for one in survey.series:
        assert not one.problem
        volume = read_volume(folder, series=one.key)
        assert worst_corner_mm(volume) < 1e-4
        for k, (file, _) in enumerate(volume.source.planes):
            if file >= 0:
                name = volume.source.files[file].name
                seen.add(name)
                np.testing.assert_array_equal(volume.array[:, :, k].T, stored[int(name)])
    assert len(seen) == len(stored)
    return survey.series


@pytest.mark.parametrize(
    ("along", "missing"),
    [
        ([0, 5, 10, 20, 25, 30, 35], (3,)),
        ([0, 5, 15, 20, 25, 35, 40, 45, 50, 55], (2, 6)),
        ([0, 1, 2, 3, 4, 5, 6, 7, 10], (8, 9)),
        ([0.0, 0.7, 1.4, 2.1, 2.8, 4.2], (5,)),
    ],
)
def test_missing_slices_stay_blank_are_listed_and_said(tmp_path, along, missing):
    stored = at(tmp_path, along)
    volume = read_volume(tmp_path)
    assert volume.missing == missing
    assert volume.grid.shape[2] == len(along) + len(missing)
    present = [k for k in range(volume.grid.shape[2]) if k not in missing]
    np.testing.assert_array_equal(volume.array.T[present], stored)
    assert all(len(np.unique(volume.array[:, :, k])) == 1 for k in missing)
    assert worst_corner_mm(volume) < 1e-4
    said = f"{len(missing)} slice{'s' * (len(missing) > 1)} of {volume.grid.shape[2]} missing"
    assert any(said in text for text in volume.warnings)
    assert [volume.source.planes[k] for k in missing] == [(-1, -1)] * len(missing)
    assert [volume.source.sop_instance_uids[k] for k in missing] == [""] * len(missing)
    (info,) = find_series(tmp_path).series
    assert info.missing == missing


@settings(max_examples=20, deadline=None)
@given(
    codes=st.sampled_from(ORIENTATIONS),
    count=st.integers(6, 12),
    gone=st.sets(st.integers(1, 10), max_size=1),
    step=st.floats(0.3, 8),
)
def test_gaps_of_any_orientation_are_where_the_headers_say(codes, count, gone, step):
    orientation = orientation_of(codes)
    normal = np.cross(orientation[:3], orientation[3:])
    kept = [k for k in range(count) if k not in gone or k == count - 1]
    with tempfile.TemporaryDirectory() as name:
        for k in kept:
            position = normal * float(f"{step:.6g}") * k
            pixels = voxels(count)[k]
            ds = instance(k, pixels, position=position, orientation=orientation)
            save(ds, Path(name) / f"{k:03d}")
        volume = read_volume(Path(name))
        assert volume.grid.shape[2] == count
        assert volume.missing == tuple(sorted(set(range(count)) - set(kept)))
        np.testing.assert_array_equal(volume.array.T[kept], voxels(count)[kept])
        assert worst_corner_mm(volume) < 1e-4


def test_slices_missing_in_all_volumes_of_a_series_over_time_stay_blank(tmp_path):
    stored = voxels(12).reshape(2, 6, 5, 4)
    write_volumes(tmp_path, stored, lambda t, k: {"EchoTime": t + 1}, left_out=[(0, 2), (1, 2)])
    volume = read_volume(tmp_path)
    assert volume.missing == (2,)
    kept = [0, 1, 3, 4, 5]
    read = np.asarray(volume.further.array).transpose(3, 2, 1, 0)
    np.testing.assert_array_equal(read[:, kept], stored[:, kept])
    assert worst_corner_mm(volume) < 1e-4


@pytest.mark.parametrize(
    ("along", "sizes"),
    [
        ([0, 2.5, 5, 10, 15, 20], [2, 4]),
        ([0, 5, 10, 30, 35, 40], [3, 3]),
        ([0, 5, 10, 15, 17, 19, 21, 23], [3, 5]),
        ([0, 5, 10, 12, 15, 20, 25], [3, 1, 3]),
        ([0, 1.1, 7, 20], [2, 1, 1]),
    ],
)
def test_runs_of_constant_distance_are_parts_of_their_own(tmp_path, along, sizes):
    stored = at(tmp_path, along)
    series = require_whole(tmp_path, stored)
    assert [one.grid.shape[2] for one in series] == sizes
    for number, one in enumerate(series, start=1):
        assert f"Part {number} of {len(sizes)}" in one.warnings[0]


def test_more_than_fifty_parts_are_refused(tmp_path):
    along = np.cumsum(1 + np.random.default_rng(3).random(120) * 5)
    at(tmp_path, [round(float(z), 3) for z in along])
    with pytest.raises(InputError, match=r"apart, in more than 50 parts") as caught:
        read_volume(tmp_path)
    assert "never resampled" in caught.value.hint


def test_stations_side_by_side_are_stacks_of_their_own_and_never_times(tmp_path):
    stored = voxels(8)
    for n in range(8):
        position = (300.0 * (n // 4), 0, 2.0 * (n % 4))
        save(instance(n, stored[n], position=position), tmp_path / f"{n}")
    series = require_whole(tmp_path, stored)
    assert [one.grid.shape[2] for one in series] == [4, 4]
    assert all(one.volumes == 1 for one in series)


def test_overlapping_stacks_of_two_acquisitions_are_told_apart(tmp_path):
    stored = voxels(11)
    along = [0, 5, 10, 15, 20, 1, 3, 5.5, 8, 10.5, 13]
    along[5:] = [1.0, 3.5, 6.0, 8.5, 11.0, 13.5]
    for n, z in enumerate(along):
        ds = instance(n, stored[n], position=(0, 0, z), AcquisitionNumber=1 + (n > 4))
        save(ds, tmp_path / f"{n}")
    series = require_whole(tmp_path, stored)
    assert [one.grid.shape[2] for one in series] == [5, 6]


def test_orientations_that_differ_are_split_and_tiny_differences_are_not(tmp_path):
    for k in range(3):
        orientation = (1.0, 1e-5 * k, 0.0, -1e-5 * k, 1.0, 0.0)
        save(
            instance(k, voxels(1)[0], position=(0, 0, k), orientation=orientation),
            tmp_path / "axial" / f"{k}",
        )
    volume = read_volume(tmp_path)
    assert volume.grid.shape[2] == 3
    write_series(tmp_path / "sagittal", voxels(2), orientation=orientation_of("PIL"))
    assert [one.grid.shape[2] for one in find_series(tmp_path).series] == [3, 2]


def test_positions_within_tolerance_are_one_volume_and_beyond_it_are_not(tmp_path):
    for folder, off in (("near", 0.04), ("far", 0.2)):
        for k in range(3):
            position = (off * (k == 1), 0.0, 2.5 * k)
            save(instance(k, voxels(1)[0], position=position), tmp_path / folder / f"{k}")
    near = read_volume(tmp_path / "near")
    assert near.grid.shape[2] == 3
    assert any("up to 0.04 mm off a regular grid" in text for text in near.warnings)
    with pytest.raises(InputError, match=r"slice 2 of 3 lies 0.2 mm off"):
        read_volume(tmp_path / "far")


def test_micrometres_are_no_tolerance_for_micrometre_slices(tmp_path):
    stored = at(tmp_path, [0, 0.01, 0.02, 0.03, 0.05], spacing=(0.01, 0.01))
    volume = read_volume(tmp_path)
    assert volume.missing == (4,)
    np.testing.assert_array_equal(volume.array.T[[0, 1, 2, 3, 5]], stored)
    assert worst_corner_mm(volume) < 1e-6


@pytest.mark.parametrize(
    ("extra", "spacing", "warning"),
    [
        ({"SpacingBetweenSlices": 4, "SliceThickness": 3}, 4.0, "from Spacing Between Slices"),
        ({"SliceThickness": 3}, 3.0, "from Slice Thickness"),
        ({}, 1.0, "1 mm is assumed"),
    ],
)
def test_a_single_slice_is_read_and_its_thickness_doubted(tmp_path, extra, spacing, warning):
    write_series(tmp_path, voxels(1), **extra)
    volume = read_volume(tmp_path)
    assert volume.grid.affine.spacing_mm[2] == pytest.approx(spacing)
    assert any(warning in text for text in volume.warnings)


def test_slice_thickness_and_slice_location_are_never_believed(tmp_path):
    write_series(tmp_path, voxels(3), SliceThickness=9, SliceLocation=5)
    assert read_volume(tmp_path).grid.affine.spacing_mm[2] == pytest.approx(2.5)


def test_a_spacing_wider_than_the_header_says_is_doubted(tmp_path):
    write_series(tmp_path, voxels(3), SpacingBetweenSlices=1.25)
    assert any("may be missing" in text for text in read_volume(tmp_path).warnings)


@pytest.mark.parametrize(("step", "count"), [(1.25, 60), (0.625, 30), (0.35, 40)])
def test_positions_rounded_to_a_tenth_are_one_volume_and_said(tmp_path, step, count):
    stored = at(tmp_path, [round(-100 + step * k, 1) for k in range(count)])
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.array.T, stored)
    assert volume.missing == ()
    assert volume.grid.affine.spacing_mm[2] == pytest.approx(step, abs=0.1 / count)
    assert worst_corner_mm(volume) <= 0.05 + 1e-6
    (said,) = volume.warnings
    assert said == "Positions are rounded: slices lie up to 0.05 mm off the even grid."


def test_rounded_oblique_positions_are_one_volume_within_a_tenth(tmp_path):
    tilt = np.radians(33)
    orientation = (1, 0, 0, 0, np.cos(tilt), np.sin(tilt))
    normal = np.cross(orientation[:3], orientation[3:])
    for k in range(30):
        position = np.round(np.array((3.3, -7.1, 5.2)) + 0.9 * k * normal, 1)
        ds = instance(k, voxels(30)[k], position=position, orientation=orientation)
        save(ds, tmp_path / f"{k:02d}")
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.array.T, voxels(30))
    assert worst_corner_mm(volume) < 0.1
    assert any("Positions are rounded" in text for text in volume.warnings)


def test_a_slice_missing_among_rounded_positions_stays_blank(tmp_path):
    along = [round(1.25 * k, 1) for k in range(40) if k not in (17, 18)]
    stored = at(tmp_path, along)
    volume = read_volume(tmp_path)
    assert volume.missing == (17, 18)
    present = [k for k in range(40) if k not in volume.missing]
    np.testing.assert_array_equal(volume.array.T[present], stored)
    assert worst_corner_mm(volume) <= 0.05 + 1e-6


def test_positions_that_tremble_in_their_line_are_one_volume_within_a_tenth(tmp_path):
    trembling = np.array([0, 0.06, -0.06, 0.05, -0.05, 0.06, 0, -0.06, 0.055])
    stored = at(tmp_path, [float(f"{z:.6g}") for z in 2.5 * np.arange(9) + trembling])
    volume = read_volume(tmp_path)
    np.testing.assert_array_equal(volume.array.T, stored)
    assert worst_corner_mm(volume) < 0.1
    assert any("mm off a regular grid, by their own headers" in s for s in volume.warnings)


def test_positions_that_tremble_aside_are_one_volume_or_parts_that_interleave(tmp_path):
    for folder, off in (("near", 0.08), ("far", 0.2)):
        for k in range(9):
            position = (off * (-1) ** k, 0.0, 2.5 * k)
            save(instance(k, voxels(9)[k], position=position), tmp_path / folder / f"{k}")
    near = read_volume(tmp_path / "near")
    np.testing.assert_array_equal(near.array.T, voxels(9))
    assert worst_corner_mm(near) < 0.1
    far = require_whole(tmp_path / "far", voxels(9))
    assert [one.grid.shape[2] for one in far] == [5, 4]
    for number, one in enumerate(far, start=1):
        assert one.warnings[0] == (
            f"Part {number} of 2 of a series whose slices lie up to 0.4 mm aside of one line: "
            "its parts interleave."
        )


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        ((24,), "1 slice of 48 missing (number 25): the room"),
        ((3, 30), "2 slices of 48 missing (numbers 4, 31): the room"),
        (
            tuple(range(2, 38, 4)),
            "9 slices of 48 missing (numbers 3, 7, 11, 15, 19, 23, 27, 31 and 1 more)",
        ),
    ],
)
def test_missing_slices_are_named_counted_from_one(tmp_path, gone, named):
    at(tmp_path, [2 * k for k in range(48) if k not in gone])
    (info,) = find_series(tmp_path).series
    assert info.missing == gone
    assert any(named in text for text in info.warnings)
