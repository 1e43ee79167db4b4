"""Notes beside open work."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.project.work.notes import FILE, WorkNotes, read_notes, write_notes


def test_notes_are_written_and_read_back(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == WorkNotes()
    notes = WorkNotes(12.5, frozenset({1, 5}), frozenset({"liver"}), {"clear": True})
    write_notes(tmp_path / "new", notes)
    assert read_notes(tmp_path / "new") == notes


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"medlabel": "notes", "v": 2}'])
def test_damaged_notes_are_said(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(InputError, match="notes beside the open work"):
        read_notes(tmp_path)


def test_time_is_not_below_zero() -> None:
    with pytest.raises(InputError, match="not below 0"):
        WorkNotes(-1.0)
