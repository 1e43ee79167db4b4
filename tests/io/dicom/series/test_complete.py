"""What headers count and files do not hold is said, and nothing where all is here."""

from __future__ import annotations

import pytest

from napari_medlabel.io.registry import find_series, read_volume
from tests.io.frames import enhanced
from tests.io.frames import save as save_frames
from tests.io.scans import instance, save, voxels, write_volumes


def write(folder, numbers, **extra):
    stored = voxels(12)
    for k in numbers:
        save(
            instance(k, stored[k], position=(0, 0, 2.5 * k), **extra),
            folder / f"{k * 7919 % 1009}",
        )


def doubts_of(folder):
    (one,) = find_series(folder).series
    return [text for text in one.warnings if "may be incomplete" in text]


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"Modality": "PT", "NumberOfSlices": 10}, "count 10 slices, 7 are here"),
        ({"ImagesInAcquisition": 10}, "count 10 images, 7 are here"),
    ],
)
def test_slices_that_headers_count_and_nobody_has_are_said(tmp_path, extra, said):
    write(tmp_path, range(7), **extra)
    (text,) = doubts_of(tmp_path)
    assert said in text


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"Modality": "PT", "NumberOfSlices": 7},
        {"ImagesInAcquisition": 7},
        {"Modality": "MR", "NumberOfTemporalPositions": 1, "TemporalPositionIdentifier": 1},
    ],
)
def test_a_whole_scan_is_not_doubted(tmp_path, extra):
    write(tmp_path, range(7), **extra)
    assert doubts_of(tmp_path) == []


def test_a_lost_temporal_position_is_said_and_the_others_keep_their_numbers(tmp_path):
    left_out = [(2, k) for k in range(3)]
    write_volumes(
        tmp_path,
        voxels(15).reshape(5, 3, 5, 4),
        lambda t, k: {"TemporalPositionIdentifier": t + 1, "NumberOfTemporalPositions": 5},
        left_out=left_out,
    )
    assert any("count 5 temporal positions, 4 are here" in one for one in doubts_of(tmp_path))
    assert read_volume(tmp_path).further.values == (1, 2, 4, 5)


def test_lost_positions_keep_their_times_by_temporal_resolution(tmp_path):
    write_volumes(
        tmp_path,
        voxels(15).reshape(5, 3, 5, 4),
        lambda t, k: {"TemporalPositionIdentifier": t + 1, "TemporalResolution": 2000},
        left_out=[(2, k) for k in range(3)],
    )
    further = read_volume(tmp_path).further
    assert (further.unit, further.values) == ("s", (0, 2, 6, 8))


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (range(3, 12), ["leave 3 images out before the first one"]),
        ([0, 1, 2, 3, 4, 6, 7, 8], ["leave 1 image out between the others"]),
        (range(12), []),
    ],
)
def test_instance_numbers_that_leave_images_out_are_said(tmp_path, numbers, said):
    write(tmp_path, numbers)
    found = doubts_of(tmp_path)
    assert len(found) == len(said)
    assert all(part in text for part, text in zip(said, found, strict=True))


def test_instance_numbers_that_count_more_than_was_written_are_no_loss(tmp_path):
    # Some scanners number every slice's images in fifties, and write a few of them.
    stored = voxels(12)
    for n in range(12):
        k, t = divmod(n, 4)
        ds = instance(50 * k + t, stored[n], position=(0, 0, 2.5 * k), EchoTime=t + 1)
        save(ds, tmp_path / f"{n}")
    assert doubts_of(tmp_path) == []


@pytest.mark.parametrize("here", [2, 3])
def test_a_lost_part_of_a_concatenation_is_said(tmp_path, here):
    for part in range(here):
        frames = [{"position": [0, 0, 3.0 * (4 * part + k)]} for k in range(4)]
        ds = enhanced(
            frames,
            SOPInstanceUID=f"1.2.3.4.{part}",
            ConcatenationUID="1.2.3.7",
            InConcatenationNumber=part + 1,
            InConcatenationTotalNumber=3,
        )
        save_frames(tmp_path / f"{part}", ds)
    assert len(doubts_of(tmp_path)) == (here < 3)
