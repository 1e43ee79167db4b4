"""The trace of having used a log: kept, and its failure said without stopping anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medlabel.audit.writer.place import default_root
from napari_medlabel.cli.audit_trace import trace, trace_all


def test_what_cannot_be_noted_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "audit"))
    (tmp_path / "state").write_text("no folder")
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "state"))
    trace("override.stop", {})
    assert capsys.readouterr().err.startswith("medlabel: not noted in the log: ")


def test_nothing_to_note_opens_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "audit"))
    trace_all([])
    assert not default_root().exists()
