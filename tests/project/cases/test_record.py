"""Records of cases: written once, read back, and refused where they are not what they say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.cases.record import (
    CaseRecord,
    all_records,
    read_record,
    write_record,
)
from napari_medlabel.project.layout import CaseId, Layout

DIGEST = f"sha256:{'a' * 64}"
RECORD = CaseRecord(
    CaseId("001"),
    DIGEST,
    f"s1-{'0' * 32}",
    DIGEST,
    DIGEST,
    (DIGEST,),
    "",
    "CT",
    (4, 5, 6),
    (0.7, 0.7, 1.5),
    "2026-11-22T12:00:00Z",
)


def test_a_record_reads_back_as_it_was_written(tmp_path: Path) -> None:
    study = Layout(tmp_path)
    assert read_record(write_record(study, RECORD)) == RECORD
    second = replace(RECORD, case=CaseId("000"), manifest=DIGEST)
    write_record(study, second)
    assert all_records(study) == (second, RECORD)


def test_a_case_is_added_once(tmp_path: Path) -> None:
    study = Layout(tmp_path)
    write_record(study, RECORD)
    with pytest.raises(RefusedError, match="has a case sub-001_ct already"):
        write_record(study, RECORD)


def test_a_record_under_another_name_is_refused(tmp_path: Path) -> None:
    study = Layout(tmp_path)
    path = write_record(study, RECORD)
    path.rename(study.case_file(CaseId("002")))
    with pytest.raises(InputError, match="name of another case"):
        all_records(study)


@pytest.mark.parametrize(
    "change", [{"content": "x"}, {"originals": ("x",)}, {"manifest": "x"}, {"file": ""}]
)
def test_digests_of_another_form_are_refused(change: dict) -> None:
    with pytest.raises(InputError, match="holds digests"):
        replace(RECORD, **change)


def test_a_name_in_place_of_a_token_is_refused() -> None:
    with pytest.raises(InputError, match="by a token"):
        replace(RECORD, subject="somebody")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"medlabel": "project"}, "cannot be read, or is none"),
        ({"v": 2}, "knows 1"),
        ({"more": 1}, "cannot be read, or is none"),
        ({"shape": 5}, "cannot be read, or is none"),
    ],
)
def test_files_that_are_no_records_are_refused(
    change: dict, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({**json.loads(RECORD.to_bytes()), **change}))
    with pytest.raises(InputError, match=words):
        read_record(path)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_record(tmp_path / "none.json")
