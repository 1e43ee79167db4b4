from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Mapping
from pathlib import Path

import pydicom
import pytest

from napari_medlabel.audit.format.event import Event
from napari_medlabel.deid.batch import delivery
from napari_medlabel.deid.batch import folder as batch
from napari_medlabel.deid.batch.folder import (
    REPORT_NAME,
    Listeners,
    Settings,
    deidentify_folder,
    preview_folder,
)
from napari_medlabel.deid.dicom import file as dicom_file
from napari_medlabel.errors import InputError, LogError, SaveError

WORDS = (b"Featherstone", b"Millicent", b"MRN5550123", b"QUINCY", b"19470316")


def nifti() -> bytes:
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 2, 2, 2, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)
    struct.pack_into("<f", header, 108, 352)
    header[148:154], header[344:348] = b"QUINCY", b"n+1\0"
    return bytes(header) + bytes(4) + b"12345678"


@pytest.fixture
def scans(tmp_path: Path, ct, as_file) -> Path:
    """Two slices of one patient, one of another, an ultrasound, NIfTI and other files."""
    folder = tmp_path / "Featherstone_Millicent"
    folder.mkdir()
    (folder / "slice1.dcm").write_bytes(as_file(ct(1)))
    (folder / "slice2.dcm").write_bytes(as_file(ct(2)))
    (folder / "other").write_bytes(
        as_file(ct(3, PatientID="MRN999", StudyInstanceUID="1.3.6.1.4.1.99999.9"))
    )
    (folder / "us.dcm").write_bytes(as_file(ct(4, Modality="US")))
    (folder / "fake.dcm").write_text("just text")
    (folder / "head.nii.gz").write_bytes(gzip.compress(nifti()))
    (folder / "head.json").write_text('{"PatientName": "QUINCY"}')
    (folder / "notes.txt").write_text("QUINCY")
    return folder


class Log:
    """A log in memory that fails at one event."""

    def __init__(self, fails_at: str = "") -> None:
        self.events: list[tuple[str, tuple[str, ...], dict[str, object], int | None]] = []
        self.fails_at = fails_at

    def append(
        self,
        event: str,
        *,
        subject: tuple[str, ...] = (),
        detail: Mapping[str, object] = {},
        outcome: int | None = None,
    ) -> None:
        if event in self.fails_at.split():
            raise LogError("The log cannot be written.", hint="Free some space.")
        self.events.append((event, subject, dict(detail), outcome))

    @property
    def names(self) -> list[str]:
        return [event[0] for event in self.events]


def written(target: Path) -> list[Path]:
    return sorted(path for path in target.rglob("*") if path.is_file())


def test_a_folder_is_cleaned_as_a_whole(scans, tmp_path, profile, pseudonyms):
    before = {path: path.read_bytes() for path in written(scans)}
    report = deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
    assert (report.files, report.dicom, report.nifti, report.patients) == (8, 3, 1, 2)
    assert report.written == {"dicom": 3, "nifti": 1, "sidecar": 1}
    assert report.skipped == {"not a scan": 1}
    assert report.scanned
    assert [q.reason.value for q in report.quarantined] == [
        "not what its name says",
        "pixels may show identity",
    ]
    assert {path: path.read_bytes() for path in written(scans)} == before
    assert len(written(tmp_path / "out")) == 8
    listed = json.loads((tmp_path / "out" / "deid-quarantine.json").read_text())["files"]
    assert [(f["position"], f["reason"]) for f in listed] == [
        (1, "not what its name says"),
        (8, "pixels may show identity"),
    ]


def test_nothing_of_a_name_or_value_survives(scans, tmp_path, profile, pseudonyms):
    deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
    for path in written(tmp_path / "out"):
        if path.suffix == ".html":
            continue  # has words of ours, such as head, of its own
        content = path.read_bytes() + str(path.relative_to(tmp_path)).encode()
        content += gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else b""
        assert not [word for word in (*WORDS, b"slice", b"head.") if word in content]


def test_slices_of_a_series_lie_together(scans, tmp_path, profile, pseudonyms):
    deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
    folders = {path.parent for path in written(tmp_path / "out") if path.suffix == ".dcm"}
    assert len(folders) == 2
    one = next(path for path in written(tmp_path / "out") if path.suffix == ".dcm")
    assert pydicom.dcmread(one).PatientID == one.relative_to(tmp_path / "out").parts[0]


