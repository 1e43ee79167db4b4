"""The officer's table of Patient IDs is read, or refused without quoting it."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medlabel.audit.exports import patients
from napari_medlabel.audit.exports.patients import read_patients
from napari_medlabel.errors import InputError
from tests.audit.exports.samples import OTHER, PATIENT


def test_a_table_is_read_with_or_without_a_heading(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(f'\ufefftoken,id\n{PATIENT}, 4711\n\n{OTHER},"a,b"\n', encoding="utf-8")
    assert read_patients(path) == {PATIENT: "4711", OTHER: "a,b"}
    path.write_text(f"{PATIENT},1\n")
    assert read_patients(path) == {PATIENT: "1"}


@pytest.mark.parametrize(
    "rows", [f"{PATIENT},1\nDoe^Jane,2\n", "one\n", f"{PATIENT},1,2\n", f"{PATIENT},1\nx\n"]
)
def test_another_row_is_refused_and_not_quoted(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(rows)
    with pytest.raises(InputError, match=r"row [0-9] is something else") as caught:
        read_patients(path)
    assert "Doe" not in str(caught.value) + caught.value.hint


def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="FileNotFoundError"):
        read_patients(tmp_path / "none.csv")
    path = tmp_path / "ids.csv"
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="UnicodeDecodeError"):
        read_patients(path)
    monkeypatch.setattr(patients, "_LARGEST", 2)
    with pytest.raises(InputError, match="far too large"):
        read_patients(path)
