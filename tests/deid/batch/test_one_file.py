from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.deid.batch import one_file
from napari_medlabel.deid.batch.codes import KnownCodes, NeedsCodeError
from napari_medlabel.deid.batch.kinds import Kind
from napari_medlabel.deid.batch.one_file import (
    Failure,
    Job,
    Stamp,
    cleaned,
    stamp_of,
    work,
)
from napari_medlabel.deid.batch.sources import Listed
from napari_medlabel.deid.batch.tally import Tally
from napari_medlabel.deid.report.counts import Reason, Skip
from napari_medlabel.deid.report.page import page
from napari_medlabel.errors import InputError, MissingPackageError, SaveError


@pytest.fixture
def job(tmp_path: Path, profile, pseudonyms, ct, as_file) -> Job:
    (tmp_path / "in").mkdir()
    (tmp_path / "parts").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(as_file(ct(1)))
    (tmp_path / "in" / "b.bval").write_text("0 1000\n")
    return Job(tmp_path / "in", profile, pseudonyms, tmp_path / "parts")


SCAN = Listed(1, "a.dcm")


@pytest.mark.parametrize("scan", [True, False])
@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("file", [SCAN, Listed(2, "b.bval")])
def test_a_file_is_cleaned_aside(job, file, in_memory, scan):
    (job.root / "b.nii").write_bytes(b"\x5c\x01\0\0" + bytes(340) + b"n+1\0")
    job = replace(job, scan=scan, parts=None if in_memory else job.parts)
    outcome = cleaned(job, file)
    assert isinstance(outcome.result, Kind)
    assert outcome.name
    assert outcome.stamp == stamp_of(job.root / file.relative)
    if in_memory:
        assert len(outcome.sha256) == 64
        assert outcome.part == ""
    else:
        part = job.parts / outcome.part
        assert part.stat().st_size == outcome.size
        assert outcome.part.startswith(f"{file.position}.")


def test_two_tries_have_two_parts(job):
    assert cleaned(job, SCAN).part != cleaned(job, SCAN).part


def test_what_is_no_file_is_told_and_not_opened(job):
    assert cleaned(job, Listed(0, "x", Skip.LINK)).result is Skip.LINK
    assert cleaned(job, Listed(3, "gone.dcm")).result is Reason.UNREADABLE
    assert stamp_of(job.root / "gone.dcm") == Stamp(-1, -1)


def test_a_file_that_changes_meanwhile_is_quarantined(job, monkeypatch):
    original = one_file.write_clean

    def growing(source, *args, **kwargs):
        made = original(source, *args, **kwargs)
        os.utime(source, ns=(1, 1))
        return made

    monkeypatch.setattr(one_file, "write_clean", growing)
    assert cleaned(job, SCAN).result is Reason.CHANGED
    assert list(job.parts.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InputError("x"), Reason.UNREADABLE),
        (RecursionError("x"), Reason.UNREADABLE),
        (MemoryError("x"), Reason.UNREADABLE),
        (OSError(errno.EIO, "Input/output error"), Reason.UNREADABLE),
    ],
)
def test_whatever_a_file_provokes_it_is_one_file(job, monkeypatch, error, reason):
    def fail(_source, part, *_args, **_kwargs):
        part.write_bytes(b"half")
        raise error

    monkeypatch.setattr(one_file, "write_clean", fail)
    assert cleaned(job, SCAN).result is reason
    assert list(job.parts.iterdir()) == []


def test_a_full_disk_is_the_batchs_affair(job, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(one_file, "write_clean", full)
    with pytest.raises(SaveError, match="No space left"):
        cleaned(job, SCAN)
    worked = work(job, (SCAN,), {})
    assert worked.failure is not None
    error = worked.failure.error()
    assert error.__cause__.errno == errno.ENOSPC
    assert Failure("x", "", None).error().__cause__ is None


def test_what_the_scan_finds_is_quarantined(job, monkeypatch):
    from napari_medlabel.deid.scan import output as scan

    monkeypatch.setattr(scan, "check_output", lambda *_args, **_kwargs: ("found",))
    assert cleaned(job, SCAN).result is Reason.IDENTITY_LEFT
    assert list(job.parts.iterdir()) == []


def test_faces_go_along_where_they_are_to_be_removed(job, monkeypatch):
    told = {}

    def seen(*_args, **kwargs):
        told.update(kwargs)
        raise InputError("x")

    monkeypatch.setattr(one_file, "write_clean", seen)
    cleaned(replace(job, faces="store"), SCAN)
    assert told["faces"] == "store"


def test_a_worker_stops_for_a_code_and_goes_on_with_it(job):
    codes = KnownCodes()
    key = replace(job.pseudonyms, patient_code_source=codes)
    job = replace(job, pseudonyms=key)
    files = (Listed(2, "b.txt"), SCAN)
    (job.root / "b.txt").write_text("text")
    worked = work(job, files, {})
    assert len(worked.outcomes) == 1
    assert worked.needs == ("", "MRN5550123")
    assert list(job.parts.iterdir()) == []
    worked = work(job, files[1:], {worked.needs: "P-0123ABCD"})
    assert worked.needs is None
    assert worked.outcomes[0].result is Kind.DICOM
    assert worked.outcomes[0].name[0] == "P-0123ABCD"
    with pytest.raises(NeedsCodeError, match="needed") as caught:
        codes("", "other")
    assert "other" not in str(caught.value)


def test_a_fault_of_ours_ends_one_file_and_is_told_by_class_and_place(job, monkeypatch):
    def misspelt(*_args: object, **_more: object) -> None:
        raise NameError("name 'Featherstone' is not defined")

    monkeypatch.setattr(one_file, "write_clean", misspelt)
    (job.root / "b.nii").write_bytes(b"\x5c\x01\0\0" + bytes(340) + b"n+1\0")
    worked = work(job, (SCAN, Listed(2, "b.bval")), {})
    faulty, other = worked.outcomes
    assert faulty.result is Reason.FAULT
    assert faulty.fault.startswith("NameError, misspelt, line ")
    assert "Featherstone" not in repr(worked)
    assert faulty.stamp == stamp_of(job.root / "a.dcm")
    assert isinstance(other.result, Kind)
    assert worked.failure is None
    tally = Tally()
    for outcome in worked.outcomes:
        tally.add(outcome)
    report = tally.report(job.profile, "00000000")
    assert dict(report.faults) == {faulty.fault: 1}
    assert report.to_json()["faults"] == {faulty.fault: 1}
    assert f"<strong>{faulty.fault}</strong>, 1 file." in page(report, job.profile).decode()


def test_what_the_user_can_change_still_ends_the_batch(job, monkeypatch):
    def missing(*_args: object, **_more: object) -> None:
        raise MissingPackageError("A package is missing on this worker.")

    monkeypatch.setattr(one_file, "write_clean", missing)
    with pytest.raises(MissingPackageError):
        work(job, (SCAN,), {})