def test_the_report_lies_with_the_files(scans, tmp_path, profile, pseudonyms):
    report = deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
    document = json.loads((tmp_path / "out" / REPORT_NAME).read_text())
    assert document == report.to_json()
    assert document["profile_sha256"] == profile.sha256
    assert document["key_id"] == pseudonyms.key_id
    assert document["quarantined"][0]["token"].startswith("F-")
    assert document["notes"] == {"recognizable face not removed": 1}


def test_two_processes_give_what_one_gives(scans, tmp_path, profile, pseudonyms):
    deidentify_folder(scans, tmp_path / "one", profile, pseudonyms)
    deidentify_folder(scans, tmp_path / "two", profile, pseudonyms, Settings(jobs=2))
    one, two = (
        [p.relative_to(tmp_path / n) for p in written(tmp_path / n)] for n in ("one", "two")
    )
    assert one == two
    for path in one:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_a_preview_counts_and_writes_nothing(scans, tmp_path, profile, pseudonyms):
    preview = preview_folder(scans, profile, pseudonyms)
    assert preview.dry_run
    assert [path.name for path in tmp_path.iterdir()] == [scans.name]
    report = deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
    done = {"dry_run": False, "scanned": True}
    assert preview.to_json() | done == report.to_json()


def test_progress_is_told_after_each_file(scans, tmp_path, profile, pseudonyms):
    told: list[tuple[int, int]] = []
    deidentify_folder(
        scans,
        tmp_path / "out",
        profile,
        pseudonyms,
        listeners=Listeners(progress=lambda *p: told.append(p)),
    )
    assert told == [(done, 8) for done in range(1, 9)]


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_instance_met_twice_is_written_once(
    scans, tmp_path, ct, as_file, profile, pseudonyms, dry_run
):
    (scans / "slice1-again.dcm").write_bytes(as_file(ct(1)))
    (scans / "slice1-changed.dcm").write_bytes(as_file(ct(1, KVP="80")))
    if dry_run:
        report = preview_folder(scans, profile, pseudonyms)
    else:
        report = deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
        assert not list((tmp_path / "out").rglob("*.part"))
    assert report.dicom == 3
    assert report.skipped["instance met twice, same content"] == 1
    assert "instance met twice with different content" in {
        q.reason.value for q in report.quarantined
    }


def test_a_dicomdir_is_left_out(scans, tmp_path, ct, as_file, profile, pseudonyms):
    (scans / "DICOMDIR").write_bytes(as_file(ct(9, SOPClassUID=dicom_file.DICOMDIR_CLASS)))
    report = deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
    assert report.skipped["DICOMDIR"] == 1


def test_a_file_that_vanishes_is_quarantined(scans, tmp_path, profile, pseudonyms, monkeypatch):
    original = dicom_file.plan_file

    def refuse(stream, *args, **more):
        if Path(stream.name).name == "slice1.dcm":
            Path(stream.name).unlink()
            raise InputError("The file is gone.", hint="Look for it.")
        return original(stream, *args, **more)

    monkeypatch.setattr(dicom_file, "plan_file", refuse)
    report = deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
    assert "unreadable" in {q.reason.value for q in report.quarantined}
    assert report.dicom == 2


def test_a_pair_is_written_as_one_file(tmp_path, profile, pseudonyms):
    scans = tmp_path / "in"
    scans.mkdir()
    header = bytearray(nifti()[:348])
    header[344:348] = b"ni1\0"
    struct.pack_into("<f", header, 108, 0)
    (scans / "a.hdr").write_bytes(header)
    (scans / "a.img").write_bytes(b"12345678")
    report = deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
    assert (report.nifti, report.skipped) == (1, {"voxel file of a header pair": 1})
    (made,) = (tmp_path / "out").rglob("*.nii")
    assert made.read_bytes().endswith(b"12345678")


def test_events_come_before_and_after(scans, tmp_path, profile, pseudonyms):
    log = Log()
    deidentify_folder(scans, tmp_path / "out", profile, pseudonyms, listeners=Listeners(log))
    assert log.names == ["export.begin", "deid.run", "deid.run", "deid.run", "export.done"]
    for event, subject, detail, outcome in log.events:
        Event(event, subject=subject, detail=detail, outcome=outcome)  # in the log's own list
    subjects = [event[1] for event in log.events if event[0] == "deid.run"]
    assert sorted(subjects) == sorted(
        [
            (),
            (pseudonyms.subject_token("", "MRN5550123"),),
            (pseudonyms.subject_token("", "MRN999"),),
        ]
    )
    assert all(event[2]["profile_hash"] == f"sha256:{profile.sha256}" for event in log.events)
    assert log.events[-1][2] == log.events[-1][2] | {"files": 5, "cases": 2}
    rest = log.events[-2]
    assert rest[2] == rest[2] | {"files": 2, "quarantined": 2, "skipped": 1}
    assert rest[3] == 4
    text = repr(log.events).encode()
    assert not [word for word in WORDS if word in text]


