"""Where frames lie: fragments, offset tables, files that end too early."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.frames import fragments, frames_of, from_bytes
from tests.io.coded import JPEG, encoder, filled, grey, pattern, save

STORED = pattern((3, 40, 24), "u2")


def codes() -> list[bytes]:
    return [encoder("jpeg-ls")(frame) for frame in STORED]


@pytest.mark.parametrize("table", ["basic", "none", "extended"])
def test_frames_are_found_by_every_kind_of_table(tmp_path, table):
    ds = grey(STORED, syntax=JPEG + "80", codes=codes(), table=table)
    np.testing.assert_array_equal(filled(save(ds, tmp_path / "a.dcm")).array[0], STORED)


@pytest.mark.parametrize("table", ["basic", "none"])
def test_fragments_of_a_frame_are_joined(tmp_path, table):
    ds = grey(STORED, syntax=JPEG + "80", codes=codes(), fragments=3, table=table)
    np.testing.assert_array_equal(filled(save(ds, tmp_path / "a.dcm")).array[0], STORED)


def test_a_wrong_offset_table_is_not_believed(tmp_path):
    ds = grey(STORED, syntax=JPEG + "80", codes=codes(), fragments=2)
    data = bytearray(ds.PixelData)
    data[8:20] = struct.pack("<3I", 0, 4, 8)
    ds.PixelData = bytes(data)
    ds["PixelData"].is_undefined_length = True
    np.testing.assert_array_equal(filled(save(ds, tmp_path / "a.dcm")).array[0], STORED)


def items(*values: bytes) -> bytes:
    parts = [struct.pack("<HHI", 0xFFFE, 0xE000, len(one)) + one for one in values]
    return b"".join(parts) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def found(data: bytes, frames: int) -> list[bytes]:
    fetch = from_bytes(data, "x")
    spans = fragments(fetch, 0, len(data), "x")
    parts = frames_of(fetch, spans, frames, "x")
    return [b"".join(bytes(fetch(*one)) for one in frame) for frame in parts]


def test_the_table_says_where_frames_begin_when_nothing_else_does():
    table = struct.pack("<2I", 0, 20)
    data = items(table, b"abcd", b"", b"efgh")
    assert found(data, 2) == [b"abcd", b"efgh"]


def test_without_a_table_unknown_fragments_are_refused():
    with pytest.raises(InputError, match="does not say where its 2 frames begin"):
        found(items(b"", b"abcd", b"efgh", b"ijkl"), 2)


def test_fewer_fragments_than_frames_are_refused():
    with pytest.raises(InputError, match="should hold 4 frames and holds 2"):
        found(items(b"", b"abcd", b"efgh"), 4)


def test_only_the_delimiter_may_be_missing():
    data = items(b"", b"abcd")
    assert found(data[:-8], 1) == [b"abcd"]
    with pytest.raises(InputError, match="cut off"):
        found(data[:-9], 1)


def test_something_else_than_items_is_refused():
    with pytest.raises(InputError, match="cut off"):
        found(b"\0" * 32, 1)


def test_a_compressed_file_that_ends_early_is_refused(tmp_path):
    ds = grey(STORED, syntax=JPEG + "80", codes=codes())
    path = save(ds, tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="cut off"):
        filled(path)


@pytest.mark.parametrize("hashes", [False, True])
def test_a_native_file_that_ends_early_is_refused(tmp_path, hashes):
    path = save(grey(STORED[:1]), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="ends inside its pixel data"):
        filled(path, hashes=hashes)


def test_a_file_that_is_cut_after_its_header_was_read_is_refused(tmp_path):
    from napari_medlabel.io.dicom.pixels.fill import fill
    from tests.io.coded import planes_of_file

    path = save(grey(STORED), tmp_path / "a.dcm")
    planes = planes_of_file(path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="ends inside its pixel data"):
        fill(planes, volumes=1, slices=3, progress=None, hashes=False)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        fill(planes, volumes=1, slices=3, progress=None, hashes=False)


def test_pixel_data_shorter_than_the_matrix_is_refused(tmp_path):
    ds = grey(STORED[:1])
    ds.PixelData = ds.PixelData[:-200]
    with pytest.raises(InputError, match="shorter than Rows, Columns"):
        filled(save(ds, tmp_path / "a.dcm"))


def test_pixel_data_longer_than_the_matrix_is_read_with_a_warning(tmp_path):
    ds = grey(STORED[:1])
    ds.PixelData += b"\0" * 64
    result = filled(save(ds, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(result.array[0], STORED[:1])
    assert "1 of the files hold more pixel data" in result.warnings[0]
