from __future__ import annotations

import os
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from napari_medlabel.deid.dicom import write as splice_write
from napari_medlabel.deid.dicom.file import (
    clean_file,
    clean_parsed,
    deidentify_file,
    quiet,
    write_clean,
)
from napari_medlabel.deid.dicom.plan import Pixels, plan_file
from napari_medlabel.deid.dicom.sweep import Identity
from napari_medlabel.deid.dicom.write import content_of, write_plan
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.errors import InputError, SaveError


@pytest.fixture
def scan(ct, as_file, tmp_path):
    """A file, with pixels of an odd number of bytes."""
    path = tmp_path / "in.dcm"
    path.write_bytes(
        as_file(ct(BitsAllocated=8, Rows=3, Columns=5, PixelData=bytes(range(16))))
    )
    return path


@pytest.fixture
def planned(scan, profile, pseudonyms):
    """The file's plan, and the file open."""
    with scan.open("rb", buffering=0) as stream, quiet():
        yield plan_file(stream, profile, pseudonyms), stream


def test_a_file_on_the_disk_is_the_same_as_in_memory(scan, tmp_path, profile, pseudonyms):
    target = tmp_path / "out.dcm"
    made = write_clean(scan, target, profile, pseudonyms, sync=False)
    cleaned = clean_file(scan.read_bytes(), profile, pseudonyms)
    assert (made.name, made.report) == (cleaned.name, cleaned.report)
    assert target.read_bytes() == cleaned.content
    assert pydicom.dcmread(target).PixelData == bytes(range(15)) + b"\0"
    assert clean_parsed(scan.read_bytes(), profile, pseudonyms).content == cleaned.content


@pytest.mark.parametrize("missing", [(), ("copy_file_range",), ("copy_file_range", "sendfile")])
@pytest.mark.parametrize("how", ["absent", "failing", "stopping"])
def test_pixels_are_copied_whatever_the_system_offers(
    planned, tmp_path, monkeypatch, missing, how
):
    plan, stream = planned

    def failing(*_args):
        raise OSError(38, "Function not implemented")

    for name in missing:
        if how == "absent":
            monkeypatch.delattr(os, name, raising=False)
        else:
            act = failing if how == "failing" else lambda *_args: 0
            monkeypatch.setattr(os, name, act, raising=False)
    target = tmp_path / "out.dcm"
    write_plan(plan, stream, target)
    assert target.read_bytes() == content_of(plan, BytesIO(Path(stream.name).read_bytes()))


def test_a_large_image_is_compared_and_searched_in_parts(
    ct, as_file, tmp_path, profile, pseudonyms, monkeypatch
):
    monkeypatch.setattr(splice_write, "_CHUNK", 10)
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    monkeypatch.delattr(os, "sendfile", raising=False)
    path, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    path.write_bytes(as_file(ct()))
    write_clean(path, target, profile, pseudonyms)
    assert pydicom.dcmread(target).PixelData == ct().PixelData
    path.write_bytes(as_file(ct(PixelData=bytes(17) + b"Featherstone".ljust(31, b"\0"))))
    with pytest.raises(QuarantineError, match="identity found"):
        write_clean(path, tmp_path / "other.dcm", profile, pseudonyms)
    assert not (tmp_path / "other.dcm").exists()


def test_nothing_is_searched_only_where_that_is_asked_for(planned, tmp_path):
    plan, stream = planned
    leaky = replace(plan, identity=Identity(tokens=frozenset({b"NAPARI_MEDLABEL"})))
    target = tmp_path / "out.dcm"
    write_plan(leaky, stream, target, search=False)
    target.unlink()
    with pytest.raises(QuarantineError, match="identity found"):
        write_plan(leaky, stream, target)
    assert not target.exists()


def test_a_head_without_its_marks_is_refused(planned, tmp_path):
    plan, stream = planned
    unmarked = replace(plan, head=plan.head.replace(b"YES ", b"NO  "))
    with pytest.raises(QuarantineError, match="identity found"):
        write_plan(unmarked, stream, tmp_path / "out.dcm")
    assert not (tmp_path / "out.dcm").exists()