def test_a_clean_export_has_outcome_zero(scans, tmp_path, profile, pseudonyms):
    (scans / "us.dcm").unlink()
    (scans / "fake.dcm").unlink()
    log = Log()
    deidentify_folder(scans, tmp_path / "out", profile, pseudonyms, listeners=Listeners(log))
    assert [event[3] for event in log.events] == [None, None, None, 0, None]


@pytest.mark.parametrize("event", ["export.begin", "deid.run", "export.done"])
def test_without_a_log_there_is_no_export(scans, tmp_path, profile, pseudonyms, event):
    with pytest.raises(LogError):
        deidentify_folder(
            scans, tmp_path / "out", profile, pseudonyms, listeners=Listeners(Log(event))
        )
    assert [path.name for path in tmp_path.iterdir()] == [scans.name]


def test_a_folder_that_was_there_stays_when_the_log_fails(scans, tmp_path, profile, pseudonyms):
    (tmp_path / "out").mkdir()
    with pytest.raises(LogError):
        deidentify_folder(
            scans,
            tmp_path / "out",
            profile,
            pseudonyms,
            listeners=Listeners(Log("export.done")),
        )
    assert list((tmp_path / "out").iterdir()) == []
    deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
    assert (tmp_path / "out" / REPORT_NAME).exists()
    assert not list((tmp_path / "out").glob(".*"))


def test_a_failure_is_an_event(scans, tmp_path, profile, pseudonyms, monkeypatch):
    def full(*_args, **_kwargs):
        error = SaveError("A file could not be written (No space left on device).")
        raise error from OSError(28, "No space left on device")

    monkeypatch.setattr(delivery, "write", full)
    log = Log()
    with pytest.raises(SaveError):
        deidentify_folder(
            scans, tmp_path / "out", profile, pseudonyms, listeners=Listeners(log)
        )
    assert log.names == ["export.begin", "export.fail"]
    assert log.events[-1][3] == 8
    assert log.events[-1][2]["cause"] == "space"
    Event("export.fail", detail=log.events[-1][2], outcome=8)
    assert [path.name for path in tmp_path.iterdir()] == [scans.name]
    with pytest.raises(SaveError) as caught:
        deidentify_folder(
            scans,
            tmp_path / "out",
            profile,
            pseudonyms,
            listeners=Listeners(Log("export.fail")),
        )
    assert "could not be recorded" in caught.value.__notes__[0]


def test_bad_targets_and_sources_are_refused_before_anything(
    scans, tmp_path, profile, pseudonyms
):
    log = Log()
    with pytest.raises(InputError):
        deidentify_folder(scans, scans / "out", profile, pseudonyms, listeners=Listeners(log))
    with pytest.raises(InputError):
        deidentify_folder(
            tmp_path / "none", tmp_path / "out", profile, pseudonyms, listeners=Listeners(log)
        )
    assert log.names == []
    assert not (tmp_path / "out").exists()


def test_many_files_wait_for_the_disk_once(
    tmp_path, ct, as_file, profile, pseudonyms, monkeypatch
):
    scans, waited = tmp_path / "in", []
    scans.mkdir()
    for number in range(1, 5):
        (scans / f"{number}.dcm").write_bytes(as_file(ct(number)))
    monkeypatch.setattr(batch, "_FEW", 3)
    monkeypatch.setattr(batch, "sync_disks_of", lambda _places: waited.append("all"))
    monkeypatch.setattr(batch.os, "fsync", lambda _handle: waited.append("one"))
    report = deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
    assert report.dicom == 4
    assert waited.count("all") == 1


def test_a_file_that_only_names_the_class_of_directories_is_cleaned(
    tmp_path, ct, as_file, profile, pseudonyms
):
    scans = tmp_path / "in"
    scans.mkdir()
    content = as_file(ct(ImageComments="1.2.840.10008.1.3.10"))
    (scans / "a.dcm").write_bytes(content)
    assert deidentify_folder(scans, tmp_path / "out", profile, pseudonyms).dicom == 1
