from __future__ import annotations

import bz2
import gzip
import zlib

import pytest

from napari_medlabel.deid.images import voxel_copy
from napari_medlabel.deid.images.voxel_copy import (
    Extent,
    copied,
    first_bytes,
    length_of,
    packing_of,
    require_promise,
)
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason

MANY = bytes(range(256)) * 1000
PACK = {"raw": bytes, "gzip": gzip.compress, "zlib": zlib.compress, "bzip2": bz2.compress}


def taken(*extents: Extent) -> bytes:
    require_promise(extents)
    return b"".join(map(bytes, copied(extents)))


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("on_disk", [True, False])
def test_voxels_come_as_they_lie_there(tmp_path, packing, on_disk, monkeypatch):
    monkeypatch.setattr(voxel_copy, "_BLOCK", 100_000)
    source = b"head" + PACK[packing](b"skip" + MANY + b"tail") + b"surplus"
    if on_disk:
        (tmp_path / "a").write_bytes(source)
        source = tmp_path / "a"
    assert taken(Extent(source, packing, 4, 4, len(MANY))) == MANY


def test_several_files_follow_each_other():
    parts = [Extent(b"ab", "raw", 0, 0, 2), Extent(gzip.compress(b"cd"), "gzip", 0, 0, 2)]
    assert taken(*parts) == b"abcd"


def test_a_file_is_looked_at_first(tmp_path):
    packed = gzip.compress(b"voxels")
    (tmp_path / "a").write_bytes(packed)
    assert packing_of(tmp_path / "a") == "gzip"
    assert packing_of(b"voxels") == "raw"
    assert length_of(tmp_path / "a") == len(packed)
    assert first_bytes(tmp_path / "a", 3, "gzip") == b"vox"
    assert first_bytes(b"head" + packed, 99, "gzip", 4) == b"voxels"


@pytest.mark.parametrize(
    ("extent", "reason"),
    [
        (Extent(b"abc", "raw", 0, 0, 4), Reason.NIFTI_INCOMPLETE),
        (Extent(bytes(128) + b"DICM" + bytes(99), "raw", 0, 0, 99), Reason.HEADER_BROKEN),
        (Extent(b"abc", "raw", 9, 0, 1), Reason.NIFTI_INCOMPLETE),
        (Extent(gzip.compress(b"abc"), "gzip", 0, 0, 1 << 20), Reason.NIFTI_INCOMPLETE),
        (Extent(bytes(5 << 20), "gzip", 0, 0, 5 << 30), Reason.UNREADABLE),
        (Extent(bytes(1 << 20), "bzip2", 0, 2 << 30, 5), Reason.UNREADABLE),
        (Extent(gzip.compress(b"abc"), "gzip", 0, 0, 4), Reason.NIFTI_INCOMPLETE),
        (Extent(gzip.compress(b"abc"), "gzip", 0, 9, 1), Reason.NIFTI_INCOMPLETE),
        (Extent(gzip.compress(MANY)[:-20], "gzip", 0, 0, len(MANY)), Reason.UNREADABLE),
        (Extent(gzip.compress(b"abc")[:-8] + bytes(8), "gzip", 0, 0, 3), Reason.UNREADABLE),
        (Extent(b"\x1f\x8bbroken", "gzip", 0, 0, 3), Reason.UNREADABLE),
    ],
)
def test_a_file_that_holds_less_than_described_is_refused(extent, reason):
    with pytest.raises(QuarantineError) as refused:
        taken(extent)
    assert refused.value.reason is reason


def test_a_file_that_is_gone_is_refused(tmp_path):
    with pytest.raises(QuarantineError, match="unreadable"):
        length_of(tmp_path / "gone")