def test_what_does_not_read_back_is_refused(planned, tmp_path, monkeypatch):
    plan, stream = planned
    target = tmp_path / "out.dcm"
    original = splice_write._write

    for place in (200, len(plan.head) + 3):

        def spoiled(plan, source, stream, place=place):
            original(plan, source, stream)
            stream.seek(place)
            stream.write(b"\xa5")

        monkeypatch.setattr(splice_write, "_write", spoiled)
        with pytest.raises(SaveError, match="did not read back"):
            write_plan(plan, stream, target)
        assert not target.exists()

    def short(plan, source, stream):
        original(plan, source, stream)
        stream.truncate(len(plan.head) + 4)

    monkeypatch.setattr(splice_write, "_write", short)
    with pytest.raises(SaveError, match="did not read back"):
        write_plan(plan, stream, target)


def test_a_disk_that_is_full_leaves_nothing(planned, tmp_path, monkeypatch):
    plan, stream = planned

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="could not be written"):
        write_plan(plan, stream, tmp_path / "out.dcm")
    assert not (tmp_path / "out.dcm").exists()
    (tmp_path / "out.dcm").write_bytes(b"")
    with pytest.raises(SaveError, match="could not be made"):
        write_plan(plan, stream, tmp_path / "out.dcm")


class Failing(BytesIO):
    """A file that cannot be read from some place on."""

    limit = 0

    def read(self, size=-1):
        if self.tell() >= self.limit:
            raise OSError(5, "Input/output error")
        return super().read(size)


@pytest.mark.parametrize("missing", [True, False])
def test_a_source_that_fails_or_shrinks_on_the_way_is_quarantined(planned, tmp_path, missing):
    plan, stream = planned
    content = Path(stream.name).read_bytes()
    assert plan.pixels is not None
    source = Failing(content[: plan.pixels.start + 5] if missing else content)
    source.limit = len(content) if missing else plan.pixels.start
    with pytest.raises(QuarantineError) as caught:
        write_plan(plan, source, tmp_path / "out.dcm")
    reason = Reason.PIXELS_INCOMPLETE if missing else Reason.UNREADABLE
    assert caught.value.reason is reason
    assert not (tmp_path / "out.dcm").exists()


@pytest.fixture
def compressed(tmp_path):
    """A JPEG-LS file that ships with pydicom."""
    from pydicom.data import get_testdata_file

    path = tmp_path / "ls.dcm"
    shipped = get_testdata_file("MR_small_jpeg_ls_lossless.dcm", download=False)
    path.write_bytes(Path(str(shipped)).read_bytes())
    return path


def test_compressed_frames_are_written_one_by_one(compressed, tmp_path, profile, pseudonyms):
    target = tmp_path / "out.dcm"
    deidentify_file(compressed, target, profile, pseudonyms)
    with quiet():
        assert (
            target.read_bytes()
            == clean_parsed(compressed.read_bytes(), profile, pseudonyms).content
        )


def test_identity_between_the_segments_of_a_frame_is_found(
    compressed, profile, pseudonyms, tmp_path
):
    with compressed.open("rb", buffering=0) as stream, quiet():
        plan = plan_file(stream, profile, pseudonyms)
        leaky = replace(plan, identity=Identity(tokens=frozenset({b"\xff\xf7\x00\x0b"})))
        with pytest.raises(QuarantineError, match="identity found"):
            write_plan(leaky, stream, tmp_path / "out.dcm")
        failing = Failing(compressed.read_bytes())
        with pytest.raises(QuarantineError, match="unreadable"):
            content_of(plan, failing)
        assert plan.pixels == Pixels(plan.pixels.start, 0, plan.pixels.shape)


def test_a_file_that_cannot_be_opened_is_told(tmp_path, profile, pseudonyms):
    with pytest.raises(InputError, match="could not be read"):
        write_clean(tmp_path / "none.dcm", tmp_path / "out.dcm", profile, pseudonyms)
