"""Values of the open scan: in the log before anybody sees them, and never in a repr."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread

from napari_medlabel import samples
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.explain import Outcome
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.errors import InputError, LogError
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model.volume import Volume
from napari_medlabel.session.deid_values import show_values
from napari_medlabel.session.desk import Desk, open_desk


@pytest.fixture
def desk(tmp_path: Path):
    made = open_desk(tmp_path / "audit", state=tmp_path / "state")
    yield made
    made.log.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One slice of the sample scan."""
    first = sorted(p for p in samples.path("ct_abdomen").rglob("*") if p.is_file())[0]
    path = tmp_path / "slice.dcm"
    path.write_bytes(first.read_bytes())
    return path


@pytest.fixture
def volume(file: Path) -> Volume:
    return read_volume(file)


def logged(desk: Desk) -> list[dict]:
    lines = desk.audit_root.rglob("*.jsonl")
    return [json.loads(x) for path in lines for x in path.read_text().splitlines()]


def test_rows_have_the_values_of_the_file_and_what_becomes_of_them(desk, volume, file):
    profile = load_profile(options=["shift-dates"])
    shown = {each.row.path: each for each in show_values(desk, volume, profile)}
    name = str(dcmread(file, stop_before_pixels=True).PatientName)
    assert shown["PatientName"].value == name
    assert shown["PatientName"].row.outcome is Outcome.CHANGED
    assert shown["StudyDate"].row.option == "shift-dates"
    assert shown["PatientIdentityRemoved"].value == ""
    assert name not in repr(shown["PatientName"])


def test_that_values_were_shown_is_in_the_log_with_the_patients_token(desk, volume):
    show_values(desk, volume, load_profile(options=["shift-dates"]))
    (event,) = [each for each in logged(desk) if each.get("event") == "deid.preview"]
    assert event["detail"]["values_shown"] is True
    assert event["detail"]["files"] == 1
    assert event["detail"]["options"] == ["shift-dates"]
    assert event["detail"]["site_rules"] is False
    assert event["subject"] == [desk.subject(volume.source)[0]]


def test_without_a_log_line_there_are_no_values(desk, volume):
    class Failing:
        def append(self, *_, **__):
            raise LogError("The log cannot be written.", hint="Free some space.")

    with pytest.raises(LogError):
        show_values(replace(desk, log=Failing()), volume, load_profile())


def test_a_scan_that_is_not_dicom_has_no_values_to_show(desk, volume):
    other = replace(volume, source=replace(volume.source, format="nifti"))
    with pytest.raises(InputError, match="Values are shown of DICOM scans"):
        show_values(desk, other, load_profile())


def test_a_file_that_is_gone_or_broken_is_said(desk, volume, file):
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2000])
    with pytest.raises(QuarantineError):
        show_values(desk, volume, load_profile())
    file.unlink()
    with pytest.raises(InputError, match="could not be read"):
        show_values(desk, volume, load_profile())


def test_a_value_that_makes_no_sense_is_said_to_be_unreadable(desk, volume, monkeypatch):
    def broken(_dataset, path):
        raise InputError("no such path", hint="none")

    monkeypatch.setattr("napari_medlabel.session.deid_values.values_of", broken)
    rows = show_values(desk, volume, load_profile())
    assert {each.value for each in rows} == {"(cannot be read)"}
